from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.distributed.job import EncodingJob
from recsys.errors import ArtifactError
from recsys.views.kept_vectors import text_hash

TEXTS = {text_hash(text): text for text in ("one", "two", "three", "four", "five")}
HASHES = list(TEXTS)
VECTORS = np.arange(10, dtype=np.float32).reshape(5, 2)


@pytest.fixture
def job(tmp_path: Path) -> EncodingJob:
    made = EncodingJob(tmp_path / "job")
    assert not made.prepare(TEXTS, rows_per_file=2)
    return made


def write(job: EncodingJob, name: str, rows: list[int], values: np.ndarray = VECTORS) -> None:
    column = pa.FixedSizeListArray.from_arrays(pa.array(values[rows].reshape(-1)), values.shape[1])
    job.vectors.mkdir(exist_ok=True)
    pq.write_table(pa.table({"hash": [HASHES[row].hex() for row in rows], "vector": column}), job.vectors / name)


def test_texts_are_written_once_and_found_again(job):
    assert job.n_files() == 3
    kept = {path: path.stat().st_mtime_ns for path in job.texts.iterdir()}
    fewer = dict(list(TEXTS.items())[1:])
    assert job.prepare(fewer, rows_per_file=1)
    assert {path: path.stat().st_mtime_ns for path in job.texts.iterdir()} == kept
    write(job, "a.parquet", [0])
    assert not job.prepare(TEXTS | {text_hash("six"): "six"}, rows_per_file=2)
    assert not job.vectors.exists()


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
def test_every_text_comes_back_once_however_often_it_was_written(job, rows):
    write(job, "a.parquet", [3, 1, 3])
    write(job, "b.parquet", [0, 1, 2])
    write(job, "c.parquet", [4, 0])
    assert job.n_written() == 8
    blocks = list(job.blocks(2, rows))
    found = {
        known: vector.tolist() for hashes, vectors in blocks for known, vector in zip(hashes, vectors, strict=True)
    }
    assert found == dict(zip(HASHES, VECTORS.tolist(), strict=True))
    assert [len(hashes) for hashes, _ in blocks] == {1: [1] * 5, 2: [2, 2, 1], 3: [2, 3], 100: [5]}[rows]


def test_a_missing_text_is_told(job):
    write(job, "a.parquet", [0, 1, 2])
    with pytest.raises(ArtifactError, match=r"2 texts have no vector: .*job'. Run the same command again"):
        list(job.blocks(2, 10))


@pytest.mark.parametrize(
    "damage", [np.full((5, 2), np.nan, np.float32), np.ones((5, 3), np.float32), np.ones((5, 2), np.float64)]
)
def test_damaged_vectors_are_refused(job, damage):
    write(job, "a.parquet", [0, 1, 2, 3, 4], damage)
    with pytest.raises(ArtifactError, match="A file of vectors is damaged"):
        list(job.blocks(2, 10))


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ArtifactError, match="The texts cannot be written .* Name a folder with --into"):
        EncodingJob(tmp_path / "file" / "job").prepare(TEXTS, rows_per_file=2)
