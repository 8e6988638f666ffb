from pathlib import Path

import pytest

from recsys.errors import ConfigError
from recsys.settings import Limits, Settings


def test_settings_come_from_the_environment_and_empty_means_default():
    found = Settings.from_environment({"COLDLENS_DATA_DIR": "/x", "COLDLENS_DATASET": "", "COLDLENS_MAX_ITEMS": "7"})
    assert found.data_dir == Path("/x")
    assert found.dataset == Settings().dataset
    assert found.limits == Limits(items=7)
    assert found.limits.unpacked_bytes == 16_384 << 20


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5", "1e6"])
def test_a_limit_that_is_no_number_is_refused_by_name(value):
    with pytest.raises(ConfigError, match=f"The limit is not a number: 'COLDLENS_MAX_COLUMNS={value}'"):
        Limits.from_environment({"COLDLENS_MAX_COLUMNS": value})


def test_no_search_server_unless_one_is_named():
    assert Settings.from_environment({}).milvus == ""
    assert Settings.from_environment({"COLDLENS_MILVUS": " http://127.0.0.1:19530 "}).milvus == "http://127.0.0.1:19530"


def test_the_kind_of_index_comes_from_the_environment_and_an_unknown_one_is_refused():
    assert Settings.from_environment({}).index == "exact"
    assert Settings.from_environment({"COLDLENS_INDEX": "compressed"}).index == "compressed"
    with pytest.raises(
        ConfigError, match=r"does not exist: 'hnsw'\. Set COLDLENS_INDEX to one of: exact, compressed\."
    ):
        Settings.from_environment({"COLDLENS_INDEX": "hnsw"})
