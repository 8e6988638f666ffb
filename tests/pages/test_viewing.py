"""Which pictures a map sends, and what a page shows of an item by its views."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from pages.shared import hovering, viewing
from pages.shared.atlases import Opened
from pages.shared.hovering import MOST_PICTURES, draw_hovers, pictured_rows
from recsys.projection import Atlas, Clusters, ItemSpace, Map, MapConfig, Trust
from recsys.recommender import Recommender
from recsys.views.view import ItemView
from tests.toy import ToyEncoder, toy_dataset


def pictures(n_items: int, missing: tuple[int, ...] = ()) -> ItemView:
    vectors = np.ones((n_items, 2), np.float32)
    vectors[list(missing)] = 0
    faults = {f"{row:02d}": "The picture is broken: “x”. Bring another." for row in missing}
    shown = lambda row: None if row in missing else b"webp %d" % row  # noqa: E731
    return ItemView("image", vectors, "key", "a painter", media=shown, mime="image/webp", faults=faults)


@pytest.fixture
def recommender():
    made = Recommender.from_dataset(toy_dataset(), scorer="cosine", encoder=ToyEncoder(), views=())
    made.views = {"image": pictures(12, missing=(2, 5))}
    return made


def page_of(recommender, liked=()):
    return SimpleNamespace(recommender=recommender, dataset=recommender.dataset, profile=SimpleNamespace(liked=liked))


def sent(monkeypatch, page, **changes):
    """What the browser is given."""
    seen = []
    monkeypatch.setattr(hovering, "_component", lambda *, data, key: seen.append(data))
    found = SimpleNamespace(table={"item_id": ["07"]})
    place = SimpleNamespace(neighbours=np.array([4]))
    draw_hovers(page, "map-text-2", found, place, changes.get("chosen"))
    return seen


def test_pictures_of_all_items_that_have_one_are_sent_with_their_names(recommender, monkeypatch):
    (data,) = sent(monkeypatch, page_of(recommender))

    assert list(data["pictures"]) == [str(row) for row in range(12) if row not in (2, 5)]
    assert data["pictures"]["7"] == [recommender.dataset.labels[7], "d2VicCA3"]
    assert (data["chart"], data["mime"]) == ("st-key-map-text-2", "image/webp")


def test_without_pictures_nothing_is_sent(recommender, monkeypatch):
    recommender.views = {}
    assert sent(monkeypatch, page_of(recommender)) == []


def test_what_the_person_is_about_is_sent_before_what_is_popular(recommender, monkeypatch):
    monkeypatch.setattr(hovering, "MOST_PICTURES", 4)
    (data,) = sent(monkeypatch, page_of(recommender, liked=("08",)), chosen=9)
    assert set(data["pictures"]) == {"7", "8", "9", "4"}


def test_a_large_catalog_sends_a_bounded_number_of_pictures():
    n = 3 * MOST_PICTURES
    dataset = SimpleNamespace(popularity=np.arange(n))
    large = SimpleNamespace(dataset=dataset, views={"image": pictures(n, missing=(n - 1,))})

    rows = pictured_rows(large, [0, n - 1, 5])

    assert rows == [0, 5, *range(n - 2, n - MOST_PICTURES, -1)]
    assert len(rows) == MOST_PICTURES


def test_heavy_pictures_are_cut_off_too(recommender, monkeypatch):
    monkeypatch.setattr(hovering, "_MOST_BYTES", 20)  # of six bytes each
    (data,) = sent(monkeypatch, page_of(recommender, liked=("08",)))
    assert len(data["pictures"]) == 3
    assert {"7", "8", "4"} == set(data["pictures"])


def opened(spots, vectors):
    n = len(spots)
    clusters = Clusters(np.array([0] * (n - 3) + [1] * 3), ("far", "near"), np.array([[50.0, 0], [0.5, 0.5]]))
    trust = Trust(1.0, 1.0, np.ones(n), n)
    space = ItemSpace("image", vectors, np.zeros(2), None)
    atlas = Atlas(space, Map(spots, MapConfig()), trust, clusters, np.zeros((n, 0), int))
    return Opened(atlas, np.zeros((0, 2)), (), False)


def test_items_without_a_view_stand_together_close_to_the_left_and_name_no_group():
    spots = np.array([[50, 0], [51, 1], [0, 0], [2, 0], [2, 4]], np.float32)
    vectors = np.array([[0, 0], [0, 0], [1, 0], [0, 1], [1, 1]], np.float32)

    found = opened(spots, vectors)

    assert found.drawn[2:].tolist() == spots[2:].tolist()
    assert found.drawn[:2] == pytest.approx(np.array([[-1.1, 0], [-0.1, 1]]), abs=1e-6)
    assert [name for name, _ in found.labels] == ["near"]
    assert opened(spots, np.ones((5, 2))).drawn is spots
    assert opened(spots, np.zeros((5, 2))).drawn is spots
    assert len(opened(spots, np.ones((5, 2))).labels) == 2


def test_a_missing_picture_has_its_reason_as_plain_text(recommender, monkeypatch):
    said, drawn = [], []
    monkeypatch.setattr(viewing.st, "caption", said.append)
    monkeypatch.setattr(viewing.st, "image", lambda *arguments, **options: drawn.append(options["alt"]))
    page = page_of(recommender)

    for row in (2, 3):
        viewing.draw_picture(page, row)
        viewing.draw_sound(page, row)

    assert drawn == [f"Picture of {recommender.dataset.labels[3]}"]
    assert len(said) == 1
    assert "The picture is broken" in said[0]


def test_a_sound_has_a_player(recommender, monkeypatch):
    played = []
    monkeypatch.setattr(viewing.st, "audio", lambda sound, format: played.append((sound, format)))
    view = replace(pictures(12), name="audio", mime="audio/ogg")
    recommender.views = {"audio": view}

    viewing.draw_sound(page_of(recommender), 3)

    assert played == [(b"webp 3", "audio/ogg")]
