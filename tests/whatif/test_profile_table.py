"""Profiles from tables: what is written is read back, and every fault is told by row and column."""

import csv
import io
import os
import threading
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.errors import ColdlensError, DataError
from recsys.schema import Profile
from recsys.whatif import NamedProfiles, generate_profiles, read_profiles, template_csv
from tests.hostile import write_hostile
from tests.toy import toy_dataset

TOY = toy_dataset()
NASTY = st.text(st.sampled_from("=+-@'|\\,;\"\t\n\r a\0é\ufeff"), max_size=8)
ANNA = Profile(27, "F", {"occupation": "student"}, ("space", "romance"), ("03", "04"))


def fault(content: bytes | str, dataset=TOY, **kwargs) -> str:
    with pytest.raises(DataError) as caught:
        read_profiles(content.encode() if isinstance(content, str) else content, dataset, **kwargs)
    return str(caught.value)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_table_is_read(tmp_path, delimiter, encoding, end):
    lines = [
        "name,age,gender,interests,liked,occupation",
        "Änna,27,F,space|romance,03|04,student",
        ",30.5,,,,",
        ",,,,,",
    ]
    content = end.join(lines).replace(",", delimiter).encode(encoding)
    path = tmp_path / "people.csv"
    path.write_bytes(content)

    found = read_profiles(content, TOY)

    assert found == NamedProfiles(("Änna", "row 3"), (ANNA, Profile(30.5)))
    assert read_profiles(path, TOY) == found


def test_columns_are_optional_and_in_any_order():
    assert read_profiles(b"occupation,age\nengineer,40\n", TOY).profiles == (
        Profile(40, None, {"occupation": "engineer"}),
    )


def test_empty_rows_count_as_rows_and_not_as_profiles():
    assert read_profiles(b"age,gender\n\n20,F\n,\n30,M\n", TOY).names == ("row 3", "row 5")


def test_a_cell_of_two_lines_is_one_row():
    assert read_profiles(b'name,age\n"A\nB",20\n,30\n', TOY).names == ("A B", "row 3")


def test_a_separator_inside_a_text_is_escaped():
    assert read_profiles(rb"interests" b"\n" rb"rock\|pop| AC\DC |a\\|", TOY).profiles[0].interests == (
        "rock|pop",
        "AC\\DC",
        "a\\",
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "row 1: there are no column names"),
        ("\nage\n1\n", "row 1: there are no column names"),
        ("age\n", "There are no profiles"),
        ("age,\n1,2\n", "row 1, column without a name: there is no such column"),
        ("age,colour\n1,red\n", "row 1, column colour: there is no such column"),
        ("colour\nred\n", "The columns are: name, age, gender, interests, liked, occupation;"),
        ("age|gender\n1|F\n", "row 1, column age|gender: there is no such column"),
        ("age,age\n1,2\n", "row 1, column age: the column stands there twice"),
        ("age\n27\nabc\n", "row 3, column age: the age is not a number: “abc”"),
        ("age\n-3\n", "row 2, column age: the age is impossible: “-3”"),
        ("age\n200\n", "row 2, column age: the age is impossible: “200”"),
        ("age\nnan\n", "row 2, column age: the age is impossible: “nan”"),
        ("age\n2_7\n", "row 2, column age: the age is not a number"),
        ("gender\nX\n", "row 2, column gender: the dataset has no such gender: “X”'. Use one of: F, M"),
        (
            "occupation\nking\n",
            "row 2, column occupation: the dataset has no such occupation: “king”'. Use one of: student, eng",
        ),
        ("liked\n00|99\n", "row 2, column liked: there is no such item in the catalog: “99”'. Use an item_id"),
        (
            f"interests\n{'|'.join(map(str, range(21)))}\n",
            "row 2, column interests: there are too many interests: “21”",
        ),
        (f"interests\n{'x' * 201}\n", "row 2, column interests: an interest is too long: “xxx"),
        (f"liked\n{'|'.join(map(str, range(101)))}\n", "row 2, column liked: there are too many liked items: “101”"),
        (f"name,age\n{'x' * 201},3\n", "row 2, column name: the name of a profile does not fit"),
        (
            "name,age\nA,1\nB,2\nA,3\n",
            "row 4, column name: the name is taken: “A”'. Give every profile a name of its own; row 2",
        ),
        ("name,age\nrow 3,1\n,2\n", "row 3, column name: the name is taken: “row 3”"),
        ("age,gender\n20,F\n20\n", "row 3: the row does not fit the header: “1 cells, 2 columns”"),
        ("age,gender\n20,F,M\n", "row 2: the row does not fit the header: “3 cells, 2 columns”"),
        ('name,age\nA,1\n"B,2\n', "row 3: this is not CSV"),
        ('name,age\n"B"b,2\n', "row 2: this is not CSV"),
        ("age\n1\n" + "1" * 200_000, "row 3: this is not CSV (the line or the file is too long)"),
        ("x" * 200_000, "row 1: this is not CSV (the line or the file is too long)"),
        ("name\nÉva\n".encode("latin-1"), "row 2: the text is not UTF-8'. Save the file as “CSV UTF-8”"),
        ("name\tage\nA\t3\n".encode("utf-16"), "row 1: the text is not UTF-8"),
        (b"PK\x03\x04\x14\0\xff", "row 1: the text is not UTF-8"),
    ],
)
def test_what_does_not_fit_is_refused_with_row_and_column(content, said):
    assert said in fault(content)


def test_spaces_around_known_values_do_not_matter():
    found = read_profiles(b"age, gender ,liked,occupation\n 20 , F ,03 | 04, student \n", TOY)

    assert found.profiles == (Profile(20, "F", {"occupation": "student"}, (), ("03", "04")),)


def test_a_file_without_an_end_is_not_read_to_its_end(monkeypatch):
    monkeypatch.setattr("recsys.whatif.profile_reading._MOST_CHARACTERS", 1000)

    assert "row 998: this is not CSV (the line or the file is too long)" in fault("age\n" + "\n" * 2000)


def test_several_faults_are_one_error_with_the_first_three():
    said = fault("age,gender,liked\nabc,F,\n20,X,99\n20,F,98\n")

    assert said.startswith(
        "The profiles cannot be read: 'row 2, column age: the age is not a number: “abc”'. Give a number"
    )
    assert "There are 4 faults in all; the next: row 3, column gender: " in said
    assert "; row 3, column liked: there is no such item in the catalog: “99”." in said
    assert "98" not in said


def test_a_file_is_named(tmp_path):
    (tmp_path / "people.csv").write_text("age\nabc\n")

    with pytest.raises(DataError, match="'people.csv, row 2, column age"):
        read_profiles(tmp_path / "people.csv", TOY)
    with pytest.raises(DataError, match="No such file.*none.csv"):
        read_profiles(tmp_path / "none.csv", TOY)
    with pytest.raises(DataError, match="directory"):
        read_profiles(tmp_path, TOY)


def test_the_number_of_profiles_is_limited():
    rows = b"age\n" + b"1\n" * 10_000

    assert len(read_profiles(rows, TOY)) == 10_000
    assert "There are too many profiles: 'more than 10,000, from row 10002 on'" in fault(rows + b"1\n")
    assert "more than 2, from row 5 on" in fault("age\n1\n\n1\n1\n", most=2)
    assert len(read_profiles(b"age\n1\n1\n\n", TOY, most=2)) == 2


def test_a_million_rows_are_not_read_to_their_end(tmp_path):
    path, written = tmp_path / "pipe", []
    os.mkfifo(path)

    def write():
        with open(path, "wb", buffering=0) as pipe:
            try:
                pipe.write(b"age,gender,interests\n")
                for _ in range(1000):
                    pipe.write(b"27,F,space|romance\n" * 1000)
                    written.append(1000)
            except BrokenPipeError:
                pass

    writer = threading.Thread(target=write)
    writer.start()
    started = time.perf_counter()
    with pytest.raises(DataError, match="more than 10,000, from row 10002 on"):
        read_profiles(path, TOY)
    writer.join(5)

    assert time.perf_counter() - started < 2
    assert 10_000 <= sum(written) < 20_000


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([b"", b"age,gender,liked\n", b"name;interests;occupation\n", b"\xef\xbb\xbfname\n"]),
    st.binary() | st.text(st.sampled_from("=',;\t\"\n\r|\\a1-\0é")).map(str.encode),
)
def test_no_bytes_bring_anything_but_our_own_errors(header, rest):
    try:
        found = read_profiles(header + rest, TOY)
    except ColdlensError as error:
        assert error.fix
    else:
        assert read_profiles(found.to_csv().encode(), TOY) == found


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_what_is_written_is_read_back(data):
    users = TOY.users.assign(occupation=[*data.draw(st.lists(NASTY, min_size=5, max_size=5)), "student"])
    users = users.rename(
        columns={"occupation": data.draw(st.sampled_from(["occupation", "interests", "=cmd", "a;b", "liked"]))}
    )
    users = users.assign(gender=[*data.draw(st.lists(NASTY, min_size=5, max_size=5)), "F"])
    dataset = replace(TOY, users=users)
    (attribute, values), *_ = dataset.user_attributes.items()
    profile = st.builds(
        Profile,
        st.none() | st.floats(0, 120),
        st.sampled_from([None, *(gender for gender in dataset.genders if gender.strip())]),
        st.sampled_from([{}, *({attribute: value} for value in values if value.strip())]),
        st.lists(NASTY, max_size=3),
        st.sampled_from([(), ("03",), ("00", "11")]),
    )
    names = data.draw(st.lists(NASTY.map(str.split).map(" ".join).filter(bool), unique=True, max_size=4, min_size=1))
    named = NamedProfiles(tuple(names), tuple(data.draw(profile) for _ in names))

    assert read_profiles(named.to_csv().encode(), dataset) == named


def test_no_cell_is_a_formula_and_apostrophes_of_people_stay():
    named = NamedProfiles(("=1+1", "'tis", "-x"), (Profile(interests=("@sum", "=b")), Profile(gender="F"), Profile(3)))

    rows = list(csv.reader(io.StringIO(named.to_csv())))

    assert [row[0] for row in rows] == ["name", "'=1+1", "''tis", "'-x"]
    assert rows[1][3] == "'@sum|=b"
    assert read_profiles(named.to_csv().encode(), TOY) == named
    assert read_profiles(b"name,age\n'tis,3\n", TOY).names == ("'tis",)


def test_the_template_is_readable_and_speaks_the_datasets_words(tmp_path):
    text = template_csv(TOY)
    found = read_profiles(text.encode(), TOY)

    assert text.splitlines()[0] == "name,age,gender,interests,liked,occupation"
    assert {profile.gender for profile in found.profiles} == {"F", "M"}
    assert found.profiles[0].attributes == {"occupation": "student"}
    assert found.profiles[0].interests == TOY.categories[:2]
    assert [profile.age for profile in found.profiles] == [30, 40, 50]  # quarters of 20 to 60
    hostile = write_hostile(tmp_path / "hostile")
    assert len(read_profiles(template_csv(hostile).encode(), hostile)) == 3


def test_the_template_of_a_catalog_alone_has_no_age_and_no_gender():
    alone = replace(TOY, users=TOY.users[["user_id"]].iloc[:0], interactions=TOY.interactions.iloc[:0])

    assert template_csv(alone).splitlines()[0] == "name,interests,liked"
    assert len(read_profiles(template_csv(alone).encode(), alone)) == 3


def test_every_combination_is_generated_under_its_name():
    found = generate_profiles(
        TOY,
        ages=[27, None],
        genders=["F", "M"],
        interests=[("space", "comedy"), ()],
        attributes={"occupation": "student"},
    )

    assert found.names == (
        "27 · F · space, comedy",
        "27 · F · no interests",
        "27 · M · space, comedy",
        "27 · M · no interests",
        "age unknown · F · space, comedy",
        "age unknown · F · no interests",
        "age unknown · M · space, comedy",
        "age unknown · M · no interests",
    )
    assert found.profiles[2] == Profile(27, "M", {"occupation": "student"}, ("space", "comedy"))
    assert found.profiles[5] == Profile(None, "F", {"occupation": "student"})
    assert read_profiles(found.to_csv().encode(), TOY) == found


def test_what_is_unknown_for_all_is_in_no_name_and_repeats_are_dropped():
    found = generate_profiles(TOY, ages=[27.0, 27], genders=[None], interests=[()])

    assert found == NamedProfiles(("27",), (Profile(27),))
    assert generate_profiles(TOY, ages=[None], genders=[None], interests=[()]).names == ("anyone",)
    near = generate_profiles(TOY, ages=[27, 27.0000001, 27.0000002], genders=[None], interests=[()])
    assert near.names == ("27", "27 (2)", "27 (3)")


def test_impossible_combinations_are_refused():
    many = [(str(n),) for n in range(5001)]

    with pytest.raises(DataError, match="1 ages × 2 genders × 5,001 interests = 10,002.*at most 10,000"):
        generate_profiles(TOY, ages=[3], genders=["F", "M"], interests=many)
    assert len(generate_profiles(TOY, ages=[3], genders=["F", "M"], interests=many[1:])) == 10_000
    with pytest.raises(DataError, match="nothing to combine"):
        generate_profiles(TOY, ages=[], genders=["F"], interests=[()])
    with pytest.raises(DataError, match="no such gender: 'X'.*F, M"):
        generate_profiles(TOY, ages=[3], genders=["X"], interests=[()])
    with pytest.raises(DataError, match="no such occupation: 'king'"):
        generate_profiles(TOY, ages=[3], genders=["F"], interests=[()], attributes={"occupation": "king"})
    with pytest.raises(DataError, match="no such user attribute: 'rank'.*occupation"):
        generate_profiles(TOY, ages=[3], genders=["F"], interests=[()], attributes={"rank": "king"})


def test_names_are_unique_and_fit():
    with pytest.raises(DataError, match="same name: 'A'"):
        NamedProfiles(("A", " A "), (Profile(), Profile()))
    with pytest.raises(DataError, match="pair up"):
        NamedProfiles(("A",), ())
    for name in ("", "x" * 201, "\ud800"):
        with pytest.raises(DataError, match="name"):
            NamedProfiles((name,), (Profile(),))
