"""Files in, a dataset out: small examples whose answer is known by hand."""

import csv
import datetime
import decimal
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from recsys.cli import app
from recsys.datasets import open_dataset
from recsys.datasets.importing import (
    FilePlan,
    ImportPlan,
    TablePlan,
    check_dataset,
    gather,
    guess_import,
    import_files,
    look_at,
    read_plan,
    with_changes,
)
from recsys.datasets.importing.files import File
from recsys.datasets.versions import files_of
from recsys.errors import DataError
from recsys.schema import Dataset
from recsys.settings import Limits
from tests.datasets.importing.shop import ITEMS, RATINGS, USERS, counts, found, gzipped, parquet, run, write, zipped

THREE = {"items.csv": ITEMS, "users.csv": USERS, "ratings.csv": RATINGS}


def opened(folder: Path) -> Dataset:
    return open_dataset("shop", data_dir=folder / "data")


def titles(folder: Path) -> list[str]:
    return list(opened(folder).items["title"])


def refused(folder: Path, files: Any, **options: Any) -> DataError:
    with pytest.raises(DataError) as raised:
        run(folder, files, **options)
    assert not (folder / "data" / "shop").exists()
    assert raised.value.fix.endswith(".")
    return raised.value


# ---- whole imports ---------------------------------------------------------------------------------------------------------


def test_three_files(tmp_path: Path):
    report = run(tmp_path, THREE)
    assert found(report) == []
    assert [counts(report, kind) for kind in ("items", "users", "interactions")] == [(3, 3, 0), (2, 2, 0), (3, 3, 0)]
    assert report.is_published
    dataset = opened(tmp_path)
    assert dataset.items.to_dict("list") == {
        "item_id": ["1", "2", "3"],
        "title": ["Alien", "Heat", "Solaris"],
        "categories": [("Horror", "Space"), ("Crime",), ("Space",)],
        "year": [1979, 1995, 1972],
        "price": [3.5, pytest.approx(np.nan, nan_ok=True), 7.0],
    }
    assert dataset.users.to_dict("list") == {"user_id": ["u1", "u2"], "age": [30.0, 45.0], "gender": ["F", "M"]}
    assert dataset.interactions.to_dict("list") == {
        "user_id": ["u1", "u1", "u2"],
        "item_id": ["1", "2", "3"],
        "rating": [5.0, 3.0, 4.0],
        "timestamp": [1700000000, 1700000001, 1700000002],
    }
    assert dataset.info.title == "shop"
    assert dataset.info.liked_from == 4.0
    assert dataset.info.words == {"gender": {"F": "female", "M": "male"}}
    assert dataset.info.item_template == "{title}[ ({year})][. {categories}]"
    kept = json.loads((tmp_path / "data" / ".imports" / "shop" / "report.json").read_text("utf-8"))
    assert kept == json.loads(json.dumps(report.to_dict()))


def test_items_only(tmp_path: Path):
    run(tmp_path, {"catalog.csv": ITEMS})
    dataset = opened(tmp_path)
    assert (len(dataset.items), len(dataset.users), len(dataset.interactions)) == (3, 0, 0)
    assert sorted(path.name for path in files_of(dataset.folder).iterdir()) == ["items.parquet", "manifest.json"]


def test_users_come_from_the_interactions_where_there_are_none(tmp_path: Path):
    run(tmp_path, {"items.csv": ITEMS, "ratings.csv": "user_id,item_id\nb,1\na,2\nb,3\n"})
    assert list(opened(tmp_path).users["user_id"]) == ["b", "a"]


def test_a_graph(tmp_path: Path):
    run(tmp_path, {"items.csv": ITEMS, "graph.csv": "head,relation,tail\n1,made by,Scott\n"})
    kept = pd.read_parquet(files_of(tmp_path / "data" / "shop") / "graph.parquet")
    assert kept.to_numpy().tolist() == [["1", "made by", "Scott"]]


def test_two_files_of_one_kind_follow_each_other(tmp_path: Path):
    report = run(
        tmp_path, {"items-a.csv": "id,title,maker\n1,A,x\n", "items-b.csv": "title,id,colour\nB,2,red\nC,1,blue\n"},
        valid_rows=True,
    )  # fmt: skip
    assert counts(report, "items") == (3, 2, 1)
    assert found(report) == [("items-b.csv", 3, "id", "1", "The id was there before")]
    frame = opened(tmp_path).items
    assert frame.astype(object).where(frame.notna(), None).to_numpy().tolist() == [
        ["1", "A", "x", None],
        ["2", "B", None, "red"],
    ]


def test_errors_stop_the_import_and_valid_rows_do_not(tmp_path: Path):
    files = {"items.csv": ITEMS + "4,\n" + "1,Twice,,,\n"}
    report = run(tmp_path, files)
    assert not report.is_published
    assert not (tmp_path / "data" / "shop").exists()
    assert [path.name for path in report.rejected] == ["rejected-items-1.csv"]
    assert report.rejected[0].exists()
    again = run(tmp_path, files, valid_rows=True)
    assert again.is_published
    assert counts(again, "items") == (5, 3, 2)
    assert titles(tmp_path) == ["Alien", "Heat", "Solaris"]


def test_dry_run_writes_nothing(tmp_path: Path):
    report = run(tmp_path, THREE, dry_run=True)
    assert not report.is_published
    assert counts(report, "interactions") == (3, 3, 0)
    assert not (tmp_path / "data" / "shop").exists()
    run(tmp_path, THREE)
    before = opened(tmp_path).fingerprint
    run(tmp_path, {"items.csv": "id,title\n9,Other\n"}, dry_run=True)
    assert opened(tmp_path).fingerprint == before


def test_a_dataset_is_replaced_only_when_asked(tmp_path: Path):
    run(tmp_path, THREE)
    with pytest.raises(DataError, match="There is a dataset of this name already: 'shop'. Choose another name"):
        run(tmp_path, {"items.csv": "id,title\n9,Other\n"})
    assert titles(tmp_path) == ["Alien", "Heat", "Solaris"]
    run(tmp_path, {"items.csv": "id,title\n9,Other\n"}, replace=True)
    assert titles(tmp_path) == ["Other"]


def test_a_folder_made_by_hand_is_not_replaced_either(tmp_path: Path):
    write(tmp_path / "data" / "shop", {"items.parquet": parquet({"item_id": ["1"], "title": ["mine"]})})
    with pytest.raises(DataError, match="There is a dataset of this name already"):
        run(tmp_path, THREE)
    assert titles(tmp_path) == ["mine"]


def test_failed_replacement_keeps_the_old(tmp_path: Path):
    run(tmp_path, THREE)
    with pytest.raises(DataError, match="No item can be used"):
        run(tmp_path, {"items.csv": "id,title\n,\n"}, replace=True, valid_rows=True)
    assert titles(tmp_path) == ["Alien", "Heat", "Solaris"]


def test_files_that_fit_no_table_are_told(tmp_path: Path):
    report = run(tmp_path, {"items.csv": ITEMS, "people.csv": "nick,shoe size\nx,42\n"})
    assert report.about["left_out"] == ["people.csv"]


# ---- how files are written -------------------------------------------------------------------------------------------------

GERMAN = (
    "Artikel-Nr;Bezeichnung;Kategorie;Preis;Jahr\n"
    "7;Größe \u201eL\u201c – Käse;Küche, Bad;1.234,50 €;1999\n"
    "8;Öl;;0,99 €;2001\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
def test_german_with_any_encoding(tmp_path: Path, encoding: str):
    report = run(tmp_path, {"waren.csv": GERMAN.encode(encoding)})
    assert found(report) == []
    frame = opened(tmp_path).items
    assert list(frame["title"]) == ["Größe „L“ – Käse", "Öl"]
    assert list(frame["categories"]) == [("Küche", "Bad"), ()]
    assert list(frame["price"]) == [1234.5, 0.99]
    assert list(frame["year"]) == [1999, 2001]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "::"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_any_delimiter_and_any_line_end(tmp_path: Path, delimiter: str, end: str, last: bool):
    rows = [("item_id", "title", "year"), ("a1", "One", "1999"), ("a2", "Two words", ""), ("a3", "Three", "2003")]
    text = end.join(delimiter.join(row) for row in rows) + (end if last else "")
    report = run(tmp_path, {"items.csv": text})
    assert counts(report, "items") == (3, 3, 0)
    assert titles(tmp_path) == ["One", "Two words", "Three"]


def test_french_names(tmp_path: Path):
    text = "code;titre;catégorie;année;prix\n1;Été;Été|Mer;2001;12,5\n2;L'été;Mer;2002;1 299,00\n"
    run(tmp_path, {"produits.csv": text})
    frame = opened(tmp_path).items
    assert list(frame.columns) == ["item_id", "title", "categories", "year", "price"]
    assert list(frame["price"]) == [12.5, 1299.0]
    assert frame["categories"][0] == ("Été", "Mer")


@pytest.mark.parametrize(
    ("name", "columns", "kind", "roles"),
    [
        ("x.csv", "id,name,Genres,Year", "items", {"item_id": "id", "title": "name", "categories": "Genres", "year": "Year"}),
        ("users.csv", "id,name,age", "users", {"user_id": "id", "age": "age"}),
        ("kunden.csv", "Kundennummer;Geburtsjahr;Geschlecht", "users",
         {"user_id": "Kundennummer", "age": "Geburtsjahr", "gender": "Geschlecht"}),
        ("kaeufe.csv", "Kunde;Artikelnummer;Bewertung;Datum", "interactions",
         {"user_id": "Kunde", "item_id": "Artikelnummer", "rating": "Bewertung", "timestamp": "Datum"}),
        ("events.csv", "customerId,productId,eventTime", "interactions",
         {"user_id": "customerId", "item_id": "productId", "timestamp": "eventTime"}),
        ("kg.csv", "subject,predicate,object", "graph", {"head": "subject", "relation": "predicate", "tail": "object"}),
    ],
)  # fmt: skip
def test_guessed_roles(tmp_path: Path, name: str, columns: str, kind: str, roles: dict[str, str]):
    mark = ";" if ";" in columns else ","
    [path] = write(tmp_path, {name: f"{columns}\n{mark.join('abcdefgh'[: columns.count(mark) + 1])}\n"})
    look = look_at(File(name, path), Limits())
    assert (look.plan.table.kind, look.plan.table.roles) == (kind, roles)


def test_the_folder_does_not_tell_what_a_file_is(tmp_path: Path):
    [path] = write(tmp_path, {"x.csv": "id,name,age\n1,A,3\n"})
    assert look_at(File("customers/products.csv", path), Limits()).plan.table.kind == "items"


def test_quoted_line_ends_and_the_rows_after_them(tmp_path: Path):
    text = 'id,title,text\n1,"A ""quoted"" one","two\nlines"\n\n2,B,"x,y"\r\n3,,z\n4,D,"a\r\nb\n\nc"\n5,,\n'
    report = run(tmp_path, {"items.csv": text}, valid_rows=True)
    assert [(f.row, f.what) for f in report.findings.kept] == [(6, "The title is empty"), (11, "The title is empty")]
    frame = opened(tmp_path).items
    assert list(frame["title"]) == ['A "quoted" one', "B", "D"]
    assert list(frame["description"]) == ["two lines", "x,y", "a b c"]


def test_a_quote_that_is_never_closed_costs_one_row(tmp_path: Path):
    rows = [f"{n},Title {n},text" for n in range(2, 500)]
    report = run(
        tmp_path, {"items.csv": '"id","title","text"\n"1","A","open\n' + "\n".join(rows) + "\n"}, valid_rows=True
    )
    assert counts(report, "items") == (499, 498, 1)
    [(file, row, column, value, what)] = found(report)
    assert (file, row, column, value) == ("items.csv", 2, "", '"1","A","open')
    assert what == "The row cannot be taken apart (unexpected end of data)"


def test_one_line_of_another_encoding_is_one_rejected_row(tmp_path: Path):
    rows = "".join(f"{n},Käse {n}\n" for n in range(50)).encode()
    report = run(tmp_path, {"items.csv": b"id,title\n" + rows + "99,Öl\n".encode("cp1252")}, valid_rows=True)
    assert counts(report, "items") == (51, 50, 1)
    assert found(report) == [("items.csv", 52, "", "99,\\udcd6l", "The line is not utf-8")]
    assert titles(tmp_path)[0] == "Käse 0"


def test_a_bad_line_in_a_quoted_cell_takes_the_row_with_it(tmp_path: Path):
    text = b'id,title\n1,"one\n\xff\ntwo"\n' + "".join(f"{n},Käse\n" for n in range(2, 40)).encode()
    report = run(tmp_path, {"items.csv": text}, valid_rows=True)
    assert counts(report, "items") == (40, 38, 2)
    assert [(f.row, f.what) for f in report.findings.kept] == [
        (2, "A line in the middle of the row cannot be read"),
        (3, "The line is not utf-8"),
    ]


def test_ragged_and_empty_rows(tmp_path: Path):
    report = run(
        tmp_path, {"items.csv": "id,title,year,\n1,A,1999,\n2,B\n,,,\n3,C,1999,x\n4,D,,,\n\n"}, valid_rows=True
    )
    assert found(report) == [
        ("items.csv", 3, "", "2 | B", "The row has 2 cells and not 3"),
        ("items.csv", 4, "", "", "The row is empty"),
        ("items.csv", 5, "", "3 | C | 1999 | x", "The row has 4 cells and not 3"),
    ]
    assert titles(tmp_path) == ["A", "D"]


@pytest.mark.parametrize(
    ("text", "what", "value"),
    [
        ("", "The file is empty", "items.csv"),
        ("\n\n", "The file is empty", "items.csv"),
        ("id,title,id\n1,a,b\n", "Two columns have the same name", "items.csv, column 'id'"),
        ("id,,title\n1,a,b\n", "A column has no name", "items.csv, column 2"),
        (b"id,t\xff\n1,a\n" + "2,ü\n3,ö\n4,ä\n".encode(), "The header cannot be read: The line is not utf-8", "items.csv, row 1"),
        ('id,"title\n1,a\n', "The header cannot be read: The row cannot be taken apart (unexpected end of data)",
         "items.csv, row 1"),
    ],
)  # fmt: skip
def test_headers_that_cannot_be(tmp_path: Path, text: str | bytes, what: str, value: str):
    error = refused(tmp_path, {"items.csv": text}, plan=plan_of(has_header=True) if isinstance(text, str) else None)
    assert (error.what, error.value) == (what, value)


def plan_of(*, roles: dict[str, str] | None = None, has_header: bool = True, **dialect: Any) -> ImportPlan:
    table = {"kind": "items", "roles": roles or {"item_id": "id", "title": "title"}}
    return read_plan(
        {"files": [{"file": "items.csv", "table": table, "dialect": {"has_header": has_header, **dialect}}]}
    )


def test_no_header(tmp_path: Path):
    roles = {"item_id": "column 1", "title": "column 2"}
    report = run(tmp_path, {"items.csv": "1,A\n2,B\n"}, plan=plan_of(roles=roles, has_header=False))
    assert counts(report, "items") == (2, 2, 0)
    assert titles(tmp_path) == ["A", "B"]


def test_no_header_and_a_bad_first_line(tmp_path: Path):
    roles = {"item_id": "column 1", "title": "column 2"}
    plan = plan_of(roles=roles, has_header=False)
    report = run(tmp_path, {"items.csv": b"\xff,A\n2,B\n"}, plan=plan, valid_rows=True)
    assert counts(report, "items") == (2, 1, 1)


@pytest.mark.parametrize(
    "dialect",
    [{"delimiter": ""}, {"delimiter": "\n"}, {"quote": "ab"}, {"escape": "xy"}, {"encoding": "nope"}, {"encoding": "a\0b"},
     {"encoding": "rot13"}, {"encoding": "undefined"}, {"encoding": ""}],
)  # fmt: skip
def test_marks_that_cannot_be(tmp_path: Path, dialect: dict[str, str]):
    error = refused(tmp_path, {"items.csv": ITEMS}, plan=plan_of(**dialect))
    assert "items.csv" in str(error)


def test_an_escape_and_another_quote(tmp_path: Path):
    text = "id~title\n1~'it\\'s ~ one'\n2~\"B\"\n"
    run(tmp_path, {"items.csv": text}, plan=plan_of(delimiter="~", quote="'", escape="\\"))
    assert titles(tmp_path) == ["it's ~ one", '"B"']


# ---- JSON Lines and Parquet ------------------------------------------------------------------------------------------------


def test_json_lines(tmp_path: Path):
    rows = [
        {"id": 1, "title": "A", "tags": ["x", "y", "x"], "price": 2.5, "extra": {"deep": 1}, "ok": True},
        {"id": 2.0, "title": "B", "tags": [], "maker": "M"},
        {"id": "03", "title": "C", "tags": "x", "price": None, "description": ["one", "two"]},
    ]
    report = run(tmp_path, {"items.jsonl": "\n\n".join(map(json.dumps, rows)) + "\n"})
    assert found(report) == []
    frame = opened(tmp_path).items
    assert list(frame["item_id"]) == ["03", "1", "2"]
    assert list(frame["categories"]) == [("x",), ("x", "y"), ()]
    assert frame["description"][0] == "one two"
    assert list(frame["maker"].fillna("-")) == ["-", "-", "M"]
    assert list(frame["ok"].fillna("-")) == ["-", "true", "-"]
    assert "extra" not in frame


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('{"id": 1, "title": NaN}', "The line is not JSON (unexpected character: line 1 column 20 (char 19))"),
        ("[1, 2]", "The line is not a JSON object"),
        ('{"id": 1, "title": "a", "title": "b"}', "A name stands twice in the object"),
        ('{"id": 1, "title": "a", " title ": "b"}', "A name stands twice in the object"),
        ('{"id": 1, "title": "a', "The line is not JSON"),
        ('{"id": 1, "title": "\\ud800"}', "The line is not JSON"),
        ("[" * 100_000 + "]" * 100_000, "The line is not JSON"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "The line is not JSON"),
    ],
)
def test_lines_that_are_no_objects(tmp_path: Path, line: str, what: str):
    report = run(tmp_path, {"items.jsonl": f'{{"id": 0, "title": "fine \\":"}}\n{line}\n'}, valid_rows=True)
    assert counts(report, "items") == (2, 1, 1)
    [finding] = report.findings.kept
    assert (finding.file, finding.row, finding.is_error) == ("items.jsonl", 2, True)
    if "char" in what:
        assert finding.what.startswith("The line is not JSON (")
    else:
        assert finding.what.startswith(what)
    assert len(finding.value) <= 80


def test_ids_that_have_lost_digits(tmp_path: Path):
    lines = ['{"id": 123456789012345678901234567890, "title": "A"}', '{"id": 9007199254740993.0, "title": "B"}',
             '{"id": 9007199254740993, "title": "C"}', '{"id": 18446744073709551615, "title": "D"}']  # fmt: skip
    report = run(tmp_path, {"items.jsonl": "\n".join(lines)}, valid_rows=True)
    what = "The id of the item is a number that has lost its last digits"
    assert [(f.row, f.what) for f in report.findings.kept] == [(1, what), (2, what)]
    assert sorted(opened(tmp_path).items["item_id"]) == ["18446744073709551615", "9007199254740993"]


def test_names_that_come_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("recsys.datasets.importing.json_lines.BATCH_ROWS", 2)
    plan = ImportPlan.model_validate(
        {"files": [{"file": "items.jsonl", "table": {
            "kind": "items", "roles": {"item_id": "id", "title": "t", "year": "y", "price": "p"}, "attributes": ["maker"]}}]}
    )  # fmt: skip
    rows = [{"id": n, "t": f"T{n}", **({"y": 1990 + n, "maker": "M"} if n > 3 else {})} for n in range(6)]
    report = run(tmp_path, {"items.jsonl": "\n".join(map(json.dumps, rows))}, plan=plan)
    assert found(report) == [("items.jsonl", None, "p", "", "The column is not in the file")]
    assert list(opened(tmp_path).items["year"].astype("float").fillna(0)) == [0, 0, 0, 0, 1994, 1995]
    assert list(opened(tmp_path).items["maker"].fillna("")) == ["", "", "", "", "M", "M"]


def test_parquet(tmp_path: Path):
    day = datetime.date(2024, 2, 29)
    content = parquet(
        {
            "id": np.array([1.0, 2.0]),
            "title": pd.Categorical(["A", "B"]),
            "genres": [["x", "y"], None],
            "price": [decimal.Decimal("1.50"), None],
            "released": [day, None],
            "maker": [{"a": 1}, None],
            "colour": pd.Series(["red", None]),
            "raw": [b"1", None],
        }
    )
    report = run(tmp_path, {"items.parquet": content})
    assert found(report) == []
    frame = opened(tmp_path).items
    assert list(frame["item_id"]) == ["1", "2"]
    assert list(frame["title"]) == ["A", "B"]
    assert list(frame["categories"]) == [("x", "y"), ()]
    assert list(frame["price"].fillna(-1)) == [1.5, -1]
    assert list(frame["year"].fillna(0)) == [2024, 0]
    assert list(frame["colour"].fillna("")) == ["red", ""]
    assert "maker" not in frame


def test_parquet_of_pandas_with_missing_numbers_and_times(tmp_path: Path):
    ratings = parquet(
        {
            "user_id": pd.array([1, 2], "int64"),
            "item_id": [1.0, 3.0],
            "rating": [np.nan, 4.5],
            "timestamp": pd.to_datetime(["2024-01-01 10:00:00", "2024-01-02 00:00:00"]).tz_localize("UTC"),
        }
    )
    run(tmp_path, {"items.csv": ITEMS, "ratings.parquet": ratings})
    found_ = opened(tmp_path).interactions
    assert found_["item_id"].tolist() == ["1", "3"]
    assert found_["rating"].fillna(-1).tolist() == [-1, 4.5]
    assert found_["timestamp"].tolist() == [1704103200, 1704153600]


def test_empty_parquet_says_so(tmp_path: Path):
    error = refused(tmp_path, {"items.parquet": parquet({"id": pd.array([], "str"), "title": pd.array([], "str")})})
    assert str(error).startswith("No item can be used: 'items.parquet'.")


# ---- archives --------------------------------------------------------------------------------------------------------------


def test_zip_of_several(tmp_path: Path):
    inside = {f"my shop/{name}": text for name, text in THREE.items()} | {"__MACOSX/._x.csv": "junk", "README.txt": "x"}
    report = run(tmp_path, [zipped(tmp_path / "shop.zip", inside)])
    assert [counts(report, kind)[1] for kind in ("items", "users", "interactions")] == [3, 2, 3]


def test_two_archives_with_like_names(tmp_path: Path):
    paths = [
        zipped(tmp_path / "catalogue-1.zip", {"items.csv": ITEMS}),
        zipped(tmp_path / "catalogue-2.zip", {"ratings.csv": RATINGS}),
    ]
    report = run(tmp_path, paths)
    assert (counts(report, "items"), counts(report, "interactions")) == ((3, 3, 0), (3, 3, 0))


@pytest.mark.parametrize("name", ["items.csv.gz", "items.csv"])
def test_gzip_under_any_name(tmp_path: Path, name: str):
    assert counts(run(tmp_path, {name: gzipped(ITEMS)}), "items") == (3, 3, 0)


def test_tar_with_its_own_folder_in_it(tmp_path: Path):
    import tarfile

    write(tmp_path / "shop", THREE)
    with tarfile.open(tmp_path / "shop.tgz", "w:gz") as archive:
        archive.add(tmp_path / "shop", arcname=".")
    assert counts(run(tmp_path, [tmp_path / "shop.tgz"]), "interactions") == (3, 3, 0)


def test_a_folder(tmp_path: Path):
    write(tmp_path / "shop", {**THREE, ".hidden.csv": "x", "notes.md": "x"})
    assert counts(run(tmp_path, [tmp_path / "shop"]), "interactions") == (3, 3, 0)


def test_the_same_name_twice(tmp_path: Path):
    paths = [*write(tmp_path / "a", {"items.csv": ITEMS}), *write(tmp_path / "b", {"items.csv": ITEMS})]
    error = refused(tmp_path, paths)
    assert (error.what, error.value) == ("Two files have the same name", "items.csv")


def test_nothing_there_and_nothing_to_read(tmp_path: Path):
    error = refused(tmp_path, [tmp_path / "no.csv"])
    assert (error.what, error.value) == ("There is no such file or folder", str(tmp_path / "no.csv"))
    (tmp_path / "empty").mkdir()
    assert refused(tmp_path, [tmp_path / "empty"]).what == "There is nothing to read in there"
    assert "File name too long" in refused(tmp_path, [tmp_path / ("x" * 300)]).what


# ---- values ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["Action|Drama", "Drama"], [("Action", "Drama"), ("Drama",)]),
        (["Action; Drama", "Drama"], [("Action", "Drama"), ("Drama",)]),
        (["Home > Kitchen", "Home"], [("Home", "Kitchen"), ("Home",)]),
        (["A / B", "B"], [("A", "B"), ("B",)]),
        (['"A, B"', "B"], [("A", "B"), ("B",)]),
        (["A|A||unknown", "-"], [("A",), ()]),
    ],
)
def test_categories(tmp_path: Path, cells: list[str], expected: list[tuple[str, ...]]):
    text = "id,title,category\n" + "".join(f"{n},T,{cell}\n" for n, cell in enumerate(cells))
    run(tmp_path, {"items.csv": text})
    assert list(opened(tmp_path).items["categories"]) == expected


def users(tmp_path: Path, column: str, cells: list[str]) -> tuple[list[float], list[str]]:
    text = f"user_id,{column}\n" + "".join(f"u{n},{cell}\n" for n, cell in enumerate(cells))
    report = run(tmp_path, {"items.csv": ITEMS, "users.csv": text})
    return opened(tmp_path).users["age"].fillna(-1).tolist(), [f"{f.row} {f.value}" for f in report.findings.kept]


@pytest.mark.parametrize(
    ("column", "cells", "ages", "warned"),
    [
        ("age", ["30", "0", "120", "121", "-1", "", "n/a", "x", "30.5", "1e999"],
         [30, 0, 120, -1, -1, -1, -1, -1, 30.5, -1], ["5 121", "6 -1", "9 x", "11 1e999"]),
        ("birth_year", ["1990", "2026", "1906", "1905", "2027", ""], [36, 0, 120, -1, -1, -1], ["5 1905", "6 2027"]),
        ("age_group", ["25-34", "65+", "under 18", "unter 18", "35 to 44", "50", "x"],
         [29.5, 70, 13, 13, 39.5, 50, -1], ["8 x"]),
    ],
)  # fmt: skip
def test_ages(tmp_path: Path, column: str, cells: list[str], ages: list[float], warned: list[str]):
    assert users(tmp_path, column, cells) == (ages, warned)


def times(tmp_path: Path, cells: list[str]) -> tuple[list[int], list[str]]:
    text = "user_id,item_id,date\n" + "".join(f'u,1,"{cell}"\n' for cell in cells)
    report = run(tmp_path, {"items.csv": ITEMS, "ratings.csv": text})
    found_ = opened(tmp_path).interactions["timestamp"].fillna(0).astype(int).tolist()
    return found_, [finding.value for finding in report.findings.kept]


DAY = 1766534400  # 2025-12-24


@pytest.mark.parametrize(
    ("cells", "expected", "warned"),
    [
        (["1766534400", "1766534400000", "1766534400.0", ""], [DAY, DAY, DAY, 0], []),
        (["2025-12-24", "2025-12-24T01:00:00Z", "2025-12-24 02:00:00+01:00", "20251224"],
         [DAY, DAY + 3600, DAY + 3600, DAY], []),
        (["24.12.2025", "24.12.25", "1.2.2025 00:00"], [DAY, DAY, 1738368000], []),
        (["24/12/2025", "01/02/2025", "12/24/2025"], [DAY, 1738368000, 0], ["12/24/2025"]),
        (["12/24/2025", "01/02/2025"], [DAY, 1735776000], []),
        (["24 Dec 2025", "December 24, 2025"], [DAY, DAY], []),
        (["2999-01-01", "1800-01-01", "soon", "2025-02-30", "10:30", "inf", "1e300", "-9e18"], [0] * 8,
         ["2999-01-01", "1800-01-01", "soon", "2025-02-30", "10:30", "inf", "1e300", "-9e18"]),
    ],
)  # fmt: skip
def test_dates(tmp_path: Path, cells: list[str], expected: list[int], warned: list[str]):
    assert times(tmp_path, cells) == (expected, warned)


def test_dates_are_read_alike_in_the_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("recsys.datasets.importing.lines._BLOCK", 64)
    [path] = write(tmp_path / "in", {"items.csv": ITEMS})
    dates = [f"{day:02d}/11/2025" for day in range(1, 29)]
    plan = guess_import(
        [File("items.csv", path), File("r.csv", *write(tmp_path, {"r.csv": "user_id,item_id,date\nu,1,28/11/2025\n"}))],
        Limits(), ImportPlan(),
    )  # fmt: skip
    text = "user_id,item_id,date\n" + "".join(f"u,1,{date}\n" for date in dates)
    run(tmp_path, {"items.csv": ITEMS, "r.csv": text}, plan=plan)
    steps = opened(tmp_path).interactions["timestamp"].diff().dropna()
    assert steps.tolist() == [86400] * 27


@pytest.mark.parametrize(
    ("cell", "price"),
    [("1.234,50 €", 1234.5), ("€1,234.50", 1234.5), ("1,299", 1299), ("12,5", 12.5), ("CHF 12.50", 12.5), ("1 234,50", 1234.5),
     ("1.234.567", 1234567), ("-3", None), ("free", None), ("4/5", None), ("1e12", None), ("", 0), ("0", 0.0)],
)  # fmt: skip
def test_prices(tmp_path: Path, cell: str, price: float | None):
    report = run(tmp_path, {"items.csv": f'id,title,price\n1,A,"{cell}"\n'}, plan=with_price())
    stored = opened(tmp_path).items["price"].fillna(0)[0]
    assert stored == (price or 0)
    expected = [("items.csv", 2, "price", cell, "The price is not a possible number")] if price is None else []
    assert found(report) == expected


def with_price() -> ImportPlan:
    return plan_of(roles={"item_id": "id", "title": "title", "price": "price"})


@pytest.mark.parametrize(
    ("ratings", "liked_from"),
    [("1 0", 1.0), ("5 0.5", 4.0), ("10 1", 8.0), ("100 7", 80.0), ("250 1", 0.0), ("4,5 1", 4.0)],
)
def test_what_counts_as_a_like(tmp_path: Path, ratings: str, liked_from: float):
    text = "user_id;item_id;rating\n" + "".join(f"u;1;{rating}\n" for rating in ratings.split())
    report = run(tmp_path, {"items.csv": ITEMS, "ratings.csv": text})
    assert report.about["liked_from"] == liked_from
    assert opened(tmp_path).info.liked_from == liked_from


def test_an_attribute_may_have_the_name_of_another_tables_role(tmp_path: Path):
    """It is kept as text: the age of an item is no person's age, and an average rating is no rating."""
    items = "id,title,age,rating,timestamp,user_id\n1,A,12+,250,soon,x\n"
    people = "user_id,age,categories,price,year,title\nu,30,a|b,cheap,later,Dr\n"
    ratings = "user_id,item_id,rating,price\nu,1,5,3\n"
    report = run(tmp_path, {"items.csv": items, "users.csv": people, "ratings.csv": ratings})
    dataset = opened(tmp_path)
    assert dataset.items.to_numpy().tolist() == [["1", "A", "12+", "250", "soon", "x"]]
    assert dataset.users.to_numpy().tolist() == [["u", 30.0, "a|b", "cheap", "later", "Dr"]]
    assert report.about["liked_from"] == 4.0


# ---- every rule ------------------------------------------------------------------------------------------------------------

LONG = "x" * 20_001


@pytest.mark.parametrize(
    ("file", "text", "row", "column", "value", "what", "fix", "is_error"),
    [
        ("items.csv", "id,title\n,A\n", 2, "id", "", "The id of the item is missing", "Fill it in, or delete the row.", True),
        ("items.csv", f"id,title\n{'9' * 201},A\n", 2, "id", "9" * 79 + "…",
         "The id of the item is longer than 200 characters", "Shorten it.", True),
        ("items.csv", "id,title\n1.2E+15,A\n", 2, "id", "1.2E+15",
         "The id of the item is a number that has lost its last digits",
         "Write ids as text; a spreadsheet or a float has cut them.", True),
        ("items.csv", "id,title\n7,A\n7,B\n", 3, "id", "7", "The id was there before",
         "Keep one row for each id; the first one is taken.", True),
        ("items.csv", "id,title\n7,  \n", 2, "title", "", "The title is empty", "Give the item a title.", True),
        ("items.csv", f"id,title\n7,{LONG}\n", 2, "title", "x" * 79 + "…", "The text is longer than 20,000 characters",
         "Shorten it, or raise COLDLENS_MAX_TEXT.", True),
        ("items.csv", f"id,title,text\n7,A,{LONG}\n", 2, "text", "x" * 79 + "…",
         "The text is longer than 20,000 characters", "Shorten it, or raise COLDLENS_MAX_TEXT.", True),
        ("items.csv", f"id,title,text\n7,A,{'y ' * 501}z\n", 2, "text", ("y " * 40)[:79] + "…",
         "The text is longer than the 1,000 characters that BERT reads, about",
         "Put what matters first; the text is kept whole.", False),
        ("items.csv", f"id,title,maker\n7,A,{LONG}\n", 2, "maker", "x" * 79 + "…",
         "The text is longer than 20,000 characters", "Shorten it, or raise COLDLENS_MAX_TEXT.", True),
        ("items.csv", "id,title,year\n7,A,999\n", 2, "year", "999", "The year is impossible",
         "Write a year from 1000 to 2036; the item is kept without it.", False),
        ("items.csv", "id,title,price\n7,A,-1\n", 2, "price", "-1", "The price is not a possible number",
         "Write a number from 0 on; the item is kept without it.", False),
        ("users.csv", "user_id,age\n,3\n", 2, "user_id", "", "The id of the person is missing",
         "Fill it in, or delete the row.", True),
        ("users.csv", "user_id,age\na,3\nb,4\na,5\n", 4, "user_id", "a", "The id was there before",
         "Keep one row for each id; the first one is taken.", True),
        ("users.csv", "user_id,age\na,150\n", 2, "age", "150", "The age is impossible",
         "Write a number, so that the age is from 0 to 120; the person is kept without it.", False),
        ("users.csv", f"user_id,gender\na,{LONG}\n", 2, "gender", "x" * 79 + "…",
         "The text is longer than 20,000 characters", "Shorten it, or raise COLDLENS_MAX_TEXT.", True),
        ("ratings.csv", "user_id,item_id,rating\nu,1,good\n", 2, "rating", "good", "The rating is not a number",
         "Write a number, or leave it empty: an interaction without a rating counts as a like.", True),
        ("ratings.csv", "user_id,item_id,date\nu,1,never\n", 2, "date", "never", "The date is impossible",
         "Write seconds since 1970 or a date such as 2025-12-24, not in the future; the row is kept without it.", False),
        ("ratings.csv", "user_id,item_id\nu,99\n", 2, "item_id", "99", "The item is not in the catalog",
         "Add the item to the catalog, or delete the row.", True),
        ("ratings.csv", "user_id,item_id\n,1\n", 2, "user_id", "", "The id of the person is missing",
         "Fill it in, or delete the row.", True),
        ("graph.csv", "head,relation,tail\n1,,Scott\n", 2, "relation", "", "The id of the relation is missing",
         "Fill it in, or delete the row.", True),
    ],
)  # fmt: skip
def test_every_rule(
    tmp_path: Path, file: str, text: str, row: int, column: str, value: str, what: str, fix: str, is_error: bool
):  # fmt: skip
    good = {"items.csv": ITEMS} if file != "items.csv" else {}
    if file == "items.csv":
        text += "".join(",".join(["ok", "Fine"] + [""] * (text.split("\n")[0].count(",") - 1)) + "\n" for _ in "x")
    report = run(tmp_path, {**good, file: text}, valid_rows=True)
    finding, *others = report.findings.kept
    assert [other.what[:23] for other in others] == (
        ["The text is longer than"] if column == "text" and is_error else []
    )
    assert (finding.file, finding.row, finding.column, finding.value) == (file, row, column, value)
    assert (finding.what, finding.fix, finding.is_error) == (what, fix, is_error)
    told = f"{what}: {file}, row {row}, column '{column}', '{value}'. {fix}"
    assert str(finding) == told
    assert (report.findings.n_errors, report.findings.n_warnings) == (is_error, (not is_error) + len(others))
    assert len(report.rejected) == is_error


def test_a_person_that_is_not_in_the_table_of_users(tmp_path: Path):
    report = run(tmp_path, {**THREE, "ratings.csv": "user_id,item_id\nu1,1\nu9,1\nu9,99\n"}, valid_rows=True)
    assert found(report) == [
        ("ratings.csv", 3, "user_id", "u9", "The person is not in the table of users"),
        ("ratings.csv", 4, "item_id", "99", "The item is not in the catalog"),
        ("ratings.csv", 4, "user_id", "u9", "The person is not in the table of users"),
    ]
    assert counts(report, "interactions") == (3, 1, 2)


def test_nested_values(tmp_path: Path):
    lines = [
        '{"id": 1, "title": {"en": "A"}}',
        '{"id": 2, "title": "B", "price": {"eur": 1}}',
        '{"id": {}, "title": "C"}',
    ]
    report = run(tmp_path, {"items.jsonl": "\n".join(lines)}, valid_rows=True)
    what = "The value is not a text, a number or a list of those"
    assert [(f.row, f.column, f.what, f.is_error) for f in report.findings.kept] == [
        (1, "title", what, True),
        (3, "id", what, True),
        (2, "price", "The price is not a possible number", False),
    ]
    assert titles(tmp_path) == ["B"]


def test_a_text_among_numbers(tmp_path: Path):
    text = "id,title,pages\n" + "".join(f"{n},T,{n * 10 if n != 7 else 'many'}\n" for n in range(30))
    report = run(tmp_path, {"items.csv": text})
    assert found(report) == [("items.csv", 9, "pages", "many", "A text stands among numbers")]
    assert report.findings.n_warnings == 1


def test_findings_are_all_counted_and_the_first_are_kept(tmp_path: Path):
    text = "user_id,item_id\n" + "u,nowhere\n" * 1000
    report = run(tmp_path, {"items.csv": ITEMS, "ratings.csv": text}, valid_rows=True)
    assert counts(report, "interactions") == (1000, 0, 1000)
    assert report.findings.n_errors == 1000
    assert len(report.findings.kept) == 200
    assert report.findings.counts() == [
        {"file": "ratings.csv", "what": "The item is not in the catalog", "count": 1000, "is_error": True}
    ]


# ---- rejected rows ---------------------------------------------------------------------------------------------------------


def test_rejected_rows_are_corrected_and_come_back(tmp_path: Path):
    text = 'id,title,price\n1,A,1\n2,,"=1+1"\n3,"un\nclosed" x,2\n4,D,3\n4,E,4\n'
    report = run(tmp_path, {"items.csv": text}, valid_rows=True)
    assert counts(report, "items") == (5, 2, 3)
    [path] = report.rejected
    rows = list(csv.reader(io.StringIO(path.read_text("utf-8"), newline="")))
    assert rows == [
        ["coldlens row", "coldlens fault", "coldlens line", "id", "title", "price"],
        ["4", "The row cannot be taken apart (',' expected after '\"')", '3,"un\nclosed" x,2', "", "", ""],
        ["3", "The title is empty (title)", "", "2", "", "'=1+1"],
        ["7", "The id was there before (id)", "", "4", "E", "4"],
    ]
    rows[1][3:], rows[2][4], rows[3][3] = ["3", "unclosed", "2"], "B", "5"
    corrected = tmp_path / "corrected.csv"
    with corrected.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    again = run(tmp_path, [tmp_path / "in" / "items.csv", corrected], valid_rows=True, replace=True)
    assert counts(again, "items") == (8, 5, 3)
    assert list(opened(tmp_path).items["title"]) == ["A", "B", "unclosed", "D", "E"]
    assert list(opened(tmp_path).items.columns) == ["item_id", "title", "price"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_rejected_rows_that_a_spreadsheet_has_saved(tmp_path: Path, delimiter: str):
    rows = [["coldlens row", "coldlens fault", "coldlens line", "id", "title"], ["2", "why", "", "1", "A"]]
    text = "".join(delimiter.join(row) + "\r\n" for row in rows)
    run(tmp_path, {"items-rejected.csv": text})
    assert list(opened(tmp_path).items.columns) == ["item_id", "title"]


HOSTILE = ["=1+1", "+1", "-1", "@x", " =1", "'=1", "''", "'a", "a'", "=a\tb", "\0=1"]


def test_formulas_are_neutralised_and_come_back(tmp_path: Path):
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["id", "title", "=note"], *[["", "T", cell] for cell in HOSTILE]])
    report = run(tmp_path, {"items.csv": ITEMS, "items-2.csv": out.getvalue()}, valid_rows=True)
    [path] = report.rejected
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    for row in rows:
        for cell in row:
            assert not cell.lstrip(" \0").startswith(("=", "+", "-", "@", "\t", "\r", "\n")), cell
    for number, row in enumerate(rows[1:]):
        row[3] = f"n{number:02d}"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    table = TablePlan(kind="items", roles={"item_id": "id", "title": "title"}, attributes=("=note",))
    plan = ImportPlan(files=(FilePlan(file=path.name, table=table),))
    run(tmp_path, [path], plan=plan, replace=True)
    assert list(opened(tmp_path).items["=note"]) == [
        cell.replace("\0", " ").replace("\t", " ").strip() for cell in HOSTILE
    ]


def test_rejected_json_lines_have_their_lists(tmp_path: Path):
    lines = ['{"id": 1, "title": "A"}', '{"id": 2, "title": "", "tags": ["x", "y"], "more": {"a": 1}}']
    [path] = run(tmp_path, {"items.jsonl": "\n".join(lines)}, valid_rows=True).rejected
    assert path.read_text("utf-8").splitlines()[1] == "2,The title is empty (title),,2,,x|y,"


# ---- plans -----------------------------------------------------------------------------------------------------------------


def cli(*args: object) -> Any:
    return CliRunner().invoke(app, [str(arg) for arg in args])


def test_inspect_edit_and_import(tmp_path: Path):
    paths = write(tmp_path, {"items.csv": "code;nom;sorte\n1;A;x/y\n", "ratings.csv": "user_id,item_id\nu,1\n"})
    done = cli("datasets", "inspect", *paths, "--json", "--data-dir", tmp_path / "data")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["format"] is None
    plan = told["plan"]
    assert plan["files"][0]["table"]["roles"] == {"item_id": "code", "title": "nom"}
    plan["files"][0]["table"] |= {"attributes": [], "separator": "/"}
    plan["files"][0]["table"]["roles"]["categories"] = "sorte"
    plan["title"], plan["liked_from"] = "Mine", 0.5
    write(tmp_path, {"plan.json": json.dumps(told)})
    options = ("--name", "shop", "--data-dir", tmp_path / "data", "--plan", tmp_path / "plan.json", "--json")
    done = cli("datasets", "import", *paths, *options)
    assert done.exit_code == 0, done.output
    dataset = opened(tmp_path)
    assert (dataset.info.title, dataset.info.liked_from) == ("Mine", 0.5)
    assert list(dataset.items["categories"]) == [("x", "y")]


def test_inspect_of_what_has_no_items(tmp_path: Path):
    paths = write(tmp_path, {"ratings.csv": RATINGS})
    done = cli("datasets", "inspect", *paths, "--data-dir", tmp_path / "data")
    assert done.exit_code == 0
    assert "interactions" in done.stdout


def test_map(tmp_path: Path):
    paths = write(tmp_path, {"stock.csv": "a,b,c\n1,A,5\n", "sales.csv": "who,what,stars\nu,1,2\n"})
    options = ("--name", "shop", "--data-dir", tmp_path / "data")
    maps = ("stock.csv:item_id=a", "stock.csv:title=b", "title=b")
    done = cli("datasets", "import", *paths, *options, *(f"--map={text}" for text in maps))
    assert done.exit_code == 0, done.output
    assert "Left out, as they fit no table: sales.csv." in done.stdout
    assert titles(tmp_path) == ["A"]


def test_map_to_a_file_that_was_not_understood(tmp_path: Path):
    paths = write(tmp_path, {"items.csv": ITEMS, "ratings.csv": "wer,item_id\nu,1\n"})
    done = cli(
        "datasets",
        "import",
        *paths,
        "--name",
        "shop",
        "--data-dir",
        tmp_path / "data",
        "--map",
        "ratings.csv:user_id=wer",
    )
    assert done.exit_code == 0, done.output
    assert len(opened(tmp_path).interactions) == 1


def files_plan() -> ImportPlan:
    items = FilePlan(
        file="a/items.csv", table=TablePlan(kind="items", roles={"item_id": "id", "title": "t"}, attributes=("x",))
    )
    ratings = FilePlan(file="r.csv", table=TablePlan(kind="interactions", roles={"user_id": "u", "item_id": "i"}))
    return ImportPlan(files=(items, ratings))


def test_changes_of_roles():
    plan = with_changes(files_plan(), maps=["items.csv:title=x", "rating=stars"])
    assert plan.files[0].table.roles == {"item_id": "id", "title": "x"}
    assert plan.files[0].table.attributes == ("t",)
    assert plan.files[1].table.roles == {"user_id": "u", "item_id": "i", "rating": "stars"}
    assert with_changes(plan, maps=["r.csv:rating="]).files[1].table.roles == {"user_id": "u", "item_id": "i"}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("nonsense", "The mapping is not understood"),
        ("no.csv:title=x", "The mapping names a file that is not there"),
    ],
)
def test_changes_that_are_not_understood(text: str, what: str):
    with pytest.raises(DataError) as raised:
        with_changes(files_plan(), maps=[text])
    assert (raised.value.what, raised.value.value) == (what, text)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"roles": {"item_id": "item_id", "title": "no"}},
         "The file has no such column: 'items.csv, column 'no''. Choose one of: item_id, title, genres, year, price."),
        ({"roles": {"item_id": "item_id"}},
         "No column is the title of the items: 'items.csv, columns item_id, title, genres, year, price'. "
         "Say which one it is: --map items.csv:title=COLUMN."),
        ({"roles": {"item_id": "item_id", "title": "title", "colour": "x"}},
         "There is no such role for items: 'colour'. "
         "Use one of: item_id, title, description, categories, year, price, image, audio."),
    ],
)  # fmt: skip
def test_columns_and_roles_that_are_not_there(tmp_path: Path, table: dict[str, Any], told: str):
    plan = read_plan({"files": [{"file": "items.csv", "table": {"kind": "items", **table}}]})
    assert str(refused(tmp_path, {"items.csv": ITEMS}, plan=plan)) == told


def test_a_plan_of_another_file(tmp_path: Path):
    plan = read_plan({"files": [{"file": "x.csv", "table": {"kind": "items", "roles": {}}}]})
    error = refused(tmp_path, {"items.csv": ITEMS}, plan=plan)
    assert str(error) == "The plan names a file that is not there: 'x.csv'. Use one of: items.csv."


@pytest.mark.parametrize(
    ("values", "value"),
    [
        ({"nonsense": 1}, "nonsense = 1"),
        ({"files": [{"file": "x"}]}, "files.0.table = {'file': 'x'}"),
        ({"files": [{"file": "x", "table": {"kind": "things", "roles": {}}}]}, "files.0.table.kind = things"),
        ({"liked_from": float("nan")}, "liked_from = nan"),
        ([], "plan = []"),
    ],
)
def test_plans_that_cannot_be(values: Any, value: str):
    with pytest.raises(DataError) as raised:
        read_plan(values)
    assert (raised.value.what, raised.value.value) == ("The import plan is not valid", value)


def test_a_template_of_unknown_columns(tmp_path: Path):
    error = refused(tmp_path, {"items.csv": ITEMS}, plan=ImportPlan(item_template="{title} by {maker}"))
    assert (error.what, error.value) == ("The template names an unknown field", "maker")


def test_no_file_has_items(tmp_path: Path):
    error = refused(tmp_path, {"ratings.csv": RATINGS})
    assert (error.what, error.value) == ("None of the files holds items", "ratings.csv")


# ---- checks of what is there -----------------------------------------------------------------------------------------------


def test_check(tmp_path: Path):
    run(tmp_path, THREE)
    report = check_dataset(tmp_path / "data" / "shop")
    assert found(report) == []
    assert [counts(report, kind)[1] for kind in ("items", "users", "interactions")] == [3, 2, 3]
    assert cli("datasets", "check", "shop", "--data-dir", tmp_path / "data").exit_code == 0


def test_check_finds_what_is_wrong_by_hand(tmp_path: Path):
    folder = tmp_path / "data" / "mine"
    likes = parquet({"user_id": ["u", "v"], "item_id": ["1", "9"]})
    write(folder, {"items.parquet": parquet({"item_id": ["1"], "title": [""]}), "interactions.parquet": likes})
    with pytest.raises(DataError, match=r"No item can be used \(row 1: The title is empty\)"):
        check_dataset(folder)
    write(folder, {"items.parquet": parquet({"item_id": ["1", "2", "2"], "title": ["A", "B", "C"]})})
    report = check_dataset(folder)
    assert found(report) == [
        ("interactions.parquet", 2, "item_id", "9", "The item is not in the catalog"),
        ("items.parquet", 3, "item_id", "2", "The id was there before"),
    ]
    done = cli("datasets", "check", "mine", "--data-dir", tmp_path / "data")
    assert str(done.exception) == "2 errors were found: 'mine'. Import it again from corrected files, with --replace."


def test_check_of_a_damaged_version(tmp_path: Path):
    run(tmp_path, THREE)
    path = files_of(tmp_path / "data" / "shop") / "items.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match="A file of the artifact is damaged"):
        check_dataset(tmp_path / "data" / "shop")
    with pytest.raises(DataError, match="There is no such dataset"):
        check_dataset(tmp_path / "data" / "nowhere")


# ---- limits ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 3, 4])
@pytest.mark.parametrize(
    ("limit", "setting", "noun"),
    [("items", "COLDLENS_MAX_ITEMS", "rows of items"), ("users", "COLDLENS_MAX_USERS", "rows of users"),
     ("interactions", "COLDLENS_MAX_INTERACTIONS", "rows of interactions"), ("columns", "COLDLENS_MAX_COLUMNS", "columns")],
)  # fmt: skip
def test_limits_of_rows_and_columns(tmp_path: Path, n: int, limit: str, setting: str, noun: str):
    files = {
        "items.csv": "id,title\n" + "".join(f"{k},T\n" for k in range(n if limit == "items" else 1)),
        "users.csv": "user_id,age\n" + "".join(f"u{k},30\n" for k in range(n if limit == "users" else 1)),
        "ratings.csv": "user_id,item_id\n" + "u0,0\n" * (n if limit == "interactions" else 1),
    }
    if limit == "columns":
        files["items.csv"] = ",".join(["id", "title", "a", "b"][:n]) + "\n" + ",".join("0xyz"[:n]) + "\n"
    limits = Limits(**{limit: 3})
    if n <= 3:
        assert run(tmp_path, files, limits=limits).is_published
        return
    error = refused(tmp_path, files, limits=limits)
    assert f"more than 3 {noun}" in error.what
    assert setting in error.fix


@pytest.mark.parametrize("n", [29, 30, 31])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", ""])
@pytest.mark.parametrize("quote", ["", '"'])
def test_limit_of_a_line(tmp_path: Path, n: int, end: str, quote: str):
    line = f"2,{quote}{'x' * (n - 2 - 2 * len(quote))}{quote}"
    lines = ["id,title", "1,A", line, "3,C"] if end else ["id,title", "1,A", "3,C", line]
    text = (end or "\n").join(lines) + end
    report = run(tmp_path, {"items.csv": text}, limits=Limits(line_characters=30), valid_rows=True)
    assert counts(report, "items") == (3, 3, 0) if n <= 30 else (3, 2, 1)
    if n > 30:
        [finding] = report.findings.kept
        assert finding.row == (3 if end else 4)
        assert finding.what == "The line has more than 30 characters"
        assert finding.fix == "Shorten it, or raise COLDLENS_MAX_LINE."


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("n", range(28, 40))
def test_rows_after_a_line_that_is_too_long(tmp_path: Path, n: int, end: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("recsys.datasets.importing.lines._BLOCK", 10)
    text = end.join(["id,title", "1,A", "2," + "x" * (n - 2), "3,", "4,D"]) + end
    plan = plan_of()
    report = run(tmp_path, {"items.csv": text}, limits=Limits(line_characters=30), valid_rows=True, plan=plan)
    assert [f.row for f in report.findings.kept if f.what == "The title is empty"] == [4]
    assert counts(report, "items") == ((4, 3, 1) if n <= 30 else (4, 2, 2))


@pytest.mark.parametrize("n", [9, 10, 11])
def test_limit_of_a_text(tmp_path: Path, n: int):
    report = run(
        tmp_path, {"items.csv": f"id,title\n1,{'x' * n}\n2,B\n"}, limits=Limits(text_characters=10), valid_rows=True
    )
    assert counts(report, "items") == ((2, 2, 0) if n <= 10 else (2, 1, 1))


@pytest.mark.parametrize("extra", [-1, 0, 1])
@pytest.mark.parametrize("packed", ["zip", "gz"])
def test_limit_of_what_is_unpacked(tmp_path: Path, extra: int, packed: str):
    size = (1 << 20) + extra
    line = "1,A," + "x" * 90 + "\n"
    text = "id,title,note\n" + "".join(f"{n:09d}," + line[2:] for n in range(size // 110))
    text += "\n" * (size - len(text))
    paths = (
        [zipped(tmp_path / "items.zip", {"items.csv": text})]
        if packed == "zip"
        else write(tmp_path, {"items.csv.gz": gzipped(text)})
    )
    if extra <= 0:
        assert run(tmp_path, paths, limits=Limits(unpacked_mb=1)).is_published
        return
    error = refused(tmp_path, paths, limits=Limits(unpacked_mb=1))
    assert error.what in ("The archive unpacks to more than 1 MB", "The file unpacks to more than 1 MB")
    assert error.fix == "Unpack it and name what is inside, or raise COLDLENS_MAX_UNPACKED_MB."


@pytest.mark.parametrize("n", [2, 3, 4])
@pytest.mark.parametrize("packed", [True, False])
def test_limit_of_members(tmp_path: Path, n: int, packed: bool):
    files = {f"items-{k}.csv": f"id,title\n{k},T\n" for k in range(n)}
    write(tmp_path / "shop", files)
    path = zipped(tmp_path / "shop.zip", files) if packed else tmp_path / "shop"
    if n <= 3:
        assert counts(run(tmp_path, [path], limits=Limits(members=3)), "items") == (n, n, 0)
        return
    error = refused(tmp_path, [path], limits=Limits(members=3))
    assert error.what == "There are more than 3 files in there"
    assert "COLDLENS_MAX_MEMBERS" in error.fix


def test_progress_is_told(tmp_path: Path):
    told: list[tuple[str, int, int]] = []
    paths = write(tmp_path, THREE)
    import_files(paths, "shop", data_dir=tmp_path / "data", progress=lambda *what: told.append(what))
    assert {what for what, _, _ in told} == set(THREE)
    assert all(done <= total for _, done, total in told)


def test_gather_keeps_the_order_of_names(tmp_path: Path):
    write(tmp_path / "d", {"b.csv": "x", "a.csv": "y"})
    assert [file.name for file in gather([tmp_path / "d"], tmp_path, Limits())] == ["d/a.csv", "d/b.csv"]
