"""What a view beside the text is: an embedding block of a catalog, and what reaches it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

TEXT, IMAGE, AUDIO, GRAPH = "text", "image", "audio", "graph"
VIEWS = (TEXT, IMAGE, AUDIO, GRAPH)
"""Every view, in the order in which they are shown."""
VIEW_WORDS = {TEXT: "text", IMAGE: "picture", AUDIO: "sound", GRAPH: "facts"}
"""How the view of an item is called on the screen."""
WordEncoder = Callable[[Sequence[str]], np.ndarray]
"""Maps texts to ``(n_texts, word_dim)``, rows of unit length."""


@dataclass(frozen=True, eq=False)
class ItemView:
    """One view of a catalog beside its text.

    An item that lacks the view (a film without a picture) has a row of zeros everywhere, so that it contributes nothing.

    Attributes:
        name: one of ``VIEWS`` but the text.
        vectors: ``(n_items, dim)`` float32, rows of unit length: what items are compared with each other by.
        key: SHA-256 of everything that the vectors depend on.
        made_by: how the encoder is called on the screen.
        words: ``(n_items, word_dim)`` float32, rows of unit length: what words are compared with; ``None`` where words do not
            reach this view.
        encode_words: encodes words for ``words``; ``None`` where those lie in the space of the dataset's text encoder.
        words_by: how words reach the view, in words.
        media: returns for an item_row what is shown or played of it, made by us and never the file that somebody brought, or
            ``None`` where there is nothing.
        mime: the type of that.
        faults: for the item_id of what could not be read the reason, in three parts.
    """

    name: str
    vectors: np.ndarray
    key: str
    made_by: str
    words: np.ndarray | None = None
    encode_words: WordEncoder | None = None
    words_by: str = ""
    media: Callable[[int], bytes | None] | None = None
    mime: str = ""
    faults: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def has(self) -> np.ndarray:
        """``(n_items,)`` of bool: which items have the view."""
        return np.asarray((self.vectors != 0).any(axis=1))

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self.vectors.shape[1])
