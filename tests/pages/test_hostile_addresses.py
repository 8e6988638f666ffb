"""Whatever stands in an address, nothing is raised: what cannot be used is named, what can be comes back as it was."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pages.shared.form import put_profile, put_second, read_profile, start_profile
from pages.shared.link import check_link, compare_keys, keys_of, make_link
from recsys.schema import Profile
from tests.attacks import attacks
from tests.toy import toy_dataset

TOY = toy_dataset()
KEYS = sorted(
    {*keys_of(TOY), *compare_keys(TOY), "attr-", "b-", "weight-", "item-", "", "__proto__", "v2", "utm_source"}
)
ODD = [
    "", " ", "nan", "NaN", "inf", "-1", "1e309", "0x10", "１２", "٣", "99999999999999999999", "unknown", "None", "null", "true",
    "[]", "{}", "a" * 5000, "\x00", "\ud800", "\u202e", "é", "../../etc/passwd", "1,2", "1|2", "%00", "0.5", "5", "30", "F",
    *attacks()[:40],
]  # fmt: skip
VALUES = st.one_of(st.sampled_from(ODD), st.text(max_size=60))
ADDRESSES = st.dictionaries(
    st.one_of(st.sampled_from(KEYS), st.text(max_size=20)), st.lists(VALUES, max_size=5), max_size=12
)
N = 2_000


@settings(max_examples=N, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(ADDRESSES)
def test_no_address_raises_and_what_it_sets_is_known(address):
    state: dict = {}
    notices = check_link(address, TOY)
    start_profile(state, TOY, dict(address))
    put_second(state, address, TOY)

    assert all(len(notice) < 400 for notice in notices)
    assert len(notices) <= 8
    for prefix in ("", "b-"):
        assert set(state.get(f"{prefix}liked") or []) <= set(TOY.labels)
    assert state.get("b-gender", "unknown") in (*TOY.genders, "unknown")
    assert state.get("b-age", "unknown") in ("unknown", *map(str, range(121)))


PROFILES = st.builds(
    Profile,
    age=st.one_of(st.none(), st.integers(0, 120).map(float)),
    gender=st.sampled_from([None, *TOY.genders]),
    attributes=st.dictionaries(
        st.sampled_from(list(TOY.user_attributes)),
        st.sampled_from(next(iter(TOY.user_attributes.values()))),
        max_size=1,
    ),
    interests=st.lists(
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=40).filter(str.strip), max_size=5, unique=True
    ).map(tuple),
    liked=st.lists(st.sampled_from(list(TOY.items["item_id"])), max_size=4, unique=True).map(tuple),
)


@settings(max_examples=300, deadline=None, database=None)
@given(PROFILES)
def test_a_profile_comes_back_from_its_address_exactly(profile):
    state: dict = {}
    put_profile(state, profile, TOY)
    expected = read_profile(state, TOY)

    opened = parse_qs(urlsplit(make_link("http://127.0.0.1/", state, TOY)).query, keep_blank_values=True)
    again: dict = {key: values if key in ("interests", "liked") else values[0] for key, values in opened.items()}
    again["interests"] = [text for text in opened.get("interests", []) if text]
    again["liked"] = [text for text in opened.get("liked", []) if text]

    assert read_profile(again, TOY) == expected
    assert check_link(opened, TOY) == []


HOSTILE = [
    {"age": ["abc", "30"], "gender": ["X"], "k": "9" * 30, "years": ["a", "b"], "popularity": "nan"},
    {"interests": ["x" * 5000] * 30, "liked": ["nothing"] * 200},
    {f"k{n}": "v" for n in range(300)},
    {"scorer": "evil", "dataset": "../../etc", "item": "\x00", "person": ["a" * 5000, "b"], "unused": "shoes"},
    {"weight-text": "1e309", "without": "text", "diversity": "-1", "category": attacks()[:20]},
]


@pytest.mark.parametrize(
    "address", [HOSTILE[0], *(pytest.param(found, marks=pytest.mark.release) for found in HOSTILE[1:])]
)
def test_the_app_opens_with_any_of_them(open_app, address):
    wanted = {key: value for key, value in address.items() if key != "dataset"}
    app = open_app(**wanted)

    assert not app.exception
    assert app.warning or app.error
