"""Chinese, end to end: a catalog, interests and explanations in words."""

from dataclasses import replace

import numpy as np
import pytest

from recsys.datasets import open_dataset
from recsys.datasets.samples import read_sample
from recsys.datasets.versions import read_info
from recsys.encoder import MULTILINGUAL
from recsys.encoder import folder as folders
from recsys.errors import MissingExtraError
from recsys.explanation import FIRST_LAST
from recsys.recommender import Recommender
from recsys.recommender.opening import encoder_of
from recsys.schema import Dataset, Profile
from recsys.settings import DEFAULT_ENCODER, Settings
from recsys.views.text import item_texts, profile_text
from tests.encoder.tiny import save_static
from tests.toy import ToyEncoder

LOVER = Profile(age=27, gender="F", interests=("科幻", "爱情"))


@pytest.fixture(scope="module")
def films() -> Recommender:
    return Recommender.from_dataset(read_sample("sample-films-zh"), scorer="cosine", settings=Settings(device="cpu"))


def test_the_sample_is_read_with_the_encoder_that_it_names(films: Recommender, tmp_path):
    assert films.encoder.name == MULTILINGUAL
    opened = open_dataset("sample-films-zh", data_dir=tmp_path)
    assert opened.info.encoder == MULTILINGUAL == read_info(tmp_path / "sample-films-zh").encoder


def test_whoever_names_an_encoder_gets_it(tmp_path):
    named, chosen = Settings(), Settings.from_environment({"COLDLENS_ENCODER": DEFAULT_ENCODER})
    assert named.encoder_for(MULTILINGUAL) == MULTILINGUAL
    assert named.encoder_for() == DEFAULT_ENCODER
    assert chosen.encoder_for(MULTILINGUAL) == DEFAULT_ENCODER
    tiny = Settings(encoder=str(save_static(tmp_path)), device="cpu")
    assert encoder_of(read_sample("sample-films-zh"), "cosine", None, tiny).name == str(tmp_path)


def test_without_the_extra_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    package = replace(folders.PACKAGED[MULTILINGUAL], module="no_such_package")
    monkeypatch.setitem(folders.PACKAGED, MULTILINGUAL, package)
    with pytest.raises(MissingExtraError, match=r"coldlens\[multilingual\]"):
        Recommender.from_dataset(read_sample("sample-films-zh"), scorer="cosine", settings=Settings())


def test_texts_are_chinese_to_the_last_mark(films: Recommender):
    profile = replace(
        LOVER, attributes={"occupation": "学生"}, interests=("科幻", "太空", "爱情"), liked=("f001", "f070")
    )
    assert profile_text(profile, films.dataset) == (
        "一位27岁的女性学生，喜欢科幻、太空和爱情，爱看流浪地球和千与千寻。"
    )
    assert profile_text(Profile(interests=("爱情",)), films.dataset) == "一位观众，喜欢爱情。"
    assert item_texts(films.dataset)[0].startswith("流浪地球（2019）。科幻、动作。太阳快要熄灭")


@pytest.mark.parametrize(
    ("interest", "chance"), [("科幻", 0.2), ("爱情", 0.25), ("动画", 0.13), ("science fiction", 0.2)]
)
def test_an_interest_finds_its_kind(films: Recommender, interest: str, chance: float):
    """In either language; no word of the English one stands in any text."""
    found = films.recommend(Profile(interests=(interest,)), k=10)
    rows = [films.dataset.item_row(item_id) for item_id in found.table["item_id"]]
    kind = "科幻" if interest == "science fiction" else interest
    share = np.mean([kind in films.dataset.items["categories"].iloc[row] for row in rows])
    assert share >= 3 * chance


@pytest.mark.parametrize("item_id", ["f073", "f003"])
def test_an_explanation_is_in_words_and_adds_up(films: Recommender, item_id: str):
    found = films.explain(LOVER, item_id, tier=FIRST_LAST).checked()
    profile, item = found.texts
    assert [word.text for word in profile.words] == [
        "一位", "27", "岁", "的", "女性", "观众", "喜欢", "科幻", "和", "爱情"
    ]  # fmt: skip
    assert all(word.text == text.text[word.start : word.end] for text in found.texts for word in text.words)
    assert all(len(word.text) > 1 for word in item.words)
    strongest = max(profile.words, key=lambda word: word.contribution)
    assert strongest.text in ("科幻", "爱情")
    assert found.completeness_error < 1e-6


def test_deleting_its_words_lowers_the_score(films: Recommender):
    assert films.delete_words(films.explain(LOVER, "f073", tier=FIRST_LAST)).advantage > 0.02


def test_an_interest_that_the_encoder_does_not_read_is_told(films: Recommender, toy: Dataset, toy_encoder: ToyEncoder):
    assert films.check(LOVER) == []
    english = Recommender.from_dataset(toy, scorer="cosine", encoder=toy_encoder)
    (warning,) = [text for text in english.check(Profile(interests=("科幻", "comedy"))) if "科幻" in text]
    assert "is in Chinese, which the encoder toy does not read" in warning and MULTILINGUAL in warning
    assert films.mismatch is None
