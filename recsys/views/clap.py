"""CLAP: sounds and words in one space, learned from captions."""

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from recsys.encoder.device import choose_device
from recsys.encoder.folder import Recipe, identity_of, locate
from recsys.errors import ConfigError

_TEXTS = 64
"""Texts that are encoded at a time."""
_SPECIAL = 2
"""Positions of its text tower (a RoBERTa) that no token stands at."""


class Clap:
    """A CLAP model of transformers; safe to use from several threads.

    It hears windows of ten seconds, whose vectors are averaged: its own way of choosing one by chance would give another vector
    every time.

    Source: Wu et al. 2023, Large-scale contrastive language-audio pretraining with feature fusion and keyword-to-caption
    augmentation.
    """

    words_by = "CLAP's text tower, which learned from captions of sounds"

    def __init__(self, model: Any, extractor: Any, tokenizer: Any, *, name: str, identity: str, device: Any) -> None:
        self.model = model
        self._extractor = extractor
        self._tokenizer = tokenizer
        self._device = device
        self._lock = threading.Lock()
        self.name = f"CLAP ({name})"
        self.identity = f"clap-1-{identity}"
        self.dim = int(model.config.projection_dim)
        self.rate = int(extractor.sampling_rate)

    @classmethod
    def from_pretrained(cls, name: str, *, device: str = "auto") -> "Clap":
        """Loads a CLAP from a local folder or a hub name.

        Raises:
            ConfigError: if it cannot be found or loaded, or the device is unknown.
        """
        from transformers import AutoTokenizer, ClapFeatureExtractor, ClapModel
        from transformers.utils import logging

        where, folder = choose_device(device), locate(name)
        logging.disable_progress_bar()
        try:
            extractor = ClapFeatureExtractor.from_pretrained(folder, local_files_only=True)
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
            model = ClapModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)
        except Exception as error:  # transformers raises whatever the folder's content provokes
            fix = (
                "Give a folder that ClapModel loads, with weights as safetensors, or leave COLDLENS_AUDIO_ENCODER out."
            )
            raise ConfigError(f"The audio encoder does not load ({type(error).__name__})", folder, fix=fix) from error
        identity = identity_of(folder, Recipe())
        return cls(
            model.eval().float().to(device=where), extractor, tokenizer, name=name, identity=identity, device=where
        )

    def hear(self, samples: np.ndarray) -> np.ndarray:
        """Returns ``(dim,)`` float32 of unit length."""
        import torch

        windows = self._windows(samples)
        found = self._extractor(windows, sampling_rate=self.rate, return_tensors="pt")
        with self._lock, torch.inference_mode():
            features = found["input_features"].to(self._device)
            # no window is longer than the model hears, but the extractor declares one to be, drawn by chance
            is_longer = torch.zeros((len(features), 1), dtype=torch.bool, device=self._device)
            vectors = self.model.get_audio_features(input_features=features, is_longer=is_longer).pooler_output
            mean = torch.nn.functional.normalize(vectors.float(), dim=-1).mean(0)
            heard: np.ndarray = torch.nn.functional.normalize(mean, dim=0).cpu().numpy()
        return heard

    def _windows(self, samples: np.ndarray) -> list[np.ndarray]:
        """Cuts a sound into windows; what remains at the end counts if it is a tenth of one, or all there is."""
        size = int(self._extractor.nb_max_samples)
        windows = [samples[start : start + size] for start in range(0, len(samples), size)]
        return windows if len(windows) == 1 else [window for window in windows if len(window) >= size // 10]

    def encode_words(self, texts: Sequence[str]) -> np.ndarray:
        """Returns ``(n_texts, dim)`` float32, rows of unit length."""
        blocks = [self._encode(list(texts[start : start + _TEXTS])) for start in range(0, len(texts), _TEXTS)]
        return np.concatenate(blocks) if blocks else np.zeros((0, self.dim), np.float32)

    def _encode(self, texts: list[str]) -> np.ndarray:
        import torch

        longest = int(self.model.config.text_config.max_position_embeddings) - _SPECIAL
        with self._lock, torch.inference_mode():
            found = self._tokenizer(texts, padding=True, truncation=True, max_length=longest, return_tensors="pt").to(
                self._device
            )
            vectors = self.model.get_text_features(
                input_ids=found["input_ids"], attention_mask=found["attention_mask"]
            ).pooler_output
            rows: np.ndarray = torch.nn.functional.normalize(vectors.float(), dim=-1).cpu().numpy()
        return rows
