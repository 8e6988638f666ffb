"""One door to every kind of encoder."""

from pathlib import Path

from recsys.encoder.device import choose_device, choose_precision
from recsys.encoder.folder import MULTILINGUAL, locate
from recsys.encoder.protocol import Encoder
from recsys.encoder.static import StaticEncoder, is_static
from recsys.encoder.transformer import TransformerEncoder
from recsys.encoder.universal import UniversalEncoder


def open_encoder(name: str, *, device: str = "auto", precision: str = "auto") -> Encoder:
    """Loads an encoder from a packaged name, a local folder or a hub name; what the folder holds decides its kind.

    Raises:
        ConfigError: if it cannot be found or loaded, or the device or precision is unknown.
        MissingExtraError: for the multilingual encoder without the package that carries it.
    """
    choose_precision(precision, choose_device(device))  # an unknown one is told before anything is downloaded
    if name == MULTILINGUAL and not Path(name).is_dir():
        return UniversalEncoder.from_package(name, precision=precision)
    folder = locate(name)
    if is_static(folder):
        return StaticEncoder.from_folder(folder, name=name, precision=precision)
    return TransformerEncoder.from_folder(folder, name=name, device=device, precision=precision)
