"""The reason in one sentence: what lifts an item above the average one, never longer than the evidence."""

from collections.abc import Mapping, Sequence

from recsys.schema import Dataset, Facet

_CARRIES = 0.2
"""A facet is named if it carries at least this share of what the profile says for the item,"""
_COUNTS = 0.05
"""and this share of everything that speaks for it."""
_MOST = 3
NOTHING, LITTLE = "nothing in the profile speaks for it", "little in the profile speaks for it"
POPULAR, EXPECTED = "popular with everybody", "expected to be popular"
_LEARNED: Mapping[str, str] = {
    "age": "liked by people around {value}",
    "gender": "liked by {value} users",
    "attribute": "liked by people whose {name} is {value}",
    "interest": "close to “{value}”",
    "liked": "liked by those who like {value}",
}
_READ: Mapping[str, str] = {
    "age": "“{value}-year-old”",
    "gender": "“{value}”",
    "attribute": "“{value}”",
    "interest": "“{value}”",
    "liked": "the text of {value}",
}
_BROUGHT: Mapping[str, str] = {**_READ, "liked": "that of {value}"}
"""The same where items have vectors that came with the dataset, and no text is read."""

_SEEN: Mapping[str, str] = {
    "image interest": "its picture fits “{value}”",
    "image liked": "it looks like {value}",
    "audio interest": "its sound fits “{value}”",
    "audio liked": "it sounds like {value}",
    "graph liked": "it shares facts with {value}",
}


def reason(
    lifts: Sequence[float],
    facets: Sequence[Facet],
    dataset: Dataset,
    *,
    learned: bool,
    is_cold: bool = False,
    through: Mapping[str, str] | None = None,
    facts: Mapping[str, str] | None = None,
    of_text: bool = True,
) -> str:
    """Returns one sentence without a full stop.

    Args:
        lifts: one contribution above the average item for each facet.
        facets: labelled as on the screen.
        learned: whether the scorer knows what people liked; one that only compares words must not speak of liking.
        is_cold: whether nobody has liked the item yet, so that its popularity is a prediction.
        through: for the key of a facet the view through which it lifts the item most, the text where none is given.
        facts: for the key of a liked item what it has in common with the item, as a phrase.
        of_text: whether it is the items' texts that are compared, or vectors that came with the dataset.
    """
    pairs = sorted(zip(lifts, facets, strict=True), key=lambda pair: -pair[0])
    everything = sum(value for value, _ in pairs if value > 0)
    own = [(value, facet) for value, facet in pairs if facet.kind != "prior" and value > 0]
    enough = max(_CARRIES * sum(value for value, _ in own), _COUNTS * everything)
    named = [facet for value, facet in own if value >= enough][:_MOST]
    if named and not learned:
        return _compared(named, dataset, through or {}, facts or {}, of_text=of_text)
    told = [_LEARNED[facet.kind].format(name=_name(facet), value=_value(facet, dataset)) for facet in named]
    if any(facet.kind == "prior" and value >= _CARRIES * everything > 0 for value, facet in pairs):
        told.insert(0, EXPECTED if is_cold else POPULAR)
    if not named and any(facet.kind != "prior" for facet in facets):
        told.append(LITTLE if own else NOTHING)
    return _capital("; ".join(told) or NOTHING)


def _compared(
    named: Sequence[Facet], dataset: Dataset, through: Mapping[str, str], facts: Mapping[str, str], *, of_text: bool
) -> str:
    """What the item has in common with the person, by the views of the item."""
    read, seen = [], []
    for facet in named:
        phrase = _SEEN.get(f"{through.get(facet.key, 'text')} {facet.kind}")
        value = _value(facet, dataset)
        if phrase is None:
            read.append((_READ if of_text else _BROUGHT)[facet.kind].format(name=_name(facet), value=value))
        elif through[facet.key] == "graph" and facts.get(facet.key):
            seen.append(facts[facet.key])
        else:
            seen.append(phrase.format(value=value))
    told = _listed(read) if read else ""
    near = f"its text is close to {told}" if of_text else f"its vector is close to {told}"
    return _capital("; ".join([*([near] if read else []), *seen]))


def _listed(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"


def _name(facet: Facet) -> str:
    return facet.key.partition(":")[2]


def _value(facet: Facet, dataset: Dataset) -> str:
    words = dataset.info.words
    if facet.kind == "age":
        return facet.label.removeprefix("Age ")
    if facet.kind == "gender":
        value = facet.label.removeprefix("Gender ")
        return words.get("gender", {}).get(value, value)
    if facet.kind == "attribute":
        value = facet.label[len(_name(facet)) + 1 :]
        return words.get(_name(facet), {}).get(value, value)
    return _name(facet) if facet.kind == "interest" else facet.label.removeprefix("Liked ")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
