"""Writes an encoder as other tools, and ours, read it: the layout of sentence-transformers."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from recsys.encoder.folder import LEGACY_POOLING

if TYPE_CHECKING:
    from recsys.encoder.transformer import TransformerEncoder


def save_encoder(encoder: "TransformerEncoder", folder: Path) -> None:
    """Writes weights, tokenizer and recipe into an existing folder; ``locate`` and ``read_recipe`` read them back."""
    recipe = encoder.recipe
    encoder.model.save_pretrained(folder, safe_serialization=True)
    encoder.tokenizer.save_pretrained(folder)
    kinds = ["Transformer", "Pooling", *(["Normalize"] if recipe.normalize else [])]
    modules = [
        {
            "idx": n,
            "name": str(n),
            "path": "" if kind == "Transformer" else f"{n}_{kind}",
            "type": f"sentence_transformers.models.{kind}",
        }
        for n, kind in enumerate(kinds)
    ]
    _write(folder / "modules.json", modules)
    _write(folder / "sentence_bert_config.json", {"max_seq_length": encoder.max_length, "do_lower_case": False})
    about = {"prompts": dict(recipe.prompts), "default_prompt_name": recipe.default_prompt}
    _write(folder / "config_sentence_transformers.json", about)
    pooling = {name: mode == recipe.pooling for name, mode in LEGACY_POOLING.items()}  # every version reads these
    _write(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": encoder.dim} | pooling)
    for module in modules[2:]:
        (folder / str(module["path"])).mkdir(exist_ok=True)


def _write(path: Path, value: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value, indent=1), "utf-8")
