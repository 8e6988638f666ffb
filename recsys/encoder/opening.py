"""One door to every kind of encoder."""

from recsys.encoder.protocol import Encoder
from recsys.encoder.transformer import TransformerEncoder


def open_encoder(name: str, *, device: str = "auto", precision: str = "auto") -> Encoder:
    """Loads an encoder from a packaged name, a local folder or a hub name.

    Raises:
        ConfigError: if it cannot be found or loaded, or the device or precision is unknown.
    """
    return TransformerEncoder.from_pretrained(name, device=device, precision=precision)
