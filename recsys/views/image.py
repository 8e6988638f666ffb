"""The image view of a catalog, made once and kept with its dataset; a changed catalog looks only at its new pictures.

Pictures are looked at in blocks, and every block is published as soon as it is done, so that a build that is killed loses at
most one. A picture that is refused costs its item the view, with a reason, and nothing else.
"""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from recsys.artifact import ArtifactStore
from recsys.encoder import Encoder
from recsys.errors import MissingExtraError
from recsys.schema import ITEM_ID, Dataset
from recsys.schema.columns import IMAGE as COLUMN
from recsys.settings import Settings
from recsys.views.fetching import Fetcher, is_address
from recsys.views.image_build import ImageBuild, Progress
from recsys.views.image_encoder import ImageEncoder, load_image_encoder
from recsys.views.picture_sources import FETCHED, PictureSources
from recsys.views.view import ItemView

_log = logging.getLogger(__name__)


def open_image_view(
    dataset: Dataset,
    *,
    text_encoder: Encoder,
    settings: Settings,
    progress: Progress | None = None,
    encoder: ImageEncoder | None = None,
) -> ItemView | None:
    """Opens the image view of a dataset, or makes it from what is kept and what has to be looked at.

    Args:
        text_encoder: whose space words lie in, where the image encoder has no words of its own.
        encoder: instead of the one that the settings name.

    Returns:
        The view, or ``None`` where no item names a picture that could be there, and where the packages of the image encoder
        are missing, which is written to the log.

    Raises:
        ArtifactError: if it cannot be written.
        ConfigError: if the image encoder cannot be loaded.
    """
    names = _names(dataset)
    may_fetch = settings.fetch_images and any(map(is_address, names))
    if not any(names) or (dataset.media is None and not may_fetch):
        return None
    try:
        encoder = encoder or load_image_encoder(settings)
    except MissingExtraError as error:
        _log.warning("%s", error)
        return None
    with _folder(dataset) as folder:
        fetcher = Fetcher(settings.limits) if settings.fetch_images else None
        sources = PictureSources.from_names(
            names, media=dataset.media, limits=settings.limits, fetcher=fetcher, fetched=folder / FETCHED
        )
        store, item_ids = ArtifactStore(folder / "artifacts"), [*dataset.items[ITEM_ID]]
        build = ImageBuild(store, encoder, text_encoder, sources, settings.limits, item_ids, names)
        build.find_out()
        return build.open(progress or (lambda done, total: None), is_mapped=dataset.folder is not None)


def _names(dataset: Dataset) -> list[str]:
    """For an item_row what stands in the column of images; empty where nothing does."""
    if COLUMN not in dataset.items:
        return []
    return ["" if pd.isna(value) else str(value).strip() for value in dataset.items[COLUMN]]


@contextmanager
def _folder(dataset: Dataset) -> Iterator[Path]:
    if dataset.folder is not None:
        yield dataset.folder
        return
    with tempfile.TemporaryDirectory(prefix="coldlens-image-") as folder:
        yield Path(folder)
