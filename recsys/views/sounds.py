"""Sound files that somebody brought: found inside the folder of media, checked by what they say of themselves, read in blocks.

Nothing a file says is believed before its decoder has delivered it, and no more than the first minute is decoded, so that
memory stays bounded whatever comes. The decoder is libsndfile, which reads few formats here, and those told by their first bytes
rather than by their name.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recsys.errors import DataError
from recsys.settings import Limits

if TYPE_CHECKING:
    import soundfile

HEARD_SECONDS = 60
"""How much of a sound is decoded, from its beginning."""
MOST_CHANNELS, LOWEST_RATE, HIGHEST_RATE = 8, 4_000, 192_000
_LONGEST_HOURS, _SHORTEST_SECONDS = 12, 0.1
_SILENT = 1e-3
"""Amplitude up to which nobody hears anything: -60 dB of full scale."""
_BLOCK = 1 << 16
"""Frames that are decoded at a time."""
_OGG_TAIL = 1 << 16
"""Bytes at the end of an Ogg file that hold the beginning of its last page, which has no more of them."""
_CHUNKS = 64
"""Parts of a WAV that may lie in front of its samples."""
_FORMATS = ("WAV", "WAVEX", "FLAC", "OGG", "MP3")
_CODECS = ("FLOAT", "DOUBLE", "ULAW", "ALAW", "VORBIS", "OPUS", "MPEG_LAYER_III")
_AGAIN = "Write it again as WAV, FLAC, OGG or MP3, and check that it plays to its end."
_INSIDE = "Give the path of a file inside the dataset's media folder."


@dataclass(frozen=True, eq=False)
class Sound:
    """The beginning of a sound.

    Attributes:
        samples: ``(n_samples,)`` float32 in [-1, 1], the mean of all channels; at most ``HEARD_SECONDS`` long.
        rate: samples in a second.
    """

    samples: np.ndarray
    rate: int

    def at(self, rate: int) -> np.ndarray:
        """Returns the samples at another rate, ``(n,)`` float32."""
        import librosa

        return np.asarray(librosa.resample(self.samples, orig_sr=self.rate, target_sr=rate), np.float32)


def find_sound(name: str, *, media: Path) -> Path:
    """Returns where the file of this name lies.

    Raises:
        DataError: if it is not a file inside the folder, once all links are followed.
    """
    try:
        root = media.resolve(strict=True)
        path = (root / name).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):  # missing, a name no file can have, links in a circle
        raise DataError("There is no such sound file", name, fix=_INSIDE) from None
    if not path.is_relative_to(root):
        raise DataError("The sound file lies outside the media folder", name, fix=_INSIDE)
    return path


def hash_sound(path: Path, *, limits: Limits) -> bytes:
    """Returns the SHA-256 of a file.

    Raises:
        DataError: if it is no regular file, empty, larger than allowed, or cannot be read.
    """
    with _opened(path, limits) as descriptor, os.fdopen(descriptor, "rb", closefd=False) as file:
        return hashlib.file_digest(file, "sha256").digest()


def read_sound(path: Path, *, limits: Limits) -> Sound:
    """Reads the first ``HEARD_SECONDS`` of a sound.

    Raises:
        DataError: if it is not a whole sound of a known format with something to hear, or one of the limits does not allow it.
    """
    import soundfile

    with _opened(path, limits) as descriptor:
        _check_bytes(descriptor, path)
        try:
            with soundfile.SoundFile(descriptor, closefd=False) as file:
                _check_header(file, path)
                samples = _decode(file, path)
                rate = int(file.samplerate)
        except soundfile.SoundFileError:  # its words mislead: what is no MP3 is to it a file that does not exist
            raise DataError("The sound cannot be decoded", path.name, fix=_AGAIN) from None
    if float(np.abs(samples - samples.mean()).max()) < _SILENT:
        raise DataError("The sound is silent", path.name, fix="Give one with something to hear, or leave it out.")
    return Sound(samples, rate)


@contextmanager
def _opened(path: Path, limits: Limits) -> Iterator[int]:
    """Yields a descriptor of a regular file of an allowed size; what is no file, as a pipe, does not make us wait."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        fix = "Make the file readable, or leave it out."
        raise DataError(f"The sound file cannot be opened ({error.strerror})", path.name, fix=fix) from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise DataError("This is not a file", path.name, fix=_INSIDE)
        if found.st_size == 0:
            raise DataError("The sound file is empty", path.name, fix=_AGAIN)
        if found.st_size > limits.sound_mb << 20:
            what = f"The sound file is larger than {limits.sound_mb} MB"
            raise DataError(what, path.name, fix="Shorten it, or raise the limit with COLDLENS_MAX_SOUND_MB.")
        yield descriptor
    finally:
        os.close(descriptor)


def _check_bytes(descriptor: int, path: Path) -> None:
    """What the decoder would not notice: another kind of file, and one that ends too early."""
    head, size = os.pread(descriptor, 12, 0), os.fstat(descriptor).st_size
    is_wav, is_ogg = head[:4] == b"RIFF" and head[8:] == b"WAVE", head[:4] == b"OggS"
    is_mp3 = head[:3] == b"ID3" or (len(head) == 12 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2)  # layer III
    if not (is_wav or is_ogg or is_mp3 or head[:4] == b"fLaC"):
        raise DataError("This is not a sound of a known format", path.name, fix="Give a WAV, FLAC, OGG or MP3 file.")
    ends_early = is_wav and not _holds_its_data(descriptor, size)
    if is_ogg:
        tail = os.pread(descriptor, _OGG_TAIL, max(0, size - _OGG_TAIL))
        page = tail.rfind(b"OggS")
        ends_early = page < 0 or len(tail) < page + 6 or not tail[page + 5] & 0x04  # the last page says that it is
    if ends_early:
        raise DataError("The sound is cut off: its header announces more than there is", path.name, fix=_AGAIN)


def _holds_its_data(descriptor: int, size: int) -> bool:
    """Whether the samples of a WAV are as many bytes as it announces; the decoder takes what there is."""
    at = 12
    for _ in range(_CHUNKS):
        head = os.pread(descriptor, 8, at)
        length = int.from_bytes(head[4:], "little")
        if len(head) < 8 or head[:4] == b"data":
            return len(head) == 8 and at + 8 + length <= size
        at += 8 + length + length % 2
    return False


def _check_header(file: "soundfile.SoundFile", path: Path) -> None:
    """Refuses what would not be worth decoding, before anything is."""
    if file.format not in _FORMATS or not file.subtype.startswith(("PCM_", *_CODECS)):
        what = f"This kind of sound is not read here ({file.format}, {file.subtype})"
        raise DataError(what, path.name, fix=_AGAIN)
    if not 1 <= file.channels <= MOST_CHANNELS:
        fix = f"Mix it down to at most {MOST_CHANNELS}."
        raise DataError(f"The sound has {file.channels} channels", path.name, fix=fix)
    if not LOWEST_RATE <= file.samplerate <= HIGHEST_RATE:
        fix = f"Resample it to {LOWEST_RATE:,} to {HIGHEST_RATE:,} Hz, for example 44,100."
        raise DataError(f"The sound has a sample rate of {file.samplerate:,} Hz", path.name, fix=fix)
    if file.frames > _LONGEST_HOURS * 3600 * file.samplerate:
        what = f"The sound claims to last longer than {_LONGEST_HOURS} hours, or does not say how long it is"
        raise DataError(what, path.name, fix=_AGAIN)
    if file.frames < _SHORTEST_SECONDS * file.samplerate:
        raise DataError(f"The sound lasts less than {_SHORTEST_SECONDS:g} s", path.name, fix="Give a longer one.")


def _decode(file: "soundfile.SoundFile", path: Path) -> np.ndarray:
    """Returns ``(n_samples,)`` float32, mixed down block by block; louder than full scale is clipped, as a player does."""
    wanted = min(file.frames, HEARD_SECONDS * file.samplerate)
    # after every block soundfile seeks, where an MP3 loses what its frames share; a minute of its two channels is small
    size = wanted if file.format == "MP3" else _BLOCK
    blocks, done = [], 0
    while done < wanted:
        block = file.read(min(size, wanted - done), dtype="float32", always_2d=True)
        if not len(block):
            raise DataError("The sound is cut off: its header announces more than there is", path.name, fix=_AGAIN)
        if not np.isfinite(block).all():
            raise DataError("The sound holds samples that are no numbers", path.name, fix=_AGAIN)
        blocks.append(np.clip(block, -1, 1).mean(axis=1, dtype=np.float32))
        done += len(block)
    return np.concatenate(blocks)
