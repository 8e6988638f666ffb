"""With a key, whoever copies the data folder reads nothing of people: the raw files are searched for canaries."""

import os
import shutil
import stat
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cryptography.fernet import Fernet

from recsys.datasets import dataset_folders, read_folder, write_folder
from recsys.datasets.importing import VectorFiles, check_dataset, import_files
from recsys.datasets.people_files import PEOPLE_FILES, seal_dataset
from recsys.datasets.versions import about_version, files_of
from recsys.errors import ConfigError, DataError
from recsys.saved_profiles import LINK_DAYS, LinkedProfiles, SavedProfiles, seal_profiles
from recsys.schema import Dataset, Profile
from recsys.sealing import NO_SEAL, Seal, is_sealed, key_name, new_key, without_key
from recsys.settings import Limits, Settings

KEY, OTHER = Fernet.generate_key().decode(), Fernet.generate_key().decode()
SEAL = Seal((KEY,))
VECTOR = np.array([0.123456789, -987.654321], np.float32)
CANARIES = {
    "user_id": b"canary-person", "occupation": b"canary-beekeeper", "name": b"canary-anna", "interest": b"canary-kites",
    "saved name": b"canary-shelf", "linked interest": b"canary-drums", "user vector": VECTOR.tobytes(),
}  # fmt: skip
ITEMS = "item_id,title\ni1,Sencha\ni2,Rooibos\n"
USERS = "user_id,age,gender,occupation,nickname\ncanary-person,30,F,canary-beekeeper,canary-anna\nu2,40,M,cook,bo\n"
LIKES = "user_id,item_id\ncanary-person,i1\nu2,i2\n"


def fill(data: Path, sources: Path, seal: Seal) -> None:
    """Has people come in as they do: by an import, on the shelf of saved profiles, and behind a link."""
    sources.mkdir(exist_ok=True)
    for name, text in (("items.csv", ITEMS), ("users.csv", USERS), ("interactions.csv", LIKES)):
        (sources / name).write_text(text)
    np.save(sources / "iv.npy", np.eye(2, dtype=np.float32))
    np.save(sources / "uv.npy", np.stack([VECTOR, VECTOR + 1]))
    vectors = VectorFiles(sources / "iv.npy", sources / "uv.npy")
    files = [sources / name for name in ("items.csv", "users.csv", "interactions.csv")]
    for replaced in (False, True):
        (sources / "items.csv").write_text(ITEMS + ("i3,Maté\n" if replaced else ""))
        np.save(sources / "iv.npy", np.eye(3 if replaced else 2, 2, dtype=np.float32))
        report = import_files(files, "teas", data_dir=data, vectors=vectors, replace=replaced, seal=seal)
        assert report.is_published
    shelf = SavedProfiles(data / "profiles" / "teas.json", seal)
    shelf.save("canary-shelf", Profile(30, interests=("canary-kites",)))
    mine = SavedProfiles(data / "profiles" / "accounts" / "abc" / "teas.json", seal)
    mine.save("canary-shelf", Profile(30, interests=("canary-kites",)))
    LinkedProfiles(data / "profiles" / "linked" / "teas", seal).keep([Profile(interests=("canary-drums",))])


def told(data: Path) -> set[str]:
    """Which canaries the files below a folder tell, as they lie there or as anybody's Parquet reader unpacks them."""
    found = set()
    for path in (path for path in data.rglob("*") if path.is_file()):
        content = path.read_bytes() + str(path).encode()
        if path.suffix == ".parquet" and content.startswith(b"PAR1"):
            content += pd.read_parquet(path).to_csv().encode()
        found |= {name for name, canary in CANARIES.items() if canary in content}
    return found


def contents(data: Path) -> dict[str, bytes]:
    """Every file but those that only say who is writing."""
    paths = (path for path in sorted(data.rglob("*")) if path.is_file())
    return {str(path): path.read_bytes() for path in paths if ".writing" not in path.name and path.suffix != ".lock"}


def seal_all(data: Path, opened_by: Seal, closed_by: Seal) -> None:
    seal_profiles(data / "profiles", opened_by=opened_by, closed_by=closed_by)
    for folder in dataset_folders(data):
        seal_dataset(folder, opened_by=opened_by, closed_by=closed_by)


@pytest.fixture(scope="module")
def unsealed(tmp_path_factory) -> Path:
    """A data folder as it is without a key."""
    folder = tmp_path_factory.mktemp("open")
    fill(folder / "data", folder / "sources", NO_SEAL)
    return folder / "data"


@pytest.fixture(scope="module")
def filled(tmp_path_factory) -> Path:
    """The same with a key."""
    folder = tmp_path_factory.mktemp("sealed")
    fill(folder / "data", folder / "sources", SEAL)
    return folder / "data"


def test_with_a_key_the_files_tell_of_nobody_and_without_one_they_do(unsealed, filled):
    assert told(unsealed) == set(CANARIES)
    assert told(filled) == set()

    one, other = (read_folder(data / "teas", seal=SEAL) for data in (unsealed, filled))
    assert one.fingerprint == other.fingerprint
    assert other.users["occupation"].tolist() == ["canary-beekeeper", "cook"]
    np.testing.assert_array_equal(other.user_vectors[0], VECTOR)  # type: ignore[index]
    [saved] = SavedProfiles(filled / "profiles" / "teas.json", SEAL).all()
    assert (saved.name, saved.profile.interests) == ("canary-shelf", ("canary-kites",))


def test_what_was_there_before_the_key_is_read_until_it_is_sealed_and_older_versions_go(unsealed, tmp_path):
    data = Path(shutil.copytree(unsealed, tmp_path / "data"))
    before = read_folder(data / "teas", seal=SEAL)
    assert len(list((data / "teas" / "versions").glob("data-*"))) == 2

    seal_all(data, SEAL, SEAL)

    assert told(data) == set()
    after = read_folder(data / "teas", seal=SEAL)
    assert after.fingerprint == before.fingerprint
    assert after.info == before.info
    assert about_version(data / "teas") == about_version(unsealed / "teas")
    kept = contents(data)
    seal_all(data, SEAL, SEAL)
    assert contents(data) == kept  # nothing was left to do
    seal_all(data, SEAL, NO_SEAL)
    assert read_folder(data / "teas").fingerprint == before.fingerprint
    assert told(data) == set(CANARIES)


def write_again(toy: Dataset, data: Path, seal: Seal) -> None:
    write_folder(replace(toy, users=toy.users.iloc[1:]), data / "toy", seal=seal)


def import_again(toy: Dataset, data: Path, seal: Seal) -> None:
    (data / "items.csv").write_text(ITEMS)
    (data / "users.csv").write_text(USERS)
    (data / "likes.csv").write_text(LIKES)
    files = [data / name for name in ("items.csv", "users.csv", "likes.csv")]
    assert import_files(files, "toy", data_dir=data, replace=True, seal=seal).is_published


@pytest.mark.parametrize("again", [write_again, import_again])
def test_a_dataset_that_is_replaced_leaves_no_open_version(tmp_path, toy: Dataset, again):
    write_folder(toy, tmp_path / "toy")
    again(toy, tmp_path, SEAL)

    files = [path for path in (tmp_path / "toy").rglob("*") if path.name in PEOPLE_FILES]
    assert len(files) == 2
    assert all(is_sealed(path.read_bytes()) for path in files)


def test_sealing_that_was_stopped_before_the_open_version_went_is_ended_by_the_next(tmp_path, toy_folder, monkeypatch):
    folder = toy_folder.folder
    with monkeypatch.context() as patched:
        patched.setattr("recsys.datasets.people_files.forget_others", lambda folder, seal: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            seal_dataset(folder, opened_by=SEAL, closed_by=SEAL)
    assert len(list((folder / "versions").glob("data-*"))) == 2

    assert seal_dataset(folder, opened_by=SEAL, closed_by=SEAL) == 0

    [version] = (folder / "versions").glob("data-*")
    assert is_sealed((version / "users.parquet").read_bytes())


def test_a_folder_made_by_hand_is_sealed_where_it_lies(tmp_path, toy: Dataset):
    folder = tmp_path / "toy"
    folder.mkdir()
    for name, frame in (("items", toy.items), ("users", toy.users), ("interactions", toy.interactions)):
        frame.assign(**{c: frame[c].map(list) for c in frame if c == "categories"}).to_parquet(
            folder / f"{name}.parquet"
        )
    np.save(folder / "item_vectors.npy", np.ones((12, 2), np.float32))
    ids, rows = toy.users["user_id"][::-1], np.arange(12.0).reshape(6, 2)
    pd.DataFrame({"user_id": ids, "vector": list(rows)}).to_parquet(folder / "user_vectors.parquet")
    (folder / "users.parquet").chmod(0o640)
    before = read_folder(folder)

    assert seal_dataset(folder, opened_by=SEAL, closed_by=SEAL) == 3

    assert {path.name for path in folder.glob("*.parquet") if is_sealed(path.read_bytes())} == {
        "users.parquet", "interactions.parquet", "user_vectors.parquet",
    }  # fmt: skip
    assert stat.S_IMODE((folder / "users.parquet").stat().st_mode) == 0o640
    after = read_folder(folder, seal=SEAL)
    assert after.fingerprint == before.fingerprint
    np.testing.assert_array_equal(after.user_vectors, before.user_vectors)  # type: ignore[arg-type]


def test_a_sealed_dataset_is_not_written_again_without_a_key(filled, tmp_path, toy: Dataset):
    data = Path(shutil.copytree(filled, tmp_path / "data"))
    before = contents(data)
    (tmp_path / "items.csv").write_text(ITEMS)

    with pytest.raises(ConfigError, match="sealed, and no key is set to seal the new one"):
        write_folder(toy, data / "teas")
    with pytest.raises(ConfigError, match="sealed, and no key is set to seal the new one"):
        import_files([tmp_path / "items.csv"], "teas", data_dir=data, replace=True)

    assert contents(data) == before
    path = files_of(data / "teas") / "users.parquet"
    path.write_bytes(path.read_bytes()[:-4])
    assert import_files([tmp_path / "items.csv"], "teas", data_dir=data, replace=True).is_published  # it was damaged


READERS = {
    "a dataset": lambda data, seal: read_folder(data / "teas", seal=seal),
    "a check": lambda data, seal: check_dataset(data / "teas", seal=seal),
    "sealing a dataset": lambda data, seal: seal_dataset(data / "teas", opened_by=seal, closed_by=Seal((OTHER,))),
    "saved profiles": lambda data, seal: SavedProfiles(data / "profiles" / "teas.json", seal).all(),
    "saving": lambda data, seal: SavedProfiles(data / "profiles" / "teas.json", seal).save("a", Profile()),
    "deleting": lambda data, seal: SavedProfiles(data / "profiles" / "teas.json", seal).delete("a"),
    "sealing profiles": lambda data, seal: seal_profiles(data / "profiles", opened_by=seal, closed_by=Seal((OTHER,))),
}


@pytest.mark.parametrize("reader", READERS)
def test_a_missing_or_wrong_key_is_told_with_the_file_and_changes_nothing(filled, reader):
    data, before = filled, contents(filled)

    with pytest.raises(ConfigError) as missing:
        READERS[reader](data, NO_SEAL)
    with pytest.raises(ConfigError) as wrong:
        READERS[reader](data, Seal((OTHER,)))

    assert missing.value.what == "The file is sealed, and no key is set"
    assert missing.value.fix == "Set COLDLENS_KEY or COLDLENS_KEY_FILE to the key that sealed it."
    assert wrong.value.what == "The key does not open the file, which another key has sealed"
    assert key_name(KEY) in wrong.value.fix
    for error in (missing.value, wrong.value):
        assert any(path.startswith(str(error.value).rstrip("…")) for path, told in before.items() if is_sealed(told))
        assert KEY not in str(error) and OTHER not in str(error)
    assert contents(data) == before


def test_a_check_reads_what_is_sealed_and_leaves_no_open_copy(filled, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    report = check_dataset(filled / "teas", seal=SEAL)

    assert report.findings.n_errors == 0
    assert {kind: counts.accepted for kind, counts in report.tables.items()} == {
        "items": 3, "users": 2, "interactions": 2, "item_vectors": 3, "user_vectors": 2,
    }  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def test_a_link_that_this_key_does_not_open_says_so_and_stays_for_its_time(tmp_path):
    shelf = LinkedProfiles(tmp_path / "teas", SEAL)
    link = shelf.keep([Profile(age=1)])
    for seal in (NO_SEAL, Seal((OTHER,))):
        with pytest.raises(ConfigError):
            LinkedProfiles(shelf.folder, seal).open(link)

    LinkedProfiles(shelf.folder, Seal((OTHER,))).keep([Profile(age=2)])
    assert shelf.open(link) == (Profile(age=1),)

    LinkedProfiles(shelf.folder).keep([Profile(age=3)], now=time.time() + LINK_DAYS * 86400 + 60)
    assert shelf.open(link) == ()
    assert len(list(shelf.folder.iterdir())) == 1


def test_of_two_keys_the_first_seals_and_both_open_until_all_is_sealed_again(filled, tmp_path):
    data = Path(shutil.copytree(filled, tmp_path / "data"))
    both, new = Seal((OTHER, KEY)), Seal((OTHER,))
    before = read_folder(data / "teas", seal=both)
    SavedProfiles(data / "profiles" / "teas.json", both).save("another", Profile(age=3))
    assert len(SavedProfiles(data / "profiles" / "teas.json", new).all()) == 2

    seal_all(data, both, both)

    assert read_folder(data / "teas", seal=new).fingerprint == before.fingerprint
    with pytest.raises(ConfigError):
        read_folder(data / "teas", seal=SEAL)
    assert told(data) == set()


def test_a_damaged_file_is_not_taken_for_one_of_another_key(tmp_path):
    shelf = SavedProfiles(tmp_path / "teas.json", SEAL)
    shelf.save("a", Profile(age=1))
    whole = shelf.path.read_bytes()
    for place in (30, len(whole) // 2, len(whole) - 8):  # the last digits of base64 may have bits that mean nothing
        changed = bytearray(whole)
        changed[place] = ord("A") if changed[place] != ord("A") else ord("B")
        for content in (bytes(changed), whole[:place], whole[:20]):
            shelf.path.write_bytes(content)
            with pytest.raises(DataError, match=r"The sealed file is damaged.*teas\.json"):
                shelf.all()
            with pytest.raises(DataError, match="damaged"):
                shelf.save("b", Profile())
            assert shelf.path.read_bytes() == content


def test_a_damaged_version_is_found_by_its_sum(filled, tmp_path):
    data = Path(shutil.copytree(filled, tmp_path / "data"))
    path = files_of(data / "teas") / "users.parquet"
    path.write_bytes(path.read_bytes()[:-4])

    with pytest.raises(DataError, match="A file of the artifact is damaged"):
        read_folder(data / "teas", seal=SEAL)


def test_nothing_open_is_on_the_disk_while_a_dataset_is_written(tmp_path, toy: Dataset, monkeypatch):
    toy = replace(toy, item_vectors=np.ones((12, 2), np.float32), user_vectors=np.ones((6, 2), np.float32))
    seen = []

    def commit(folder, info, draft, *, about):
        seen.extend((path.name, is_sealed(path.read_bytes())) for path in draft.iterdir())
        raise OSError("no more")

    monkeypatch.setattr("recsys.datasets.versions.commit_version", commit)
    with pytest.raises(DataError, match="could not be written"):
        write_folder(toy, tmp_path / "toy", seal=SEAL)

    assert {name for name, sealed in seen if sealed} == set(PEOPLE_FILES) - {"user_vectors.parquet"}
    assert {name for name, sealed in seen if not sealed} == {"items.parquet", "item_vectors.npy"}


def test_a_key_is_made_for_its_owner_and_never_over_another(tmp_path):
    before = os.umask(0)
    try:
        name = new_key(tmp_path / "key")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    [key] = Seal.from_settings(Settings(key_file=tmp_path / "key")).keys
    assert key_name(key) == name
    with pytest.raises(ConfigError, match="There is a file already"):
        new_key(tmp_path / "key")
    assert key in (tmp_path / "key").read_text()
    with pytest.raises(ConfigError, match="The key cannot be written"):
        new_key(tmp_path / "nowhere" / "key")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602])
def test_a_key_file_that_others_may_read_or_change_is_refused(tmp_path, mode):
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "key").chmod(mode)
    with pytest.raises(ConfigError, match=r"Other users of this machine may .*chmod 600"):
        Seal.from_settings(Settings(key_file=tmp_path / "key"))
    (tmp_path / "key").chmod(0o400)
    assert Seal.from_settings(Settings(key_file=tmp_path / "key")) == SEAL


@pytest.mark.parametrize(
    "text",
    ["secret-words", KEY[:-2], KEY + "x", f"{KEY},{KEY[1:]}", "é" * 43, KEY[:20] + "!" + KEY[21:]],
    ids=["words", "short", "long", "second", "accents", "sign"],
)
def test_what_is_not_a_key_is_refused_and_not_repeated(tmp_path, text):
    (tmp_path / "key").write_text(text)
    (tmp_path / "key").chmod(0o600)
    for settings in (Settings(key=text), Settings(key_file=tmp_path / "key")):
        with pytest.raises(ConfigError, match=r"not a key|does not hold a key") as refused:
            Seal.from_settings(settings)
        assert text[:12] not in str(refused.value)


def test_a_key_file_that_is_missing_or_empty_is_refused_and_so_are_two_keys(tmp_path):
    with pytest.raises(ConfigError, match="The key file cannot be read"):
        Seal.from_settings(Settings(key_file=tmp_path / "nothing"))
    (tmp_path / "key").touch(0o600)
    with pytest.raises(ConfigError, match="The key file is empty"):
        Seal.from_settings(Settings(key_file=tmp_path / "key"))
    with pytest.raises(ConfigError, match="Two keys are set: 'COLDLENS_KEY, COLDLENS_KEY_FILE'"):
        Seal.from_settings(Settings(key=KEY, key_file=tmp_path / "key"))


def test_the_key_comes_from_the_environment_is_not_printed_and_not_handed_on():
    environment = {"COLDLENS_KEY": f" {KEY} ", "PATH": "/bin"}
    settings = Settings.from_environment(environment)

    assert Seal.from_settings(settings) == SEAL
    assert KEY not in repr(settings) + repr(SEAL)
    assert Settings.from_environment({"COLDLENS_KEY_FILE": "k"}).key_file == Path("k")
    assert not Seal.from_settings(Settings.from_environment({"COLDLENS_KEY": ""})).has_key
    assert without_key(environment | {"COLDLENS_KEY_FILE": "k"}) == {"PATH": "/bin"}


def test_decoders_of_foreign_pictures_are_not_told_the_key(monkeypatch):
    from recsys.views import decoder

    told_it = []

    def popen(*args, env, **options):
        told_it.append(env)
        raise OSError("not now")

    monkeypatch.setenv("COLDLENS_KEY", KEY)
    monkeypatch.setattr(decoder.subprocess, "Popen", popen)
    with pytest.raises(OSError, match="not now"):
        decoder.Decoder(Limits())._running()
    [environment] = told_it
    assert "COLDLENS_KEY" not in environment
    assert "PATH" in environment
