"""The README is true: its commands run, and it names every page and room."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]
ENVIRONMENT = {**os.environ, "HF_HUB_OFFLINE": "1"}


FILES = dict(re.findall(r"Save this as `([^`]+)`:\n\n```csv\n(.*?)```", README, re.DOTALL))


@pytest.fixture(scope="module")
def readme_data(tmp_path_factory) -> dict[str, str]:
    scratch = tmp_path_factory.mktemp("readme")
    for name, text in FILES.items():
        (scratch / name).write_text(text, "utf-8")
    return {**ENVIRONMENT, "COLDLENS_DATA_DIR": str(scratch)}


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("recsys ")])
def test_every_recsys_command_runs(command, readme_data):
    words = [sys.executable, "-m", "recsys", *shlex.split(command)[1:]]

    scratch = readme_data["COLDLENS_DATA_DIR"]  # some commands write files
    done = subprocess.run(words, cwd=scratch, env=readme_data, capture_output=True, text=True, timeout=600)

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_the_example_finds_the_smoky_tea(readme_data):
    command = next(line for line in COMMANDS if "--dataset teas" in line)
    words = [sys.executable, "-m", "recsys", *shlex.split(command)[1:], "--json"]
    scratch = readme_data["COLDLENS_DATA_DIR"]

    done = subprocess.run(words, cwd=scratch, env=readme_data, capture_output=True, text=True, timeout=300)

    assert FILES
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["recommendations"][0]["title"] == "Lapsang Souchong"


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("make ")])
def test_every_make_target_exists(command):
    done = subprocess.run(["make", "-n", *shlex.split(command)[1:]], cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr


def test_make_app_starts_what_the_browser_tests_start():
    done = subprocess.run(["make", "-n", "app"], cwd=ROOT, capture_output=True, text=True)

    assert "-m pages.shared.start" in done.stdout


def test_no_command_is_left_out():
    assert COMMANDS
    assert all(line.startswith(("recsys ", "make ")) for line in COMMANDS)


def test_the_python_example_runs(readme_data):
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)[1]
    scratch = Path(readme_data["COLDLENS_DATA_DIR"])

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=scratch,
        env={**ENVIRONMENT, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert done.returncode == 0, done.stderr
    assert len(done.stdout.strip().splitlines()) == 11


def test_every_page_and_room_is_named():
    pages = [path.name for path in (ROOT / "pages").glob("*.py") if path.name != "__init__.py"]
    rooms = [path.stem for path in (ROOT / "recsys").iterdir() if not path.name.startswith("_")]

    assert [page for page in pages if f"pages/{page}" not in README] == []
    assert [room for room in rooms if f"`{room}`" not in README] == []


def test_its_pictures_exist():
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README)

    assert pictures
    assert all((ROOT / picture).is_file() for picture in pictures)
