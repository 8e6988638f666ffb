"""The clips of the music sample: the same for the same item, and alike where the mood is."""

import gc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from recsys.datasets import clips, folder, write_folder
from recsys.datasets.clips import CREDIT, MOODS, RATE, synthesise, with_clips, write_clip
from recsys.datasets.samples import FOLDER, READERS, read_sample
from recsys.intervals import interval
from recsys.schema import Dataset
from recsys.views.descriptors import Descriptors

EVERY = 3
"""Only every third item, to save time."""


@pytest.fixture(scope="module")
def music() -> Dataset:
    return read_sample("sample-music")


@pytest.fixture
def few(tmp_path) -> Path:
    (tmp_path / "music").mkdir()
    pd.read_csv(FOLDER / "music" / "items.csv", dtype=str).head(3).to_csv(tmp_path / "music" / "items.csv", index=False)
    return tmp_path


def nearest_of_same_mood(items: pd.DataFrame, k: int = 10) -> tuple[np.ndarray, float]:
    """Returns for each item the share of its k nearest that have its mood, and that share by chance."""
    columns = (items[name] for name in ("item_id", "mood", "categories", "year"))
    vectors = np.array([Descriptors().hear(synthesise(*row)) for row in zip(*columns, strict=True)])
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -np.inf)
    moods = items["mood"].to_numpy()
    same = moods[:, None] == moods
    nearest = np.argsort(-cosines, axis=1)[:, :k]
    return np.take_along_axis(same, nearest, axis=1).mean(axis=1), float((same.sum(1) - 1).mean() / (len(items) - 1))


@pytest.mark.release
def test_clips_of_the_same_mood_sound_alike(music):
    shares, chance = nearest_of_same_mood(music.items.iloc[::EVERY], k=3)
    found = interval(shares)

    assert chance < 0.12
    assert found.low > 3 * chance, found


def test_every_mood_and_category_of_the_sample_has_its_sound(music):
    assert set(music.items["mood"]) == set(MOODS)
    assert set(music.categories) == set(clips.BANDS)


@pytest.mark.parametrize("mood", MOODS)
def test_a_clip_lasts_four_to_eight_seconds_and_is_the_same_every_time(mood):
    first, again = (synthesise("m001", mood, ("Jazz",), 1958) for _ in range(2))
    other = synthesise("m002", mood, ("Jazz",), 1958)

    np.testing.assert_array_equal(first, again)
    assert len(first) != len(other) or not np.array_equal(first, other)
    assert 4 <= len(first) / RATE <= 8
    assert 0.1 < float(np.abs(first).max()) <= 1


def test_older_music_has_less_treble():
    def treble(year: int) -> float:
        power = np.abs(np.fft.rfft(synthesise("m001", "energetic", ("Rock",), year))) ** 2
        return float(power[len(power) // 2 :].sum() / power.sum())

    assert treble(1940) < 0.5 * treble(2020)


def test_an_unknown_mood_and_no_category_still_play():
    assert float(np.abs(synthesise("x", "puzzled", (), 2000)).max()) > 0.1


def test_the_music_sample_is_fetched_with_sounds_of_its_own(few, tmp_path):
    made = READERS["sample-music"](few)
    temporary = made.media
    kept = write_folder(made, tmp_path / "kept")

    assert kept.items["audio"].tolist() == ["m001.mp3", "m002.mp3", "m003.mp3"]
    assert kept.info.source.endswith(CREDIT)
    for name in kept.items["audio"]:
        assert (kept.media / name).stat().st_size < 100_000
        assert soundfile.info(kept.media / name).format == "MP3"
    read = folder.read_folder(tmp_path / "kept")
    assert read.media == kept.media and read.items["audio"].tolist() == kept.items["audio"].tolist()
    del made
    gc.collect()
    assert not temporary.parent.exists()


def test_the_same_item_has_the_same_bytes(tmp_path):
    for name in ("one.mp3", "other.mp3"):
        write_clip(tmp_path / name, synthesise("m001", "dark", ("Metal",), 1990))
    assert (tmp_path / "one.mp3").read_bytes() == (tmp_path / "other.mp3").read_bytes()


def test_without_the_extra_the_sample_has_no_sounds(few, music, monkeypatch):
    monkeypatch.setattr(clips, "find_spec", lambda name: None)
    made = READERS["sample-music"](few)

    assert made.media is None and "audio" not in made.items and CREDIT not in made.info.source
    assert with_clips(music) is music
