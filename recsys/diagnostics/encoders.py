"""Two encoders on one catalog: what each takes for neighbours, which items move, and which serves recommendations better."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from recsys.datasets.folder import item_ids_as_imported
from recsys.datasets.importing import VECTOR_ENDINGS, read_vectors
from recsys.encoder import BroughtVectors, Encoder, TextCheck, open_encoder
from recsys.encoder.protocol import Progress
from recsys.errors import DataError
from recsys.projection.fitting import Map, fit_pca
from recsys.projection.trust import nearest_items
from recsys.schema import COSINE, ITEM_ID, Dataset, fingerprint_of_vectors
from recsys.segmenter import bare_words, words_of_text
from recsys.settings import Settings
from recsys.training import train_additive

_K = 10
_DIM = 128


@dataclass(frozen=True, eq=False)
class Comparison:
    """What tells two encoders apart.

    Attributes:
        overlap: ``(n_items,)``, the share of each item's nearest ten that both agree on.
        moved: a table of the items whose neighbours differ most.
        first, second: flat maps, the second turned, mirrored and scaled onto the first (Procrustes).
        disparity: what remains between the maps after that, 0 to 1.
        quality: encoder to its held-out nDCG@10 inside the training users; empty without likes.
    """

    names: tuple[str, str]
    overlap: np.ndarray
    moved: pd.DataFrame
    first: np.ndarray
    second: np.ndarray
    disparity: float
    quality: dict[str, float]


class LsaEncoder:
    """A rival that needs no download: TF-IDF of words and their pairs, reduced by a truncated SVD (latent semantic analysis).

    Source: S. Deerwester et al., Indexing by latent semantic analysis, 1990.
    """

    def __init__(self, texts: Sequence[str], *, dim: int = _DIM) -> None:
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._words = TfidfVectorizer(sublinear_tf=True, tokenizer=bare_words, token_pattern=None)
        counts = self._words.fit_transform([text or "empty" for text in texts])
        self._map = TruncatedSVD(max(1, min(dim, counts.shape[1] - 1, len(texts) - 1)), random_state=0).fit(counts)
        self.name = "TF-IDF (LSA)"
        self.identity = f"lsa-{self._map.components_.shape[0]}-{len(texts)}"
        self.dim = int(self._map.components_.shape[0])
        self.description = "cpu"

    def encode(self, texts: Sequence[str], *, bulk: bool = False, progress: Progress | None = None) -> np.ndarray:
        """Returns ``(n_texts, dim)`` float32, each row of length 1 or zero."""
        if not texts:
            return np.zeros((0, self.dim), np.float32)
        found = self._map.transform(self._words.transform(texts))
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        return np.asarray(np.where(lengths > 1e-9, found / np.maximum(lengths, 1e-9), 0.0), np.float32)

    def check(self, text: str) -> TextCheck:
        """Says whether a text has a word that the catalog has."""
        known = self._words.transform([text]).nnz
        return TextCheck(len(words_of_text(text)), False, known == 0)


def open_rival(name: str, dataset: Dataset, texts: Sequence[str], settings: Settings) -> tuple[Encoder, np.ndarray]:
    """Opens what another encoder is compared with.

    Args:
        name: ``lsa``, a file of vectors (``.npy`` in the order of the items as they were imported, or Parquet with item_ids), or
            an encoder's packaged name, hub name or folder.
        texts: of all items.

    Returns:
        It, and its embeddings of the items, ``(n_items, dim)``.

    Raises:
        DataError: for vectors that cannot be used.
        ConfigError: for an encoder that does not load.
    """
    if name.lower().endswith(VECTOR_ENDINGS):
        found = _vectors_of(Path(name), dataset, settings)
        return found, found.item_vectors
    other = LsaEncoder(texts) if name == "lsa" else _opened(name, settings)
    return other, other.encode(texts, bulk=True)


def _opened(name: str, settings: Settings) -> Encoder:
    return open_encoder(name, device=settings.device, precision=settings.precision)


def _vectors_of(path: Path, dataset: Dataset, settings: Settings) -> BroughtVectors:
    ids = dataset.items[ITEM_ID].tolist()
    order = ids if dataset.folder is None else item_ids_as_imported(dataset.folder)
    read = read_vectors(path, ITEM_ID, ids=order, limits=settings.limits)
    if first := next((finding for finding in read.findings.kept if finding.is_error), None):
        raise DataError(first.what, f"{path.name}, row {first.row}, '{first.value}'", fix=first.fix)
    vectors = read.vectors[pd.Index(order).get_indexer(pd.Index(ids))]
    made = BroughtVectors(vectors, similarity=COSINE, key=fingerprint_of_vectors(vectors))
    made.name = path.name
    return made


def compare_encoders(
    dataset: Dataset, texts: Sequence[str], first: tuple[Encoder, np.ndarray], second: tuple[Encoder, np.ndarray]
) -> Comparison:
    """Compares two encoders by the embeddings that they give the same texts.

    Args:
        first: an encoder and its embeddings of ``texts``.
        second: another, maybe of another dimension.

    Raises:
        DataError: if there are fewer than two items.
    """
    k = min(_K, len(texts) - 1)
    if k < 1:
        raise DataError(
            "There are no neighbours to compare", f"{len(texts)} items", fix="Use a catalog of at least two."
        )
    ours, theirs = nearest_items(first[1], k), nearest_items(second[1], k)
    overlap = np.array([len(np.intersect1d(a, b)) / k for a, b in zip(ours, theirs, strict=True)])
    order = np.argsort(overlap, kind="stable")[:100]
    names = (first[0].name, second[0].name if second[0].name != first[0].name else f"{second[0].name} (2)")
    moved = pd.DataFrame(
        {
            ITEM_ID: dataset.items[ITEM_ID].iloc[order].to_numpy(),
            "item": [dataset.labels[row] for row in order],
            "neighbours shared": overlap[order],
            f"nearest by {names[0]}": [dataset.labels[ours[row, 0]] for row in order],
            f"nearest by {names[1]}": [dataset.labels[theirs[row, 0]] for row in order],
        }
    )
    maps: list[Map] = [fit_pca(first[1]), fit_pca(second[1])]
    left, right, disparity = _aligned(maps[0].coordinates, maps[1].coordinates)
    quality = {}
    if len(dataset.users) and dataset.popularity.any():
        quality = {name: _quality(dataset, *one) for name, one in zip(names, (first, second), strict=True)}
    return Comparison(names, overlap, moved, left, right, disparity, quality)


def _aligned(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    from scipy.spatial import procrustes

    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return first, second, float("nan")
    left, right, disparity = procrustes(first, second)
    return left, right, float(disparity)


def _quality(dataset: Dataset, encoder: Encoder, vectors: np.ndarray) -> float:
    """The best held-out nDCG@10 of the additive fit over these embeddings, ``NaN`` with too few users to hold some out."""
    trials = train_additive(dataset, vectors, encoder=encoder).trials
    return max((trial.ndcg for trial in trials), default=float("nan"))
