"""What a recommender is opened with: the encoder that its scorer reads with, and where it searches."""

from recsys.encoder import CachedEncoder, Encoder, open_encoder
from recsys.finetuning import FineTuningConfig, open_tuned, tuned_in_memory
from recsys.index import Index
from recsys.schema import Dataset
from recsys.settings import Settings


def encoder_of(dataset: Dataset, scorer: str, encoder: Encoder | None, settings: Settings) -> Encoder:
    """The encoder that a scorer reads with: the fine-tuned one has its own, which for a dataset in memory is trained now."""
    device, precision = settings.device, settings.precision
    if scorer == "fine-tuned" and dataset.folder is not None:
        return open_tuned(dataset, device=device, precision=precision)
    made = encoder or open_encoder(settings.encoder, device=device, precision=precision)
    if scorer != "fine-tuned":
        return made
    bare = made.uncached if isinstance(made, CachedEncoder) else made
    return tuned_in_memory(dataset, bare, config=FineTuningConfig()).encoder


def searched(local: Index, dataset: str, scorer: str, milvus: str) -> Index:
    """The index itself, or one that asks a server first; other weights of views make other vectors, which no server holds."""
    if not milvus:
        return local
    from recsys.index.milvus import MilvusIndex, alias_of

    return MilvusIndex(local, uri=milvus, alias=alias_of(dataset, scorer))
