"""Everything that is kept between reruns and shared by all visitors: the encoder and the opened recommenders."""

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from recsys.datasets import open_dataset
from recsys.encoder import TransformerEncoder
from recsys.recommender import Recommender
from recsys.saved_profiles import SavedProfiles
from recsys.settings import Settings

_KEPT = 4
_STEPS = {"read": "Read the dataset", "encode": "Encode the items with BERT", "index": "Publish the index"}


def settings() -> Settings:
    """Returns the settings of this process, from its environment."""
    return Settings.from_environment(os.environ)


@st.cache_resource(show_spinner=False)
def _encoder(name: str, device: str, precision: str) -> TransformerEncoder:
    return TransformerEncoder.from_pretrained(name, device=device, precision=precision)


class _Shelf:
    """The recommenders that were opened last; one visitor at a time opens one."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.opened: OrderedDict[tuple[str, str, int], Recommender] = OrderedDict()

    def put(self, key: tuple[str, str, int], recommender: Recommender) -> None:
        self.opened[key] = recommender
        while len(self.opened) > _KEPT:
            self.opened.popitem(last=False)


@st.cache_resource(show_spinner=False)
def _shelf() -> _Shelf:
    return _Shelf()


def recommender(name: str, scorer: str) -> Recommender:
    """Returns the recommender of a dataset; the first visitor sees it being prepared, step by step."""
    key = (name, scorer, _version(settings().data_dir / name))
    shelf = _shelf()
    if key not in shelf.opened:
        with _progress() as report, shelf.lock:
            if key not in shelf.opened:
                opened = _prepare(name, scorer, report)
                shelf.put((name, scorer, _version(settings().data_dir / name)), opened)
                return opened
    return shelf.opened[key]


def _prepare(name: str, scorer: str, report: "_Report") -> Recommender:
    chosen = settings()
    report("read", 0, 1)
    dataset = open_dataset(name, data_dir=chosen.data_dir)
    report("read", 1, 1)
    report("encode", 0, 1)
    encoder = _encoder(chosen.encoder, chosen.device, chosen.precision)
    encoder.encode(["warm up"])  # the first pass of a process is slow; it should not be a reader's
    return Recommender.from_dataset(dataset, scorer=scorer, encoder=encoder, progress=report)


class _Report:
    """Three progress bars, one for each step."""

    def __init__(self) -> None:
        self._bars = {step: st.progress(0.0, text=label) for step, label in _STEPS.items()}

    def __call__(self, step: str, done: int, total: int) -> None:
        counted = f" – {done:,} of {total:,}" if total > 1 else ""
        self._bars[step].progress(done / max(1, total), text=f"{_STEPS[step]}{counted}")


@contextmanager
def _progress() -> Iterator[_Report]:
    slot = st.empty()
    with slot.container(border=True):
        st.markdown(
            "**Getting ready.** The first start reads the data and encodes every item once; later starts are quick."
        )
        report = _Report()
    yield report
    slot.empty()


def _version(folder: Path) -> int:
    """Changes when the dataset's files change, so that an edited dataset is opened anew."""
    return sum(path.stat().st_mtime_ns for path in folder.glob("*.*") if path.is_file())


def saved_profiles(dataset_name: str) -> SavedProfiles:
    """Returns the shelf of saved profiles of a dataset."""
    return SavedProfiles(settings().data_dir / "profiles" / f"{dataset_name}.json")
