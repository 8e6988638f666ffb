"""A catalog of a few thousand texts and a small BERT with random weights, so that encoding takes seconds, not minutes."""

from pathlib import Path

import numpy as np
import pandas as pd

from recsys.datasets import write_folder
from recsys.encoder.folder import locate
from recsys.schema import Dataset, DatasetInfo
from recsys.settings import DEFAULT_ENCODER
from tests.toy import KINDS, toy_dataset

_WORDS = (*KINDS, "student", "engineer", "female", "male", "night", "river", "city", "winter", "dog", "train", "island")


def catalog(folder: Path, *, n_items: int, n_words: int) -> Dataset:
    """Returns items with different descriptions, but that the last one says what the first one does."""
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(_WORDS, n_words)) + f" {number}" for number in range(n_items - 1)]
    ids = [f"{number:05d}" for number in range(n_items)]
    items = pd.DataFrame({"item_id": ids, "title": "", "description": [*texts, texts[0]]})
    toy = toy_dataset()
    info = DatasetInfo(title="Many texts", item_template="{description}")
    return write_folder(Dataset("many", info, items, toy.users.iloc[:0], toy.interactions.iloc[:0]), folder)


def small_bert(folder: Path, *, n_layers: int = 4) -> str:
    """Writes a BERT with random weights and the vocabulary of the default encoder, and returns its folder."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertModel

    tokenizer = AutoTokenizer.from_pretrained(locate(DEFAULT_ENCODER), local_files_only=True)
    tokenizer.save_pretrained(folder)
    sizes = {"hidden_size": 64, "num_hidden_layers": n_layers, "num_attention_heads": 2, "intermediate_size": 128}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertModel(BertConfig(vocab_size=len(tokenizer), max_position_embeddings=128, **sizes)).save_pretrained(folder)
    return str(folder)
