"""One facet flipped, everything else equal: every number is found again from lists that were made one by one."""

import json
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from recsys.errors import DataError, UnknownItemError
from recsys.intervals import interval, paired_difference
from recsys.recommender import Recommender
from recsys.schema import ITEM_ID, ItemFilter, Profile
from recsys.whatif import ListConfig, flip, overlap, plain_words, rank_biased_overlap
from recsys.whatif.lists import exposure, mean_likes, mean_price
from tests.toy import ToyEncoder, toy_dataset
from tests.training.world import world

PERSON = Profile(27, "M", {"occupation": "student"}, ("space", "student"), ("03",))
FACETS = ("gender", "age", "attribute:occupation")
CONFIG = ListConfig(4)


def priced():
    """The toy world with prices, of which two are unknown, and so many occupations that not all are compared."""
    toy = toy_dataset()
    prices = [float(number) for number in range(10)] + [np.nan, np.nan]
    return replace(toy, items=toy.items.assign(price=prices))


@pytest.fixture(scope="module", params=["cosine", "additive"])
def recommender(request) -> Recommender:
    return Recommender.from_dataset(priced(), scorer=request.param, encoder=ToyEncoder())


@pytest.fixture(scope="module")
def learned() -> Recommender:
    """Men and women of this world differ by comedy, young and old by space and romance."""
    return Recommender.from_dataset(world(), scorer="additive", encoder=ToyEncoder())


@pytest.fixture(scope="module", params=["cosine", "additive", "learned"])
def ranker(request) -> Recommender:
    """Both scorers in the toy world, and a world where every facet of the additive one moves items."""
    if request.param != "learned":
        return Recommender.from_dataset(priced(), scorer=request.param, encoder=ToyEncoder())
    made = world(n_users=60)
    return Recommender.from_dataset(
        replace(made, items=made.items.assign(price=np.arange(60.0))), scorer="additive", encoder=ToyEncoder()
    )


def person_of(ranker) -> Profile:
    return replace(PERSON, liked=(ranker.dataset.items[ITEM_ID].iloc[3],))


def flipped(base: Profile, facet: str, value) -> Profile:
    if facet.startswith("attribute:"):
        return replace(base, attributes={**base.attributes, "occupation": value})
    return replace(base, **{facet: value})


def lists_of(recommender, report, config=CONFIG):
    """Group by base profile, one list at a time."""
    rows = recommender.dataset.item_rows
    return [
        [
            np.array(
                [
                    rows[item_id]
                    for item_id in recommender.recommend(
                        flipped(base, report.facet, value), k=config.k, keep=config.keep, popularity=config.popularity
                    ).table[ITEM_ID]
                ],
                int,
            )
            for base in report.bases
        ]
        for value in report.values
    ]


def test_base_profiles_are_a_grid_of_everything_else(recommender):
    ages, genders = (20.0, 30.0, 40.0, 50.0, 60.0), ("F", "M")
    sets = (("space", "student"), ("comedy",), ("romance",), ("space",), ())
    said, liked = {"occupation": "student"}, ("03",)

    found = {facet: flip(recommender, PERSON, facet, CONFIG) for facet in FACETS}

    assert found["gender"].bases == tuple(Profile(age, None, said, texts, liked) for age in ages for texts in sets)
    assert found["age"].bases == tuple(
        Profile(None, gender, said, texts, liked) for gender in genders for texts in sets
    )
    assert found["attribute:occupation"].bases == tuple(
        Profile(age, gender, {}, texts, liked) for age in ages for gender in genders for texts in sets
    )
    assert [report.n_bases for report in found.values()] == [25, 10, 50]
    assert found["gender"].groups == found["gender"].values == ("F", "M")
    assert found["attribute:occupation"].groups == ("student", "engineer")


def test_age_bands_are_clipped_to_the_dataset_and_stand_for_their_middle(recommender):
    report = flip(recommender, PERSON, "age", CONFIG)

    assert report.groups == ("under 25", "25–34", "35–49", "50 and over")
    assert report.values == (22, 29, 42, 55)  # of 20 to 24, 25 to 34, 35 to 49, 50 to 60
    two = flip(recommender, PERSON, "age", CONFIG, groups=["50 and over", "under 25"])
    assert (two.groups, two.values) == (("50 and over", "under 25"), (55, 22))


@pytest.mark.parametrize(
    ("youngest", "oldest", "expected"),
    [
        (30, 60, {"25–34": 32, "35–49": 42, "50 and over": 55}),
        (24.5, 36, {"under 25": 24.5, "25–34": 29, "35–49": 35}),
        (49, 50, {"35–49": 49, "50 and over": 50}),
    ],
)
def test_bands_that_nobody_is_in_are_left_out(youngest, oldest, expected):
    toy = toy_dataset()
    users = toy.users.assign(age=[youngest, oldest, youngest, oldest, youngest, oldest])
    recommender = Recommender.from_dataset(replace(toy, users=users), scorer="cosine", encoder=ToyEncoder())

    report = flip(recommender, Profile(), "age", CONFIG)

    assert dict(zip(report.groups, report.values, strict=True)) == expected


@pytest.mark.parametrize("facet", FACETS)
@pytest.mark.parametrize("config", [CONFIG, ListConfig(6, ItemFilter(categories=("space", "romance")), 0.5)])
def test_every_number_is_that_of_lists_made_one_by_one(ranker, facet, config):
    dataset = ranker.dataset

    report = flip(ranker, person_of(ranker), facet, config)

    lists = lists_of(ranker, report, config)
    assert report.moved.mean > 0 or len(ranker.dataset.items) == 12
    for group, top in zip(lists, report.top, strict=True):
        assert [rows.tolist() for rows in group] == [row[row >= 0].tolist() for row in top]
    pairs = list(combinations(range(len(lists)), 2))
    moved = []
    assert len(report.overlap) == len(pairs)
    for pair, (a, b) in zip(report.overlap, pairs, strict=True):
        both = list(zip(lists[a], lists[b], strict=True))
        assert (pair.first, pair.second) == (report.groups[a], report.groups[b])
        assert pair.overlap == interval([overlap(*lists) for lists in both])
        assert pair.rank_biased == interval([rank_biased_overlap(*lists) for lists in both])
        moved.append([len(set(x.tolist()) - set(y.tolist())) for x, y in both])  # all lists are of one length here
        assert pair.moved.mean == pytest.approx(np.mean(moved[-1]))
        assert pair.moved.low == pytest.approx(interval(moved[-1]).low)
    assert report.moved.mean == pytest.approx(np.mean(moved))
    assert report.moved.high == pytest.approx(interval(np.mean(moved, axis=0)).high)
    for measure, found in ((mean_likes, report.likes), (mean_price, report.price)):
        values = np.array([[measure(dataset, rows) for rows in group] for group in lists])
        assert [part.group for part in found] == list(report.groups)
        assert found[0].difference is None
        for n, part in enumerate(found):
            assert part.mean == interval(values[n])
            if n:
                assert part.difference == paired_difference(values[n], values[0])


@pytest.mark.parametrize("facet", FACETS)
def test_exposure_is_that_of_lists_made_one_by_one(ranker, facet):
    report = flip(ranker, person_of(ranker), facet, CONFIG)
    dataset, lists = ranker.dataset, lists_of(ranker, report)

    table = report.exposure

    values = {
        (category, name): np.array([exposure(dataset, rows)[column] for rows in group])
        for column, category in enumerate(dataset.categories)
        for name, group in zip(report.groups, lists, strict=True)
    }
    assert set(zip(table["category"], table["group"], strict=True)) == {
        key for key in values if any(values[key[0], name].any() for name in report.groups)
    }
    for row in table.to_dict("records"):
        own, first = values[row["category"], row["group"]], values[row["category"], report.groups[0]]
        mean, difference = interval(own), paired_difference(own, first)
        assert [row["mean"], row["low"], row["high"]] == pytest.approx([mean.mean, mean.low, mean.high])
        told = [row["difference"], row["difference_low"], row["difference_high"]]
        if row["group"] == report.groups[0]:
            assert np.isnan(told).all()
        else:
            assert told == pytest.approx([difference.mean, difference.low, difference.high])
    largest = table.groupby("category", sort=False)["difference"].agg(lambda change: change.abs().max())
    assert largest.is_monotonic_decreasing


@pytest.mark.parametrize("facet", FACETS)
def test_items_of_one_group_are_listed_there_and_nowhere_else(ranker, facet):
    report = flip(ranker, person_of(ranker), facet, ListConfig(2))
    lists = lists_of(ranker, report, ListConfig(2))
    seen = [{row for rows in group for row in rows.tolist()} for group in lists]

    expected = {}
    for n, name in enumerate(report.groups):
        others = set().union(*(rows for m, rows in enumerate(seen) if m != n))
        for row in seen[n] - others:
            share = np.mean([row in rows for rows in lists[n]])
            expected[ranker.dataset.items[ITEM_ID].iloc[row], name] = share

    table = report.only_for
    assert list(table) == ["item_id", "title", "group", "share"]
    assert {(item_id, group): share for item_id, _, group, share in table.to_numpy().tolist()} == pytest.approx(
        expected
    )
    assert table["share"].is_monotonic_decreasing
    assert all(title == f"Story {item_id}" for item_id, title in zip(table["item_id"], table["title"], strict=True))


def test_a_known_difference_is_found_and_told(learned):
    """Women of this world like comedy five times as often; nothing else differs by gender."""
    report = flip(learned, Profile(), "gender", ListConfig(10), groups=["M", "F"])

    comedy = report.exposure.iloc[1]
    assert (comedy["category"], comedy["group"]) == ("comedy", "F")
    assert comedy["difference_low"] > 0.1
    assert report.moved.low > 1
    words = plain_words(report)
    assert words[0].startswith(f"Changing only the gender changes {report.moved.mean:.1f} of 10 items on average [")
    assert "comedy" in words[1]
    assert f"{comedy['mean']:.1%} for F" in words[1]
    assert f"({100 * comedy['difference']:+.1f} points [" in words[1]
    assert "20 invented people" in words[-2]
    assert words[-1].startswith("It does not say whether a difference is right or wrong")
    assert 3 <= len(words) <= 5


def test_a_facet_that_changes_nothing_is_said_to_change_nothing():
    """Without a trace of taste in the words, a cosine ranker never sees the gender."""
    toy = toy_dataset()
    info = replace(toy.info, profile_template="A person who likes {interests}[, who enjoyed {liked}].")
    recommender = Recommender.from_dataset(replace(toy, info=info), scorer="cosine", encoder=ToyEncoder())

    report = flip(recommender, PERSON, "gender", CONFIG)

    (pair,) = report.overlap
    assert (pair.overlap.mean, pair.overlap.low, pair.rank_biased.mean) == (1, 1, pytest.approx(1))
    assert (report.moved.mean, report.moved.high) == (0, 0)
    assert report.only_for.empty
    assert report.exposure["difference"].dropna().eq(0).all()
    assert report.price == ()
    words = plain_words(report)
    assert words[0] == "Changing only the gender changes nothing: everyone is shown the same items in the same order."
    assert len(words) == 3


def test_words_follow_the_numbers(learned):
    report = flip(learned, Profile(), "age", ListConfig(10))
    words = plain_words(report)
    likes = max(report.likes[1:], key=lambda part: abs(part.difference.mean)).difference
    counts = report.only_for["group"].value_counts()

    assert ", from one group to another." in words[0]
    assert f"{abs(likes.mean):.1f} {'more' if likes.mean > 0 else 'fewer'} likes on average [" in words[1]
    assert words[2].startswith(f"{len(report.only_for)} items are listed for one group and never for another: ")
    assert all(f"{counts[group]} for {group}" in words[2] for group in counts.index)
    assert len(words) == 5


def test_the_most_frequent_groups_are_compared_and_no_more():
    toy = toy_dataset()
    users = toy.users.assign(occupation=[f"job {n}" for n in range(6)])
    users = pd.concat([users, users.assign(user_id="v" + users["user_id"], occupation=["a", "a", "b", "b", "b", "c"])])
    recommender = Recommender.from_dataset(
        replace(toy, users=users.reset_index(drop=True)), scorer="cosine", encoder=ToyEncoder()
    )

    report = flip(recommender, PERSON, "attribute:occupation", CONFIG, interests=[()])
    chosen = flip(recommender, PERSON, "attribute:occupation", CONFIG, groups=["job 5", "a"], interests=[("space",)])

    assert report.groups == ("b", "a", "c", "job 0", "job 1", "job 2")
    assert chosen.groups == ("job 5", "a")
    assert {base.interests for base in chosen.bases} == {("space",)}
    with pytest.raises(DataError, match=r"number of groups.*'7'"):
        flip(recommender, PERSON, "attribute:occupation", groups=["a", "b", "c", *(f"job {n}" for n in range(4))])


def test_empty_lists_have_no_likes_and_no_price(recommender):
    report = flip(recommender, PERSON, "gender", ListConfig(4, ItemFilter(years=(1800, 1801))))

    assert report.moved.mean == 0
    assert [part.mean.n for part in (*report.likes, *report.price)] == [0, 0, 0, 0]
    assert report.exposure.empty
    assert plain_words(report) == ["No item passes the filters, so nobody is shown anything."]
    assert json.dumps(report.to_dict(), allow_nan=False)


def test_means_are_over_people_with_a_value_in_every_group(recommender):
    """Only the two items without a price may be listed at first, then one with a price as well."""
    dataset = recommender.dataset

    report = flip(recommender, PERSON, "gender", ListConfig(1, ItemFilter(years=(1999, 2000))))

    prices = [
        [mean_price(dataset, rows) for rows in group]
        for group in lists_of(recommender, report, ListConfig(1, ItemFilter(years=(1999, 2000))))
    ]
    both = ~np.isnan(prices).any(axis=0)
    assert [part.mean.n for part in report.price] == [both.sum()] * 2
    assert report.likes[0].mean.n == report.n_bases


def test_everything_is_plain_json(recommender):
    report = flip(recommender, PERSON, "age", CONFIG)

    found = json.loads(json.dumps(report.to_dict(), allow_nan=False))

    assert found["n_bases"] == 10
    assert found["overlap"][0]["groups"] == ["under 25", "25–34"]
    assert found["overlap"][0]["overlap"]["mean"] == report.overlap[0].overlap.mean
    assert found["exposure"][0]["difference"] is None
    assert found["likes"][0]["difference"] is None
    assert found["price"][1]["mean"]["n"] == report.price[1].mean.n
    assert found["only_for"] == report.only_for.to_dict("records")


def test_progress_is_told(recommender):
    calls = []

    flip(recommender, PERSON, "gender", CONFIG, progress=lambda *said: calls.append(said))

    assert calls == [("rank profiles", done, 50) for done in (0, 25, 50)]


@pytest.mark.parametrize("facet", ["height", "attribute:height", "attribute:", "occupation", "prior", ""])
def test_what_the_dataset_does_not_know_cannot_be_flipped(recommender, facet):
    with pytest.raises(DataError, match="no such facet.*Flip one of: age, gender, attribute:occupation"):
        flip(recommender, PERSON, facet)


def test_a_catalog_alone_has_nobody_to_be_fair_to():
    toy = toy_dataset()
    alone = replace(toy, users=toy.users[["user_id"]].iloc[:0], interactions=toy.interactions.iloc[:0])
    recommender = Recommender.from_dataset(alone, scorer="cosine", encoder=ToyEncoder())

    for facet in ("gender", "age"):
        with pytest.raises(DataError, match="no such facet.*knows something about its users"):
            flip(recommender, Profile(), facet)


def test_bad_groups_and_people_are_refused(recommender):
    with pytest.raises(DataError, match="no such group by gender: 'X'.*F, M"):
        flip(recommender, PERSON, "gender", groups=["F", "X"])
    with pytest.raises(DataError, match="number of groups by gender.*'1'"):
        flip(recommender, PERSON, "gender", groups=["F", "F"])
    with pytest.raises(DataError, match="no sets of interests"):
        flip(recommender, PERSON, "gender", interests=[])
    with pytest.raises(UnknownItemError, match="99"):
        flip(recommender, replace(PERSON, liked=("99",)), "gender")
    with pytest.raises(DataError, match="no such user attribute"):
        flip(recommender, replace(PERSON, attributes={"height": "tall"}), "gender")
