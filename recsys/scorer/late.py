"""Late fusion: further views beside the text, each normalised so that its weight means something."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.encoder import Encoder
from recsys.schema import Dataset, Profile
from recsys.settings import MAX_INTEREST_LENGTH
from recsys.views.view import ItemView, WordEncoder

_PROBES, _SEEN = 24, 4_096
_WIDEST = 128
WORDS, LIKENESS = "words", "likeness"


@dataclass(frozen=True, eq=False)
class LateBlock:
    """Columns of an item's vector that one kind of facet reaches in one view.

    Attributes:
        view: its name.
        by: ``words`` meets interests, ``likeness`` liked items.
        columns: in the vectors of the scorer.
        vectors: ``(n_items, width)`` float64, centred on the items that have the view and zero for those that lack it, so that
            a missing view contributes what an average one does: nothing.
        scale: lets its scores spread over the items as widely as those of the text.
        encode: of words.
    """

    view: str
    by: str
    columns: slice
    vectors: np.ndarray
    scale: float
    encode: WordEncoder | None = None


def late_blocks(
    views: Mapping[str, ItemView], embeddings: np.ndarray, dataset: Dataset, encoder: Encoder
) -> tuple[LateBlock, ...]:
    """Returns the blocks of every view, to stand behind the text's ``embeddings.shape[1]`` columns."""
    if not views or not len(embeddings):
        return ()
    texts = np.asarray(embeddings[_some(len(embeddings), _SEEN)], np.float64)
    told = texts[_some(len(texts), _PROBES)]
    usual = _spread(texts, told)
    start, found = embeddings.shape[1], []
    for view in views.values():
        for by, vectors, encode in _kinds(view, encoder):
            shown = _centred(vectors, view.has)
            known = np.flatnonzero(view.has)
            asked = shown[known[_some(len(known), _PROBES)]]
            if by == WORDS:
                asked = told if view.encode_words is None else _encoded(view.encode_words, _probes(dataset))
            spread = _spread(shown[known[_some(len(known), _SEEN)]], asked)
            columns = slice(start, start := start + shown.shape[1])
            found.append(LateBlock(view.name, by, columns, shown, usual / spread if spread else 1.0, encode))
    return tuple(found)


def block_query(
    block: LateBlock, profile: Profile, dataset: Dataset, *, readable: Sequence[str]
) -> dict[str, np.ndarray]:
    """Returns what each facet of a profile asks for in a block, ``(width,)`` by the facet's key, before any weight.

    Args:
        readable: the interests that the encoder can read; the others say nothing.
    """
    if block.by == WORDS:
        texts = list(readable)
        rows = _encoded(block.encode, texts)
        return {f"interest:{text}": row / len(texts) for text, row in zip(texts, rows, strict=True)}
    places = [dataset.item_row(item_id) for item_id in profile.liked]
    return {
        f"liked:{item_id}": block.vectors[row] / len(places) for item_id, row in zip(profile.liked, places, strict=True)
    }


def _kinds(view: ItemView, encoder: Encoder) -> Sequence[tuple[str, np.ndarray, WordEncoder | None]]:
    likeness = (LIKENESS, _narrowed(view), None)
    if view.words is None:
        return (likeness,)
    return ((WORDS, np.asarray(view.words, np.float64), view.encode_words or encoder.encode), likeness)


def _narrowed(view: ItemView) -> np.ndarray:
    """The vectors in their main directions, at most 128, which keep most of what items have in common."""
    vectors = np.asarray(view.vectors, np.float64)
    if view.dim <= _WIDEST:
        return vectors
    shown = _centred(vectors, view.has)
    values = np.linalg.eigh(shown.T @ shown)[1][:, ::-1][:, :_WIDEST]
    return vectors @ values


def _centred(vectors: np.ndarray, has: np.ndarray) -> np.ndarray:
    centre = vectors[has].mean(axis=0) if has.any() else 0.0
    return np.where(has[:, None], vectors - centre, 0.0)


def _probes(dataset: Dataset) -> list[str]:
    texts = dataset.categories[:_PROBES] or tuple(dataset.items["title"].astype(str)[:_PROBES])
    return [text[:MAX_INTEREST_LENGTH] for text in texts if text.strip()]


def _encoded(encode: WordEncoder | None, texts: Sequence[str]) -> np.ndarray:
    if encode is None or not texts:
        return np.zeros((0, 0))
    return np.asarray(encode(list(texts)), np.float64)


def _spread(vectors: np.ndarray, asked: np.ndarray) -> float:
    """How far apart the items' scores lie, over several questions; 0 if nothing was asked."""
    if not len(asked) or not len(vectors):
        return 0.0
    return float((vectors @ asked.T).std(axis=0).mean())


def _some(n: int, most: int) -> np.ndarray:
    return np.arange(0, n, max(1, -(-n // most)))
