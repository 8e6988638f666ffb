"""The knowledge graph of MovieLens-100K: actors, directors, subjects, sequels and more from Freebase, linked to films.

Source: W. X. Zhao et al., KB4Rec: A Data Set for Linking Knowledge Bases with Recommender Systems, Data Intelligence 1(2), 2019.
"""

from pathlib import Path

import pandas as pd

from recsys.datasets.movielens_ids import later_ids
from recsys.schema import GRAPH_COLUMNS, HEAD, RELATION, TAIL, no_graph

_TURNED = {
    "film.actor.film": "film.film.actor",
    "film.cinematographer.film": "film.film.cinematography",
    "film.content_rating.film": "film.film.rating",
    "film.director.film": "film.film.directed_by",
    "film.film.prequel": "film.film.sequel",
    "film.film_genre.films_in_this_genre": "film.film.genre",
    "film.film_subject.films": "film.film.subjects",
    "film.producer.film": "film.film.produced_by",
    "film.production_company.films": "film.film.production_companies",
    "film.writer.film": "film.film.written_by",
}
"""For a relation the one that says the same with head and tail exchanged, and with the film as its head."""


def read_graph(folder: Path) -> pd.DataFrame:
    """Reads ``ml-100k.kg`` and ``ml-100k.link`` into a graph; one without facts where either is missing.

    Most facts stand in the files twice, from either end. Each is kept once, with the film as its head; one that stands there
    only from its other end is turned around too, so that nothing is lost. The ids of films in ``ml-100k.link`` are those of
    the later MovieLens datasets, see ``movielens_ids``.

    Returns:
        head, relation and tail, sorted. A film of the catalog has its item_id there, everything else its Freebase id.
    """
    paths = folder / "ml-100k.kg", folder / "ml-100k.link"
    if not all(path.is_file() for path in paths):
        return no_graph()
    triples, links = (pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, quoting=3) for path in paths)
    entities = dict(links.itertuples(index=False, name=None))
    pairs = [(entities[later], item_id) for item_id, later in later_ids().items() if later in entities]
    films = pd.DataFrame(pairs, columns=["entity", "film"])
    graph = _once(triples.set_axis([*GRAPH_COLUMNS], axis=1)).pipe(_linked, films)
    is_told = graph[HEAD].isin(films["film"]) | graph[TAIL].isin(
        films["film"]
    )  # the rest is of films that are not there
    return graph[is_told].reset_index(drop=True)


def _once(graph: pd.DataFrame) -> pd.DataFrame:
    turned = graph[RELATION].isin(_TURNED)
    ends = {HEAD: graph[HEAD].where(~turned, graph[TAIL]), TAIL: graph[TAIL].where(~turned, graph[HEAD])}
    return graph.assign(**ends, **{RELATION: graph[RELATION].replace(_TURNED)}).drop_duplicates()


def _linked(graph: pd.DataFrame, films: pd.DataFrame) -> pd.DataFrame:
    """Replaces entities by films; a fact of a film that the catalog has twice is one of both."""
    for end in (HEAD, TAIL):
        graph = graph.merge(films, how="left", left_on=end, right_on="entity")
        graph = graph.assign(**{end: graph["film"].fillna(graph[end])})[[*GRAPH_COLUMNS]]
    return graph[graph[HEAD] != graph[TAIL]].sort_values([*GRAPH_COLUMNS], ignore_index=True)
