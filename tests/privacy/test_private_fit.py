"""A private fit is an ordinary additive scorer, looks at users through the noised sums alone, and is accounted for."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from recsys.datasets import open_dataset, write_folder
from recsys.encoder import TransformerEncoder
from recsys.errors import ArtifactError, ConfigError, DataError, NotTrainedError
from recsys.evaluation import Plan, evaluate
from recsys.privacy import (
    Budget,
    Ledger,
    Statistics,
    UserColumns,
    epsilon_of,
    fit_and_keep,
    fitting,
    noise_of,
    open_private,
    private_key,
    told_of,
    train_private,
)
from recsys.privacy import ledger as ledger_module
from recsys.privacy.statistics import later_rows, user_rows
from recsys.recommender import Recommender, available_scorers
from recsys.schema import Dataset, Profile
from recsys.scorer import AdditiveModel
from recsys.settings import Settings
from recsys.training import Histories
from tests.toy import ToyEncoder
from tests.training.world import vectors, world

BUDGET = Budget(3.0, 1e-5)
COLUMNS = UserColumns(("F", "M"), {"occupation": ("engineer", "student")})
SOMEBODY = Profile(age=20, gender="F", attributes={"occupation": "student"}, interests=("space",), liked=("001",))
ARRAYS = ("facts", "interests", "interest_centre", "liked", "items", "text", "text_liked", "prior")


def trained(dataset: Dataset, seed: int | None = None, budget: Budget | None = BUDGET) -> AdditiveModel:
    options = {} if seed is None else {"draw": np.random.default_rng(seed).standard_normal}
    return train_private(dataset, vectors(dataset), encoder=ToyEncoder(), budget=budget, columns=COLUMNS, **options)[0]


def is_same(one: AdditiveModel, other: AdditiveModel) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ARRAYS)


def test_two_trainings_differ_and_a_generator_repeats_one():
    dataset = world()
    assert not is_same(trained(dataset), trained(dataset))
    assert not is_same(trained(dataset, 1), trained(dataset, 2))
    assert is_same(trained(dataset, 1), trained(dataset, 1))


def test_the_noise_that_is_drawn_is_the_one_that_the_budget_asks_for(monkeypatch):
    dataset, seen = world(), []
    original = Statistics.noised

    def spy(self: Statistics, deviation: float, draw) -> Statistics:
        found = original(self, deviation, draw)
        seen.append((deviation, (found.values - self.values).std()))
        return found

    monkeypatch.setattr(Statistics, "noised", spy)
    _, told = train_private(dataset, vectors(dataset), encoder=ToyEncoder(), budget=BUDGET, columns=COLUMNS)
    assert len(seen) == 1
    assert seen[0][0] == told == noise_of(BUDGET)
    assert seen[0][1] == pytest.approx(told, rel=0.2)


@pytest.mark.parametrize("is_kept", [False, True])
def test_unless_told_otherwise_noise_comes_from_the_operating_system(folder: Dataset, monkeypatch, is_kept: bool):
    asked = []

    def zeros(n: int) -> bytes:
        asked.append(n)
        return bytes(n)

    dataset, sums = folder, Statistics.of(folder, vectors(folder), _public(folder))
    monkeypatch.setattr(fitting.secrets, "token_bytes", zeros)
    keep(dataset) if is_kept else trained(dataset)
    assert 8 * sums.layout.size in asked


def test_without_noise_it_is_the_ridge_with_a_free_constant():
    """scikit-learn, which looks at the users themselves, finds the same effects."""
    dataset = world()
    public, histories = _public(dataset), Histories.from_dataset(dataset)
    rows = user_rows(histories, vectors(dataset), public, catalog=dataset)
    later = later_rows(histories, public.config.whole_likes) @ public.items(vectors(dataset))
    ridge = Ridge(alpha=public.config.penalty).fit(rows[:, 1:], later)
    model, scale = trained(dataset, budget=None), np.sqrt(public.config.whole_likes)
    np.testing.assert_allclose(model.facts, scale * ridge.coef_.T[: public.basis.dim], atol=1e-9)
    liked = scale * ridge.coef_.T[public.basis.dim + public.k :]
    np.testing.assert_allclose(model.text_liked, public.config.liked_scale * public.reading @ liked, atol=1e-9)


def test_without_noise_it_learns_the_known_tastes():
    """Young people like space, old ones romance; what is learned is right before any noise is added."""
    dataset = world()
    model = trained(dataset, budget=None)
    young, old = (model.basis.rows([Profile(age=age)]) @ model.facts @ model.items.T for age in (20, 70))
    kinds = np.array([kinds[0] for kinds in dataset.items["categories"]])
    assert (young - old)[0, kinds == "space"].mean() > 0 > (young - old)[0, kinds == "romance"].mean()
    popularity = dataset.popularity[kinds == "space"]
    assert np.corrcoef(model.prior[kinds == "space"], popularity)[0, 1] > 0.95


def test_the_model_depends_on_the_users_through_the_noised_sums_alone(monkeypatch):
    """Two datasets with nothing in common but the catalog, and sums that are made equal, give the same model."""
    one, other = world(seed=0), world(seed=1, n_users=90)
    assert not is_same(trained(one, 7), trained(other, 7)), "the control: their own sums differ"
    sums = Statistics.of(one, vectors(one), _public(one))
    monkeypatch.setattr(Statistics, "of", lambda *_: sums)
    assert is_same(trained(one, 7), trained(other, 7))


def _public(dataset: Dataset):
    from recsys.privacy import Public

    return Public.from_catalog(dataset, vectors(dataset), encoder=ToyEncoder(), columns=COLUMNS)


@pytest.fixture
def folder(tmp_path: Path) -> Dataset:
    return write_folder(world(), tmp_path / "data" / "world")


def keep(dataset: Dataset, budget: Budget = BUDGET):
    return fit_and_keep(
        dataset, vectors(dataset), encoder=ToyEncoder(), embeddings_key="vectors", budget=budget, columns=COLUMNS
    )


def test_what_is_kept_is_opened_again_and_accounted_for(folder: Dataset):
    assert available_scorers(folder) == ("additive", "cosine")
    with pytest.raises(NotTrainedError, match="recsys train world --scorer private"):
        open_private(folder, embeddings_key="vectors")
    first = keep(folder)
    assert (first.n_fits, first.spent) == (1, pytest.approx(3.0, abs=1e-3))
    assert told_of(folder) == "epsilon = 3, delta = 1e-05"
    assert available_scorers(folder) == ("additive", "private", "cosine")
    found = open_private(folder, embeddings_key="vectors")
    np.testing.assert_allclose(found.facts, first.model.facts, atol=1e-6)
    with pytest.raises(NotTrainedError, match="another encoder"):
        open_private(folder, embeddings_key="others")

    second = keep(folder, Budget(1.0))
    assert second.n_fits == 2
    assert second.spent == pytest.approx(epsilon_of([noise_of(BUDGET), noise_of(Budget(1.0))], 1e-5))
    assert second.spent > 3.05
    assert told_of(folder) == "epsilon = 1, delta = 1e-05", "the last one is used"


def test_another_version_of_the_data_needs_another_fit_and_the_ledger_goes_on(folder: Dataset):
    keep(folder)
    assert folder.folder is not None
    changed = write_folder(world(seed=5), folder.folder)
    assert private_key(changed) is None
    assert available_scorers(changed) == ("additive", "cosine")
    assert keep(changed).n_fits == 2, "the same people may be in both versions"


def test_the_ledger_is_written_before_the_noise_is_drawn(folder: Dataset, monkeypatch):
    def killed(n: int) -> np.ndarray:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_and_keep(
            folder, vectors(folder), encoder=ToyEncoder(), embeddings_key="vectors", budget=BUDGET, draw=killed
        )
    assert folder.folder is not None
    assert len(Ledger.open(folder.folder).spent) == 1


def test_what_cannot_be_fitted_spends_nothing(folder: Dataset):
    assert folder.folder is not None
    with pytest.raises(ConfigError, match="The delta is too large"):
        keep(folder, Budget(3.0, 0.1))
    nobody = replace(folder, interactions=folder.interactions.iloc[:0])
    with pytest.raises(NotTrainedError):
        keep(nobody)
    assert not (folder.folder / ledger_module.LEDGER).exists()


def test_a_damaged_ledger_is_not_taken_for_an_empty_one(folder: Dataset):
    keep(folder)
    assert folder.folder is not None
    path = folder.folder / ledger_module.LEDGER
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text(path.read_text("utf-8")[:-20], "utf-8")
    with pytest.raises(ArtifactError, match="The ledger of private fits cannot be read"):
        keep(folder)


def test_nothing_beside_the_noised_sums_leaves_with_the_artifact(folder: Dataset):
    """A plain fingerprint of the data would let whoever guesses a user check the guess; counts of users would tell, too."""
    found = keep(folder)
    assert folder.folder is not None
    files = [path for path in folder.folder.glob("artifacts/private-*/*") if path.is_file()]
    assert len(files) > 5
    for path in files:
        content = path.read_bytes()
        assert folder.fingerprint.encode() not in content
        assert folder.users["user_id"].iloc[0].encode() not in content
    other = keep(write_folder(world(seed=3, n_users=150), folder.folder.parent / "other"))
    differs = {name for name in found.about if found.about[name] != other.about[name]}
    assert differs <= {"data", "made"}


def test_every_score_still_adds_up(folder: Dataset):
    settings = Settings(device="cpu")
    ready = Recommender.from_dataset(folder, scorer="cosine", encoder=ToyEncoder(), settings=settings)
    fit_and_keep(folder, ready.embeddings, encoder=ready.encoder, embeddings_key=ready.embeddings_key, budget=BUDGET)
    recommender = Recommender.from_dataset(folder, scorer="private", encoder=ToyEncoder(), settings=settings)
    assert recommender.scorer.name == "private"
    found = recommender.recommend(SOMEBODY, k=5)
    np.testing.assert_allclose(found.contributions.sum(axis=1), found.table["score"], atol=1e-6)
    explanation = recommender.explain(SOMEBODY, found.table["item_id"][0])
    assert sum(part.contribution for part in explanation.parts) == pytest.approx(explanation.total, abs=1e-6)
    assert {word.text for word in explanation.words} >= {"space"}
    assert found.table["probability"].isna().all(), "calibrating would look at the users again"
    fit_and_keep(folder, ready.embeddings, encoder=ready.encoder, embeddings_key=ready.embeddings_key, budget=BUDGET)
    again = Recommender.from_dataset(folder, scorer="private", encoder=ToyEncoder(), settings=settings)
    assert again.answers_key != recommender.answers_key, "or a page would show what the fit before has said"
    assert again.material_key == recommender.material_key


def test_the_laboratory_tells_what_it_costs():
    dataset = world(n_users=70)  # too few for penalties to be chosen, which takes longest
    plan = Plan("world", folds=2, shots=(1,), private=(1.0, 10.0))
    found = evaluate(dataset, vectors(dataset), encoder=ToyEncoder(), plan=plan)
    names = (
        "additive, private without noise",
        "additive, private (epsilon = 1, delta = 1e-05)",
        "additive, private (epsilon = 10, delta = 1e-05)",
    )
    assert set(names) <= set(found.methods)
    gains = found.gains_of_privacy()
    assert set(gains) == set(names)
    for name in names:
        ours, theirs = (found.results["+1"][method]["nDCG@10"].mean for method in (name, "additive"))
        assert gains[name]["+1"].mean == pytest.approx(ours - theirs)
    assert "--private 1,10" in plan.command
    assert gains[names[1]]["+1"].mean < gains[names[0]]["+1"].mean, "noise of epsilon 1 on 35 users costs much"
    again = evaluate(dataset, vectors(dataset), encoder=ToyEncoder(), plan=plan)
    assert again.to_dict()["results"] == found.to_dict()["results"]


@pytest.mark.parametrize(
    "values",
    [
        [],
        {"genders": "F"},
        {"genders": ["F", "F"]},
        {"attributes": {"occupation": [1, 2]}},
        {"attributes": {"gender": ["F"]}},
        {"attributes": {"shoe": [str(n) for n in range(201)]}},
    ],
)
def test_lists_of_answers_that_are_none_are_refused(values, tmp_path: Path):
    path = tmp_path / "columns.json"
    path.write_text(json.dumps(values), "utf-8")
    with pytest.raises(DataError):
        UserColumns.from_file(path)


def test_a_list_of_answers_is_read_as_it_was_written(tmp_path: Path):
    path = tmp_path / "columns.json"
    path.write_text(json.dumps(COLUMNS.to_dict()), "utf-8")
    assert UserColumns.from_file(path) == COLUMNS == UserColumns.of(world())
    path.write_text("{", "utf-8")
    with pytest.raises(DataError, match="is not JSON"):
        UserColumns.from_file(path)


def test_the_command_line_trains_and_says_what_is_spent(folder: Dataset, monkeypatch, capsys):
    from tests.test_cli import Shell

    assert folder.folder is not None
    monkeypatch.setattr(TransformerEncoder, "from_folder", lambda path, **options: ToyEncoder())
    monkeypatch.setenv("COLDLENS_DATA_DIR", str(folder.folder.parent))
    shell = Shell(folder.folder.parent, capsys, monkeypatch)
    train = ("train", "world", "--scorer", "private")
    code, out, _ = shell(*train, "--epsilon", "3", "--delta", "1e-5")
    assert code == 0
    assert "differential privacy, epsilon = 3, delta = 1e-05 (per user)" in out
    assert "together they spend" not in out
    _, out, _ = shell(*train, "--epsilon", "3")
    both = epsilon_of([noise_of(BUDGET)] * 2, 1e-5)
    assert f"together they spend epsilon = {both:.4g} at delta = 1e-05" in out
    found = shell.json(*train, "--epsilon", "1")
    assert (found["fits"], found["epsilon"], found["accountant"][:13]) == (3, 1.0, "dp-accounting")
    assert "data" not in found, "the mark of the data stays here"
    listed = shell.json("recommend", "--dataset", "world", "--scorer", "private", "--age", "20", "-k", "3")
    assert listed["scorer"] == "private"
    for arguments, message in (
        (("--epsilon", "0"), "The epsilon is out of range: '0.0'"),
        (
            ("--delta", "0.1"),
            "The delta is too large for this dataset: '0.1'. Choose at most one in the number of users, for example 1e-03.",
        ),
        (("--wandb",), "A private fit has no run that could be sent"),
    ):
        code, out, err = shell(*train, *arguments)
        assert (code, out) == (2, "")
        assert message in err
    assert len(Ledger.open(open_dataset("world", data_dir=folder.folder.parent).folder).spent) == 3
