"""One commit point: a dataset is its last version or its new one, and never half of either."""

import errno
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from recsys.datasets import read_folder, write_folder
from recsys.datasets.versions import commit_version, files_of, publish_version, read_info
from recsys.errors import ColdlensError, DataError
from recsys.schema import Dataset, DatasetInfo


def changed(dataset: Dataset, word: str) -> Dataset:
    items = dataset.items.assign(title=dataset.items["title"] + word)
    return Dataset(dataset.name, dataset.info, items, dataset.users, dataset.interactions)


def versions(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "versions").iterdir() if not path.name.startswith("."))


def test_same_content_is_the_same_version(toy: Dataset, toy_folder: Dataset):
    folder = toy_folder.folder
    assert folder is not None
    before, inode = versions(folder), files_of(folder).stat().st_ino
    write_folder(toy, folder)
    assert versions(folder) == before
    assert files_of(folder).stat().st_ino == inode


def test_the_version_before_is_kept_and_older_ones_go(toy: Dataset, toy_folder: Dataset):
    folder = toy_folder.folder
    assert folder is not None
    paths = [files_of(folder)]
    os.utime(paths[0] / "manifest.json", (0, 0))
    for word in ("1", "2", "3"):
        write_folder(changed(toy, word), folder)
        os.utime(files_of(folder) / "manifest.json", (len(paths), len(paths)))
        paths.append(files_of(folder))
        assert read_folder(folder).items["title"].str.endswith(word).all()
    assert [path.exists() for path in paths] == [False, False, True, True]


def test_nothing_is_left_beside(toy_folder: Dataset):
    folder = toy_folder.folder
    assert folder is not None
    assert {path.name for path in folder.iterdir()} == {"dataset.toml", "versions"}
    assert [path.name for path in (folder / "versions").iterdir() if path.name.startswith(".draft")] == []


@pytest.mark.parametrize("damage", ["cut", "changed", "gone", "no manifest", "no folder"])
def test_a_damaged_version_is_told(toy_folder: Dataset, damage: str):
    folder = toy_folder.folder
    assert folder is not None
    where = files_of(folder)
    items = where / "items.parquet"
    content = bytearray(items.read_bytes())
    if damage == "cut":
        items.write_bytes(content[:-1])
    elif damage == "changed":
        content[len(content) // 2] ^= 1
        items.write_bytes(content)
    elif damage == "gone":
        items.unlink()
    elif damage == "no manifest":
        (where / "manifest.json").unlink()
    else:
        where.rename(where.with_name("elsewhere"))
    with pytest.raises(DataError) as raised:
        read_folder(folder)
    assert raised.value.fix == "Import or fetch the dataset again."
    assert "versions" in str(raised.value)


def test_every_bit_counts(toy_folder: Dataset):
    folder = toy_folder.folder
    assert folder is not None
    path = files_of(folder) / "users.parquet"
    content = path.read_bytes()
    for place in range(0, len(content), max(1, len(content) // 60)):
        bad = bytearray(content)
        bad[place] ^= 1 << (place % 8)
        path.write_bytes(bad)
        with pytest.raises(DataError):
            files_of(folder)
    path.write_bytes(content)
    assert files_of(folder) == path.parent


def test_an_error_in_the_block_changes_nothing(toy: Dataset, toy_folder: Dataset):
    folder = toy_folder.folder
    assert folder is not None
    with pytest.raises(ZeroDivisionError), publish_version(folder, DatasetInfo("new")) as draft:
        (draft / "items.parquet").write_bytes(b"half")
        raise ZeroDivisionError
    assert read_folder(folder).fingerprint == toy.fingerprint
    assert read_info(folder).title == toy.info.title
    assert [path.name for path in (folder / "versions").glob(".draft*")] == []


def test_order_of_syncs_and_renames(toy: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Every file, then the manifest and the folder, then the rename, its folder, and then ``dataset.toml``."""
    events: list[str] = []
    fsync, rename, replace = os.fsync, Path.rename, Path.replace

    def name_of(descriptor: int) -> str:
        return Path(os.readlink(f"/proc/self/fd/{descriptor}")).name

    def synced(descriptor: int) -> None:
        events.append(f"sync {name_of(descriptor)}")
        fsync(descriptor)

    def renamed(path: Path, target: Path) -> Path:
        events.append(f"rename {path.name}")
        return rename(path, target)

    def replaced(path: Path, target: Path) -> Path:
        events.append(f"replace {Path(target).name}")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "rename", renamed)
    monkeypatch.setattr(Path, "replace", replaced)
    write_folder(toy, tmp_path / "toy")
    publish = next(n for n, event in enumerate(events) if event.startswith("rename .draft"))
    files = ("items.parquet", "users.parquet", "interactions.parquet", "manifest.json")
    assert all(f"sync {name}" in events[:publish] for name in files)
    assert events[publish - 1].startswith("sync .draft")
    assert events[publish + 1] == "sync versions"
    commit = events.index("replace dataset.toml")
    assert events[commit - 1].startswith("sync .dataset.toml")
    assert commit > publish + 1
    assert events[commit + 1] == "sync toy"


@pytest.mark.parametrize("failing", ["fsync", "rename", "replace", "mkdir"])
def test_a_full_disk_at_every_step(toy: Dataset, toy_folder: Dataset, monkeypatch: pytest.MonkeyPatch, failing: str):
    """The N-th call fails, for N = 1, 2, … until none does: before that the old dataset is there, then the new one."""
    folder = toy_folder.folder
    assert folder is not None
    new = changed(toy, " new")
    owner: Any = os if failing == "fsync" else Path
    real = getattr(owner, failing)
    for number in range(1, 40):
        calls = 0

        def broken(*args: Any, number: int = number, **keywords: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == number:
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(*args, **keywords)

        with monkeypatch.context() as patch:
            patch.setattr(owner, failing, broken)
            try:
                write_folder(new, folder)
            except ColdlensError as error:
                assert "No space left on device" in str(error), (number, error)
                assert error.fix.endswith("."), number
            else:
                break
        assert read_folder(folder).fingerprint in (toy.fingerprint, new.fingerprint), number
        assert [path.name for path in (folder / "versions").glob(".draft*")] == []
        assert list(folder.glob(".dataset.toml*")) == []
    assert number > 1
    assert read_folder(folder).fingerprint == new.fingerprint


def test_info_round_trips_with_odd_texts(toy: Dataset, tmp_path: Path):
    info = DatasetInfo('quote " \\ \n \t\x00 ü 日本', words={"a.b [c]": {"": "x", '"': "y"}}, liked_from=0.5)
    (tmp_path / "d" / "draft").mkdir(parents=True)
    pd.DataFrame({"item_id": ["1"], "title": ["a"]}).to_parquet(tmp_path / "d" / "draft" / "items.parquet")
    key = commit_version(tmp_path / "d", info, tmp_path / "d" / "draft")
    assert read_info(tmp_path / "d") == info
    assert files_of(tmp_path / "d").name == f"data-{key[:16]}"
