"""What turns pictures into vectors, and how one is chosen."""

from typing import TYPE_CHECKING, Protocol

import numpy as np

from recsys.encoder import Encoder
from recsys.settings import DEFAULT_IMAGE_ENCODER, Settings
from recsys.views.view import WordEncoder

if TYPE_CHECKING:
    from PIL.Image import Image


class ImageEncoder(Protocol):
    """Turns pictures into features, which are kept, and those into vectors and what words are compared with.

    Attributes:
        name: for people.
        identity: a text that changes whenever the features would.
        dim: length of the features of a picture.
        side: pixels of the square that it looks at.
        words_by: how words reach the pictures, in words.
    """

    name: str
    identity: str
    dim: int
    side: int
    words_by: str

    def prepare(self, picture: "Image") -> np.ndarray:
        """Returns what it looks at of a picture in RGB, ``(side, side, 3)`` uint8."""
        ...

    def look(self, pixels: np.ndarray) -> np.ndarray:
        """Returns the features of prepared pictures, ``(n, dim)`` float32.

        Args:
            pixels: ``(n, side, side, 3)`` uint8.
        """
        ...

    def vectors(self, features: np.ndarray) -> np.ndarray:
        """Returns what pictures are compared with each other by: ``(n, vector_dim)`` float32, rows of unit length."""
        ...

    def bridge(self, features: np.ndarray, text_encoder: Encoder) -> np.ndarray:
        """Returns what words are compared with: ``(n, word_dim)`` float32, rows of unit length."""
        ...

    @property
    def encode_words(self) -> WordEncoder | None:
        """Encodes words by its own text tower; ``None`` where that is done by the dataset's text encoder."""
        ...


def load_image_encoder(settings: Settings) -> ImageEncoder:
    """Returns the encoder that the settings name: EfficientNet-lite0, or a CLIP or SigLIP from a local folder or the hub.

    Raises:
        MissingExtraError: if the packages of EfficientNet-lite0 are not installed.
        ConfigError: if there is no such encoder, it does not load, or packaged weights are not the ones that were published.
    """
    if settings.image_encoder == DEFAULT_IMAGE_ENCODER:
        from recsys.views.efficientnet import EfficientNetLite

        return EfficientNetLite.from_package(device=settings.device)
    from recsys.views.clip import Clip

    return Clip.from_pretrained(settings.image_encoder, device=settings.device)


def unit_rows(rows: np.ndarray) -> np.ndarray:
    """Returns ``(n, dim)`` float32 with rows of unit length; rows of zeros stay."""
    rows = np.asarray(rows, np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: np.ndarray = rows / np.where(lengths == 0, np.float32(1), lengths)
    return scaled
