"""Standard descriptors of a sound: timbre, harmony, spectrum, loudness and rhythm. No model, no weights, nothing learned.

Every descriptor is centred and scaled by fixed constants, not over the catalog: the vector of a sound depends on its file alone,
so an item that is added changes no other.
"""

from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

RATE = 22_050
"""Samples in a second; what lies above 11 kHz is not described."""
_FRAME, _HOP = 2_048, 512
_FRAMES_PER_SECOND = RATE / _HOP
_N_MFCC, _N_BANDS = 13, 6
_FLOOR = 1e-10
_MOST = 3.0
"""Spreads that a descriptor may lie from its centre; one alone must not decide how alike two sounds are."""
GROUPS = {"timbre": 2 * _N_MFCC, "harmony": 12, "spectrum": _N_BANDS + 1 + 8, "loudness": 3, "rhythm": 4}
"""Descriptors of each kind, in order. Every kind counts the same, however many it has."""


@dataclass(frozen=True)
class Frames:
    """A sound in frames of 93 ms, every 23 ms.

    Attributes:
        samples: ``(n_samples,)`` float32.
        magnitude: ``(1025, n_frames)`` float32.
        mel: ``(128, n_frames)`` float32, decibels.
    """

    samples: np.ndarray
    magnitude: np.ndarray
    mel: np.ndarray

    @classmethod
    def from_samples(cls, samples: np.ndarray) -> "Frames":
        """Cuts a sound into frames."""
        import librosa

        magnitude = np.abs(librosa.stft(samples, n_fft=_FRAME, hop_length=_HOP))
        mel = librosa.feature.melspectrogram(S=magnitude**2, sr=RATE, n_fft=_FRAME, hop_length=_HOP)
        return cls(samples, magnitude, librosa.power_to_db(mel))


class Descriptors:
    """The offline audio encoder; words do not reach it."""

    name = "standard descriptors"
    dim = sum(GROUPS.values())
    rate = RATE
    words_by = ""
    encode_words = None

    def __init__(self) -> None:
        self.identity = f"descriptors-1-librosa-{version('librosa')}"

    def hear(self, samples: np.ndarray) -> np.ndarray:
        """Returns ``(dim,)`` float32 of unit length."""
        spreads = np.clip((describe(samples) - CENTRES) / SPREADS, -_MOST, _MOST)
        weights = np.concatenate([np.full(size, size**-0.5) for size in GROUPS.values()])
        vector = spreads * weights
        return np.asarray(vector / max(float(np.linalg.norm(vector)), _FLOOR), np.float32)


def describe(samples: np.ndarray) -> np.ndarray:
    """Returns ``(dim,)`` float64, the descriptors in the order of ``GROUPS``, each in its own unit.

    Args:
        samples: ``(n_samples,)`` float32, mono, at ``RATE``; at least a tenth of a second.
    """
    frames = Frames.from_samples(samples)
    parts = (_timbre(frames), _harmony(frames), _spectrum(frames), _loudness(frames), _rhythm(frames))
    return np.concatenate(parts).astype(float)


def _timbre(frames: Frames) -> np.ndarray:
    """Mean and standard deviation of the MFCC but the zeroth, which is loudness again."""
    import librosa

    coefficients = librosa.feature.mfcc(S=frames.mel, n_mfcc=_N_MFCC + 1)[1:]
    return np.concatenate([coefficients.mean(1), coefficients.std(1)])


def _harmony(frames: Frames) -> np.ndarray:
    """Share of each pitch class, counted up from the strongest one, so that another key is not another sound."""
    import librosa

    chroma = librosa.feature.chroma_stft(S=frames.magnitude**2, sr=RATE, tuning=0.0, norm=None).sum(1)
    chroma = np.sqrt(np.roll(chroma, -int(chroma.argmax())))
    return np.asarray(chroma / max(float(chroma.sum()), _FLOOR))


def _spectrum(frames: Frames) -> np.ndarray:
    """Contrast of each octave in dB; mean and standard deviation of centroid and rolloff (octaves), flatness, zero crossings."""
    import librosa

    feature: Any = librosa.feature
    contrast = feature.spectral_contrast(S=frames.magnitude, sr=RATE, n_bands=_N_BANDS).mean(1)
    tracks = (
        np.log2(feature.spectral_centroid(S=frames.magnitude, sr=RATE)[0] + 1),
        np.log2(feature.spectral_rolloff(S=frames.magnitude, sr=RATE)[0] + 1),
        np.log10(feature.spectral_flatness(S=frames.magnitude)[0]),
        feature.zero_crossing_rate(frames.samples, frame_length=_FRAME, hop_length=_HOP)[0],
    )
    return np.concatenate([contrast, *([track.mean(), track.std()] for track in tracks)])


def _loudness(frames: Frames) -> np.ndarray:
    """Mean, standard deviation and range (10th to 95th percentile) in dB of full scale, silence counting as -80."""
    import librosa

    rms = librosa.feature.rms(y=frames.samples, frame_length=_FRAME, hop_length=_HOP)[0]
    decibels = 20 * np.log10(np.maximum(rms, 1e-4))
    low, high = np.percentile(decibels, [10, 95])
    return np.array([decibels.mean(), decibels.std(), high - low])


def _rhythm(frames: Frames) -> np.ndarray:
    """Onsets in a second, how strong they are (log), the tempo (octaves above 1 a minute), how clear the pulse is (0 to 1)."""
    import librosa

    strength = librosa.onset.onset_strength(S=frames.mel, sr=RATE, hop_length=_HOP)
    onsets = librosa.onset.onset_detect(onset_envelope=strength, sr=RATE, hop_length=_HOP)
    tempogram = librosa.feature.tempogram(onset_envelope=strength, sr=RATE, hop_length=_HOP).mean(1)
    tempo = float(librosa.feature.tempo(onset_envelope=strength, sr=RATE, hop_length=_HOP)[0])
    rate = len(onsets) * RATE / len(frames.samples)
    slowest, fastest = (round(60 / bpm * _FRAMES_PER_SECOND) for bpm in (40, 240))
    clarity = float(tempogram[fastest:slowest].max())
    return np.array([rate, np.log(strength.mean() + 0.1), np.log2(max(tempo, 1)), clarity])


# Mean and standard deviation over the 180 clips of the music sample (recsys.datasets.clips), in the order of GROUPS. Other sounds
# may lie elsewhere on average; what matters is that the units become comparable.
# fmt: off
CENTRES = np.array(
    [
        128.0, 1.25, 25.5, -5.93, 3.68, -7.86, -4.83, -9.07, -6.58, -7.81, -6.04, -6.01, -4.1,
        51.2, 20.2, 13.6, 10.5, 8.5, 9.36, 9.2, 8.7, 8.84, 8.78, 8.7, 9.15, 8.75,
        0.129, 0.086, 0.078, 0.0778, 0.076, 0.0857, 0.0667, 0.0816, 0.0738, 0.0756, 0.083, 0.0872,
        22.6, 22.1, 24.9, 24.0, 22.0, 19.3, 17.8, 10.1, 0.767, 10.9, 0.926, -3.43, 1.05,
        0.0625, 0.0598,
        -24.0, 11.1, 21.8,
        3.42, 0.106, 6.81, 0.654,
    ]
)
SPREADS = np.array(
    [
        31.1, 34.5, 12.1, 13.5, 8.78, 11.3, 9.67, 9.42, 8.45, 7.89, 7.13, 6.87, 6.53,
        15.9, 7.37, 4.69, 3.07, 2.42, 3.4, 3.19, 3.43, 3.75, 4.44, 4.21, 4.37, 4.02,
        0.0233, 0.0157, 0.0216, 0.0211, 0.0172, 0.0207, 0.0139, 0.0188, 0.0174, 0.0191, 0.0238, 0.0154,
        4.54, 4.87, 5.29, 5.05, 5.27, 5.04, 3.31, 0.571, 0.365, 0.737, 0.471, 0.716, 0.373,
        0.0267, 0.0421,
        9.45, 3.93, 13.8,
        1.59, 0.354, 0.399, 0.115,
    ]
)
# fmt: on
