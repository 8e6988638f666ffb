"""What spreadsheets and other programs really write, guessed without a word from the reader."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from recsys.cli import app
from recsys.datasets.importing import CsvDialect, FilePlan, ImportPlan, TablePlan, look_at
from recsys.datasets.importing.dialect import sniff_dialect
from recsys.datasets.importing.files import File
from recsys.errors import DataError
from recsys.settings import Limits
from tests.datasets.importing.shop import ITEMS, counts, run, write


def looked(folder: Path, name: str, content: str | bytes):
    (path,) = write(folder, {name: content})
    return look_at(File(name, path), Limits())


def test_a_spreadsheet_with_a_mark_and_empty_cells_at_the_end(tmp_path: Path):
    rows = "".join(f"{n};Lamp {n};1.234,50;;\r\n" for n in range(1, 6))
    found = looked(tmp_path, "export.csv", b"\xef\xbb\xbf" + f"ID;Name;Preis;;\r\n{rows}".encode())
    assert found.columns == ("ID", "Name", "Preis")
    assert found.plan.table.roles == {"item_id": "ID", "title": "Name", "price": "Preis"}


@pytest.mark.parametrize(
    ("before", "skip"),
    [
        ("sep=;\n", 1),
        ("SEP=;\n\n", 1),
        ("Our shop\n", 1),
        ("Our shop;;\nas of May;;\n\n", 3),
        ("", 0),
    ],
)
def test_lines_before_the_header(tmp_path: Path, before: str, skip: int):
    text = before + "id;title;price\n1;Tea;2,5\n2;Mug;3,5\n;Pot;1\n"
    found = looked(tmp_path, "shop.csv", text)
    assert found.plan.dialect == CsvDialect(";", skip=skip)
    assert found.columns == ("id", "title", "price")
    report = run(tmp_path, {"shop.csv": text}, valid_rows=True)
    assert counts(report, "items") == (3, 2, 1)
    assert [finding.row for finding in report.findings.kept] == [4 + before.count("\n")]


@pytest.mark.parametrize("text", ["7;;\n8;Tea;2\n9;Mug;3\n", "id\n1\n2\n", "a;b\n"])
def test_a_first_row_of_values_is_not_skipped(text: str):
    assert sniff_dialect(text, "utf-8").skip == 0


def test_single_quotes_are_found_and_apostrophes_are_none(tmp_path: Path):
    found = looked(tmp_path, "a.csv", "id,title\n1,'Tea, green'\n2,'Mug, blue'\n")
    assert [row[1] for row in found.sample] == ["Tea, green", "Mug, blue"]
    found = looked(tmp_path, "b.csv", "id,title\n1,'s Gravenhage\n2,Children's '\n3,Mug\n")
    assert [row[1] for row in found.sample] == ["'s Gravenhage", "Children's '", "Mug"]


@pytest.mark.parametrize(
    ("encoding", "title"),
    [
        ("cp1250", "Żółta herbata, łagodna"),
        ("shift_jis", "さわやかな朝のお茶です"),
        ("euc-jp", "さわやかな朝のお茶です"),
        ("cp1252", "¿Qué? Käse für 10 m³ à £5"),
        ("gb18030", "清香的绿茶适合早晨饮用"),
        ("big5", "清香的綠茶適合早晨飲用"),
    ],
)
def test_encodings_of_many_languages(tmp_path: Path, encoding: str, title: str):
    text = "id;title\n" + "".join(f"{n};{title} {n}\n" for n in range(1, 20))
    found = looked(tmp_path, "a.csv", text.encode(encoding))
    assert found.sample[0] == ("1", f"{title} 1")


def test_names_of_columns_in_chinese(tmp_path: Path):
    found = looked(tmp_path, "a.csv", "编号,名称,描述,价格,产地\n1,绿茶,清香,9,杭州\n")
    assert found.plan.table.roles == {"item_id": "编号", "title": "名称", "description": "描述", "price": "价格"}
    assert found.plan.table.attributes == ("产地",)


def test_dates_of_birth_are_ages(tmp_path: Path):
    users = "user_id,birth_date\nu1,1990-03-01\nu2,01.03.1986\nu3,1976\n"
    assert looked(tmp_path, "users.csv", users).plan.table.ages == "birth year"
    parts = (
        FilePlan(file="items.csv", table=TablePlan(kind="items", roles={"item_id": "item_id", "title": "title"})),
        FilePlan(
            file="users.csv",
            table=TablePlan(kind="users", roles={"user_id": "user_id", "age": "birth_date"}, ages="birth year"),
        ),
    )
    report = run(tmp_path, {"items.csv": ITEMS, "users.csv": users}, plan=ImportPlan(files=parts))
    assert report.findings.kept == []


def refusal(folder: Path, name: str, content: str | bytes, **options: object) -> str:
    with pytest.raises(DataError) as raised:
        run(folder, {name: content}, **options)
    return str(raised.value)


@pytest.mark.parametrize("text", ['[{"id": 1, "title": "A"}]', "[\n {\n", '{\n "items": [\n'])
def test_one_json_document_is_refused_by_name(tmp_path: Path, text: str):
    assert refusal(tmp_path, "items.json", text).startswith(
        "The file is one JSON document and not JSON Lines: 'items.json'."
    )


def test_a_workbook_is_refused_by_name(tmp_path: Path):
    assert "Save each sheet as “CSV UTF-8”" in refusal(tmp_path, "Stock.XLSX", b"PK\x03\x04")


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("an item", "With this template all items read the same: 'an item'"),
        ("{title", "A bracket of the template has no partner: '{title'"),
        ("{title}[ ({year})", "A bracket of the template has no partner"),
        ("[[{title}]]", "A bracket of the template has no partner"),
        ("{title} {nix}", "The template names an unknown field: 'nix'"),
    ],
)
def test_templates_that_would_spoil_every_text(tmp_path: Path, template: str, told: str):
    assert refusal(tmp_path, "items.csv", ITEMS, plan=ImportPlan(item_template=template)).startswith(told)


def test_a_limit_that_no_item_keeps_is_named(tmp_path: Path):
    assert "COLDLENS_MAX_TEXT" in refusal(tmp_path, "items.csv", ITEMS, limits=Limits(text_characters=2))


def test_ratings_of_which_none_is_a_like_are_told(tmp_path: Path):
    low = "user_id,item_id,rating\nu1,1,2\nu2,2,1\n"
    report = run(tmp_path, {"items.csv": ITEMS, "ratings.csv": low})
    told = [(f.file, f.column, f.value, f.what, f.is_error) for f in report.findings.kept]
    what = "No rating reaches 4, from where on one counts as a like"
    assert told == [("ratings.csv", "rating", "2 at most", what, False)]
    plan = ImportPlan(liked_from=2.0)
    assert run(tmp_path, {"items.csv": ITEMS, "ratings.csv": low}, plan=plan, replace=True).findings.kept == []


def test_faults_of_one_sort_do_not_hide_the_others(tmp_path: Path):
    rows = "".join(f"{n},Lamp {n},free\n" for n in range(30)) + "31,Lamp,-1\n,Nobody,1\n"
    (path,) = write(tmp_path, {"items.csv": f"id,title,price\n{rows}"})
    words = ["datasets", "import", str(path), "--name", "shop", "--data-dir", str(tmp_path / "data"), "--dry-run"]
    found = CliRunner().invoke(app, words)
    assert "31 times in items.csv: The price is not a possible number." in found.output
    assert found.output.count("free") == 5
    assert "1 error, 31 warnings." in found.output
