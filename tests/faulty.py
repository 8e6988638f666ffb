"""A disk that stops at any call, fails at any call, or forgets with the power what was not synced, for whoever publishes on it.

``python -m tests.faulty MODE SCENE FOLDER`` forks a child for every point of one publish, lets it happen there, and has another
child look at what is left; it prints what was seen as JSON. What is published follows a closed form, so that every number of
it can be checked, and an old version cannot pass for a new one.
"""

import builtins
import errno
import io
import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from recsys import artifact
from recsys.artifact import ArtifactStore
from recsys.datasets.versions import INFO_FILE, files_of, publish_version, read_info
from recsys.errors import ColdlensError
from recsys.schema import DatasetInfo

ROWS, DIM = 300, 8
KEY = "k" * 64
NOTHING, OLD, NEW = 0, 1, 2
"""Versions."""


# ---- what is published -----------------------------------------------------------------------------------------------------


def vectors(version: int, rows: int = ROWS) -> np.ndarray:
    return (np.arange(rows * DIM, dtype=np.float32) * 0.5 + version * 100_000).reshape(rows, DIM)


def ids(version: int, rows: int = ROWS) -> list[str]:
    return [f"{version}-{row}" for row in range(rows)]


def fill(folder: Path, version: int, rows: int = ROWS) -> None:
    np.save(folder / "vectors.npy", vectors(version, rows), allow_pickle=False)
    (folder / "ids.json").write_text(json.dumps(ids(version, rows)), "utf-8")


def check(folder: Path, version: int, rows: int = ROWS) -> int:
    found = np.load(folder / "vectors.npy", allow_pickle=False)
    assert found.dtype == np.float32 and np.array_equal(found, vectors(version, rows)), version
    assert json.loads((folder / "ids.json").read_text("utf-8")) == ids(version, rows), version
    return version


def publish_artifact(folder: Path, version: int) -> None:
    """The same key with another content, which takes the old one's place."""
    with ArtifactStore(folder / "toy" / "artifacts").publish("text", KEY, about={"version": version}) as draft:
        fill(draft, version)


def read_artifact(folder: Path) -> int:
    store = ArtifactStore(folder / "toy" / "artifacts")
    if not store.path("text", KEY).exists():
        return NOTHING
    opened = store.open("text", KEY)
    return check(opened.path, opened.about["version"])


def publish_dataset(folder: Path, version: int) -> None:
    with publish_version(folder / "toy", DatasetInfo(str(version))) as draft:
        fill(draft, version)


def read_dataset(folder: Path) -> int:
    if not (folder / "toy" / INFO_FILE).exists():
        return NOTHING
    return check(files_of(folder / "toy"), int(read_info(folder / "toy").title))


SCENES: dict[str, tuple[Callable[[Path, int], None], Callable[[Path], int]]] = {
    "artifact": (publish_artifact, read_artifact),
    "dataset": (publish_dataset, read_dataset),
}


# ---- the disk --------------------------------------------------------------------------------------------------------------


class _File:
    """A file whose writes can be stopped in the middle."""

    def __init__(self, inner: Any, disk: "Disk", path: str) -> None:
        self._inner, self._disk, self._path = inner, disk, path

    def write(self, data: Any) -> int:
        def half() -> None:
            self._inner.write(data[: len(data) // 2])
            self._inner.flush()

        self._disk.step("write", self._path, half)
        return int(self._inner.write(data))

    def __enter__(self) -> "_File":
        return self

    def __exit__(self, *about: Any) -> None:
        self._inner.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@dataclass
class Disk:
    """Counts the calls that change the disk, and calls ``act`` in front of the one with the number ``at``, from 1.

    Attributes:
        act: gets the name of the call, its path, and what does one half of a write.
        events: what was called, in order.
        syncs: whether ``fsync`` does anything.
    """

    at: int = 0
    act: Callable[[str, str, Callable[[], None]], None] = lambda name, path, half: None
    syncs: bool = True
    memory: "Memory | None" = None
    events: list[tuple[str, str]] = field(default_factory=list)

    def step(self, name: str, path: Any, half: Callable[[], None] = lambda: None) -> None:
        path = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else f"{path}"
        if path.endswith(".lock"):
            return
        self.events.append((name, path))
        if len(self.events) == self.at:
            self.act(name, path, half)

    @contextmanager
    def failing(self) -> Iterator["Disk"]:
        """Everything that Python does to files goes through this disk."""
        kept = {
            name: getattr(os, name) for name in ("fsync", "rename", "replace", "mkdir", "rmdir", "unlink", "remove")
        }
        opened, exchanged = builtins.open, artifact._exchange

        def wrapped(name: str) -> Callable[..., Any]:
            def call(path: Any, *more: Any, **options: Any) -> Any:
                self.step(name, path)
                found = kept[name](path, *more, **options)
                if name == "mkdir" and self.memory:
                    self.memory.forget(path)
                return found

            return call

        def sync(descriptor: int) -> None:
            self.step("fsync", os.readlink(f"/proc/self/fd/{descriptor}"))
            if self.syncs:
                kept["fsync"](descriptor)
                if self.memory:
                    self.memory.keep(f"/proc/self/fd/{descriptor}")

        def open_file(file: Any, mode: str = "r", *more: Any, **options: Any) -> Any:
            if not isinstance(file, str | os.PathLike) or not set(mode) & set("wax+"):
                return opened(file, mode, *more, **options)
            self.step("open", file)
            is_new = not os.path.exists(file)
            found = opened(file, mode, *more, **options)
            if is_new and self.memory:
                self.memory.forget(file)
            return _File(found, self, os.fspath(file))

        def exchange(one: Path, other: Path) -> bool:
            self.step("exchange", one)
            return exchanged(one, other)

        patched = {name: wrapped(name) for name in kept if name != "fsync"} | {"fsync": sync}
        for name, function in patched.items():
            setattr(os, name, function)
        builtins.open = io.open = open_file  # type: ignore[assignment]
        artifact._exchange = exchange
        try:
            yield self
        finally:
            for name, function in kept.items():
                setattr(os, name, function)
            builtins.open = io.open = opened
            artifact._exchange = exchanged


class Memory:
    """What of a folder outlasts a power cut: of a file what it held when it was synced last, of a folder which names it had."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._held: dict[int, bytes] = {}
        self._names: dict[int, dict[str, int]] = {}
        for path in (root, *root.rglob("*")):
            self.keep(str(path))

    def keep(self, path: str) -> None:
        number = os.stat(path).st_ino
        if os.path.isdir(path):
            self._names[number] = _names_in(path)
        else:
            self._held[number] = Path(path).read_bytes()

    def forget(self, path: Any) -> None:
        """Something new has the number of something that was removed."""
        number = os.stat(path).st_ino
        self._held.pop(number, None)
        self._names.pop(number, None)

    def left(self, target: Path, *, names: Callable[[], bool], content: Callable[[], bool]) -> None:
        """Writes what is left after a cut.

        Args:
            names: asked for each folder, whether what was done in it since it was synced is there all the same.
            content: the same of each file.
        """
        here = {os.stat(path).st_ino: path for path in (self._root, *self._root.rglob("*"))}

        def write(number: int, to: Path) -> None:
            now = here.get(number)
            is_folder = number in self._names or (now is not None and now.is_dir())
            if is_folder:
                to.mkdir(parents=True, exist_ok=True)
                is_current = now is not None and names()
                inside = _names_in(str(now)) if is_current else self._names.get(number, {})
                for name, inner in inside.items():
                    write(inner, to / name)
            elif now is not None and content():
                shutil.copyfile(now, to)
            else:
                to.write_bytes(self._held.get(number, b""))

        write(os.stat(self._root).st_ino, target)


def _names_in(path: str) -> dict[str, int]:
    with os.scandir(path) as found:
        return {entry.name: entry.inode() for entry in found}


# ---- what happens ----------------------------------------------------------------------------------------------------------


def child(work: Callable[[], Any]) -> Any:
    """Does work in a forked process, and returns what it gives as JSON; ``"killed"`` if it ended without."""
    read, write = os.pipe()
    if (pid := os.fork()) == 0:
        try:
            found = work()
        except BaseException:
            found = traceback.format_exc()
        os.write(write, json.dumps(found).encode())
        os._exit(0)
    os.close(write)
    with open(read, "rb") as pipe:
        told = pipe.read()
    os.waitpid(pid, 0)
    return json.loads(told) if told else "killed"


def seen(read: Callable[[Path], int], folder: Path) -> Any:
    """The version that a fresh process finds, or why it finds none."""
    return child(lambda: read(folder))


def started(scene: str, folder: Path, name: str, *, is_first: bool) -> Path:
    """A folder in which the old version is published; or none, but for the folder itself."""
    target = folder / name
    if not (start := folder / "start").exists():
        (start / "toy" if scene == "artifact" else start).mkdir(parents=True)  # a dataset makes its own folder
        if not is_first:
            child(lambda: SCENES[scene][0](start, OLD))
    shutil.copytree(start, target)
    return target


def allowed(ended: str, *, is_first: bool) -> tuple[int, int]:
    """The versions that may be there: what has been acknowledged is never lost."""
    return (NEW, NEW) if ended == "done" else (NOTHING if is_first else OLD, NEW)


def kill_everywhere(scene: str, folder: Path, *, is_first: bool = False) -> dict[str, Any]:
    """A kill in front of every call, and in the middle of every write; then the same work again must end well."""
    publish, read = SCENES[scene]
    found, wrong, n_left = Counter[str](), [], 0

    def die(name: str, path: str, half: Callable[[], None]) -> None:
        half()
        os.kill(os.getpid(), signal.SIGKILL)

    at = 0
    while True:
        at += 1
        here = started(scene, folder, f"kill-{at}", is_first=is_first)

        def work(here: Path = here, at: int = at) -> str:
            with Disk(at, die).failing():
                publish(here, NEW)
            return "done"

        ended, left = child(work), seen(read, here)
        if left not in allowed(ended, is_first=is_first):
            wrong.append([at, ended, left])
        found[f"{ended} {left}"] += 1
        if child(lambda here=here: publish(here, NEW)) is not None or seen(read, here) != NEW:
            wrong.append([at, "again", seen(read, here)])
        n_left += len(drafts(here))
        shutil.rmtree(here)
        if ended == "done":
            return {"points": at - 1, "seen": found, "wrong": wrong, "left": n_left}


def kill_at_random(scene: str, folder: Path, rounds: int) -> dict[str, Any]:
    """Kills at any moment of many publishes, one after the other, each of which is read back."""
    publish, read = SCENES[scene]
    rng, now, wrong, found = random.Random(1), OLD, [], Counter[str]()
    here = started(scene, folder, "random", is_first=False)
    spent = []
    for _ in range(5):
        begun = time.perf_counter()
        now = NEW if now == OLD else OLD
        child(lambda now=now: publish(here, now))
        spent.append(time.perf_counter() - begun)
    for number in range(rounds):
        wanted = NEW if now == OLD else OLD
        if (pid := os.fork()) == 0:
            publish(here, wanted)
            os._exit(0)
        time.sleep(rng.uniform(0, min(spent)))
        os.kill(pid, signal.SIGKILL)
        was_killed = os.waitpid(pid, 0)[1] == signal.SIGKILL
        left = seen(read, here)
        if left != wanted if not was_killed else left not in (now, wanted):
            wrong.append([number, was_killed, left])
        found["killed" if was_killed else "done"] += 1
        found["new" if left == wanted else "old"] += 1
        now = left if left in (OLD, NEW) else now
    child(lambda: publish(here, OLD if now == NEW else NEW))
    return {"rounds": rounds, "seen": found, "wrong": wrong, "left": len(drafts(here))}


def drafts(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob(".*") if path.name.startswith((".draft", ".gone", ".dataset.toml"))]


def cut_everywhere(scene: str, folder: Path, *, is_first: bool = False, syncs: bool = True) -> dict[str, Any]:
    """The power goes in front of every call: nothing that was not synced is left, or all names, or whatever chance will."""
    publish, read = SCENES[scene]
    wrong, n_cuts, at = [], 0, 0
    ways: dict[str, Callable[[random.Random], bool]] = {
        "names": lambda rng: True, "nothing": lambda rng: False, "some": lambda rng: rng.random() < 0.5,
        "others": lambda rng: rng.random() < 0.5,
    }  # fmt: skip
    while True:
        at += 1
        here = started(scene, folder, f"cut-{at}", is_first=is_first)
        memory = Memory(here)

        def cut(*about: Any, here: Path = here, memory: Memory = memory, at: int = at) -> None:
            for number, (way, chance) in enumerate(ways.items()):
                rng = random.Random(at * 10 + number)
                content = (lambda: False) if way in ("names", "nothing") else (lambda rng=rng: rng.random() < 0.5)
                target = here.with_name(f"{here.name}-{way}")
                memory.left(target, names=lambda rng=rng, chance=chance: chance(rng), content=content)

        def work(here: Path = here, memory: Memory = memory, cut: Any = cut, at: int = at) -> str:
            def act(*about: Any) -> None:
                for name, function in kept.items():
                    setattr(os, name, function)
                builtins.open = io.open = opened
                cut()
                os.kill(os.getpid(), signal.SIGKILL)

            kept = {
                name: getattr(os, name) for name in ("rename", "replace", "mkdir", "rmdir", "unlink", "remove", "fsync")
            }
            opened = builtins.open
            with Disk(at, act, syncs=syncs, memory=memory).failing():
                publish(here, NEW)
            cut()
            return "done"

        ended = child(work)
        for way in ways:
            n_cuts += 1
            left = seen(read, here.with_name(f"{here.name}-{way}"))
            if left not in allowed(ended, is_first=is_first):
                wrong.append([at, ended, way, left])
            shutil.rmtree(here.with_name(f"{here.name}-{way}"))
        shutil.rmtree(here)
        if ended not in ("killed",):
            return {"points": at - 1, "cuts": n_cuts, "wrong": wrong, "ended": ended}


def fail_everywhere(scene: str, folder: Path, *, numbers: tuple[int, ...] | None = None) -> dict[str, Any]:
    """Every call fails once, with every reason; what is told is true of what is there."""
    publish, read = SCENES[scene]
    wrong, found = [], Counter[str]()
    numbers = numbers or (errno.ENOSPC, errno.EIO, errno.EMFILE, errno.EROFS)
    for number in numbers:
        at = 0
        while True:
            at += 1
            here = started(scene, folder, f"fail-{number}-{at}", is_first=False)

            def act(name: str, path: str, half: Callable[[], None], number: int = number) -> None:
                half()
                raise OSError(number, os.strerror(number), path)

            def work(here: Path = here, at: int = at, act: Any = act) -> list[Any]:
                disk = Disk(at, act)
                told = ""
                with disk.failing():
                    try:
                        publish(here, NEW)
                    except ColdlensError as error:
                        told = str(error)
                return [told, len(disk.events)]

            told, n_calls = child(work)
            left = seen(read, here)
            if told:
                if os.strerror(number) not in told or not told.endswith("."):
                    wrong.append([number, at, "told", told])
                if left not in (OLD, NEW) or ("nothing was changed" in told and left != OLD):
                    wrong.append([number, at, told, left])
            elif left != NEW:
                wrong.append([number, at, "silent", left])
            found[f"{'refused' if told else 'done'} {left}"] += 1
            if child(lambda here=here: publish(here, NEW)) is not None or seen(read, here) != NEW or drafts(here):
                wrong.append([number, at, "again", seen(read, here), drafts(here)])
            shutil.rmtree(here)
            if n_calls < at:
                break
    return {"seen": found, "wrong": wrong}


MODES: dict[str, Callable[..., dict[str, Any]]] = {
    "kill": kill_everywhere, "kill-first": lambda scene, folder: kill_everywhere(scene, folder, is_first=True),
    "random": lambda scene, folder: kill_at_random(scene, folder, int(os.environ.get("ROUNDS", "200"))),
    "cut": cut_everywhere, "cut-first": lambda scene, folder: cut_everywhere(scene, folder, is_first=True),
    "cut-unsynced": lambda scene, folder: cut_everywhere(scene, folder, syncs=False),
    "fail": fail_everywhere,
    "fail-once": lambda scene, folder: fail_everywhere(scene, folder, numbers=(errno.ENOSPC,)),
}  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(MODES[sys.argv[1]](sys.argv[2], Path(sys.argv[3]))))
