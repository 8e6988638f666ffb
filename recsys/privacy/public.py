"""Everything that a private fit takes for granted: the catalog, the answers there are, and the bounds. No user is in it."""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from recsys.encoder import Encoder, reads_text
from recsys.errors import DataError
from recsys.privacy.columns import UserColumns
from recsys.privacy.config import PrivateConfig
from recsys.schema import Dataset
from recsys.schema.dataset import fingerprint_of_frame
from recsys.scorer import FactBasis
from recsys.views.embeddings import embeddings_key
from recsys.views.text import item_texts

_FORMAT = 1
_ROWS = 16_384
_TINY = 1e-6
"""Directions in which the texts differ less than this share of the widest one are left out."""


@dataclass(frozen=True, eq=False)
class Public:
    """What is known before any user is looked at.

    Attributes:
        catalog: SHA-256 of the encoder, the items and their texts.
        columns: the answers that users can have given.
        config: bounds and penalties.
        centre: ``(dim,)``, the mean embedding of the items.
        words: ``(n_categories, dim)``, the embedding of each category of the catalog, which is what interests are taken from;
            zero for one that the encoder cannot read.
        reading: ``(dim, k)``, orthonormal columns: the main directions of the items' texts.
        answering: ``(dim, k)``, the same directions scaled so that the items, ``(embeddings - centre) @ answering``, have
            orthonormal columns. Then a user's likes are no longer in those directions than they are.
    """

    catalog: str
    columns: UserColumns
    config: PrivateConfig
    centre: np.ndarray
    words: np.ndarray
    reading: np.ndarray
    answering: np.ndarray

    _ARRAYS = ("centre", "words", "reading", "answering")

    @classmethod
    def from_catalog(
        cls,
        dataset: Dataset,
        item_vectors: np.ndarray,
        *,
        encoder: Encoder,
        columns: UserColumns,
        config: PrivateConfig | None = None,
    ) -> "Public":
        """Takes the main directions of the items' texts; the users of the dataset are not looked at.

        Args:
            item_vectors: ``(n_items, dim)``, the text embeddings.
        """
        config = config or PrivateConfig()
        centre = item_vectors.mean(axis=0, dtype=np.float64)
        spread = np.zeros((len(centre), len(centre)))
        for start in range(0, len(item_vectors), _ROWS):
            shown = np.asarray(item_vectors[start : start + _ROWS], np.float64) - centre
            spread += shown.T @ shown
        values, vectors = np.linalg.eigh(spread)
        kept = np.flatnonzero(values > _TINY * max(values.max(initial=0.0), 1e-300))[::-1][: config.rank]
        reading = vectors[:, kept]
        answering = reading / np.sqrt(values[kept])
        key, words = catalog_key(dataset, encoder), _words(dataset, encoder)
        return cls(key, columns, config, centre, words, reading, answering)

    @property
    def k(self) -> int:
        """Number of directions."""
        return self.reading.shape[1]

    @cached_property
    def interest_centre(self) -> np.ndarray:
        """``(dim,)``: the mean embedding of the categories that can be read; ``centre`` where there are none."""
        read = self.words[self.words.any(axis=1)]
        return np.asarray(read.mean(axis=0)) if len(read) else self.centre

    @cached_property
    def basis(self) -> FactBasis:
        """Facts as numbers, centred on nobody."""
        config, columns = self.config, self.columns
        return FactBasis.from_values(
            config.knots, columns.genders, columns.attributes, attribute_weight=config.attribute_weight
        )

    def items(self, item_vectors: np.ndarray) -> np.ndarray:
        """Returns ``(n_items, k)`` float64: the items in these directions."""
        found = np.empty((len(item_vectors), self.k))
        for start in range(0, len(found), _ROWS):
            rows = slice(start, start + _ROWS)
            found[rows] = (np.asarray(item_vectors[rows], np.float64) - self.centre) @ self.answering
        return found

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of all of it; sums made under different ones do not belong together."""
        digest = hashlib.sha256(json.dumps(self._plain, sort_keys=True).encode())
        for name in self._ARRAYS:
            digest.update(np.ascontiguousarray(getattr(self, name), np.float64).tobytes())
        return digest.hexdigest()

    @property
    def _plain(self) -> dict[str, Any]:
        return {
            "format": _FORMAT,
            "catalog": self.catalog,
            "columns": self.columns.to_dict(),
            "config": asdict(self.config),
        }

    def save(self, path: Path) -> None:
        """Writes one file, to be passed on to the sites of a federated fit.

        Raises:
            DataError: if it cannot be written.
        """
        arrays = {name: np.asarray(getattr(self, name), np.float64) for name in self._ARRAYS}
        write_arrays(path, self._plain, arrays)

    @classmethod
    def load(cls, path: Path) -> "Public":
        """Reads what ``save`` wrote.

        Raises:
            DataError: if it is no such file.
        """
        plain, arrays = read_arrays(path, cls._ARRAYS)
        try:
            config = plain["config"] | {"knots": tuple(plain["config"]["knots"])}
            return cls(plain["catalog"], UserColumns.from_dict(plain["columns"]), PrivateConfig(**config), **arrays)
        except (LookupError, TypeError):
            fix = "Make it again with `recsys federate prepare`."
            raise DataError("The public file is not understood", path, fix=fix) from None

    def check_catalog(self, dataset: Dataset, encoder: Encoder) -> None:
        """Refuses another catalog or encoder.

        Raises:
            DataError: if items, their texts or the encoder are not those that this was made from.
        """
        if catalog_key(dataset, encoder) != self.catalog:
            fix = "Use the same items.parquet, item template and encoder as those who made the public file."
            raise DataError("The catalog is not the one of the public file", dataset.name, fix=fix)


def _words(dataset: Dataset, encoder: Encoder) -> np.ndarray:
    if not reads_text(encoder):
        return np.zeros((len(dataset.categories), encoder.dim))
    found = encoder.encode(list(dataset.categories)).astype(np.float64)
    is_unknown = np.array([encoder.check(name).is_unknown for name in dataset.categories], bool)
    return np.where(is_unknown[:, None], 0.0, found)


def catalog_key(dataset: Dataset, encoder: Encoder) -> str:
    """Returns the SHA-256 of the encoder, the items and their texts."""
    parts = (embeddings_key(item_texts(dataset), encoder), fingerprint_of_frame(dataset.items))
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def write_arrays(path: Path, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Writes arrays and plain values as one ``.npz``, which is read back without pickle.

    Raises:
        DataError: if it cannot be written.
    """
    text = np.frombuffer(json.dumps(dict(plain)).encode(), np.uint8)
    try:
        with path.open("wb") as file:
            np.savez(file, about=text, allow_pickle=False, **dict(arrays))
    except OSError as error:
        fix = f"Name a file in a folder that exists ({error.strerror})."
        raise DataError("The file cannot be written", path, fix=fix) from None


def read_arrays(path: Path, names: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Reads what ``write_arrays`` wrote.

    Raises:
        DataError: if it cannot be read, is damaged or of another format, or an array is missing or no array of floats.
    """
    fix = "Take a file that `recsys federate` of this version has written."
    try:
        with path.open("rb") as file:
            _check_zip(file)
            with np.load(file, allow_pickle=False) as found:
                plain = json.loads(found["about"].tobytes())
                arrays = {name: found[name] for name in names}
    except OSError as error:
        raise DataError(f"The file cannot be read ({error.strerror or error})", path, fix=fix) from None
    except (ValueError, LookupError, EOFError, MemoryError, zipfile.BadZipFile):
        raise DataError("The file is damaged, or another kind of file", path, fix=fix) from None
    is_ours = isinstance(plain, dict) and plain.get("format") == _FORMAT
    if not is_ours or not all(array.dtype == np.float64 and np.isfinite(array).all() for array in arrays.values()):
        raise DataError("The file is of another format", path, fix=fix)
    return plain, arrays


def _check_zip(file: BinaryIO) -> None:
    """Refuses what is compressed, which we never write: a small file could unpack to more than the memory holds."""
    with zipfile.ZipFile(file) as found:
        if any(member.compress_type != zipfile.ZIP_STORED for member in found.infolist()):
            raise zipfile.BadZipFile
    file.seek(0)
