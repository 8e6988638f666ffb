"""Embeddings are made once: what was encoded for one state of a catalog is never encoded for the next."""

import errno
import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.artifact import ArtifactStore
from recsys.datasets import write_folder
from recsys.encoder.protocol import Progress
from recsys.errors import ArtifactError
from recsys.schema import Dataset, DatasetInfo
from recsys.views import embeddings, kept_vectors
from recsys.views.embeddings import Embedded, build_embeddings, embed_items
from recsys.views.kept_vectors import KeptVectors
from tests.toy import ToyEncoder

BLOCK = 64


class DrawnEncoder(ToyEncoder):
    """Every text has a vector of its own, which also depends a little on the batch, as in bfloat16; may be stopped."""

    dim = 8

    def __init__(self, identity: str = "drawn-1", *, blocks: int = 10**9) -> None:
        super().__init__(identity)
        self.blocks = blocks

    def encode(self, texts: Sequence[str], *, bulk: bool = False, progress: Progress | None = None) -> np.ndarray:
        if self.blocks == 0:
            raise KeyboardInterrupt
        self.blocks -= 1
        self.encoded += texts
        vectors = np.array([drawn(text) for text in texts], np.float32).reshape(len(texts), self.dim)
        if progress:
            for done in (len(texts) // 2, len(texts)):
                progress(done, len(texts))
        return vectors + np.float32(1e-6 * len(texts))


def drawn(text: str) -> np.ndarray:
    seed = int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8])
    return np.random.default_rng(seed).normal(size=8)


def catalog(titles: Sequence[str]) -> Dataset:
    items = pd.DataFrame({"item_id": [f"i{row}" for row in range(len(titles))], "title": list(titles)})
    users = pd.DataFrame({"user_id": []}, dtype=str)
    likes = pd.DataFrame({"user_id": [], "item_id": []}, dtype=str)
    return Dataset("shop", DatasetInfo(title="Shop", item_template="{title}"), items, users, likes)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embeddings, "BLOCK", BLOCK)
    monkeypatch.setattr(kept_vectors, "_ROWS", 100)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(catalog(["first"]), tmp_path / "shop").folder


def titles(n: int) -> list[str]:
    return [f"Thing number {row}" for row in range(n)]


def made(folder: Path, names: Sequence[str], encoder: DrawnEncoder | None = None) -> tuple[Embedded, list[str]]:
    """Returns what was built and the texts that were encoded for it."""
    encoder = encoder or DrawnEncoder()
    found = build_embeddings(replace(catalog(names), folder=folder), encoder)
    assert found.vectors.shape == (len(names), 8)
    assert np.abs(found.vectors - np.array([drawn(name) for name in names]).reshape(-1, 8)).max(initial=0) < 1e-3
    assert found.n_encoded == len(encoder.encoded)
    return found, encoder.encoded


def names_of(folder: Path, kind: str) -> set[str]:
    return {path.name for path in (folder / "artifacts").glob(f"{kind}-*")}


def bytes_of(folder: Path, found: Embedded) -> bytes:
    return (ArtifactStore(folder / "artifacts").open("text", found.key).path / "embeddings.npy").read_bytes()


def test_what_was_added_is_encoded_and_nothing_else(folder: Path):
    before = titles(1000)
    assert len(made(folder, before)[1]) == 1000
    assert made(folder, before)[1] == []
    added = [f"New thing {row}" for row in range(100)]

    found, encoded = made(folder, before[:500] + added + before[500:])

    assert encoded == added
    assert found.n_encoded == 100


@pytest.mark.parametrize(
    ("change", "n_encoded"),
    [
        (lambda names: [*names[:7], "a", "b", "c", *names[10:]], 3),
        (lambda names: names[5:], 0),
        (lambda names: names[::-1], 0),
        (lambda names: names + names[:50], 0),
        (lambda names: [*names, "new", "new", "new"], 1),
        (lambda names: [], 0),
    ],
    ids=["edited", "deleted", "order changed", "repeated", "new and repeated", "all deleted"],
)
def test_what_a_change_encodes(folder: Path, change, n_encoded: int):
    made(folder, titles(200))
    assert len(made(folder, change(titles(200)))[1]) == n_encoded


def test_the_same_text_is_encoded_once(folder: Path):
    found, encoded = made(folder, ["one", "two", "one", "one"])
    assert encoded == ["one", "two"]
    assert (found.vectors[0] == found.vectors[3]).all()


def test_the_empty_text_is_a_text(folder: Path):
    made(folder, ["", "🎻", "ordinary"])
    assert made(folder, ["🎻", "", "more"])[1] == ["more"]


def test_another_encoder_reuses_nothing_and_takes_nothing_away(folder: Path):
    made(folder, titles(100))
    assert len(made(folder, titles(100), DrawnEncoder("drawn-2"))[1]) == 100
    assert made(folder, titles(100))[1] == []


def test_vectors_are_those_of_a_build_from_scratch(folder: Path, tmp_path: Path):
    exact = ToyEncoder()
    names = [f"space {row}" if row % 3 else f"romance comedy {row}" for row in range(300)]
    for some in (names[:150], names[40:200], names):
        found = build_embeddings(replace(catalog(some), folder=folder), exact)
    scratch = write_folder(catalog(["first"]), tmp_path / "scratch").folder

    anew = build_embeddings(replace(catalog(names), folder=scratch), ToyEncoder())

    assert anew.key == found.key
    assert bytes_of(scratch, anew) == bytes_of(folder, found)
    vectors, key = embed_items(catalog(names), ToyEncoder())
    assert (key, vectors.tolist()) == (anew.key, anew.vectors.tolist())


@pytest.mark.parametrize("blocks", [0, 1, 2, 3])
def test_a_killed_build_goes_on_and_ends_with_the_same_bytes(folder: Path, tmp_path: Path, blocks: int):
    names = titles(4 * BLOCK - 10)
    with pytest.raises(KeyboardInterrupt):
        made(folder, names, DrawnEncoder(blocks=blocks))
    assert len(names_of(folder, "textpart")) == blocks
    scratch = write_folder(catalog(["first"]), tmp_path / "scratch").folder
    undisturbed, _ = made(scratch, names)

    found, encoded = made(folder, names)

    assert encoded == names[blocks * BLOCK :]
    assert bytes_of(folder, found) == bytes_of(scratch, undisturbed)
    assert names_of(folder, "textpart") == set()


def test_parts_of_a_catalog_that_changed_meanwhile_are_used(folder: Path):
    with pytest.raises(KeyboardInterrupt):
        made(folder, titles(300), DrawnEncoder(blocks=2))
    assert len(made(folder, ["new", *titles(300)])[1]) == 301 - 2 * BLOCK


def test_parts_that_outlived_their_build_are_removed_and_those_of_another_are_not(folder: Path, tmp_path: Path):
    for names in (titles(200), [f"Other {row}" for row in range(200)]):
        with pytest.raises(KeyboardInterrupt):
            made(folder, names, DrawnEncoder(blocks=2))
    shutil.copytree(folder / "artifacts", tmp_path / "left")
    made(folder, titles(200))
    for path in (tmp_path / "left").glob("textpart-*"):
        path.rename(folder / "artifacts" / path.name)
    assert len(names_of(folder, "textpart")) == 4

    assert made(folder, titles(200))[1] == []

    assert len(names_of(folder, "textpart")) == 2
    assert len(made(folder, [f"Other {row}" for row in range(200)])[1]) == 200 - 2 * BLOCK


def test_a_single_block_publishes_no_part(folder: Path, monkeypatch: pytest.MonkeyPatch):
    kinds, publish = [], ArtifactStore.publish

    def seen(store: ArtifactStore, kind: str, key: str, **more):
        kinds.append(kind)
        return publish(store, kind, key, **more)

    monkeypatch.setattr(ArtifactStore, "publish", seen)
    made(folder, titles(BLOCK))
    made(folder, titles(2 * BLOCK))
    made(folder, titles(4 * BLOCK))

    assert kinds == ["text", "text", "textpart", "textpart", "text"]


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))


def test_a_damaged_part_is_encoded_again(folder: Path):
    with pytest.raises(KeyboardInterrupt):
        made(folder, titles(300), DrawnEncoder(blocks=3))
    damage(next((folder / "artifacts").glob("textpart-*/vectors.npy")))
    assert len(made(folder, titles(300))[1]) == 300 - 2 * BLOCK


def test_damaged_embeddings_are_not_taken_over(folder: Path):
    made(folder, titles(100))
    damage(next((folder / "artifacts").glob("text-*/hashes.npy")))
    assert len(made(folder, titles(101))[1]) == 101


def test_embeddings_of_an_older_version_are_opened_but_not_taken_over(folder: Path):
    found, _ = made(folder, titles(50))
    store = ArtifactStore(folder / "artifacts")
    about = store.about("text", found.key)
    vectors = np.array(found.vectors)
    store.remove("text", found.key)
    with store.publish("text", found.key, about=about) as draft:
        np.save(draft / "embeddings.npy", vectors)
    assert made(folder, titles(50))[1] == []
    assert len(made(folder, titles(51))[1]) == 51


def test_arrays_that_do_not_fit_are_not_taken_over(folder: Path):
    store = ArtifactStore(folder / "artifacts")
    wrong = {"short": (np.zeros((2, 16), np.uint8), np.zeros((3, 8), np.float32))}
    wrong["narrow"] = (np.zeros((3, 16), np.uint8), np.zeros((3, 7), np.float32))
    wrong["hashes"] = (np.zeros((3, 15), np.uint8), np.zeros((3, 8), np.float32))
    for name, (hashes, vectors) in wrong.items():
        with store.publish("textpart", name, about={"identity": "drawn-1"}) as draft:
            np.save(draft / "hashes.npy", hashes)
            np.save(draft / "vectors.npy", vectors)
    assert KeptVectors.from_store(store, identity="drawn-1", dim=8).arrays == []
    assert len(made(folder, titles(5))[1]) == 5


def test_the_newest_and_the_one_before_are_kept(folder: Path):
    first = made(folder, titles(10))[0]
    second = made(folder, titles(11))[0]
    other = made(folder, titles(10), DrawnEncoder("drawn-2"))[0]
    third = made(folder, titles(12))[0]

    store = ArtifactStore(folder / "artifacts")
    assert set(store.keys("text")) == {second.key, third.key, other.key}
    assert np.isfinite(first.vectors).all()  # still mapped by who had opened it
    assert not list(store.root.glob(".*-*"))


def test_files_that_vanish_while_old_ones_are_removed(folder: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(KeyboardInterrupt):
        made(folder, titles(300), DrawnEncoder(blocks=2))
    about = ArtifactStore.about

    def vanish(store: ArtifactStore, kind: str, key: str):
        found = about(store, kind, key)
        if kind == "textpart" and store.path(kind, key).exists() and names_of(folder, "text"):
            shutil.rmtree(store.path(kind, key))
        return found

    monkeypatch.setattr(ArtifactStore, "about", vanish)
    made(folder, titles(300))
    assert names_of(folder, "textpart") == set()


def test_progress_counts_items_and_starts_with_those_that_are_known(folder: Path):
    made(folder, titles(100))
    names, told = [*titles(100), "new", "new", *(f"more {row}" for row in range(98))], []

    found = build_embeddings(
        replace(catalog(names), folder=folder), DrawnEncoder(), progress=lambda *report: told.append(report)
    )

    assert told[0] == ("encode", 100, 200)
    assert told[-3:] == [("encode", 200, 200), ("index", 0, 1), ("index", 1, 1)]
    done = [report[1] for report in told if report[0] == "encode"]
    assert done == sorted(done)
    assert found.n_encoded == 99


@pytest.mark.parametrize(("fails", "n_lost"), [("save", 170), ("fsync", 170), ("write", 0)])
def test_a_full_disk_leaves_what_was_there(folder: Path, monkeypatch: pytest.MonkeyPatch, fails: str, n_lost: int):
    before = made(folder, titles(30))[0]
    held = bytes_of(folder, before)

    def full(*arguments: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    where = {"save": "numpy.save", "fsync": "os.fsync", "write": "numpy.lib.format.write_array_header_1_0"}
    with monkeypatch.context() as patch:
        patch.setattr(where[fails], full)
        with pytest.raises(ArtifactError, match=r"could not be written \(No space left on device\)") as caught:
            made(folder, titles(200))

    assert "Free some space" in caught.value.fix
    assert bytes_of(folder, before) == held
    assert not list((folder / "artifacts").glob(".draft-*"))
    assert made(folder, titles(200))[0].n_encoded == n_lost


def test_a_folder_that_cannot_be_written_is_our_error(tmp_path: Path):
    (tmp_path / "artifacts").write_text("a file in the place of the folder")
    with pytest.raises(ArtifactError, match="could not be written") as caught:
        made(tmp_path, titles(3))
    assert "make the folder writable" in caught.value.fix


def test_data_in_memory_are_encoded_every_time():
    encoder = DrawnEncoder()
    found = build_embeddings(catalog(titles(5)), encoder)
    assert (found.n_encoded, len(encoder.encoded)) == (5, 5)
