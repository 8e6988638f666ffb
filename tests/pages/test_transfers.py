"""A catalog served by what another dataset taught: the form knows the source's facts, the page says where it was learned."""

from dataclasses import replace
from pathlib import Path

import pytest

from pages.shared import carrying, resources, transfers
from recsys.datasets import open_dataset, write_folder
from recsys.evaluation import Taught, TransferPlan, evaluate_transfer, keep_transfer
from recsys.recommender import Recommender
from recsys.transfer import Source, transfer_and_keep
from tests.pages.test_datasets import pick, press, said
from tests.pages.test_recommend import titles
from tests.toy import ToyEncoder
from tests.training.world import vectors, world
from tests.transfer.test_transfer import catalog


class Started:
    """Stands for the jobs of the server: nothing runs, what was asked for is written down."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []

    def get(self, name: str) -> None:
        return None

    def start(self, name: str, command: list[str]) -> None:
        self.commands.append(list(command))


@pytest.fixture
def data(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setattr(resources, "_encoder", lambda *_: ToyEncoder())
    write_folder(world(), tmp_path / "world")
    write_folder(catalog(), tmp_path / "tales")
    return tmp_path


@pytest.fixture
def started(monkeypatch) -> Started:
    made = Started()
    for module in (carrying, transfers):
        monkeypatch.setattr(module, "jobs", lambda: made)
    return made


def carry_over(data: Path) -> None:
    source, target = (open_dataset(name, data_dir=data) for name in ("world", "tales"))
    taught = Source.from_dataset(source, vectors(source), encoder=ToyEncoder())
    ready = Recommender.from_dataset(target, scorer="cosine", encoder=ToyEncoder())
    transfer_and_keep(taught, target, ready.embeddings, encoder=ToyEncoder(), embeddings_key=ready.embeddings_key)


def test_lists_say_where_they_were_learned_and_the_form_knows_the_facts(open_app, data: Path):
    carry_over(data)
    app = open_app(data, "tales", age="20", gender="M")
    assert not app.exception and not app.error
    assert app.selectbox(key="scorer").value == "transferred"
    assert "Learned on World of known tastes: ranked by what 2,573 likes of 160 people there taught." in said(app)
    assert "cannot be said here, as it was learned elsewhere" in said(app)
    assert len(titles(app)) == 10
    assert "Age 20 · Gender M" in said(app)
    assert [widget.value for widget in app.get("button_group") if widget.key == "gender"] == ["M"]
    app.selectbox(key="scorer").set_value("cosine").run()
    assert not app.exception and "Learned on" not in said(app)
    assert not [widget for widget in app.get("button_group") if widget.key == "gender"]


def test_it_is_started_on_the_datasets_page(open_app, data: Path, started: Started):
    app = open_app(data, "tales")
    app.switch_page("pages/datasets.py").run()
    pick(app, "datasets_view", "Learn elsewhere", kind="button_group")
    assert not app.exception
    press(app, "Carry over")
    app.checkbox(key="transfer_prior").uncheck().run()
    press(app, "Carry over")
    words = ["train", "--from", "world", "--to", "tales"]
    assert started.commands == [words, [*words, "--no-prior"]]


def test_what_carried_over_and_what_did_not_is_listed(open_app, data: Path, started: Started):
    carry_over(data)
    app = open_app(data, "tales")
    app.switch_page("pages/datasets.py").run()
    pick(app, "datasets_view", "Learn elsewhere", kind="button_group")
    assert not app.exception
    for words in ("occupation", "popularity, predicted from texts", "what an item is beyond its text: it is learned"):
        assert words in said(app)


def test_a_transfer_is_judged_and_shown(open_app, data: Path, started: Started):
    dataset = open_dataset("world", data_dir=data)
    other = world(seed=3)
    plan = TransferPlan("world", "elsewhere", folds=2, shots=(0,), likes=(30,))
    found = evaluate_transfer(
        dataset, vectors(dataset), encoder=ToyEncoder(), plan=plan, taught=Taught(other, vectors(other))
    )
    ready = Recommender.from_dataset(dataset, encoder=ToyEncoder())
    keep_transfer(dataset, ready.material_key, replace(found, plan=plan))
    app = open_app(data, "world")
    app.switch_page("pages/evaluate.py").run()
    assert not app.exception and not app.error
    shown = said(app)
    mean = found.mean("transferred", "demographics")
    assert f"{mean.mean:.3f}\u00a0[{mean.low:.3f},\u00a0{mean.high:.3f}]" in shown
    gain = found.versus("zero-shot cosine", "demographics")
    assert gain.low > 0 and f"better than zero-shot cosine ({gain.mean:+.4f}, 95 % from" in shown
    assert "learned from the dataset elsewhere, 2 folds, seed 0" in app.selectbox(key="transfer_shown").options[0]
    press(app, "Judge")
    assert started.commands == [list(TransferPlan("world", "category!=comedy").words)]
