from dataclasses import replace

import pandas as pd
import pytest

from recsys.errors import DataError
from recsys.schema import Dataset, Profile
from recsys.views.text import Template, item_texts, profile_text


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"title": "Up", "year": "2009", "categories": "Comedy"}, "Up (2009). Comedy"),
        ({"title": "Up", "categories": "Comedy"}, "Up. Comedy"),
        ({"title": "Up", "year": ""}, "Up"),
        ({}, "untitled"),
        ({"title": "[REC] {2}", "year": "2009"}, "[REC] {2} (2009)"),
        ({"title": r"back\1slash"}, r"back\1slash"),
    ],
)
def test_template(fields: dict[str, str], text: str):
    assert Template("{title|untitled}[ ({year})][. {categories}]").render(fields) == text


def test_unknown_field_is_refused(toy: Dataset):
    wrong = replace(toy, info=replace(toy.info, item_template="{title} {titel}"))
    with pytest.raises(DataError, match=r"unknown field: 'titel'. Use item_id, title"):
        item_texts(wrong)


def test_items_in_row_order(toy: Dataset):
    texts = item_texts(toy)
    assert texts[0] == "Story 00. space. For every student"
    assert texts[4] == "Story 04. romance"
    assert len(texts) == 12


def test_movielens_texts(movielens: Dataset):
    texts = item_texts(movielens)
    assert texts[movielens.item_row("12")] == "The Usual Suspects (1995). Crime, Thriller"
    assert not any("nan" in text.lower().split() or "<NA>" in text for text in texts)


def test_catalog_without_optional_columns(toy: Dataset):
    bare = replace(toy, items=pd.DataFrame({"item_id": ["1"], "title": ["Up"]}))
    assert item_texts(bare) == ["Up"]


@pytest.mark.parametrize(
    ("profile", "sentence"),
    [
        (Profile(), ""),
        (Profile(age=30), "A 30-year-old person."),
        (Profile(age=18), "An 18-year-old person."),
        (Profile(age=80), "An 80-year-old person."),
        (Profile(age=81.5), "An 81.5-year-old person."),
        (Profile(age=11), "An 11-year-old person."),
        (Profile(age=110), "A 110-year-old person."),
        (Profile(gender="F"), "A female person."),
        (Profile(attributes={"occupation": "engineer"}), "An engineer."),
        (Profile(interests=("space",)), "A person who likes space."),
        (Profile(interests=("a", "b", "c")), "A person who likes a, b and c."),
        (Profile(liked=("03", "01")), "A person, who enjoyed Story 03 and Story 01."),
        (
            Profile(30, "M", {"occupation": "student"}, ("space",), ("03",)),
            "A 30-year-old male student who likes space, who enjoyed Story 03.",
        ),
        (Profile(interests=("{age} [x] | y",)), "A person who likes {age} [x] | y."),
    ],
)
def test_profile_becomes_a_sentence(toy: Dataset, profile: Profile, sentence: str):
    assert profile_text(profile, toy) == sentence
