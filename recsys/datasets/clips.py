"""Clips of sound for the music sample, played by rule: nobody's recording, and nobody's tune.

The mood decides tempo, scale, register, density and loudness, the first category what plays, and the year how much treble came
through in its day. Everything else is drawn from the item_id, so an item always gets the same clip.
"""

import hashlib
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from recsys.datasets.folder import MEDIA
from recsys.schema import AUDIO, CATEGORIES, ITEM_ID, YEAR, Dataset

RATE = 22_050
CREDIT = "Sounds: synthesised by Coldlens from each item's mood and category, not recordings"
_BLOCK = 8_192
_MAJOR, _MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
_PHRYGIAN, _PENTATONIC = (0, 1, 3, 5, 7, 8, 10), (0, 3, 5, 7, 10)


@dataclass(frozen=True)
class Mood:
    """How something is played.

    Attributes:
        tempo: slowest and fastest, beats a minute.
        scale: semitones above the root.
        register: octaves of the tune above 110 Hz.
        density: notes of the tune in a beat.
        attack: seconds until a note is at its loudest.
        dullness: how fast its partials fade, as a power of their number.
        drums: their level.
        drive: how far everything is overdriven.
        loudness: peak in dB of full scale.
    """

    tempo: tuple[float, float]
    scale: tuple[int, ...]
    register: float
    density: float
    attack: float
    dullness: float
    drums: float
    drive: float
    loudness: float


MOODS = {
    "calm": Mood((58, 70), _MAJOR, 1, 0.5, 0.30, 2.4, 0.0, 0.6, -14),
    "melancholic": Mood((60, 74), _MINOR, 1, 1, 0.04, 2.0, 0.05, 0.8, -11),
    "dreamy": Mood((70, 84), _MAJOR, 2, 1, 0.50, 1.4, 0.05, 0.8, -11),
    "dark": Mood((74, 90), _PHRYGIAN, -1, 0.5, 0.15, 1.2, 0.25, 2.0, -7),
    "romantic": Mood((80, 96), _MAJOR, 1, 1, 0.02, 1.7, 0.15, 1.0, -9),
    "focused": Mood((100, 112), _PENTATONIC, 1, 4, 0.01, 1.8, 0.15, 1.0, -10),
    "joyful": Mood((116, 130), _MAJOR, 2, 2, 0.01, 1.1, 0.45, 1.5, -5),
    "festive": Mood((112, 124), _MAJOR, 1, 3, 0.01, 1.3, 1.20, 2.0, -3),
    "energetic": Mood((128, 142), _PENTATONIC, 1, 4, 0.01, 0.9, 1.00, 3.0, -2),
    "angry": Mood((150, 176), _PHRYGIAN, -1, 4, 0.005, 0.7, 1.20, 8.0, -1),
}


@dataclass(frozen=True)
class Band:
    """What plays: which partials sound, how fast a note dies away (1/s), what the drums hit on eighths, how much echo."""

    partials: tuple[int, ...]
    decay: float
    drums: str
    echo: float = 0.15


_ALL, _ODD, _ORGAN, _SOFT = tuple(range(1, 13)), (1, 3, 5, 7, 9, 11), (1, 2, 4, 8), (1, 2, 3)
BANDS = {  # drums: k kick, s snare, h hi-hat
    "Electronic": Band(_ALL, 3.0, "khkhkhkh"),
    "Rock": Band(_ALL, 2.0, "khshkksh"),
    "Pop": Band(_ODD, 3.0, "khshkhsh"),
    "Jazz": Band(_SOFT, 3.0, "h-hhh-hh"),
    "Soul": Band(_ORGAN, 2.0, "khshk-sh"),
    "Hip-Hop": Band(_SOFT, 4.0, "k-shk-s-"),
    "Folk": Band(_ALL, 5.0, "--------"),
    "Classical": Band(_ALL, 0.8, "--------", echo=0.3),
    "Ambient": Band(_SOFT, 0.3, "--------", echo=0.5),
    "Indie": Band(_ALL, 2.5, "khshk-sh", echo=0.3),
    "Latin": Band(_ODD, 5.0, "k-hkh-kh"),
    "Blues": Band(_ALL, 3.0, "k-hsh-hs"),
    "African": Band(_ODD, 6.0, "kh-kh-ks"),
    "Mandopop": Band(_ODD, 2.0, "k-s-k-sh", echo=0.25),
    "Metal": Band(_ALL, 1.5, "kksskkss"),
    "Reggae": Band(_ORGAN, 6.0, "-hsh-hsh"),
    "Country": Band(_ALL, 6.0, "k-s-k-s-"),
    "Punk": Band(_ALL, 1.5, "kskskssk"),
}


def with_clips(dataset: Dataset) -> Dataset:
    """Returns the dataset with a clip for every item, in a temporary folder that lives as long as the dataset does.

    Without the package that writes sound files the dataset stays as it is.
    """
    if find_spec("soundfile") is None:
        return dataset
    folder = Path(tempfile.mkdtemp(prefix="coldlens-clips-"))
    media, items = folder / MEDIA, dataset.items
    media.mkdir()
    names = [f"{item_id}.mp3" for item_id in items[ITEM_ID]]
    columns = (items[name] for name in (ITEM_ID, "mood", CATEGORIES, YEAR))
    for name, *about in zip(names, *columns, strict=True):
        write_clip(media / name, synthesise(*about))
    info = replace(dataset.info, source=f"{dataset.info.source}. {CREDIT}")
    made = replace(dataset, items=items.assign(**{AUDIO: names}), info=info, media=media)
    weakref.finalize(made, shutil.rmtree, folder, ignore_errors=True)
    return made


def write_clip(path: Path, samples: np.ndarray) -> None:
    """Writes an MP3: the one small format here whose bytes are the same every time (Ogg draws a serial number)."""
    import soundfile

    with soundfile.SoundFile(path, "w", samplerate=RATE, channels=1, format="MP3") as file:
        for start in range(0, len(samples), _BLOCK):
            file.write(samples[start : start + _BLOCK])


def synthesise(item_id: str, mood: str, categories: Sequence[str], year: int) -> np.ndarray:
    """Returns ``(n_samples,)`` float32 in [-1, 1] at ``RATE``, 4 to 8 seconds."""
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(item_id.encode()).digest()[:8]))
    how, band = MOODS.get(mood, MOODS["calm"]), BANDS.get(next(iter(categories), ""), BANDS["Pop"])
    beat = 60 / rng.uniform(*how.tempo)
    n_beats = int(rng.uniform(4.5, 7.0) / beat)
    n_blocks = (
        int((n_beats * beat + 0.5) * RATE / _BLOCK) + 1
    )  # whole blocks: an FFT of any other length takes far longer
    track = np.zeros(n_blocks * _BLOCK)
    root = 110 * 2 ** (rng.integers(-5, 6) / 12)
    _play_chords(track, how, band, root=root, beat=beat, n_beats=n_beats)
    _play_tune(track, how, band, root=root, beat=beat, n_beats=n_beats, rng=rng)
    _play_drums(track, how, band, beat=beat, n_beats=n_beats, rng=rng)
    return _master(track, how, band, year=year, rng=rng)


def _play_chords(track: np.ndarray, how: Mood, band: Band, *, root: float, beat: float, n_beats: int) -> None:
    """A triad and its bass every two beats, on the first, sixth, fourth and fifth degree."""
    low = min(how.register, 1) - 1
    for number, start in enumerate(range(0, n_beats, 2)):
        degree = (0, 5, 3, 4)[number % 4]
        for step in (0, 2, 4):
            _add(track, start * beat, _tone(_pitch(how, root, degree + step, low + 1), 2 * beat, how, band), 0.25)
        _add(track, start * beat, _tone(_pitch(how, root, degree, low), 2 * beat, how, band), 0.4)


def _play_tune(
    track: np.ndarray, how: Mood, band: Band, *, root: float, beat: float, n_beats: int, rng: np.random.Generator
) -> None:
    """A walk on the scale; now and then a note is left out."""
    degree = int(rng.integers(0, 5))
    for number in range(int(n_beats * how.density)):
        degree = int(np.clip(degree + rng.integers(-2, 3), -3, 8))
        if rng.uniform() < 0.85:
            tone = _tone(_pitch(how, root, degree, how.register), beat / min(how.density, 2), how, band)
            _add(track, number * beat / how.density, tone, 0.5)


def _play_drums(
    track: np.ndarray, how: Mood, band: Band, *, beat: float, n_beats: int, rng: np.random.Generator
) -> None:
    time = np.arange(int(0.18 * RATE)) / RATE
    noise = rng.normal(size=len(time))
    hits = {
        "k": np.sin(2 * np.pi * (45 * time - 6 * np.exp(-30 * time))) * np.exp(-14 * time),
        "s": 0.5 * noise * np.exp(-25 * time),
        "h": 0.2 * np.diff(noise, append=0.0) * np.exp(-60 * time),
    }
    for number in range(2 * n_beats):
        hit = band.drums[number % len(band.drums)]
        if hit in hits:
            _add(track, number * beat / 2, hits[hit], how.drums * rng.uniform(0.8, 1.0))


def _pitch(how: Mood, root: float, degree: int, octave: float) -> float:
    octaves, step = divmod(degree, len(how.scale))
    return float(root * 2 ** (octave + octaves + how.scale[step] / 12))


def _tone(frequency: float, seconds: float, how: Mood, band: Band) -> np.ndarray:
    time = np.arange(int(seconds * RATE)) / RATE
    audible = tuple(n for n in band.partials if n * frequency < 0.45 * RATE)
    cycle = _cycle(audible, how.dullness)
    wave = cycle[(frequency * len(cycle) * time).astype(np.int64) % len(cycle)]
    rise = np.minimum(1, time / how.attack)
    fall = np.minimum(1, (seconds - time) / 0.03)
    return np.asarray(wave * rise * fall * np.exp(-band.decay * time))


@lru_cache(maxsize=256)
def _cycle(partials: tuple[int, ...], dullness: float) -> np.ndarray:
    """Returns one cycle of a wave, ``(4096,)``: reading it at any speed costs far less than adding up sines for every note."""
    angles = 2 * np.pi * np.arange(4_096) / 4_096
    return np.asarray(sum((n**-dullness * np.sin(n * angles) for n in partials), np.zeros(4_096)))


def _add(track: np.ndarray, seconds: float, sound: np.ndarray, level: float) -> None:
    part = track[int(seconds * RATE) :][: len(sound)]
    part += level * sound[: len(part)]


def _master(track: np.ndarray, how: Mood, band: Band, *, year: int, rng: np.random.Generator) -> np.ndarray:
    """Echo, overdrive, the treble and the hiss of the year, and the loudness of the mood."""
    delay = int(0.19 * RATE)
    track[delay:] += band.echo * track[:-delay]
    track = np.tanh(how.drive * track / np.abs(track).max())
    age = float(np.clip((2020 - year) / 80, 0, 1))
    track += 0.004 * age * rng.normal(size=len(track))
    cut = 10_000 - 6_000 * age
    spectrum = np.fft.rfft(track) / (1 + (np.fft.rfftfreq(len(track), 1 / RATE) / cut) ** 4)
    track = np.fft.irfft(spectrum, len(track))
    return np.asarray(track / np.abs(track).max() * 10 ** (how.loudness / 20), np.float32)
