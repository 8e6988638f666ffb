"""CLIP and SigLIP: pictures and words in one space, learned from captions."""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recsys.encoder import Encoder
from recsys.encoder.device import choose_device
from recsys.encoder.folder import Recipe, identity_of, locate
from recsys.errors import ConfigError
from recsys.views.image_encoder import unit_rows

if TYPE_CHECKING:
    from PIL.Image import Image

_KINDS = ("clip", "siglip")
_FIX = "Give a folder of CLIP or SigLIP with weights as safetensors, or leave COLDLENS_IMAGE_ENCODER out."
_CPU_BATCH, _GPU_BATCH, _TEXTS = 8, 128, 64
_MOST_SIDE = 1024


@dataclass(frozen=True)
class Preparation:
    """How a model wants its pictures; read from ``preprocessor_config.json``.

    Attributes:
        side: pixels of the square that it looks at.
        shortest: pixels that the shorter side is scaled to before the square is cut out of the middle; 0 to stretch instead.
        resample: number of the Pillow filter.
        scale: that bytes are multiplied by.
        mean, std: of each colour, for what comes out.
    """

    side: int
    shortest: int = 0
    resample: int = 3
    scale: float = 1 / 255
    mean: tuple[float, ...] = (0.5, 0.5, 0.5)
    std: tuple[float, ...] = (0.5, 0.5, 0.5)

    @classmethod
    def from_folder(cls, folder: Path, side: int) -> "Preparation":
        """Reads the preparation of a model; what the file does not say is as in SigLIP.

        Args:
            side: what the model's own configuration says.

        Raises:
            ConfigError: if the file cannot be read, or asks for what makes no square of that side.
        """
        path = folder / "preprocessor_config.json"
        try:
            values = json.loads(path.read_text("utf-8"))
            size = _sides(values.get("size"), side)
            mean, std = (tuple(map(float, values.get(key) or (0.5,) * 3)) for key in ("image_mean", "image_std"))
            found = cls(
                side,
                int(size.get("shortest_edge", 0)),
                int(values.get("resample", 3)),
                float(values.get("rescale_factor", 1 / 255)),
                mean if values.get("do_normalize", True) else (0.0,) * 3,
                std if values.get("do_normalize", True) else (1.0,) * 3,
            )
        except (OSError, ValueError, TypeError, AttributeError) as error:
            what = f"The preparation of pictures cannot be read ({type(error).__name__})"
            raise ConfigError(what, path, fix="Download the encoder again.") from None
        is_sane = len(found.mean) == len(found.std) == 3 and min(found.std) > 0 and found.resample in range(6)
        if (
            not is_sane
            or not 1 <= side <= _MOST_SIDE
            or (found.shortest and not side <= found.shortest <= 2 * _MOST_SIDE)
        ):
            raise ConfigError("The preparation of pictures cannot be used", path, fix=_FIX)
        return found

    def square(self, picture: "Image") -> np.ndarray:
        """Returns ``(side, side, 3)`` uint8."""
        from PIL import Image

        resample = Image.Resampling(self.resample)
        if not self.shortest:
            return np.asarray(picture.resize((self.side, self.side), resample))
        factor = self.shortest / min(picture.size)
        width, height = (max(self.side, round(edge * factor)) for edge in picture.size)
        # only what will be cut out is scaled: a picture of 1 x 20,000 pixels would become a large one
        left, top = (width - self.side) / 2 / factor, (height - self.side) / 2 / factor
        box = (left, top, min(left + self.side / factor, picture.width), min(top + self.side / factor, picture.height))
        return np.asarray(picture.resize((self.side, self.side), resample, box=box))

    def values(self, pixels: np.ndarray) -> np.ndarray:
        """Returns ``(n, 3, side, side)`` float32 of ``(n, side, side, 3)`` uint8."""
        scaled = (pixels.astype(np.float32) * self.scale - np.array(self.mean, np.float32)) / np.array(
            self.std, np.float32
        )
        return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2), np.float32)


class Clip:
    """A CLIP or SigLIP model of transformers; safe to use from several threads.

    Source: Radford et al. 2021, Learning transferable visual models from natural language supervision; Zhai et al. 2023, Sigmoid
    loss for language image pre-training.
    """

    def __init__(
        self, model: Any, tokenizer: Any, *, preparation: Preparation, name: str, identity: str, device: Any
    ) -> None:
        self.model = model
        self._tokenizer = tokenizer
        self._preparation = preparation
        self._device = device
        self._lock = threading.Lock()
        self._kind = str(model.config.model_type)
        self._batch = _CPU_BATCH if device.type == "cpu" else _GPU_BATCH
        kind = "SigLIP" if self._kind == "siglip" else "CLIP"
        self.name = f"{kind} ({name})"
        self.words_by = f"{kind}'s text tower, which learned from captions of pictures"
        self.identity = f"clip-1-{identity}"
        self.side = preparation.side
        self.dim = len(self._look(np.zeros((1, self.side, self.side, 3), np.uint8))[0])

    @classmethod
    def from_pretrained(cls, name: str, *, device: str = "auto") -> "Clip":
        """Loads a model from a local folder or a hub name.

        Raises:
            ConfigError: if it cannot be found or loaded, or the device is unknown.
        """
        from transformers import AutoConfig, AutoModel, AutoTokenizer
        from transformers.utils import logging

        where, folder = choose_device(device), locate(name)
        logging.disable_progress_bar()
        try:
            config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
            kind, side = str(config.model_type), int(getattr(config, "vision_config", config).image_size)
        except Exception as error:  # transformers raises whatever the folder's content provokes
            raise ConfigError(f"The image encoder does not load ({type(error).__name__})", folder, fix=_FIX) from error
        if kind not in _KINDS:
            raise ConfigError(f"This kind of model is no image encoder ({kind})", folder, fix=_FIX)
        preparation = Preparation.from_folder(folder, side)
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
            model = AutoModel.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, trust_remote_code=False
            )
        except Exception as error:
            raise ConfigError(f"The image encoder does not load ({type(error).__name__})", folder, fix=_FIX) from error
        identity = identity_of(folder, Recipe())
        model = model.to(where).eval().float()
        return cls(model, tokenizer, preparation=preparation, name=name, identity=identity, device=where)

    def prepare(self, picture: "Image") -> np.ndarray:
        """Returns ``(side, side, 3)`` uint8."""
        return self._preparation.square(picture)

    def look(self, pixels: np.ndarray) -> np.ndarray:
        """Returns ``(n, dim)`` float32, rows of unit length."""
        blocks = [self._look(pixels[start : start + self._batch]) for start in range(0, len(pixels), self._batch)]
        return unit_rows(np.concatenate(blocks)) if blocks else np.zeros((0, self.dim), np.float32)

    def vectors(self, features: np.ndarray) -> np.ndarray:
        """Returns the features."""
        return unit_rows(features)

    def bridge(self, features: np.ndarray, text_encoder: Encoder) -> np.ndarray:
        """Returns the features: words lie where pictures lie."""
        return unit_rows(features)

    def encode_words(self, texts: Sequence[str]) -> np.ndarray:
        """Returns ``(n_texts, dim)`` float32, rows of unit length."""
        blocks = [self._read(list(texts[start : start + _TEXTS])) for start in range(0, len(texts), _TEXTS)]
        return unit_rows(np.concatenate(blocks)) if blocks else np.zeros((0, self.dim), np.float32)

    def _look(self, pixels: np.ndarray) -> np.ndarray:
        import torch

        with self._lock, torch.inference_mode():
            values = torch.from_numpy(self._preparation.values(pixels)).to(self._device)
            found: np.ndarray = self.model.get_image_features(pixel_values=values).pooler_output.float().cpu().numpy()
        return found

    def _read(self, texts: list[str]) -> np.ndarray:
        import torch

        longest = int(self.model.config.text_config.max_position_embeddings)
        # SigLIP learned from texts that were filled up to the full length, and reads them without a mask
        padding = "max_length" if self._kind == "siglip" else True
        with self._lock, torch.inference_mode():
            tokens = self._tokenizer(
                texts, padding=padding, truncation=True, max_length=longest, return_tensors="pt"
            ).to(self._device)
            masks = {} if self._kind == "siglip" else {"attention_mask": tokens["attention_mask"]}
            found: np.ndarray = (
                self.model.get_text_features(input_ids=tokens["input_ids"], **masks).pooler_output.float().cpu().numpy()
            )
        return found


def _sides(size: object, side: int) -> Mapping[str, Any]:
    """What ``size`` says: a number is the shorter side, as in older files."""
    if isinstance(size, Mapping):
        return size
    return {"shortest_edge": size} if size is not None else {"height": side, "width": side}
