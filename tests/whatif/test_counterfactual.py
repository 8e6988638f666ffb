"""The smallest edits that bring an item in: exhaustive for one edit, verified by ranking again."""

from dataclasses import replace

import pytest

from recsys.errors import DataError
from recsys.recommender import Recommender
from recsys.schema import ITEM_ID, ItemFilter, Profile
from recsys.whatif import PROTECTED, bring_in, single_edits, vocabulary

PROFILE = Profile(30, "F", {"occupation": "student"}, ("space",), ("03",))


@pytest.fixture(params=["cosine", "additive"])
def recommender(request, toy, toy_encoder) -> Recommender:
    return Recommender.from_dataset(toy, scorer=request.param, encoder=toy_encoder)


def every_edit(recommender, item_row, locked=PROTECTED):
    return single_edits(
        PROFILE,
        recommender.dataset,
        interests=vocabulary(recommender.dataset, item_row),
        likeable=[row for row in range(12) if row != item_row],
        locked=locked,
    )


@pytest.mark.parametrize("locked", [PROTECTED, ()])
@pytest.mark.parametrize("item_id", ["01", "04", "05", "08", "09"])
def test_one_edit_answers_are_those_of_trying_every_edit_by_itself(recommender, item_id, locked):
    row = recommender.dataset.item_row(item_id)

    answer = bring_in(recommender, PROFILE, item_id, k=3, locked=locked)

    expected = set()
    for edit in every_edit(recommender, row, locked):
        edited = edit.apply(PROFILE)
        found = recommender.recommend(edited, k=3).table[ITEM_ID]
        if item_id in set(found):
            expected.add(edit.label)
    if answer.is_in:
        assert answer.outcomes == ()
        assert item_id in set(recommender.recommend(PROFILE, k=3).table[ITEM_ID])
    elif expected:
        assert {outcome.label for outcome in answer.outcomes} == expected
    else:
        assert all(len(outcome.edits) == 2 for outcome in answer.outcomes)
        assert answer.n_pairs > 0


def test_every_answer_is_verified_by_ranking_again(recommender):
    for item_id in recommender.dataset.items[ITEM_ID]:
        if item_id in PROFILE.liked:
            continue
        answer = bring_in(recommender, PROFILE, item_id, k=2)
        assert answer.rank == recommender.explain(PROFILE, item_id).rank
        for outcome in answer.outcomes:
            found = recommender.recommend(outcome.profile, k=2).table
            row = found[found[ITEM_ID] == item_id].iloc[0]
            assert row["rank"] == outcome.rank <= 2
            assert row["score"] == pytest.approx(outcome.score, abs=1e-6)


def test_age_and_gender_are_touched_only_when_asked(recommender):
    row = recommender.dataset.item_row("04")

    kinds = {edit.kind for edit in every_edit(recommender, row)}
    unlocked = {edit.kind for edit in every_edit(recommender, row, ())}

    assert kinds == {"add interest", "drop interest", "like", "unlike", "attribute"}
    assert unlocked - kinds == {"age", "gender"}


def test_locks_hold(recommender):
    locked = ("interests", "liked", "attribute:occupation", *PROTECTED)

    assert every_edit(recommender, 4, locked) == []
    assert bring_in(recommender, PROFILE, "04", k=1, locked=locked).outcomes == ()


def test_the_gap_is_to_the_item_at_rank_k(recommender):
    found = recommender.recommend(PROFILE, k=3).table

    answer = bring_in(recommender, PROFILE, "04", k=3)

    score = recommender.score_all(PROFILE).values[4]
    assert answer.gap == pytest.approx(found["score"].iloc[2] - score, abs=1e-5)
    assert recommender.dataset.items[ITEM_ID].iloc[answer.kth_row] == found[ITEM_ID].iloc[2]


def test_a_catalog_smaller_than_k_has_no_last_place(recommender):
    answer = bring_in(recommender, PROFILE, "04", k=50)

    assert answer.is_in
    assert answer.kth_row is None


def test_pairs_are_found_where_one_edit_is_not_enough(toy, toy_encoder):
    items = toy.items.copy()
    items["categories"] = [("space",)] * 11 + [("romance",)]
    items.loc[11, "description"] = "comedy"
    recommender = Recommender.from_dataset(replace(toy, items=items), scorer="cosine", encoder=toy_encoder)
    profile = Profile(interests=("space",))

    answer = bring_in(recommender, profile, "11", k=1, locked=("liked", *PROTECTED))

    assert answer.rank > 1
    assert all(len(outcome.edits) == 2 for outcome in answer.outcomes)
    assert answer.outcomes
    assert answer.outcomes[0].rank == 1


def test_what_cannot_be_brought_in_is_refused(recommender):
    with pytest.raises(DataError, match="liked already"):
        bring_in(recommender, PROFILE, "03")
    with pytest.raises(DataError, match="filters"):
        bring_in(recommender, PROFILE, "01", keep=ItemFilter(categories=("space",)))


def test_the_vocabulary_is_the_catalogs_own(toy):
    found = vocabulary(toy, 0)

    assert found[:3] == toy.categories
    assert "student" in found  # of item 0, and of three items
    assert "for" not in found  # a stop word
    assert len(set(found)) == len(found)


def test_an_impossible_length_is_refused(recommender):
    with pytest.raises(DataError, match="length"):
        bring_in(recommender, PROFILE, "04", k=0)
