"""The stakeholder pack: one file that says what the comparison says, runs nothing, loads nothing, and escapes everything."""

import json
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest

from recsys.errors import DataError
from recsys.projection import Atlas, Clusters, Map, MapConfig, Trust, open_space
from recsys.recommender import Recommender
from recsys.schema import ITEM_ID, Dataset, ItemFilter, Profile
from recsys.whatif import Scenario, compare, make_scenario, to_pack
from recsys.whatif.pack_figures import bar, signed
from recsys.whatif.pack_map import map_figure
from tests.hostile import TITLES, write_hostile
from tests.toy import ToyEncoder

A = Profile(30, "F", {"occupation": "student"}, ("space",), ("03",))
B = Profile(60, "M", {"occupation": "student"}, ("romance",), ("03",))
MADE = "2025-01-31T12:00:00+00:00"
VOID = {"meta", "br"}
NOT_ALLOWED = {"script", "iframe", "img", "link", "object", "embed", "base", "form", "foreignobject", "audio", "video"}


class Page(HTMLParser):
    """Reads a page as a browser would, and keeps what it is made of."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID and tag not in ("circle", "rect", "path", "polygon"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in ("circle", "rect", "path", "polygon"):
            assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def all(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        found = [own for name, own in self.tags if name == tag]
        return [own for own in found if all(own.get(key) == value for key, value in attributes.items())]


def atlas_of(recommender, coordinates=None) -> Atlas:
    n = len(recommender.dataset.items)
    spots = np.random.default_rng(1).normal(size=(n, 2)) if coordinates is None else coordinates
    space = open_space("text", recommender.scorer, recommender.embeddings)
    clusters = Clusters(np.zeros(n, int), ("<group> · one",), np.zeros((1, 2)))
    return Atlas(space, Map(spots, MapConfig()), Trust(0.9, 0.9, np.full(n, 0.25), n), clusters, np.zeros((n, 0), int))


def pack_of(recommender, first=A, second=B, *, k=4, atlas=..., places=None, notes="", scenario=None, **asked):
    comparison = compare(recommender, first, second, k=k, **asked)
    made = make_scenario(recommender, {"A": first, "B": second, "Ann": first}, made=MADE, k=k, **asked)
    sides = {"A": comparison.first, "B": comparison.second}
    explanations = {
        name: [recommender.explain(found.profile, item_id) for item_id in found.table[ITEM_ID][:2]]
        for name, found in sides.items()
    }
    text = to_pack(
        recommender,
        comparison,
        explanations=explanations,
        atlas=atlas_of(recommender) if atlas is ... else atlas,
        places=places or {"A": np.zeros(2), "B": np.ones(2)},
        scenario=scenario or made,
        notes=notes,
        about={"dataset": "Toy <world>", "encoder": "toy"},
    )
    return text, Page(text), comparison


@pytest.fixture(params=["cosine", "additive"])
def recommender(request, toy, toy_encoder) -> Recommender:
    return Recommender.from_dataset(toy, scorer=request.param, encoder=toy_encoder, views=())


@pytest.fixture
def additive(toy, toy_encoder) -> Recommender:
    return Recommender.from_dataset(toy, scorer="additive", encoder=toy_encoder)


def assert_harmless(text: str, page: Page) -> None:
    assert NOT_ALLOWED.isdisjoint(tag for tag, _ in page.tags)
    for _, attributes in page.tags:
        assert {"src", "href", "srcset", "action", "data", "srcdoc", "xlink:href"}.isdisjoint(attributes)
        assert not any(name.startswith("on") for name in attributes)
        assert "url(" not in (attributes.get("style") or "")
    style = re.search("<style>(.*?)</style>", text, re.S)[1]
    assert "url(" not in style
    assert "@import" not in style
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert page.all("meta", **{"http-equiv": "Content-Security-Policy", "content": policy})


def test_the_file_runs_nothing_and_loads_nothing(recommender):
    text, page, _ = pack_of(recommender, notes="First.\n\nSecond <b>&\nthird")

    assert_harmless(text, page)
    assert "http://" not in text
    assert "https://" not in text
    assert "First." in page.texts
    assert [data for data in page.texts if "Second" in data] == ["Second <b>&"]
    assert "31 January 2025" in page.text
    assert "dataset: Toy <world> · encoder: toy" in page.text
    assert len(text.encode()) < 100_000


def test_headings_tables_and_pictures_can_be_read_aloud(recommender):
    _, page, _ = pack_of(recommender)

    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.all("th")
    assert all(own.get("scope") in ("col", "row") for own in page.all("th"))
    assert len(page.all("svg")) == 3  # the lines, and the map wide and narrow
    assert all(own.get("role") == "img" for own in page.all("svg"))
    names = [tag for tag, _ in page.tags]
    assert all(names[n + 1] == "title" for n, tag in enumerate(names) if tag == "svg")
    assert len(page.all("caption")) == len(page.all("table"))


def test_both_lists_stand_in_their_order(recommender):
    text, _, comparison = pack_of(recommender)

    sides = re.findall(r"<ol style=.*?</ol>", text, re.S)
    for side, found in zip(sides, (comparison.first, comparison.second), strict=True):
        labels = [recommender.dataset.labels[recommender.dataset.item_row(i)] for i in found.table[ITEM_ID]]
        assert [unescape(title) for title in re.findall(r"class=title>(.*?)</span>", side)] == labels
        assert re.findall(r"class=rank>(\d+)<", side) == [str(n) for n in range(1, 5)]


def test_lines_join_the_places_of_each_item(recommender):
    text, _, comparison = pack_of(recommender)

    drawn = {title: (kind, d) for kind, d, title in re.findall(r'<path class=(\w+) d="([^"]*)"><title>([^:<]*):', text)}
    assert len(drawn) == len(comparison.changes)
    assert {change.kind for change in comparison.changes} > {"entered", "left"}
    for change in comparison.changes:
        kind, d = drawn[change.title]
        ends = [100 * place - 50 for place in (change.first_place, change.second_place) if place]
        assert kind == change.kind
        if kind == "entered":
            assert d == f"M70 {ends[0]}H97"
        elif kind == "left":
            assert d == f"M3 {ends[0]}H30"
        else:
            assert d == f"M3 {ends[0]}C45 {ends[0]} 55 {ends[1]} 97 {ends[1]}"


def test_every_changed_item_has_its_reason_and_parts_that_sum_to_its_shift(recommender):
    text, _, comparison = pack_of(recommender)
    table = re.search(r"<table role=table class=cards>.*?</table>", text, re.S)[0]
    rows = [Page(row).text for row in re.findall(r"<tr role=row>(?!<th scope=col).*?</tr>", table, re.S)]
    changed = comparison.of_kind("entered", "left", "up", "down")
    reasons = {
        name: dict(zip(found.table[ITEM_ID], recommender.reasons(found), strict=True))
        for name, found in (("A", comparison.first), ("B", comparison.second))
    }

    assert len(rows) == len(changed) > 0
    for row, change in zip(rows, changed, strict=True):
        side = "A" if change.kind == "left" else "B"
        assert row.startswith(change.title)
        assert f"For {side}: {reasons[side][change.item_id]}." in row
        assert f"({signed(change.shift)})" in row
        values = re.findall(r"[+−]\d\.\d{3}(?!\))", row.split("score", 1)[1].split(")", 1)[1])
        assert sum(float(value.replace("−", "-")) for value in values) == pytest.approx(change.shift, abs=0.0025)


def test_explanations_add_up_from_row_to_row(recommender):
    text, _, comparison = pack_of(recommender)
    cards = re.findall(r"<div class=card>.*?</table>", text, re.S)

    assert len(cards) == 4
    for card, found in zip(cards, (comparison.first,) * 2 + (comparison.second,) * 2, strict=True):
        total = float(re.search(r"score ([−\d.]+)", Page(card + "</div>").text)[1].replace("−", "-"))
        cells = [float(value.replace("−", "-")) for value in re.findall(r"<td role=cell class=n[^>]*>([^<]+)<", card)]
        adds, sums = cells[::2], cells[1::2]
        assert sums[-1] == pytest.approx(total, abs=1e-9)
        assert np.cumsum(adds) == pytest.approx(sums, abs=0.004)
        assert total == pytest.approx(found.table["score"].iloc[0], abs=0.5)


def test_small_parts_of_a_long_explanation_are_summed(additive):
    first = replace(A, interests=("space", "romance", "comedy"), liked=tuple(f"{n:02d}" for n in range(3, 9)))
    comparison = compare(additive, first, B, k=4)
    scenario = make_scenario(additive, {"A": first, "B": B}, made=MADE, k=4)
    explanation = additive.explain(first, "00")

    text = to_pack(
        additive, comparison, explanations={"A": [explanation]}, atlas=None, places={}, scenario=scenario, about={}
    )

    card = re.search(r"<div class=card>.*?</table>", text, re.S)[0]
    rows = [unescape(row) for row in re.findall(r"<th scope=row[^>]*>([^<]*)<", card)]
    parts = {part.facet.label: part.contribution for part in explanation.parts}
    assert len(parts) == 13
    assert len(rows) == 10
    assert rows[-1] == "4 smaller parts"
    rest = [value for label, value in parts.items() if label not in rows]
    assert max(map(abs, rest)) <= min(abs(parts[row]) for row in rows[:-1])
    assert f">{signed(sum(rest))}<" in card.split("4 smaller parts")[1]
    assert "For B</h3>" not in text


def test_an_explanation_that_does_not_add_up_is_not_drawn(additive):
    comparison = compare(additive, A, B, k=4)
    scenario = make_scenario(additive, {"A": A, "B": B}, made=MADE, k=4)
    broken = replace(additive.explain(A, "00"), completeness_error=1.0)

    text = to_pack(
        additive, comparison, explanations={"A": [broken]}, atlas=None, places={}, scenario=scenario, about={}
    )

    assert "Why the first items are there" not in text
    assert "Where they stand" not in text


def test_the_summary_says_what_the_comparison_found(additive):
    _, page, comparison = pack_of(additive)
    n_moved = len(comparison.of_kind("up", "down"))

    assert f"A and B share {round(4 * comparison.overlap)} of 4 items, {n_moved} of them at another place." in page.text
    assert n_moved > 0
    for kind, side in (("entered", "B"), ("left", "A")):
        titles = [f"“{change.title}”" for change in comparison.of_kind(kind)]
        assert f"Only {side} sees {' and '.join(titles) if len(titles) < 3 else titles[0]}" in page.text
    row = comparison.categories.iloc[0]
    assert f"For B there is more {row['category']} ({signed(100 * row['shift'], 0)} points)" in page.text
    first, second = comparison.likes
    assert f"A's list have {first:,.0f} likes on average in the data, those of B's list {second:,.0f}." in page.text
    assert "30-year-old female student" in page.text
    assert "60-year-old male student" in page.text
    shares = [float(share) for share in re.findall(r"\((\d+)%\)", page.text.split("What made the difference")[1])]
    assert sum(shares) == pytest.approx(100, abs=2)


def test_the_same_person_twice_changes_nothing(recommender):
    _, page, comparison = pack_of(recommender, A, A)

    assert "A and B see the same list, all 4 items in the same order." in page.text
    assert "Nothing: both see the same items in the same order." in page.text
    assert "What made the difference" not in page.text
    assert all(change.kind == "same" for change in comparison.changes)


def test_lists_that_share_nothing_say_so(toy, toy_encoder):
    recommender = Recommender.from_dataset(toy, scorer="cosine", encoder=toy_encoder)

    _, page, _ = pack_of(recommender, Profile(interests=("space",)), Profile(interests=("romance",)), k=3)

    assert "A and B share none of 3 items." in page.text


def test_a_person_of_whom_nothing_is_known_lies_nowhere(recommender):
    _, page, _ = pack_of(recommender, Profile(), B, places={"A": np.full(2, np.nan), "B": np.zeros(2)})

    assert "Nothing is known of this person." in page.text
    assert "A says too little to lie anywhere" in page.text
    assert page.text.count("B lies here") == 3  # two maps and the legend
    assert "A lies here" not in page.text


def test_empty_lists_are_told(toy, toy_encoder):
    recommender = Recommender.from_dataset(toy, scorer="cosine", encoder=toy_encoder)

    _, page, _ = pack_of(recommender, keep=ItemFilter(years=(1800, 1801)))

    assert "Both lists are empty." in page.text
    assert "only years 1800 to 1801" in page.text


def test_the_notes_on_trust_fit_the_scorer_and_the_data(toy, toy_encoder):
    cosine = Recommender.from_dataset(toy, scorer="cosine", encoder=toy_encoder)
    simulated = replace(toy, info=replace(toy.info, simulated=True))
    additive = Recommender.from_dataset(simulated, scorer="additive", encoder=toy_encoder)

    of_cosine, of_additive = pack_of(cosine)[1].text, pack_of(additive, popularity=0.5, diversity=0.25)[1].text

    assert "Similarity is not taste" in of_cosine
    assert "simulated" not in of_cosine
    assert "Similarity is not taste" not in of_additive
    assert f"learned from {len(toy.likes)} likes of 6 people" in of_additive
    assert "are simulated" in of_additive
    assert "popularity weighs 50%; diversity 25%" in of_additive
    assert "it keeps 25% near" in of_additive


def test_the_scenario_can_be_copied_out(recommender):
    text, page, _ = pack_of(recommender)
    copied = unescape(re.search(r"<pre>(.*?)</pre>", text, re.S)[1])

    found = Scenario.from_json(copied)

    assert dict(found.profiles) == {"A": A, "B": B, "Ann": A}
    assert json.loads(copied)["made"] == MADE
    assert found.to_json() == copied
    assert page.all("details")


def test_a_scenario_of_another_comparison_is_refused(additive):
    for profiles, k in (({"A": B, "B": A}, 4), ({"A": A, "B": B}, 3), ({"A": A}, 4)):
        with pytest.raises(DataError, match="another profile or list"):
            pack_of(additive, scenario=make_scenario(additive, profiles, made=MADE, k=k))


def test_a_hostile_catalog_stands_in_the_file_as_text(tmp_path):
    dataset: Dataset = write_hostile(tmp_path / "hostile")
    first = Profile(20, "F", {"job": "a"}, ("<img src=x onerror=alert(9)>",), ("00<b>",))
    second = replace(
        first, gender="<i>M</i>", attributes={"job": "<u>b</u>"}, interests=("</style><script>1</script>",)
    )
    notes = "</p><script>alert(1)</script>\n\n<img src=x onerror=alert(1)>"
    for scorer in ("cosine", "additive"):
        recommender = Recommender.from_dataset(dataset, scorer=scorer, encoder=ToyEncoder())

        text, page, comparison = pack_of(recommender, first, second, k=12, notes=notes)

        assert_harmless(text, page)
        assert len(comparison.changes) == 11
        for title in TITLES[1:]:
            assert title in page.text
        assert "</p><script>alert(1)</script>" in page.texts
        assert {tag for tag, _ in page.tags}.isdisjoint({"u", "marquee"})
        assert len(page.all("i")) == text.count("<i class=")
        assert "<group> · one" in page.texts


def test_letters_that_no_file_can_hold_are_replaced(additive):
    text, _, _ = pack_of(additive, notes="half a letter: \ud800")

    assert "half a letter: ?" in text.encode("utf-8").decode()


def test_a_large_map_is_sampled_but_shows_every_listed_item(additive):
    comparison = compare(additive, A, B, k=4)
    n = 20_000
    spots = np.random.default_rng(0).normal(size=(n, 2))
    atlas = atlas_of(additive, spots)
    spots[n - 1] = (0.0, 60.0)
    changes = [replace(change, item_row=n - 1 - 7 * at) for at, change in enumerate(comparison.changes)]

    drawn = map_figure(atlas, changes, {"A": np.array([50.0, 0.0])})

    wide = drawn.split("</svg>")[0]
    dots = re.search(r"class=dots d=\"(.*?)\"", wide)[1].count("h0")
    assert 2_900 < dots <= 3_000
    for change in changes:
        assert wide.count(f"<title>{change.title}</title>") == 1
    highest = re.search(r'<path class=lead d="M([\d.]+) ([\d.]+)L', wide)
    assert float(highest[2]) == 28.0  # the first item lies far above all others, so at the upper margin
    assert f"M{float(highest[1]):.0f} 28h0" in wide
    assert wide.count("class=star") == 1
    assert len(drawn) < 100_000


def test_marks_on_one_spot_are_moved_apart(additive):
    comparison = compare(additive, A, B, k=4)
    drawn = map_figure(atlas_of(additive, np.ones((12, 2))), comparison.changes, {"A": np.ones(2)})

    for picture in drawn.split("</svg>")[:2]:
        places = re.findall(r'<text x="([\d.]+)" y="([\d.]+)">\d+</text>', picture)
        found = np.array(places, float)
        gaps = np.linalg.norm(found[:, None] - found[None], axis=2) + 1e9 * np.eye(len(found))
        assert len(found) == len(comparison.changes)
        assert gaps.min() > 20


def test_bars_stand_where_their_numbers_say():
    assert 'left:50.00%;width:25.00%"></i><b style="left:50.00%"' in bar(1.0, -2.0, 2.0)
    assert 'class=minus style="left:37.50%;width:12.50%"' in bar(-0.5, -2.0, 2.0)
    assert 'class=minus style="left:60.00%;width:20.00%"' in bar(-0.2, 0.0, 1.0, start=0.8)
    assert [signed(-0.00004), signed(0.25, 1), signed(-30.0, 0)] == ["+0.000", "+0.2", "−30"]
