"""The process in which pictures and sounds are decoded: a file that crashes or stops its decoder costs that file and no more.

It is confined (see ``recsys.confined``), gets one file at a time, and answers with pixels or samples, which are checked here.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from recsys.confined import confine
from recsys.errors import DataError
from recsys.sealing import without_key
from recsys.settings import Limits
from recsys.views import pictures, sounds

if TYPE_CHECKING:
    from PIL.Image import Image

_FILES = 1_000
"""That one process decodes before another one takes its place, so that its limits are about files and not about catalogs."""
_PROGRAM = ("-m", "recsys.views.decoder")
_ROOT = Path(__file__).resolve().parents[2]
_LONGEST_ANSWER = 1 << 16
_AGAIN = "Write it again with another program, or leave it out."
_Answer = tuple[Mapping[str, Any], bytes]


class Decoder:
    """Decodes files in a process of its own, which starts with the first one and ends with the context."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._left = 0

    def __enter__(self) -> "Decoder":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end()

    def picture(self, data: bytes, name: str) -> "Image":
        """Returns what ``pictures.decode`` does.

        Raises:
            DataError: as there, and if the process has ended over the file.
        """
        from PIL import Image

        told, pixels = self._asked({"picture": name}, data)
        width, height = (int(side) for side in told["size"])
        if not 0 < max(width, height) <= pictures.SIDE or len(pixels) != 3 * width * height:
            raise _wrong(name)
        return Image.frombytes("RGB", (width, height), pixels)

    def sound(self, path: Path) -> sounds.Sound:
        """Returns what ``sounds.read_sound`` does.

        Raises:
            DataError: as there, and if the process has ended over the file.
        """
        told, data = self._asked({"sound": str(path)}, b"")
        rate, samples = int(told["rate"]), np.frombuffer(data, np.float32)
        if not sounds.LOWEST_RATE <= rate <= sounds.HIGHEST_RATE or len(samples) > sounds.HEARD_SECONDS * rate:
            raise _wrong(path.name)
        if not len(samples) or not np.abs(samples).max() <= 1:  # nor is it where something is no number
            raise _wrong(path.name)
        return sounds.Sound(samples, rate)

    def _asked(self, wanted: Mapping[str, str], data: bytes) -> _Answer:
        """Asks again, once, where the process has ended without a reason: somebody else may have ended it."""
        answer = self._try(wanted, data) or self._try(wanted, data)
        if answer is None:
            [name] = wanted.values()
            what = "The file could not be decoded; the process that tried has ended"
            raise DataError(what, Path(name).name, fix=_AGAIN)
        if fault := answer[0].get("fault"):
            what, value, fix = fault
            raise DataError(what, value, fix=fix)
        return answer

    def _try(self, wanted: Mapping[str, str], data: bytes) -> _Answer | None:
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            _put(process.stdin, wanted, data)
            return _taken(process.stdout)
        except (OSError, ValueError, LookupError):
            self._end()
            [name] = wanted.values()
            if process.returncode == -signal.SIGALRM:
                fix = f"{_AGAIN[:-1]}, or raise {Limits.name_of('decode_seconds')}."
                value = f"{Path(name).name}, {self._limits.decode_seconds} s"
                raise DataError("Decoding the file took too long", value, fix=fix) from None
            return None

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._left == 0:
            self._end()
        if self._process is None:
            found = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
            self._process = subprocess.Popen(
                [sys.executable, *_PROGRAM, json.dumps(asdict(self._limits))],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
                env={**without_key(os.environ), "PYTHONPATH": found, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            )  # fmt: skip
            self._left = _FILES
        self._left -= 1
        return self._process

    def _end(self) -> None:
        if self._process is None:
            return
        process, self._process, self._left = self._process, None, 0
        try:
            process.communicate(timeout=1.0)  # it ends when nothing more can come
        except (subprocess.TimeoutExpired, OSError, ValueError):
            process.kill()
            process.communicate()


def _wrong(name: str) -> DataError:
    return DataError("The file was decoded to something impossible", Path(name).name, fix=_AGAIN)


def _put(stream: IO[bytes], about: Mapping[str, Any], data: bytes) -> None:
    stream.write(json.dumps({**about, "bytes": len(data)}).encode() + b"\n")
    stream.write(data)
    stream.flush()


def _taken(stream: IO[bytes]) -> _Answer:
    """Reads what ``_put`` wrote.

    Raises:
        ValueError: if the other end is closed, or it is something else.
    """
    about = json.loads(stream.readline(_LONGEST_ANSWER))
    data = stream.read(int(about["bytes"]))
    if len(data) < int(about["bytes"]):
        raise ValueError("it is cut off")
    return about, data


def _decoded(wanted: Mapping[str, Any], data: bytes, limits: Limits) -> _Answer:
    try:
        if "picture" in wanted:
            image = pictures.decode(data, wanted["picture"], limits=limits)
            return {"size": image.size}, image.tobytes()
        sound = sounds.read_sound(Path(wanted["sound"]), limits=limits)
        return {"rate": sound.rate}, np.asarray(sound.samples, np.float32).tobytes()
    except DataError as error:
        return {"fault": (error.what, error.value, error.fix)}, b""


def main() -> None:
    """Answers until nothing more comes; whatever ends it, as a file that takes too long, is seen from outside."""
    limits = Limits(**json.loads(sys.argv[1]))
    confine(limits, seconds=limits.decode_seconds)
    put, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    while True:
        signal.alarm(0)
        try:
            wanted, data = _taken(put)
        except ValueError:
            return
        signal.alarm(limits.decode_seconds)
        _put(answers, *_decoded(wanted, data, limits))


if __name__ == "__main__":
    main()
