import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from recsys.datasets.importing.tables import NESTED, ROW
from tests.datasets.importing.test_formats import as_folder, as_single_files, as_zip, of_kind, opened, read


def lines(*objects: dict[str, Any] | str) -> bytes:
    return "".join((o if isinstance(o, str) else json.dumps(o)) + "\n" for o in objects).encode()


def product(asin: str, title: Any, **further: Any) -> dict[str, Any]:
    """A line of metadata with all the keys of the real ones."""
    usual = {
        "main_category": "All Beauty",
        "title": title,
        "average_rating": 4.8,
        "rating_number": 10,
        "features": [],
        "description": [],
        "price": None,
        "images": [{"thumb": "https://m/t.jpg", "large": "https://m/l.jpg", "variant": "MAIN", "hi_res": None}],
        "videos": [],
        "store": None,
        "categories": [],
        "details": {"Brand": "None", "Package Dimensions": {"a": 1}},
        "parent_asin": asin,
        "bought_together": None,
    }
    return usual | further


def review(user: Any, parent: Any, rating: Any, **further: Any) -> dict[str, Any]:
    usual = {
        "rating": rating,
        "title": "Fine",
        "text": "It does what it should. 🙂",
        "images": [],
        "asin": "B00-COLOUR",
        "parent_asin": parent,
        "user_id": user,
        "timestamp": 1588687728923,
        "helpful_vote": 0,
        "verified_purchase": True,
    }
    return usual | further


META = lines(
    product("B1", "A Brush, 2 Pack", price=12.99, store="Brushers", categories=["Beauty", "Hair | Care"]),
    product("B2", "", price="from 1,012.50", description=["First. ", "", "Second."], features=["Soft"]),
    product("B3", None, price="—", features=["Blue – and soft", "Made of wood"]),
    '{"parent_asin": "B4", "title": "Torn',
    product("B5", "A Comb", price="ask", store={"name": "x"}),
    product("B6", "Nothing known", price="None", main_category=None),
    "[1, 2]",
)
REVIEWS = lines(
    review("AAA", "B1", 5.0),
    review("BBB", "B2", 1.5, timestamp=None),
    review(None, "B3", 3.0),
    review("CCC", "GONE", "good"),
    '{"user_id": NaN}',
)


@pytest.mark.parametrize("pack", [as_folder, as_zip, as_single_files])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_amazon(tmp_path: Path, pack, packed: bool):
    content = {"meta_All_Beauty.jsonl": META, "All_Beauty.jsonl": REVIEWS, "Other.jsonl": b"{}\n"}
    if packed:
        content = {f"{name}.gz": gzip.compress(data) for name, data in content.items()}
    source = opened(pack(tmp_path, "amazon", content), "Amazon Reviews 2023")
    assert [table.plan.kind for table in source.tables] == ["items", "interactions"]
    assert source.about["title"] == "Amazon Reviews 2023: All Beauty"
    items, faults = read(source.tables[0])
    assert items.to_numpy().tolist() == [
        ["B1", "A Brush, 2 Pack", "", ["Beauty", "Hair | Care"], "12.99", "Brushers", "All Beauty", 1],
        ["B2", "", "First. Second.", "All Beauty", "1,012.50", "", "All Beauty", 2],
        ["B3", "", "Blue – and soft Made of wood", "All Beauty", "", "", "All Beauty", 3],
        ["B5", "A Comb", "", "All Beauty", "ask", NESTED, "All Beauty", 5],
        ["B6", "Nothing known", "", "", "", "", "", 6],
    ]
    assert [(fault.row, fault.what.split(" (")[0]) for fault in faults] == [
        (4, "The line is not JSON"),
        (7, "The line is not a JSON object"),
    ]
    reviews, faults = read(source.tables[1])
    assert reviews.to_numpy().tolist() == [
        ["AAA", "B1", "5", "1588687728923", 1],
        ["BBB", "B2", "1.5", "", 2],
        ["", "B3", "3", "1588687728923", 3],
        ["CCC", "GONE", "good", "1588687728923", 4],
    ]
    assert [fault.row for fault in faults] == [5]
    assert source.about["liked_from"] == 4


def test_amazon_with_two_categories_and_one_without_reviews(tmp_path: Path):
    content = {
        "meta_Video_Games.jsonl": lines(product("G1", "A Game")),
        "meta_All_Beauty.jsonl": META,
        "Video_Games.jsonl": lines(review("AAA", "G1", 4.0)),
    }
    source = opened(as_folder(tmp_path, "amazon", content), "Amazon Reviews 2023")
    assert [table.name for table in source.tables] == [
        "amazon/meta_All_Beauty.jsonl",
        "amazon/meta_Video_Games.jsonl",
        "amazon/Video_Games.jsonl",
    ]
    assert source.about["title"] == "Amazon Reviews 2023: All Beauty, Video Games"


def test_amazon_lines_may_lack_keys(tmp_path: Path):
    content = {
        "meta_X.jsonl": lines({"parent_asin": "B1", "main_category": "Toys"}),
        "X.jsonl": lines({"user_id": "A", "parent_asin": "B1"}),
    }
    source = opened(as_folder(tmp_path, "amazon", content), "Amazon Reviews 2023")
    assert read(source.tables[0])[0].iloc[0].tolist() == ["B1", "", "", "Toys", "", "", "Toys", 1]
    assert read(source.tables[1])[0].iloc[0].tolist() == ["A", "B1", "", "", 1]


ANNA, BERT = "00000c289a1829a808ac09c00daf10bc3c4e223b", "00001411dc427966b17297bf4d69e7e193135d89"
BAND, DUO = "3bd73256-3905-4f3a-97e2-8b341527f805", "f2fb0ff0-5679-42ec-a55c-15109ce6e320"
LASTFM = {
    "usersha1-artmbid-artname-plays.tsv": "".join(
        "\t".join(row) + "\n"
        for row in [
            (ANNA, BAND, "betty blowtorch", "2137"),
            (ANNA, DUO, '"die" Ärzte', "1099"),
            (ANNA, "", "Some Local Band", "12"),
            (BERT, BAND, "Betty Blowtorch", "3"),
            (BERT, "", "some local band ", "1"),
            (BERT, "", "", "5"),
            (BERT, DUO),
            ("sep 20, 2008", "0ef9d5f6", "turboweekend", "7"),
        ]
    ).encode()
    + b"\xff\xfe broken\t\tx\t1\n",
    "usersha1-profile.tsv": (
        f"{ANNA}\tf\t22\tGermany\tFeb 1, 2007\n"
        f"{BERT}\t\t\tCôte d'Ivoire\tDec 4, 2007\n"
        "00004d2ac9316e22dc007ab2243d6fcb239e707d\tm\t-1337\tMexico\tSep 1, 2006\n"
        "000063d3fe1cf2ba248b9e3c3f0334845a27a6bf\tm\t19\n"
    ).encode(),
}  # fmt: skip


@pytest.mark.parametrize("pack", [as_folder, as_zip])
def test_lastfm(tmp_path: Path, pack):
    source = opened(pack(tmp_path, "lastfm-dataset-360K", LASTFM), "Last.fm 360K")
    assert [table.plan.kind for table in source.tables] == ["items", "users", "interactions"]
    artists, faults = read(source.tables[0])
    assert artists.to_numpy().tolist() == [
        [BAND, "betty blowtorch", 1],
        [DUO, '"die" Ärzte', 2],
        ["some local band", "Some Local Band", 3],
        ["0ef9d5f6", "turboweekend", 8],
    ]
    assert not faults, "they are told with the interactions"
    people, faults = read(source.tables[1])
    assert people.drop(columns=ROW).to_numpy().tolist() == [
        [ANNA, "22", "f", "Germany"],
        [BERT, "", "", "Côte d'Ivoire"],
        ["00004d2ac9316e22dc007ab2243d6fcb239e707d", "-1337", "m", "Mexico"],
    ]
    assert [fault.row for fault in faults] == [4]
    plays, faults = read(source.tables[2])
    assert plays.drop(columns=ROW).to_numpy().tolist() == [
        [ANNA, BAND],
        [ANNA, DUO],
        [ANNA, "some local band"],
        [BERT, BAND],
        [BERT, "some local band"],
        [BERT, ""],
        ["sep 20, 2008", "0ef9d5f6"],
    ]
    assert [fault.row for fault in faults] == [7, 9]
    assert source.about["words"]["gender"] == {"m": "male", "f": "female"}
    assert "liked_from" not in source.about


def test_lastfm_without_profiles(tmp_path: Path):
    content = {name: data for name, data in LASTFM.items() if "plays" in name}
    source = opened(as_folder(tmp_path, "lastfm", content), "Last.fm 360K")
    assert not of_kind(source, "users")
    assert len(source.tables) == 2
