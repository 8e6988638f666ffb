"""What a recommender is opened with: the encoder that its scorer reads with, and where it searches."""

from collections.abc import Callable, Mapping

import numpy as np

from recsys.encoder import CachedEncoder, Encoder, encoder_for, open_encoder, reads_text
from recsys.finetuning import FineTuningConfig, open_tuned, tuned_in_memory
from recsys.index import Index
from recsys.privacy import FEDERATED, PRIVATE, open_private
from recsys.schema import Dataset
from recsys.scorer import AdditiveScorer, CosineScorer, LikedScorer, Scorer
from recsys.settings import Settings
from recsys.training.store import open_or_train
from recsys.transfer import TRANSFERRED, open_transferred, transferred_about
from recsys.views.view import ItemView


def encoder_name(dataset: Dataset, scorer: str, settings: Settings) -> str:
    """What the encoder is called that a scorer reads with: what was carried over needs the one that its source was read with."""
    about = transferred_about(dataset) if scorer == TRANSFERRED else None
    return settings.encoder_for(dataset.info.encoder) if about is None else str(about["encoder"])


def encoder_of(dataset: Dataset, scorer: str, encoder: Encoder | None, settings: Settings) -> Encoder:
    """The encoder that a scorer reads with, or the vectors that came with the dataset.

    The fine-tuned scorer has an encoder of its own, which for a dataset in memory is trained now.
    """
    device, precision = settings.device, settings.precision
    if scorer == "fine-tuned" and dataset.folder is not None:
        return open_tuned(dataset, device=device, precision=precision)
    if scorer == TRANSFERRED and encoder is None:
        return open_encoder(encoder_name(dataset, scorer, settings), device=device, precision=precision)
    made = encoder or encoder_for(dataset, settings)
    if scorer != "fine-tuned":
        return made
    bare = made.uncached if isinstance(made, CachedEncoder) else made
    return tuned_in_memory(dataset, bare, config=FineTuningConfig()).encoder


def scorer_of(
    dataset: Dataset,
    name: str,
    embeddings: np.ndarray,
    embeddings_key: str,
    *,
    encoder: Encoder,
    views: Mapping[str, ItemView],
    progress: Callable[[int, int], None] | None = None,
) -> Scorer:
    """The scorer of a name over the text embeddings ``(n_items, dim)``: opened where it is kept, else fitted if it may be."""
    if name == "cosine":
        made = CosineScorer if reads_text(encoder) else LikedScorer
        return made(embeddings, dataset=dataset, encoder=encoder, views=views)
    if name in (PRIVATE, FEDERATED):
        model = open_private(dataset, name, embeddings_key=embeddings_key)
    elif name == TRANSFERRED:
        model = open_transferred(dataset, embeddings_key=embeddings_key)
    else:
        model = open_or_train(
            dataset, embeddings, encoder=encoder, embeddings_key=embeddings_key, views=views, progress=progress
        )
    return AdditiveScorer(model, dataset=dataset, encoder=encoder, embeddings=embeddings, views=views, name=name)


def searched(local: Index, dataset: str, scorer: str, milvus: str) -> Index:
    """The index itself, or one that asks a server first; other weights of views make other vectors, which no server holds."""
    if not milvus:
        return local
    from recsys.index.milvus import MilvusIndex, alias_of

    return MilvusIndex(local, uri=milvus, alias=alias_of(dataset, scorer))
