"""What the commands share: the application, its options, and how an error leaves it."""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from recsys.errors import ColdlensError, DataError
from recsys.schema import Dataset, Profile
from recsys.sealing import Seal
from recsys.settings import DEFAULT_DATASET, Settings

ENDS_WITH = "COLDLENS_ENDS_WITH"
"""Variable of the environment: the process that a command nobody waits for ends with."""
ENDED = "COLDLENS_ENDED"
"""Variable of the environment: the file that a command in the background leaves its exit code in, for whoever comes later."""

app = typer.Typer(
    help="Cold-start recommendations that explain themselves.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

EncoderName = Annotated[
    str | None, typer.Option(help="Packaged name, hub name or local folder.", show_default="the dataset's")
]
DeviceName = Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
DataDir = Annotated[Path | None, typer.Option(help="Folder of the datasets (COLDLENS_DATA_DIR).", show_default="data")]
DatasetOption = Annotated[str | None, typer.Option(help="Dataset name or folder.", show_default=DEFAULT_DATASET)]
AgeOption = Annotated[str | None, typer.Option(help="Years, 0 to 120.")]
GenderOption = Annotated[str | None, typer.Option(help="A gender of the dataset.")]
AttributeOption = Annotated[list[str] | None, typer.Option(help="NAME=VALUE; repeat for more.")]
InterestOption = Annotated[list[str] | None, typer.Option(help="Free text; repeat for more.")]
LikedOption = Annotated[list[str] | None, typer.Option(help="An item_id; repeat for more.")]
LengthOption = Annotated[str, typer.Option("-k", help="Length of the list, 1 to 100.")]
ScorerOption = Annotated[
    str | None,
    typer.Option(
        help="additive, fine-tuned, private, federated, transferred or cosine.",
        show_default="additive where likes are known",
    ),
]
PopularityOption = Annotated[float, typer.Option(help="Weight of the prior, 0 (pure taste) to 1 (as learned).")]
ViewOption = Annotated[
    list[str] | None,
    typer.Option(
        "--view", help="NAME=WEIGHT of a view of the items, 0 (off) to 2: text, image, audio, graph. Repeat for more."
    ),
]
UnusedOption = Annotated[
    list[str] | None,
    typer.Option(
        "--unused", help="A fact of the person that no score may use: age, gender, an attribute. Repeat for more."
    ),
]
ProgressFile = Annotated[Path | None, typer.Option(help="Write the progress to this file, as JSON.")]


class ProgressReport:
    """Tells a person on stderr, or a page through a file, how far a command is."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._started = time.monotonic()

    def __call__(self, step: str, done: int, total: int, **more: Any) -> None:
        """Reports that so many of all parts are done."""
        if self._path is None:
            print(f"{step} ({done} of {total})", file=sys.stderr)
            return
        self._write({"step": step, "done": done, "total": total, "left": self._left(done, total)} | more)

    def end(self) -> None:
        """Says that the result is kept."""
        if self._path is not None:
            self._write({"finished": True})

    def _left(self, done: int, total: int) -> float | None:
        spent = time.monotonic() - self._started
        return None if done == 0 else round(spent / done * (total - done), 1)

    def _write(self, value: dict[str, Any]) -> None:
        assert self._path is not None
        draft = self._path.with_suffix(".draft")
        draft.write_text(json.dumps(value), "utf-8")
        draft.replace(self._path)


def profile_of(
    age: str | None,
    gender: str | None,
    attribute: list[str] | None,
    interest: list[str] | None,
    liked: list[str] | None,
) -> Profile:
    """Returns the profile that the options describe.

    Raises:
        DataError: for an attribute that is not NAME=VALUE, or an impossible part.
    """
    for pair in attribute or []:
        if "=" not in pair:
            raise DataError("The attribute is not NAME=VALUE", pair, fix="Write for example occupation=student.")
    attributes: dict[str, str] = dict(pair.split("=", 1) for pair in attribute or [])  # type: ignore[misc]
    return Profile(age, gender, attributes, tuple(interest or ()), tuple(liked or ()))  # type: ignore[arg-type]


def whole_number(text: str) -> int:
    """Returns the length of a list.

    Raises:
        DataError: if it is not a whole number.
    """
    try:
        return int(text)
    except ValueError:
        raise DataError("The length of the list is not a whole number", text, fix="Choose k from 1 to 100.") from None


def run() -> None:
    """Runs the command line; our errors go to stderr and exit with 2."""
    if parent := os.environ.get(ENDS_WITH):
        os.nice(10)  # readers come first
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    with _told_how_it_ended(os.environ.get(ENDED)):
        try:
            app()
        except ColdlensError as error:
            print(error, file=sys.stderr)
            raise SystemExit(2) from None


@contextmanager
def _told_how_it_ended(path: str | None) -> Iterator[None]:
    """Writes the exit code of a command in the background; one that is asked to end tidies up first, as after an error."""
    if path is None:
        yield
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    code = 1
    try:
        yield
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
        raise
    finally:
        with suppress(OSError):  # who has cancelled it has removed the folder, too
            Path(path).write_text(str(code), "utf-8")


def _end_with(parent: str) -> None:
    """Ends this process soon after the one that started it, however that ended; what was published is kept."""
    while str(os.getppid()) == parent:
        time.sleep(1.0)
    os._exit(1)


def settings_of(data_dir: Path | None = None, encoder: str | None = None, device: str | None = None) -> Settings:
    """Returns the settings of the environment, overridden by options."""
    found = Settings.from_environment(os.environ)
    return replace(
        found, data_dir=data_dir or found.data_dir, encoder=encoder or found.encoder, device=device or found.device
    )


def open_named(name: str, settings: Settings) -> Dataset:
    """Returns a dataset, and says on stderr if its people are simulated, or it brings vectors in the place of an encoder's."""
    from recsys.datasets import open_dataset

    found = open_dataset(name, data_dir=settings.data_dir, seal=Seal.from_settings(settings))
    if found.info.simulated:
        told = "are simulated: what is learned from them or measured on them says nothing about real people."
        print(f"Note: the users and interactions of {found.name} {told}", file=sys.stderr)
    if found.item_vectors is not None:
        named = found.info.vectors.encoder if found.info.vectors else ""
        by = f"read by {named}, which is named for them" if named else "not read, as it is not known what made them"
        print(f"Note: the items of {found.name} have vectors that came with it; texts are {by}.", file=sys.stderr)
    return found


def print_json(value: Any) -> None:
    """Prints a value for machines."""
    print(json.dumps(value, ensure_ascii=False, indent=1))


def write_text(path: Path, text: str, *, what: str = "file") -> None:
    """Writes a file; ``what`` it is called in the message.

    Raises:
        DataError: if it cannot be written.
    """
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        fix = f"Name a file in a folder that exists ({error.strerror})."
        raise DataError(f"The {what} cannot be written", path, fix=fix) from None


def read_bytes(path: Path) -> bytes:
    """Returns the content of a file.

    Raises:
        DataError: if it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError("The file cannot be read", path, fix=f"Name a file that is there ({error.strerror}).") from None


def weights_of(views: list[str] | None) -> dict[str, float]:
    """Returns the weights that NAME=WEIGHT options say.

    Raises:
        DataError: for one without a number.
    """
    found = {}
    for text in views or []:
        name, _, weight = text.partition("=")
        try:
            found[name.strip()] = float(weight)
        except ValueError:
            fix = "Write NAME=WEIGHT, for example graph=0."
            raise DataError("The weight of a view is not understood", text, fix=fix) from None
    return found
