"""The words of a catalog: resumed after a kill, and the same as taken apart one by one."""

import numpy as np
import pytest

from recsys.artifact import ArtifactStore
from recsys.explanation import EXACT, FIRST_LAST, ItemWords, item_words, words_of
from recsys.views.text import item_texts


@pytest.fixture
def items(toy_folder, toy_encoder):
    texts = item_texts(toy_folder) * 12  # more than two parts of 64
    vectors = toy_encoder.encode(texts)
    store = ArtifactStore(toy_folder.folder / "artifacts")
    return texts, vectors, store, lambda: ItemWords(texts, vectors, encoder=toy_encoder, store=store)


@pytest.mark.parametrize("tier", [FIRST_LAST, EXACT])
def test_built_words_equal_those_taken_apart_one_by_one(items, toy_encoder, tier):
    texts, vectors, _, words = items
    made = words()

    assert made.build(tier) == len(texts)

    for row in (0, 1, 63, 64, 143):
        expected = words_of(texts[row], toy_encoder, tier=tier).adding_up_to(vectors[row])
        found = words().of(row, tier=tier)
        np.testing.assert_allclose(found.vectors, expected.vectors, atol=1e-6)
        np.testing.assert_allclose(found.vectors.sum(0) + found.empty, vectors[row], atol=1e-9)
        assert (found.pieces, found.tier) == (expected.pieces, expected.tier)


def test_a_killed_build_goes_on_where_it_was(items, monkeypatch):
    texts, _, _, words = items
    original = ItemWords._publish

    def killed(self, number, tier, rows):
        if number == 1:
            raise KeyboardInterrupt
        original(self, number, tier, rows)

    with monkeypatch.context() as patch:
        patch.setattr(ItemWords, "_publish", killed)
        with pytest.raises(KeyboardInterrupt):
            words().build()

    assert words().share_built() == pytest.approx(1 / 3)
    assert words().build() == len(texts) - 64
    assert words().share_built() == 1
    assert words().build() == 0


def test_a_damaged_part_is_taken_apart_anew(items, toy_encoder):
    _, vectors, store, words = items
    words().build()
    for path in store.root.glob("words-*/vectors.npy"):
        path.write_bytes(b"rot")

    found = words().of(70)

    np.testing.assert_allclose(found.vectors.sum(0) + found.empty, vectors[70], atol=1e-9)


def test_other_texts_or_another_encoder_do_not_find_old_words(items, toy_encoder):
    texts, vectors, store, words = items
    words().build()

    changed = ItemWords(["romance", *texts[1:]], vectors, encoder=toy_encoder, store=store)
    assert changed.share_built() == pytest.approx(2 / 3)
    toy_encoder.identity = "toy-2"
    assert words().share_built() == 0


def test_a_large_catalog_does_not_run_out_of_open_files(items, toy_encoder, monkeypatch):
    _, vectors, _, words = items
    words().build()
    monkeypatch.setattr("recsys.explanation.item_words._OPEN", 2)
    opened = words()

    assert opened.build() == 0  # goes over what is there already

    assert len(opened._open) == 2
    for row in (0, 70, 140):
        found = opened.of(row)
        np.testing.assert_allclose(found.vectors.sum(0) + found.empty, vectors[row], atol=1e-9)


def test_a_dataset_in_memory_keeps_nothing(items, toy_encoder):
    texts, vectors, _, _ = items

    words = ItemWords(texts, vectors, encoder=toy_encoder, store=None)

    assert words.share_built() == 0
    assert len(words.of(0).vectors) == len(words.of(0).pieces)


def test_another_segmenter_makes_other_words_of_chinese_texts_alone(toy_folder, toy_encoder, monkeypatch):
    texts = ["space 科幻"] * 64 + ["space"] * 64
    store = ArtifactStore(toy_folder.folder / "artifacts")

    def words():
        return ItemWords(texts, toy_encoder.encode(texts), encoder=toy_encoder, store=store)

    words().build()
    monkeypatch.setattr(item_words, "segmenter_name", lambda: "another 1.0")

    assert words().share_built() == 0.5
