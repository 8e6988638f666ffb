"""What each view adds: methods that differ in one view alone, and paired differences between them."""

import pytest

from recsys.errors import ConfigError
from recsys.evaluation import Plan, evaluate
from recsys.evaluation.contenders import view_contenders
from recsys.evaluation.evaluation import Evaluation
from recsys.views.opening import open_views
from tests.scorer.test_views import EMBEDDINGS, ENCODER, OPENED, dataset


def test_without_views_there_is_nothing_to_compare():
    assert view_contenders(()) == ((), ())


def test_one_view_needs_one_more_method_of_each_kind():
    methods, marginals = view_contenders(("graph",))
    assert [method.name for method in methods] == [
        "additive, text alone", "late fusion, text and facts", "late fusion, text alone",
    ]  # fmt: skip
    assert [(m.view, m.kind, m.with_it, m.without_it) for m in marginals] == [
        ("graph", "drop-one", "additive", "additive, text alone"),
        ("graph", "drop-one", "late fusion, text and facts", "late fusion, text alone"),
    ]


def test_several_views_are_dropped_and_added_one_by_one():
    methods, marginals = view_contenders(("image", "graph"))
    views = {method.name: set(method.views) for method in methods}
    views["additive"] = {"image", "graph"}
    assert len(marginals) == 8
    for found in marginals:
        assert views[found.with_it] - views[found.without_it] == {found.view}
        rest = {"image", "graph"} - {found.view} if found.kind == "drop-one" else set()
        assert views[found.without_it] == rest


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    plan = Plan("views", protocol="cold-item", folds=2, shots=(1,), views=True)
    return evaluate(dataset(n_likes=22), EMBEDDINGS, encoder=ENCODER, plan=plan, views=OPENED)


def test_views_that_show_the_taste_are_found_to_add(evaluation: Evaluation):
    rows = [row for row in evaluation.marginal_values() if row["with_it"].startswith("additive")]
    assert {row["view"] for row in rows} == {"image", "graph"}
    for row in rows:
        if row["kind"] == "drop-one":  # each shows one half of what decides
            assert row["value"].low > 0, row


def test_what_views_add_is_told_and_kept(evaluation: Evaluation, tmp_path):
    told = evaluation.to_dict()["views"]
    assert len(told) == len(evaluation.marginal_values()) > 0
    assert told[0]["value"].keys() >= {"mean", "low", "high"}
    evaluation.save(tmp_path)
    assert Evaluation.load(tmp_path).to_dict()["views"] == told
    assert "--views" in evaluation.plan.command
    assert evaluation.about["views"] == ["image", "graph"]


def test_a_plan_that_does_not_ask_learns_nothing_more():
    plan = Plan("views", folds=2, shots=(1,))
    found = evaluate(dataset(), EMBEDDINGS, encoder=ENCODER, plan=plan, views=OPENED)
    assert found.marginal_values() == []
    assert not any("fusion" in method for method in found.methods)
    assert "--views" not in plan.command


def test_an_unknown_view_is_refused():
    with pytest.raises(ConfigError, match="There is no such view of items: 'smell'"):
        open_views(dataset(), names=("smell",), text_encoder=ENCODER, settings=None)
