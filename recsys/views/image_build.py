"""How the image view of a catalog is made: every picture is looked at once, in blocks that are published one by one."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recsys.artifact import ArtifactStore
from recsys.encoder import Encoder, reads_text
from recsys.errors import ArtifactError, DataError
from recsys.settings import Limits
from recsys.views.decoder import Decoder
from recsys.views.image_encoder import ImageEncoder
from recsys.views.kept_pictures import FEATURES, KIND, PART, KeptPictures, save_block
from recsys.views.kept_vectors import HASH_BYTES, keys_of
from recsys.views.picture_sources import PictureSources
from recsys.views.thumbnails import MIME, Thumbnails, make_thumbnail
from recsys.views.view import IMAGE, ItemView

if TYPE_CHECKING:
    from PIL.Image import Image

Progress = Callable[[int, int], None]
"""Called with (items done, items that have a picture)."""
BLOCK = 128
"""Pictures that are looked at and kept at a time."""
_AT_ONCE = 32
"""Pictures that the encoder looks at together."""
_KEPT = 2
"""Views of an encoder that stay: the newest, and the one before, which an open dashboard may still read."""
_FORMAT = "image-1"
_VECTORS, _WORDS, _ROWS, _FAULTS = "vectors.npy", "words.npy", "rows.npy", "faults.json"


@dataclass
class ImageBuild:
    """One state of the pictures of a catalog, and how its view is made.

    Attributes:
        item_ids: for an item_row.
        names: for an item_row what stands in the column of images; empty where nothing does.
        hashes: for an item_row the hash of its picture, ``None`` where it has none or it cannot be read.
        faults: for an item_row why its picture cannot be read.
    """

    store: ArtifactStore
    encoder: ImageEncoder
    text_encoder: Encoder
    sources: PictureSources
    limits: Limits
    item_ids: Sequence[str]
    names: Sequence[str]
    hashes: list[bytes | None] = field(default_factory=list)
    faults: dict[int, str] = field(default_factory=dict)

    def find_out(self) -> None:
        """Reads every file once, for its hash."""
        for row, name in enumerate(self.names):
            found = None
            if name:
                try:
                    found = hashlib.sha256(self.sources.read(name)).digest()[:HASH_BYTES]
                except DataError as error:
                    self.faults[row] = str(error)
            self.hashes.append(found)

    @property
    def key(self) -> str:
        """SHA-256 of everything that the view depends on."""
        limits = [self.limits.picture_mb, self.limits.picture_pixels, self.limits.picture_side]
        words = self.text_encoder.identity if self.encoder.encode_words is None else ""
        digest = hashlib.sha256(json.dumps([_FORMAT, self.encoder.identity, words, limits]).encode())
        for row, found in enumerate(self.hashes):
            digest.update(found or self.faults.get(row, "").encode("utf-8", "surrogatepass") + b"\0")
        return digest.hexdigest()

    @property
    def _has_words(self) -> bool:
        """Whether words reach the pictures: by the encoder of pictures itself, or over a bridge from one of texts."""
        return self.encoder.encode_words is not None or reads_text(self.text_encoder)

    def open(self, progress: Progress, *, is_mapped: bool) -> ItemView:
        """Opens the view, or makes it.

        Args:
            is_mapped: whether arrays stay files, which must then stay where they are.

        Raises:
            ArtifactError: if it cannot be written.
        """
        key = self.key
        try:
            folder = self.store.open(KIND, key).path
        except ArtifactError:
            self._make(key, progress)
            folder = self.store.open(KIND, key).path
        vectors, words, rows = (
            np.load(folder / name, mmap_mode="r", allow_pickle=False) for name in (_VECTORS, _WORDS, _ROWS)
        )
        thumbnails = Thumbnails.from_folder(folder, rows)
        if not is_mapped:
            vectors, words, thumbnails = np.array(vectors), np.array(words), thumbnails.in_memory()
        told = json.loads((folder / _FAULTS).read_text("utf-8"))
        return ItemView(
            IMAGE,
            vectors,
            key,
            self.encoder.name,
            words if self._has_words else None,
            self.encoder.encode_words,
            self.encoder.words_by,
            media=thumbnails.of,
            mime=MIME,
            faults={self.item_ids[int(row)]: why for row, why in told.items()},
        )

    def _make(self, key: str, progress: Progress) -> None:
        kept = KeptPictures.from_store(self.store, identity=self.encoder.identity, dim=self.encoder.dim)
        refused = self._look_at_new(kept, progress)
        about = {"encoder": self.encoder.name, "identity": self.encoder.identity, "n_items": len(self.names)}
        with self.store.publish(KIND, key, about=about) as folder:
            known = [found for found in dict.fromkeys(self.hashes) if found is not None and found in kept]
            kept.save(folder, known)
            numbers = {found: number for number, found in enumerate(known)}
            rows = np.array([-1 if found is None else numbers.get(found, -1) for found in self.hashes], np.int32)
            np.save(folder / _ROWS, rows, allow_pickle=False)
            features = np.load(folder / FEATURES, mmap_mode="r", allow_pickle=False)
            np.save(folder / _VECTORS, _spread(self.encoder.vectors(features), rows), allow_pickle=False)
            words = np.zeros((len(features), 0), np.float32)
            if self._has_words:
                words = self.encoder.bridge(features, self.text_encoder)
            np.save(folder / _WORDS, _spread(words, rows), allow_pickle=False)
            (folder / _FAULTS).write_text(json.dumps(self._faults(refused), ensure_ascii=False), "utf-8")
        self._forget(key)

    def _faults(self, refused: dict[bytes, DataError]) -> dict[str, str]:
        """For the row of an item, as text, why it has no picture."""
        found = dict(self.faults)
        for row, picture in enumerate(self.hashes):
            if picture in refused:
                error = refused[picture]
                found[row] = str(DataError(error.what, self.names[row], fix=error.fix))
        return {str(row): found[row] for row in sorted(found)}

    def _look_at_new(self, kept: KeptPictures, progress: Progress) -> dict[bytes, DataError]:
        """Looks at the pictures that are not known, block by block, and returns those that are refused."""
        n_items = Counter(found for found in self.hashes if found is not None)
        names = dict(zip(reversed(self.hashes), reversed(self.names), strict=True))  # of each, the first
        missing = [found for found in n_items if found not in kept]
        total, refused = sum(map(bool, self.names)), {}
        done = total - sum(n_items[found] for found in missing)
        if done:
            progress(done, total)
        with Decoder(self.limits) as decoder:
            for start in range(0, len(missing), BLOCK):
                block = _Block(self.encoder)
                for found in missing[start : start + BLOCK]:
                    try:
                        block.take(found, decoder.picture(self._read_again(found, names[found]), names[found]))
                    except DataError as error:
                        refused[found] = error
                    done += n_items[found]
                    progress(done, total)
                if block.hashes:
                    kept.add_folder(self._published(block))
        return refused

    def _read_again(self, found: bytes, name: str) -> bytes:
        data = self.sources.read(name)
        if hashlib.sha256(data).digest()[:HASH_BYTES] != found:
            raise DataError("The picture changed while it was read", name, fix="Build again.")
        return data

    def _published(self, block: "_Block") -> Path:
        identity = self.encoder.identity
        key = hashlib.sha256(b"".join((identity.encode(), *block.hashes))).hexdigest()
        about = {"encoder": self.encoder.name, "identity": identity, "n_pictures": len(block.hashes)}
        with self.store.publish(PART, key, about=about) as folder:
            save_block(folder, block.hashes, block.features(), block.thumbnails)
        return self.store.open(PART, key).path

    def _forget(self, key: str) -> None:
        """Removes the parts of a build that is done, and views that are older than the last one before."""
        for part in keys_of(self.store, PART, self.encoder.identity):
            self.store.remove(PART, part)
        before = [known for known in keys_of(self.store, KIND, self.encoder.identity) if known != key]
        for old in before[_KEPT - 1 :]:
            self.store.remove(KIND, old)


class _Block:
    """Pictures of one block; what the encoder looks at is prepared at once, looked at together, and let go."""

    def __init__(self, encoder: ImageEncoder) -> None:
        self._encoder = encoder
        self._waiting: list[np.ndarray] = []
        self._features: list[np.ndarray] = []
        self.hashes: list[bytes] = []
        self.thumbnails: list[bytes] = []

    def take(self, found: bytes, picture: "Image") -> None:
        """Adds a picture."""
        self._waiting.append(self._encoder.prepare(picture))
        self.hashes.append(found)
        self.thumbnails.append(make_thumbnail(picture))
        if len(self._waiting) == _AT_ONCE:
            self._look()

    def features(self) -> np.ndarray:
        """Returns ``(n, dim)`` float32."""
        if self._waiting:
            self._look()
        return np.concatenate(self._features)

    def _look(self) -> None:
        self._features.append(self._encoder.look(np.stack(self._waiting)))
        self._waiting = []


def _spread(rows_of_pictures: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Returns ``(n_items, dim)`` float32, zeros where an item has no picture."""
    spread = np.zeros((len(numbers), rows_of_pictures.shape[1]), np.float32)
    spread[numbers >= 0] = rows_of_pictures[numbers[numbers >= 0]]
    return spread
