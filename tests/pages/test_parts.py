"""Parts of pages that need no running app."""

import xml.etree.ElementTree as ET
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from pages.shared import figures
from pages.shared.form import put_profile, random_profile
from pages.shared.link import check_link, make_link
from pages.shared.widgets import plain
from recsys.schema import Facet, Profile

FACETS = (Facet("age", "age", "Age <20>"), Facet("interest:a", "interest", "“a”"))


def test_plain_escapes_what_markdown_would_act_on():
    assert plain("**a** <b> [x](y) $z$ :red[q]") == (r"\*\*a\*\* \<b\> \[x\]\(y\) \$z\$ \:red\[q\]")
    assert "www." not in plain("see www.evil.example").replace("\\", "")


def test_the_score_bar_is_valid_svg_with_one_part_for_each_facet():
    root = ET.fromstring(figures.score_bar([0.5, -0.25], FACETS, scale=0.5, is_dark=False))

    parts = [node for node in root if len(node)]
    widths = [float(part.get("width")) for part in parts]
    assert [part[0].text for part in parts] == ["Age <20>: +0.500", "“a”: -0.250"]
    assert widths[0] + 1 == pytest.approx(2 * (widths[1] + 1))
    assert float(parts[1].get("x")) < float(parts[0].get("x"))


def test_the_largest_side_sums_each_sign_alone():
    assert figures.largest_side([[1.0, -3.0, 1.0], [2.5, 0.0, 0.0]]) == 3.0
    assert figures.largest_side([]) == 0.0


def test_a_link_carries_the_whole_state_and_comes_back(movielens):
    state = {"k": 7, "scorer": "cosine", "dataset": "movielens-100k", "category": [], "years": (1950, 1990)}
    put_profile(state, Profile(30, "F", {"occupation": "writer"}, ("a & b", "c=d"), ("50",)), movielens)

    link = make_link("http://127.0.0.1:1/recommend?old=1", state, movielens)

    params = parse_qs(urlsplit(link).query, keep_blank_values=True)
    assert params["interests"] == ["a & b", "c=d"]
    assert (params["age"], params["years"], params["category"]) == (["30"], ["1950", "1990"], [""])
    assert params["liked"] == ["Star Wars (1977)"]
    assert check_link(params, movielens) == []


def test_a_random_profile_is_plausible_and_depends_on_the_seed_alone(movielens):
    profiles = [random_profile(movielens, np.random.default_rng(seed)) for seed in range(50)]

    assert profiles == [random_profile(movielens, np.random.default_rng(seed)) for seed in range(50)]
    assert len({profile.age for profile in profiles}) > 10
    assert all(7 <= profile.age <= 73 and profile.interests for profile in profiles)
