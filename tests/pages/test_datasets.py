"""The Datasets page: what is possible, bringing files in, building."""

import json
import time
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pages.shared import asking
from pages.shared import jobs as jobs_module
from pages.shared.possible import possible
from pages.shared.uploads import safe_name
from recsys.datasets import movielens, open_dataset, write_folder
from recsys.errors import ColdlensError
from recsys.lock import writing
from recsys.schema import Dataset, DatasetInfo
from recsys.views.facts import facts_of
from recsys.views.graph import open_graph_view
from recsys.views.view import ItemView
from tests.toy import toy_dataset

GOODS = (
    b"sku;what;section;note\n1;Lamp;home|light;warm\n2;Kettle;kitchen;steel\n3;Kite;garden;paper\n4;;garden;nameless\n"
)
LIKES = b"user_id,item_id,rating\nann,1,5\nann,2,2\nbob,3,4\nbob,9,5\n"


@pytest.fixture(autouse=True)
def _no_jobs():
    """The jobs of a server go by the names of datasets, and the tests share one process."""
    yield
    for name, job in jobs_module.jobs().all():
        jobs_module.jobs().cancel(name, job)


@pytest.fixture
def data(tmp_path) -> Path:
    write_folder(toy_dataset(), tmp_path / "data" / "toy")
    return tmp_path / "data"


@pytest.fixture
def bring(open_app, data, monkeypatch):
    """Opens "Bring your own" and uploads files."""
    monkeypatch.setenv("COLDLENS_BACKGROUND", "off")

    def run(*files: tuple[str, bytes, str]):
        app = open_app(data, "toy")
        app.switch_page("pages/datasets.py").run()
        pick(app, "datasets_view", "Bring your own", kind="button_group")
        if files:
            app.file_uploader[0].set_value(list(files)).run()
        return app

    return run


def pick(app, key, value, kind="selectbox"):
    widgets = {"selectbox": app.selectbox, "multiselect": app.multiselect, "button_group": app.get("button_group")}
    next(w for w in widgets[kind] if w.key == key).set_value(value)
    return app.run()


def said(app) -> str:
    parts = [*app.markdown, *app.error, *app.warning, *app.success, *app.info, *app.caption, *app.subheader]
    return "\n".join(str(part.value).replace("\\", "").replace("*", "") for part in parts)


def press(app, label: str):
    next(button for button in app.button if button.label == label).click()
    return app.run()


def wait_for(app, words: str, seconds: float = 60.0):
    deadline = time.monotonic() + seconds
    while words not in said(app):
        assert time.monotonic() < deadline, said(app)
        time.sleep(0.2)
        app.run()
    return app


def box(app, label: str):
    return next(widget for widget in app.selectbox if widget.label == label)


def test_files_are_mapped_checked_and_imported(bring, data):
    app = bring(("goods.csv", GOODS, "text/csv"), ("likes.csv", LIKES, "text/csv"))
    assert not app.exception
    assert box(app, "Title (required)").value == "–"
    assert "Choose the column of: Title." in said(app)
    assert "4 · How an item reads" not in said(app)

    box(app, "Title (required)").set_value("what")
    box(app, "Categories").set_value("section")
    box(app, "Description").set_value("note").run()
    assert not app.exception
    assert "Lamp. home, light. warm" in said(app)
    next(widget for widget in app.number_input if widget.key == "own-liked-from").set_value(5.0).run()
    press(app, "Check")
    wait_for(app, "2 errors")
    assert "The title is empty · 1 in goods.csv · Give the item a title." in said(app)
    assert "0 warnings" in said(app)
    shown = app.dataframe[-1].value
    assert shown[["file", "row", "column", "value"]].to_numpy().tolist() == [
        ["goods.csv", 5, "what", ""],
        ["likes.csv", 5, "item_id", "9"],
    ]
    assert not (data / "goods").exists()

    press(app, "Import the 6 valid rows, leave 2 out")
    wait_for(app, "is imported")
    made = open_dataset("goods", data_dir=data)
    assert made.items["title"].tolist() == ["Lamp", "Kettle", "Kite"]
    assert made.items["categories"].tolist()[0] == ("home", "light")
    assert made.likes["item_id"].tolist() == ["1"]
    assert sorted(made.users["user_id"]) == ["ann", "bob"]
    assert not (data / "goods" / "build.json").exists()
    assert any(button.label == "Build" for button in app.button)


def test_a_correction_of_the_dialect_is_read_again(bring):
    app = bring(("goods.csv", GOODS.replace(b"Lamp", "L\xe4mpchen".encode("cp1252")), "text/csv"))
    assert box(app, "Encoding").value == "cp1252"
    assert box(app, "Delimiter").value == ";"
    box(app, "Delimiter").set_value("|").run()
    assert not app.exception
    assert list(app.dataframe[0].value.columns) == ["sku;what;section;note"]
    box(app, "Delimiter").set_value(";").run()
    assert list(app.dataframe[0].value.columns) == ["sku", "what", "section", "note"]
    assert app.dataframe[0].value["what"][0] == "Lämpchen"


def test_a_correction_that_makes_no_sense_can_be_taken_back(bring):
    app = bring(("teas.csv", b"id,title,price\n1,Sencha,4\n2,Assam,5\n", "text/csv"))
    box(app, "Encoding").set_value("utf-16").run()
    assert not app.exception
    assert app.error
    assert not [button for button in app.button if button.label == "Check"]
    box(app, "Encoding").set_value("utf-8").run()
    assert not app.error
    assert any(button.label == "Check" for button in app.button)


def test_a_template_with_an_unknown_field_is_refused_where_it_stands(bring):
    app = bring(("teas.csv", b"id,title\n1,Sencha\n", "text/csv"))
    field = next(widget for widget in app.text_input if widget.label.startswith("Template"))
    field.set_value("{title} from {origin}").run()
    assert not app.exception
    assert "The template names an unknown field: “origin”" in said(app)
    assert not [button for button in app.button if button.label == "Check"]


def test_a_dataset_that_is_there_is_replaced_only_when_ticked(bring, data):
    app = bring(("toy.csv", b"id,title\n1,Sencha\n", "text/csv"))
    check = next(button for button in app.button if button.label == "Check")
    assert check.disabled
    next(tick for tick in app.checkbox if tick.label.startswith("Replace")).check().run()
    press(app, "Check")
    wait_for(app, "Nothing is wrong with these files.")
    assert len(open_dataset("toy", data_dir=data).items) == 12
    press(app, "Import")
    wait_for(app, "is imported")
    assert open_dataset("toy", data_dir=data).items["title"].tolist() == ["Sencha"]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("empty.csv", b"", "The file is empty"),
        ("wide.csv", b",".join(b"c%d" % n for n in range(300)) + b"\n", "more than 200 columns"),
        ("x.parquet", b"PAR1 nothing PAR1", "not readable Parquet"),
        ("x.zip", b"PK\x03\x04 broken", "x.zip"),
        ("deep.jsonl", b'{"a":' * 20000, "deep.jsonl"),
    ],
)
def test_what_cannot_be_read_is_said_in_three_parts(bring, name, content, told):
    app = bring((name, content, "application/octet-stream"))
    assert not app.exception
    assert "Traceback" not in said(app)
    assert told in said(app)


def test_a_known_format_needs_no_mapping(bring, data):
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as writing_to:
        writing_to.writestr("ml-1m/movies.dat", "1::Alpha (1995)::Drama\n2::Beta, The (1999)::Comedy|War\n")
        writing_to.writestr("ml-1m/users.dat", "1::F::1::10::48067\n2::M::56::16::70072\n")
        writing_to.writestr("ml-1m/ratings.dat", "1::1::5::978300760\n2::2::3::978302109\n")
    app = bring(("ml-1m.zip", archive.getvalue(), "application/zip"))
    assert not app.exception
    assert "This is MovieLens 1M" in said(app)
    press(app, "Check")
    wait_for(app, "Nothing is wrong with these files.")
    press(app, "Import")
    wait_for(app, "is imported")
    made = open_dataset("movielens-1m", data_dir=data)
    assert made.items["title"].tolist() == ["Alpha", "The Beta"]
    assert made.likes["item_id"].tolist() == ["1"]


def test_files_of_the_inbox_are_offered(bring, data):
    (data / "inbox").mkdir()
    (data / "inbox" / "big.jsonl").write_text('{"id": 1, "title": "Sencha"}\n')
    app = bring()
    pick(app, "own_inbox", ["big.jsonl"], kind="multiselect")
    assert not app.exception
    assert box(app, "Title (required)").value == "title"


def test_a_second_writer_is_told_who_writes(bring, data):
    app = bring(("goods.csv", b"id,title\n1,Lamp\n", "text/csv"))
    with writing(data / "goods", "import"):
        press(app, "Check")
        wait_for(app, "Another process is writing this dataset")
    assert not app.exception


def build_view(open_app, data, monkeypatch):
    monkeypatch.setenv("COLDLENS_BACKGROUND", "off")
    app = open_app(data, "toy")
    app.switch_page("pages/datasets.py").run()
    return pick(app, "datasets_view", "Build", kind="button_group")


def test_a_build_runs_to_its_end_and_opens(open_app, data, monkeypatch):
    app = build_view(open_app, data, monkeypatch)
    assert not app.exception
    press(app, "Build")
    assert any(button.label == "Cancel" for button in app.button)
    wait_for(app, "Lay out the maps · done", seconds=120)
    while not any(button.label == "Show recommendations" for button in app.button):
        assert jobs_module.jobs().get("build toy").error() is None
        app.run()
    assert not app.exception
    state = json.loads((data / "toy" / "build.json").read_text())
    assert state["state"] == "finished"


def test_a_cancelled_build_goes_on(open_app, data, monkeypatch):
    app = build_view(open_app, data, monkeypatch)
    press(app, "Build")
    wait_for(app, "Read the files · running")
    press(app, "Cancel")
    wait_for(app, "The last build was stopped before its end")
    assert not app.exception
    assert any(button.label == "Go on building" for button in app.button)


def test_a_build_of_another_process_is_seen(open_app, data, monkeypatch):
    steps = [{"step": "encode", "state": "running", "seconds": 3.0, "why": ""}]
    state = {"pid": 1, "state": "running", "step": "encode", "detail": "encode", "done": 5, "total": 10, "left": 240.0}
    with writing(data / "toy", "build"):
        pid = json.loads((data / "toy" / ".writing.json").read_text())["pid"]
        (data / "toy" / "build.json").write_text(json.dumps(state | {"pid": pid, "steps": steps}))
        app = build_view(open_app, data, monkeypatch)
        assert not app.exception
        assert f"Another process does this (number {pid})" in said(app)
        assert not [button for button in app.button if button.label in ("Build", "Cancel")]


def test_what_is_possible_is_told_by_what_is_there():
    toy = toy_dataset()
    everything = {found.what: found.is_possible for found in possible(toy)}
    assert everything["Lists learned from what people liked (additive)"]
    items = pd.DataFrame({"item_id": ["1"], "title": ["Lamp"]})
    nobody = pd.DataFrame({"user_id": pd.Series(dtype=str)})
    alone = Dataset("x", DatasetInfo("x"), items, nobody, nobody.assign(item_id=pd.Series(dtype=str)))
    assert [found.is_possible for found in possible(alone)] == [True, False, True, *[False] * 7]


def test_ratings_that_are_all_too_low_are_told_as_such():
    toy = toy_dataset()
    low = replace(toy, interactions=toy.interactions.assign(rating=2.0))
    found = next(one for one in possible(low) if "additive" in one.what)
    assert found.why == f"needs likes: none of the {len(toy.interactions):,} ratings reaches 4"


def test_columns_with_too_many_values_are_told_as_such():
    toy = toy_dataset()
    items = pd.DataFrame(
        {"item_id": [str(n) for n in range(300)], "title": "Lamp", "code": [f"c{n}" for n in range(300)]}
    )
    many = {found.what: found for found in possible(replace(toy, items=items))}
    assert many["Filters of the list"].why == "not code: more than 200 different values"
    assert not many["Filters of the list"].is_possible


def pots(**columns) -> Dataset:
    items = pd.DataFrame({"item_id": list("abc"), "title": ["Red pot", "*Blue* pot", "=Lid"], **columns})
    nobody = pd.DataFrame({"user_id": pd.Series(dtype=str)})
    return Dataset("pots", DatasetInfo("Pots"), items, nobody, nobody.assign(item_id=pd.Series(dtype=str)))


def why(dataset: Dataset, what: str, views=None, **options) -> str:
    return next(one.why for one in possible(dataset, views, **options) if one.what.startswith(what))


def test_views_are_told_with_what_reads_them_and_how_words_reach_them():
    two = np.eye(3, 2, dtype=np.float32)
    view = ItemView("image", two, "k", "painted", words_by="names of colours")
    views = {"image": view, "audio": replace(view, name="audio", words_by=""), "graph": open_graph_view(toy_dataset())}
    assert (
        why(pots(), "Pictures", views) == "2 of 3 items have one; read by painted; words reach them by names of colours"
    )
    assert why(pots(), "Sounds", views).endswith("words do not reach them")
    toy = toy_dataset()
    told = why(toy, "Facts", views, relations=facts_of(toy).relations)
    assert told.endswith("; from columns of the items: categories")
    triples = pd.DataFrame(
        {"head": list("abbc"), "relation": ["in", "in", "by", "by"], "tail": ["Italy"] * 2 + ["Kella"] * 2}
    )
    linked = replace(pots(), graph=triples)
    told = why(linked, "Facts", {"graph": open_graph_view(replace(pots(), graph=triples))})
    assert told == "3 of 3 items have some; 2 shared facts in 2 dimensions; from a graph of 4 triples with 2 relations"


def test_pictures_that_are_named_but_not_there_are_told_as_such(tmp_path):
    web = pots(image=["https://example.com/a.png", "https://example.com/b.png", None])
    off = "2 items with a web address, and nothing is fetched; COLDLENS_FETCH_IMAGES=1 switches that on"
    assert why(web, "Pictures") == off
    assert why(web, "Pictures", may_fetch=True) != off
    assert "2 items with a picture file, and no file came along" in why(pots(image=["a.png", "b.png", None]), "Pict")
    assert "pip install" in why(replace(pots(audio=["a.wav", None, None]), media=tmp_path), "Sounds")
    assert why(pots(), "Sounds").startswith("needs a column of sound files")


def test_a_copy_of_movielens_without_its_graph_says_how_it_gets_one():
    told = replace(pots(), info=replace(DatasetInfo("Films"), source=movielens._SOURCE))
    assert "This copy has no graph. `recsys datasets fetch movielens-100k`" in why(told, "Facts")


def show_faults():
    import numpy as np
    import pandas as pd

    from pages.shared.present import draw_faults
    from recsys.schema import Dataset, DatasetInfo
    from recsys.views.view import ItemView

    ids = [f"i{n:03}" for n in range(300)]
    names = ["https://example.com/a.png" if n < 7 else f"{n}.png" for n in range(300)]
    items = pd.DataFrame({"item_id": ids, "title": "=cmd()", "image": names})
    nobody = pd.DataFrame({"user_id": pd.Series(dtype=str)})
    dataset = Dataset("many", DatasetInfo("Many"), items, nobody, nobody.assign(item_id=pd.Series(dtype=str)))
    faults = {item_id: f"Cut off: '{name}'. Save it." for item_id, name in zip(ids, names, strict=True)}
    view = ItemView("image", np.zeros((300, 2), np.float32), "k", "painted", faults=faults)
    draw_faults(dataset, {"image": view}, may_fetch=False)


def test_pictures_that_could_not_be_read_are_a_bounded_table_and_addresses_one_sentence():
    app = AppTest.from_function(show_faults, default_timeout=60).run()
    assert not app.exception
    assert app.info[0].value.startswith("7 items give their picture as a web address, and fetching is off.")
    assert app.expander[0].label == "293 pictures could not be read"
    table = app.dataframe[0].value
    assert len(table) == 100
    assert table.iloc[0].tolist() == ["i007", "=cmd() · i007", "Cut off: '7.png'. Save it."]
    assert "The first 100 of 293 are shown." in said(app)


def test_a_zip_with_pictures_and_sounds_is_brought_in_end_to_end(bring, data):
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as writing_to:
        writing_to.writestr("items.csv", "id,title,image,audio\n1,Red,photos/red.png,a.wav\n2,Gone,photos/gone.png,\n")
        writing_to.writestr("graph.csv", "head,relation,tail\n1,made_in,Italy\n2,made_in,Italy\nItaly,part_of,Europe\n")
        for name in ("photos/red.png", "a.wav", "photos/extra.png"):
            writing_to.writestr(name, "bytes")
    app = bring(("kit.zip", archive.getvalue(), "application/zip"))
    assert not app.exception
    assert "3 pictures and sounds lie beside the tables" in said(app)
    assert (box(app, "Image").value, box(app, "Audio").value) == ("image", "audio")
    press(app, "Check")
    wait_for(app, "2 warnings")
    metric = next(metric for metric in app.metric if metric.label == "Pictures and sounds")
    assert (metric.value, metric.delta) == ("2 of 3", "1 missing")
    assert "The picture is not among the files · 1 in items.csv" in said(app)
    assert "Neither end of the triple is an item · 1 in graph.csv" in said(app)
    assert not (data / "kit" / "dataset.toml").exists()
    press(app, "Import")
    wait_for(app, "is imported")
    made = open_dataset("kit", data_dir=data)
    assert sorted(path.name for path in made.media.rglob("*.*")) == ["a.wav", "red.png"]
    assert len(made.graph) == 3


def test_lines_above_the_header_are_skipped_and_the_number_can_be_corrected(bring):
    app = bring(("goods.csv", b"Our shop\nsku;title\n1;Lamp\n2;Kettle\n", "text/csv"))
    skip = next(widget for widget in app.number_input if widget.key == "own-goods.csv-0-skip")
    assert skip.value == 1
    assert list(app.dataframe[0].value.columns) == ["sku", "title"]
    skip.set_value(2).run()
    assert list(app.dataframe[0].value.columns) == ["1", "Lamp"]


def test_a_template_without_a_field_is_refused_where_it_stands(bring):
    app = bring(("teas.csv", b"id,title\n1,Sencha\n", "text/csv"))
    next(widget for widget in app.text_input if widget.label.startswith("Template")).set_value("a tea").run()
    assert not app.exception
    assert "all items read the same" in said(app)
    assert not [button for button in app.button if button.label == "Check"]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\temp\\x.csv", "x.csv"),
        ("..", "file"),
        ("a\0b\n<script>.csv", "a_b__script_.csv"),
        ("Füße (2).csv", "Füße (2).csv"),
        ("x" * 200 + ".csv", "x" * 96 + ".csv"),
    ],
)
def test_the_name_of_an_upload_cannot_lead_anywhere(name, kept):
    assert safe_name(name) == kept


def test_a_reader_that_dies_or_hangs_is_reported(monkeypatch, tmp_path):
    monkeypatch.setenv("COLDLENS_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(asking, "_LATE", -119.9)
    with pytest.raises(ColdlensError, match="Reading the file took too long: '120 s'.*COLDLENS_MAX_LOOK_SECONDS"):
        asking.ask(["datasets", "list"])
    monkeypatch.setenv("COLDLENS_MAX_MEMORY_MB", "60")
    monkeypatch.setattr(asking, "_LATE", 5)
    with pytest.raises(ColdlensError, match="the process that tried has ended"):
        asking.ask(["datasets", "list"])
