"""One door to every kind of encoder."""

from pathlib import Path

from recsys.encoder.brought import BroughtVectors
from recsys.encoder.device import choose_device, choose_precision
from recsys.encoder.folder import MULTILINGUAL, locate
from recsys.encoder.protocol import Encoder
from recsys.encoder.static import StaticEncoder, is_static
from recsys.encoder.transformer import TransformerEncoder
from recsys.encoder.universal import UniversalEncoder
from recsys.schema import Dataset
from recsys.settings import Settings


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


def encoder_for(dataset: Dataset, settings: Settings) -> Encoder:
    """Returns what a dataset is read with: the encoder of the settings, or the vectors that came with it.

    For vectors, an encoder is loaded only where the dataset says which one made them.

    Raises:
        ConfigError: if an encoder cannot be found or loaded, or makes vectors of another length than those that came.
    """
    if dataset.item_vectors is None:
        return open_encoder(
            settings.encoder_for(dataset.info.encoder), device=settings.device, precision=settings.precision
        )
    named = dataset.info.vectors.encoder if dataset.info.vectors else ""
    reader = open_encoder(named, device=settings.device, precision=settings.precision) if named else None
    return BroughtVectors.from_dataset(dataset, reader=reader)
