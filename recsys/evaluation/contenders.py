"""Our own scorers, as the laboratory meets them: like any rival, they see the training users alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.encoder import reads_text
from recsys.evaluation.protocols import Level
from recsys.evaluation.rivals.protocol import Fitted, Material, Parameters, Rival
from recsys.schema import Profile
from recsys.scorer import AdditiveScorer, CosineScorer, LikedScorer, Scorer
from recsys.training import train_additive
from recsys.views.view import VIEW_WORDS, ItemView


@dataclass(frozen=True)
class FittedAdditive:
    """A scorer after training; ``prior_alone`` forgets the profile."""

    scorer: Scorer
    prior_alone: bool = False

    def scores(self, profiles: Sequence[Profile]) -> np.ndarray:
        """Returns ``(n_profiles, n_items)``."""
        asked = [Profile()] * len(profiles) if self.prior_alone else profiles
        return np.asarray(self.scorer.queries(asked) @ self.scorer.item_vectors.T.astype(np.float64))


@dataclass(frozen=True)
class Additive:
    """The scorer of this project; it chooses its own penalties inside the training users.

    Attributes:
        views: beside the text, those that it learns from; all of them by default.
    """

    name: str = "additive"
    grid: tuple[Parameters, ...] = ({},)
    views: tuple[str, ...] | None = None

    def can_use(self, level: Level) -> bool:
        """Whether this level reveals anything that the method can use."""
        return True

    def fit(self, material: Material, parameters: Parameters) -> Fitted:
        """Trains on the training users."""
        dataset = material.histories.dataset
        views = _named(material.views, self.views)
        model = train_additive(dataset, material.item_vectors, encoder=material.encoder, views=views).model
        return FittedAdditive(AdditiveScorer(model, dataset=dataset, encoder=material.encoder))


@dataclass(frozen=True)
class LateFusion:
    """The zero-shot scorer, which learns nothing, with some views; at every level but the first."""

    name: str
    views: tuple[str, ...]
    grid: tuple[Parameters, ...] = ({},)

    def can_use(self, level: Level) -> bool:
        """Whether this level reveals anything that the method can use."""
        return level.has_interests

    def fit(self, material: Material, parameters: Parameters) -> Fitted:
        """Takes the views as they are."""
        views = _named(material.views, self.views)
        dataset = material.histories.dataset
        made = CosineScorer if reads_text(material.encoder) else LikedScorer
        return FittedAdditive(made(material.item_vectors, dataset=dataset, encoder=material.encoder, views=views))


@dataclass(frozen=True)
class Marginal:
    """What one view adds: the difference between two methods that differ in it alone.

    Attributes:
        view: its name.
        kind: ``drop-one``, beside all other views, or ``add-one``, beside the text alone.
        with_it: name of the method that has it.
        without_it: name of the one that has not.
    """

    view: str
    kind: str
    with_it: str
    without_it: str


def view_contenders(views: Sequence[str]) -> tuple[tuple[Rival, ...], tuple[Marginal, ...]]:
    """Returns the methods that tell what each view beside the text adds, and what to compare.

    Each is learned anew without the view: a view that is only switched off would leave the rest as it was learned with it.
    """
    if not views:
        return (), ()
    methods: dict[str, Rival] = {}
    marginals: list[Marginal] = []
    for ours, make in (("additive", Additive), ("late fusion", LateFusion)):
        full = ours if ours == "additive" else _called(ours, views)
        if full != ours:
            methods[full] = make(full, views=tuple(views))
        alone = _called(ours, ())
        methods[alone] = make(alone, views=())
        for view in views:
            others = tuple(name for name in views if name != view)
            without, beside = _called(ours, others), full if not others else _called(ours, (view,))
            methods.setdefault(without, make(without, views=others))
            marginals.append(Marginal(view, "drop-one", full, without))
            if others:
                methods.setdefault(beside, make(beside, views=(view,)))
                marginals.append(Marginal(view, "add-one", beside, alone))
    return tuple(methods.values()), tuple(marginals)


def _called(ours: str, views: Sequence[str]) -> str:
    words = [VIEW_WORDS[view] for view in ("text", *views)]
    return f"{ours}, {words[0]} alone" if len(words) == 1 else f"{ours}, {', '.join(words[:-1])} and {words[-1]}"


def _named(views: Mapping[str, ItemView], names: Sequence[str] | None) -> dict[str, ItemView]:
    return {name: view for name, view in views.items() if names is None or name in names}


PRIOR_ALONE = "additive, prior alone"
"""What the additive scorer shows to everybody: smoothed popularity, for cold items predicted from content."""
