"""Everything that is kept between reruns and shared by all visitors: the encoder and the opened recommenders."""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

import streamlit as st

from pages.shared.gate import account
from pages.shared.language import N_, _
from recsys.datasets import open_dataset
from recsys.datasets.versions import INFO_FILE
from recsys.encoder import BroughtVectors, Encoder, open_encoder, reads_text
from recsys.evaluation import Evaluation, TransferEvaluation, kept_evaluations, kept_transfers
from recsys.finetuning import tuned_key
from recsys.privacy import FEDERATED, PRIVATE, private_key
from recsys.recommender import Recommender, encoder_name
from recsys.saved_profiles import LinkedProfiles, SavedProfiles
from recsys.schema import Dataset
from recsys.sealing import Seal
from recsys.settings import Settings
from recsys.transfer import TRANSFERRED, transferred_key

_KEPT = 4
_STEPS = {
    "read": N_("Read the dataset"),
    "encode": N_("Encode the items with BERT"),
    "index": N_("Publish the index"),
    "train": N_("Learn from other people's likes"),
}
T = TypeVar("T")


def settings() -> Settings:
    """Returns the settings of this process, from its environment."""
    return Settings.from_environment(os.environ)


@st.cache_resource(show_spinner=False)
def _encoder(name: str, device: str, precision: str) -> Encoder:
    return open_encoder(name, device=device, precision=precision)


def _encoder_of(dataset: Dataset, scorer: str, chosen: Settings) -> Encoder:
    """As ``encoder_for``, but each encoder is loaded once for all datasets; what was carried over is read with its own."""
    if dataset.item_vectors is None or scorer == TRANSFERRED:
        return _encoder(encoder_name(dataset, scorer, chosen), chosen.device, chosen.precision)
    named = dataset.info.vectors.encoder if dataset.info.vectors else ""
    reader = _encoder(named, chosen.device, chosen.precision) if named else None
    return BroughtVectors.from_dataset(dataset, reader=reader)


class _Shelf(Generic[T]):
    """What was opened last; one visitor at a time opens something, and sees it being prepared, step by step."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.opened: OrderedDict[tuple[str, ...], T] = OrderedDict()

    def take(self, key: Callable[[], tuple[str, ...]], steps: Sequence[str], make: Callable[["_Report"], T]) -> T:
        """Returns what is kept under a key, made first if need be; making may write files, and so change the key."""
        wanted = key()
        if wanted not in self.opened:
            with _progress(steps) as report, self.lock:
                if wanted not in self.opened:
                    made = make(report)
                    self._put(key(), made)
                    return made
        return self.opened[wanted]

    def _put(self, key: tuple[str, ...], made: T) -> None:
        self.opened[key] = made
        while len(self.opened) > _KEPT:
            self.opened.popitem(last=False)


@st.cache_resource(show_spinner=False)
def _datasets() -> _Shelf[Dataset]:
    return _Shelf()


@st.cache_resource(show_spinner=False)
def _recommenders() -> _Shelf[Recommender]:
    return _Shelf()


def dataset(name: str) -> Dataset:
    """Returns a dataset, read again when its files have changed."""
    chosen = settings()
    data_dir = chosen.data_dir

    def read(report: "_Report") -> Dataset:
        report("read", 0, 1)
        return open_dataset(name, data_dir=data_dir, seal=Seal.from_settings(chosen))

    return _datasets().take(lambda: (name, _version(data_dir / name)), ("read",), read)


def recommender(dataset: Dataset, scorer: str) -> Recommender:
    """Returns the recommender of a dataset with one of its scorers."""
    chosen = settings()
    media = (chosen.image_encoder, chosen.audio_encoder, str(chosen.fetch_images))
    trained = _fitted_key(dataset, scorer) or ""
    key = (
        dataset.name,
        _version(chosen.data_dir / dataset.name),
        scorer,
        trained,
        chosen.index,
        chosen.milvus,
        *media,
        *chosen.unused,
    )

    def prepare(report: "_Report") -> Recommender:
        report("encode", 0, 1)
        encoder = _encoder_of(dataset, scorer, chosen)
        made = Recommender.from_dataset(dataset, scorer=scorer, encoder=encoder, settings=chosen, progress=report)
        if reads_text(made.encoder):
            made.encoder.encode(["warm up"])  # the first pass of a process is slow; it should not be a reader's
        return made

    steps = ("encode", "index", *(("train",) if scorer != "cosine" else ()))
    return _recommenders().take(lambda: key, steps, prepare)


def _fitted_key(dataset: Dataset, scorer: str) -> str | None:
    """Changes when a scorer that is only made on demand is made again; ``None`` for one that follows from the data."""
    if scorer == "fine-tuned":
        return tuned_key(dataset)
    if scorer == TRANSFERRED:
        return transferred_key(dataset)
    return private_key(dataset, scorer) if scorer in (PRIVATE, FEDERATED) else None


def weighted(recommender: Recommender, weights: Mapping[str, float], unused: Sequence[str] = ()) -> Recommender:
    """Returns the recommender with these weights of views, not told these facts of a person; the last few are kept."""
    if not weights and not unused:
        return recommender
    name, key = recommender.dataset.name, f"{recommender.dataset.fingerprint} {recommender.answers_key}"
    return _weighted(recommender, name, key, recommender.scorer.name, tuple(weights.items()), tuple(unused))


@st.cache_resource(show_spinner=False, max_entries=_KEPT)
def _weighted(
    _recommender: Recommender,
    name: str,
    key: str,
    scorer: str,
    weights: tuple[tuple[str, float], ...],
    unused: tuple[str, ...],
) -> Recommender:
    return _recommender.with_views(dict(weights)).ignoring(unused)


class _Report:
    """One progress bar for each step."""

    def __init__(self, steps: Sequence[str]) -> None:
        self._bars = {step: st.progress(0.0, text=_(_STEPS[step])) for step in steps}

    def __call__(self, step: str, done: int, total: int) -> None:
        counted = _(" – {done:,} of {total:,}").format(done=done, total=total) if total > 1 else ""
        self._bars[step].progress(done / max(1, total), text=f"{_(_STEPS[step])}{counted}")


@contextmanager
def _progress(steps: Sequence[str]) -> Iterator[_Report]:
    slot = st.empty()
    try:
        with slot.container(border=True):
            st.markdown(
                _(
                    "**Getting ready.** The first start reads the data, encodes every item once and learns from the users; "
                    "later starts are quick."
                )
            )
            report = _Report(steps)
        yield report
    finally:
        slot.empty()


def _version(folder: Path) -> str:
    """Changes when the dataset's own files change, so that an edited dataset is opened anew; a build beside them is no change."""
    files = [path for pattern in (INFO_FILE, "*.parquet") for path in folder.glob(pattern)]
    return f"{folder.resolve()} {[(path.name, path.stat().st_mtime_ns) for path in sorted(files)]}"


def evaluations(recommender: Recommender) -> list[Evaluation]:
    """Returns the finished evaluations of a dataset, newest first, read again when one is added.

    They begin with BERT as it came, so a fine-tuned scorer has those of the additive one; it is a method in some of them.
    """
    if recommender.scorer.name == "fine-tuned":
        recommender = _base_of(recommender)
    folder = recommender.dataset.folder
    if folder is None or not (folder / "artifacts").exists():
        return []
    return _evaluations(recommender, str(folder), (folder / "artifacts").stat().st_mtime_ns, recommender.material_key)


def _base_of(tuned: Recommender) -> Recommender:
    return recommender(tuned.dataset, "additive")


@st.cache_resource(show_spinner=False, max_entries=_KEPT)
def _evaluations(_recommender: Recommender, folder: str, version: int, key: str) -> list[Evaluation]:
    return kept_evaluations(_recommender.dataset, key, seal=Seal.from_settings(settings()))


def transfers(recommender: Recommender) -> list[TransferEvaluation]:
    """Returns the finished evaluations of transfers to a dataset, newest first, read again when one is added."""
    folder = recommender.dataset.folder
    if folder is None or not (folder / "artifacts").exists():
        return []
    version = (folder / "artifacts").stat().st_mtime_ns
    return _transfers(recommender, str(folder), version, recommender.material_key)


@st.cache_resource(show_spinner=False, max_entries=_KEPT)
def _transfers(_recommender: Recommender, folder: str, version: int, key: str) -> list[TransferEvaluation]:
    return kept_transfers(_recommender.dataset, key, seal=Seal.from_settings(settings()))


def linked_profiles(dataset_name: str) -> LinkedProfiles:
    """Returns the profiles of a dataset that links lead to."""
    chosen = settings()
    return LinkedProfiles(chosen.data_dir / "profiles" / "linked" / dataset_name, Seal.from_settings(chosen))


def saved_profiles(dataset_name: str) -> SavedProfiles:
    """Returns the shelf of saved profiles of a dataset: everybody's own, where there is a sign-in."""
    chosen = settings()
    folder = chosen.data_dir / "profiles"
    name = account()
    path = (folder / "accounts" / name if name else folder) / f"{dataset_name}.json"
    return SavedProfiles(path, Seal.from_settings(chosen))
