"""Sounds whose content is known, and files that only look like sounds."""

import struct
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from recsys.schema import Dataset, DatasetInfo

RATE = 22_050


def tone(frequency: float = 440.0, *, seconds: float = 1.0, rate: int = RATE) -> np.ndarray:
    """A sine at half of full scale."""
    time = np.arange(int(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * frequency * time)).astype(np.float32)


def write(path: Path, samples: np.ndarray, *, rate: int = RATE, subtype: str | None = None) -> Path:
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


def wav(*, channels: int = 1, rate: int = RATE, declared: int | None = None, data: bytes | None = None) -> bytes:
    """A 16-bit WAV written by hand, which may lie about everything."""
    data = (tone() * 32767).astype("<i2").tobytes() if data is None else data
    size = len(data) if declared is None else declared
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * channels * 2 & 0xFFFFFFFF, channels * 2, 16)
    head = struct.pack("<4sI4s4sI16s4sI", b"RIFF", 36 + size & 0xFFFFFFFF, b"WAVE", b"fmt ", 16, form, b"data", size)
    return head + data


def catalog(names: list[str | None], media: Path | None) -> Dataset:
    items = pd.DataFrame(
        {
            "item_id": [f"i{row:03d}" for row in range(len(names))],
            "title": [f"Sound {row}" for row in range(len(names))],
            "audio": names,
        }
    )
    users = pd.DataFrame({"user_id": []}, dtype=str)
    likes = pd.DataFrame({"user_id": [], "item_id": []}, dtype=str)
    return Dataset("sounds", DatasetInfo(title="Sounds"), items, users, likes, media=media)


def write_hostile(media: Path) -> dict[str, str]:
    """Fills a folder with files that must not be heard; returns for each name what its message says."""
    noise = np.random.default_rng(0).normal(scale=0.1, size=2 * RATE).astype(np.float32)
    for name in ("whole.flac", "whole.ogg", "whole.mp3"):
        write(media / name, noise)
    flac, ogg, mp3 = ((media / f"whole.{kind}").read_bytes() for kind in ("flac", "ogg", "mp3"))
    endless = bytearray(flac)  # 36 bits of STREAMINFO say how many samples there are
    endless[21] |= 0x0F
    endless[22:26] = b"\xff\xff\xff\xff"
    inside = media.parent / "secret.wav"
    inside.write_bytes(wav())
    (media / "link.wav").symlink_to(inside)
    (media / "circle.wav").symlink_to(media / "circle.wav")
    (media / "folder.wav").mkdir()
    contents = {
        "empty.wav": (b"", "is empty"),
        "text.wav": (b"These are words, and nothing but words.\n" * 40, "not a sound of a known format"),
        "picture.mp3": (b"\x89PNG\r\n\x1a\n" + bytes(500), "not a sound of a known format"),
        "apple.wav": (b"FORM\x00\x00\x10\x00AIFF" + bytes(500), "not a sound of a known format"),
        "cut.wav": (wav()[:-9000], "cut off"),
        "huge.wav": (wav(declared=0x7FFFFFF0), "cut off"),
        "lying.wav": (wav(declared=0xFFFFFFF0), "cut off"),  # only the length of the whole is small, as it overflows
        "cut.flac": (flac[: len(flac) // 2], "cannot be decoded"),
        "endless.flac": (bytes(endless), "longer than 12 hours"),
        "cut.ogg": (ogg[: len(ogg) // 2], "cut off"),
        "noise.mp3": (b"\xff\xfb\x90\x64" + np.random.default_rng(1).bytes(4000), "cannot be decoded"),
        "head.mp3": (mp3[:200], "cannot be decoded"),
        "head.wav": (wav()[:40], "cut off"),
        "no_data.wav": (wav(data=b""), "lasts less than 0.1 s"),
        "channels.wav": (wav(channels=64), "has 64 channels"),
        "slow.wav": (wav(rate=1), "sample rate of 1 Hz"),
        "fast.wav": (wav(rate=2_000_000_000), "sample rate of 2,000,000,000 Hz"),
        "silent.wav": (wav(data=bytes(60_000)), "is silent"),
        "steady.wav": (wav(data=b"\x00\x40" * 30_000), "is silent"),
    }
    for name, (content, _) in contents.items():
        (media / name).write_bytes(content)
    numbers = tone()
    numbers[5000] = np.nan
    write(media / "nan.wav", numbers, subtype="FLOAT")
    write(media / "inf.wav", np.where(np.isnan(numbers), np.inf, numbers), subtype="FLOAT")
    write(media / "gsm.wav", tone(rate=8000), rate=8000, subtype="GSM610")
    return {name: message for name, (_, message) in contents.items()} | {
        "nan.wav": "no numbers",
        "inf.wav": "no numbers",
        "gsm.wav": "not read here \\(WAV, GSM610\\)",
        "missing.wav": "no such sound file",
        "circle.wav": "no such sound file",
        "nul\0.wav": "no such sound file",
        "x" * 5000: "no such sound file",
        "http://example.com/a.mp3": "no such sound file",
        "folder.wav": "not a file",
        "link.wav": "outside the media folder",
        "../secret.wav": "outside the media folder",
        str(inside): "outside the media folder",
    }
