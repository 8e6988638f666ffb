"""Tiny random encoders on disk."""

import json
from pathlib import Path

import numpy as np
import torch

MODULES = "sentence_transformers.models."
BYTES = 290
"""Words that decoders have vectors for: those of ``WORDS``, or bytes and a few parts of words."""
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "space", "opera", "quiet", "film", "about", "a", "query", ":"]


def save_tokenizer(folder: Path, *, special: bool) -> None:
    """Writes a tokenizer of whole words; ``special`` puts [CLS] and [SEP] around a text."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    names = {"unk_token": "[UNK]", "eos_token": "[SEP]"}
    if special:
        tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
        names |= {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=32, **names).save_pretrained(folder)


def save_byte_tokenizer(folder: Path, *, ends: bool, pads: bool = False) -> None:
    """Writes a tokenizer of bytes, as decoders have: all 256 of them and a few words, no unknown token, mostly no padding.

    Args:
        ends: whether every text ends with the end mark.
        pads: whether a padding token is named.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=BYTES,
        special_tokens=["<end>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["space opera", "a quiet film about space"] * 20, trainer)
    marks = [processors.ByteLevel(trim_offsets=True)]
    if ends:
        marks.append(
            processors.TemplateProcessing("$A <end>", special_tokens=[("<end>", tokenizer.token_to_id("<end>"))])
        )
    tokenizer.post_processor = processors.Sequence(marks)
    names = {"eos_token": "<end>"} | ({"pad_token": "<end>"} if pads else {})
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=32, **names).save_pretrained(folder)


def save_bert(folder: Path, *, layers: int = 2, seed: int = 0, spread: float = 0.02) -> Path:
    from transformers import BertConfig, BertModel

    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=12, hidden_size=16, num_hidden_layers=layers, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=32, initializer_range=spread,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    save_tokenizer(folder, special=True)
    return folder


def save_gpt2(folder: Path) -> Path:
    from transformers import GPT2Config, GPT2Model

    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=BYTES, n_embd=16, n_layer=2, n_head=2, n_positions=32, bos_token_id=3, eos_token_id=3
    )
    GPT2Model(config).save_pretrained(folder)
    save_tokenizer(folder, special=False)
    return folder


def save_qwen(folder: Path) -> Path:
    """A decoder that mixes kinds of attention, as new ones do."""
    from transformers import Qwen3Config, Qwen3Model

    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=BYTES, hidden_size=16, num_hidden_layers=3, num_attention_heads=2, num_key_value_heads=2, head_dim=8,
        intermediate_size=32, max_position_embeddings=32, use_sliding_window=True, sliding_window=4,
        max_window_layers=1, bos_token_id=3, eos_token_id=3,
    )  # fmt: skip
    Qwen3Model(config).save_pretrained(folder)
    save_tokenizer(folder, special=False)
    return folder


PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "▁space", "▁opera", "▁quiet", "▁film", "▁about", "▁a", "film"]
PIECES += ["科幻", "爱情", "电影", "，", "的"]


def save_xlm_roberta(folder: Path, *, max_length: int | None = 30) -> Path:
    """A multilingual encoder as XLM-R is: sentence pieces, and positions that begin after the padding token."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaModel

    torch.manual_seed(0)
    config = XLMRobertaConfig(
        vocab_size=len(PIECES), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=32, pad_token_id=1, bos_token_id=0, eos_token_id=2, type_vocab_size=1,
    )  # fmt: skip
    XLMRobertaModel(config).save_pretrained(folder)
    tokenizer = Tokenizer(models.Unigram([(piece, -float(n > 3)) for n, piece in enumerate(PIECES)], unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    names = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>", "cls_token": "<s>"}
    limit = {} if max_length is None else {"model_max_length": max_length}
    made = PreTrainedTokenizerFast(tokenizer_object=tokenizer, sep_token="</s>", **names, **limit)
    made.save_pretrained(folder)
    return folder


def save_qwen2(folder: Path) -> Path:
    from transformers import Qwen2Config, Qwen2Model

    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=BYTES, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        intermediate_size=32, max_position_embeddings=32, bos_token_id=3, eos_token_id=3,
    )  # fmt: skip
    Qwen2Model(config).save_pretrained(folder)
    save_byte_tokenizer(folder, ends=False)  # transformers lets no Qwen2 split a text into whole words
    return folder


def save_static(folder: Path, *, weights: bool = False, mapping: bool = False, **config: object) -> Path:
    """Writes random vectors in the layout of Model2Vec, whose newer files hold weights and a mapping as well."""
    from safetensors.numpy import save_file

    rng = np.random.default_rng(0)
    save_tokenizer(folder, special=True)
    parts = {"embeddings": rng.standard_normal((5 if mapping else len(WORDS), 8)).astype(np.float32)}
    if weights:
        parts["weights"] = rng.uniform(0.1, 2, len(WORDS))
    if mapping:
        parts["mapping"] = rng.integers(0, 5, len(WORDS))
    save_file(parts, folder / "model.safetensors")
    about = {"model_type": "model2vec", "normalize": True, "max_length": 6, **config}
    (folder / "config.json").write_text(json.dumps(about))
    return folder


def add_modules(folder: Path, pooling: dict[str, object], *, more: dict[str, object] | None = None) -> None:
    """Writes the files of a sentence-transformers folder around a transformers one."""
    parts = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    modules = [{"idx": n, "name": str(n), "path": path, "type": MODULES + kind} for n, (path, kind) in enumerate(parts)]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 5, "do_lower_case": false}')
    (folder / "config_sentence_transformers.json").write_text(json.dumps(more or {}))
    for path, _ in parts[1:]:
        (folder / path).mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"word_embedding_dimension": 16, **pooling}))
