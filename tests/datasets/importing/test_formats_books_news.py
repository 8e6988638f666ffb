from pathlib import Path

import pytest

from recsys.datasets.importing import lines
from recsys.datasets.importing.tables import ROW
from tests.datasets.importing.test_formats import as_folder, as_zip, of_kind, opened, read


def quoted(*cells: str) -> bytes:
    """A row as the owners of Book-Crossing write it."""
    return (";".join(f'"{cell}"' for cell in cells) + "\r\n").encode("latin-1")


def book(isbn: str, title: str, author: str, year: str, publisher: str) -> bytes:
    return quoted(isbn, title, author, year, publisher, *(f"http://images.example/{isbn}.{size}.jpg" for size in "SML"))


IMAGES = ("Image-URL-S", "Image-URL-M", "Image-URL-L")
BX = {
    "BX-Books.csv": quoted("ISBN", "Book-Title", "Book-Author", "Year-Of-Publication", "Publisher", *IMAGES)
    + book("0195153448", "Classical Mythology", "Mark P. O. Morford", "2002", "Oxford University Press")
    + book("0671888587", 'The Real \\"J. Peterman\\"', "A; B", "1999", "Simon &amp; Schuster")
    + book("0571197639", "Poisonwood Bible Edition Uk", "Barbara Kingsolver", "0", "Faber Faber Inc")
    + book("3442353866", "Der Fluch der Kaiserin. Ein Richter- Di- Roman.", "Günter Grass", "2037", "Goldmann")
    + book("0451166892", "The Magician\x92s Tale \x96 Part 1", "\x8dNo Letter", "1996", "Signet Book")
    + b'"078946697X";"A Reader (Level 4)\\"";Michael Writer""";"2000";"DK";"http://s";"http://m";"http://l"\r\n'
    + b'"0000000001";"Open \\";"Some Author";"2001";"DK";"http://s";"http://m";"http://l"\r\n'
    + book("0140067477", "The Tao of Pooh", "Benjamin Hoff", "Penguin Books", "1983")
    + quoted("0000000002", "Too few", "Nobody")
    + book("0312261594", "", "Jane Heller", "2001", "St. Martin's Press"),
    "BX-Users.csv": quoted("User-ID", "Location", "Age")
    + b'"1";"nyc, new york, usa";NULL\r\n'
    + b'"2";"stockton, california, usa";"18"\r\n'
    + b'"3";"moscow, yukon territory, russia";NULL\r\n'
    + '"4";"münchen, bayern, germany";"239"\r\n'.encode("latin-1")
    + b'"5";"king of prussia, ,";"0"\r\n'
    + b'"6";"auckland, n/a, new zealand";"1"\r\n'
    + b'"7";"silsden, keighley, west yorkshire, united kingdom";"38"\r\n'
    + b'"8";"somewhere, n/a, n/a";"38"\r\n'
    + b'"9";"nowhere";"20"\r\n'
    + b'"10";"torn, off\r\n',
    "BX-Book-Ratings.csv": quoted("User-ID", "ISBN", "Book-Rating")
    + quoted("2", "0195153448", "0")
    + quoted("4", "0671888587", "8")
    + quoted("4", "9999999999", "10")
    + quoted("7", "0571197639", "five")
    + quoted("7", "0571197639"),
}


@pytest.mark.parametrize("pack", [as_folder, as_zip])
def test_book_crossing(tmp_path: Path, pack):
    source = opened(pack(tmp_path, "BX-CSV-Dump", BX), "Book-Crossing")
    books, faults = read(source.tables[0])
    assert books.drop(columns=ROW).to_numpy().tolist() == [
        ["0195153448", "Classical Mythology", "2002", "Mark P. O. Morford", "Oxford University Press"],
        ["0671888587", 'The Real "J. Peterman"', "1999", "A; B", "Simon & Schuster"],
        ["0571197639", "Poisonwood Bible Edition Uk", "", "Barbara Kingsolver", "Faber Faber Inc"],
        ["3442353866", "Der Fluch der Kaiserin. Ein Richter- Di- Roman.", "2037", "Günter Grass", "Goldmann"],
        ["0451166892", "The Magician’s Tale – Part 1", "1996", "\x8dNo Letter", "Signet Book"],
        ["078946697X", "A Reader (Level 4)", "2000", "Michael Writer", "DK"],
        ["0140067477", "The Tao of Pooh", "Penguin Books", "Benjamin Hoff", "1983"],
        ["0312261594", "", "2001", "Jane Heller", "St. Martin's Press"],
    ]
    assert [(fault.row, fault.what[:24]) for fault in faults] == [
        (8, "The row cannot be taken "),
        (10, "The row has 3 cells and "),
    ]
    users, faults = read(source.tables[1])
    assert users.drop(columns=ROW).to_numpy().tolist() == [
        ["1", "", "USA"],
        ["2", "18", "USA"],
        ["3", "", "Russia"],
        ["4", "239", "Germany"],
        ["5", "0", ""],
        ["6", "1", "New Zealand"],
        ["7", "38", "United Kingdom"],
        ["8", "38", ""],
        ["9", "20", ""],
    ]
    assert [fault.row for fault in faults] == [11]
    ratings, faults = read(source.tables[2])
    assert ratings.to_numpy().tolist() == [
        ["2", "0195153448", "", 2],
        ["4", "0671888587", "8", 3],
        ["4", "9999999999", "10", 4],
        ["7", "0571197639", "five", 5],
    ]
    assert [fault.row for fault in faults] == [6]
    assert source.about["liked_from"] == 8


def test_the_comma_separated_copy_of_book_crossing(tmp_path: Path):
    content = {
        "Books.csv": (
            "ISBN,Book-Title,Book-Author,Year-Of-Publication,Publisher,Image-URL-S,Image-URL-M,Image-URL-L\n"
            '0671888587,"The Real \\""J. Peterman\\"" &amp; Co",Jöhn,1999,Simon &amp; Schuster,http://s,http://m,http://l\n'
            '078946697X,"A Reader (Level 4)\\"";Michael Writer""",2000,DK,http://s,http://m,http://l,\n'
            "0000000003,Plain,1998,DK,http://s,http://m,http://l,\n"
        ).encode(),
        "Users.csv": b'User-ID,Location,Age\n1,"nyc, new york, usa",\n2,"stockton, california, usa",18.0\n',
        "Ratings.csv": b"User-ID,ISBN,Book-Rating\n276725,034545104X,0\n276726,0155061224,5\n",
    }
    source = opened(as_folder(tmp_path, "archive", content), "Book-Crossing")
    books, faults = read(source.tables[0])
    assert books.drop(columns=ROW).to_numpy().tolist() == [
        ["0671888587", 'The Real "J. Peterman" & Co', "1999", "Jöhn", "Simon & Schuster"],
        ["078946697X", "A Reader (Level 4)", "2000", "Michael Writer", "DK"],
        ["0000000003", "Plain", "DK", "1998", "http://s"],
    ]
    assert not faults
    assert read(source.tables[1])[0].to_numpy().tolist() == [["1", "", "USA", 2], ["2", "18.0", "USA", 3]]
    assert list(read(source.tables[2])[0]["rating"]) == ["", "5"]


def tabbed(*rows: tuple[str, ...]) -> bytes:
    return "".join("\t".join(row) + "\n" for row in rows).encode()


ENTITIES = '[{"Label": "Queen", "Type": "P", "OccurrenceOffsets": [3], "SurfaceForms": ["\\"Q\\""]}]'
MIND = {
    "MINDsmall_train/news.tsv": tabbed(
        ("N1", "lifestyle", "lifestyleroyals", 'The "Brands" of Crowns', "Coats – and more.", "https://a/1", ENTITIES, "[]"),
        ("N2", "sports", "football_nfl", "A Late Goal", "", "https://a/2", "[]", ""),
        ("N3", "news", "newsus", '"Unclosed', 'It said: "no', "https://a/3", "[]", "[]"),
        ("N4", "news", "newsus", "Torn"),
        ("N2", "sports", "football_nfl", "A Late Goal Again", "", "https://a/2", "[]", "[]"),
        ("N5", "news", "newsworld", "", "Without a title", "https://a/5", "[]", "[]"),
    ),
    "MINDsmall_train/behaviors.tsv": tabbed(
        ("1", "U1", "11/11/2019 9:05:58 AM", "N1 N2", "N3-1 N4-0 N5-1"),
        ("2", "U1", "11/12/2019 12:11:23 AM", "N1 N2", "N1-0 N2-1"),
        ("3", "U2", "11/13/2019 12:30:00 PM", "", "N11-1 N1-0"),
        ("4", "U3", "soon", "N2", "N1-1"),
        ("5", "U4", "11/13/2019 1:00:00 PM", "N1", "N1-0 N2-2"),
        ("6", "U5", "11/13/2019 1:00:00 PM", "N1"),
        ("7", "U6", "11/13/2019 1:00:00 PM", "N2 N1 N2", "N3-0"),
    ),
    "MINDsmall_train/entity_embedding.vec": b"Q1\t0.1\n",
    "MINDsmall_dev/news.tsv": tabbed(
        ("N1", "lifestyle", "lifestyleroyals", "The Brands of Crowns", "Coats.", "https://a/1", "[]", "[]"),
        ("N6", "travel", "travelnews", "By Night Train", "Slowly.", "https://a/6", "[]", "[]"),
    ),
    "MINDsmall_dev/behaviors.tsv": tabbed(
        ("1", "U1", "11/15/2019 9:55:12 PM", "N1 N2", "N6-1 N1-0"),
        ("2", "U3", "11/15/2019 9:55:12 PM", "N2 N6", "N6-0"),
    ),
    "MINDlarge_test/behaviors.tsv": tabbed(("1", "U9", "11/19/2019 11:37:45 AM", "N6", "N1 N2 N3")),
}  # fmt: skip


@pytest.mark.parametrize("pack", [as_folder, as_zip])
def test_mind(tmp_path: Path, pack):
    source = opened(pack(tmp_path, "mind", MIND), "MIND news")
    assert [table.name.split("/", 1)[1] for table in source.tables] == [
        "MINDsmall_train/news.tsv",
        "MINDsmall_dev/news.tsv",
        "MINDsmall_train/behaviors.tsv",
        "MINDsmall_dev/behaviors.tsv",
        "MINDlarge_test/behaviors.tsv",
    ]
    train, dev = of_kind(source, "items")
    items, faults = read(train)
    assert items.to_numpy().tolist() == [
        ["N1", 'The "Brands" of Crowns', "Coats – and more.", "lifestyle", "lifestyleroyals", 1],
        ["N2", "A Late Goal", "", "sports", "football_nfl", 2],
        ["N3", '"Unclosed', 'It said: "no', "news", "newsus", 3],
        ["N2", "A Late Goal Again", "", "sports", "football_nfl", 5],
        ["N5", "", "Without a title", "news", "newsworld", 6],
    ]
    assert [fault.row for fault in faults] == [4]
    items, faults = read(dev)
    assert items.to_numpy().tolist() == [["N6", "By Night Train", "Slowly.", "travel", "travelnews", 2]]
    assert not faults


def test_mind_clicks_with_their_time_and_histories_once(tmp_path: Path):
    source = opened(as_folder(tmp_path, "mind", MIND), "MIND news")
    train, dev, test = of_kind(source, "interactions")
    clicks, faults = read(train)
    assert clicks.to_numpy().tolist() == [
        ["U1", "N3", "1573463158", 1],
        ["U1", "N5", "1573463158", 1],
        ["U1", "N1", "", 1],
        ["U1", "N2", "", 1],
        ["U1", "N2", "1573517483", 2],
        ["U2", "N11", "1573648200", 3],
        ["U3", "N1", "soon", 4],
        ["U3", "N2", "", 4],
        ["U6", "N2", "", 7],
        ["U6", "N1", "", 7],
    ]
    assert [(fault.row, fault.what.split()[0]) for fault in faults] == [(5, "An"), (6, "The")]
    clicks, faults = read(dev)
    assert clicks.to_numpy().tolist() == [["U1", "N6", "1573854912", 1], ["U3", "N6", "", 2]]
    assert not faults
    assert read(test)[0].to_numpy().tolist() == [["U9", "N6", "", 1]]


def test_mind_parts_may_be_read_in_any_order(tmp_path: Path):
    source = opened(as_folder(tmp_path, "mind", MIND), "MIND news")
    in_order = [read(table)[0].to_numpy().tolist() for table in source.tables]
    again = opened(as_folder(tmp_path, "mind", MIND), "MIND news")
    backwards = [read(table)[0].to_numpy().tolist() for table in reversed(again.tables)]
    assert in_order == backwards[::-1]


def test_mind_does_not_depend_on_the_size_of_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    source = opened(as_folder(tmp_path, "mind", MIND), "MIND news")
    at_once = [read(table)[0].to_numpy().tolist() for table in source.tables]
    monkeypatch.setattr(lines, "_BLOCK", 1)
    again = opened(as_folder(tmp_path, "mind", MIND), "MIND news")
    assert len(list(again.tables[0].read())) > 5
    assert [read(table)[0].to_numpy().tolist() for table in again.tables] == at_once


def test_mind_as_the_files_of_one_zip(tmp_path: Path):
    content = {name.split("/")[1]: data for name, data in MIND.items() if "train" in name}
    source = opened(as_zip(tmp_path, "MINDsmall_train", content), "MIND news")
    assert len(source.tables) == 2
