from pathlib import Path

import pytest

from recsys.errors import ColdlensError, DataError, shorten
from recsys.settings import Settings


def test_message_has_three_parts():
    assert str(DataError("It is wrong", 3, fix="Do this.")) == "It is wrong: '3'. Do this."
    assert str(DataError("It is wrong", fix="Do this.")) == "It is wrong. Do this."


def test_long_value_is_cut():
    error = DataError("It is wrong", "x" * 500 + "\n", fix="Do this.")
    assert len(error.value) == 120
    assert error.value.endswith("…")
    assert shorten("a\n  b") == "a b"


@pytest.mark.parametrize("kind", ColdlensError.__subclasses__())
def test_every_error_is_one_of_ours(kind: type[ColdlensError]):
    with pytest.raises(ColdlensError):
        raise kind("It is wrong", fix="Do this.")


def test_settings_from_the_environment():
    assert Settings.from_environment({}) == Settings()
    assert Settings.from_environment({"COLDLENS_DEVICE": ""}) == Settings()
    found = Settings.from_environment(
        {"COLDLENS_DATA_DIR": "/x", "COLDLENS_ENCODER": "e", "COLDLENS_PRECISION": "float32"}
    )
    assert found == Settings(data_dir=Path("/x"), encoder="e", precision="float32")
