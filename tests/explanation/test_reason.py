"""The reason in one sentence: only what carries the score is said, and never more than it does."""

import pytest

from recsys.explanation import reason
from recsys.schema import PRIOR, Facet

AGE = Facet("age", "age", "Age 27")
GENDER = Facet("gender", "gender", "Gender F")
JOB = Facet("attribute:occupation", "attribute", "Occupation student")
SPACE = Facet("interest:science fiction", "interest", "“science fiction”")
ALIEN = Facet("liked:183", "liked", "Liked Alien (1979)")


@pytest.mark.parametrize(
    ("lifts", "facets", "said"),
    [
        (
            (0.0, 0.3, 0.2, 0.1),
            (PRIOR, AGE, SPACE, ALIEN),
            "Liked by people around 27; close to “science fiction”",
        ),
        (
            (0.0, 0.3, 0.25, 0.2),
            (PRIOR, AGE, SPACE, ALIEN),
            "Liked by people around 27; close to “science fiction”; liked by those who like Alien (1979)",
        ),
        ((0.5, 0.3, -0.2), (PRIOR, AGE, SPACE), "Popular with everybody; liked by people around 27"),
        ((0.1, 0.9, 0.1), (PRIOR, GENDER, JOB), "Liked by female users"),
        ((0.0, -0.2, 0.4), (PRIOR, GENDER, JOB), "Liked by people whose occupation is student"),
        ((0.9, 0.01), (PRIOR, AGE), "Popular with everybody; little in the profile speaks for it"),
        ((0.9, -0.01), (PRIOR, AGE), "Popular with everybody; nothing in the profile speaks for it"),
        ((-0.1, -0.01), (PRIOR, AGE), "Nothing in the profile speaks for it"),
        ((0.4,), (PRIOR,), "Popular with everybody"),
    ],
)
def test_what_was_learned(toy, lifts, facets, said):
    assert reason(lifts, facets, toy, learned=True) == said


def test_popularity_of_an_item_that_nobody_has_liked_is_expected(toy):
    assert reason((0.4,), (PRIOR,), toy, learned=True, is_cold=True) == "Expected to be popular"


@pytest.mark.parametrize(
    ("lifts", "facets", "said"),
    [
        ((0.3, 0.2), (SPACE, ALIEN), "Its text is close to “science fiction” and the text of Alien (1979)"),
        ((0.3, -0.2), (SPACE, AGE), "Its text is close to “science fiction”"),
        ((0.1, 0.2), (AGE, GENDER), "Its text is close to “female” and “27-year-old”"),
        ((-0.3,), (SPACE,), "Nothing in the profile speaks for it"),
        ((), (), "Nothing in the profile speaks for it"),
    ],
)
def test_a_scorer_that_only_reads_does_not_speak_of_liking(toy, lifts, facets, said):
    found = reason(lifts, facets, toy, learned=False)

    assert found == said
    assert "liked" not in found.lower()
