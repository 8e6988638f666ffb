"""A scenario file says whether its lists hold, and lets nothing in that was not saved."""

import copy
import json
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.errors import ColdlensError, DataError
from recsys.recommender import Recommender
from recsys.schema import ITEM_ID, ItemFilter, Profile
from recsys.scorer import AdditiveModel
from recsys.whatif import Scenario, check_scenario, list_hash, make_scenario, model_fingerprint
from tests.toy import ToyEncoder, toy_dataset

A = Profile(30, "F", {"occupation": "student"}, ("space",), ("03",))
B = replace(A, age=60, gender="M")
MADE = "2025-01-31T12:00:00+00:00"
KEEP = ItemFilter(("space", "romance"), (1990, 2000))


@pytest.fixture(params=["cosine", "additive"])
def recommender(request, toy, toy_encoder) -> Recommender:
    return Recommender.from_dataset(toy, scorer=request.param, encoder=toy_encoder)


def made(recommender, **asked) -> Scenario:
    return make_scenario(recommender, {"A": A, "B": B}, made=MADE, **({"k": 5} | asked))


SAVED = json.loads(made(Recommender.from_dataset(toy_dataset(), scorer="cosine", encoder=ToyEncoder())).to_json())


def test_the_file_gives_back_what_was_saved(recommender):
    view = {"tab": "Sweep", "axis": ("age", 10, 80.5), "reactions": [["01", True]], "open": None}
    scenario = made(recommender, keep=KEEP, popularity=0.5, diversity=0.25, view=view)

    found = Scenario.from_json(scenario.to_json())

    assert found == scenario == Scenario.from_json(scenario.to_json().encode())
    assert found.keep == KEEP
    assert found.view == {"tab": "Sweep", "axis": ["age", 10, 80.5], "reactions": [["01", True]], "open": None}
    assert found.to_json() == scenario.to_json()


def test_the_lists_are_those_that_the_profiles_get(recommender):
    asked = {"k": 4, "keep": KEEP, "popularity": 0.5, "diversity": 0.25}
    scenario = made(recommender, **asked)

    for name, profile in (("A", A), ("B", B)):
        expected = tuple(recommender.recommend(profile, **asked).table[ITEM_ID])
        assert scenario.lists[name] == expected
        assert scenario.hashes[name] == list_hash(expected)
    assert list_hash(("1", "23")) != list_hash(("12", "3"))
    assert list_hash(("1", "2")) != list_hash(("2", "1"))


def test_everything_holds_while_nothing_changes(recommender, toy):
    again = Recommender.from_dataset(toy, scorer=recommender.scorer.name, encoder=ToyEncoder())

    found = check_scenario(Scenario.from_json(made(recommender).to_json()), again)

    assert (found.same_dataset, found.same_model, found.same_encoder, found.holds) == (True,) * 4
    assert found.told == ("Nothing changed since then, and every list is the same.",)


@pytest.mark.parametrize("asked", [{"keep": ItemFilter(("space",))}, {"popularity": 0.0}, {"diversity": 0.9}, {"k": 2}])
def test_lists_are_made_again_with_the_same_controls(recommender, asked):
    scenario = made(recommender, **asked)
    if "popularity" not in asked or recommender.scorer.name == "additive":
        assert scenario.lists != made(recommender).lists

    assert check_scenario(scenario, recommender).holds


def test_an_item_that_no_longer_exists_is_named_by_its_id(recommender, toy):
    scenario = made(recommender)
    best = scenario.lists["A"][0]
    fewer = replace(toy, items=toy.items[toy.items[ITEM_ID] != best].reset_index(drop=True))
    fewer = replace(fewer, interactions=toy.interactions[toy.interactions[ITEM_ID] != best].reset_index(drop=True))
    now = Recommender.from_dataset(fewer, scorer=recommender.scorer.name, encoder=ToyEncoder())

    found = check_scenario(scenario, now)

    one = found.lists["A"]
    assert not found.holds
    assert not found.same_dataset
    assert found.same_encoder
    assert one.gone == (best,)
    assert best in one.left
    assert one.now == tuple(now.recommend(A, k=5).table[ITEM_ID])
    assert found.labels[best] == best
    assert found.labels[one.now[0]] == now.dataset.labels[now.dataset.item_row(one.now[0])]
    assert f"No longer in the catalog: {best}." in found.told
    assert found.told[0].startswith("The data and the model changed since then: ")


def test_what_changed_is_counted(recommender):
    scenario = made(recommender)
    now = scenario.lists["A"]
    swapped = (now[1], now[0], *now[2:4], "11" if "11" not in now else "08")
    lists = {"A": swapped, "B": scenario.lists["B"]}
    older = replace(scenario, lists=lists, hashes={name: list_hash(ids) for name, ids in lists.items()})

    found = check_scenario(older, recommender)

    one = found.lists["A"]
    assert (one.then, one.now) == (swapped, now)
    assert (one.entered, one.left) == ((now[4],), (swapped[4],))
    assert one.moved == now[:2]
    assert found.lists["B"].holds
    assert found.told == (
        "Data, model and encoder are the same, but this version of Coldlens ranks otherwise: 1 of 5 items of A is another.",
        "Still the same: B.",
    )


def test_another_order_is_told(recommender):
    scenario = made(recommender)
    turned = scenario.lists["B"][::-1]
    lists = {"A": scenario.lists["A"], "B": turned}
    older = replace(scenario, lists=lists, hashes={name: list_hash(ids) for name, ids in lists.items()})

    found = check_scenario(older, recommender)

    assert found.told[0].endswith("B has the same items, 4 of 5 at another rank.")


def test_another_dataset_scorer_and_encoder_are_named(toy, toy_encoder):
    scenario = made(Recommender.from_dataset(toy, scorer="cosine", encoder=toy_encoder))
    other = replace(toy, name="other", items=toy.items.assign(title="Tale"))
    encoder = ToyEncoder("toy-2")
    encoder.name = "toy two"

    found = check_scenario(scenario, Recommender.from_dataset(other, scorer="additive", encoder=encoder))

    assert (found.same_dataset, found.same_model, found.same_encoder) == (False, False, False)
    assert found.told[0].startswith(
        "The dataset (“other” in place of “toy”), the scorer (“additive” in place of “cosine”) and the encoder "
        "(“toy two” in place of “toy”) changed since then"
    )


def test_profiles_and_filters_that_the_data_forgot_are_findings(recommender, toy):
    scenario = made(recommender, keep=ItemFilter(("space",)))
    items = toy.items.assign(categories=[("other",)] * 12)
    now = Recommender.from_dataset(replace(toy, items=items), scorer=recommender.scorer.name, encoder=ToyEncoder())

    found = check_scenario(scenario, now)

    assert found.lists["A"].problem == "The catalog has no such category: 'space'"
    assert found.lists["A"].now == ()
    assert not found.holds
    assert "there is no list of A any more (The catalog has no such category: 'space')." in found.told[0]


def test_the_model_fingerprint_is_of_everything_a_score_depends_on(recommender, toy, tmp_path):
    def again(dataset=toy, identity="toy-1"):
        return Recommender.from_dataset(dataset, scorer=recommender.scorer.name, encoder=ToyEncoder(identity))

    own = model_fingerprint(recommender)

    assert own == model_fingerprint(again())
    assert len(own) == 64
    assert own != model_fingerprint(again(identity="toy-2"))
    assert own != model_fingerprint(again(replace(toy, items=toy.items.assign(title="space"))))
    if recommender.scorer.name == "cosine":
        assert own != model_fingerprint(again(replace(toy, info=replace(toy.info, profile_template="{interests}"))))
        return
    model = recommender.scorer.model
    names = ("facts", "interests", "interest_centre", "liked", "items", "text", "text_centre", "prior")
    changes = [{name: getattr(model, name) + 1} for name in names]
    changes += [{"interest_offset": 9.5}, {"liked_offset": 9.5}, {"calibration": (1.0, 2.0, 3.0)}]
    changes += [{"basis": replace(model.basis, knots=tuple(knot + 1 for knot in model.basis.knots))}]
    found = {own}
    for change in changes:
        other = again()
        changed = replace(model, **change)
        other.scorer = type(other.scorer)(changed, dataset=toy, encoder=other.encoder, views=other.views)
        found.add(model_fingerprint(other))
    assert len(found) == 1 + len(changes)
    model.save(tmp_path)
    other = again()
    other.scorer = type(other.scorer)(
        AdditiveModel.load(tmp_path), dataset=toy, encoder=other.encoder, views=other.views
    )
    assert model_fingerprint(other) == own


def test_the_model_fingerprint_is_found_once(recommender, monkeypatch):
    own = model_fingerprint(recommender)
    monkeypatch.setattr("recsys.whatif.scenario._model_fingerprint", None)

    assert model_fingerprint(recommender) == own


def edited(*changes):
    """The saved file with some places changed; ``...`` takes a place out."""
    values = copy.deepcopy(SAVED)
    for *path, last, value in changes:
        inner = values
        for name in path:
            inner = inner[name]
        if value is ...:
            del inner[last]
        else:
            inner[last] = value
    return json.dumps(values)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (("format", "other"), "not a scenario file"),
        (("version", 2), "another version: '2'"),
        (("version", True), "another version"),
        (("version", 1.0), "another version"),
        (("version", ...), "another version"),
        (("view", ...), "the file is not complete, there is no: 'view'"),
        (("extra", 1), "the file is not known to have a part named: 'extra'"),
        (("dataset", 5), "dataset is not a text: '5'"),
        (("made", "yesterday"), "made is not a time"),
        (("lists", "A", 0, "gone"), "does not match its hash, so the file was edited: 'lists.A'"),
        (("hashes", "B", "0"), "does not match its hash, so the file was edited: 'lists.B'"),
        (("hashes", "B", 5), "does not match its hash"),
        (("lists", "A", 0, 9), r"lists.A\[0\] is not a text"),
        (("lists", "A", "0123"), "lists.A is not a list"),
        (("lists", "A", ...), "lists is not complete, there is no: 'A'"),
        (("lists", "C", []), "lists is not known to have a part named: 'C'"),
        (("lists", []), "lists is not an object"),
        (("lists", "A", ["00", "00"]), "lists.A is not a list of at most k different items"),
        (("controls", "k", 4), "lists.A is not a list of at most k different items"),
        (("controls", "k", True), "controls.k is not a whole number from 1 to 100"),
        (("controls", "k", 0), "controls.k"),
        (("controls", "popularity", 1.5), "controls.popularity is not a number from 0 to 1"),
        (("controls", "diversity", "0"), "controls.diversity"),
        (("controls", "more", 1), "controls is not known to have a part named: 'more'"),
        (("controls", "keep", "years", [1990]), "controls.keep.years"),
        (("controls", "keep", "years", [10**30, 1]), "controls.keep.years"),
        (("controls", "keep", "categories", "space"), "controls.keep.categories is not a list"),
        (("controls", "keep", "attributes", {"x": ["a", None]}), r"controls.keep.attributes.x\[1\] is not a text"),
        (("profiles", {}), "profiles is not an object of 1 to"),
        (("profiles", "x" * 61, SAVED["profiles"]["A"]), "a name in profiles is not 1 to 60 characters"),
        (("profiles", "A", "age", 300), "The age is impossible, in profiles.A of the scenario: '300'"),
        (("profiles", "A", "age", "30"), "profiles.A.age is not a number"),
        (("profiles", "A", "age", True), "profiles.A.age is not a number"),
        (("profiles", "A", "gender", 1), "profiles.A.gender is not a text"),
        (("profiles", "A", "attributes", {"job": 1}), r"profiles.A.attributes\[0\] is not a text"),
        (("profiles", "B", "interests", ["x" * 201]), "An interest is too long, in profiles.B"),
        (("profiles", "B", "liked", [str(n) for n in range(101)]), "too many liked items, in profiles.B"),
        (("profiles", "B", "liked", ...), "profiles.B is not complete"),
        (("profiles", "B", "view", 1), "profiles.B is not known to have a part named: 'view'"),
        (("profiles", "A", 5), "profiles.A is not an object"),
        (("view", "tab", "\ud800"), "valid Unicode"),
        (("view", "x", json.loads("[" * 20 + "]" * 20)), "nested at most 16 deep"),
    ],
)
def test_a_file_that_does_not_hold_is_refused_with_the_place(change, match):
    with pytest.raises(DataError, match=match):
        Scenario.from_json(edited(change))


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (b"\xff\xfe", "not JSON"),
        ("", "not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "not a scenario file"),
        ('{"format": 1, "format": 2}', "a name stands twice"),
        ('{"format": NaN}', "NaN is not a number"),
        ('{"format": 1e999}', "not a JSON value: 'inf'"),
        (" " * 1_000_001, "too large: '1,000,001 bytes'"),
    ],
)
def test_what_is_no_scenario_is_refused(text, match):
    with pytest.raises(DataError, match=match):
        Scenario.from_json(text)


def test_too_many_profiles_are_refused():
    profiles = {f"p{n}": SAVED["profiles"]["A"] for n in range(203)}
    lists, hashes = {name: [] for name in profiles}, dict.fromkeys(profiles, list_hash([]))

    with pytest.raises(DataError, match="1 to 202: '203'"):
        Scenario.from_json(edited(("profiles", profiles), ("lists", lists), ("hashes", hashes)))


def test_what_json_cannot_carry_is_refused_when_made(recommender):
    for value in (np.float32(1), float("nan"), {1: 2}, {"a": {3}}, "\udfff"):
        with pytest.raises(DataError, match="view"):
            made(recommender, view={"x": value})
    with pytest.raises(DataError, match="made is not a time"):
        make_scenario(recommender, {"A": A}, made="now")
    with pytest.raises(DataError, match="too large"):
        made(recommender, view={"x": "y" * 1_000_000}).to_json()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
PLACES = [(name,) for name in SAVED]
PLACES += [(name, inner) for name in ("controls", "profiles", "lists", "hashes") for inner in SAVED[name]]
PLACES += [("profiles", "A", name) for name in SAVED["profiles"]["A"]]
PLACES += [("controls", "keep", name) for name in SAVED["controls"]["keep"]]


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_arbitrary_bytes_raise_only_our_errors(raw):
    with pytest.raises(ColdlensError):
        Scenario.from_json(raw)


@given(st.sampled_from(PLACES), JSON)
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_value_at_any_place_is_read_or_refused(place, value):
    try:
        scenario = Scenario.from_json(edited((*place, value)))
    except ColdlensError:
        return
    recommender = Recommender.from_dataset(toy_dataset(), scorer="cosine", encoder=ToyEncoder())
    assert Scenario.from_json(scenario.to_json()) == scenario
    check_scenario(scenario, recommender)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_damaged_file_raises_only_our_errors(data):
    raw = bytearray(json.dumps(SAVED).encode())
    for _ in range(data.draw(st.integers(1, 5))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with suppress(ColdlensError):
        Scenario.from_json(bytes(raw))
