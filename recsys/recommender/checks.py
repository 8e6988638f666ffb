"""What may be asked of a recommender, and what a reader should know about a profile."""

from collections.abc import Iterable, Mapping, Sequence

from recsys.encoder import Encoder, advice, in_words, other_for_script, unread_script
from recsys.errors import DataError
from recsys.schema import AGE, GENDER, Dataset, Profile
from recsys.settings import MAX_K, MAX_WEIGHT

DEMOGRAPHICS = (AGE, GENDER)


def check_share(name: str, value: float) -> None:
    """Raises ``DataError`` unless a weight is a number from 0 to 1."""
    if not 0 <= value <= 1:
        raise DataError(f"{name} is out of range", value, fix="Choose a number from 0 to 1.")


def check_k(k: int) -> None:
    """Raises ``DataError`` for a length of a list that is out of range."""
    if not 1 <= k <= MAX_K:
        raise DataError("The length of the list is out of range", k, fix=f"Choose k from 1 to {MAX_K}.")


def check_known(profile: Profile, dataset: Dataset) -> None:
    """Raises ``DataError`` for a gender or attribute that the dataset does not know."""
    if profile.gender and dataset.genders and profile.gender not in dataset.genders:
        fix = f"Use one of: {', '.join(dataset.genders)}, or leave the gender out."
        raise DataError("The dataset has no such gender", profile.gender, fix=fix)
    for name in profile.attributes:
        if name not in dataset.user_attributes:
            listed = ", ".join(dataset.user_attributes) or "none"
            raise DataError("The dataset has no such user attribute", name, fix=f"The attributes are: {listed}.")


def ignored_keys(facets: Iterable[str], dataset: Dataset) -> frozenset[str]:
    """Returns the keys of the facets of these names: ``age``, ``gender``, or an attribute; raises ``DataError`` for others."""
    names = tuple(facets)
    for name in names:
        if name not in (*DEMOGRAPHICS, *dataset.user_attributes):
            fix = f"Name some of: {', '.join((*DEMOGRAPHICS, *dataset.user_attributes))}."
            raise DataError("This is no fact of a person that could be left out of the ranking", name, fix=fix)
    return frozenset(name if name in DEMOGRAPHICS else f"attribute:{name}" for name in names)


def outside_data(profile: Profile, dataset: Dataset) -> Iterable[str]:
    """Yields sentences about what is outside the data: nobody in it is like this."""
    ages = dataset.age_range
    if profile.age is not None and ages and not ages[0] <= profile.age <= ages[1]:
        yield f"Age {profile.age:g} is outside the users' range ({ages[0]:g} to {ages[1]:g}); nobody in the data is like this."
    for name, value in profile.attributes.items():
        if value not in dataset.user_attributes[name]:
            yield f"No user has the {name} “{value}”."


def unread_interests(profile: Profile, encoder: Encoder) -> Iterable[str]:
    """Yields a sentence for each interest that carries no meaning for the encoder."""
    for text in profile.interests:
        if script := unread_script(text, encoder):
            offer = advice(other_for_script(script, encoder))
            yield f"The interest “{text}” is {in_words(script)}, which the encoder {encoder.name} does not read. {offer}"
        elif encoder.check(text).is_unknown:
            yield f"The encoder knows no part of the interest “{text}”, so it carries no meaning."


def check_weights(weights: Mapping[str, float], views: Sequence[str]) -> None:
    """Raises ``DataError`` for a weight out of range, or a view that is not there."""
    for name, weight in weights.items():
        if name not in views:
            raise DataError("There is no such view", name, fix=f"The views of this dataset are: {', '.join(views)}.")
        if not 0 <= weight <= MAX_WEIGHT:
            fix = f"Choose a number from 0 to {MAX_WEIGHT:g}."
            raise DataError(f"The weight of the view {name} is out of range", weight, fix=fix)
