"""A publish is old or new, never half: killed anywhere, cut from its power anywhere, failing anywhere, rotten anywhere."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.artifact import ArtifactStore
from recsys.datasets.versions import files_of
from recsys.errors import ArtifactError, ColdlensError
from tests import faulty

ROOT = Path(__file__).resolve().parents[1]
SCENES = list(faulty.SCENES)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, where there is one: to wait for a real disk takes most of the time, and changes no answer."""
    if not Path("/dev/shm").is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="coldlens-faults-", dir="/dev/shm") as folder:
        yield Path(folder)


def rare(scene: str, *more: str) -> Any:
    """What the other scene has shown already, but for a few lines of code."""
    return pytest.param(scene, *more, marks=pytest.mark.release)


def happened(mode: str, scene: str, folder: Path, **environment: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.faulty", mode, scene, str(folder / "disk")]
    one_thread = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, **one_thread, **environment}, timeout=1200
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    print(mode, scene, {key: value for key, value in found.items() if key != "wrong"})
    return found


@pytest.mark.parametrize(
    ("scene", "mode"),
    [("artifact", "kill"), ("dataset", "kill"), rare("artifact", "kill-first"), rare("dataset", "kill-first")],
)
def test_killed_at_every_call_of_one_publish(scene: str, mode: str, disk: Path):
    found = happened(mode, scene, disk)
    assert found["wrong"] == [] and found["left"] == 0
    assert found["points"] >= 18
    old = "killed 1" if mode == "kill" else "killed 0"
    assert found["seen"][old] > 10 and found["seen"]["killed 2"] >= 2 and found["seen"]["done 2"] == 1


@pytest.mark.parametrize(
    ("scene", "mode"),
    [("artifact", "cut"), ("dataset", "cut"), rare("artifact", "cut-first"), ("dataset", "cut-first")],
)
def test_the_power_goes_at_every_call_of_one_publish(scene: str, mode: str, disk: Path):
    found = happened(mode, scene, disk)
    assert found["wrong"] == [] and found["ended"] == "done"
    assert found["points"] >= 18 and found["cuts"] == 4 * (found["points"] + 1)


@pytest.mark.parametrize("scene", [rare("artifact"), "dataset"])
def test_without_syncing_the_power_would_take_it(scene: str, disk: Path):
    """The control of the one above."""
    found = happened("cut-unsynced", scene, disk)
    ways = Counter(way for _, _, way, _ in found["wrong"])
    assert ways["names"] and ways["nothing"] and ways["some"], ways


@pytest.mark.parametrize("scene", [rare("artifact"), "dataset"])
def test_every_call_fails_once(scene: str, disk: Path):
    """The disk is full, then in the release also broken, read-only, and no file can be opened."""
    found = happened("fail-once", scene, disk)
    assert found["wrong"] == []
    assert found["seen"]["refused 1"] > 10 and found["seen"]["done 2"] >= 1


@pytest.mark.release
@pytest.mark.parametrize("scene", SCENES)
def test_every_call_fails_for_every_reason(scene: str, tmp_path: Path):
    assert happened("fail", scene, tmp_path)["wrong"] == []


@pytest.mark.release
@pytest.mark.parametrize("scene", SCENES)
def test_two_hundred_kills_at_random(scene: str, tmp_path: Path):
    found = happened("random", scene, tmp_path)
    assert found["wrong"] == [] and found["left"] == 0
    assert found["seen"]["killed"] > 100 and found["seen"]["new"] > 5 and found["seen"]["old"] > 50


@pytest.mark.release
@pytest.mark.parametrize("scene", SCENES)
def test_what_the_kernel_is_asked_in_which_order(scene: str, tmp_path: Path):
    """``strace`` sees what no patch of Python's does."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    code = (
        f"from pathlib import Path; from tests import faulty; faulty.SCENES[{scene!r}][0](Path({str(tmp_path)!r}), 1)"
    )
    calls = "fsync,fdatasync,rename,renameat,renameat2"
    (tmp_path / "toy").mkdir()
    subprocess.run(
        ["strace", "-f", "-y", "-e", f"trace={calls}", "-o", str(tmp_path / "calls"), sys.executable, "-c", code],
        cwd=ROOT, check=True, timeout=300,
    )  # fmt: skip
    lines = [line for line in (tmp_path / "calls").read_text().splitlines() if str(tmp_path) in line]
    told = [_call(line, tmp_path) for line in lines]
    at = next(n for n, call in enumerate(told) if re.fullmatch(r"rename \.draft-\S+ (text|data)-\w+", call))
    for name in ("vectors.npy", "ids.json", "manifest.json"):
        assert any(call.startswith("fsync") and call.endswith(name) for call in told[:at]), told
    assert re.fullmatch(r"fsync \.draft-\S+", told[at - 1]), told
    if scene == "artifact":
        assert told[at + 1 :] == ["fsync artifacts", "fsync toy"]
    else:
        assert told[at + 1] == "fsync versions" and told[at + 2] == "fsync toy"
        commit = next(n for n, call in enumerate(told) if "dataset.toml" in call and call.startswith("rename"))
        assert told[commit - 1].startswith("fsync .dataset.toml") and told[commit + 1] == "fsync toy"


def _call(line: str, root: Path) -> str:
    names = [Path(name).name for name in re.findall(rf'["<]({re.escape(str(root))}[^">]*)[">]', line)]
    kind = "fsync" if "sync(" in line else "rename"
    return " ".join((kind, *names))


# ---- a disk that is really full --------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MB; only root may make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if not made or made.returncode:
        pytest.skip("a disk of 8 MB cannot be made here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("scene", SCENES)
def test_a_disk_that_is_really_full(scene: str, small_disk: Path):
    publish, read = faulty.SCENES[scene]
    publish(small_disk, faulty.OLD)
    filler = small_disk / "filler"
    for free_kb in (0, 1, 4, 8, 12, 40):
        filler.write_bytes(b"")
        room = shutil.disk_usage(small_disk).free - (free_kb << 10)
        filler.write_bytes(bytes(max(0, room)))
        try:
            publish(small_disk, faulty.NEW)
        except ColdlensError as error:
            assert "No space left on device" in str(error), error
            assert read(small_disk) == faulty.OLD
        else:
            assert read(small_disk) == faulty.NEW
            assert free_kb >= 12
    assert read(small_disk) == faulty.NEW
    assert faulty.drafts(small_disk) == []


def test_what_numpy_says_of_a_full_disk_is_passed_on(small_disk: Path):
    with (
        pytest.raises(ArtifactError) as raised,
        ArtifactStore(small_disk / "a").publish("x", "key", about={}) as folder,
    ):
        np.save(folder / "vectors.npy", np.zeros(5 << 20, np.float32))
    assert re.search("No space left on device|Not enough free space to write 20971520 bytes", raised.value.what)


def test_numpy_says_nothing_of_a_disk_that_fills_meanwhile(small_disk: Path, monkeypatch: pytest.MonkeyPatch):
    """It looks for room before it writes; then somebody else takes it."""
    store = ArtifactStore(small_disk / "a")
    with pytest.raises(ArtifactError) as raised, store.publish("x", "key", about={}):
        (small_disk / "filler").write_bytes(bytes(shutil.disk_usage(small_disk).free - 4096))
        raise OSError("4000000 requested and 262112 written")
    assert raised.value.what == "The artifact could not be written (No space left on device)"
    (small_disk / "filler").unlink()
    with pytest.raises(ArtifactError, match="4000000 requested"), store.publish("x", "key", about={}):
        raise OSError("4000000 requested and 262112 written")


# ---- bit rot ---------------------------------------------------------------------------------------------------------------


def flip(content: bytes, rng: np.random.Generator, others: list[bytes]) -> bytes:
    at = int(rng.integers(len(content)))
    return content[:at] + bytes([content[at] ^ (1 << int(rng.integers(8)))]) + content[at + 1 :]


def cut(content: bytes, rng: np.random.Generator, others: list[bytes]) -> bytes:
    return content[: int(rng.integers(len(content)))]


def zero(content: bytes, rng: np.random.Generator, others: list[bytes]) -> bytes:
    at = int(rng.integers(len(content)))
    return content[:at] + bytes(min(512, len(content) - at)) + content[at + 512 :]


def swap(content: bytes, rng: np.random.Generator, others: list[bytes]) -> bytes:
    return others[int(rng.integers(len(others)))]


DAMAGES: list[Callable[[bytes, np.random.Generator, list[bytes]], bytes]] = [flip, flip, flip, cut, zero, swap]


@pytest.mark.parametrize("scene", SCENES)
def test_five_hundred_damages_are_all_noticed_by_name(scene: str, tmp_path: Path):
    publish, read = faulty.SCENES[scene]
    publish(tmp_path, faulty.OLD)
    folder = (
        tmp_path / "toy" / "artifacts" / f"text-{faulty.KEY[:16]}"
        if scene == "artifact"
        else files_of(tmp_path / "toy")
    )
    paths = sorted(folder.iterdir())
    contents = {path: path.read_bytes() for path in paths}
    rng, noticed = np.random.default_rng(3), Counter[str]()
    while noticed.total() < 500:
        path, damage = paths[noticed.total() % len(paths)], DAMAGES[int(rng.integers(len(DAMAGES)))]
        bad = damage(contents[path], rng, [content for other, content in contents.items() if other != path])
        if bad == contents[path]:
            continue
        path.write_bytes(bad)
        with pytest.raises(ColdlensError) as raised:
            read(tmp_path)
        assert folder.name in str(raised.value), raised.value
        assert raised.value.fix.startswith(("Build it again", "Import or fetch")), raised.value
        noticed[f"{path.name} {damage.__name__}"] += 1
        path.write_bytes(contents[path])
        assert noticed.total() % 50 or read(tmp_path) == faulty.OLD
    assert len(noticed) == 3 * 4
    path.write_bytes(b"")
    publish(tmp_path, faulty.OLD)  # and the same work again replaces what is damaged
    assert read(tmp_path) == faulty.OLD


def test_an_older_manifest_without_a_sum_is_still_read(tmp_path: Path):
    faulty.publish_artifact(tmp_path, faulty.OLD)
    [path] = (tmp_path / "toy" / "artifacts").glob("text-*/manifest.json")
    manifest = json.loads(path.read_text("utf-8"))
    assert len(manifest.pop("sum")) == 64
    path.write_text(json.dumps(manifest, indent=1), "utf-8")
    assert faulty.read_artifact(tmp_path) == faulty.OLD
