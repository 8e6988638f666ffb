"""Recognition of known formats, and what all of their readers share; ``packed`` and ``read`` also serve the other files."""

import gzip
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd
import pytest

from recsys.datasets.importing.archive import gather
from recsys.datasets.importing.formats import FORMATS, recognise
from recsys.datasets.importing.formats.seen import Chain, Seen
from recsys.datasets.importing.plan import KINDS, ImportPlan, Source, Table
from recsys.datasets.importing.tables import ROW, Batch, Fault, File
from recsys.settings import Limits

LIMITS = Limits()
Pack = Callable[[str, Mapping[str, bytes]], list[File]]


def as_folder(root: Path, name: str, content: Mapping[str, bytes]) -> list[File]:
    for member, data in content.items():
        path = root / name / member
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return gather([root / name], root, LIMITS)


def as_zip(root: Path, name: str, content: Mapping[str, bytes]) -> list[File]:
    """A zip in which everything lies in a folder, as most owners pack theirs."""
    scratch = root / "scratch"
    scratch.mkdir()
    with zipfile.ZipFile(root / f"{name}.zip", "w") as archive:
        for member, data in content.items():
            archive.writestr(f"{name}/{member}", data)
    return gather([root / f"{name}.zip"], scratch, LIMITS)


def as_single_files(root: Path, name: str, content: Mapping[str, bytes]) -> list[File]:
    for member, data in content.items():
        (root / member).write_bytes(data)
    return gather([root / member for member in content], root, LIMITS)


def opened(files: Sequence[File], name: str) -> Source:
    found = recognise(files)
    assert found is not None
    assert found.name == name
    return found.open(files, LIMITS)


def read(table: Table) -> tuple[pd.DataFrame, list[Fault]]:
    """All rows of a table with its columns called by their roles, missing as empty text, and all faults."""
    frame, faults = joined(table.read())
    columns = [*table.plan.roles.values(), *table.plan.attributes, ROW]
    assert set(columns) <= set(frame.columns)
    named = frame[columns].rename(columns={column: role for role, column in table.plan.roles.items()})
    return named.fillna(""), faults


def joined(batches: Iterable[Batch]) -> tuple[pd.DataFrame, list[Fault]]:
    found = list(batches)
    assert found
    return pd.concat([b.frame for b in found], ignore_index=True), [fault for b in found for fault in b.faults]


def of_kind(source: Source, kind: str) -> list[Table]:
    return [table for table in source.tables if table.plan.kind == kind]


RATINGS_CSV = b"userId,movieId,rating,timestamp\r\n1,1,4.0,964982703\r\n"
MOVIES_CSV = b"movieId,title,genres\r\n1,Toy Story (1995),Comedy\r\n"
META = b'{"parent_asin": "B01", "title": "A brush"}\n'
NAMES: dict[str, dict[str, bytes]] = {
    "MovieLens 100K": {"u.item": b"", "u.user": b"", "u.data": b"", "u1.base": b"", "u.genre": b""},
    "MovieLens 1M": {"movies.dat": b"", "users.dat": b"", "ratings.dat": b"", "README": b""},
    "MovieLens 10M": {"movies.dat": b"", "ratings.dat": b"", "tags.dat": b""},
    "MovieLens 20M, 25M, 32M or latest": {
        "movies.csv": MOVIES_CSV,
        "ratings.csv": RATINGS_CSV,
        "tags.csv": b"userId\n",
    },
    "Book-Crossing": {
        "BX-Books.csv": b'"ISBN";"Book-Title";"Book-Author";"Year-Of-Publication";"Publisher";"Image-URL-S"\r\n',
        "BX-Users.csv": b'"User-ID";"Location";"Age"\r\n',
        "BX-Book-Ratings.csv": b'"User-ID";"ISBN";"Book-Rating"\r\n',
    },
    "MIND news": {"news.tsv": b"", "behaviors.tsv": b"", "entity_embedding.vec": b""},
    "Amazon Reviews 2023": {"meta_All_Beauty.jsonl": META, "All_Beauty.jsonl": b""},
    "Last.fm 360K": {"usersha1-artmbid-artname-plays.tsv": b"", "usersha1-profile.tsv": b""},
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("change", [str, str.upper, lambda name: f"deep/down/{name}"], ids=["plain", "upper", "deep"])
def test_files_are_told_by_their_names_in_any_folder_and_case(tmp_path: Path, name: str, change: Callable[[str], str]):
    files = []
    for number, (member, data) in enumerate(NAMES[name].items()):
        path = tmp_path / str(number)
        path.write_bytes(data)
        files.append(File(change(member), path))
    assert opened(files, name).tables


def test_every_known_format_is_tested_here():
    assert [known.name for known in FORMATS] == list(NAMES)


@pytest.mark.parametrize("missing", [(name, member) for name in NAMES for member in NAMES[name]], ids=str)
def test_without_a_file_that_is_needed_it_is_another_format_or_none(tmp_path: Path, missing: tuple[str, str]):
    name, member = missing
    optional = ("u1.base", "u.genre", "README", "tags", "All_Beauty.jsonl", "profile", "entity")
    files = as_folder(tmp_path, "any", {m: data or b"x" for m, data in NAMES[name].items() if m != member})
    found = recognise(files)
    if any(part in member for part in optional) and not member.startswith("meta"):
        assert found is not None
        assert found.name == name
    else:
        assert found is None or (name, member, found.name) == ("MovieLens 1M", "users.dat", "MovieLens 10M")


@pytest.mark.parametrize(
    "content",
    [
        {"items.csv": b"item_id,title\n1,A\n", "interactions.csv": b"user_id,item_id\n1,1\n"},
        {"movies.csv": b"id,name\n1,A\n", "ratings.csv": b"who,what,stars\n1,1,4\n"},
        {"movies.csv": MOVIES_CSV, "ratings.csv": b"userId,movieId,stars\n1,1,4\n"},
        {"Books.csv": b"id,name\n1,A\n", "Users.csv": b"id,age\n1,2\n", "Ratings.csv": b"user,book,rating\n1,1,4\n"},
        {"meta_shop.jsonl": b'{"sku": "1", "title": "A"}\n', "shop.jsonl": b'{"user": "1"}\n'},
        {"All_Beauty.jsonl": b'{"parent_asin": "B01", "user_id": "A"}\n'},
        {"usersha1-profile.tsv": b"a\tm\t22\tGermany\tFeb 1, 2007\n"},
        {
            "movies.dat": b"1::A (1999)::Drama\n",
            "users.dat": b"1::139564917\n",
            "ratings.dat": b"1::1::8::1381006850\n",
        },
        {"movies.csv": b"\xff\xfe\x00", "ratings.csv": b"x"},
    ],
    ids=lambda content: "+".join(content),
)
def test_other_files_are_none_of_them(tmp_path: Path, content: dict[str, bytes]):
    assert recognise(as_folder(tmp_path, "mine", content)) is None


def test_nothing_is_no_format():
    assert recognise([]) is None


def test_a_file_that_is_gone_is_no_format(tmp_path: Path):
    files = [File("movies.csv", tmp_path / "gone"), File("ratings.csv", tmp_path / "gone")]
    assert recognise(files) is None


@pytest.mark.parametrize("name", NAMES)
def test_what_is_told_about_a_format_fits_into_a_plan(tmp_path: Path, name: str):
    source = opened(as_folder(tmp_path, "any", {m: data or b"x" for m, data in NAMES[name].items()}), name)
    about = ImportPlan.model_validate(dict(source.about))
    assert all((about.title, about.licence, about.source))
    assert about.domain in ("video", "books", "news", "e-commerce", "music")
    order = [KINDS.index(table.plan.kind) for table in source.tables]
    assert order == sorted(order)
    assert order[0] == 0
    assert not source.simulated


def test_a_table_can_be_read_again(tmp_path: Path):
    files = as_folder(tmp_path, "ml-latest-small", NAMES["MovieLens 20M, 25M, 32M or latest"])
    table = opened(files, "MovieLens 20M, 25M, 32M or latest").tables[0]
    first, second = read(table)[0], read(table)[0]
    pd.testing.assert_frame_equal(first, second)


def test_the_files_of_one_folder_belong_together(tmp_path: Path):
    content = {
        "a/ratings.csv": RATINGS_CSV,
        "ml-25m/movies.csv": MOVIES_CSV,
        "ml-25m/ratings.csv": RATINGS_CSV,
    }
    source = opened(as_folder(tmp_path, "many", content), "MovieLens 20M, 25M, 32M or latest")
    assert [table.name for table in source.tables] == ["many/ml-25m/movies.csv", "many/ml-25m/ratings.csv"]
    assert source.about["title"] == "MovieLens 25M"


def test_files_may_lie_apart(tmp_path: Path):
    content = {"films/movies.csv": MOVIES_CSV, "people/ratings.csv": RATINGS_CSV}
    source = opened(as_folder(tmp_path, "many", content), "MovieLens 20M, 25M, 32M or latest")
    assert [table.name for table in source.tables] == ["many/films/movies.csv", "many/people/ratings.csv"]


def test_gzip_is_unpacked(tmp_path: Path):
    content = {"movies.csv.gz": gzip.compress(MOVIES_CSV), "ratings.csv.gz": gzip.compress(RATINGS_CSV)}
    source = opened(as_folder(tmp_path, "ml-latest", content), "MovieLens 20M, 25M, 32M or latest")
    assert list(read(source.tables[0])[0]["title"]) == ["Toy Story"]
    assert list(read(source.tables[1])[0]["rating"]) == ["4.0"]


def test_seen_tells_first_times_within_and_across_batches():
    seen = Seen()
    assert list(seen.first(pd.Series(["b", "a", "b"], dtype="str"))) == [True, True, False]
    assert list(seen.first(pd.Series(["c", "a"], dtype="str"))) == [True, False]
    assert list(seen.has(pd.Series(["a", "b", "c", "d"], dtype="str"))) == [True, True, True, False]
    assert len(seen) == 3
    assert list(seen.first(pd.Series([], dtype="str"))) == []


def test_a_copy_of_what_was_seen_grows_on_its_own():
    seen = Seen()
    seen.add(pd.Series(["a"], dtype="str"))
    copy = seen.copy()
    copy.add(pd.Series(["b"], dtype="str"))
    assert (len(seen), len(copy)) == (1, 2)


def test_a_later_file_knows_the_earlier_ones_even_if_they_were_never_read():
    contents = (["a", "b"], ["b", "c"], ["a", "c", "d"])

    def batches(number: int, seen: Seen):
        texts = pd.Series(contents[number], dtype="str")
        yield Batch(pd.DataFrame({"id": texts[seen.first(texts)]}))

    chain = Chain(3, batches)
    for number, expected in ((2, ["d"]), (1, ["c"]), (0, ["a", "b"]), (2, ["d"])):
        assert list(joined(chain.readers[number]())[0]["id"]) == expected
