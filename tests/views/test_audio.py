"""The audio view: what was heard once is kept, what cannot be heard has a reason."""

import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from recsys.artifact import ArtifactStore
from recsys.datasets import write_folder
from recsys.schema import Dataset
from recsys.settings import Settings
from recsys.views import audio, audio_encoder
from recsys.views.audio import AudioView, open_audio_view
from recsys.views.decoder import Decoder
from recsys.views.descriptors import GROUPS, Descriptors, describe
from tests.views.sounds import RATE, catalog, tone, wav, write, write_hostile

SETTINGS = Settings()
LOW, HIGH, LOW_AGAIN = "low.wav", "high.wav", "again.wav"


class Counting:
    """An encoder with vectors that are known beforehand (the share of each second), which counts and may be stopped."""

    name, identity, dim, rate, words_by = "counting", "counting-1", 3, RATE, ""
    encode_words = None

    def __init__(self, most: int = 10**9) -> None:
        self.heard = 0
        self.most = most

    def hear(self, samples: np.ndarray) -> np.ndarray:
        if self.heard == self.most:
            raise KeyboardInterrupt
        self.heard += 1
        vector = np.array([np.abs(np.diff(samples)).mean(), np.abs(samples).mean(), 0.1], np.float32)
        return vector / np.linalg.norm(vector)


@pytest.fixture
def media(tmp_path) -> Path:
    folder = tmp_path / "media"
    folder.mkdir()
    write(folder / LOW, tone(220))
    write(folder / HIGH, tone(3000))
    write(folder / LOW_AGAIN, tone(220))
    return folder


@pytest.fixture
def counting() -> Counting:
    return Counting()


def opened(dataset: Dataset, encoder: Counting | None = None) -> AudioView:
    view = open_audio_view(dataset, settings=SETTINGS, encoder=encoder)
    assert view is not None
    return view


def many(media: Path, n: int) -> list[str]:
    for row in range(n):
        (media / f"{row}.wav").write_bytes(wav(data=(tone(100 + 10 * row) * 9000).astype("<i2").tobytes()))
    return [f"{row}.wav" for row in range(n)]


def kinds(dataset: Dataset) -> list[str]:
    return sorted(path.name.split("-")[0] for path in (dataset.folder / "artifacts").iterdir() if path.is_dir())


@pytest.mark.parametrize(
    "dataset",
    [
        catalog([None, "a.wav"], None),
        catalog([None, ""], Path(__file__).parent),
        replace(catalog(["a.wav"], Path(__file__).parent), items=catalog(["a"], None).items.drop(columns="audio")),
    ],
    ids=["no media", "no names", "no column"],
)
def test_a_dataset_without_sounds_has_no_view(dataset):
    assert open_audio_view(dataset, settings=SETTINGS) is None


def test_without_the_extra_there_is_no_view_and_the_log_names_it(media, monkeypatch, caplog):
    monkeypatch.setattr(audio_encoder, "find_spec", lambda name: None)
    assert open_audio_view(catalog([None], media), settings=SETTINGS) is None
    assert caplog.text == ""
    assert open_audio_view(catalog([LOW], media), settings=SETTINGS) is None
    assert "librosa, soundfile" in caplog.text and "coldlens[audio]" in caplog.text


def test_the_same_sound_has_the_same_vector_and_no_sound_a_zero(media):
    view = opened(catalog([LOW, HIGH, None, LOW_AGAIN], media))

    assert (view.name, view.dim, view.vectors.dtype) == ("audio", sum(GROUPS.values()), np.float32)
    assert view.has.tolist() == [True, True, False, True]
    assert np.linalg.norm(view.vectors, axis=1) == pytest.approx([1, 1, 0, 1], abs=1e-5)
    np.testing.assert_array_equal(view.vectors[0], view.vectors[3])
    assert float(view.vectors[0] @ view.vectors[1]) < 0.9
    assert (view.words, view.encode_words, dict(view.faults)) == (None, None, {})


def test_on_disk_and_in_memory_are_the_same(media, tmp_path):
    dataset = catalog([LOW, HIGH, None, LOW_AGAIN], media)
    memory, disk = opened(dataset), opened(write_folder(dataset, tmp_path / "sounds"))

    assert memory.key == disk.key
    np.testing.assert_array_equal(memory.vectors, disk.vectors)
    assert isinstance(disk.vectors, np.memmap) and not isinstance(memory.vectors, np.memmap)
    assert [memory.preview_of(row) for row in range(4)] == [disk.preview_of(row) for row in range(4)]


def test_previews_are_written_by_us_and_end_after_half_a_minute(media, counting):
    write(media / "long.wav", np.tile(tone(), 40))
    view = opened(catalog([LOW, "long.wav", None, LOW_AGAIN], media), counting)
    short, long = (soundfile.info(io.BytesIO(view.preview_of(row))) for row in (0, 1))

    assert view.previews.mime == "audio/mpeg"
    assert (short.format, short.channels, short.samplerate) == ("MP3", 1, 22_050)
    assert short.duration == pytest.approx(1, abs=0.1) and long.duration == pytest.approx(30, abs=0.1)
    assert view.preview_of(2) is None
    assert view.preview_of(3) == view.preview_of(0)
    assert view.previews.data.nbytes == len(view.preview_of(0)) + len(view.preview_of(1)) < 300_000


def test_a_catalog_of_hostile_files_is_built_and_each_has_its_reason(media, tmp_path, counting):
    expected = write_hostile(media)
    dataset = replace(catalog([LOW, *expected], media), folder=tmp_path / "sounds")
    for view in (opened(dataset, counting), opened(dataset, counting)):
        assert view.has.tolist() == [True] + [False] * len(expected)
        for item_id, (name, message) in zip(dataset.items["item_id"][1:], expected.items(), strict=True):
            assert re.search(message, view.faults[item_id]), name
        assert len(view.faults) == len(expected)
        assert all(view.preview_of(row) is None for row in range(1, len(expected) + 1))
    assert counting.heard == 1


def test_an_unchanged_file_is_never_heard_again(media, tmp_path, counting):
    folder, told = tmp_path / "sounds", []
    first = replace(catalog([LOW, HIGH, "missing.wav"], media), folder=folder)
    before = opened(first, counting)
    opened(first, counting)
    assert counting.heard == 2

    (media / HIGH).rename(media / "renamed.wav")
    write(media / "new.wav", tone(900))
    second = replace(catalog(["new.wav", "renamed.wav", LOW, LOW_AGAIN], media), folder=folder)
    after = open_audio_view(second, settings=SETTINGS, encoder=counting, progress=lambda *step: told.append(step))

    assert counting.heard == 3
    assert told == [(2, 3), (3, 3)]
    assert after.key != before.key
    np.testing.assert_array_equal(after.vectors[[2, 1]], before.vectors[[0, 1]])
    assert after.preview_of(1) == before.preview_of(1)


def test_a_silent_file_is_not_read_twice_either(media, tmp_path, counting, monkeypatch):
    (media / "silent.wav").write_bytes(wav(data=bytes(60_000)))
    opened(replace(catalog(["silent.wav"], media), folder=tmp_path / "sounds"), counting)
    monkeypatch.setattr(Decoder, "sound", None)
    view = opened(replace(catalog([None, "silent.wav"], media), folder=tmp_path / "sounds"), counting)

    assert "is silent: 'silent.wav'" in view.faults["i001"]


def test_a_build_that_is_killed_goes_on_where_it_was(media, tmp_path, monkeypatch):
    monkeypatch.setattr(audio, "BLOCK", 4)
    names = many(media, 11)
    whole = opened(catalog(names, media), Counting())
    dataset = replace(catalog(names, media), folder=tmp_path / "sounds")
    with pytest.raises(KeyboardInterrupt):
        opened(dataset, Counting(9))
    assert kinds(dataset) == ["audiopart", "audiopart"]

    again = Counting()
    view = opened(dataset, again)

    assert again.heard == 3
    assert kinds(dataset) == ["audio"]
    np.testing.assert_array_equal(view.vectors, whole.vectors)
    assert [view.preview_of(row) for row in range(11)] == [whole.preview_of(row) for row in range(11)]


def test_a_damaged_artifact_is_made_again_and_only_two_stay(media, tmp_path, counting):
    folder = tmp_path / "sounds"
    for names in ([LOW], [HIGH], [LOW, HIGH], [HIGH, LOW]):
        view = opened(replace(catalog(names, media), folder=folder), counting)
    assert len(ArtifactStore(folder / "artifacts").keys("audio")) == 2 and counting.heard == 2
    before = np.array(view.vectors)
    for path in folder.rglob("vectors.npy"):
        path.write_bytes(b"damaged")

    again = opened(replace(catalog([HIGH, LOW], media), folder=folder), counting)

    assert counting.heard == 4
    np.testing.assert_array_equal(again.vectors, before)


def test_descriptors_of_one_sound_do_not_depend_on_others_and_are_finite():
    encoder, rng = Descriptors(), np.random.default_rng(0)
    sounds = {
        "click": np.pad([1.0], (0, 3000)),
        "noise": rng.normal(scale=0.2, size=RATE),
        "quiet": tone() * 1e-2,
        "short": tone(seconds=0.1),
        "square": np.sign(tone(50)),
    }
    for name, samples in sounds.items():
        vector = encoder.hear(np.asarray(samples, np.float32))
        assert vector.shape == (encoder.dim,) and np.isfinite(vector).all(), name
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5), name
        np.testing.assert_array_equal(vector, encoder.hear(np.asarray(samples, np.float32)))


def test_descriptors_say_what_they_are_called():
    starts = dict(zip(GROUPS, np.cumsum([0, *GROUPS.values()]), strict=False))

    def part(name: str, row: int, samples: np.ndarray) -> float:
        return float(describe(samples.astype(np.float32))[starts[name] + row])

    low, high = tone(200, seconds=2), tone(4000, seconds=2)
    assert part("spectrum", 7, high) - part("spectrum", 7, low) == pytest.approx(np.log2(20), abs=0.5)
    assert part("loudness", 0, low) - part("loudness", 0, low / 10) == pytest.approx(20, abs=0.1)
    clicks = np.zeros(8 * RATE)
    clicks[:: RATE // 2] = 1.0
    assert part("rhythm", 0, clicks) == pytest.approx(2, abs=0.3)
    assert 60 * 2 ** -part("rhythm", 2, clicks) == pytest.approx(0.5, abs=0.02)


def test_another_key_is_the_same_harmony_and_another_chord_is_not():
    def harmony(*semitones: int) -> np.ndarray:
        levels = (0.6, 0.4, 0.3)  # the root is the strongest
        tones = [level * tone(880 * 2 ** (step / 12), seconds=2) for level, step in zip(levels, semitones, strict=True)]
        return describe(sum(tones))[GROUPS["timbre"] :][: GROUPS["harmony"]]

    major, higher, minor = harmony(0, 4, 7), harmony(5, 9, 12), harmony(0, 3, 7)
    assert major.sum() == pytest.approx(1, abs=1e-5) and set(np.argsort(-major)[:3]) == {0, 4, 7}
    assert np.abs(major - higher).max() < 0.05 < 0.1 < np.abs(major - minor).max()


def test_encoder_and_largest_file_are_set_from_outside():
    found = Settings.from_environment({"COLDLENS_AUDIO_ENCODER": "some/clap", "COLDLENS_MAX_SOUND_MB": "7"})
    assert (found.audio_encoder, found.limits.sound_mb) == ("some/clap", 7)
    assert Settings.from_environment({"COLDLENS_AUDIO_ENCODER": ""}).audio_encoder == "descriptors"
