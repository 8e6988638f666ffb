"""A catalog of one's own, as a person brings it in, in a real Chromium; and it is still there after a restart."""

from pathlib import Path

import pytest
from driver import Visitor, serve, visit
from playwright.sync_api import expect

from recsys.datasets import write_folder
from tests.toy import toy_dataset

GOODS = (
    ("Füllfeder", "Büro|Schreiben", "Löwe", "Eine Feder mit Kolben; schreibt weich"),
    ("Gießkanne", "Garten", "Grün", "Zehn Liter aus verzinktem Blech"),
    ("Rucksack", "Wandern", "Alm", "Leicht, mit Regenhülle"),
    ("Kaffeemühle", "Küche", "Korn", "Mahlt von Hand, fein bis grob"),
)
BAD = (
    "A900;;Garten;8;Grün;ohne Namen",
    "A001;Noch einmal;Garten;8;Grün;die Nummer gab es schon",
    "A901;zu;viele;Zellen;in;dieser;Zeile",
    "A902;Teekanne;Küche;gratis;Korn;der Preis ist keiner",
)


def catalog() -> bytes:
    """Semicolons, Latin-1, and four bad rows: three that cannot be used, one whose price cannot."""
    rows = ["Artikelnummer;Bezeichnung;Rubrik;Preis;Marke;Text"]
    for n in range(24):
        title, kind, brand, text = GOODS[n % 4]
        rows.append(f'A{n:03d};{title} {n};{kind};{5 + n},90;{brand};"{text}"')
    for n, bad in enumerate(BAD):
        rows.insert(5 + 5 * n, bad)
    return ("\r\n".join(rows) + "\r\n").encode("latin-1")


@pytest.fixture(scope="module")
def data(tmp_path_factory, monkeymodule) -> Path:
    folder = tmp_path_factory.mktemp("bringing") / "data"
    write_folder(toy_dataset(), folder / "toy")
    monkeymodule.setenv("COLDLENS_DATASET", "toy")
    return folder


@pytest.fixture(scope="module")
def monkeymodule():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def main_of(visitor: Visitor):
    return visitor.page.get_by_test_id("stMain")


def press(visitor: Visitor, name: str) -> None:
    main_of(visitor).get_by_role("button", name=name, exact=True).last.click()


def check_clean(visitor: Visitor) -> None:
    assert visitor.faults == []
    assert visitor.outside == []
    assert visitor.page.locator("[data-testid=stException]").count() == 0


def test_a_catalog_of_ones_own_from_file_to_list_and_after_a_restart(browser, data: Path):
    log = data.parent / "log"
    with serve(data, log) as server, visit(browser, server) as visitor:
        page, main = visitor.page, main_of(visitor)
        visitor.open("/datasets")
        main.get_by_text("Bring your own").first.click()
        chosen = {"name": "Laden Füße.csv", "mimeType": "text/csv", "buffer": catalog()}
        page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(chosen)

        expect(main).to_contain_text("2 · What they hold", timeout=30_000)
        expect(main.get_by_role("combobox", name="Delimiter")).to_have_value(";", timeout=30_000)
        expect(main.get_by_role("combobox", name="Encoding")).to_have_value("cp1252")
        expect(main.get_by_role("combobox", name="Title (required)")).to_have_value("Bezeichnung")
        expect(main).to_contain_text("Füllfeder 0 by Löwe. Eine Feder mit Kolben; schreibt weich")

        main.get_by_role("combobox", name="Categories", exact=True).click()  # "Rubrik" is no name that is guessed
        page.get_by_role("option", name="Rubrik", exact=True).click()
        expect(main).to_contain_text("Füllfeder 0 by Löwe. Büro, Schreiben. Eine Feder")
        main.get_by_role("textbox", name="Name of the dataset").fill("laden")
        page.keyboard.press("Enter")
        visitor.settle()

        press(visitor, "Check")
        expect(main).to_contain_text(
            "3 errors (the row cannot be used) and 1 warning (the row is kept).", timeout=30_000
        )
        expect(main).to_contain_text("25 of 28")
        assert not (data / "laden" / "dataset.toml").exists(), "a check writes nothing"
        with page.expect_download() as waiting:
            main.get_by_role("button", name="Rejected rows (CSV)").click()
        rejected = Path(waiting.value.path()).read_text("utf-8")
        assert "The title is empty (Bezeichnung)" in rejected
        assert "The id was there before (Artikelnummer)" in rejected
        assert "The row has 7 cells and not 6" in rejected
        assert len(rejected.strip().splitlines()) == 4

        press(visitor, "Import the 25 valid rows, leave 3 out")
        expect(main).to_contain_text("laden is imported", timeout=30_000)
        press(visitor, "Build")
        expect(main.get_by_role("button", name="Show recommendations")).to_be_visible(timeout=120_000)
        press(visitor, "Show recommendations")
        expect(main).to_contain_text("What would we show this person?", timeout=60_000)
        visitor.settle()
        visitor.open("/?dataset=laden&interests=coffee+grinder+Kaffeem%C3%BChle&v=1")
        assert visitor.titles()[0].startswith("Kaffeemühle")
        check_clean(visitor)

    with serve(data, log.with_name("log-2")) as server, visit(browser, server) as visitor:
        visitor.open("/?dataset=laden&interests=Gie%C3%9Fkanne&v=1")
        assert visitor.titles()[0].startswith("Gießkanne")
        sidebar = visitor.page.get_by_test_id("stSidebar")
        expect(sidebar.get_by_role("combobox", name="Marke")).to_have_count(1)
        assert sidebar.get_by_text("Age", exact=True).count() == 0, "nobody's age is known"
        visitor.open("/datasets?dataset=laden")
        expect(main_of(visitor)).to_contain_text("needs interactions of other users")
        check_clean(visitor)
    for name in ("log", "log-2"):
        assert "Traceback" not in log.with_name(name).read_text("utf-8", "replace")
