"""What a private fit is bounded by, fixed before anybody's data is looked at."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PrivateConfig:
    """Bounds, weights and penalties of the private fit; all public, none chosen on the data that is fitted.

    The defaults were found by trying a dozen settings on MovieLens-100K, so on that dataset the choice itself is not
    covered by any (epsilon, delta); on every other dataset it is.

    Attributes:
        rank: number of text directions that items, interests and liked items are read in.
        knots: ages in years, ascending, between which the effect of the age is linear.
        attribute_weight: as in ``AdditiveConfig``.
        constant: the part of a user's row that is the same for everybody; rows have a length of at most 1.
        whole_likes: of a user with up to so many later likes each counts the same; of one with more, each counts less.
        interest_offset: as in ``AdditiveConfig``.
        liked_offset: as in ``AdditiveConfig``.
        liked_scale: how large liked items are in a row, beside facts and interests.
        share_of_gram: part of the protection that is spent on how users' rows go together.
        share_of_cross: on how rows go with what is liked later.
        share_of_likes: on how often each item is liked later. The three sum to 1; who spends more on one has less noise there.
        penalty: ridge penalty, in squared lengths of rows.
        damping: adds so many standard deviations of the noise, times the root of the number of columns, to the penalty.
    """

    rank: int = 32
    knots: tuple[float, ...] = (10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0)
    attribute_weight: float = 0.1
    constant: float = 0.5
    whole_likes: int = 30
    interest_offset: float = 1.0
    liked_offset: float = 2.0
    liked_scale: float = 2.0
    share_of_gram: float = 0.1
    share_of_cross: float = 0.3
    share_of_likes: float = 0.6
    penalty: float = 1.0
    damping: float = 3.0
