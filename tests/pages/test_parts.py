"""Parts of pages that need no running app."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from pages.shared import figures, resources
from pages.shared.form import put_profile, random_profile
from pages.shared.influence import compared, spoken
from pages.shared.link import check_link, make_link
from pages.shared.widgets import plain
from recsys.datasets import write_folder
from recsys.schema import Facet, Influence, Profile
from tests.toy import toy_dataset

FACETS = (Facet("age", "age", "Age <20>"), Facet("interest:a", "interest", "“a”"))


def test_plain_escapes_what_markdown_would_act_on():
    assert plain("**a** <b> [x](y) $z$ :red[q]") == (r"\*\*a\*\* \<b\> \[x\]\(y\) \$z\$ \:red\[q\]")
    assert "www." not in plain("see www.evil.example").replace("\\", "")


def test_the_score_bar_is_valid_svg_with_one_part_for_each_facet():
    root = ET.fromstring(figures.score_bar([0.5, -0.25], FACETS, sides=(0.25, 0.5), is_dark=False))

    parts = [node for node in root if len(node)]
    widths = [float(part.get("width")) for part in parts]
    assert [part[0].text for part in parts] == ["Age <20>: +0.500", "“a”: -0.250"]
    assert widths[0] + 1 == pytest.approx(2 * (widths[1] + 1), abs=0.02)
    assert float(parts[1].get("x")) < float(parts[0].get("x"))


def test_what_contributes_nothing_has_no_part_in_the_bar():
    root = ET.fromstring(figures.score_bar([0.5, 0.0], FACETS, sides=(0.0, 0.5), is_dark=False))

    assert [node[0].text for node in root if len(node)] == ["Age <20>: +0.500"]


def test_the_largest_sides_sum_each_sign_alone():
    assert figures.largest_sides([[1.0, -3.0, 1.0], [2.5, 0.0, 0.0]]) == (3.0, 2.5)
    assert figures.largest_sides([]) == (0.0, 0.0)


@pytest.mark.parametrize("values", [[0.1, -0.9], [-0.9, -0.1], [0.5, 0.5], [0.0, 0.0]])
def test_no_part_of_a_score_bar_is_cut_off(values):
    root = ET.fromstring(figures.score_bar(values, FACETS, sides=figures.largest_sides([values]), is_dark=False))

    for part in root:
        assert float(part.get("x")) >= 0
        assert float(part.get("x")) + float(part.get("width")) <= float(root.get("width"))


def test_the_influence_bar_has_one_part_for_each_kind_that_counts():
    root = ET.fromstring(figures.influence_bar({"prior": 0.5, "age": 0.0, "interest": 0.25, "liked": 0.25}))

    assert [part[0].text for part in root] == ["popularity: 50 %", "interests: 25 %", "liked items: 25 %"]
    widths = [float(part.get("width")) + 1 for part in root]
    assert widths == pytest.approx([320, 160, 160])


def test_percentages_sum_to_a_hundred():
    assert figures.percentages({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}) == {"a": 34, "b": 33, "c": 33}
    assert figures.percentages({"a": 0.006, "b": 0.994}) == {"a": 1, "b": 99}
    assert figures.percentages({"a": 0.0, "b": 0.0}) == {"a": 0, "b": 0}


def test_the_influence_in_words():
    same = Influence({"prior": 0.9, "age": 0.1, "liked": 0.0}, ("1", "2"), ("1", "2"))
    assert spoken(same) == "90\u00a0% popularity, 10\u00a0% age"
    assert compared(same) == "2 of 2 items are what everybody gets"
    assert compared(Influence({}, ("1", "2"), ("2", "1"))) == "2 of 2 items are what everybody gets, in another order"
    assert compared(Influence({}, ("1", "2"), ("3", "1"))) == "1 of 2 items is what everybody gets"


def test_a_link_carries_the_whole_state_and_comes_back(movielens):
    state = {
        "popularity": 0.3,
        "diversity": 0.5,
        "k": 7,
        "scorer": "cosine",
        "dataset": "movielens-100k",
        "category": [],
        "years": (1950, 1990),
    }
    put_profile(state, Profile(30, "F", {"occupation": "writer"}, ("a & b", "c=d"), ("50",)), movielens)

    link = make_link("http://127.0.0.1:1/recommend?old=1", state, movielens)

    params = parse_qs(urlsplit(link).query, keep_blank_values=True)
    assert params["interests"] == ["a & b", "c=d"]
    assert (params["age"], params["years"], params["category"]) == (["30"], ["1950", "1990"], [""])
    assert params["liked"] == ["Star Wars (1977)"]
    assert (params["popularity"], params["diversity"]) == (["0.3"], ["0.5"])
    assert check_link(params, movielens) == []


def test_a_random_profile_leaves_out_what_is_not_known_of_a_user(toy):
    unknown = replace(toy, users=toy.users.assign(age=np.nan, gender=None, occupation=None))

    found = random_profile(replace(unknown, users=unknown.users.astype({"age": float})), np.random.default_rng(0))

    assert found.age is None and found.gender is None and not found.attributes


def test_a_random_profile_is_plausible_and_depends_on_the_seed_alone(movielens):
    profiles = [random_profile(movielens, np.random.default_rng(seed)) for seed in range(50)]

    assert profiles == [random_profile(movielens, np.random.default_rng(seed)) for seed in range(50)]
    assert len({profile.age for profile in profiles}) > 10
    assert all(7 <= profile.age <= 73 and profile.interests for profile in profiles)


def test_a_dataset_is_opened_anew_when_its_own_files_change_and_not_for_a_build(tmp_path):
    folder = tmp_path / "toy"
    toy = write_folder(toy_dataset(), folder)
    before = resources._version(folder)
    (folder / "build.json").write_text("{}")
    (folder / ".writing.json").write_text("{}")
    (folder / "artifacts").mkdir()
    assert resources._version(folder) == before
    write_folder(replace(toy, items=toy.items.assign(title="another")), folder)
    assert resources._version(folder) != before
