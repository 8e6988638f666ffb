"""Pictures and sounds are decoded in a process of their own: the same pixels and samples, and a death costs one file."""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recsys.errors import DataError
from recsys.settings import Limits
from recsys.views import decoder as decoder_module
from recsys.views import pictures
from recsys.views.decoder import Decoder
from recsys.views.sounds import read_sound
from tests.views.hostile_pictures import picture, saved
from tests.views.sounds import wav

_BROKEN = """
import os, signal, time
import numpy as np
from pathlib import Path
from PIL import Image
from recsys.views import decoder, pictures

def decode(data, name, *, limits):
    if name == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if name == "once" and not Path(data.decode()).exists():
        Path(data.decode()).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "hang":
        time.sleep(60)
    if name == "noise":
        os.write(1, b"a library says something")
    return Image.new("RGB", (5000, 1) if name == "large" else (4, 2), "red")

pictures.decode = decode
decoder.main()
"""


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoders that do, by the name of a file, what no file can be relied on to make them do."""
    monkeypatch.setattr(decoder_module, "_PROGRAM", ("-c", _BROKEN))


def test_what_is_decoded_is_the_same_as_here(tmp_path: Path):
    rng = np.random.default_rng(0)
    samples = (20_000 * rng.uniform(-1, 1, 30_000)).astype("<i2").tobytes()
    (tmp_path / "noise.wav").write_bytes(wav(data=samples))
    with Decoder(Limits()) as decoder:
        for kind in ("PNG", "JPEG", "WEBP"):
            data = saved(picture(300), kind)
            here = pictures.decode(data, "a", limits=Limits())
            there = decoder.picture(data, "a")
            assert (there.mode, there.size, there.tobytes()) == (here.mode, here.size, here.tobytes())
        sound, heard = read_sound(tmp_path / "noise.wav", limits=Limits()), decoder.sound(tmp_path / "noise.wav")
        assert heard.rate == sound.rate
        assert heard.samples.tobytes() == sound.samples.tobytes()


def test_a_refusal_comes_in_its_three_parts(tmp_path: Path):
    with Decoder(Limits(picture_pixels=10)) as decoder:
        for data in (b"<svg/>", b"GIF89a\1\0\1\0", saved(picture(), "PNG")):
            with pytest.raises(DataError) as here:
                pictures.decode(data, "ä\ud800.png", limits=Limits(picture_pixels=10))
            with pytest.raises(DataError) as there:
                decoder.picture(data, "ä\ud800.png")
            assert (there.value.what, there.value.value, there.value.fix) == (
                here.value.what, here.value.value, here.value.fix,
            )  # fmt: skip
        with pytest.raises(DataError, match="cannot be opened"):
            decoder.sound(tmp_path / "missing.wav")


def test_a_crash_costs_one_file_and_the_next_is_decoded(broken: None):
    with Decoder(Limits()) as decoder:
        first = _pid_of(decoder, "good")
        with pytest.raises(DataError) as raised:
            decoder.picture(b"", "crash")
        assert str(raised.value) == (
            "The file could not be decoded; the process that tried has ended: 'crash'. "
            "Write it again with another program, or leave it out."
        )
        assert _pid_of(decoder, "good") != first


def _pid_of(decoder: Decoder, name: str) -> int:
    assert decoder.picture(b"", name).size == (4, 2)
    assert decoder._process is not None
    return decoder._process.pid


def test_a_process_that_somebody_else_has_ended_is_asked_again(broken: None, tmp_path: Path):
    with Decoder(Limits()) as decoder:
        assert decoder.picture(os.fsencode(tmp_path / "seen"), "once").size == (4, 2)
    assert (tmp_path / "seen").exists()


def test_a_file_that_takes_too_long_is_told(broken: None):
    started = time.monotonic()
    with Decoder(Limits(decode_seconds=1)) as decoder, pytest.raises(DataError) as raised:
        decoder.picture(b"", "hang")
    assert str(raised.value) == (
        "Decoding the file took too long: 'hang, 1 s'. "
        "Write it again with another program, or leave it out, or raise COLDLENS_MAX_DECODE_SECONDS."
    )
    assert time.monotonic() - started < 30


def test_an_answer_that_cannot_be_is_refused(broken: None):
    with Decoder(Limits()) as decoder:
        with pytest.raises(DataError, match="decoded to something impossible: 'large'"):
            decoder.picture(b"", "large")
        assert decoder.picture(b"", "noise").size == (4, 2)


def test_too_little_memory_is_no_crash_of_ours():
    with Decoder(Limits(memory_mb=20)) as decoder, pytest.raises(DataError, match="the process that tried has ended"):
        decoder.picture(saved(picture(), "PNG"), "a.png")


def test_a_process_decodes_so_many_files_and_none_is_left(broken: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(decoder_module, "_FILES", 2)
    with Decoder(Limits()) as decoder:
        pids = [_pid_of(decoder, "good") for _ in range(5)]
    assert pids[0] == pids[1] != pids[2] == pids[3] != pids[4]
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_it_is_confined_before_it_reads_anything(broken: None):
    with Decoder(Limits(memory_mb=777)) as decoder:
        pid = _pid_of(decoder, "good")
        limits = Path(f"/proc/{pid}/limits").read_text()
    assert str(777 << 20) in limits.split("Max address space")[1].splitlines()[0]
    with Decoder(Limits()) as decoder:
        assert isinstance(decoder.picture(b"", "good"), Image.Image)
