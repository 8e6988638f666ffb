"""An import that is killed, or whose disk is full at any moment: the dataset is the old one or the new one, always whole."""

import errno
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from recsys.datasets import open_dataset
from recsys.datasets.importing import import_files
from recsys.errors import ArtifactError, ColdlensError, DataError
from recsys.lock import writing
from tests.datasets.importing.shop import ITEMS, RATINGS, USERS, run, write

ROUNDS = int(os.environ.get("COLDLENS_TEST_KILLS", "20"))
_ZYGOTE = """
import os, sys
from pathlib import Path
from recsys.datasets.importing import import_files
folder = Path(sys.argv[1])
files = sorted((folder / "new").iterdir())
import_files(files, "warm", data_dir=folder / "other", dry_run=True)
print("ready", flush=True)
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        import_files(files, "shop", data_dir=folder / line.strip(), replace=True)
        os._exit(0)
    print(pid, flush=True)
    _, status = os.waitpid(pid, 0)
    print(status, flush=True)
"""


def old_and_new(folder: Path, n: int) -> tuple[list[Path], list[Path]]:
    rng = np.random.default_rng(0)
    old = write(folder / "old", {"items.csv": ITEMS, "users.csv": USERS, "ratings.csv": RATINGS})
    items = "item_id,title,genres,year\n" + "".join(f"{k},New {k},Drama,{1950 + k % 70}\n" for k in range(n))
    pairs = zip(rng.integers(0, 50, n), rng.integers(0, n, n), strict=True)
    ratings = "user_id,item_id,rating\n" + "".join(f"u{user},{item},4\n" for user, item in pairs)
    return old, write(folder / "new", {"items.csv": items, "ratings.csv": ratings})


def drafts(folder: Path) -> list[str]:
    return [
        str(path.relative_to(folder))
        for path in folder.rglob(".*")
        if path.name.startswith((".draft", ".gone", ".dataset.toml")) and "rejected" not in path.parts
    ]


@pytest.mark.slow
def test_killed_at_any_moment(tmp_path: Path):
    old_files, new_files = old_and_new(tmp_path, 3000)
    import_files(new_files, "shop", data_dir=tmp_path / "whole")
    new = open_dataset("shop", data_dir=tmp_path / "whole").fingerprint
    import_files(old_files, "shop", data_dir=tmp_path / "data")
    old = open_dataset("shop", data_dir=tmp_path / "data").fingerprint
    assert old != new
    command = [sys.executable, "-c", _ZYGOTE, str(tmp_path)]
    root = Path(__file__).parents[3]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as zygote:
        assert zygote.stdin is not None
        assert zygote.stdout is not None
        assert zygote.stdout.readline() == "ready\n"

        def begin(data: str) -> int:
            zygote.stdin.write(f"{data}\n")  # type: ignore[union-attr]
            zygote.stdin.flush()  # type: ignore[union-attr]
            return int(zygote.stdout.readline())  # type: ignore[union-attr]

        def duration() -> float:
            started = time.perf_counter()
            begin("timed")
            assert zygote.stdout.readline() == "0\n"  # type: ignore[union-attr]
            return time.perf_counter() - started

        seconds = min(duration() for _ in range(5))
        rng = random.Random(0)
        seen = {"old": 0, "new": 0}
        n_killed = 0
        for number in range(ROUNDS):
            pid = begin("data")
            time.sleep(rng.uniform(0, seconds))
            with suppress(ProcessLookupError):  # it was done already
                os.kill(pid, signal.SIGKILL)
            n_killed += zygote.stdout.readline() == f"{signal.SIGKILL}\n"
            found = open_dataset("shop", data_dir=tmp_path / "data").fingerprint
            assert found in (old, new), number
            seen["old" if found == old else "new"] += 1
            if found == new:
                import_files(old_files, "shop", data_dir=tmp_path / "data", replace=True)
        assert n_killed > ROUNDS / 2, (n_killed, seconds)
        begin("data")
        assert zygote.stdout.readline() == "0\n"
        zygote.stdin.close()
    print(f"{n_killed} of {ROUNDS} killed within {seconds:.3f} s; then it was {seen}")
    assert seen["old"] > 0
    assert open_dataset("shop", data_dir=tmp_path / "data").fingerprint == new
    assert drafts(tmp_path / "data") == []


def test_order_of_syncs_and_renames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Every file, then the manifest and the folder, then the rename, its folder, and last ``dataset.toml``."""
    events: list[str] = []
    fsync, rename, replace = os.fsync, Path.rename, Path.replace

    def synced(descriptor: int) -> None:
        events.append(f"sync {Path(os.readlink(f'/proc/self/fd/{descriptor}')).name}")
        fsync(descriptor)

    def renamed(path: Path, target: Path) -> Path:
        events.append(f"rename {path.name} {Path(target).name}")
        return rename(path, target)

    def replaced(path: Path, target: Path) -> Path:
        if not Path(target).name.startswith(".writing"):
            events.append(f"replace {Path(target).name}")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "rename", renamed)
    monkeypatch.setattr(Path, "replace", replaced)
    run(tmp_path, {"items.csv": ITEMS, "users.csv": USERS, "ratings.csv": RATINGS})
    [publish] = [n for n, event in enumerate(events) if " data-" in event]
    for name in ("items.parquet", "users.parquet", "interactions.parquet", "manifest.json"):
        assert f"sync {name}" in events[:publish]
    assert events[publish].startswith("rename .draft-")
    assert events[publish - 1].startswith("sync .draft-")
    commit = events.index("replace dataset.toml")
    assert publish < events.index("sync versions") < commit
    assert events[commit - 1].startswith("sync .dataset.toml-")
    assert events[commit + 1] == "sync shop"
    assert events.count("replace dataset.toml") == 1


FAULTS = {
    "write": (pq.ParquetWriter, "write_table"), "close": (pq.ParquetWriter, "close"), "fsync": (os, "fsync"),
    "rename": (Path, "rename"), "replace": (Path, "replace"), "mkdir": (Path, "mkdir"), "text": (Path, "write_text"),
    "open": (Path, "open"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO], ids=lambda number: errno.errorcode[number])
def test_a_disk_that_fails_at_every_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, number: int
):  # fmt: skip
    """The N-th call fails, for N = 1, 2, … until none does; what is told is the truth about what is there."""
    run(tmp_path, {"items.csv": ITEMS, "users.csv": USERS, "ratings.csv": RATINGS})
    old = open_dataset("shop", data_dir=tmp_path / "data").fingerprint
    files = write(tmp_path / "in", {"items.csv": ITEMS + "4,,,,\n5,More,,,\n"})
    owner, name = FAULTS[fault]
    real = getattr(owner, name)
    for nth in range(1, 60):
        calls = 0

        def broken(*args: Any, nth: int = nth, **keywords: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == nth:
                raise OSError(number, os.strerror(number))
            return real(*args, **keywords)

        with monkeypatch.context() as patch:
            patch.setattr(owner, name, broken)
            try:
                report = import_files(files, "shop", data_dir=tmp_path / "data", replace=True, valid_rows=True)
            except ColdlensError as error:
                report, told = None, str(error)
                assert os.strerror(number) in str(error), (nth, error)
                assert error.value is not None, nth
                assert error.fix.endswith("."), nth
        found = open_dataset("shop", data_dir=tmp_path / "data").fingerprint
        assert drafts(tmp_path / "data") == [], nth
        if report is not None:
            assert found != old, nth
        elif "nothing was changed" in told:
            assert found == old, (nth, told)
        if calls < nth:
            break
        if found != old:
            run(tmp_path, {"items.csv": ITEMS, "users.csv": USERS, "ratings.csv": RATINGS}, replace=True)
            write(tmp_path / "in", {"items.csv": ITEMS + "4,,,,\n5,More,,,\n"})
    assert nth > 1
    assert report is not None
    assert report.is_published


def test_a_new_dataset_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    paths = write(tmp_path / "in", {"items.csv": ITEMS})

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    with pytest.raises(DataError) as raised:
        import_files(paths, "shop", data_dir=tmp_path / "data")
    assert str(raised.value) == (
        f"The dataset could not be written (No space left on device): '{tmp_path / 'data' / 'shop'}'. "
        "Free some space or make the folder writable, then try again; nothing was changed."
    )
    assert not (tmp_path / "data" / "shop").exists()


def test_a_second_writer_is_refused_and_harms_nothing(tmp_path: Path):
    run(tmp_path, {"items.csv": ITEMS})
    with writing(tmp_path / "data" / "shop", "encoding"), pytest.raises(ArtifactError) as raised:
        run(tmp_path, {"items.csv": ITEMS}, replace=True)
    assert raised.value.what == "Another process is writing this dataset"
    assert raised.value.value == f"shop: encoding, process {os.getpid()}"
    assert len(open_dataset("shop", data_dir=tmp_path / "data").items) == 3


def test_a_second_writer_does_not_remove_what_the_first_has_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The first makes the folder after the second has looked whether it is there."""
    folder = tmp_path / "data" / "shop"
    first = writing(folder, "import")
    exists = Path.exists

    def look(path: Path, **keywords: Any) -> bool:
        found = exists(path, **keywords)
        if path == folder and not found:
            first.__enter__()
            (folder / "versions").mkdir()
            (folder / "versions" / "begun").write_text("much work")
        return found

    monkeypatch.setattr(Path, "exists", look)
    with pytest.raises(ArtifactError, match="Another process is writing this dataset"):
        run(tmp_path, {"items.csv": ITEMS})
    assert (folder / "versions" / "begun").read_text() == "much work"
    first.__exit__(None, None, None)


def test_a_folder_that_is_a_file(tmp_path: Path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "shop").write_text("mine")
    with pytest.raises(ColdlensError) as raised:
        run(tmp_path, {"items.csv": ITEMS})
    assert raised.value.fix.endswith(".")
    assert (tmp_path / "data" / "shop").read_text() == "mine"
    (tmp_path / "file").write_text("")
    with pytest.raises(ColdlensError):
        import_files(write(tmp_path / "in", {"items.csv": ITEMS}), "shop", data_dir=tmp_path / "file")


@pytest.mark.parametrize(
    "name", [".draft-999999999-0", ".draft-99999999999999999999999-0", ".draft-x-0", ".draft-", ".draft"]
)
def test_drafts_of_others(tmp_path: Path, name: str):
    run(tmp_path, {"items.csv": ITEMS})
    path = tmp_path / "data" / "shop" / "versions" / name
    path.mkdir()
    report = run(tmp_path, {"items.csv": ITEMS}, replace=True)
    assert report.is_published
    assert path.exists() == (name != ".draft-999999999-0")
