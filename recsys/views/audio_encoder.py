"""What turns sounds into vectors, and how one is chosen."""

from importlib.util import find_spec
from typing import Protocol

import numpy as np

from recsys.errors import MissingExtraError
from recsys.settings import DEFAULT_AUDIO_ENCODER, Settings
from recsys.views.view import WordEncoder

_PACKAGES = ("librosa", "soundfile")


class AudioEncoder(Protocol):
    """Turns sounds into unit vectors.

    Attributes:
        name: for people.
        identity: a text that changes whenever the vectors would.
        dim: length of a vector.
        rate: samples in a second that it hears.
        words_by: how words reach the sounds, in words; empty where they do not.
    """

    name: str
    identity: str
    dim: int
    rate: int
    words_by: str

    def hear(self, samples: np.ndarray) -> np.ndarray:
        """Returns ``(dim,)`` float32 of unit length.

        Args:
            samples: ``(n_samples,)`` float32 in [-1, 1], mono, at ``rate``; at least a tenth of a second.
        """
        ...

    @property
    def encode_words(self) -> WordEncoder | None:
        """Encodes words in the space of the sounds; ``None`` where words do not reach them."""
        ...


def load_audio_encoder(settings: Settings) -> AudioEncoder:
    """Returns the encoder that the settings name: the descriptors, or a CLAP from a local folder or the hub.

    Raises:
        MissingExtraError: if the packages that read sounds are not installed.
        ConfigError: if there is no such encoder, or it does not load.
    """
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        fix = 'Run `pip install "coldlens[audio]"`, then build again; until then the dataset has no audio view.'
        raise MissingExtraError("The sounds of the dataset need packages", ", ".join(missing), fix=fix)
    if settings.audio_encoder == DEFAULT_AUDIO_ENCODER:
        from recsys.views.descriptors import Descriptors

        return Descriptors()
    from recsys.views.clap import Clap

    return Clap.from_pretrained(settings.audio_encoder, device=settings.device)
