"""Columns that say who somebody is are found by their name or by their values, and others are left alone."""

from dataclasses import replace

import pandas as pd
import pytest

from recsys.schema.identifying import is_identifying
from recsys.training import Histories
from tests.toy import toy_dataset

FEW = pd.Series(["a", "b"] * 20)


@pytest.mark.parametrize(
    "name",
    [
        "name", "Name", "NAME", "full_name", "lastName", "surname", "user-name", "zip", "ZIP", "zip_code", "Zip-code", "zipCode",
        "postal code", "PostCode", "post_code", "PLZ", "email", "E-Mail", "e_mail", "mail", "phone", "Mobile phone", "street",
        "home address", "birthdate", "date of birth", "IP", "user id", "latitude",
    ],
)  # fmt: skip
def test_names_of_columns_that_say_who_somebody_is(name: str):
    assert is_identifying(name, FEW)


@pytest.mark.parametrize(
    "name",
    ["occupation", "country", "city", "plan", "renamed", "zipper", "mailing", "addressee", "type", "ship", "relation"],
)
def test_other_names_are_left_alone(name: str):
    assert not is_identifying(name, FEW)


def test_a_value_that_next_to_nobody_else_has_says_who_somebody_is():
    assert is_identifying("code", pd.Series([f"c{n}" for n in range(40)]))
    assert is_identifying("code", pd.Series([f"c{n // 2}" if n < 18 else f"c{n}" for n in range(40)]))
    assert not is_identifying("code", pd.Series([f"c{n // 2}" for n in range(40)]))
    assert not is_identifying("code", pd.Series([None] * 39 + ["only one tells"]))
    assert not is_identifying("code", pd.Series([], dtype=object))


def test_such_columns_are_no_attributes_and_nothing_learns_from_them():
    toy = toy_dataset()
    users = toy.users.assign(zip_code=["1", "1", "2", "2", "3", "3"], nick=list("abcdef"))
    dataset = replace(toy, users=users)
    assert set(dataset.identifying) == {"zip_code", "nick"}
    assert set(dataset.user_attributes) == {"occupation"}
    assert {name for profile in Histories.from_dataset(dataset).profiles() for name in profile.attributes} == {
        "occupation"
    }


def test_a_user_is_called_by_row():
    assert toy_dataset().user_called(2) == "User 3 of 6"
