"""Sweeps: every step equals the list that its person gets by themselves."""

import json
from dataclasses import replace

import numpy as np
import pytest

from recsys.errors import DataError
from recsys.recommender import Recommender
from recsys.schema import ITEM_ID, ItemFilter, Profile
from recsys.whatif import Axis, ListConfig, Panel, Step, axes_of, sweep, sweep_two
from recsys.whatif.edits import Edit
from tests.training.world import world

FULL = Profile(30, "F", {"occupation": "student"}, ("space", "comedy"), ("03", "07", "11"))
KEYS = ("age", "gender", "attribute:occupation", "interests", "weight:space", "weight:comedy", "liked")


@pytest.fixture(params=["cosine", "additive"])
def recommender(request, toy, toy_encoder) -> Recommender:
    return Recommender.from_dataset(toy, scorer=request.param, encoder=toy_encoder)


def axis(recommender, key, profile=FULL):
    return {found.key: found for found in axes_of(recommender, profile)}[key]


def alone(recommender, profile, config):
    found = recommender.recommend(profile, k=config.k, keep=config.keep, popularity=config.popularity)
    return [recommender.dataset.item_row(item_id) for item_id in found.table[ITEM_ID]]


def test_everything_that_a_person_and_a_dataset_have_can_be_swept(recommender):
    found = axes_of(recommender, FULL)

    assert tuple(axis.key for axis in found) == KEYS
    assert [step.label for step in found[0].steps] == [str(age) for age in range(10, 81)]
    assert axis(recommender, "gender").labels == ("F", "M")
    assert axis(recommender, "interests").labels == (
        "as they are", "without “space”", "without “comedy”", "with “romance”",
    )  # fmt: skip
    assert axis(recommender, "liked").labels == ("0", "1", "2", "3")
    assert [axis.key for axis in axes_of(recommender, Profile())] == [
        "age",
        "gender",
        "attribute:occupation",
        "interests",
    ]


def test_a_catalog_alone_can_be_swept_over_its_categories(toy, toy_encoder):
    bare = replace(toy, users=toy.users.iloc[:0][["user_id"]], interactions=toy.interactions.iloc[:0])
    recommender = Recommender.from_dataset(bare, encoder=toy_encoder)

    assert [axis.key for axis in axes_of(recommender, Profile())] == ["interests"]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "config",
    [ListConfig(3), ListConfig(2, ItemFilter(categories=("space", "romance")), 0.4)],
    ids=["plain", "filtered"],
)
def test_a_sweep_is_one_by_one_recommendation(recommender, key, config):
    swept = axis(recommender, key)
    found = sweep(recommender, FULL, swept, config)

    assert set(found.rows) == {row for top in found.top for row in top if row >= 0}
    assert (np.diff(found.ranks.mean(axis=0)) >= 0).all()
    for n, step in enumerate(swept.steps):
        if any(weight != 1 for weight in step.weights.values()):
            continue
        profile = step.apply(FULL)
        assert found.profiles[n] == profile
        listed = alone(recommender, profile, config)
        assert found.top[n][: len(listed)].tolist() == listed
        assert (found.top[n][len(listed) :] == -1).all()
        for place, row in enumerate(found.rows):
            item_id = recommender.dataset.items[ITEM_ID].iloc[row]
            explained = recommender.explain(profile, item_id, keep=config.keep, popularity=config.popularity)
            assert found.ranks[n, place] == explained.rank
            assert found.may_show[n, place] == (item_id not in profile.liked)
            assert found.is_in[n, place] == (row in listed)
            assert found.scores[n, place] == pytest.approx(explained.total, abs=1e-6)


def test_what_is_liked_at_a_step_is_left_out_there(recommender):
    best = recommender.recommend(Profile(interests=("space",)), k=1).table[ITEM_ID][0]
    person = Profile(interests=("space",), liked=(best,))

    found = sweep(recommender, person, axis(recommender, "liked", person), ListConfig(3))

    place = found.rows.tolist().index(recommender.dataset.item_row(best))
    assert found.is_in[:, place].tolist() == [True, False] == found.may_show[:, place].tolist()
    leaving = next(flip for flip in found.flips if flip.item_row == found.rows[place])
    assert (leaving.is_entering, leaving.before, leaving.after) == (False, 1, None)
    told = found.to_dict(recommender.dataset)["items"][place]
    assert told["ranks"] == [1, None]
    two = sweep_two(recommender, person, axis(recommender, "liked", person), axis(recommender, "gender"))
    assert np.isnan(two.ranks_of(found.rows[place])).tolist() == [[False, False], [True, True]]


def test_the_person_as_they_are_is_marked(recommender):
    assert sweep(recommender, FULL, axis(recommender, "age")).base == 20
    assert sweep(recommender, FULL, axis(recommender, "interests")).base == 0
    assert sweep(recommender, FULL, axis(recommender, "weight:space")).base == 4
    assert sweep(recommender, FULL, axis(recommender, "liked")).base == 3
    assert sweep(recommender, replace(FULL, age=30.5), axis(recommender, "age")).base is None


def test_a_weight_multiplies_what_the_interest_adds(recommender):
    swept = axis(recommender, "weight:space")
    found = sweep(recommender, FULL, swept, ListConfig(12))
    vectors = recommender.index.vectors[found.rows].astype(float)
    parts = recommender.scorer.facet_vectors(FULL)
    place = [facet.key for facet in parts.facets].index("interest:space")

    for n, step in enumerate(swept.steps):
        weight = step.weights["interest:space"]
        expected = vectors @ (parts.vectors.sum(axis=0) + (weight - 1) * parts.vectors[place])
        np.testing.assert_allclose(found.scores[n], expected, atol=1e-6)


def test_flips_are_where_an_item_crosses_rank_k():
    dataset = world()
    from tests.toy import ToyEncoder

    recommender = Recommender.from_dataset(dataset, scorer="additive", encoder=ToyEncoder())
    found = sweep(recommender, Profile(gender="M"), axis(recommender, "age", Profile()), ListConfig(5))

    inside = found.ranks <= 5
    expected = [
        (int(found.rows[place]), step, bool(inside[step, place]))
        for step in range(1, len(inside))
        for place in range(len(found.rows))
        if inside[step, place] != inside[step - 1, place]
    ]
    assert [(flip.item_row, flip.step, flip.is_entering) for flip in found.flips] == expected != []
    for flip in found.flips:
        assert (flip.after <= 5) == flip.is_entering != (flip.before <= 5)
    young, old = (dataset.items["categories"].iloc[found.top[step]] for step in (10, 60))  # 20 and 70 years
    assert sum(kinds == ("space",) for kinds in young) > sum(kinds == ("space",) for kinds in old)


def test_values_without_an_order_are_compared_with_the_person_as_they_are(recommender):
    found = sweep(recommender, FULL, axis(recommender, "gender"), ListConfig(3))

    other = alone(recommender, replace(FULL, gender="M"), ListConfig(3))
    mine = alone(recommender, FULL, ListConfig(3))
    assert {(flip.item_row, flip.is_entering) for flip in found.flips} == {
        *((row, True) for row in set(other) - set(mine)),
        *((row, False) for row in set(mine) - set(other)),
    }
    assert all(flip.step == 1 for flip in found.flips)
    man = sweep(recommender, replace(FULL, gender="M"), axis(recommender, "gender"), ListConfig(3))
    assert man.base == 1 and {flip.step for flip in man.flips} <= {0}
    assert len(man.flips) == len(found.flips)
    dropped = sweep(recommender, FULL, axis(recommender, "interests"), ListConfig(3))
    inside = dropped.is_in
    assert (
        [(flip.step, flip.item_row) for flip in dropped.flips]
        == [
            (step, row)
            for step in range(1, len(inside))
            for place, row in enumerate(dropped.rows)
            if inside[step, place] != inside[0, place]
        ]
        != []
    )
    nobody = sweep(recommender, replace(FULL, gender=None), axis(recommender, "gender"), ListConfig(3))
    assert nobody.base is None and nobody.flips == ()


def test_two_axes_are_every_pair_of_steps(recommender):
    first, second = axis(recommender, "age"), axis(recommender, "interests")
    first = Axis(first.key, first.label, first.steps[::20], True)
    found = sweep_two(recommender, FULL, first, second, ListConfig(3))

    ranks, winners = found.ranks_of(5), found.winners
    assert ranks.shape == winners.shape == (4, 4)
    assert len(np.unique(ranks)) > 1
    for m, a in enumerate(first.steps):
        for n, b in enumerate(second.steps):
            profile = b.apply(a.apply(FULL))
            assert winners[m, n] == alone(recommender, profile, ListConfig(3))[0]
            assert ranks[m, n] == recommender.explain(profile, "05").rank


def test_two_weights_multiply_each_their_own(recommender):
    first, second = axis(recommender, "weight:space"), axis(recommender, "weight:comedy")
    found = sweep_two(recommender, FULL, first, second)
    alone_ = sweep(recommender, FULL, first, ListConfig(1))

    plain = second.labels.index("1")
    assert found.winners[:, plain].tolist() == alone_.top[:, 0].tolist()
    parts = recommender.scorer.facet_vectors(FULL)
    keys = [facet.key for facet in parts.facets]
    weights = np.ones(len(keys))
    weights[keys.index("interest:space")], weights[keys.index("interest:comedy")] = 2.0, 0.5
    expected = recommender.index.vectors[5].astype(float) @ (weights @ parts.vectors)
    step = first.labels.index("2") * len(second.steps) + second.labels.index("0.5")
    assert found.panel.scores(np.array([5]))[step, 0] == pytest.approx(expected, abs=1e-6)


def test_a_step_applies_its_edits_in_order():
    drop, add = Edit("interest:space", "drop interest", "", None), Edit("interest:war", "add interest", "", "war")

    assert Step("", (drop, add)).apply(FULL).interests == ("comedy", "war")


def test_json_names_items_and_flips(recommender):
    found = sweep(recommender, FULL, axis(recommender, "age"), ListConfig(3)).to_dict(recommender.dataset)

    assert json.loads(json.dumps(found))["steps"][0] == "10"
    assert len(found["top"]) == 71 and all(len(top) == 3 for top in found["top"])
    assert {item["item_id"] for item in found["items"]} == {item_id for top in found["top"] for item_id in top}


def test_filters_that_leave_nothing(recommender):
    found = sweep(recommender, FULL, axis(recommender, "age"), ListConfig(3, ItemFilter(years=(1800, 1801))))

    assert found.rows.shape == (0,) and found.ranks.shape == (71, 0) and found.flips == ()
    assert (found.top == -1).all()


def test_impossible_lists_are_refused():
    with pytest.raises(DataError, match="length"):
        ListConfig(0)
    with pytest.raises(DataError, match="popularity"):
        ListConfig(popularity=1.5)


def test_an_empty_panel_has_no_rows(recommender):
    panel = Panel.from_profiles(recommender, [])

    assert panel.top.shape == (0, 10) and panel.scores(np.array([1])).shape == (0, 1)
    assert panel.ranks(np.array([1, 2])).shape == (0, 2)


def test_progress_is_told_and_blocks_do_not_change_the_answer(recommender, monkeypatch):
    profiles = [replace(FULL, age=float(age)) for age in range(10, 60)]
    whole = Panel.from_profiles(recommender, profiles).top
    monkeypatch.setattr("recsys.whatif.panel._BLOCK", 7)
    steps = []

    panel = Panel.from_profiles(recommender, profiles, progress=lambda *step: steps.append(step))

    np.testing.assert_array_equal(panel.ranked(lambda *step: steps.append(step)), whole)
    assert ("read profiles", 49, 50) in steps and ("rank items", 49, 50) in steps
