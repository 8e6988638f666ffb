from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from recsys.evaluation.protocols import DEMOGRAPHICS, Level, levels
from recsys.evaluation.rivals.catalogue import rival
from recsys.evaluation.rivals.protocol import Material, Parameters
from recsys.evaluation.tuning import fit_tuned, tune
from recsys.schema import Profile
from tests.evaluation.worlds import aged_dataset, material_of
from tests.toy import toy_dataset


@dataclass
class Spy:
    """Ranks the young's items first for the setting ``right``, by age; the others rank at random or upside down."""

    name: str = "spy"
    grid: tuple[Parameters, ...] = ({"way": "wrong"}, {"way": "right"}, {"way": "also right"})
    fits: list[tuple[Material, Parameters]] = field(default_factory=list)
    asked: list[Profile] = field(default_factory=list)

    def can_use(self, level: Level) -> bool:
        return level.has_interests or level == DEMOGRAPHICS

    def fit(self, material: Material, parameters: Parameters) -> "Spy":
        self.fits.append((material, parameters))
        return replace(self, grid=(parameters,))

    def scores(self, profiles: Sequence[Profile]) -> np.ndarray:
        self.asked += profiles
        kinds = np.array([{2: 0, 4: 1, 7: 2}.get(round((profile.age or 0) / 10.1), 0) for profile in profiles])
        right = (np.arange(60)[None] % 3 == kinds[:, None]).astype(float)
        return -right if self.grid[0]["way"] == "wrong" else right


@pytest.fixture(scope="module")
def material() -> Material:
    return material_of(aged_dataset())


def test_picks_the_better_setting_and_the_first_of_equals(material: Material):
    assert tune(Spy(), material, levels(), seed=0) == {level.name: {"way": "right"} for level in levels()}


def test_looks_only_at_training_users_and_learns_from_four_fifths(material: Material):
    spy = Spy()
    tune(spy, material, levels(), seed=0)
    everyone = set(material.histories.user_ids)
    assert len(spy.fits) == 3
    for seen, _ in spy.fits:
        learned = set(seen.histories.user_ids)
        assert learned < everyone and len(learned) == 120
        assert set(seen.histories.dataset.users["user_id"]) == learned
        assert set(seen.histories.dataset.interactions["user_id"]) == learned


def test_reveals_no_more_than_the_level(material: Material):
    spy = Spy()
    tune(spy, material, [DEMOGRAPHICS], seed=0)
    assert len(spy.asked) == 3 * 30
    assert all(not profile.liked and not profile.interests for profile in spy.asked)


def test_same_seed_same_users(material: Material):
    drawn = []
    for seed in (1, 1, 2):
        spy = Spy()
        tune(spy, material, levels(), seed=seed)
        drawn.append(spy.fits[0][0].histories.user_ids)
    assert drawn[0] == drawn[1] != drawn[2]


def test_few_users_or_one_setting_give_the_default(material: Material):
    few, alone = Spy(), Spy(grid=({"way": "wrong"},))
    assert tune(few, material_of(aged_dataset(60)), [DEMOGRAPHICS], seed=0) == {"demographics": {"way": "wrong"}}
    assert tune(few, material_of(toy_dataset()), [DEMOGRAPHICS], seed=0) == {"demographics": {"way": "wrong"}}
    assert tune(alone, material, [DEMOGRAPHICS], seed=0) == {"demographics": {"way": "wrong"}}
    assert not few.fits and not alone.fits


def test_levels_that_cannot_be_used_are_left_out(material: Material):
    assert set(tune(rival("item knn"), material, levels(), seed=0)) == {"+1", "+3", "+5"}
    assert tune(rival("item knn"), material, [DEMOGRAPHICS], seed=0) == {}


def test_each_chosen_setting_learns_once_from_everyone(material: Material):
    spy = Spy()
    fitted = fit_tuned(spy, material, {"a": {"way": "right"}, "b": {"way": "wrong"}, "c": {"way": "right"}})
    assert [setting for _, setting in spy.fits] == [{"way": "right"}, {"way": "wrong"}]
    assert all(seen is material for seen, _ in spy.fits)
    assert fitted["a"] is fitted["c"] is not fitted["b"]
