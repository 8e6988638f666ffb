"""A bridge from words to pictures for an encoder that knows classes and no words.

A picture is placed in the space of the text encoder where the names of its likeliest classes are, and where the names of its
colours are. So words find a picture as far as one of a thousand classes, or a colour, says what is on it, and no further.

Source: Norouzi et al. 2014, Zero-shot learning by convex combination of semantic embeddings, equation 3; the colours are ours.
"""

from functools import cache
from pathlib import Path

import numpy as np

from recsys.encoder import Encoder
from recsys.views import colours
from recsys.views.image_encoder import unit_rows

CLASSES_FILE = Path(__file__).with_name("imagenet_classes.txt")
"""A plain name, in our words, for each of the thousand classes of ImageNet, in their order."""
TOP = 10
"""Classes that count."""
COLOUR_WEIGHT = 0.75
"""Length of what the colours add to what the classes say, which has length 1."""
WORDS_BY = f"ConSE: the {TOP} likeliest of 1,000 ImageNet classes, and the colours of the picture, as embeddings of their names"


@cache
def class_names() -> tuple[str, ...]:
    """Returns the names of the thousand classes."""
    return tuple(CLASSES_FILE.read_text("utf-8").splitlines())


def place(probabilities: np.ndarray, shares: np.ndarray, encoder: Encoder) -> np.ndarray:
    """Returns where pictures lie in the space of a text encoder, ``(n, encoder.dim)`` float32, rows of unit length.

    Args:
        probabilities: ``(n, 1000)``, of the classes.
        shares: ``(n, n_colours)``, see ``colour_shares``.
    """
    names = encoder.encode(class_names(), bulk=True)
    likeliest = np.argsort(-probabilities, axis=1, kind="stable")[:, :TOP]
    kept = np.zeros_like(probabilities, dtype=np.float32)
    np.put_along_axis(kept, likeliest, np.take_along_axis(probabilities, likeliest, axis=1).astype(np.float32), axis=1)
    painted = unit_rows(shares @ encoder.encode([name.removeprefix("light ") for name in colours.NAMES], bulk=True))
    return unit_rows(unit_rows(kept @ names) + np.float32(COLOUR_WEIGHT) * painted)
