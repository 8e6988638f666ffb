"""Maps whose geometry is known, the same every time, and profiles that always land on the same spot."""

from dataclasses import replace

import numpy as np
import pytest

from recsys.errors import ArtifactError
from recsys.projection import (
    ItemSpace,
    Map,
    MapConfig,
    Placer,
    find_clusters,
    fit_atlas,
    fit_pca,
    fit_umap,
    measure_trust,
    membership,
    nearest_items,
    nearest_on_map,
    nearest_to,
    open_atlas,
    open_or_fit_atlas,
    open_people,
    open_space,
    people_of,
    place_people,
    rows_of_people,
    spaces_of,
)
from recsys.projection.clusters import name_clusters
from recsys.recommender import Recommender
from recsys.schema import Profile
from recsys.views.text import item_texts
from tests.training.world import world as known_tastes


def three_clusters(n: int = 60, dim: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Three tight bundles on perpendicular directions, and which each row belongs to."""
    rng = np.random.default_rng(0)
    kinds = np.repeat(np.arange(3), n)
    vectors = np.eye(dim)[kinds] + 0.05 * rng.standard_normal((3 * n, dim))
    return vectors.astype(np.float32), kinds


@pytest.fixture(scope="module")
def clustered():
    vectors, kinds = three_clusters()
    return vectors, kinds, fit_umap(vectors)


def test_well_separated_clusters_come_out_separated(clustered):
    _, kinds, made = clustered
    centres = np.array([made.coordinates[kinds == kind].mean(axis=0) for kind in range(3)])
    radius = max(np.linalg.norm(made.coordinates[kinds == kind] - centres[kind], axis=1).max() for kind in range(3))
    gaps = [np.linalg.norm(centres[a] - centres[b]) for a, b in ((0, 1), (0, 2), (1, 2))]

    assert min(gaps) > 2 * radius
    near = nearest_on_map(made.coordinates, 10)
    assert (kinds[near] == kinds[:, None]).all()


def test_a_true_map_is_trusted_and_a_shuffled_one_is_not(clustered):
    vectors, _, made = clustered
    shuffled = np.random.default_rng(1).permutation(made.coordinates)

    true, chance = measure_trust(vectors, made.coordinates), measure_trust(vectors, shuffled)

    assert min(true.trustworthiness, true.continuity) > 0.9
    assert chance.trustworthiness == pytest.approx(0.5, abs=0.08)
    assert chance.continuity == pytest.approx(0.5, abs=0.08)
    assert true.mean_kept > 3 * chance.mean_kept
    assert chance.mean_kept == pytest.approx(15 / 179, abs=0.03)


@pytest.mark.parametrize("n_components", [2, 3])
def test_fitting_twice_gives_the_same_coordinates(n_components):
    vectors, _ = three_clusters(20)
    config = MapConfig(n_components=n_components)

    first, again = fit_umap(vectors, config), fit_umap(vectors, config)

    assert first.coordinates.shape == (60, n_components)
    np.testing.assert_array_equal(first.coordinates, again.coordinates)
    np.testing.assert_array_equal(
        fit_pca(vectors, n_components).coordinates, fit_pca(vectors, n_components).coordinates
    )


@pytest.mark.parametrize("n", [0, 1, 2, 5, 8])
def test_tiny_catalogs_have_maps_too(n):
    vectors = np.random.default_rng(0).standard_normal((n, 4)).astype(np.float32)

    made = fit_umap(vectors)

    assert made.coordinates.shape == (n, 2)
    assert np.isfinite(made.coordinates).all()
    assert len(measure_trust(vectors, made.coordinates).kept) == n


def test_progress_reaches_the_end():
    told = []

    fit_umap(three_clusters(20)[0], progress=lambda *step: told.append(step))

    assert told[0][0] == "find neighbours"
    assert told[-1][1] == told[-1][2] > 100


def test_memberships_are_those_of_umap():
    strengths = membership(np.linspace(0.1, 0.8, 15))

    assert strengths[0] == 1
    assert (np.diff(strengths) < 0).all()
    assert strengths.sum() == pytest.approx(np.log2(15), abs=1e-3)
    assert membership(np.array([0.3])).tolist() == [1.0]


def world(toy, toy_encoder, scorer="additive"):
    recommender = Recommender.from_dataset(toy, scorer=scorer, encoder=toy_encoder)
    return recommender, [
        open_space(name, recommender.scorer, recommender.embeddings) for name in spaces_of(recommender.scorer)
    ]


@pytest.mark.parametrize("scorer", ["additive", "cosine"])
def test_a_profile_lies_where_its_scores_say(toy, toy_encoder, scorer):
    recommender, spaces = world(toy, toy_encoder, scorer)
    profile = Profile(age=30, interests=("space",))
    prior = recommender.score_all(Profile()).values

    assert [space.name for space in spaces] == ["text", "graph", *(["taste"] if scorer == "additive" else [])]
    parts = recommender.scorer.facet_vectors(profile).vectors.sum(axis=0)
    shares = recommender.scorer.item_parts(np.arange(12))
    for space in spaces:
        vector = space.profile_vectors([profile])[0]
        told = (np.asarray(space.vectors, float) - space.origin) @ vector
        scores = recommender.score_all(profile).values - prior
        expected = scores if space.name == "taste" else shares[space.name] @ parts
        np.testing.assert_allclose(told, expected, atol=1e-6)
    cold = toy.popularity == 0  # of cold items the views are everything
    np.testing.assert_allclose((shares["text"] + shares["graph"])[cold] @ parts, scores[cold], atol=1e-6)


def test_the_same_profile_always_lands_on_the_same_spot(movielens, minilm, tmp_path):
    recommender = Recommender.from_dataset(movielens, scorer="additive", encoder=minilm)
    texts = item_texts(movielens)
    space = open_space("taste", recommender.scorer, recommender.embeddings)
    config = MapConfig()
    atlas = open_or_fit_atlas(space, config, texts, movielens.folder)
    profile = Profile(27, "F", {"occupation": "student"}, ("science fiction",), ("50",))
    others = people_of(movielens)[:30]

    alone = atlas.place(profile)
    batch = place_people(atlas, [*others, profile, *others], texts, None)
    again = open_atlas(space, config, texts, movielens.folder).place(profile)  # as after a restart

    np.testing.assert_array_equal(alone.spot, batch[30])
    np.testing.assert_array_equal(alone.spot, again.spot)
    np.testing.assert_array_equal(batch[:30], batch[31:])
    inside = atlas.items.coordinates
    assert (alone.spot >= inside.min(axis=0) - 1).all()
    assert (alone.spot <= inside.max(axis=0) + 1).all()


def test_a_profile_that_is_an_item_lands_beside_it(clustered):
    vectors, kinds, made = clustered

    class Same:
        item_map = None

    placer = Placer(ItemSpace("text", vectors, np.zeros(vectors.shape[1]), Same()), made)
    for row in range(0, 180, 20):
        place = placer.place(vectors[row].astype(float))
        assert place.neighbours[0] == row
        nearest = np.linalg.norm(made.coordinates - place.spot, axis=1).argsort()[:5]
        assert (kinds[nearest] == kinds[row]).all()
        assert 0 <= place.kept <= 1


def test_downhill_on_umaps_objective_means_no_worse_than_where_it_started(clustered):
    vectors, _, made = clustered
    space = ItemSpace("text", vectors, np.zeros(vectors.shape[1]), None)
    placer = Placer(space, made)
    near = nearest_items(vectors, 15)[7]
    weights = membership(np.linspace(0.0, 0.3, 15))
    start = weights @ made.coordinates[near].astype(float) / weights.sum()
    push = 5 * weights.sum() / len(vectors)

    def cost(spot):
        return placer._objective(spot, made.coordinates[near].astype(float), weights, push)

    found = placer._descend(near, weights)
    assert cost(found)[0] <= cost(start)[0]
    step = 1e-5
    numeric = [(cost(start + step * e)[0] - cost(start - step * e)[0]) / (2 * step) for e in np.eye(2)]
    np.testing.assert_allclose(cost(start)[1], numeric, rtol=1e-3, atol=1e-4)


def test_an_empty_profile_lies_nowhere(toy, toy_encoder):
    _, spaces = world(toy, toy_encoder)
    for space in spaces:
        atlas = fit_atlas(space, MapConfig(), item_texts(toy))
        place = atlas.place(Profile())
        assert not place.is_somewhere
        assert len(place.neighbours) == 0


def test_atlases_are_kept_and_outdated_ones_not_found(toy_folder, toy_encoder):
    _, (text, *_) = world(toy_folder, toy_encoder)
    texts = item_texts(toy_folder)
    with pytest.raises(ArtifactError):
        open_atlas(text, MapConfig(), texts, toy_folder.folder)

    made = open_or_fit_atlas(text, MapConfig(), texts, toy_folder.folder)
    kept = open_atlas(text, MapConfig(), texts, toy_folder.folder)

    np.testing.assert_array_equal(made.items.coordinates, kept.items.coordinates)
    np.testing.assert_array_equal(kept.near, nearest_items(text.vectors, 15))
    assert kept.trust.k == made.trust.k == 5  # of twelve items
    assert (kept.items.a, kept.clusters.labels) == (made.items.a, made.clusters.labels)
    with pytest.raises(ArtifactError):
        open_atlas(text, MapConfig(seed=1), texts, toy_folder.folder)
    with pytest.raises(ArtifactError):
        open_atlas(text, MapConfig(), [*texts[:-1], "changed"], toy_folder.folder)
    people = people_of(toy_folder)
    with pytest.raises(ArtifactError):
        open_people(made, people, texts, toy_folder.folder)
    first = place_people(made, people, texts, toy_folder.folder)
    np.testing.assert_array_equal(first, place_people(kept, people, texts, toy_folder.folder))
    np.testing.assert_array_equal(first, open_people(kept, people, texts, toy_folder.folder))
    assert len(first) == len(toy_folder.users)


def test_people_are_found_again_by_a_process_whose_last_digits_differ(toy_folder, toy_encoder, monkeypatch):
    _, (text, *_) = world(toy_folder, toy_encoder)
    texts, people = item_texts(toy_folder), people_of(toy_folder)
    atlas = fit_atlas(text, MapConfig(), texts)
    placed = place_people(atlas, people, texts, toy_folder.folder)
    exact = ItemSpace.profile_vectors
    monkeypatch.setattr(ItemSpace, "profile_vectors", lambda self, profiles: exact(self, profiles) * (1 + 1e-4))

    np.testing.assert_array_equal(open_people(atlas, people, texts, toy_folder.folder), placed)
    with pytest.raises(ArtifactError):
        open_people(atlas, people[1:], texts, toy_folder.folder)


def test_of_very_many_people_a_sample_stands_on_the_map_always_the_same(toy):
    everybody = people_of(toy)

    some = people_of(toy, most=3)

    assert len(some) == 3
    assert some == people_of(toy, most=3)
    assert all(profile in everybody for profile in some)


def test_a_sampled_person_is_described_as_among_everybody():
    dataset = known_tastes()
    everybody = people_of(dataset)

    assert all(profile in everybody for profile in people_of(dataset, most=9))


def test_the_rows_of_sampled_people_are_theirs():
    dataset = known_tastes()
    everybody, rows = people_of(dataset), rows_of_people(dataset, most=9)

    assert [everybody[row] for row in rows] == people_of(dataset, most=9)
    assert rows.tolist() != list(range(9))
    assert rows_of_people(dataset).tolist() == list(range(len(everybody)))
    assert len(rows_of_people(replace(dataset, interactions=dataset.interactions[:0]))) == 0


def test_of_one_or_two_items_no_trust_is_known():
    for n in (1, 2):
        trust = measure_trust(np.eye(2, dtype=np.float32)[:n], np.eye(2)[:n])
        assert trust.k == 0
        assert np.isnan([trust.trustworthiness, trust.continuity, trust.mean_kept]).all()


def test_groups_are_named_by_what_sets_them_apart():
    _, kinds = three_clusters()
    coordinates = np.eye(3)[kinds][:, :2] * 10 + np.random.default_rng(0).standard_normal((180, 2)) * 0.1
    words = ("whale ocean", "rocket moon", "kiss wedding")
    texts = [f"the film {words[kind]} unique{n}" for n, kind in enumerate(kinds)]

    found = find_clusters(coordinates, texts)

    assert len(found.labels) == 3
    for number, label in enumerate(found.labels):
        kind = kinds[found.numbers == number][0]
        assert set(words[kind].split()) <= set(label.split(" · "))
        assert "unique" not in label
        np.testing.assert_allclose(found.centres[number], coordinates[kinds == kind].mean(axis=0), atol=0.3)


def test_two_groups_never_share_a_name():
    texts = ["sea ship"] * 5 + ["sea ship"] * 5 + ["moon rocket"] * 5

    labels = name_clusters(np.repeat(np.arange(3), 5), texts, 3)

    assert labels == ("sea · ship", "sea · ship (2)", "moon · rocket")


def test_nearest_items_are_exact_and_never_the_item_itself():
    vectors = np.random.default_rng(0).standard_normal((50, 6)).astype(np.float32)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = np.argsort(-(unit @ unit.T - 9 * np.eye(50)), axis=1)[:, :5]

    np.testing.assert_array_equal(nearest_items(vectors, 5), expected)
    np.testing.assert_array_equal([nearest_to(vectors, row, 5) for row in range(50)], expected)
    assert nearest_items(vectors[:1]).shape == (1, 0)
    assert nearest_to(vectors[:1], 0).shape == (0,)
    told = []
    nearest_items(np.tile(vectors, (50, 1)), progress=lambda done, total: told.append((done, total)))
    assert told == [(1024, 2500), (2048, 2500), (2500, 2500)]
    twins = np.ones((6, 2), np.float32)
    assert not (nearest_items(twins, 3) == np.arange(6)[:, None]).any()
    assert not (nearest_on_map(twins, 3) == np.arange(6)[:, None]).any()


def test_a_preview_is_placed_without_an_objective():
    coordinates = np.array([[0.0, 0], [1, 0], [0, 1], [9, 9]], np.float32)
    vectors = np.array([[1, 0], [1, 0.1], [1, -0.1], [-1, 0]], np.float32)
    made = Map(coordinates, MapConfig(n_neighbors=3))

    place = Placer(ItemSpace("text", vectors, np.zeros(2), None), made).place(np.array([1.0, 0.0]))

    assert (place.spot <= 1).all()


def test_nearest_on_the_map_are_exact():
    coordinates = np.random.default_rng(2).standard_normal((40, 2)).astype(np.float32)
    distance = np.linalg.norm(coordinates[:, None] - coordinates, axis=2) + 99 * np.eye(40)

    np.testing.assert_array_equal(nearest_on_map(coordinates, 5), np.argsort(distance, axis=1)[:, :5])
