"""Copies of datasets that name nobody: what is gone, what is left, and that pyCANON finds the k that was asked for."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycanon import anonymity

from recsys.datasets import open_dataset, write_folder
from recsys.errors import ConfigError, DataError
from recsys.privacy import AnonymousPlan, anonymise
from recsys.privacy.identifiers import identifying
from recsys.privacy.suppression import UNKNOWN, suppress
from recsys.schema import Dataset
from tests.test_cli import Shell
from tests.training.world import world

CANARIES = ("Zelda Canaria", "zelda@canary.example", "94117-Z", "+49 170 5551234", "Canary Islands are lovely")
DAY = 86_400


def telltale() -> Dataset:
    """The world with everything in it that should not leave: of everybody, and once in words of one user's own."""
    dataset = world()
    users, n = dataset.users, len(dataset.users)
    spread = [f"{name} {number}" for number, name in zip(range(n), ["Ann", "Bob", "Cem"] * n, strict=False)]
    columns = {
        "fullName": [CANARIES[0], *spread[1:]],
        "contact": [CANARIES[1], *(f"user{number}@mail.example" for number in range(1, n))],
        "zip_code": [CANARIES[2], *(f"{number % 7:05d}" for number in range(1, n))],
        "reach": [CANARIES[3], *(f"+49 160 {1_000_000 + number}" for number in range(1, n))],
        "motto": ["blue", *["red", "green"] * n][:n],
        "job": pd.Categorical(["canary-job", *["clerk", "cook"] * n][:n]),
    }
    interactions = dataset.interactions.assign(
        review=CANARIES[4], timestamp=dataset.interactions["timestamp"] * 3_600.0 + 1e9
    )
    renamed = {"user_id": lambda frame: "canary-" + frame["user_id"]}
    return replace(
        dataset, users=users.assign(**columns).assign(**renamed), interactions=interactions.assign(**renamed)
    )


@pytest.fixture(scope="module")
def done():
    return anonymise(telltale(), AnonymousPlan(), rng=np.random.default_rng(0))


def raw(folder: Path) -> bytes:
    """Every byte of the files of a dataset, Parquet unpacked as well."""
    found = b""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found += path.read_bytes()
        if path.suffix == ".parquet":
            found += pd.read_parquet(path).to_csv().encode()
    return found


def test_names_and_zip_codes_are_gone_from_all_bytes(done, tmp_path: Path):
    write_folder(telltale(), tmp_path / "before")
    write_folder(done.dataset, tmp_path / "after")
    before, after = raw(tmp_path / "before"), raw(tmp_path / "after")
    for canary in (*CANARIES, "canary-", "mail.example"):
        assert canary.encode() in before, "the control: they would be found"
        assert canary.encode() not in after, canary


def test_each_column_goes_for_its_own_reason(done):
    why = {finding.column: (finding.is_dropped, finding.why) for finding in done.findings}
    assert why["fullName"] == (True, "its name says that it holds a name")
    assert why["zip_code"] == (True, "its name says that it holds a place to live")
    assert why["contact"] == (True, "there are e-mail addresses in it")
    assert why["reach"] == (True, "it looks like telephone or account numbers")
    assert why["review"] == (True, "recommending does not need it")
    for column in ("age", "gender", "occupation", "motto", "job", "rating", "timestamp"):
        assert not why[column][0], column
    assert done.quasi_identifiers == ("age", "gender", "occupation", "motto", "job")


@pytest.mark.parametrize(
    ("name", "values", "is_found"),
    [
        ("homeZip", ["1", "2"] * 50, True),
        ("zipper", ["1", "2"] * 50, False),
        ("last_name", ["a", "b"] * 50, True),
        ("Straße", ["a", "b"] * 50, True),
        ("邮编", ["a", "b"] * 50, True),
        ("code-postal", ["a", "b"] * 50, True),
        ("dateOfBirth", ["1990", "1991"] * 50, True),
        ("occupation", ["clerk", "cook"] * 50, False),
        ("x", [f"a{n}" for n in range(100)], True),
        ("x", [f"a{n % 50}" for n in range(100)], False),
        ("x", [f"a{n % 201}" for n in range(1000)], True),
        ("x", ["a@b.de", *["c"] * 99], True),
        ("x", [f"I was there {n % 60} times and liked it" for n in range(100)], True),
        ("x", ["0170 5551234", "0170 5551235"] * 50, True),
        ("income", ["40000", "50000"] * 50, False),
        ("x", [None] * 100, False),
    ],
)
def test_identifying_columns(name: str, values: list, is_found: bool):
    assert (identifying(name, pd.Series(values, dtype=object)) is not None) == is_found


def test_interactions_still_join_and_say_the_same(done):
    before, after = telltale(), done.dataset
    assert set(after.interactions["user_id"]) <= set(after.users["user_id"])
    assert not set(after.users["user_id"]) & set(before.users["user_id"])
    assert after.users["user_id"].is_unique
    assert len(after.interactions) == len(before.interactions)
    liked = [
        sorted(frame.groupby("user_id")["item_id"].agg(lambda ids: tuple(sorted(ids))))
        for frame in (before.interactions, after.interactions)
    ]
    assert liked[0] == liked[1], "everybody's items stay together"
    facts = [
        sorted(frame.interactions.merge(frame.users, on="user_id").groupby("gender").size())
        for frame in (before, after)
    ]
    assert sum(facts[0]) >= sum(facts[1]) > 0.9 * sum(facts[0])
    pd.testing.assert_frame_equal(after.items, before.items)


def test_neither_the_order_of_rows_nor_seconds_are_left(done):
    before, after = telltale(), done.dataset
    assert (after.interactions["timestamp"] % DAY == 0).all()
    assert not (before.interactions["timestamp"] % DAY == 0).all()
    assert (after.users["age"].dropna() % 10 == 5).all()
    ages = before.users["age"] // 10 * 10 + 5
    whole = anonymise(telltale(), AnonymousPlan(k=1)).dataset.users["age"]
    assert sorted(whole) == sorted(ages)
    assert (whole.to_numpy() != ages.to_numpy()).mean() > 0.5, "shuffled"
    assert after.interactions["user_id"].is_monotonic_increasing
    again = anonymise(telltale(), AnonymousPlan(), rng=np.random.default_rng(0)).dataset
    pd.testing.assert_frame_equal(again.users, after.users)
    fresh = anonymise(telltale(), AnonymousPlan()).dataset
    assert not set(fresh.users["user_id"]) & set(after.users["user_id"])


def k_of(users: pd.DataFrame, columns: list[str]) -> int:
    """What pyCANON finds; it leaves rows with missing values out, so those are named first."""
    return anonymity.k_anonymity(
        users[columns].astype(object).fillna(UNKNOWN).astype(str).reset_index(drop=True), columns
    )


def test_k_is_what_was_asked_for(done):
    assert done.before["k"] == 1
    assert done.after["k"] >= 5
    assert k_of(done.dataset.users, list(done.quasi_identifiers)) == done.after["k"]
    assert 0 < done.n_changed < len(done.dataset.users)
    assert done.changed["job"] >= 1, "there is one canary-job"
    assert set(done.after["l"]) == {"occupation", "motto", "job"}


CELLS = st.tuples(
    st.sampled_from([None, 15.0, 25.0, 35.0]),
    st.sampled_from([None, "F", "M"]),
    st.sampled_from(["a", "b", "c", "d", "e", None]),
)


@settings(max_examples=80, deadline=None)
@given(rows=st.lists(CELLS, min_size=1, max_size=40), k=st.integers(1, 6), seed=st.integers(0, 3))
def test_any_table_becomes_k_anonymous_and_only_loses_values(rows, k, seed):
    users = pd.DataFrame(rows, columns=["age", "gender", "job"]).astype({"age": float, "gender": object, "job": object})
    columns, rng = ["age", "gender", "job"], np.random.default_rng(seed)
    if len(users) < k:
        with pytest.raises(DataError, match="There are fewer users than k"):
            suppress(users, columns, k, rng)
        return
    found = suppress(users, columns, k, rng)
    assert k_of(found.users, columns) >= k
    is_kept = found.users.notna()
    assert (found.users.where(is_kept, None) == users.where(is_kept, None))[is_kept].fillna(True).all(axis=None)
    lost = (users.notna() & ~is_kept).sum().to_dict()
    assert lost == found.changed
    if k_of(users, columns) >= k:
        assert found.n_rows == 0, "what is k-anonymous already stays as it is"


def test_columns_can_be_kept_and_dropped(tmp_path: Path):
    plan = AnonymousPlan(keep=frozenset({"zip_code", "review"}), drop=frozenset({"gender", "timestamp"}), k=3)
    found = anonymise(telltale(), plan)
    assert "zip_code" in found.dataset.users and "gender" not in found.dataset.users
    assert list(found.dataset.interactions) == ["user_id", "item_id", "rating", "review"]
    assert found.after["k"] >= 3
    with pytest.raises(DataError, match="There is no such column to keep or drop: 'shoe'"):
        anonymise(telltale(), AnonymousPlan(drop=frozenset({"shoe"})))


@pytest.mark.parametrize(
    "wrong", [{"k": 0}, {"age_band": 0}, {"times": "weeks"}, {"keep": frozenset("a"), "drop": frozenset("a")}]
)
def test_plans_that_make_no_sense_are_refused(wrong: dict):
    with pytest.raises(ConfigError):
        AnonymousPlan(**wrong)


def test_interactions_without_users_and_users_without_facts_work(done):
    bare = replace(telltale(), users=telltale().users[["user_id"]])
    assert anonymise(bare, AnonymousPlan()).after == {"k": len(bare.users), "l": {}}
    nobody = replace(telltale(), users=telltale().users[["user_id"]][:0])
    found = anonymise(nobody, AnonymousPlan())
    assert len(found.dataset.interactions) == len(nobody.interactions)
    assert b"canary" not in found.dataset.interactions.to_csv().encode()
    with pytest.raises(DataError, match="There are no users to anonymise"):
        anonymise(replace(nobody, interactions=nobody.interactions[:0]), AnonymousPlan())


def test_the_command_line_tells_what_was_done(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setenv("COLDLENS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    write_folder(telltale(), tmp_path / "shop")
    shell = Shell(tmp_path, capsys, monkeypatch)
    words = ("datasets", "anonymise", "shop", "--name", "shop-anonymous")
    code, out, _ = shell(*words, "--dry-run")
    assert code == 0 and "Nothing was written." in out
    assert not (tmp_path / "shop-anonymous").exists()
    code, out, _ = shell(*words, "--k", "4")
    assert code == 0
    assert "This is not a proof of anonymity: likes themselves can identify" in out
    assert "were k-anonymous with k = 1; now k = " in out
    assert "its name says that it holds a place to live" in out
    opened = open_dataset("shop-anonymous", data_dir=tmp_path)
    assert opened.info.title == "World of known tastes, anonymised"
    assert k_of(opened.users, ["age", "gender", "occupation", "motto", "job"]) >= 4
    assert b"canary" not in raw(tmp_path / "shop-anonymous")
    code, _, err = shell(*words)
    assert code == 2 and "There is a dataset of this name already: 'shop-anonymous'" in err
    found = shell.json("datasets", "anonymise", "shop", "--name", "second", "--times", "drop", "--age-band", "20")
    assert found["published"] and found["after"]["k"] >= 5
    assert "timestamp" not in open_dataset("second", data_dir=tmp_path).interactions
