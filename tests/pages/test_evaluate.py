"""The page "How far can we trust it?" in-process, on the world of known tastes."""

import json
import re
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pages.shared import charts
from pages.shared.jobs import jobs
from pages.shared.laboratory import estimate
from recsys.datasets import write_folder
from recsys.evaluation import (
    HEADLINE,
    Evaluation,
    Plan,
    evaluate,
    fair_words,
    keep_evaluation,
    kept_evaluations,
    report_fairness,
    slices,
)
from recsys.recommender import Recommender
from recsys.schema import Dataset
from recsys.settings import Settings
from tests.toy import toy_dataset
from tests.training.world import world

LEVELS = ("demographics", "demographics+interests", "+1", "+3", "+5")


@pytest.fixture(scope="session")
def trained_data(tmp_path_factory) -> Path:
    """The world, encoded and trained, without an evaluation."""
    folder = tmp_path_factory.mktemp("world-data")
    dataset = write_folder(world(n_users=90), folder / "world")
    Recommender.from_dataset(dataset, settings=Settings(data_dir=folder))
    return folder


@pytest.fixture(scope="session")
def recommender(evaluated_data) -> Recommender:
    from recsys.datasets import open_dataset

    dataset = open_dataset("world", data_dir=evaluated_data)
    return Recommender.from_dataset(dataset, settings=Settings(data_dir=evaluated_data))


@pytest.fixture(scope="session")
def evaluated_data(trained_data, tmp_path_factory) -> Path:
    """The same with a finished evaluation of each protocol."""
    folder = shutil.copytree(trained_data, tmp_path_factory.mktemp("evaluated") / "data")
    from recsys.datasets import open_dataset

    made = Recommender.from_dataset(open_dataset("world", data_dir=folder), settings=Settings(data_dir=folder))
    for protocol in ("cold-item", "cold-user"):
        plan = Plan("world", protocol, folds=2, rivals=("random", "popular", "item knn"))
        found = evaluate(made.dataset, made.embeddings, encoder=made.encoder, plan=plan)
        when = "2026-02-0" + ("2" if protocol == "cold-user" else "1")
        keep_evaluation(made.dataset, made.material_key, replace(found, about={**found.about, "made": when}))
    return folder


@pytest.fixture
def newest(recommender) -> Evaluation:
    return kept_evaluations(recommender.dataset, recommender.material_key)[0]


@pytest.fixture(autouse=True)
def _no_jobs():
    jobs.clear()
    yield
    for name in ("toy", "world"):
        if job := jobs().get(name):
            jobs().cancel(name, job)
    jobs.clear()


def open_evaluate(open_app, folder: Path, dataset: str = "world"):
    app = open_app(folder, dataset).switch_page("pages/evaluate.py").run()
    assert not app.exception
    return app


def texts(elements) -> str:
    return "\n".join(str(element.value) for element in elements).replace("\\", "")


def table_of(app) -> dict[str, list[str]]:
    """The cells of the headline table by method."""
    (markdown,) = [m.value for m in app.markdown if m.value.startswith(f"| {HEADLINE}")]
    rows = [
        [cell.strip().replace("\\", "").replace("\u00a0", " ") for cell in line.strip("|").split(" | ")]
        for line in markdown.splitlines()
    ]
    return {row[0].strip("*"): row[1:] for row in rows[2:]} | {"": rows[0][1:]}


# Before the first evaluation.


def test_a_first_visit_says_what_an_evaluation_is_and_offers_one(open_app, trained_data):
    app = open_evaluate(open_app, trained_data)

    assert "No evaluation has been made yet" in texts(app.info)
    assert app.expander[0].label == "Run an evaluation"
    assert app.expander[0].proto.expanded
    assert {box.label: box.value for box in [*app.number_input, *app.selectbox]}.items() >= {
        "Folds": 5, "Seed": 0, "Protocol": "cold-user",
    }.items()  # fmt: skip
    assert "With all rivals and 5 folds this takes less than a minute here" in texts(app.caption)
    assert not app.tabs
    rivals = next(each for each in app.multiselect if each.label == "Rivals")
    assert {"popular", "bert cosine", "item knn"} <= set(rivals.value)


def test_a_dataset_without_likes_says_so_and_offers_nothing(open_app, tmp_path):
    dataset = toy_dataset()
    bare = replace(dataset, interactions=dataset.interactions.assign(rating=1.0))
    write_folder(bare, tmp_path / "data" / "toy")
    app = open_evaluate(open_app, tmp_path / "data", "toy")

    assert "This dataset has no likes of other people, so nothing can be evaluated" in texts(app.info)
    assert not any(button.label == "Run" for button in app.button)


def test_the_estimate_grows_with_likes_and_rivals_and_learns_from_the_last_run(newest, recommender):
    def minutes(*arguments) -> int:
        return int(estimate(*arguments).removeprefix("about ").removesuffix(" minutes"))

    dataset: Dataset = recommender.dataset
    assert estimate(dataset, ("ease",), []) == "less than a minute"
    many = replace(dataset, interactions=pd.concat([dataset.interactions] * 200, ignore_index=True))
    more = replace(dataset, interactions=pd.concat([dataset.interactions] * 400, ignore_index=True))
    assert minutes(many, ("ease",), []) < minutes(many, ("ease", "neumf", "lightfm"), [])
    assert minutes(many, ("ease",), []) < minutes(more, ("ease",), [])
    slow = replace(newest, about={**newest.about, "seconds": {"additive": 600.0, "popular": 600.0}})
    assert minutes(dataset, ("popular",), [slow]) == 5 * (300 + 300) // 60


# A finished evaluation.


def test_the_table_shows_every_number_and_the_winner_of_each_level_in_bold(open_app, evaluated_data, newest):
    app = open_evaluate(open_app, evaluated_data)
    table = table_of(app)

    assert tuple(table.pop("")) == newest.levels == LEVELS
    assert list(table) == list(newest.methods)
    for column, level in enumerate(LEVELS):
        means = {method: values[HEADLINE].mean for method, values in newest.results[level].items()}
        winner = max(means, key=means.get)
        for method, cells in table.items():
            if method not in means:
                assert cells[column] == "–"
                continue
            found = newest.results[level][method][HEADLINE]
            assert cells[column].strip("*") == f"{found.mean:.3f} [{found.low:.3f}, {found.high:.3f}]"
            assert cells[column].startswith("**") == (method == winner)
    assert sum(cells.count("–") for cells in table.values()) == 2
    assert f"Mean over {newest.n_users} people" in texts(app.caption)


def test_a_verdict_for_every_level_agrees_with_the_interval(open_app, evaluated_data, newest):
    said = texts(open_evaluate(open_app, evaluated_data).markdown)

    for level in LEVELS:
        rival = newest.best_rival(level)
        found = newest.versus(level, rival)
        share = found.mean / newest.results[level][rival][HEADLINE].mean
        (line,) = [line for line in said.splitlines() if line.startswith(f"- **{level}**")]
        assert rival in line
        assert f"{found.mean:+.4f}, 95 % from {found.low:+.4f} to {found.high:+.4f}" in line
        words = "better than" if found.low > 0 else "worse than" if found.high < 0 else "not told apart from"
        assert words in line
        assert (f"{abs(share):.1%}" in line) == (words != "not told apart from")
        names = [name for name in newest.about["ablations"] if newest.values(name, level) is not None]
        ablation = max(names, key=lambda name: newest.results[level][name][HEADLINE].mean)
        left = newest.versus(level, ablation)
        told = "still ahead of" if left.low > 0 else "behind" if left.high < 0 else "not told apart from"
        assert f"{told} “{ablation}” ({left.mean:+.4f}, 95 % from {left.low:+.4f} to {left.high:+.4f})" in line


def test_every_tab_is_drawn(open_app, evaluated_data, newest):
    app = open_evaluate(open_app, evaluated_data)

    names = ["Curve", "For whom", "Fairness", "Views", "Calibration", "One person", "Training runs", "Measures"]
    assert [tab.label for tab in app.tabs] == names
    assert [len(tab.get("plotly_chart")) for tab in app.tabs] == [1, 1, 0, 0, 1, 0, 1, 0]
    error = newest.about["calibration_error"]["+5"]
    assert f"+5 {error:.4f}" in texts(app.tabs[4].caption)
    assert [list(frame.value.columns) for frame in app.tabs[5].dataframe] == [
        ["item"], ["item", "liked later"], ["item"],
    ]  # fmt: skip
    assert len(app.tabs[6].dataframe[0].value) == 1
    values, shown = (frame.value for frame in app.tabs[7].dataframe)
    names = [*newest.measures, "coverage@10"]
    assert list(values.columns) == ["method", *names]
    assert list(values["method"]) == list(newest.results["+5"])
    ours = values.set_index("method").loc["additive"]
    assert ours[HEADLINE] == pytest.approx(newest.results["+5"]["additive"][HEADLINE].mean)
    assert 0 < ours["coverage@10"] <= 1
    assert list(shown["measure"]) == [*names, "calibration error"]
    assert shown["is"].str.len().min() > 10


def test_one_person_is_shown_as_they_were_judged(open_app, evaluated_data, newest, recommender):
    app = open_evaluate(open_app, evaluated_data)
    next(n for n in app.number_input if n.label == "Test user, by row").set_value(7).run()
    assert not app.exception

    row = newest.lists[newest.lists["level"] == "+5"].iloc[7]
    own = recommender.dataset.likes[recommender.dataset.likes["user_id"] == row["user_id"]].sort_values("timestamp")
    first, shown, later = (frame.value for frame in app.tabs[5].dataframe)
    labels = dict(zip(recommender.dataset.items["item_id"], recommender.dataset.labels, strict=True))
    assert list(first["item"]) == [labels[i] for i in own["item_id"][:5]]
    assert list(shown["item"]) == [labels[i] for i in row["item_ids"]]
    assert sorted(later["item"]) == sorted(labels[i] for i in own["item_id"][5:])
    assert list(shown["liked later"]) == [i in set(own["item_id"][5:]) for i in row["item_ids"]]
    assert f"{newest.values('additive', '+5')[7]:.3f}" in texts(app.tabs[5].markdown)
    assert row["user_id"] not in texts([*app.tabs[5].markdown, *app.tabs[5].caption])


def fairness(app):
    app.session_state["evaluate_tab"] = "Fairness"
    app.run()
    assert not app.exception
    return app.tabs[2]


def test_the_tab_fairness_says_what_the_report_says(open_app, evaluated_data, newest, recommender):
    app = open_evaluate(open_app, evaluated_data)
    tab = fairness(app)
    report = report_fairness(newest, recommender.dataset, level=LEVELS[1], recommender=recommender)

    said = texts(tab.markdown).replace("\\", "")
    assert all(f"- {words}" in said for words in fair_words(report))
    quality, shown, swapped = (frame.value for frame in tab.dataframe)
    assert list(quality["group"]) == list(report.sizes["gender"]) == ["F", "M"]
    gap = report.quality[0].gap
    assert quality[HEADLINE][0] == f"{gap.mean.mean:.3f} [{gap.mean.low:.3f}, {gap.mean.high:.3f}]"
    assert list(shown["what"])[1:] == [p.shown.measure for p in report.exposure if p.shown.group == "F"][1:]
    assert list(swapped["people"]) == [str(swap.jaccard.n) for swap in report.swaps if swap.facet == "gender"]
    assert len(tab.get("plotly_chart")) == 2
    assert report.command in [code.value for code in tab.code]


def test_small_groups_are_hidden_in_the_tab_fairness(open_app, evaluated_data, newest, recommender):
    app = open_evaluate(open_app, evaluated_data)
    fairness(app)
    app.session_state["fair_by"] = "gender and age"
    app.run()
    assert not app.exception

    sizes = report_fairness(newest, recommender.dataset).sizes["gender and age"]
    assert None in sizes.values()
    table = app.tabs[2].dataframe[0].value.set_index("group")
    for group, n in sizes.items():
        assert table.loc[group, "people"] == ("hidden" if n is None else str(n))
        assert (table.loc[group, HEADLINE] == "") == (n is None)
    assert "fewer than 10 people" in texts(app.tabs[2].caption)


def test_fairness_is_about_people(open_app, evaluated_data):
    app = open_evaluate(open_app, evaluated_data)
    next(box for box in app.selectbox if box.label == "Evaluation").set_value(1).run()
    assert "protocol cold-user" in texts(fairness(app).info)


def test_for_whom_follows_the_choice(open_app, evaluated_data):
    app = open_evaluate(open_app, evaluated_data)
    before = app.tabs[1].get("plotly_chart")[0].proto.spec
    app.tabs[1].get("button_group")[0].set_value("gender").run()
    assert not app.exception
    after = app.tabs[1].get("plotly_chart")[0].proto.spec
    assert "under 18" in before or "18 to 24" in before or "others" in before
    assert '"F<br>' in after or "F\\u003cbr" in after


def test_another_evaluation_can_be_chosen(open_app, evaluated_data, recommender):
    app = open_evaluate(open_app, evaluated_data)
    chooser = next(box for box in app.selectbox if box.label == "Evaluation")
    assert [option.split(",")[0] for option in chooser.options] == ["cold-user", "cold-item"]
    chooser.set_value(1).run()
    assert not app.exception

    older = kept_evaluations(recommender.dataset, recommender.material_key)[1]
    found = older.results["+5"]["additive"][HEADLINE]
    assert table_of(app)["additive"][-1].strip("*").startswith(f"{found.mean:.3f}")
    assert older.plan.command in [code.value for code in app.code]
    assert "protocol cold-user" in texts(app.tabs[5].info)


def test_the_command_and_the_json_are_offered(open_app, evaluated_data, newest):
    app = open_evaluate(open_app, evaluated_data)

    assert newest.plan.command in [code.value for code in app.code]
    assert len(app.get("download_button")) == 1
    assert "Made 2026-02-02 with Coldlens" in texts(app.caption)


def test_with_an_evaluation_the_form_waits_closed(open_app, evaluated_data):
    app = open_evaluate(open_app, evaluated_data)
    assert not app.expander[0].proto.expanded
    assert not app.info


def test_an_uncalibrated_evaluation_is_still_shown_and_what_fine_tuning_adds(
    open_app, evaluated_data, tmp_path, recommender, newest
):
    folder = shutil.copytree(evaluated_data, tmp_path / "data")
    from recsys.datasets import open_dataset

    about = {**newest.about, "made": "2999-01-01", "calibration_error": dict.fromkeys(LEVELS)}
    about["fine_tuned"] = ["popular"]  # stands for a method that has trained BERT
    plan = replace(newest.plan, seed=9, fine_tuned=50)
    bare = replace(newest, plan=plan, about=about, calibration=newest.calibration[:0])
    keep_evaluation(open_dataset("world", data_dir=folder), recommender.material_key, bare)
    app = open_evaluate(open_app, folder)
    assert "unknown, with too few people to calibrate on" in texts(app.tabs[4].caption)
    assert app.tabs[-1].label == "Fine-tuning"
    table = app.tabs[-1].dataframe[0].value.set_index("level")
    assert list(table.index) == list(newest.levels)
    wanted = newest.results["+5"]["popular"][HEADLINE].mean - newest.results["+5"]["additive"][HEADLINE].mean
    assert table.loc["+5", "better by"] == pytest.approx(wanted)
    assert "at most 50 steps" in texts(app.tabs[-1].caption)


def test_no_rival_is_said_and_the_rest_is_shown(open_app, evaluated_data, tmp_path, recommender, newest):
    folder = shutil.copytree(evaluated_data, tmp_path / "data")
    from recsys.datasets import open_dataset

    users = newest.users[~newest.users["method"].isin(newest.plan.rivals)]
    intervals = newest.intervals[~newest.intervals["method"].isin(newest.plan.rivals)]
    about = {**newest.about, "made": "2999-01-01"}
    alone = replace(newest, plan=replace(newest.plan, rivals=()), users=users, intervals=intervals, about=about)
    keep_evaluation(open_dataset("world", data_dir=folder), recommender.material_key, alone)
    app = open_evaluate(open_app, folder)
    assert texts(app.markdown).count("no rival ran") == len(LEVELS)


# The evidence line beside a list.


def test_recommend_shows_how_good_lists_were_for_people_like_this(open_app, evaluated_data, newest):
    app = open_app(evaluated_data, "world", age="25", gender="F")
    assert not app.exception
    (line,) = [c.value.replace("\\", "") for c in app.caption if "How good for people like them" in c.value]
    assert re.search(r"nDCG@10 0\.\d\d \[0\.\d\d, 0\.\d\d\] over the 50 nearest of \d+ people held out", line)
    assert f"(all of them: {newest.values('additive', 'demographics').mean():.2f})" in line


def test_recommend_without_an_evaluation_says_where_to_get_one(open_app, trained_data):
    app = open_app(trained_data, "world", age="25")
    assert "run an evaluation on the Evaluate page" in texts(app.caption)


# Running one.


def wait(app, until, seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, "the job did not end"
        time.sleep(0.2)
        app.run()


def test_a_job_that_fails_shows_its_error_and_no_traceback(open_app, tmp_path):
    write_folder(toy_dataset(), tmp_path / "data" / "toy")
    app = open_evaluate(open_app, tmp_path / "data", "toy")
    next(button for button in app.button if button.label == "Run").click().run()
    assert not app.exception
    job = jobs().get("toy")
    assert any(button.label == "Cancel" for button in app.button)
    wait(app, lambda: not job.is_running)
    app.run()

    assert not app.exception
    said = texts(app.error)
    assert "No user of this dataset can be judged" in said
    assert "toy" in said
    assert "Traceback" not in said
    assert any(button.label == "Run" for button in app.button)


def test_a_cancelled_job_is_gone_and_leaves_nothing(open_app, trained_data, tmp_path):
    folder = shutil.copytree(trained_data, tmp_path / "data")
    app = open_evaluate(open_app, folder)
    next(button for button in app.button if button.label == "Run").click().run()
    job = jobs().get("world")
    assert job.is_running
    next(button for button in app.button if button.label == "Cancel").click().run()

    assert not app.exception
    assert not job.is_running
    assert jobs().get("world") is None
    assert list((folder / "world" / "artifacts").glob("evaluation-*")) == []
    assert not app.error
    assert any(button.label == "Run" for button in app.button)


def test_of_two_visitors_who_start_at_once_both_watch_the_first_job(tmp_path, monkeypatch):
    monkeypatch.setenv("COLDLENS_DATA_DIR", str(tmp_path))
    jobs().start("toy", ("evaluate", "--dataset", "toy"))
    first = jobs().get("toy")
    jobs().start("toy", ("evaluate", "--dataset", "toy"))
    assert jobs().get("toy") is first
    jobs().cancel("toy", first)
    assert jobs().get("toy") is None
    jobs().start("toy", ("evaluate", "--dataset", "toy"))
    second = jobs().get("toy")
    jobs().cancel("toy", first)  # a visitor who still saw the first one
    assert jobs().get("toy") is second


# Figures.


def test_the_curve_shows_each_method_where_it_can_be_used(newest):
    figure = charts.curve(newest, ["additive", "item knn"])
    assert [(trace.name, list(trace.x)) for trace in figure.data] == [
        ("additive", list(LEVELS)),
        ("item knn", list(LEVELS[2:])),
    ]
    found = newest.results["+1"]["item knn"][HEADLINE]
    assert figure.data[1].y[0] == found.mean
    assert figure.data[1].error_y.array[0] == pytest.approx(found.high - found.mean)
    assert figure.data[1].error_y.arrayminus[0] == pytest.approx(found.mean - found.low)
    assert len(charts.curve(newest, []).data) == 0


def test_the_heat_map_writes_value_and_interval_into_each_cell(newest, recommender):
    rows = {
        m: slices(newest, recommender.dataset, "gender", method=m, level="+5", measure=HEADLINE)
        for m in ("additive", "popular")
    }
    figure = charts.heat_map(rows, HEADLINE)
    (trace,) = figure.data
    assert list(trace.x) == ["additive", "popular"]
    for row, groups in enumerate(zip(*rows.values(), strict=True)):
        assert trace.y[row] == f"{groups[0].group}<br>n = {groups[0].value.n}"
        for column, (group, value) in enumerate(groups):
            assert group == groups[0].group
            assert trace.z[row][column] == value.mean
            assert trace.text[row][column] == f"{value.mean:.3f}<br>[{value.low:.3f}, {value.high:.3f}]"


def test_reliability_and_run_curve_draw_what_they_are_given():
    bins = pd.DataFrame(
        {"level": ["a", "a", "b"], "probability": [0.1, 0.2, 0.3], "share": [0.1, 0.3, 0.2], "n": [1, 2, 3]}
    )
    figure = charts.reliability(bins)
    assert [trace.name for trace in figure.data] == ["perfect", "a", "b"]
    assert list(figure.data[1].y) == [0.1, 0.3]
    assert json.loads(charts.run_curve([0.1, 0.3], ["x = 1", "x = 2"]).to_json())["data"][0]["text"] == [
        "x = 1",
        "x = 2",
    ]
