import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from filelock import FileLock

from recsys import artifact
from recsys.artifact import MANIFEST, ArtifactStore
from recsys.errors import ArtifactError
from recsys.lock import read_json, write_json, writer_of, writing

KEY = "k" * 64


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "artifacts")


def publish(store: ArtifactStore, content: bytes = b"0123456789", key: str = KEY) -> Path:
    with store.publish("text", key, about={"n": 3}) as folder:
        (folder / "data.bin").write_bytes(content)
    return store.path("text", key)


def left_behind(store: ArtifactStore) -> list[str]:
    return [path.name for path in store.root.iterdir() if path.name != ".lock"]


def test_published_artifact_opens(store: ArtifactStore):
    publish(store)
    opened = store.open("text", KEY)
    assert (opened.path / "data.bin").read_bytes() == b"0123456789"
    assert opened.about == {"n": 3}
    assert left_behind(store) == [opened.path.name]


def test_error_inside_publish_leaves_nothing(store: ArtifactStore):
    with pytest.raises(ZeroDivisionError), store.publish("text", KEY, about={}) as folder:
        (folder / "data.bin").write_bytes(b"half")
        raise ZeroDivisionError
    assert left_behind(store) == []
    with pytest.raises(ArtifactError, match="missing"):
        store.open("text", KEY)


def test_error_inside_publish_keeps_the_one_before(store: ArtifactStore):
    publish(store)
    with pytest.raises(ArtifactError, match=r"could not be written \(No space"), store.publish("text", KEY, about={}):
        raise OSError(28, "No space left on device")
    assert (store.open("text", KEY).path / "data.bin").read_bytes() == b"0123456789"


def test_republishing_replaces(store: ArtifactStore):
    publish(store)
    path = publish(store, b"new")
    assert (store.open("text", KEY).path / "data.bin").read_bytes() == b"new"
    assert left_behind(store) == [path.name]


def flip_a_byte(path: Path) -> None:
    (path / "data.bin").write_bytes(b"0123x56789")


def truncate(path: Path) -> None:
    (path / "data.bin").write_bytes(b"01234")


def remove(path: Path) -> None:
    (path / "data.bin").unlink()


@pytest.mark.parametrize("damage", [flip_a_byte, truncate, remove])
def test_damaged_file_is_refused(store: ArtifactStore, damage):
    damage(publish(store))
    with pytest.raises(ArtifactError, match=r"damaged: '.*data\.bin'"):
        store.open("text", KEY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1, 2]",
        "null",
        '"text"',
        json.dumps({"format": 1, "key": KEY}),
        json.dumps({"format": 1, "key": KEY, "files": {}}),
        json.dumps({"format": 1, "key": KEY, "files": ["data.bin"], "about": {}}),
        json.dumps({"format": 0, "key": KEY, "files": {}, "about": {}}),
        json.dumps({"format": 1, "key": "other", "files": {}, "about": {}}),
    ],
)
def test_bad_manifest_is_refused(store: ArtifactStore, text: str):
    (publish(store) / MANIFEST).write_text(text)
    with pytest.raises(ArtifactError) as caught:
        store.open("text", KEY)
    assert "recsys build" in caught.value.fix


def test_missing_manifest_and_binary_manifest_are_refused(store: ArtifactStore):
    path = publish(store)
    (path / MANIFEST).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ArtifactError, match="cannot be read"):
        store.open("text", KEY)
    (path / MANIFEST).unlink()
    with pytest.raises(ArtifactError, match="missing"):
        store.open("text", KEY)


def test_key_with_the_same_beginning_is_refused(store: ArtifactStore):
    publish(store)
    with pytest.raises(ArtifactError, match="another version"):
        store.open("text", KEY[:-1] + "x")


def test_everything_is_synced_before_the_rename(store: ArtifactStore, monkeypatch: pytest.MonkeyPatch):
    events: list[str] = []
    sync, rename = os.fsync, Path.rename

    def seen_sync(descriptor: int) -> None:
        events.append("sync " + Path(os.readlink(f"/proc/self/fd/{descriptor}")).name)
        sync(descriptor)

    def seen_rename(path: Path, target: Path) -> Path:
        events.append("rename " + path.name)
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", seen_sync)
    monkeypatch.setattr(Path, "rename", seen_rename)
    publish(store)
    at = next(n for n, event in enumerate(events) if event.startswith("rename .draft-"))
    draft = events[at].removeprefix("rename ")
    assert {"sync data.bin", f"sync {MANIFEST}", f"sync {draft}"} <= set(events[:at])
    assert events[at + 1 :] == ["sync artifacts", f"sync {store.root.parent.name}"]


def test_folder_that_cannot_be_made_is_our_error(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ArtifactError, match="could not be written"):
        publish(ArtifactStore(tmp_path / "file" / "artifacts"))


def test_the_same_content_is_not_published_again(store: ArtifactStore):
    before = publish(store).stat().st_ino
    assert publish(store).stat().st_ino == before
    assert publish(store, b"new").stat().st_ino != before
    assert len(left_behind(store)) == 1


@pytest.mark.parametrize("damage", [flip_a_byte, truncate, remove])
@pytest.mark.parametrize("is_linux", [True, False])
def test_a_damaged_one_is_replaced(store: ArtifactStore, damage, is_linux: bool, monkeypatch: pytest.MonkeyPatch):
    damage(publish(store))
    if not is_linux:
        monkeypatch.setattr(artifact, "_exchange", lambda one, other: False)
    path = publish(store)
    assert (store.open("text", KEY).path / "data.bin").read_bytes() == b"0123456789"
    assert left_behind(store) == [path.name]


def test_there_is_no_moment_without_one_while_another_content_replaces_it(
    store: ArtifactStore, monkeypatch: pytest.MonkeyPatch
):
    publish(store)
    monkeypatch.setattr(Path, "rename", None)  # two renames would leave a gap between them
    publish(store, b"new")
    assert (store.open("text", KEY).path / "data.bin").read_bytes() == b"new"


def test_removing(store: ArtifactStore):
    publish(store)
    publish(store, key="other")
    with (store.path("text", KEY) / "data.bin").open("rb") as held:
        store.remove("text", KEY)
        assert held.read() == b"0123456789"
    store.remove("text", KEY)
    assert store.keys("text") == ["other"]
    assert left_behind(store) == [store.path("text", "other").name]


def test_about_is_read_without_reading_the_files(store: ArtifactStore):
    flip_a_byte(publish(store))
    assert store.about("text", KEY) == {"n": 3}
    with pytest.raises(ArtifactError, match="missing"):
        store.about("text", "another")


def test_what_dead_processes_left_is_removed_and_what_live_ones_write_is_not(store: ArtifactStore):
    ended = subprocess.Popen(["true"])
    ended.wait()
    names = [f".draft-{ended.pid}-0", f".draft-{ended.pid}-0-old", f".gone-{ended.pid}-1"]
    kept = [f".draft-{os.getpid()}-2", ".draft-1-3", ".draft-odd-4"]
    for name in names + kept:
        (store.root / name).mkdir(parents=True)
        (store.root / name / "data.bin").write_bytes(b"half")
    path = publish(store)
    assert sorted(left_behind(store)) == sorted([*kept, path.name])


def test_waiting_for_a_lock_ends(store: ArtifactStore, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(artifact, "_PATIENCE", 0.1)
    store.root.mkdir()
    with (
        FileLock(store.root / ".lock"),
        pytest.raises(ArtifactError, match=r"locked by another process: '.*\.lock'\. End the process"),
    ):
        publish(store)
    assert left_behind(store) == []
    publish(store)


def read_only(*arguments: object, **options: object) -> None:
    raise OSError(30, "Read-only file system")


def test_a_lock_that_cannot_be_opened_is_our_error(
    store: ArtifactStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(FileLock, "acquire", read_only)
    with pytest.raises(ArtifactError, match=r"could not be written \(Read-only file system\)"):
        publish(store)
    with (
        pytest.raises(ArtifactError, match=r"cannot be locked for writing \(Read-only") as caught,
        writing(tmp_path, "x"),
    ):
        pass
    assert "Make the folder writable" in caught.value.fix


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_what_is_no_folder_cannot_be_locked(tmp_path: Path, name: str):
    (tmp_path / "file").write_text("")
    with pytest.raises(ArtifactError, match="cannot be locked for writing"), writing(tmp_path / name, "build"):
        pass
    assert writer_of(tmp_path / name) is None


def test_one_writer_at_a_time(tmp_path: Path):
    assert writer_of(tmp_path) is None
    with writing(tmp_path, "build"):
        holder = writer_of(tmp_path)
        assert holder is not None
        assert (holder["pid"], holder["what"]) == (os.getpid(), "build")
        assert 0 <= time.time() - holder["started"] < 60
        told = (
            f"Another process is writing this dataset: '{tmp_path.name}: build, process {os.getpid()}'. Wait until it"
        )
        with pytest.raises(ArtifactError) as caught, writing(tmp_path, "train"):
            pass
        assert str(caught.value).startswith(told)
    assert writer_of(tmp_path) is None
    with pytest.raises(ZeroDivisionError), writing(tmp_path, "train"):
        raise ZeroDivisionError
    with writing(tmp_path, "train"):
        (tmp_path / ".writing.json").write_text("{")
        assert writer_of(tmp_path) == {}


def test_who_looks_does_not_stand_in_the_way(tmp_path: Path):
    code = "import sys; from pathlib import Path; from recsys.lock import writer_of\nwhile True: writer_of(Path(sys.argv[1]))"
    with writing(tmp_path, "first"):
        pass
    looking = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    try:
        time.sleep(0.5)
        for _ in range(200):
            with writing(tmp_path, "build"):
                pass
    finally:
        looking.kill()
        looking.wait()


def test_the_lock_is_free_after_its_holder_was_killed(tmp_path: Path):
    code = "import sys, time; from pathlib import Path; from recsys.lock import writing\n"
    code += "with writing(Path(sys.argv[1]), 'import'): print('held', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert (writer_of(tmp_path) or {})["what"] == "import"
        with pytest.raises(ArtifactError, match=f"import, process {holder.pid}"), writing(tmp_path, "build"):
            pass
        holder.send_signal(signal.SIGKILL)
    assert writer_of(tmp_path) is None
    with writing(tmp_path, "build"):
        assert (writer_of(tmp_path) or {})["what"] == "build"


def test_small_files_of_state(tmp_path: Path):
    path = tmp_path / "state.json"
    assert read_json(path) is None
    write_json(path, {"told": "œ"})
    assert read_json(path) == {"told": "œ"}
    for wrong in (b"[1]", b"{", b"\xff"):
        path.write_bytes(wrong)
        assert read_json(path) is None
    assert [found.name for found in tmp_path.iterdir()] == ["state.json"]
