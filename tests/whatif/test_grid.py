"""The grid of profiles: every list is the one its profile gets alone, and every number is counted again the long way."""

import csv
import io
import json
from itertools import combinations

import numpy as np
import pytest

from recsys.errors import DataError, UnknownItemError
from recsys.recommender import Recommender
from recsys.schema import ITEM_ID, ItemFilter, Profile
from recsys.whatif import (
    DEAD_FROM,
    Grid,
    ListConfig,
    NamedProfiles,
    generate_profiles,
    overlap,
    overlap_matrix,
    rank_grid,
)
from tests.hostile import write_hostile
from tests.toy import ToyEncoder, toy_dataset
from tests.training.world import world

CONFIGS = {
    "short": ListConfig(3),
    "few may be shown": ListConfig(5, ItemFilter(categories=("space",))),
    "all": ListConfig(20),
    "pure taste": ListConfig(3, popularity=0.0),
}


@pytest.fixture(scope="module", params=["cosine", "additive"])
def recommender(request) -> Recommender:
    return Recommender.from_dataset(toy_dataset(), scorer=request.param, encoder=ToyEncoder())


@pytest.fixture(params=CONFIGS)
def config(request) -> ListConfig:
    return CONFIGS[request.param]


def people(dataset) -> NamedProfiles:
    """Generated ones, and some that like items, so that lists are of several lengths where few items may be shown."""
    made = generate_profiles(
        dataset, ages=[41.5, 20, 29, None], genders=["F", "M"], interests=[("space",), ("comedy",), ()]
    )
    fans = [
        Profile(20, "F", {}, ("space",), liked) for liked in (("00",), ("00", "03"), ("00", "03", "06", "09"), ("01",))
    ]
    return NamedProfiles(
        (*made.names, "nobody", *(f"fan {n}" for n in range(len(fans)))), (*made.profiles, Profile(), *fans)
    )


def lists_of(recommender, named, config) -> list[np.ndarray]:
    rows, found = recommender.dataset.item_rows, []
    for profile in named.profiles:
        made = recommender.recommend(profile, k=config.k, keep=config.keep, popularity=config.popularity)
        found.append(np.array([rows[item_id] for item_id in made.table[ITEM_ID]], int))
    return found


def mean_of_pairs(lists) -> float:
    return float(np.mean([overlap(a, b) for a, b in combinations(lists, 2)]))


def test_every_list_is_the_one_its_profile_gets_alone(recommender, config):
    named = people(recommender.dataset)

    grid = rank_grid(recommender, named, config)

    assert grid.top.shape == grid.scores.shape == (len(named), config.k)
    for profile, top, scores in zip(named.profiles, grid.top, grid.scores, strict=True):
        alone = recommender.recommend(profile, k=config.k, keep=config.keep, popularity=config.popularity).table
        n = len(alone)
        assert recommender.dataset.items[ITEM_ID].iloc[top[:n]].tolist() == alone[ITEM_ID].tolist()
        assert scores[:n] == pytest.approx(alone["score"].to_numpy(), abs=1e-6)
        assert (top[n:] == -1).all()
        assert np.isnan(scores[n:]).all()


def test_blocks_do_not_show(recommender, monkeypatch):
    named, calls = people(recommender.dataset), []
    whole = rank_grid(recommender, named)

    monkeypatch.setattr("recsys.whatif.grid._BLOCK", 10)
    blocks = rank_grid(recommender, named, progress=lambda *said: calls.append(said))

    assert np.array_equal(whole.top, blocks.top)
    assert calls == [("rank profiles", done, 29) for done in (0, 10, 20, 29)]


def test_what_is_shown_is_counted(recommender, config):
    named = people(recommender.dataset)
    lists = lists_of(recommender, named, config)
    every = np.concatenate(lists).tolist()

    grid = rank_grid(recommender, named, config)

    shown = [every.count(row) for row in range(12)]
    allowed = np.flatnonzero(config.keep.mask(recommender.dataset)).tolist()
    assert grid.shown.tolist() == shown
    assert grid.never_shown.tolist() == [row for row in allowed if not shown[row]]
    assert grid.coverage == pytest.approx(len(set(every)) / len(allowed))
    assert grid.most_shown.tolist() == sorted(set(every), key=lambda row: (-shown[row], row))


def test_mean_overlaps_are_those_of_all_pairs(recommender, config):
    named = people(recommender.dataset)
    lists = lists_of(recommender, named, config)

    grid = rank_grid(recommender, named, config)

    assert grid.mean_overlap == pytest.approx(mean_of_pairs(lists))
    names, matrix = grid.profile_overlap()
    assert names == named.names
    assert matrix == pytest.approx(overlap_matrix(lists))


def test_the_usual_list_is_that_of_nobody_or_the_most_shown(recommender, config):
    named = people(recommender.dataset)

    grid = rank_grid(recommender, named, config)

    if recommender.scorer.name == "additive" and config.popularity:
        assert grid.usual.tolist() == lists_of(recommender, NamedProfiles(("x",), (Profile(),)), config)[0].tolist()
    else:
        assert grid.usual.tolist() == grid.most_shown[: config.k].tolist()


def test_what_a_person_likes_is_left_out_of_their_usual_list():
    recommender = Recommender.from_dataset(world(), scorer="additive", encoder=ToyEncoder())
    ids = recommender.recommend(Profile()).table[ITEM_ID].tolist()
    profiles = (Profile(), *(Profile(liked=tuple(ids[:n])) for n in (1, 3, 10)))
    nobody = recommender.scorer.queries([Profile()] * 4)

    grid = rank_grid(recommender, NamedProfiles(tuple("abcd"), profiles))

    usual = recommender.index.search(nobody, 10, allowed=[recommender.allowed(profile) for profile in profiles]).rows
    expected = [overlap(*lists) for lists in zip(grid.top, usual, strict=True)]
    assert expected != [overlap(top, grid.usual) for top in grid.top]
    assert grid.own_usual == pytest.approx(expected)


def test_cells_are_counted_the_long_way(recommender, config):
    named = people(recommender.dataset)
    lists = lists_of(recommender, named, config)
    grid = rank_grid(recommender, named, config)
    members = {}
    for n, profile in enumerate(named.profiles):
        band = "age unknown" if profile.age is None else {20: "20–29", 29: "20–29", 41.5: "40–49"}[profile.age]
        interest = profile.interests[0] if profile.interests else "no interest"
        members.setdefault((band, profile.gender or "gender unknown", interest), []).append(n)

    cells = grid.cells

    assert list(cells) == ["cell", "age", "gender", "interest", "n", "n_items", "overlap", "score", "is_dead"]
    assert list(zip(cells["age"], cells["gender"], cells["interest"], strict=True)) == [
        (age, gender, interest)
        for age in ("20–29", "40–49", "age unknown")
        for gender in ("F", "M", "gender unknown")
        for interest in ("space", "comedy", "no interest")
        if (age, gender, interest) in members
    ]
    for row in cells.to_dict("records"):
        own = members[row["age"], row["gender"], row["interest"]]
        best = [grid.scores[n, 0] for n in own if len(lists[n])]
        assert row["cell"] == f"{row['age']} · {row['gender']} · {row['interest']}"
        assert row["n"] == len(own)
        assert row["n_items"] == len({item for n in own for item in lists[n].tolist()})
        assert row["overlap"] == pytest.approx(np.mean([grid.own_usual[n] for n in own]))
        assert row["score"] == pytest.approx(np.mean(best) if best else np.nan, nan_ok=True)
        assert row["is_dead"] == (row["overlap"] > DEAD_FROM - 1e-6)
    labels, matrix = grid.cell_overlap()
    assert labels == cells["cell"].tolist()
    for a, first in enumerate(members.values()):
        place = labels.index(" · ".join(list(members)[a]))
        for b, second in enumerate(members.values()):
            other = labels.index(" · ".join(list(members)[b]))
            pairs = combinations(first, 2) if a == b else ((x, y) for x in first for y in second)
            expected = [overlap(lists[x], lists[y]) for x, y in pairs]
            assert matrix[place, other] == pytest.approx(np.mean(expected) if expected else np.nan, nan_ok=True)


def test_only_what_varies_makes_cells(recommender):
    named = generate_profiles(recommender.dataset, ages=[21, 29], genders=["F"], interests=[("space",), ("comedy",)])

    grid = rank_grid(recommender, named)

    assert grid.cells[["cell", "interest", "n"]].to_numpy().tolist() == [["space", "space", 2], ["comedy", "comedy", 2]]
    assert "age" not in grid.cells
    one = rank_grid(recommender, NamedProfiles(("A",), (Profile(21, "F"),)))
    assert one.cells["cell"].tolist() == ["everyone"]
    assert np.isnan(one.mean_overlap)
    assert np.isnan(one.cell_overlap()[1]).all()


def test_the_largest_cells_are_compared(recommender):
    profiles = [Profile(20), Profile(30), Profile(31), Profile(40), Profile(50), Profile(51)]
    grid = rank_grid(recommender, NamedProfiles(tuple("abcdef"), tuple(profiles)), ListConfig(3))

    labels, matrix = grid.cell_overlap(limit=2)

    assert labels == ["30–39", "50–59"]
    assert matrix[0, 1] == pytest.approx(np.mean([overlap(grid.top[a], grid.top[b]) for a in (1, 2) for b in (4, 5)]))
    assert matrix[0, 0] == pytest.approx(overlap(grid.top[1], grid.top[2]))


def test_numbers_by_hand():
    """Three lists of two among five items, one of which may not be shown: 0 1, 0 2 and 2 0."""
    named = NamedProfiles(tuple("abc"), (Profile(20), Profile(25), Profile(30)))
    top = np.array([[0, 1], [0, 2], [2, 0]])
    may_show = np.array([True, True, True, True, False])
    grid = Grid(named, 2, top, np.array([[4.0, 1], [2, 1], [3, 1]]), may_show, np.array([0, 2]), np.array([0.5, 1, 1]))

    assert grid.shown.tolist() == [3, 1, 2, 0, 0]
    assert grid.coverage == 3 / 4
    assert grid.never_shown.tolist() == [3]
    assert grid.most_shown.tolist() == [0, 2, 1]
    assert grid.mean_overlap == pytest.approx((0.5 + 0.5 + 1) / 3)
    assert grid.cells["cell"].tolist() == ["20–29", "30–39"]
    assert grid.cells["n_items"].tolist() == [3, 2]
    assert grid.cells["overlap"].tolist() == [0.75, 1]
    assert grid.cells["score"].tolist() == [3, 3]
    assert grid.cells["is_dead"].tolist() == [False, True]
    _, matrix = grid.cell_overlap()
    assert matrix == pytest.approx(np.array([[0.5, 0.75], [0.75, np.nan]]), nan_ok=True)


def test_where_a_profile_changes_nothing_is_dead():
    """Age and gender move taste in this world; attributes that nobody has do not, so an unknown person is the usual one."""
    recommender = Recommender.from_dataset(world(), scorer="additive", encoder=ToyEncoder())
    named = NamedProfiles(("nobody", "young", "old"), (Profile(), Profile(16, "M"), Profile(74, "F")))

    cells = rank_grid(recommender, named).cells.set_index("age")

    assert cells.loc["age unknown", "overlap"] == 1
    assert cells.loc["age unknown", "is_dead"]
    assert not cells.loc["10–19", "is_dead"]


def test_nothing_may_be_shown(recommender):
    config = ListConfig(3, ItemFilter(years=(1900, 1901)))
    named = NamedProfiles(tuple("ab"), (Profile(20), Profile(40)))

    grid = rank_grid(recommender, named, config)

    assert np.isnan(grid.coverage)
    assert (grid.top == -1).all()
    assert grid.own_usual.tolist() == [1, 1]
    assert grid.mean_overlap == 1  # two empty lists are the same list
    assert np.isnan(grid.cells["score"]).all()
    assert json.dumps(grid.to_dict(recommender.dataset), allow_nan=False)


def test_what_cannot_be_ranked_is_refused_before_anything_is(recommender):
    def refuse(*profiles):
        named = NamedProfiles(tuple(map(str, range(len(profiles)))), profiles)
        rank_grid(recommender, named, progress=lambda *said: pytest.fail("it has begun"))

    with pytest.raises(DataError, match="no such gender"):
        refuse(Profile(), Profile(gender="X"))
    with pytest.raises(UnknownItemError, match="99"):
        refuse(Profile(liked=("99",)))
    with pytest.raises(DataError, match="no profiles"):
        refuse()
    many = NamedProfiles(tuple(map(str, range(201))), (Profile(3),) * 201)
    with pytest.raises(DataError, match="too many profiles to compare.*201"):
        rank_grid(recommender, many).profile_overlap()


def test_tables_hold_every_list_and_every_item(recommender, config):
    named, dataset = people(recommender.dataset), recommender.dataset
    grid = rank_grid(recommender, named, config)

    lists = list(csv.DictReader(io.StringIO(grid.lists_csv(dataset))))
    items = list(csv.DictReader(io.StringIO(grid.items_csv(dataset))))
    values = json.loads(json.dumps(grid.to_dict(dataset), allow_nan=False))

    assert list(lists[0]) == ["name", "rank", "item_id", "title", "score"]
    assert [(row["name"], int(row["rank"]), row["item_id"], row["title"]) for row in lists] == [
        (name, rank, f"{item:02d}", f"Story {item:02d}")
        for name, rows in zip(named.names, lists_of(recommender, named, config), strict=True)
        for rank, item in enumerate(rows.tolist(), 1)
    ]
    assert [float(row["score"]) for row in lists] == grid.scores[grid.top >= 0].tolist()
    counts = {f"{row:02d}": int(grid.shown[row]) for row in np.flatnonzero(grid.may_show)}
    assert [(row["item_id"], int(row["times_shown"])) for row in items] == sorted(
        counts.items(), key=lambda item: (-item[1], item[0])
    )
    assert values["mean_overlap"] == grid.mean_overlap
    assert values["lists"][-1]["profile"]["liked"] == ["01"]
    assert values["lists"][3]["items"] == [row["item_id"] for row in lists if row["name"] == named.names[3]]
    assert len(values["cells"]) == len(grid.cells)


def test_no_cell_of_a_table_is_a_formula(tmp_path, toy_encoder):
    dataset = write_hostile(tmp_path / "hostile")
    recommender = Recommender.from_dataset(dataset, scorer="cosine", encoder=toy_encoder)

    grid = rank_grid(recommender, NamedProfiles(("=1+1",), (Profile(20),)), ListConfig(12))

    for table in (grid.lists_csv(dataset), grid.items_csv(dataset)):
        cells = [cell for row in csv.reader(io.StringIO(table)) for cell in row]
        assert not any(cell.startswith(("=", "@", "+")) for cell in cells)
        assert "'@SUM(1+1)" in cells


def test_ten_thousand_profiles_are_counted_without_comparing_each_with_each():
    rng = np.random.default_rng(0)
    top = np.stack([rng.permutation(300)[:10] for _ in range(10_000)])
    named = NamedProfiles(tuple(map(str, range(10_000))), (Profile(),) * 10_000)
    grid = Grid(named, 10, top, np.zeros(top.shape), np.ones(300, bool), top[0], np.zeros(10_000))

    pairs = rng.integers(0, 10_000, (4000, 2))
    sample = [overlap(top[a], top[b]) for a, b in pairs if a != b]
    assert grid.mean_overlap == pytest.approx(np.mean(sample), abs=0.006)
    assert grid.mean_overlap == pytest.approx((grid.shown * (grid.shown - 1)).sum() / (10_000 * 9_999 * 10))
