from pathlib import Path

import pytest

from recsys.datasets import movielens
from recsys.datasets.importing.tables import ROW
from tests.datasets.importing.test_formats import as_folder, as_single_files, as_zip, of_kind, opened, read

PACKS = [as_folder, as_zip, as_single_files]


def flags(*on: str) -> str:
    return "|".join("1" if genre in on else "0" for genre in movielens._GENRES)


def film(number: int, title: str, day: str, *genres: str) -> str:
    return f"{number}|{title}|{day}||http://us.imdb.com/M/{number}|{flags(*genres)}\n"


GOOD_100K = {
    "u.item": (
        film(1, "Toy Story (1995)", "01-Jan-1995", "Animation", "Children's", "Comedy")
        + film(12, "Usual Suspects, The (1995)", "14-Aug-1995", "Crime", "Thriller")
        + film(13, 'Say "When" (1996)', "01-Jan-1996", "Drama")
        + f"267|unknown||||{flags('unknown')}\n"
        + film(78, "Cité des enfants perdus, La (1995)", "01-Jan-1995", "Adventure", "Sci-Fi")
        + film(81, "Avventura, L' (1960)", "01-Jan-1960", "Drama")
    ).encode("latin-1"),
    "u.user": b"1|24|M|technician|85711\n2|53|F|other|94043\n",
    "u.data": b"1\t1\t5\t881250949\n2\t267\t3\t881250950\n",
}
FILES_100K = {
    "u.item": GOOD_100K["u.item"] + b"80|Half a row (1994)|01-Jan-1994||http://us.imdb.com/M/e|0|0|1\n\n",
    "u.user": GOOD_100K["u.user"] + b"3|seven|F|none|T8H1N\n4|33|M\n",
    "u.data": GOOD_100K["u.data"] + b"3\t78\t1\t\n2\t12\n",
    "u.genre": b"unknown|0\nAction|1\n",
    "u1.base": b"1\t1\t5\t881250949\n",
}


@pytest.mark.parametrize("pack", PACKS)
def test_100k(tmp_path: Path, pack):
    source = opened(pack(tmp_path, "ml-100k", FILES_100K), "MovieLens 100K")
    items, faults = read(source.tables[0])
    assert list(items["item_id"]) == ["1", "12", "13", "267", "78", "81"]
    assert list(items["title"]) == [
        "Toy Story",
        "The Usual Suspects",
        'Say "When"',
        "unknown",
        "La Cité des enfants perdus",
        "L'Avventura",
    ]
    assert list(items["year"]) == ["1995", "1995", "1996", "", "1995", "1960"]
    assert list(items["categories"]) == [
        "Animation|Children's|Comedy",
        "Crime|Thriller",
        "Drama",
        "",
        "Adventure|Sci-Fi",
        "Drama",
    ]
    assert list(items[ROW]) == [1, 2, 3, 4, 5, 6]
    assert [(fault.row, fault.what) for fault in faults] == [(7, "The row has 8 cells and not 24")]
    users, faults = read(source.tables[1])
    assert users.drop(columns=ROW).to_numpy().tolist() == [
        ["1", "24", "M", "technician"],
        ["2", "53", "F", "other"],
        ["3", "seven", "F", "none"],
    ]
    assert "zip code" not in next(source.tables[1].read()).frame
    assert [fault.row for fault in faults] == [4]
    ratings, faults = read(source.tables[2])
    assert ratings.drop(columns=ROW).to_numpy().tolist() == [
        ["1", "1", "5", "881250949"],
        ["2", "267", "3", "881250950"],
        ["3", "78", "1", ""],
    ]
    assert [fault.row for fault in faults] == [4]
    assert source.about["words"]["occupation"]["other"] == "person"
    assert source.about["liked_from"] == 4


def test_100k_is_what_the_command_fetch_reads(tmp_path: Path):
    """The two readers of the same zip must not drift apart."""
    source = opened(as_zip(tmp_path, "ml-100k", GOOD_100K), "MovieLens 100K")
    fetched = movielens.read(tmp_path / "ml-100k.zip")
    items = read(source.tables[0])[0].sort_values("item_id", kind="stable")
    assert list(items["title"]) == list(fetched.items["title"])
    assert list(items["year"]) == list(fetched.items["year"].astype("str").fillna(""))
    assert [tuple(filter(None, text.split("|"))) for text in items["categories"]] == list(fetched.items["categories"])
    assert list(read(source.tables[2])[0]["user_id"]) == list(fetched.interactions["user_id"])
    assert source.about["licence"] == fetched.info.licence


FILES_1M = {
    "movies.dat": "\n".join(
        [
            "1::Toy Story (1995)::Animation|Children's|Comedy",
            "11::American President, The (1995)::Comedy|Drama|Romance",
            "73::Misérables, Les (1995)::Drama|Musical",
            "75::Naked Gun 2 1/2: The Smell of Fear (1991)::Comedy",
            "76::Broken::Title (1990)::Drama",
            "77::No Year::",
            "",
        ]
    ).encode("latin-1"),
    "users.dat": b"1::F::1::10::48067\n2::M::56::16::70072\n3::M::25::0::55117-1234\n4::F::99::21::0\n5::M::35\n",
    "ratings.dat": b"1::1::5::978300760\n1::11::3::978302109\n2::1::x::978299000\n2::1\n",
}


@pytest.mark.parametrize("pack", PACKS)
def test_1m(tmp_path: Path, pack):
    source = opened(pack(tmp_path, "ml-1m", FILES_1M), "MovieLens 1M")
    items, faults = read(source.tables[0])
    assert items.drop(columns=ROW).to_numpy().tolist() == [
        ["1", "Toy Story", "1995", "Animation|Children's|Comedy"],
        ["11", "The American President", "1995", "Comedy|Drama|Romance"],
        ["73", "Les Misérables", "1995", "Drama|Musical"],
        ["75", "Naked Gun 2 1/2: The Smell of Fear", "1991", "Comedy"],
        ["77", "No Year", "", ""],
    ]
    assert [fault.row for fault in faults] == [5]
    users, faults = read(source.tables[1])
    assert users.drop(columns=ROW).to_numpy().tolist() == [
        ["1", "under 18", "F", "K-12 student"],
        ["2", "56+", "M", "self-employed"],
        ["3", "25-34", "M", "other"],
        ["4", "99", "F", "21"],
    ]
    assert source.tables[1].plan.ages == "band"
    assert not any("zip" in str(name).lower() for name in next(source.tables[1].read()).frame)
    assert [fault.row for fault in faults] == [5]
    ratings, faults = read(source.tables[2])
    assert list(ratings["rating"]) == ["5", "3", "x"]
    assert list(ratings["timestamp"]) == ["978300760", "978302109", "978299000"]
    assert [fault.row for fault in faults] == [4]
    assert source.about["words"]["occupation"]["K-12 student"] == "pupil"


def test_10m(tmp_path: Path):
    content = {
        "movies.dat": "29::City of Lost Children, The (Cité des enfants perdus, La) (1995)::Adventure|Drama\n".encode(),
        "ratings.dat": b"1::29::4.5::838985046\n",
        "tags.dat": b"15::29::odd::1215184630\n",
    }
    source = opened(as_zip(tmp_path, "ml-10M100K", content), "MovieLens 10M")
    assert len(source.tables) == 2
    assert read(source.tables[0])[0].iloc[0, :4].tolist() == [
        "29",
        "The City of Lost Children (Cité des enfants perdus, La)",
        "1995",
        "Adventure|Drama",
    ]
    assert list(read(source.tables[1])[0]["rating"]) == ["4.5"]


FILES_CSV = {
    "movies.csv": "\r\n".join(
        [
            "movieId,title,genres",
            "1,Toy Story (1995),Adventure|Animation|Children|Comedy|Fantasy",
            '11,"American President, The (1995)",Comedy|Drama|Romance',
            '29,"City of Lost Children, The (Cité des enfants perdus, La) (1995)",Adventure',
            '7789,"11\'09""01 - September 11 (2002)",Drama',
            "40697,Babylon 5,Sci-Fi",
            "147250,The Adventures of Sherlock Holmes (1980) ,(no genres listed)",
            '171495,Cosmos,(no genres listed)',
            "171631,Death Note: Desu nôto (2006–2007),(no genres listed)",
            "171891,Fawlty Towers (1975-1979),Comedy",
            "176601,Black Mirror (2011– ),Sci-Fi",
            "9,Too, many (1999),Drama",
            "10,,Drama",
            "",
        ]
    ).encode(),
    "ratings.csv": b"userId,movieId,rating,timestamp\r\n1,1,4.0,964982703\r\n1,11,0.5,964981247\r\n2,29,,1445714835\r\n2,1\r\n",
    "tags.csv": b"userId,movieId,tag,timestamp\r\n2,60756,funny,1445714994\r\n",
    "links.csv": b"movieId,imdbId,tmdbId\r\n1,0114709,862\r\n",
}  # fmt: skip


@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize("ending", [b"\r\n", b"\n"], ids=["crlf", "lf"])
def test_latest_small(tmp_path: Path, pack, ending: bytes):
    content = {name: data.replace(b"\r\n", ending) for name, data in FILES_CSV.items()}
    source = opened(pack(tmp_path, "ml-latest-small", content), "MovieLens 20M, 25M, 32M or latest")
    assert [table.plan.kind for table in source.tables] == ["items", "interactions"]
    items, faults = read(source.tables[0])
    assert items.drop(columns=["item_id", ROW]).to_numpy().tolist() == [
        ["Toy Story", "1995", "Adventure|Animation|Children|Comedy|Fantasy"],
        ["The American President", "1995", "Comedy|Drama|Romance"],
        ["The City of Lost Children (Cité des enfants perdus, La)", "1995", "Adventure"],
        ["11'09\"01 - September 11", "2002", "Drama"],
        ["Babylon 5", "", "Sci-Fi"],
        ["The Adventures of Sherlock Holmes", "1980", ""],
        ["Cosmos", "", ""],
        ["Death Note: Desu nôto", "2006", ""],
        ["Fawlty Towers", "1975", "Comedy"],
        ["Black Mirror", "2011", "Sci-Fi"],
        ["", "", "Drama"],
    ]
    assert [fault.row for fault in faults] == [12]
    ratings, faults = read(source.tables[1])
    assert ratings.to_numpy().tolist() == [
        ["1", "1", "4.0", "964982703", 2],
        ["1", "11", "0.5", "964981247", 3],
        ["2", "29", "", "1445714835", 4],
    ]
    assert [fault.row for fault in faults] == [5]


@pytest.mark.parametrize(
    ("folder", "title"),
    [
        ("ml-20m", "MovieLens 20M"),
        ("ml-25m", "MovieLens 25M"),
        ("ml-32m", "MovieLens 32M"),
        ("ml-latest", "MovieLens latest"),
        ("ml-latest-small", "MovieLens latest small"),
        ("films", "MovieLens"),
    ],
)
def test_the_size_is_told_by_the_folder(tmp_path: Path, folder: str, title: str):
    source = opened(as_zip(tmp_path, folder, FILES_CSV), "MovieLens 20M, 25M, 32M or latest")
    assert source.about["title"] == title
    assert not of_kind(source, "users")
