"""The protocol ``transfer``: nobody is learned from and judged, no like of the target is seen, and known tastes are found."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.datasets import write_folder
from recsys.errors import ConfigError, DataError
from recsys.evaluation import (
    Taught,
    TransferEvaluation,
    TransferPlan,
    catalog_parts,
    evaluate_transfer,
    keep_transfer,
    kept_transfers,
    part_of,
    transfer_laboratory,
)
from recsys.schema import Dataset
from recsys.transfer import Source
from tests.toy import ToyEncoder
from tests.training.world import vectors, world

PLAN = TransferPlan("target", "world", folds=2, shots=(0, 5), likes=(40,))


def dated(name: str, seed: int) -> Dataset:
    dataset = world(seed=seed)
    return replace(dataset, name=name, items=dataset.items.assign(year=[1980 + n for n in range(len(dataset.items))]))


@pytest.fixture(scope="module")
def found() -> TransferEvaluation:
    target, source = dated("target", 7), world()
    taught = Taught(source, vectors(source))
    return evaluate_transfer(target, vectors(target), encoder=ToyEncoder(), plan=PLAN, taught=taught)


def test_known_tastes_are_found_where_words_alone_find_nothing(found: TransferEvaluation):
    assert found.levels == ("demographics", "demographics+interests", "+5")
    assert found.methods[:4] == ("transferred", "transferred, no prior", "zero-shot cosine", "prior from texts")
    assert found.methods[4:] == ("transferred, 40 likes", "additive, 40 likes", "additive, all likes")
    assert found.versus("zero-shot cosine", "demographics").low > 0
    assert found.versus("zero-shot cosine", "demographics", method="transferred, no prior").low > 0
    assert found.versus("additive, 40 likes", "+5", method="transferred, 40 likes").low > 0
    for level in found.levels:
        assert found.versus("prior from texts", level).low > 0
    assert {len(found.values(method, "+5")) for method in found.methods} == {found.n_users}


def test_the_curve_has_both_starts(found: TransferEvaluation):
    curve = found.curve("demographics")
    assert list(curve["transferred"]) == [0, 40] and list(curve["additive"]) == [40]
    assert curve["transferred"][0].mean == pytest.approx(found.values("transferred", "demographics").mean())
    summary = found.to_dict()
    against = summary["versus"]["+5"]
    assert list(against) == ["zero-shot cosine", "prior from texts", "additive, 40 likes"]
    few = found.values("transferred, 40 likes", "+5") - found.values("additive, 40 likes", "+5")
    assert against["additive, 40 likes"]["mean"] == pytest.approx(few.mean())
    assert summary["kept"][:3] == ["age", "gender", "occupation"]


class Watched(Exception):
    """Ends an evaluation that has shown what was to be seen."""


@pytest.fixture
def learned(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Dataset]]:
    """What every source was made of."""
    seen: list[Dataset] = []

    def watch(dataset: Dataset, *_: object, **__: object) -> None:
        seen.append(dataset)
        raise Watched

    monkeypatch.setattr(Source, "from_dataset", watch)
    yield seen


def test_a_source_holds_nobody_who_is_judged_and_no_item_of_the_target(
    learned: list[Dataset], monkeypatch: pytest.MonkeyPatch
):
    dataset = dated("world", 0)
    judged: list[set[str]] = []
    original = transfer_laboratory._Bench.run

    def watch(self: Any, number: int, fold: Any, taught: Taught) -> Any:
        judged.append({case.user_id for case in fold.cases})
        return original(self, number, fold, taught)

    monkeypatch.setattr(transfer_laboratory._Bench, "run", watch)
    plan = TransferPlan("world", "year<2000", folds=2, likes=())
    with pytest.raises(Watched):
        evaluate_transfer(dataset, vectors(dataset), encoder=ToyEncoder(), plan=plan)
    (source,), (people,) = learned, judged
    assert people
    assert not people & set(source.users["user_id"])
    assert not people & set(source.interactions["user_id"])
    assert len(source.users) == len(dataset.users) // 2
    assert (source.items["year"] < 2000).all() and len(source.items) == 20
    assert set(source.interactions["item_id"]) <= set(source.items["item_id"])


def test_parts_of_a_catalog(toy: Dataset):
    assert list(np.flatnonzero(part_of(toy, "year<1993"))) == [0, 1, 2]
    assert list(np.flatnonzero(part_of(toy, " year >= 1998 "))) == [8, 9, 10]
    assert list(np.flatnonzero(part_of(toy, "category=comedy"))) == [2, 5, 8, 11]
    assert part_of(toy, "category!=comedy").sum() == 8
    rest = catalog_parts.rest_of(toy, "year<1993", part_of(toy, "year<1993"))
    assert list(np.flatnonzero(rest)) == [3, 4, 5, 6, 7, 8, 9, 10]  # the last has no year, and is on neither side


@pytest.mark.parametrize("text", ["year", "category<comedy", "colour=red", "", "year=", "=3"])
def test_what_is_no_part_is_told(toy: Dataset, text: str):
    with pytest.raises(ConfigError, match="category!=Action"):
        part_of(toy, text)


@pytest.mark.parametrize(
    ("text", "told"),
    [("category=opera", "space"), ("year<1900", "splits"), ("year<3000", "splits"), ("year<x", "year")],
)
def test_a_part_that_splits_nothing_is_told(toy: Dataset, text: str, told: str):
    with pytest.raises(DataError, match=told):
        part_of(toy, text)


@pytest.mark.parametrize(
    "change", [{"folds": 1}, {"shots": ()}, {"shots": (6,)}, {"likes": (0,)}], ids=lambda change: next(iter(change))
)
def test_a_plan_out_of_range_is_told(toy: Dataset, change: dict):
    plan = replace(TransferPlan("toy", "category=space"), **change)
    with pytest.raises(ConfigError):
        evaluate_transfer(toy, np.ones((12, 8)), encoder=ToyEncoder(), plan=plan)


def test_nobody_to_judge_is_told(toy: Dataset, toy_encoder: ToyEncoder):
    plan = TransferPlan("toy", "category=space", likes=())
    with pytest.raises(DataError, match="Nobody can be judged"):
        evaluate_transfer(toy, np.ones((12, 8)), encoder=toy_encoder, plan=plan)


def test_kept_and_found_again(found: TransferEvaluation, tmp_path: Path):
    folder = write_folder(dated("target", 7), tmp_path / "target")
    keep_transfer(folder, "key", found)
    (again,) = kept_transfers(folder, "key")
    assert again.to_dict() == found.to_dict()
    assert not kept_transfers(folder, "other")
    assert found.plan.command == (
        "recsys evaluate --dataset target --protocol transfer --from world --shots 0,5 --folds 2 --seed 0 --likes 40"
    )
