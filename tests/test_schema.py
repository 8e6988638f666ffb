import pickle

import numpy as np
import pytest

from recsys.errors import DataError, UnknownItemError
from recsys.schema import Dataset, ItemFilter, Profile, Scores

FULL = Profile(27, "F", {"occupation": "student", "city": "Rome"}, ("space", "film noir"), ("03", "01"))


@pytest.mark.parametrize("age", ["abc", -1, 121, "nan", float("nan"), float("inf")])
def test_impossible_age_is_refused_in_three_parts(age):
    with pytest.raises(DataError) as caught:
        Profile(age=age)
    assert caught.value.what.startswith("The age is")
    assert caught.value.value == str(age)
    assert "0 to 120" in caught.value.fix
    assert str(caught.value) == f"{caught.value.what}: '{age}'. {caught.value.fix}"


@pytest.mark.parametrize(("age", "years"), [(0, 0.0), (120, 120.0), ("27", 27.0), (None, None)])
def test_possible_age_is_kept(age, years):
    assert Profile(age=age).age == years


def test_too_many_interests_are_refused():
    with pytest.raises(DataError, match=r"too many interests: '21'. Keep at most 20\."):
        Profile(interests=tuple(f"interest {n}" for n in range(21)))
    assert len(Profile(interests=tuple(f"interest {n}" for n in range(20))).interests) == 20


def test_too_long_interest_is_refused():
    with pytest.raises(DataError, match=r"too long: 'x+…'. Shorten it to at most 200 characters \(it has 201\)"):
        Profile(interests=("x" * 201,))
    assert Profile(interests=("x" * 200,)).interests == ("x" * 200,)


def test_too_many_liked_items_are_refused():
    with pytest.raises(DataError, match=r"too many liked items: '101'"):
        Profile(liked=tuple(map(str, range(101))))


def test_repeats_and_blanks_are_dropped():
    profile = Profile(attributes={"city": ""}, interests=("space", "  ", " space ", "film\nnoir"), liked=("1", "1"))
    assert profile.interests == ("space", "film noir")
    assert profile.liked == ("1",)
    assert not profile.attributes


def test_equal_profiles_hash_alike():
    other = Profile("27", "F", {"city": "Rome", "occupation": "student"}, ["space", "film noir"], ["03", "01"])
    assert other == FULL
    assert hash(other) == hash(FULL)
    assert len({other, FULL}) == 1
    assert FULL.keeping([]) != FULL
    assert FULL != "a text"


def test_profile_round_trips():
    assert Profile.from_dict(FULL.to_dict()) == FULL
    assert Profile.from_dict({}) == Profile()
    assert pickle.loads(pickle.dumps(FULL)) == FULL


def test_facets_have_a_fixed_order_and_unique_keys():
    keys = [facet.key for facet in FULL.facets]
    assert keys == [
        "age",
        "gender",
        "attribute:city",
        "attribute:occupation",
        "interest:space",
        "interest:film noir",
        "liked:03",
        "liked:01",
    ]
    assert FULL.facets[0].label == "Age 27"
    assert FULL.facets[3].label == "Occupation student"


def test_keeping_keeps_only_the_named_facets():
    for facet in FULL.facets:
        assert FULL.keeping([facet.key]).facets == (facet,)
    assert FULL.keeping(facet.key for facet in FULL.facets) == FULL
    assert FULL.keeping([]).is_empty
    assert FULL.keeping(["no such key"]).is_empty


def test_profile_cannot_be_changed():
    with pytest.raises(AttributeError):
        FULL.age = 3
    with pytest.raises(TypeError):
        FULL.attributes["city"] = "Paris"


def test_item_row_of_unknown_item_names_an_example(toy: Dataset):
    assert toy.item_row("03") == 3
    with pytest.raises(UnknownItemError, match=r"no such item in the catalog: 'zz'. Use an item_id of 'toy'"):
        toy.item_row("zz")
    with pytest.raises(LookupError):
        toy.title_of("zz")


def test_dataset_knows_its_values(toy: Dataset):
    assert toy.age_range == (20.0, 60.0)
    assert toy.genders == ("F", "M")
    assert toy.user_attributes == {"occupation": ("student", "engineer")}
    assert toy.categories == ("comedy", "romance", "space")
    assert toy.popularity.tolist() == [2] * 9 + [0, 0, 2]


def test_dataset_without_some_users(toy: Dataset):
    rest = toy.without_users(["u0", "u3"])
    assert set(rest.users["user_id"]) == {"u1", "u2", "u4", "u5"}
    assert not set(rest.interactions["user_id"]) & {"u0", "u3"}
    assert len(toy.users) == 6


def test_filter_by_category_and_year(toy: Dataset):
    assert ItemFilter().mask(toy).all()
    assert np.flatnonzero(ItemFilter(categories=("space",)).mask(toy)).tolist() == [0, 3, 6, 9]
    assert np.flatnonzero(ItemFilter(years=(1992, 1994)).mask(toy)).tolist() == [2, 3, 4]
    both = ItemFilter(categories=("space", "comedy"), years=(1998, 2020))
    assert np.flatnonzero(both.mask(toy)).tolist() == [8, 9]


def test_filter_by_unknown_value_names_the_known_ones(toy: Dataset):
    with pytest.raises(DataError, match=r"no such category: 'opera'. Choose one of: comedy, romance, space\."):
        ItemFilter(categories=("opera",)).mask(toy)
    with pytest.raises(DataError, match=r"no such item attribute: 'colour'"):
        ItemFilter(attributes={"colour": ("red",)}).mask(toy)


def test_rank_breaks_ties_by_row():
    scores = Scores(("a", "b", "c", "d"), np.array([1.0, 2.0, 1.0, 3.0]))
    assert [scores.rank_of(row) for row in range(4)] == [3, 2, 4, 1]
