import json
import os
from pathlib import Path

import pytest

from recsys.artifact import MANIFEST, ArtifactStore
from recsys.errors import ArtifactError

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
    artifact = store.open("text", KEY)
    assert (artifact.path / "data.bin").read_bytes() == b"0123456789"
    assert artifact.about == {"n": 3}
    assert left_behind(store) == [artifact.path.name]


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
    assert events[at + 1 :] == ["sync artifacts"]


def test_folder_that_cannot_be_made_is_our_error(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ArtifactError, match="could not be written"):
        publish(ArtifactStore(tmp_path / "file" / "artifacts"))
