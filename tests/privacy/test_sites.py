"""Federated: the sums of several sites give the fit of all users together, and nothing else leaves a site."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsys.datasets import open_dataset, write_folder
from recsys.encoder import TransformerEncoder
from recsys.errors import DataError
from recsys.privacy import (
    Budget,
    Ledger,
    PrivateConfig,
    Public,
    SiteSums,
    Statistics,
    UserColumns,
    epsilon_of,
    fit,
    noise_of,
    told_of,
    total,
)
from recsys.privacy.sites import MIN_USERS
from recsys.recommender import Recommender, available_scorers
from recsys.schema import USER_ID, Dataset, Profile
from tests.test_cli import Shell
from tests.toy import ToyEncoder
from tests.training.world import vectors, world

WHOLE = world()
VECTORS = vectors(WHOLE)
PARTS = ((0, 60), (60, 100), (100, 160))
ARRAYS = ("facts", "interests", "interest_centre", "liked", "items", "text", "text_liked", "prior")


def site(start: int, end: int, dataset: Dataset = WHOLE) -> Dataset:
    """The users from one row to another, with their interactions, named so that they would be found in a file."""
    users = dataset.users.iloc[start:end].reset_index(drop=True)
    interactions = dataset.interactions[dataset.interactions[USER_ID].isin(users[USER_ID])].reset_index(drop=True)
    named = {USER_ID: lambda frame: "canary-" + frame[USER_ID]}
    return replace(dataset, users=users.assign(**named), interactions=interactions.assign(**named))


@pytest.fixture
def public(tmp_path: Path) -> Public:
    """As every site reads it from the file that was sent around."""
    path = tmp_path / "public.npz"
    Public.from_catalog(WHOLE, VECTORS, encoder=ToyEncoder(), columns=UserColumns.of(WHOLE)).save(path)
    return Public.load(path)


def sums_of(part: tuple[int, int], public: Public) -> SiteSums:
    return SiteSums.of(site(*part), VECTORS, public)


def test_the_public_file_is_read_as_it_was_written(public: Public):
    made = Public.from_catalog(WHOLE, VECTORS, encoder=ToyEncoder(), columns=UserColumns.of(WHOLE))
    assert public.fingerprint == made.fingerprint


def test_three_sites_give_the_fit_of_all_users_together(public: Public, tmp_path: Path):
    for number, part in enumerate(PARTS):
        sums_of(part, public).save(tmp_path / f"{number}.npz")
    found = [SiteSums.load(tmp_path / f"{number}.npz", public, len(WHOLE.items)) for number in range(3)]
    together = fit(total(found), VECTORS, public)
    central = fit(Statistics.of(WHOLE, VECTORS, public), VECTORS, public)
    for name in ARRAYS:
        np.testing.assert_allclose(getattr(together, name), getattr(central, name), atol=1e-6)
    without = fit(total(found[:2]), VECTORS, public)
    assert np.abs(without.prior - central.prior).max() > 1e-3, "the control: a site that is left out is missed"


def test_what_leaves_a_site_holds_no_user(public: Public, tmp_path: Path):
    users = site(*PARTS[0]).users[USER_ID]
    sums_of(PARTS[0], public).save(tmp_path / "site.npz")
    content = (tmp_path / "site.npz").read_bytes()
    assert b"canary" not in content
    assert not any(user.encode() in content for user in users)
    layout = sums_of(PARTS[0], public).statistics.layout
    assert len(content) < 8 * layout.size + 2_000, "the size does not grow with the users"
    (tmp_path / "raw.npz").write_bytes(b"".join(user.encode() for user in users))
    assert b"canary" in (tmp_path / "raw.npz").read_bytes(), "the control: they would be found"


@pytest.mark.parametrize("n_users", [0, 1, MIN_USERS - 1])
def test_a_site_with_few_users_sends_nothing(public: Public, n_users: int):
    with pytest.raises(DataError, match=f"The site has too few users to send sums: '{n_users}'"):
        sums_of((0, n_users), public)
    padded = site(0, 100)
    few = padded.interactions[padded.interactions[USER_ID].isin(padded.users[USER_ID][:n_users])]
    with pytest.raises(DataError, match="too few users"):  # those without a like hide nobody
        SiteSums.of(replace(padded, interactions=few), VECTORS, public)
    assert sums_of((0, MIN_USERS + 5), public)


def test_files_that_do_not_belong_together_are_refused(public: Public, tmp_path: Path):
    path, n_items = tmp_path / "site.npz", len(WHOLE.items)
    other = Public.from_catalog(WHOLE, VECTORS, encoder=ToyEncoder(), columns=UserColumns(("F", "M"), {}))
    columns = UserColumns.of(WHOLE)
    stricter = Public.from_catalog(
        WHOLE, VECTORS, encoder=ToyEncoder(), columns=columns, config=PrivateConfig(constant=0.6)
    )
    for another in (other, stricter):  # of another shape, and of the same
        sums_of(PARTS[0], another).save(path)
        with pytest.raises(DataError, match="The sums were made with another public file"):
            SiteSums.load(path, public, n_items)
    one, another = sums_of(PARTS[0], public), sums_of(PARTS[1], other)
    with pytest.raises(DataError, match="different public files"):
        total([one, another])
    with pytest.raises(DataError, match="The same sums are there twice"):
        total([one, one])
    with pytest.raises(DataError, match="There are no sums to add"):
        total([])
    with pytest.raises(DataError, match="The sums do not fit the catalog"):
        fit(one.statistics, VECTORS[:-1], public)


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 not a zip", b"\x93NUMPY", b"PK\x05\x06" + bytes(18)])
def test_damaged_files_are_refused(public: Public, tmp_path: Path, damage: bytes):
    path = tmp_path / "site.npz"
    path.write_bytes(damage)
    with pytest.raises(DataError, match=r"damaged, or another kind of file|cannot be read"):
        SiteSums.load(path, public, len(WHOLE.items))


def test_pickles_are_not_opened(public: Public, tmp_path: Path):
    path = tmp_path / "site.npz"
    np.savez(path, about=np.frombuffer(b'{"format": 1}', np.uint8), values=np.array([{"a": 1}], object))
    with pytest.raises(DataError, match="damaged, or another kind"):
        SiteSums.load(path, public, len(WHOLE.items))


def test_a_bomb_is_not_unpacked(public: Public, tmp_path: Path):
    path = tmp_path / "site.npz"
    np.savez_compressed(path, about=np.frombuffer(b'{"format": 1}', np.uint8), values=np.zeros(1_000_000))
    assert path.stat().st_size < 20_000
    with pytest.raises(DataError, match="damaged, or another kind"):
        SiteSums.load(path, public, len(WHOLE.items))


def test_nan_in_sums_is_refused(public: Public, tmp_path: Path):
    found = sums_of(PARTS[0], public)
    values = found.statistics.values.copy()
    values[3] = np.nan
    replace(found, statistics=replace(found.statistics, values=values)).save(tmp_path / "site.npz")
    with pytest.raises(DataError, match="of another format"):
        SiteSums.load(tmp_path / "site.npz", public, len(WHOLE.items))


def test_another_catalog_or_encoder_is_refused(public: Public):
    public.check_catalog(site(*PARTS[0]), ToyEncoder())
    with pytest.raises(DataError, match="The catalog is not the one of the public file"):
        public.check_catalog(WHOLE, ToyEncoder("another"))
    renamed = replace(WHOLE, items=WHOLE.items.assign(title="Other " + WHOLE.items["title"]))
    with pytest.raises(DataError, match="The catalog is not the one of the public file"):
        public.check_catalog(renamed, ToyEncoder())


def test_a_site_may_put_noise_in_and_remembers_it(public: Public, tmp_path: Path):
    part = write_folder(site(*PARTS[0]), tmp_path / "site")
    budget, plain = Budget(3.0), SiteSums.of(part, VECTORS, public)
    found, spent = plain.noised(part, budget)
    assert found.statistics.deviation == noise_of(budget)
    difference = found.statistics.values - plain.statistics.values
    assert difference.std() == pytest.approx(noise_of(budget), rel=0.15)
    assert spent == pytest.approx(3.0, abs=1e-3)
    again = plain.noised(part, budget)[1]
    assert again == pytest.approx(epsilon_of([noise_of(budget)] * 2, 1e-5))
    assert part.folder is not None and len(Ledger.open(part.folder).spent) == 2
    joined = total([found, sums_of(PARTS[1], public)])
    assert joined.deviation == pytest.approx(noise_of(budget))


def test_the_command_line_goes_all_the_way(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setattr(TransformerEncoder, "from_folder", lambda path, **options: ToyEncoder())
    monkeypatch.setenv("COLDLENS_DATA_DIR", str(tmp_path))
    write_folder(replace(WHOLE, users=WHOLE.users[:0], interactions=WHOLE.interactions[:0]), tmp_path / "hub")
    shell, files = Shell(tmp_path, capsys, monkeypatch), []
    (tmp_path / "columns.json").write_text('{"genders": ["F", "M"], "attributes": {}}', "utf-8")
    public = str(tmp_path / "public.npz")
    columns = ("--columns", str(tmp_path / "columns.json"))
    made = shell.json("federate", "prepare", "--dataset", "hub", "--out", public, *columns)
    assert made["columns"] == {"genders": ["F", "M"], "attributes": {}}
    for number, part in enumerate(PARTS):
        write_folder(site(*part), tmp_path / f"site{number}")
        files.append(str(tmp_path / f"{number}.npz"))
        noise = ("--epsilon", "3") if number == 1 else ()
        words = ("federate", "statistics", "--dataset", f"site{number}", "--public", public, "--out", files[-1])
        code, out, err = shell(*words, *noise)
        assert code == 0, err
        assert ("Noise for epsilon = 3 is in them" in out) == bool(noise)
        assert ("There is no noise in them" in out) != bool(noise)
    catalog = open_dataset("hub", data_dir=tmp_path)
    assert available_scorers(catalog) == ("cosine",)
    found = shell.json("federate", "fit", *files, "--dataset", "hub", "--public", public)
    assert found["noise"] == [0.0, noise_of(Budget(3.0)), 0.0]
    assert told_of(catalog, "federated") == "3 sites, 1 of them with noise of their own"
    assert told_of(catalog) is None, "nothing is called private here"
    assert available_scorers(catalog) == ("federated", "cosine")
    recommender = Recommender.from_dataset(catalog, scorer="federated", encoder=ToyEncoder())
    somebody = Profile(age=20, gender="F", interests=("space",))
    assert len(recommender.recommend(somebody, k=5).table) == 5
    write_folder(site(0, 1), tmp_path / "tiny")
    words = ("federate", "statistics", "--dataset", "tiny", "--public", public, "--out", str(tmp_path / "x.npz"))
    code, _, err = shell(*words)
    assert code == 2 and "too few users" in err
    assert not (tmp_path / "x.npz").exists()
