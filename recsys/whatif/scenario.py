"""A scenario: profiles, controls and their lists in one file, which says later whether the lists still hold."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from recsys.errors import DataError
from recsys.recommender import Recommender
from recsys.schema import ITEM_ID, ItemFilter, Profile
from recsys.scorer import AdditiveScorer
from recsys.whatif import scenario_reading as reading

FORMAT, VERSION = "coldlens-scenario", 1
_TEXTS = ("dataset", "dataset_fingerprint", "scorer", "model_fingerprint", "encoder", "encoder_fingerprint", "made")
_OBJECTS = ("controls", "profiles", "lists", "hashes", "view")
_FINGERPRINTS: WeakKeyDictionary[Recommender, str] = WeakKeyDictionary()


@dataclass(frozen=True)
class Scenario:
    """Profiles and the lists that they got.

    Attributes:
        dataset, scorer, encoder: their names; the fingerprints tell whether they are the same.
        encoder_fingerprint: the encoder's identity.
        controls: ``k``, ``popularity``, ``diversity`` and ``keep``, the item filter as plain values (see ``keep``);
            ``views`` where some view does not count 1.
        profiles: by name: ``A``, ``B``, or that of a saved one.
        lists: item_ids by the same names, best first.
        hashes: SHA-256 of each list (see ``list_hash``).
        made: when, in ISO form.
        view: what a page wants to find again, JSON values.
        version: of the file format.

    Raises:
        DataError: for names that differ between profiles, lists and hashes, a list that does not match its hash, controls out
            of range, or values that JSON cannot carry.
    """

    dataset: str
    dataset_fingerprint: str
    scorer: str
    model_fingerprint: str
    encoder: str
    encoder_fingerprint: str
    controls: Mapping[str, Any]
    profiles: Mapping[str, Profile]
    lists: Mapping[str, tuple[str, ...]]
    hashes: Mapping[str, str]
    made: str
    view: Mapping[str, Any] = field(default_factory=dict)
    version: int = VERSION

    def __post_init__(self) -> None:
        reading.check_time(self.made)
        reading.check_controls(self.controls)
        reading.check_plain(self.view, "view")
        object.__setattr__(self, "view", json.loads(json.dumps(self.view)))
        reading.check_names(self.profiles, self.lists, self.hashes)
        for name, item_ids in self.lists.items():
            if len(set(item_ids)) != len(item_ids) or len(item_ids) > self.controls["k"]:
                raise reading.fault(f"lists.{name}", "a list of at most k different items", len(item_ids))
            if list_hash(item_ids) != self.hashes[name]:
                what = "A list of the scenario does not match its hash, so the file was edited"
                raise DataError(what, f"lists.{name}", fix=reading.FIX)

    @property
    def keep(self) -> ItemFilter:
        """The item filter of the controls."""
        kept = self.controls["keep"]
        attributes = {name: tuple(values) for name, values in kept["attributes"].items()}
        years = (kept["years"][0], kept["years"][1]) if kept["years"] else None
        return ItemFilter(tuple(kept["categories"]), years, attributes)

    def to_json(self) -> str:
        """Returns the file.

        Raises:
            DataError: if it would be larger than ``from_json`` reads.
        """
        values = {"format": FORMAT} | {part.name: getattr(self, part.name) for part in fields(self)}
        values["profiles"] = {name: profile.to_dict() for name, profile in self.profiles.items()}
        text = json.dumps(values, ensure_ascii=False, indent=1)
        n_bytes = len(text.encode("utf-8", "surrogatepass"))
        if n_bytes > reading.MAX_BYTES:
            fix = f"Keep fewer profiles in it; it may have {reading.MAX_BYTES:,} bytes."
            raise DataError("The scenario is too large", f"{n_bytes:,} bytes", fix=fix)
        return text

    @classmethod
    def from_json(cls, text: str | bytes) -> "Scenario":
        """Reads what ``to_json`` wrote, and nothing else.

        Raises:
            DataError: naming the place, for a file that is too large, no JSON, of another version, or that does not hold.
        """
        values = reading.parsed(text)
        if not isinstance(values, dict) or values.pop("format", None) != FORMAT:
            raise DataError("This is not a scenario file", fix="Choose a file that Coldlens saved as a scenario.")
        version = values.get("version")
        if type(version) is not int or version != VERSION:
            fix = f"This Coldlens reads version {VERSION}: use the one that saved the file, or save the scenario again."
            raise DataError("The scenario file has another version", version, fix=fix)
        reading.check_keys(values, (*_TEXTS, *_OBJECTS, "version"), "the file")
        for names, kind in ((_TEXTS, str), (_OBJECTS, dict)):
            for name in names:
                reading.expect(values[name], kind, name)
        for name, item_ids in values["lists"].items():
            reading.expect_texts(item_ids, f"lists.{name}")
        lists = {name: tuple(item_ids) for name, item_ids in values["lists"].items()}
        known = {name: reading.profile_of(value, f"profiles.{name}") for name, value in values["profiles"].items()}
        return cls(**(values | {"lists": lists, "profiles": known}))


def make_scenario(
    recommender: Recommender,
    profiles: Mapping[str, Profile],
    *,
    made: str,
    k: int = 10,
    keep: ItemFilter | None = None,
    popularity: float = 1.0,
    diversity: float = 0.0,
    view: Mapping[str, Any] | None = None,
) -> Scenario:
    """Returns the scenario of some profiles, with the lists that they get now.

    Args:
        profiles: by name.
        made: the time, in ISO form; the library does not read the clock.
        view: whatever else is to be found again, as JSON values; tuples become lists.

    Raises:
        DataError: for something out of range, or unknown to the dataset.
        UnknownItemError: for a liked item that is not in the catalog.
    """
    kept = keep or ItemFilter()
    found = recommender.recommend_many(
        list(profiles.values()), k=k, keep=kept, popularity=popularity, diversity=diversity
    )
    lists = {name: tuple(map(str, one.table[ITEM_ID])) for name, one in zip(profiles, found, strict=True)}
    filters = {
        "categories": list(kept.categories),
        "years": None if kept.years is None else [int(year) for year in kept.years],
        "attributes": {name: list(values) for name, values in kept.attributes.items()},
    }
    controls = {"k": k, "popularity": float(popularity), "diversity": float(diversity), "keep": filters}
    weights = {name: float(weight) for name, weight in recommender.scorer.weights.items() if weight != 1}
    unused = sorted(key.removeprefix("attribute:") for key in recommender.ignored)
    return Scenario(
        dataset=recommender.dataset.name,
        dataset_fingerprint=recommender.dataset.fingerprint,
        scorer=recommender.scorer.name,
        model_fingerprint=model_fingerprint(recommender),
        encoder=recommender.encoder.name,
        encoder_fingerprint=recommender.encoder.identity,
        controls=controls | ({"views": weights} if weights else {}) | ({"unused": unused} if unused else {}),
        profiles=dict(profiles),
        lists=lists,
        hashes={name: list_hash(item_ids) for name, item_ids in lists.items()},
        made=made,
        view=dict(view or {}),
    )


def list_hash(item_ids: Sequence[str]) -> str:
    """Returns the SHA-256 of a list: of its item_ids in order, as a JSON array."""
    return hashlib.sha256(json.dumps(list(item_ids)).encode()).hexdigest()


def model_fingerprint(recommender: Recommender) -> str:
    """Returns the SHA-256 of everything a score depends on but the profile; found once for each recommender.

    Arrays count as float32, as models are kept, so a model is the same before and after it was saved.
    """
    found = _FINGERPRINTS.get(recommender)
    if found is None:
        found = _FINGERPRINTS[recommender] = _model_fingerprint(recommender)
    return found


def _model_fingerprint(recommender: Recommender) -> str:
    scorer, info = recommender.informed, recommender.dataset.info
    digest = hashlib.sha256()

    def add(name: str, value: Any) -> None:
        if isinstance(value, np.ndarray):
            digest.update(json.dumps([name, value.shape]).encode())
            digest.update(np.ascontiguousarray(value, np.float32).data)
        else:
            digest.update(json.dumps([name, value], sort_keys=True).encode())

    add("scorer", [scorer.name, recommender.embeddings_key, recommender.encoder.identity])
    if recommender.views:
        add("views", [recommender.material_key, dict(scorer.weights)])
    add("item_vectors", np.asarray(scorer.item_vectors))
    if isinstance(scorer, AdditiveScorer):
        model = scorer.model
        for part in fields(model):
            if part.name not in ("about", "views"):
                add(part.name, model.basis.to_dict() if part.name == "basis" else getattr(model, part.name))
        for name, found in model.views.items():
            for part in fields(found):
                add(f"{name} {part.name}", getattr(found, part.name))
    else:  # the sentence of a profile
        add("words", [info.profile_template, {name: dict(words) for name, words in info.words.items()}])
    return digest.hexdigest()
