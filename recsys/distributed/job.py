"""The folder of one encoding job, which all machines see: texts to encode, vectors that are done, and what Ray remembers."""

import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys.distributed.worker import HASH, TEXT, VECTOR
from recsys.errors import ArtifactError

_MOST_ROWS = 65_536
"""Texts in one file: one task reads one, about 10 MB."""


@dataclass(frozen=True)
class EncodingJob:
    """One catalog and one encoder; it is found again by its folder's name, and goes on where it was stopped.

    Attributes:
        folder: on storage that all machines see under the same name.
    """

    folder: Path

    @property
    def texts(self) -> Path:
        """Parquet files of (hash, text)."""
        return self.folder / "texts"

    @property
    def vectors(self) -> Path:
        """Parquet files of (hash, vector)."""
        return self.folder / "vectors"

    @property
    def checkpoint(self) -> Path:
        """The hashes that are done, as Ray keeps them."""
        return self.folder / "checkpoint"

    def prepare(self, texts: Mapping[bytes, str], *, rows_per_file: int) -> bool:
        """Writes the texts, unless a stopped job has these and maybe more.

        Args:
            texts: by hash.
            rows_per_file: texts that one task reads; at most 65,536.

        Returns:
            Whether a stopped job goes on.

        Raises:
            ArtifactError: if the folder cannot be written.
        """
        if self.texts.is_dir() and self._hashes() >= set(texts):
            return True
        try:
            shutil.rmtree(self.folder, ignore_errors=True)
            draft = self.folder / f".texts-{os.getpid()}-{uuid.uuid4().hex[:8]}"
            draft.mkdir(parents=True)
            self._write(draft, list(texts.items()), min(rows_per_file, _MOST_ROWS))
            draft.rename(self.texts)
        except OSError as error:
            fix = "Name a folder with --into that all machines can write."
            raise ArtifactError(
                f"The texts cannot be written ({error.strerror or error})", self.folder, fix=fix
            ) from error
        return False

    def blocks(self, dim: int, rows: int) -> Iterator[tuple[list[bytes], np.ndarray]]:
        """Yields what is done, every text once, as hashes and ``(n, dim)`` float32, at most ``rows`` at a time.

        Raises:
            ArtifactError: if a text is missing, or vectors are damaged.
        """
        missing = self._hashes()
        hashes: list[bytes] = []
        kept: list[np.ndarray] = []
        for known, vectors in self._done(dim):
            # a task that is killed between its file and its checkpoint is repeated, so that a text may stand in two files
            first = {one: row for row, one in reversed(list(enumerate(known)))}
            own = sorted(row for one, row in first.items() if one in missing)
            missing.difference_update(known)
            for start in range(0, len(own), rows):
                part = own[start : start + rows]
                if hashes and len(hashes) + len(part) > rows:
                    yield hashes, np.concatenate(kept)
                    hashes, kept = [], []
                hashes += [known[row] for row in part]
                kept.append(vectors[part])
        if missing:
            fix = "Run the same command again; it encodes what is missing."
            raise ArtifactError(f"{len(missing):,} texts have no vector", self.folder, fix=fix)
        if hashes:
            yield hashes, np.concatenate(kept)

    def n_written(self) -> int:
        """Returns how many vectors the files hold, twice written ones twice."""
        import pyarrow.parquet as pq

        return sum(pq.read_metadata(path).num_rows for path in self._files(self.vectors))

    def remove(self) -> None:
        """Removes the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def _files(folder: Path) -> list[Path]:
        return sorted(folder.glob("*.parquet"))

    def n_files(self) -> int:
        """Returns how many files of texts there are."""
        return len(self._files(self.texts))

    @staticmethod
    def _write(folder: Path, texts: list[tuple[bytes, str]], rows_per_file: int) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        for number, start in enumerate(range(0, len(texts), rows_per_file)):
            part = texts[start : start + rows_per_file]
            columns = {HASH: [known.hex() for known, _ in part], TEXT: [text for _, text in part]}
            pq.write_table(pa.table(columns), folder / f"{number:06d}.parquet")

    def _hashes(self) -> set[bytes]:
        import pyarrow.parquet as pq

        found: set[bytes] = set()
        for path in self._files(self.texts):
            found.update(map(bytes.fromhex, pq.read_table(path, columns=[HASH])[HASH].to_pylist()))
        return found

    def _done(self, dim: int) -> Iterator[tuple[list[bytes], np.ndarray]]:
        import pyarrow.parquet as pq

        for path in self._files(self.vectors):
            table = pq.read_table(path, columns=[HASH, VECTOR])
            flat = table[VECTOR].combine_chunks().flatten().to_numpy(zero_copy_only=False)
            if flat.dtype != np.float32 or flat.size != len(table) * dim or not np.isfinite(flat).all():
                fix = "Remove the folder and run the command again."
                raise ArtifactError("A file of vectors is damaged", path, fix=fix)
            yield [bytes.fromhex(known) for known in table[HASH].to_pylist()], flat.reshape(len(table), dim)
