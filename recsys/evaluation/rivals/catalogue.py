"""Which rivals there are."""

from collections.abc import Sequence

from recsys.errors import ConfigError
from recsys.evaluation.rivals.content import BertCosine, TfIdf
from recsys.evaluation.rivals.ease import Ease
from recsys.evaluation.rivals.factorisation import ImplicitMf
from recsys.evaluation.rivals.feature_factorisation import LightFm
from recsys.evaluation.rivals.neighbours import ItemKnn, UserKnn
from recsys.evaluation.rivals.neural import NeuMf
from recsys.evaluation.rivals.popularity import Popular, PopularByAgeAndGender, Random
from recsys.evaluation.rivals.protocol import Rival


def all_rivals() -> tuple[Rival, ...]:
    """Returns the methods of the field, all of which learn from all likes as their authors define them."""
    return (
        Random(),
        Popular(),
        PopularByAgeAndGender(),
        TfIdf(),
        BertCosine(),
        ItemKnn(),
        UserKnn(),
        Ease(),
        ImplicitMf(),
        LightFm(),
        NeuMf(),
    )


def ablations() -> tuple[Rival, ...]:
    """Returns the methods that differ from a rival in one thing: they learn only from the likes after the revealed ones.

    That is how the additive scorer learns, so they tell how much of its lead comes from that.
    """
    return (
        Popular(later_only=True),
        PopularByAgeAndGender(later_only=True),
        LightFm(later_only=True),
        NeuMf(later_only=True),
    )


def ablations_of(rivals: Sequence[str]) -> tuple[Rival, ...]:
    """Returns the ablations of these rivals, and always those of popularity, which cost nothing."""
    wanted = {"popular", "popular by age and gender", *rivals}
    return tuple(found for found in ablations() if found.name.removesuffix(", later likes") in wanted)


def rival(name: str) -> Rival:
    """Returns the rival or ablation of a name.

    Raises:
        ConfigError: if there is none.
    """
    known = {found.name: found for found in (*all_rivals(), *ablations())}
    if name not in known:
        raise ConfigError(
            "There is no such rival", name, fix=f"Use one of: {', '.join(found.name for found in all_rivals())}."
        )
    return known[name]
