"""Whether the lists of a scenario still hold, and if not, what changed, in plain words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recsys.errors import ColdlensError
from recsys.recommender import Recommender
from recsys.schema import AGE, GENDER, ITEM_ID
from recsys.whatif.scenario import Scenario, model_fingerprint


@dataclass(frozen=True)
class ListCheck:
    """One list, then and now.

    Attributes:
        then, now: item_ids, best first.
        gone: those of then that are no longer in the catalog.
        problem: why no list can be made now, empty where one can; ``now`` is empty then.
    """

    then: tuple[str, ...]
    now: tuple[str, ...]
    gone: tuple[str, ...] = ()
    problem: str = ""

    @property
    def holds(self) -> bool:
        """Whether it is the same list in the same order."""
        return not self.problem and self.then == self.now

    @property
    def entered(self) -> tuple[str, ...]:
        """What stands in it only now."""
        return tuple(item_id for item_id in self.now if item_id not in self.then)

    @property
    def left(self) -> tuple[str, ...]:
        """What stood in it only then."""
        return tuple(item_id for item_id in self.then if item_id not in self.now)

    @property
    def moved(self) -> tuple[str, ...]:
        """What stands in it at another rank than then."""
        ranks = {item_id: rank for rank, item_id in enumerate(self.then)}
        return tuple(item_id for rank, item_id in enumerate(self.now) if ranks.get(item_id, rank) != rank)


@dataclass(frozen=True)
class ScenarioCheck:
    """A scenario against a recommender of today.

    Attributes:
        same_dataset, same_model, same_encoder: by their fingerprints.
        lists: by the names of the profiles.
        labels: how the items of all lists are called; those that no longer exist by their item_id.
        told: what to say about it, in sentences.
    """

    same_dataset: bool
    same_model: bool
    same_encoder: bool
    lists: Mapping[str, ListCheck]
    labels: Mapping[str, str]
    told: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether every list does."""
        return all(found.holds for found in self.lists.values())


def check_scenario(scenario: Scenario, recommender: Recommender) -> ScenarioCheck:
    """Makes every list again, with the controls of the scenario, and compares.

    A profile or a filter that the data no longer knows is not an error but a finding, see ``ListCheck.problem``.
    """
    weights = scenario.controls.get("views", {})
    recommender = recommender.base.with_views({n: w for n, w in weights.items() if n in recommender.scorer.views})
    recommender = recommender.ignoring(
        name
        for name in scenario.controls.get("unused", ())
        if name in (AGE, GENDER, *recommender.dataset.user_attributes)
    )
    lists = {name: _check_list(scenario, name, recommender) for name in scenario.profiles}
    dataset = recommender.dataset
    rows, names = dataset.item_rows, dataset.labels
    shown = {item_id for found in lists.values() for item_id in (*found.then, *found.now)}
    same = (
        scenario.dataset_fingerprint == dataset.fingerprint,
        scenario.model_fingerprint == model_fingerprint(recommender),
        scenario.encoder_fingerprint == recommender.encoder.identity,
    )
    labels = {item_id: names[rows[item_id]] if item_id in rows else item_id for item_id in sorted(shown)}
    return ScenarioCheck(*same, lists, labels, tuple(_told(_causes(scenario, recommender, same), lists)))


def _check_list(scenario: Scenario, name: str, recommender: Recommender) -> ListCheck:
    then, controls = scenario.lists[name], scenario.controls
    gone = tuple(item_id for item_id in then if item_id not in recommender.dataset.item_rows)
    try:
        found = recommender.recommend(
            scenario.profiles[name],
            k=controls["k"],
            keep=scenario.keep,
            popularity=controls["popularity"],
            diversity=controls["diversity"],
        )
    except ColdlensError as error:
        value = "" if error.value is None else f": '{error.value}'"
        return ListCheck(then, (), gone, f"{error.what}{value}")
    return ListCheck(then, tuple(map(str, found.table[ITEM_ID])), gone)


def _causes(scenario: Scenario, recommender: Recommender, same: tuple[bool, bool, bool]) -> list[str]:
    nouns = ("the data", "the model", "the encoder")
    kinds = ("the dataset", "the scorer", "the encoder")
    before = (scenario.dataset, scenario.scorer, scenario.encoder)
    now = (recommender.dataset.name, recommender.scorer.name, recommender.encoder.name)
    told = zip(same, nouns, kinds, before, now, strict=True)
    return [
        noun if then == today else f"{kind} (“{today}” in place of “{then}”)"
        for is_same, noun, kind, then, today in told
        if not is_same
    ]


def _told(causes: Sequence[str], lists: Mapping[str, ListCheck]) -> list[str]:
    changed = " and ".join(filter(None, (", ".join(causes[:-1]), causes[-1]))) if causes else ""
    cause = f"{changed[:1].upper()}{changed[1:]} changed since then" if causes else "Nothing changed since then"
    broken = {name: found for name, found in lists.items() if not found.holds}
    if not broken:
        return [f"{cause}, {'but' if causes else 'and'} every list is the same."]
    if not causes:
        cause = "Data, model and encoder are the same, but this version of Coldlens ranks otherwise"
    first, *others = [_sentence(name, found) for name, found in broken.items()]
    told = [f"{cause}: {first}", *(text[:1].upper() + text[1:] for text in others)]
    gone = dict.fromkeys(item_id for found in lists.values() for item_id in found.gone)
    if gone:
        told.append(f"No longer in the catalog: {', '.join(gone)}.")
    kept = [name for name in lists if name not in broken]
    if kept:
        told.append(f"Still the same: {', '.join(kept)}.")
    return told


def _sentence(name: str, found: ListCheck) -> str:
    n, n_left, n_entered = len(found.then), len(found.left), len(found.entered)
    if found.problem:
        return f"there is no list of {name} any more ({found.problem})."
    if n_left:
        return f"{n_left} of {n} items of {name} {'is another' if n_left == 1 else 'are others'}."
    if n_entered:
        return f"{name} has {n_entered} more {'item' if n_entered == 1 else 'items'}."
    return f"{name} has the same items, {len(found.moved)} of {n} at another rank."
