"""Nothing that a sound file says of itself is believed."""

import os
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from recsys.errors import DataError
from recsys.settings import Limits
from recsys.views.sounds import HEARD_SECONDS, Sound, find_sound, hash_sound, read_sound
from tests.views.sounds import RATE, tone, wav, write, write_hostile

LIMITS = Limits()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> tuple[Path, dict[str, str]]:
    media = tmp_path_factory.mktemp("hostile") / "media"
    media.mkdir()
    return media, write_hostile(media)


def read(media: Path, name: str, limits: Limits = LIMITS) -> Sound:
    path = find_sound(name, media=media)
    hash_sound(path, limits=limits)
    return read_sound(path, limits=limits)


def test_every_hostile_file_is_refused_with_a_message_of_its_own(hostile):
    media, expected = hostile
    for name, message in expected.items():
        with pytest.raises(DataError) as caught:
            read(media, name)
        assert re.search(message, str(caught.value)), name
        assert caught.value.value and caught.value.fix.endswith("."), name
    assert len(expected) >= 30


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "mp3"])
def test_a_whole_sound_is_read_whatever_its_name(tmp_path, kind):
    samples = tone(seconds=3)
    write(tmp_path / f"a.{kind}", samples)
    (tmp_path / f"a.{kind}").rename(tmp_path / "renamed.dat")
    sound = read(tmp_path, "renamed.dat")

    assert sound.rate == RATE and sound.samples.dtype == np.float32
    assert len(sound.samples) == pytest.approx(len(samples), abs=RATE // 10)
    assert float(np.abs(sound.samples[: len(samples)] - samples[: len(sound.samples)]).max()) < 0.05


def test_a_wav_may_hold_other_things_in_front_of_its_samples(tmp_path):
    whole = wav()
    (tmp_path / "a.wav").write_bytes(whole[:36] + b"LIST\x05\x00\x00\x00INFO\x00\x00" + whole[36:])
    assert len(read(tmp_path, "a.wav").samples) == RATE


def test_channels_are_mixed_and_louder_than_full_scale_is_clipped(tmp_path):
    both = np.stack([tone() * 8, np.zeros(RATE, np.float32)], axis=1)
    write(tmp_path / "a.wav", both, subtype="FLOAT")
    samples = read(tmp_path, "a.wav").samples

    assert samples.shape == (RATE,)
    assert float(samples.max()) == pytest.approx(0.5) and float(samples.min()) == pytest.approx(-0.5)


def test_another_rate_keeps_pitch_and_length():
    sound = Sound(tone(440, seconds=2, rate=44_100), 44_100)
    found = sound.at(RATE)

    assert len(found) == 2 * RATE
    assert int(np.abs(np.fft.rfft(found)).argmax()) == 880
    assert sound.at(44_100) is sound.samples


def test_a_long_sound_is_read_to_its_first_minute_in_little_memory(tmp_path):
    second = np.repeat(tone(rate=48_000)[:, None], 8, axis=1)
    write(tmp_path / "a.wav", np.tile(second, (HEARD_SECONDS + 10, 1)), rate=48_000)
    tracemalloc.start()
    samples = read(tmp_path, "a.wav").samples
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert len(samples) == HEARD_SECONDS * 48_000
    assert peak < 40 << 20  # all channels would be 90 MB


def test_a_file_that_is_too_large_is_neither_hashed_nor_read(tmp_path):
    (tmp_path / "a.wav").write_bytes(wav())
    with (tmp_path / "a.wav").open("ab") as file:
        file.truncate((1 << 20) + 1)
    limits = Limits(sound_mb=1)
    for refuse in (hash_sound, read_sound):
        with pytest.raises(DataError, match="larger than 1 MB") as caught:
            refuse(tmp_path / "a.wav", limits=limits)
        assert "COLDLENS_MAX_SOUND_MB" in caught.value.fix


def test_a_pipe_is_refused_and_does_not_make_us_wait(tmp_path):
    os.mkfifo(tmp_path / "a.wav")
    with pytest.raises(DataError, match="not a file"):
        read(tmp_path, "a.wav")


def test_a_link_to_a_file_inside_is_followed(tmp_path):
    (tmp_path / "a.wav").write_bytes(wav())
    (tmp_path / "b.wav").symlink_to("a.wav")
    assert hash_sound(find_sound("b.wav", media=tmp_path), limits=LIMITS) == hash_sound(
        tmp_path / "a.wav", limits=LIMITS
    )
