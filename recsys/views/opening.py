"""Opens every view that a dataset has beside its text."""

from collections.abc import Callable, Sequence

from recsys.encoder import Encoder
from recsys.errors import ConfigError
from recsys.schema import Dataset
from recsys.settings import Settings
from recsys.views.audio import open_audio_view
from recsys.views.graph import open_graph_view
from recsys.views.image import open_image_view
from recsys.views.view import AUDIO, GRAPH, IMAGE, VIEWS, ItemView

Progress = Callable[[str, int, int], None]
"""Called with (name of the view, done, in all) where there is something to make."""


def open_views(
    dataset: Dataset,
    *,
    text_encoder: Encoder,
    settings: Settings,
    names: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> dict[str, ItemView]:
    """Opens, or makes where they are missing, the views that a dataset has beside its text, by name and in order.

    Args:
        names: which ones are wanted, all by default; ``text`` is always there and may be named.

    Raises:
        ConfigError: for an unknown name.
    """
    for name in names or ():
        if name not in VIEWS:
            raise ConfigError("There is no such view of items", name, fix=f"Choose from: {', '.join(VIEWS)}.")

    def report(name: str) -> Callable[[int, int], None]:
        return lambda done, total: progress(name, done, total) if progress else None

    def tell(_: str, done: int, total: int) -> None:
        report(GRAPH)(done, total)

    makers = {
        IMAGE: lambda: open_image_view(dataset, text_encoder=text_encoder, settings=settings, progress=report(IMAGE)),
        AUDIO: lambda: open_audio_view(dataset, settings=settings, progress=report(AUDIO)),
        GRAPH: lambda: open_graph_view(dataset, progress=tell),
    }
    wanted = [name for name in makers if names is None or name in names]
    found = {name: makers[name]() for name in wanted}
    return {name: view for name, view in found.items() if view is not None}
