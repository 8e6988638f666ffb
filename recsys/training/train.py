"""From a dataset to a fitted additive scorer."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np

from recsys.encoder import Encoder, brought
from recsys.errors import NotTrainedError
from recsys.schema import Dataset
from recsys.scorer import AdditiveModel
from recsys.training.additive import AdditiveConfig, Workbench
from recsys.training.content import Content
from recsys.training.histories import Histories
from recsys.training.selection import Trial, select
from recsys.views.view import ItemView

Progress = Callable[[int, int], None]
"""Called with (steps done, steps in all)."""


@dataclass(frozen=True)
class Training:
    """A finished training.

    Attributes:
        model: what was fitted.
        config: the parameters it was fitted with.
        trials: the settings that were tried inside the training users, in order.
        seconds: wall-clock time.
    """

    model: AdditiveModel
    config: AdditiveConfig
    trials: tuple[Trial, ...]
    seconds: float


def train_additive(
    dataset: Dataset,
    item_vectors: np.ndarray,
    *,
    encoder: Encoder,
    views: Mapping[str, ItemView] | None = None,
    config: AdditiveConfig | None = None,
    progress: Progress | None = None,
) -> Training:
    """Fits the additive scorer; the same dataset and seed give the same model.

    Args:
        item_vectors: ``(n_items, dim)``, the text embeddings of all items, cold ones included.
        encoder: made them, and encodes interests.
        views: of all items, beside the text, by name.
        config: where to start; penalties are chosen inside the training users where there are enough of them.

    Raises:
        NotTrainedError: for a dataset without users or without likes.
    """
    if not len(dataset.users) or not dataset.popularity.any():
        fix = "Use the cosine scorer, or a dataset with users and interactions."
        raise NotTrainedError("There are no likes of other users to learn from", dataset.name, fix=fix)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(
        limits=1, user_api="blas"
    ):  # beside other work, threads that wait for each other are 10 x slower
        came = brought(encoder)
        content = Content.from_dataset(dataset, item_vectors, views, scale=came.scale if came else 1.0)
        return _train(dataset, content, encoder, config or AdditiveConfig(), progress or (lambda done, total: None))


def _train(dataset: Dataset, content: Content, encoder: Encoder, config: AdditiveConfig, report: Progress) -> Training:
    started = time.perf_counter()
    histories = Histories.from_dataset(dataset)
    report(1, 3)
    selection = select(histories, content, encoder=encoder, config=config)
    report(2, 3)
    bench = Workbench(histories, content, encoder=encoder, config=selection.config, scales=selection.scales)
    model = bench.model(selection.config, selection.calibration)
    about = {
        "n_users": len(histories),
        "n_likes": int(sum(map(len, histories.liked))),
        "n_cold_items": int((dataset.popularity == 0).sum()),
        "n_judged": selection.n_judged,
        "config": asdict(selection.config),
        "view_scales": {"taste": dict(bench.scales.taste), "prior": dict(bench.scales.prior)},
    }
    report(3, 3)
    return Training(replace(model, about=about), selection.config, selection.trials, time.perf_counter() - started)
