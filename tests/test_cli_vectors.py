"""A dataset of vectors on the command line: brought in, mapped, diagnosed and compared, without an encoder and without torch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from recsys.datasets import open_dataset
from recsys.projection import (
    Atlas,
    Clusters,
    MapConfig,
    Trust,
    fit_pca,
    nearest_items,
    open_atlas,
    open_space,
    people_of,
    place_people,
    vectors_of_people,
)
from recsys.recommender import Recommender
from recsys.schema import Profile
from tests.datasets.importing.shop import parquet, write
from tests.test_cli import Shell, shell  # noqa: F401  # shell is a fixture

ROOT = Path(__file__).resolve().parents[1]
N, DIM = 40, 5


def vectors(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((N, DIM)).astype(np.float32)


def brought(folder: Path, name: str = "items.npy", seed: int = 0) -> str:
    path = folder / name
    np.save(path, vectors(seed))
    return str(path)


@pytest.fixture
def no_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens an encoder fails."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("an encoder was opened")

    for place in ("encoder.opening", "diagnostics.encoders", "encoder"):
        monkeypatch.setattr(f"recsys.{place}.open_encoder", refuse)


def test_vectors_alone_are_imported_built_diagnosed_and_compared(shell: Shell, tmp_path: Path, no_encoder):  # noqa: F811
    users = write(
        tmp_path,
        {"users.parquet": parquet({"user_id": ["a", "b"], "vector": [(9 * row).tolist() for row in vectors()[:2]]})},
    )[0]
    code, out, _ = shell(
        "datasets",
        "import",
        "--item-vectors",
        brought(tmp_path),
        "--user-vectors",
        str(users),
        "--similarity",
        "dot",
        "--name",
        "v",
    )
    assert code == 0
    assert "item vectors: 40 rows read, 40 fine, 0 rejected." in out and "user vectors: 2 rows read, 2 fine" in out

    assert shell("build", "v", "--until", "train")[0] == 0
    code, out, told = shell("diagnose", "v")
    assert code == 0 and "similarity: dot, lengths" in out
    assert "have vectors that came with it; texts are not read" in told
    listed = shell.json("recommend", "--dataset", "v", "--liked", "07", "-k", "3")
    assert listed["scorer"] == "cosine" and len(listed["recommendations"]) == 3

    same = shell.json("diagnose", "v", "--against", brought(tmp_path, "same.npy"))
    other = shell.json("diagnose", "v", "--against", brought(tmp_path, "other.npy", seed=1))
    assert same["comparison"]["mean_overlap"] == 1 and same["comparison"]["second"] == "same.npy"
    assert other["comparison"]["mean_overlap"] < 0.6

    dataset = open_dataset("v", data_dir=shell.data_dir)
    space = open_space("text", Recommender.from_dataset(dataset).scorer, np.asarray(dataset.item_vectors))
    blank = Trust(np.nan, np.nan, np.full(N, np.nan), N), Clusters(np.full(N, -1), (), np.zeros((0, 2)))
    atlas = Atlas(space, fit_pca(space.vectors), *blank, np.zeros((N, 0), int))
    people = vectors_of_people(dataset, space)
    assert people is not None and people_of(dataset) == [Profile(), Profile()]
    spots = place_people(atlas, people_of(dataset), [], None, vectors=people)
    by_item = [atlas.placer.place(vector).spot for vector in space.vectors[:2]]
    np.testing.assert_allclose(
        spots, by_item, atol=1e-4
    )  # each lies where the item of the same direction would be placed
    assert np.isnan(place_people(atlas, people_of(dataset), [], None)).all()  # their profiles say nothing


@pytest.mark.release
def test_a_build_maps_them_too(shell: Shell, tmp_path: Path, no_encoder):  # noqa: F811
    assert shell("datasets", "import", "--item-vectors", brought(tmp_path), "--name", "v")[0] == 0
    assert shell("build", "v")[0] == 0
    found = Recommender.from_dataset(open_dataset("v", data_dir=shell.data_dir))
    space = open_space("text", found.base.scorer, found.embeddings)  # as the page asks for its map

    atlas = open_atlas(space, MapConfig(), found.explainer.item_texts, found.dataset.folder)  # type: ignore[arg-type]

    assert atlas.items.a > 0 and (atlas.near[:, :3] == nearest_items(vectors(), 3)).all()


def test_rows_without_ids_follow_the_file_when_they_are_compared(shell: Shell, tmp_path: Path, no_encoder):  # noqa: F811
    """Items are sorted by id when they are read; a second file without ids has the order in which the first one came."""
    order = np.random.default_rng(3).permutation(N)
    items = "item_id,title\n" + "".join(f"i{row},T{row}\n" for row in order)
    files = write(tmp_path, {"items.csv": items})
    path = brought(tmp_path)
    assert shell("datasets", "import", str(files[0]), "--item-vectors", path, "--name", "sorted")[0] == 0

    assert shell.json("diagnose", "sorted", "--against", path)["comparison"]["mean_overlap"] == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--name", "v"], "There is nothing to import. Name files of a dataset, or vectors with --item-vectors."),
        (
            ["items.csv", "--similarity", "dot", "--name", "v"],
            "which are not given: '--similarity'. Add --item-vectors",
        ),
        (["--item-vectors", "nope.npy", "--name", "v"], "The vectors cannot be read"),
        (
            ["--item-vectors", "x.npy", "--similarity", "l2", "--name", "v"],
            "compared by this similarity: 'l2'. Use one of: cosine",
        ),
    ],
)
def test_what_cannot_be_imported_is_answered_in_three_parts(shell: Shell, words: list[str], told: str):  # noqa: F811
    code, _, error = shell("datasets", "import", *words)

    assert code == 2 and told in error


SCRIPT = """
import sys
from pathlib import Path
from recsys.datasets import open_dataset
from recsys.projection import fit_pca, open_space, nearest_to
from recsys.recommender import Recommender
from recsys.schema import Profile
opened = Recommender.from_dataset(open_dataset("v", data_dir=Path(sys.argv[1])))
space = open_space("text", opened.scorer, opened.embeddings)
fit_pca(space.vectors), nearest_to(space.vectors, 3, 5), opened.diagnose(), opened.explainer.item_texts
found = opened.recommend(Profile(liked=("03",), interests=("space",)), k=5)
opened.explain(found.profile, found.table["item_id"].iloc[0]), opened.reasons(found)
import json; print(json.dumps([len(found.table), sorted({"torch", "transformers", "tokenizers"} & set(sys.modules))]))
"""


def test_what_explore_shows_needs_no_torch(shell: Shell, tmp_path: Path):  # noqa: F811
    assert shell("datasets", "import", "--item-vectors", brought(tmp_path), "--name", "v")[0] == 0

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(shell.data_dir)], capture_output=True, text=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [5, []]


def test_neighbours_are_those_of_the_vectors(shell: Shell, tmp_path: Path, no_encoder):  # noqa: F811
    assert shell("datasets", "import", "--item-vectors", brought(tmp_path), "--name", "v")[0] == 0
    opened = Recommender.from_dataset(open_dataset("v", data_dir=shell.data_dir))

    for row in (0, 17, 39):
        listed = opened.recommend(Profile(liked=(f"{row:02d}",)), k=3).table["item_id"].tolist()
        assert listed == [f"{near:02d}" for near in nearest_items(vectors(), 3)[row]]
