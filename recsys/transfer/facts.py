"""Which facts of people two datasets share, and what was learned of them in one, as columns of the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.schema import Dataset, LentFacts
from recsys.scorer.basis import FactBasis

_SAME_GENDER = (frozenset({"f", "female", "w", "woman", "女", "女性"}), frozenset({"m", "male", "man", "男", "男性"}))


@dataclass(frozen=True, eq=False)
class SharedFacts:
    """What of the facts carries over.

    Attributes:
        basis: of the target: its own names and spellings, the centres of the source.
        facts: ``(basis.dim, k)``, the source's rows for them.
        kept: names of the facts that carry over.
        lost: name of a fact, or fact and value, to why it does not.
    """

    basis: FactBasis
    facts: np.ndarray
    kept: tuple[str, ...]
    lost: Mapping[str, str]


def lent_facts(source: Dataset, basis: FactBasis) -> LentFacts:
    """Returns what can be told of a person where a catalog without users is served by what a source taught."""
    known = {name: values for name, values in source.user_attributes.items() if name in basis.attributes}
    words = {name: words for name, words in source.info.words.items() if name in ("gender", *known)}
    ages = (float(basis.knots[0]), float(basis.knots[-1])) if basis.knots else None
    return LentFacts(ages, tuple(name for name in source.genders if name in basis.genders), known, words)


def share_facts(basis: FactBasis, facts: np.ndarray, target: Dataset) -> SharedFacts:
    """Matches the facts of a source with those that the target has or was lent.

    Values are the same if they read the same in lower case; of the gender also if both mean the same.

    Args:
        basis: of the source.
        facts: ``(basis.dim, k)``, what each says about taste.
    """
    lost: dict[str, str] = {}
    has_age = target.age_range is not None and bool(basis.knots)
    genders = _matched(basis.genders, target.genders, same=_SAME_GENDER)
    if basis.knots and not has_age:
        lost["age"] = f"{target.name} knows no ages"
    if basis.genders and not genders:
        lost["gender"] = f"{target.name} knows none of {', '.join(basis.genders)}"
    attributes: dict[str, dict[str, str]] = {}
    for name, values in basis.attributes.items():
        if name not in target.user_attributes:
            lost[name] = f"{target.name} does not know it"
            continue
        attributes[name] = _matched(values, target.user_attributes[name])
        if missing := [value for value in target.user_attributes[name] if value not in attributes[name].values()]:
            lost[f"{name}: {', '.join(missing[:5])}"] = "nobody in the source has it"
    attributes = {name: values for name, values in attributes.items() if values}
    kept = (*(["age"] if has_age else []), *(["gender"] if genders else []), *attributes)
    return SharedFacts(*_picked(basis, facts, has_age, genders, attributes), kept, lost)


def _matched(values: Sequence[str], others: Sequence[str], same: Sequence[frozenset[str]] = ()) -> dict[str, str]:
    """The values of the source that the target has, each with the target's spelling."""
    found = {}
    for value in values:
        alike = next((group for group in same if value.casefold() in group), frozenset({value.casefold()}))
        other = next((other for other in others if other.casefold() in alike), None)
        if other is not None:
            found[value] = other
    return found


def _picked(
    basis: FactBasis,
    facts: np.ndarray,
    has_age: bool,
    genders: Mapping[str, str],
    attributes: Mapping[str, Mapping[str, str]],
) -> tuple[FactBasis, np.ndarray]:
    """The blocks of the facts that are kept, and their coefficients; their values as the target spells them.

    A value that the target does not have stays as it was: what is centred on all values of a fact keeps its meaning.
    """
    nothing = np.zeros(0)
    centres = dict(zip(basis.blocks, basis.centres, strict=True))
    if not has_age:
        centres["age"] = centres["age by gender"] = nothing
    if not genders:
        centres["gender"] = centres["age by gender"] = nothing
    gone = [f"attribute:{name}" for name in basis.attributes if name not in attributes]
    kept = [block for block in basis.blocks if block not in gone]
    made = FactBasis(
        basis.knots if has_age else (),
        tuple(genders.get(value, value) for value in basis.genders) if genders else (),
        {
            name: tuple(known.get(value, value) for value in basis.attributes[name])
            for name, known in attributes.items()
        },
        basis.attribute_weight,
        tuple(centres[block] for block in kept),
    )
    rows = [np.arange(basis.dim)[basis.slices[block]] for block in kept if len(centres[block])]
    return made, facts[np.concatenate(rows).astype(int)] if rows else facts[:0]
