from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from recsys.schema import Dataset, DatasetInfo, no_graph
from recsys.views.fact_words import describe
from recsys.views.facts import ItemFact, facts_of
from recsys.views.relation import link_words, plural, readable, reversed_relation, word_of

TITLES = ("Alien", "Aliens", "Blade Runner", "Annie Hall", "Manhattan", "Home Movie")
ALIEN, ALIENS, RUNNER, HALL, MANHATTAN, HOME = range(6)
TRIPLES = [
    ("1", "film.film.directed_by", "m.0scott"),
    ("3", "film.film.directed_by", "m.0scott"),
    ("4", "film.film.directed_by", "Woody Allen"),
    ("5", "film.film.directed_by", "Woody Allen"),
    ("1", "film.film.sequel", "2"),
    ("1", "film.film.actor", "m.0weaver"),
    ("2", "film.film.actor", "m.0weaver"),
    ("4", "film.film.actor", "m.0weaver"),
    ("1", "film.film.actor", "m.0hurt"),
    ("4", "film.film.actor", "m.0hurt"),
    ("5", "film.film.actor", "m.0alone"),
    ("m.0fan", "liked.critic.film", "3"),
    ("m.0fan", "liked.critic.film", "5"),
]


def dataset_of(items: pd.DataFrame, graph: pd.DataFrame | None = None) -> Dataset:
    nobody, nothing = pd.DataFrame({"user_id": []}), pd.DataFrame({"user_id": [], "item_id": []})
    return Dataset("films", DatasetInfo("Films"), items, nobody, nothing, graph=no_graph() if graph is None else graph)


@pytest.fixture
def films() -> Dataset:
    items = pd.DataFrame({"item_id": [str(row + 1) for row in range(6)], "title": TITLES})
    return dataset_of(items, pd.DataFrame(TRIPLES, columns=["head", "relation", "tail"]))


def words(facts: tuple[ItemFact, ...]) -> list[str]:
    return [fact.link or fact.label for fact in facts]


def test_shared_facts_are_the_known_ones_and_rare_ones_come_first(films: Dataset):
    facts = facts_of(films)
    assert words(facts.shared(ALIEN, ALIENS)) == ["prequel of", "actor"]
    assert words(facts.shared(ALIENS, ALIEN)) == ["sequel of", "actor"]
    assert words(facts.shared(ALIEN, RUNNER)) == ["director"]
    assert words(facts.shared(HALL, MANHATTAN)) == ["director Woody Allen"]
    assert words(facts.shared(HALL, ALIEN)) == ["actor", "actor"]
    assert [fact.n_items for fact in facts.shared(HALL, ALIEN)] == [2, 3]
    assert facts.shared(ALIENS, RUNNER) == facts.shared(HOME, ALIEN) == facts.shared(ALIEN, ALIEN) == ()


def test_tails_of_one_head_share_what_it_is(films: Dataset):
    assert words(facts_of(films).shared(RUNNER, MANHATTAN)) == ["critic"]


def test_weights_of_shared_facts_sum_to_the_cosine(films: Dataset):
    facts = facts_of(films)
    matrix = facts.matrix.toarray()
    np.testing.assert_allclose(np.linalg.norm(matrix, axis=1), [1, 1, 1, 1, 1, 0], rtol=1e-6)
    idf = {n: np.log(5 / n) for n in (2, 3)}  # five of the six films have facts
    alien, aliens = np.sqrt(3 * idf[2] ** 2 + idf[3] ** 2), np.sqrt(idf[2] ** 2 + idf[3] ** 2)
    expected = (idf[2] ** 2 + idf[3] ** 2) / (alien * aliens)
    assert sum(fact.weight for fact in facts.shared(ALIEN, ALIENS)) == pytest.approx(expected, rel=1e-5)
    for a, b in np.ndindex(5, 5):
        if a != b:
            assert sum(fact.weight for fact in facts.shared(a, b)) == pytest.approx(matrix[a] @ matrix[b], abs=1e-6)


def test_a_fact_stated_twice_counts_once(films: Dataset):
    twice = replace(films, graph=pd.concat([films.graph, films.graph], ignore_index=True))
    assert facts_of(twice).key == facts_of(films).key
    assert facts_of(replace(films, graph=films.graph.iloc[:-1])).key != facts_of(films).key


def test_strongest_facts_of_an_item_lead_away_from_it(films: Dataset):
    facts = facts_of(films)
    assert set(words(facts.strongest(ALIEN, n=3))) == {"sequel Aliens", "director", "actor"}
    assert words(facts.strongest(ALIENS)) == ["actor"]
    assert facts.strongest(HOME) == ()
    assert sum(fact.weight**2 for fact in facts.strongest(ALIEN)) == pytest.approx(1, rel=1e-5)


def test_paths_are_the_strongest_over_all_others(films: Dataset):
    facts = facts_of(films)
    found = facts.paths(ALIEN, [ALIENS, RUNNER, HALL, HOME])
    assert [(path.labels, path.edge) for path in found][:2] == [
        (("Alien", "", "Aliens"), "prequel of"),
        (("Alien", "director", "Blade Runner"), "director"),
    ]
    assert [path.weight for path in found] == sorted([path.weight for path in found], reverse=True)
    assert len(found) == 5
    assert facts.paths(ALIEN, [ALIENS, RUNNER, HALL], n=2) == found[:2]
    assert facts.paths(HALL, [MANHATTAN])[0].labels == ("Annie Hall", "Woody Allen", "Manhattan")
    assert facts.paths(ALIEN, []) == ()


def test_attributes_are_facts_where_there_is_no_graph():
    n = 500
    items = pd.DataFrame(
        {
            "item_id": [f"{row:03d}" for row in range(n)],
            "title": ["same"] * n,
            "description": ["same"] * n,
            "categories": [("Tools", "Tools", "Garden") if row < 3 else () for row in range(n)],
            "year": pd.array([1990] * n, dtype="Int64"),
            "minutes": [7] * n,
            "is_new": [row < 9 for row in range(n)],
            "brand": [f" brand {row // 2}" for row in range(n)],
            "code": [f"code {row}" for row in range(n)],
            "text": ["long " * 20] * n,
            "colour": pd.Categorical([None, "red", "red", ""] + ["blue"] * (n - 4)),
            "language": ["en"] * n,
        }
    )
    facts = facts_of(dataset_of(items))
    assert set(facts.relations) == {"categories", "brand", "colour", "language"}
    assert words(facts.shared(0, 1)) == ["brand brand 0", "category Garden", "category Tools"]
    assert words(facts.shared(1, 2)) == ["colour red", "category Garden", "category Tools"]
    assert (facts.relation_of == facts.relations.index("brand")).sum() == 250
    assert words(facts.shared(3, 10)) == []  # what all have in common says nothing
    assert np.allclose(np.linalg.norm(facts.matrix.toarray(), axis=1), 1)


def test_what_nearly_all_have_is_no_path():
    items = pd.DataFrame(
        {"item_id": [f"{row:03d}" for row in range(300)], "title": "same", "language": ["en"] * 290 + ["de"] * 10}
    )
    facts = facts_of(dataset_of(items.assign(brand=["a", "a"] + [f"b{row // 2}" for row in range(298)])))
    assert words(facts.shared(0, 1)) == ["brand a", "language en"]
    assert [path.edge for path in facts.paths(0, [1, 2])] == ["brand"]


def test_a_catalog_without_facts():
    items = pd.DataFrame({"item_id": ["1", "2"], "title": ["a", "b"]})
    for catalog in (items, items.iloc[:0]):
        facts = facts_of(dataset_of(catalog))
        assert facts.matrix.shape == (len(catalog), 0)
        assert facts.relations == ()
    assert facts_of(dataset_of(items)).shared(0, 1) == ()


@pytest.mark.parametrize(
    ("relation", "word"),
    [
        ("film.film.directed_by", "director"),
        ("film.film.award_nomination", "award nomination"),
        ("http://schema.org/isBasedOn", "is based on"),
        ("record_label", "record label"),
        ("categories", "category"),
        (reversed_relation("film.director.film"), "director"),
        (reversed_relation("film.film.sequel"), "prequel"),
        (reversed_relation("knows"), "knows"),
        ("", "fact"),
        ("...", "fact"),
    ],
)
def test_any_relation_has_a_word(relation: str, word: str):
    assert word_of(relation) == word


def test_links_and_plurals():
    assert link_words("film.film.sequel") == ("prequel of", "sequel of")
    assert link_words("similar_to") == ("similar to", "linked to")
    assert link_words("remake") == ("linked by remake to",) * 2
    assert [plural(word) for word in ("actor", "country", "essay", "series", "box")] == [
        "actors", "countries", "essays", "series", "boxes",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "raw",
    [
        "m.0bln8",
        "m.02vxxgs",
        "/m/0bln8",
        "Q42",
        "nm0000123",
        "http://x.org/a",
        "dbr:Alien",
        "123",
        "a3f09c1b77de5501",
        "",
    ],
)
def test_identifiers_are_never_shown(raw: str):
    assert readable(raw) == ""


@pytest.mark.parametrize("name", ["Ridley Scott", "Velomarsh", "黒澤明", "AC/DC", "Blink 182", "Étoile"])
def test_names_are_shown(name: str):
    assert readable(f" {name} ") == name


def fact(word: str, name: str = "", weight: float = 0.1, link: str = "") -> ItemFact:
    return ItemFact(word, word, name, weight, 2, link)


@pytest.mark.parametrize(
    ("shared", "phrase"),
    [
        ([], ""),
        ([fact("director", weight=0.5), fact("actor"), fact("actor")], "shares director and 2 actors with Alien"),
        ([fact("brand", "Velomarsh")], "same brand Velomarsh as Alien"),
        ([fact("director")], "shares director with Alien"),
        ([fact("director", weight=0.2), *[fact("award")] * 9], "shares director and 9 awards with Alien"),
        ([fact("director"), fact("language", "en", 0.0001)], "shares director with Alien"),
        ([fact("language", "en", 0.0001)], ""),
        ([fact("sequel", "Alien", 0.9, "sequel of"), fact("actor")], "sequel of Alien, shares actor"),
        ([fact("sequel", "Alien", 0.9, "sequel of")], "sequel of Alien"),
        ([fact("category", "A"), fact("category", "B")], "shares categories A and B with Alien"),
        ([fact("actor", "A"), fact("actor")], "shares 2 actors with Alien"),
        ([fact("actor", name) for name in "ABCD"], "shares 4 actors with Alien"),
        ([fact(name, weight=w) for name, w in zip("abcd", (0.1, 0.4, 0.3, 0.2), strict=True)],
         "shares b, c and d with Alien"),
    ],
)  # fmt: skip
def test_description(shared: list[ItemFact], phrase: str):
    assert describe(shared, "Alien") == phrase
