"""Read, encode, index, views, train, project: every step keeps its artifact, so a build that was stopped goes on where it was."""

from collections.abc import Mapping
from dataclasses import dataclass

from recsys.artifact import ArtifactStore
from recsys.building.board import JOB, STEPS, Board, BuildStep, Progress
from recsys.building.estimate import Work
from recsys.encoder import Encoder, brought, encoder_for
from recsys.errors import ConfigError, DataError
from recsys.lock import writing
from recsys.projection import fit_maps, open_space, people_of, vectors_of_people
from recsys.recommender import Recommender, available_scorers
from recsys.schema import AUDIO, IMAGE, Dataset
from recsys.settings import Settings
from recsys.views.embeddings import Embedded, build_embeddings, embeddings_key
from recsys.views.opening import open_views
from recsys.views.text import item_texts

UNTIL = ("encode", "train", "project")
_MOST_PEOPLE = 5_000


@dataclass(frozen=True, eq=False)
class Built:
    """A finished build.

    Attributes:
        dataset: its name.
        encoder: it was made with.
        n_items: items of the catalog.
        n_encoded: texts that had to be encoded.
        trained: whether a fitted scorer is there now.
        mapped: whether both maps are there now.
        steps: planned ones, in order, with their seconds.
    """

    dataset: str
    encoder: Encoder
    n_items: int
    n_encoded: int
    trained: bool
    mapped: bool
    steps: tuple[BuildStep, ...]

    @property
    def seconds(self) -> Mapping[str, float]:
        """Seconds by step."""
        return {step.step: step.seconds for step in self.steps}

    @property
    def reused(self) -> tuple[str, ...]:
        """Steps whose result was there already."""
        return tuple(step.step for step in self.steps if step.state == "reused")

    @property
    def skipped(self) -> Mapping[str, str]:
        """Steps that were left out, and why."""
        return {step.step: step.why for step in self.steps if step.state == "skipped"}


def build(
    dataset: Dataset,
    *,
    encoder: Encoder | None = None,
    settings: Settings | None = None,
    until: str = "project",
    progress: Progress | None = None,
) -> Built:
    """Makes everything that a dataset needs, and keeps it in its folder; what is there already costs nothing.

    Others see how far it is through ``build_state``. It may be killed at any moment: what was there before stays readable, and
    the next build takes up what was done.

    Args:
        encoder: defaults to the one that ``settings`` or else the dataset names.
        until: the last thing to make, one of ``UNTIL``.
        progress: called with (step, done, in all).

    Raises:
        ConfigError: for an unknown ``until``, or an encoder that does not load.
        DataError: for a dataset in memory.
        ArtifactError: if another process is writing this dataset, or the folder cannot be written.
    """
    if until not in UNTIL:
        raise ConfigError("A build cannot end there", until, fix=f"Choose one of: {', '.join(UNTIL)}.")
    if dataset.folder is None:
        raise DataError("A dataset in memory has no folder to build in", dataset.name, fix="Save it first.")
    last = "index" if until == "encode" else until
    planned = STEPS[: STEPS.index(last) + 1]
    with writing(dataset.folder, JOB), Board(dataset.folder, planned, progress) as board:
        board.begin("read")
        made = encoder or encoder_for(dataset, settings or Settings())
        board.expect(_work(dataset, made))
        board.begin("encode")
        embedded = build_embeddings(dataset, made, progress=board)
        board.begin("index")
        if not embedded.n_encoded:
            board.reuse("encode")
        if "views" in planned:
            _look(dataset, made, settings or Settings(), board)
        ready = _train(dataset, made, settings or Settings(), board) if "train" in planned else None
        is_mapped = ready is not None and "project" in planned and _project(ready, board)
    return _built(dataset, made, embedded, board, is_trained=_is_trained(ready), is_mapped=is_mapped)


def _built(
    dataset: Dataset, encoder: Encoder, embedded: Embedded, board: Board, *, is_trained: bool, is_mapped: bool
) -> Built:
    n_items, n_encoded = len(dataset.items), embedded.n_encoded
    return Built(dataset.name, encoder, n_items, n_encoded, is_trained, is_mapped, tuple(board.steps))


def _work(dataset: Dataset, encoder: Encoder) -> Work:
    """What is to be done, as far as it can be told without doing it."""
    assert dataset.folder is not None
    store = ArtifactStore(dataset.folder / "artifacts")
    is_encoded = (
        brought(encoder) is not None or store.path("text", embeddings_key(item_texts(dataset), encoder)).is_dir()
    )
    n_items, n_likes = len(dataset.items), len(dataset.likes) if len(dataset.users) else 0
    is_trained = n_likes and bool(store.keys("additive"))  # a guess: which one fits is known once the views are open
    return Work(
        n_texts=0 if is_encoded else n_items,
        n_likes=0 if is_trained else n_likes,
        n_mapped=n_items,
        n_people=min(_MOST_PEOPLE, len(dataset.users)) if n_likes else 0,
        n_media=sum(int(dataset.items[name].notna().sum()) for name in (IMAGE, AUDIO) if name in dataset.items),
    )


def _look(dataset: Dataset, encoder: Encoder, settings: Settings, board: Board) -> None:
    """Makes the views beside the text, which the steps after it then find."""
    board.begin("views")
    found = open_views(
        dataset, text_encoder=encoder, settings=settings, progress=lambda _, done, total: board("views", done, total)
    )
    if not found:
        board.skip("views", "no pictures, sounds or facts are known")


def _train(dataset: Dataset, encoder: Encoder, settings: Settings, board: Board) -> Recommender:
    if "additive" in available_scorers(dataset):
        board.begin("train")
    else:
        board.skip("train", "no likes of other users are known")
    return Recommender.from_dataset(dataset, encoder=encoder, settings=settings, progress=board)


def _is_trained(ready: Recommender | None) -> bool:
    return ready is not None and ready.scorer.name == "additive"


def _project(ready: Recommender, board: Board) -> bool:
    if not len(ready.dataset.items):
        board.skip("project", "there are no items")
        return False
    board.begin("project")
    space, people = open_space("text", ready.scorer, ready.embeddings), people_of(ready.dataset)
    vectors = vectors_of_people(ready.dataset, space)
    fit_maps(space, people, ready.explainer.item_texts, ready.dataset.folder, vectors=vectors, progress=board)
    return True
