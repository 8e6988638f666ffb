"""Nothing that runs code from a file, and nothing that draws foreign HTML."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = [ROOT / "app.py", *(ROOT / "recsys").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
FORBIDDEN = (
    r"\bpickle\b(?!=False)",
    r"torch\.load\((?!.*weights_only=True)",  # without it, a file of weights may run code
    r"allow_pickle=True",
    r"trust_remote_code=True",
    r"(?<![\w.])eval\(",
    r"(?<![\w.])exec\(",
    r"yaml\.load\(",
    r"shell=True",
    r"read_pickle",
    r"joblib\.load",
    r"unsafe_allow_html=True",
    r"unsafe_allow_javascript",
    r"components\.v1",
    r"components\.html",
    r"\bst\.html\(",
    r"\bst\.iframe\(",
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write",
    r"pyarrow\.json|pa\.json",
)


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_the_sources_are_free_of(pattern):
    assert len(SOURCES) > 100
    text = {path: re.sub(r'""".*?"""', "", path.read_text("utf-8"), flags=re.DOTALL) for path in SOURCES}
    assert [str(path.relative_to(ROOT)) for path in SOURCES if re.search(pattern, text[path])] == []


def test_every_array_is_loaded_without_pickle():
    calls = [
        (path.name, call)
        for path in SOURCES
        for call in re.findall(r"np\.load\((?:[^()]|\([^()]*\))*\)", path.read_text("utf-8"))
    ]
    assert len(calls) == sum(path.read_text("utf-8").count("np.load(") for path in SOURCES) > 0
    assert [found for found in calls if "allow_pickle=False" not in found[1]] == []


FLOORS = {"pyarrow": (26,), "pillow": (12, 3), "torch": (2, 8), "streamlit": (1, 67), "transformers": (5,)}
"""Older ones have holes that a file or a page from outside could use."""


def test_no_dependency_with_known_holes_is_tested_or_allowed():
    pinned = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line)
    pinned = {name.lower(): version for name, version in pinned.items()}
    allowed = (ROOT / "pyproject.toml").read_text("utf-8")
    for name, floor in FLOORS.items():
        assert tuple(int(part) for part in re.findall(r"\d+", pinned[name])[: len(floor)]) >= floor, name
        asked = re.search(rf'"{name}(?:\[[a-z]+\])?>=([\d.]+)', allowed)
        assert (
            asked
            and tuple(int(part) for part in asked[1].split("."))[: len(floor)] >= floor[: len(asked[1].split("."))]
        ), name
