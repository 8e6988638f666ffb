"""A BERT of a few thousand weights that knows the words of the world of known tastes."""

from pathlib import Path

import torch

from recsys.encoder import TransformerEncoder
from tests.toy import KINDS

WORDS = ("a", "an", "year", "old", "person", "interested", "in", "who", "liked", "and", "story", *KINDS)


def tiny_bert(folder: Path, *, dropout: float = 0.1) -> Path:
    """Writes it, with random weights, into a folder."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS, *map(str, range(10))]
    tokenizer = Tokenizer(models.WordLevel({piece: n for n, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Whitespace(), pre_tokenizers.Digits(individual_digits=True)]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=64, **special).save_pretrained(folder)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=len(pieces),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=64,
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout,
        )
        BertModel(config).save_pretrained(folder)
    return folder


def tiny_encoder(folder: Path, *, dropout: float = 0.1) -> TransformerEncoder:
    """Returns it as an encoder."""
    return TransformerEncoder.from_pretrained(
        str(tiny_bert(folder, dropout=dropout)), device="cpu", precision="float32"
    )
