"""Vectors that somebody brings: put in the order of the ids, every row accepted or rejected by name, and nothing hostile read."""

import csv
import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from recsys.datasets import read_folder, write_folder
from recsys.datasets.importing import ImportReport, VectorFiles, check_dataset, import_files, read_vectors
from recsys.errors import DataError
from recsys.schema import VectorsInfo
from recsys.settings import Limits
from tests.datasets.importing.shop import counts, found, parquet, write
from tests.toy import toy_dataset

ITEMS = "item_id,title\nb,Bee\na,Ant\nc,Cat\n"
ROWS = {"a": [1.0, 0.0], "b": [0.0, 2.0], "c": [3.0, 4.0]}


def npy(array: Any, **options: Any) -> bytes:
    out = io.BytesIO()
    np.save(out, np.asarray(array), **{"allow_pickle": False, **options})
    return out.getvalue()


def table(ids: list[Any], vectors: list[Any], *, kind: pa.DataType | None = None, role: str = "item_id") -> bytes:
    return parquet({role: ids, "vector": pa.array(vectors, kind or pa.list_(pa.float32()))})


def bring(
    folder: Path, name: str, data: bytes, *, items: str = ITEMS, limits: Limits | None = None, **options: Any
) -> ImportReport:
    """Imports vectors, with a table of items if there is one."""
    [path] = write(folder / "in", {name: data})
    users = options.pop("users", None)
    said = {key: options.pop(key) for key in ("encoder", "similarity") if key in options}
    files = write(folder / "in", {"items.csv": items}) if items else []
    vectors = VectorFiles(path, users, **said)
    return import_files(files, "shop", data_dir=folder / "data", vectors=vectors, limits=limits, **options)


def stored(folder: Path) -> dict[str, list[float]]:
    """The vector of each item, as the dataset that was published has it."""
    dataset = read_folder(folder / "data" / "shop")
    assert dataset.item_vectors is not None
    return dict(zip(dataset.items["item_id"], dataset.item_vectors.tolist(), strict=True))


WAYS = {
    "in the order of the file": ("v.npy", npy([ROWS["b"], ROWS["a"], ROWS["c"]])),
    "by columns of Fortran": ("v.npy", npy(np.asfortranarray([ROWS["b"], ROWS["a"], ROWS["c"]]))),
    "half precision": ("v.npy", npy(np.array([ROWS["b"], ROWS["a"], ROWS["c"]], np.float16))),
    "whole numbers": ("v.npy", npy(np.array([ROWS["b"], ROWS["a"], ROWS["c"]], np.int64))),
    "lists": ("v.parquet", table([*ROWS], [*ROWS.values()])),
    "large lists": ("v.parquet", table([*ROWS], [*ROWS.values()], kind=pa.large_list(pa.float64()))),
    "fixed lists": ("v.pq", table([*ROWS], [*ROWS.values()], kind=pa.list_(pa.float16(), 2))),
    "columns": ("v.parquet", parquet({"item_id": [*ROWS], "x": [1.0, 0.0, 3.0], "note": ["n"] * 3, "y": [0, 2, 4]})),
    "another column of lists": (
        "v.parquet",
        parquet({"item_id": [*ROWS], "other": [[1], [2], [3]], "Embedding": [*ROWS.values()]}),
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_writing_them_gives_each_item_its_own(tmp_path: Path, way: str):
    report = bring(tmp_path, *WAYS[way])

    assert stored(tmp_path) == ROWS
    assert counts(report, "item_vectors") == (3, 3, 0)
    assert report.is_published and not report.findings.kept


def test_ids_that_are_numbers_are_the_same_as_their_text(tmp_path: Path):
    bring(tmp_path, "v.parquet", table([7, 12], [[1.0], [2.0]]), items="item_id,title\n12,Twelve\n7,Seven\n")

    assert stored(tmp_path) == {"12": [2.0], "7": [1.0]}


FAULTS: dict[str, tuple[list[Any], list[Any], str, str]] = {
    "not a number": (["a", "b", "c"], [[1, 2], [np.nan, 2], [1, 1]], "The vector holds what is no finite number", "nan at 1"),
    "infinite": (["a", "b", "c"], [[1, 2], [1, np.inf], [1, 1]], "The vector holds what is no finite number", "inf at 2"),
    "a missing number": (["a", "b", "c"], [[1, 2], [1, None], [1, 1]], "The vector holds what is no finite number", "nan at 2"),
    "another length": (
        ["a", "b", "c"], [[1, 2], [1, 2, 3], [1, 1]], "The vector has not 2 numbers, as the first one has", "3 numbers",
    ),
    "no vector": (["a", "b", "c"], [[1, 2], None, [1, 1]], "The vector is missing", "b"),
    "unknown": (["a", "zz", "c"], [[1, 2], [1, 2], [1, 1]], "There is no such item", "zz"),
    "no id": (["a", None, "c"], [[1, 2], [1, 2], [1, 1]], "The id is missing", ""),
    "twice": (["a", "a", "c"], [[1, 2], [9, 9], [1, 1]], "The id was there before", "a"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_row_is_named_and_left_out_only_if_asked(tmp_path: Path, fault: str):
    ids, vectors, what, value = FAULTS[fault]
    data = table(ids, vectors)

    refused = bring(tmp_path, "v.parquet", data)
    assert not refused.is_published
    assert ("v.parquet", 2, "item_id", value, what) in found(refused)

    taken = bring(tmp_path, "v.parquet", data, valid_rows=True)
    assert counts(taken, "item_vectors") == (3, 2, 1)
    assert ("v.parquet", None, "item_id", "b", "The item has no vector") in found(taken)
    assert stored(tmp_path) == {"a": [1.0, 2.0], "b": [0.0, 0.0], "c": [1.0, 1.0]}
    [rejected] = [path for path in taken.rejected if "vectors" in path.name]
    [_, line] = csv.reader(rejected.read_text("utf-8").splitlines())
    assert line == ["2", what, ids[1] or ""]


def test_too_large_for_float32_is_not_finite(tmp_path: Path):
    report = bring(tmp_path, "v.npy", npy([[1e300, 0], [1, 0], [1, 1]]))

    assert found(report) == [("v.npy", 1, "item_id", "inf at 1", "The vector holds what is no finite number"),
                             ("v.npy", None, "item_id", "b", "The item has no vector")]  # fmt: skip


def test_a_vector_of_length_zero_is_warned_of_and_kept(tmp_path: Path):
    report = bring(tmp_path, "v.npy", npy([[0, 0], [1, 0], [1, 1]]))

    assert report.is_published
    assert found(report) == [("v.npy", None, "item_id", "b", "The vector has the length zero")]


class _Evil:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("evil"),))


WRONG: dict[str, tuple[str, bytes, str, str]] = {
    "objects": ("v.npy", npy(np.array([[_Evil()]], object), allow_pickle=True), "The file holds no numbers", "object"),
    "text": ("v.npy", npy(np.array([["x", "y"]] * 3)), "The file holds no numbers", "<U1"),
    "a pickle": ("v.npy", pickle.dumps([[1.0]]), "The vectors cannot be read", "v.npy"),
    "one row": ("v.npy", npy([1.0, 2.0, 3.0]), "The file holds no table of vectors", "(3,)"),
    "cut off": ("v.npy", npy(np.ones((3, 2)))[:-1], "The file is not as long as it says", "47 bytes"),
    "a lie": (
        "v.npy",
        npy(np.ones((3, 2))).replace(b"(3, 2), }         ", b"(3000000000, 2), }"),
        "The file is not as long as it says",
        "48 bytes",
    ),
    "too few": ("v.npy", npy(np.ones((2, 2))), "There are 2 vectors for 3 items", "v.npy"),
    "no columns": ("v.npy", npy(np.ones((3, 0))), "The file holds no table of vectors", "(3, 0)"),
    "another ending": ("v.csv", b"a,1\n", "Vectors are not read from such a file", "v.csv"),
    "no parquet": ("v.parquet", b"PAR1 no", "The vectors cannot be read", "v.parquet"),
    "no ids": ("v.parquet", parquet({"name": ["a"], "vector": [[1.0]]}), "There is no column item_id", "v.parquet"),
    "no numbers": ("v.parquet", parquet({"item_id": ["a"], "t": ["x"]}), "No column holds numbers", "item_id, t"),
    "two lists": ("v.parquet", parquet({"id": ["a"], "x": [[1.0]], "y": [[1.0]]}), "Several columns hold lists", "x, y"),
    "broken ids": ("v.parquet", table([0.5, 1.5], [[1], [2]]), "The ids are neither text nor whole numbers", "double"),
    "nothing usable": ("v.parquet", table(["x"], [[1.0]]), "No vector can be used (There is no such item)", "v.parquet"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_a_file_that_is_none_is_refused_in_three_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str):
    name, data, what, value = WRONG[wrong]
    monkeypatch.chdir(tmp_path)

    with pytest.raises(DataError) as raised:
        bring(tmp_path, name, data)

    assert raised.value.what.startswith(what)
    assert value in str(raised.value.value) and raised.value.fix.endswith(".")
    assert not (tmp_path / "evil").exists()
    assert not (tmp_path / "data" / "shop").exists()


def test_limits_are_met_before_room_is_made(tmp_path: Path):
    """A hundred million rows of one number, as a file with holes: no time and no memory."""
    path = tmp_path / "v.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|i1", "fortran_order": False, "shape": (10**8, 20)})
        file.truncate(file.tell() + 20 * 10**8)

    with pytest.raises(DataError, match=r"more than 4,096 MB.*100,000,000 of 20.*COLDLENS_MAX_VECTORS_MB"):
        read_vectors(path, "item_id", ids=["a"])


def test_without_a_table_the_ids_are_the_items_and_keep_their_order(tmp_path: Path):
    vectors = np.arange(24.0).reshape(12, 2) + 1

    bring(tmp_path, "v.npy", npy(vectors), items="", similarity="dot", encoder="some/model")

    dataset = read_folder(tmp_path / "data" / "shop")
    assert dataset.items["item_id"].tolist() == [f"{row:02d}" for row in range(12)]
    assert dataset.items["title"].tolist() == dataset.items["item_id"].tolist()
    assert dataset.item_vectors is not None and (dataset.item_vectors == vectors).all()
    assert dataset.info.vectors == VectorsInfo("some/model", "dot")


def test_ids_of_users_are_users_and_interactions_need_no_items(tmp_path: Path):
    users = write(tmp_path / "in", {"u.parquet": table(["u2", "u1"], [[1, 2], [3, 4]], role="user_id")})[0]
    bring(tmp_path, "v.parquet", table([*ROWS], [*ROWS.values()]), items="", users=users)

    dataset = read_folder(tmp_path / "data" / "shop")
    assert dataset.user_vectors is not None
    assert dict(zip(dataset.users["user_id"], dataset.user_vectors.tolist(), strict=True)) == {
        "u1": [3, 4],
        "u2": [1, 2],
    }
    assert dataset.without_users(["u2"]).user_vectors.tolist() == [[3, 4]]  # type: ignore[union-attr]

    ratings = "user_id,item_id,rating\nu9,a,5\nu9,b,2\n"
    report = import_files(
        write(tmp_path / "in", {"ratings.csv": ratings}), "rated", data_dir=tmp_path / "data",
        vectors=VectorFiles(tmp_path / "in" / "v.parquet"),
    )  # fmt: skip
    assert counts(report, "interactions") == (2, 2, 0) and counts(report, "items") == (3, 3, 0)


def test_users_and_items_lie_in_one_space(tmp_path: Path):
    users = write(tmp_path / "in", {"u.npy": npy(np.ones((2, 3)))})[0]

    with pytest.raises(DataError, match=r"vectors of users are not as long as those of items.*3 and 2 numbers"):
        bring(tmp_path, "v.npy", npy(np.ones((3, 2))), users=users)


def test_an_unknown_similarity_is_refused():
    with pytest.raises(DataError, match=r"cannot be compared by this similarity: 'euclid'. Use one of: cosine, dot"):
        VectorsInfo("", "euclid")


def test_a_dataset_is_checked_with_its_vectors_and_told_from_one_with_others(tmp_path: Path):
    bring(tmp_path, "v.npy", npy([[1, 0], [0, 1], [1, 1]]))
    folder = tmp_path / "data" / "shop"
    first = read_folder(folder)

    assert counts(check_dataset(folder), "item_vectors") == (3, 3, 0)

    bring(tmp_path, "v.npy", npy([[1, 0], [0, 1], [2, 1]]), replace=True)
    assert read_folder(folder).fingerprint != first.fingerprint
    bring(tmp_path, "v.npy", npy([[1, 0], [0, 1], [1, 1]]), replace=True, similarity="dot")
    assert read_folder(folder).fingerprint != first.fingerprint
    bring(tmp_path, "v.npy", npy([[1, 0], [0, 1], [1, 1]]), replace=True)
    assert read_folder(folder).fingerprint == first.fingerprint


def test_a_folder_made_by_hand_may_hold_them_in_the_order_of_its_items(tmp_path: Path):
    items = parquet({"item_id": ["b", "a"], "title": ["Bee", "Ant"]})
    write(tmp_path / "mine", {"items.parquet": items, "item_vectors.npy": npy([[2.0], [1.0]])})
    toml = '[vectors]\nsimilarity = "dot"\n'
    write(tmp_path / "mine", {"dataset.toml": toml})

    dataset = read_folder(tmp_path / "mine")

    assert dataset.items["item_id"].tolist() == ["a", "b"]
    assert dataset.item_vectors is not None and dataset.item_vectors.tolist() == [[1.0], [2.0]]
    assert dataset.info.vectors == VectorsInfo("", "dot")

    write(tmp_path / "mine", {"item_vectors.parquet": table(["a", "b"], [[1], [2]])})
    with pytest.raises(DataError, match="There are two files of the same vectors"):
        read_folder(tmp_path / "mine")
    (tmp_path / "mine" / "item_vectors.npy").unlink()
    assert read_folder(tmp_path / "mine").item_vectors.tolist() == [[1.0], [2.0]]  # type: ignore[union-attr]

    write(tmp_path / "mine", {"users.parquet": parquet({"user_id": ["u"]}), "user_vectors.npy": npy([[1.0, 2.0]])})
    with pytest.raises(DataError, match="vectors of users are not as long as those of items"):
        read_folder(tmp_path / "mine")
    write(tmp_path / "mine", {"user_vectors.npy": npy([[1.0]])})
    assert read_folder(tmp_path / "mine").user_vectors.tolist() == [[1.0]]  # type: ignore[union-attr]

    write(tmp_path / "mine", {"dataset.toml": '[vectors]\nsimilarity = "manhattan"\n'})
    with pytest.raises(DataError, match="cannot be compared by this similarity: manhattan"):
        read_folder(tmp_path / "mine")
    write(tmp_path / "mine", {"dataset.toml": '[vectors]\nmodel = "x"\n'})
    with pytest.raises(
        DataError, match=r"unexpected keyword argument 'model'.*Let \[vectors\] hold encoder and similarity"
    ):
        read_folder(tmp_path / "mine")


def test_what_is_written_is_read_again(tmp_path: Path):
    from dataclasses import replace

    toy = toy_dataset()
    rng = np.random.default_rng(0)
    own = replace(
        toy,
        info=replace(toy.info, vectors=VectorsInfo("m", "dot")),
        item_vectors=rng.standard_normal((len(toy.items), 3)).astype(np.float32),
        user_vectors=rng.standard_normal((len(toy.users), 3)).astype(np.float32),
    )

    write_folder(own, tmp_path / "toy")
    again = read_folder(tmp_path / "toy")

    assert (again.item_vectors == own.item_vectors).all() and (again.user_vectors == own.user_vectors).all()
    assert again.info.vectors == own.info.vectors
    assert "vectors" not in (tmp_path / "toy" / "dataset.toml").read_text("utf-8").replace("[vectors]", "", 1)
