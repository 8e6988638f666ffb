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
    r"components\.v1",
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
