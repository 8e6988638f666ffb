"""The audio view of a catalog: made from its sound files, kept with its dataset, and never made twice from the same file.

Files are known by what they hold, so a renamed one is not heard again. Those that are new are heard in blocks, and every block is
published as soon as it is done, as with texts (see ``embeddings``). A file that cannot be read keeps its item out of the view,
with a reason; it stops nothing.
"""

import hashlib
import io
import logging
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from recsys.artifact import ArtifactStore
from recsys.errors import ArtifactError, DataError, MissingExtraError
from recsys.schema import AUDIO as COLUMN
from recsys.schema import ITEM_ID, Dataset
from recsys.settings import Limits, Settings
from recsys.views.audio_encoder import AudioEncoder, load_audio_encoder
from recsys.views.decoder import Decoder
from recsys.views.kept_sounds import AUDIO, AUDIO_PART, NO_SOUND, Heard, KeptSounds, Previews, read_faults
from recsys.views.kept_vectors import HASH_BYTES, VECTORS, keys_of
from recsys.views.sounds import Sound, find_sound, hash_sound
from recsys.views.view import ItemView

_log = logging.getLogger(__name__)
Progress = Callable[[int, int], None]
"""Called with (files done, files in all)."""
BLOCK = 64
"""Sounds that are heard and kept at a time: a few seconds of work."""
PREVIEW_SECONDS, PREVIEW_RATE = 30, 22_050
_READING = "reading-1"
"""Changes whenever the same file would be read, or its preview written, in another way."""
_WRITTEN = 8_192
_KEPT = 2


@dataclass(frozen=True, eq=False)
class AudioView(ItemView):
    """The audio view, and what a player plays.

    Attributes:
        previews: the beginning of each sound.
    """

    previews: Previews = field(default_factory=lambda: Previews(np.zeros(0, np.uint8), np.zeros((0, 2), np.int64)))

    def preview_of(self, item_row: int) -> bytes | None:
        """Returns at most half a minute of an item's sound as a file of type ``previews.mime``, or ``None``."""
        return self.previews.preview_of(item_row)


def open_audio_view(
    dataset: Dataset, *, settings: Settings, progress: Progress | None = None, encoder: AudioEncoder | None = None
) -> AudioView | None:
    """Opens the audio view of a dataset, or makes it from what is kept and what has to be heard.

    Args:
        settings: give the encoder, its device, and the largest file.
        progress: counts those that are known already as done.
        encoder: instead of the one that the settings name.

    Returns:
        The view, or ``None`` where no item names a sound that could be there, and where the packages that read sounds are
        missing, which is written to the log.

    Raises:
        ConfigError: if the encoder cannot be loaded.
        ArtifactError: if the view cannot be written.
    """
    names = _names(dataset)
    if dataset.media is None or not any(names):
        return None
    try:
        encoder = encoder or load_audio_encoder(settings)
    except MissingExtraError as error:
        _log.warning("%s", error)
        return None
    files = _Files.from_names(dict(zip(dataset.items[ITEM_ID], names, strict=True)), dataset.media, settings.limits)
    identity = f"{_READING}-{encoder.identity}"
    key = hashlib.sha256(b"".join((identity.encode(), *files.hashes))).hexdigest()
    report = progress or (lambda done, total: None)
    if dataset.folder is None:
        with tempfile.TemporaryDirectory(prefix="coldlens-audio-") as folder:
            build = _Build(ArtifactStore(Path(folder)), key, identity, dataset.name, files, encoder, report)
            build.make()
            return _view(build.store, build, in_memory=True)
    build = _Build(ArtifactStore(dataset.folder / "artifacts"), key, identity, dataset.name, files, encoder, report)
    try:
        return _view(build.store, build)
    except ArtifactError:
        build.make()
        return _view(build.store, build)


def _names(dataset: Dataset) -> list[str]:
    """The path of each item's sound inside the folder of media, empty where it has none."""
    if COLUMN not in dataset.items:
        return []
    return ["" if pd.isna(value) else str(value).strip() for value in dataset.items[COLUMN]]


@dataclass(frozen=True)
class _Files:
    """The sound files of a catalog.

    Attributes:
        item_ids: of all items.
        names: as the items give them.
        hashes: of the files' content, ``NO_SOUND`` where there is none, or none that may be read.
        paths: for the hash of a file where one with that content lies.
        faults: for an item_id why its file may not be read.
    """

    item_ids: Sequence[str]
    names: Sequence[str]
    hashes: Sequence[bytes]
    paths: dict[bytes, Path]
    faults: dict[str, str]
    limits: Limits

    @classmethod
    def from_names(cls, names: dict[str, str], media: Path, limits: Limits) -> "_Files":
        hashes, paths, faults = [], {}, {}
        for item_id, name in names.items():
            found = NO_SOUND
            try:
                if name:
                    path = find_sound(name, media=media)
                    found = hash_sound(path, limits=limits)[:HASH_BYTES]
                    paths[found] = path
            except DataError as error:
                faults[item_id] = str(error)
            hashes.append(found)
        return cls(list(names), list(names.values()), hashes, paths, faults, limits)

    def all_faults(self, heard: dict[bytes, tuple[str, str]]) -> dict[str, str]:
        """Returns for an item_id why it has no sound, in three parts, also where only reading the file has shown it."""
        found = dict(self.faults)
        for item_id, name, known in zip(self.item_ids, self.names, self.hashes, strict=True):
            if known in heard:
                what, fix = heard[known]
                found[item_id] = str(DataError(what, name, fix=fix))
        return found


@dataclass(frozen=True)
class _Build:
    """Makes the artifact of one catalog."""

    store: ArtifactStore
    key: str
    identity: str
    dataset: str
    files: _Files
    encoder: AudioEncoder
    report: Progress

    def make(self) -> None:
        """Hears what is missing, publishes everything, and removes what is older."""
        kept = KeptSounds.from_store(self.store, identity=self.identity, dim=self.encoder.dim)
        missing = [known for known in self.files.paths if known not in kept]
        total = len(self.files.paths)
        done = total - len(missing)
        self.report(done, total)
        with Decoder(self.files.limits) as decoder:
            for start in range(0, len(missing), BLOCK):
                block, heard = missing[start : start + BLOCK], []
                for known in block:
                    heard.append(self._hear(decoder, self.files.paths[known]))
                    done += 1
                    self.report(done, total)
                self._keep(kept, block, heard, is_last=len(missing) <= BLOCK)
        about = {"dataset": self.dataset, "encoder": self.encoder.name, "identity": self.identity, "n_files": total}
        with self.store.publish(AUDIO, self.key, about=about) as folder:
            kept.save(folder, self.files.hashes)
        self._forget()

    def _keep(self, kept: KeptSounds, block: Sequence[bytes], heard: Sequence[Heard], *, is_last: bool) -> None:
        """Adds a block; one of several is published, and read from the disk from then on."""
        if is_last:
            kept.add(block, heard)
            return
        key = hashlib.sha256(b"".join((self.identity.encode(), *block))).hexdigest()
        fresh = KeptSounds.empty(self.encoder.dim)
        fresh.add(block, heard)
        with self.store.publish(AUDIO_PART, key, about={"identity": self.identity}) as folder:
            fresh.save(folder, block)
        kept.add_folder(self.store.open(AUDIO_PART, key).path)

    def _hear(self, decoder: Decoder, path: Path) -> Heard:
        try:
            sound = decoder.sound(path)
            return Heard(self.encoder.hear(sound.at(self.encoder.rate)), _preview(sound))
        except DataError as error:
            return Heard(np.zeros(self.encoder.dim, np.float32), fault=(error.what, error.fix))

    def _forget(self) -> None:
        for part in keys_of(self.store, AUDIO_PART, self.identity):
            self.store.remove(AUDIO_PART, part)
        before = [known for known in keys_of(self.store, AUDIO, self.identity) if known != self.key]
        for old in before[_KEPT - 1 :]:
            self.store.remove(AUDIO, old)


def _view(store: ArtifactStore, build: _Build, *, in_memory: bool = False) -> AudioView:
    folder = store.open(AUDIO, build.key).path
    vectors: np.ndarray = np.load(folder / VECTORS, mmap_mode=None if in_memory else "r", allow_pickle=False)
    previews, encoder = Previews.from_folder(folder), build.encoder
    shown = Previews(np.array(previews.data), previews.spans) if in_memory else previews
    return AudioView(
        AUDIO,
        vectors,
        build.key,
        encoder.name,
        words=vectors if encoder.encode_words else None,
        encode_words=encoder.encode_words,
        words_by=encoder.words_by,
        faults=build.files.all_faults(read_faults(folder)),
        media=shown.preview_of,
        mime=shown.mime,
        previews=shown,
    )


def _preview(sound: Sound) -> bytes:
    """Returns the beginning as an MP3: small, played by every browser, and the same bytes every time."""
    import soundfile

    samples = np.clip(sound.at(PREVIEW_RATE)[: PREVIEW_SECONDS * PREVIEW_RATE], -1, 1)
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", samplerate=PREVIEW_RATE, channels=1, format="MP3") as written:
        for start in range(0, len(samples), _WRITTEN):
            written.write(samples[start : start + _WRITTEN])
    return file.getvalue()
