"""BERT learns what people like; a training that was stopped ends where it would have ended."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import TrainerCallback

from recsys.encoder import TransformerEncoder
from recsys.errors import ConfigError, MissingExtraError, NotTrainedError
from recsys.finetuning import FineTuningConfig, fine_tune, finetune, with_steps
from recsys.finetuning.examples import Examples
from recsys.finetuning.trainer import Course
from recsys.training import Histories
from tests.training.world import world

SMALL = FineTuningConfig(steps=12, batch_size=16, learning_rate=2e-3, judge_every=6, patience=9)


class Stopped(RuntimeError):
    pass


class StopsAt(TrainerCallback):
    """A process that ends after some step, whatever it is doing."""

    def __init__(self, step: int) -> None:
        self._step = step

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == self._step:
            raise Stopped


def weights(encoder: TransformerEncoder) -> dict[str, np.ndarray]:
    return {name: value.numpy().copy() for name, value in encoder.model.state_dict().items()}


def distance(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> float:
    return max(float(np.abs(one[name] - other[name]).max()) for name in one)


@pytest.mark.parametrize("loss", ["softmax", "bce"])
def test_the_loss_falls_and_lists_get_better(tiny: TransformerEncoder, checkpoints: Path, loss: str):
    before = weights(tiny)
    found = fine_tune(
        world(), tiny, config=replace(SMALL, loss=loss, steps=40, judge_every=20), course=Course(checkpoints)
    )
    first, *_, last = found.losses.values()
    assert last < first - 0.08
    assert found.judged[found.best_step] > found.judged[0] + 0.05
    assert found.best_step > 0
    assert distance(weights(tiny), before) == 0, "the encoder that was given has to stay as it is"
    assert distance(weights(found.encoder), before) > 1e-3
    assert found.encoder.identity != tiny.identity
    embeddings = found.encoder.encode(["space", "a story"])
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)


def test_bert_itself_learns(tiny: TransformerEncoder, checkpoints: Path):
    config = replace(SMALL, steps=20, judge_every=20, learning_rate=4e-3, head_rate=0.0)
    found = fine_tune(world(), tiny, config=config, course=Course(checkpoints))
    assert found.judged[20] > found.judged[0] + 0.03
    assert not found.towers.facts.weight.any(), "facts and popularity stayed as they were"


def test_a_training_that_was_stopped_ends_as_if_it_had_not_been(tiny: TransformerEncoder, tmp_path: Path):
    dataset = world()
    whole = fine_tune(dataset, tiny, config=SMALL, course=Course(tmp_path / "whole"))
    course = Course(tmp_path / "stopped")
    with pytest.raises(Stopped):
        fine_tune(dataset, tiny, config=SMALL, course=course, callbacks=(StopsAt(8),))
    seen: list[int] = []
    resumed = fine_tune(dataset, tiny, config=SMALL, course=course, progress=lambda done, total: seen.append(done))
    assert seen == [7, 8, 9, 10, 11, 12], "it goes on from the checkpoint of step 6"
    assert resumed.losses == pytest.approx(whole.losses, abs=1e-6)
    assert resumed.judged == pytest.approx(whole.judged, abs=1e-6)
    assert distance(weights(resumed.encoder), weights(whole.encoder)) < 1e-6
    torch.manual_seed(5)
    other = fine_tune(dataset, tiny, config=replace(SMALL, seed=1), course=Course(tmp_path / "other"))
    assert other.losses != pytest.approx(whole.losses, abs=1e-3)


def test_a_fresh_training_forgets_checkpoints(tiny: TransformerEncoder, checkpoints: Path):
    config, course, seen = with_steps(SMALL, 4), Course(checkpoints), list[int]()
    fine_tune(world(), tiny, config=config, course=course)
    fine_tune(world(), tiny, config=config, course=course, resume=False, progress=lambda done, _: seen.append(done))
    assert seen == [1, 2, 3, 4]


def test_training_ends_early_where_nothing_is_gained(tiny: TransformerEncoder, checkpoints: Path):
    config = replace(SMALL, steps=12, judge_every=1, patience=2, learning_rate=1e-12, head_rate=1.0)
    found = fine_tune(world(), tiny, config=config, course=Course(checkpoints))
    assert max(found.judged) < 12


def test_frozen_layers_stay(tiny: TransformerEncoder, checkpoints: Path):
    found = fine_tune(world(), tiny, config=replace(with_steps(SMALL, 4), frozen_layers=1), course=Course(checkpoints))
    before, after = weights(tiny), weights(found.encoder)
    moved = {name for name in before if np.abs(before[name] - after[name]).max() > 0}
    assert moved and all(name.startswith("encoder.layer.1.") for name in moved)
    with pytest.raises(ConfigError, match="cannot be frozen"):
        fine_tune(world(), tiny, config=replace(SMALL, frozen_layers=3), course=Course(checkpoints))


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")  # peft asks for it
def test_adapters_are_trained_in_place_of_weights_and_merged_at_the_end(tiny: TransformerEncoder, checkpoints: Path):
    pytest.importorskip("peft")
    trained: list[str] = []

    class Looks(TrainerCallback):
        def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
            trained.extend(name for name, part in model.named_parameters() if part.requires_grad)

    config = replace(with_steps(SMALL, 8), lora_rank=4)
    found = fine_tune(world(), tiny, config=config, course=Course(checkpoints), callbacks=(Looks(),))
    assert trained and all("lora_" in name for name in trained if name.startswith("bert."))
    assert set(weights(found.encoder)) == set(weights(tiny)), "no adapter is left over"
    change = weights(found.encoder)["encoder.layer.0.attention.self.query.weight"]
    change = change - weights(tiny)["encoder.layer.0.attention.self.query.weight"]
    assert 0 < np.linalg.matrix_rank(change, tol=1e-5) <= 4


def test_examples_depend_on_their_number_and_the_seed_alone(tiny: TransformerEncoder):
    histories = Histories.from_dataset(world())
    profiles = histories.profiles()

    def drawn(seed: int, order: list[int]) -> list[Any]:
        examples = Examples(histories, profiles, config=replace(SMALL, seed=seed), n=50_000)
        return [(found.user, found.text, found.item_rows.tolist()) for found in (examples[n] for n in order)]

    assert drawn(0, [5, 9, 40_000]) == drawn(0, [40_000, 9, 5])[::-1]
    assert drawn(0, [5, 9]) != drawn(1, [5, 9])
    examples = Examples(histories, profiles, config=SMALL, n=histories.later_likes.nnz)
    pairs = [(found.user, int(found.item_rows[0])) for found in examples]  # type: ignore[attr-defined]
    assert sorted(pairs) == sorted(zip(*(part.tolist() for part in histories.later_likes.nonzero()), strict=True))


def test_what_is_revealed_is_never_to_be_found(tiny: TransformerEncoder):
    histories = Histories.from_dataset(world())
    profiles = histories.profiles()
    ids = histories.dataset.items["item_id"].to_numpy()
    for found in Examples(histories, profiles, config=SMALL, n=500):  # type: ignore[attr-defined]
        assert ids[found.item_rows[0]] not in profiles[found.user].liked


def test_without_the_extra_the_message_names_it(tiny: TransformerEncoder, checkpoints: Path, monkeypatch):
    monkeypatch.setattr(finetune, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="coldlens\\[finetune\\]"):
        fine_tune(world(), tiny, config=SMALL, course=Course(checkpoints))


def test_without_likes_there_is_nothing_to_learn(tiny: TransformerEncoder, checkpoints: Path):
    empty = replace(world(), interactions=world().interactions.iloc[:0])
    with pytest.raises(NotTrainedError, match="no likes"):
        fine_tune(empty, tiny, config=SMALL, course=Course(checkpoints))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"loss": "hinge"}, "loss is unknown"),
        ({"steps": 0, "judge_every": 1}, "steps is too small"),
        ({"learning_rate": 0.0}, "learning rate is out of range"),
        ({"lora_rank": -1}, "lora_rank is negative"),
        ({"held_out": 1.0}, "share of held-out users"),
        ({"steps": 20}, "before it is judged: '50'"),
    ],
)
def test_impossible_configurations_are_refused(changes: dict[str, Any], told: str):
    with pytest.raises(ConfigError, match=told):
        FineTuningConfig(**changes)
