"""A small catalog whose every text tries to be more than a text."""

from pathlib import Path

import pandas as pd

from recsys.datasets import write_folder
from recsys.schema import Dataset, DatasetInfo

TITLES = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    "![pixel](http://tracker.example/p.png)",
    "[click](javascript:alert(3))",
    "**bold** _it_ `code` :red[red] :material/home: $x^2$",
    '=HYPERLINK("http://evil.example")',
    "<style>*{display:none}</style>",
    "www.evil.example http://evil.example/x",
    "# Heading",
    "<svg onload=alert(4)>",
    "</div><iframe srcdoc='<script>alert(5)</script>'>",
    "@SUM(1+1)",
)


def write_hostile(folder: Path) -> Dataset:
    """Writes the catalog as a dataset folder."""
    items = pd.DataFrame(
        {
            "item_id": [f"{n:02d}<b>" for n in range(len(TITLES))],
            "title": TITLES,
            "categories": [("<b>cat</b>", f"![x](http://tracker.example/{n})") for n in range(len(TITLES))],
            "year": pd.array([1990 + n for n in range(len(TITLES))], dtype="Int64"),
        }
    )
    users = pd.DataFrame(
        {"user_id": ["1", "2"], "age": [20.0, 60.0], "gender": ["F", "<i>M</i>"], "job": ["a", "<u>b</u>"]}
    )
    likes = pd.DataFrame({"user_id": ["1", "2"], "item_id": ["00<b>", "01<b>"]})
    info = DatasetInfo(
        title="<b>Hostile</b> ![t](http://tracker.example/t)", licence="<script>1</script>", source="[a](javascript:1)"
    )
    return write_folder(Dataset("hostile", info, items, users, likes), folder)
