"""The image view: made once, kept by content, and whole whatever its pictures are."""

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recsys.artifact import ArtifactStore
from recsys.datasets import write_folder
from recsys.errors import DataError, MissingExtraError
from recsys.schema import Dataset
from recsys.settings import Limits, Settings
from recsys.views import image, image_build
from recsys.views.image import open_image_view
from recsys.views.view import IMAGE, ItemView
from tests.toy import ToyEncoder
from tests.views.painted import PaintedEncoder

COLOURS = ((250, 0, 0), (0, 250, 0), (0, 0, 250))


@pytest.fixture
def painted(toy: Dataset, tmp_path: Path) -> Dataset:
    """The toy world in memory: items 0, 3, 6 and 9 are red, of different widths, and so on; the last two have no picture."""
    media = tmp_path / "media"
    media.mkdir()
    for row in range(10):
        Image.new("RGB", (20 + row, 20), COLOURS[row % 3]).save(media / f"{row}.png")
    names = [f"{row}.png" for row in range(10)] + ["", None]
    return replace(toy, items=toy.items.assign(image=names), media=media)


@pytest.fixture
def kept(painted: Dataset, tmp_path: Path) -> Dataset:
    """The same on disk."""
    return write_folder(painted, tmp_path / "data" / "painted")


def opened(dataset: Dataset, encoder: PaintedEncoder, **more: object) -> ItemView:
    view = open_image_view(dataset, text_encoder=ToyEncoder(), settings=Settings(), encoder=encoder, **more)  # type: ignore[arg-type]
    assert view is not None
    return view


def changed(dataset: Dataset, row: int, colour: str | None) -> Dataset:
    """The dataset with another picture in the place of one."""
    assert dataset.media is not None
    path = dataset.media / str(dataset.items["image"][row])
    path.unlink()
    if colour:
        Image.new("RGB", (33, 33), colour).save(path)
    return dataset


def test_the_view_says_what_is_on_the_pictures(kept: Dataset):
    view = opened(kept, PaintedEncoder())
    assert (view.name, view.made_by, view.words_by) == (IMAGE, "painted", "names of colours")
    assert view.has.tolist() == [True] * 10 + [False] * 2
    assert np.allclose(np.linalg.norm(view.vectors[:10], axis=1), 1) and not view.vectors[10:].any()
    assert view.vectors.dtype == np.float32 and not view.faults
    assert view.encode_words is not None and view.words is not None
    scores = view.encode_words(["something red", "blue things"]) @ view.words.T
    assert sorted(np.argsort(-scores[0])[:4]) == [0, 3, 6, 9] and sorted(np.argsort(-scores[1])[:3]) == [2, 5, 8]
    assert not view.words[10:].any()


def test_every_item_has_a_thumbnail_of_its_own_picture(kept: Dataset):
    view = opened(kept, PaintedEncoder())
    assert view.media is not None and view.mime == "image/webp"
    for row in range(10):
        found = Image.open(io.BytesIO(view.media(row) or b"")).convert("RGB")
        assert found.size == (20 + row, 20) and np.asarray(found).mean((0, 1)).argmax() == row % 3
    assert view.media(10) is None


def test_no_picture_is_looked_at_twice(kept: Dataset):
    first = opened(kept, PaintedEncoder())
    again = PaintedEncoder()
    assert opened(kept, again).key == first.key and again.n_seen == 0
    changed(kept, 4, "red")
    assert opened(kept, again).key != first.key and again.n_seen == 1
    moved = replace(kept, items=kept.items.assign(image=[*kept.items["image"][::-1]]))
    assert opened(moved, again).has.tolist() == [False] * 2 + [True] * 10 and again.n_seen == 1


def test_the_same_picture_is_looked_at_once(painted: Dataset, tmp_path: Path):
    same = replace(painted, items=painted.items.assign(image="1.png"))
    encoder = PaintedEncoder()
    assert opened(write_folder(same, tmp_path / "data" / "same"), encoder).has.all() and encoder.n_seen == 1


def test_a_dataset_in_memory_has_the_same_view_and_leaves_no_files(painted: Dataset, kept: Dataset, tmp_path: Path):
    before = sorted(tmp_path.rglob("*"))
    view, other = opened(painted, PaintedEncoder()), opened(kept, PaintedEncoder())
    assert view.key == other.key and (view.vectors == other.vectors).all()
    assert view.media is not None and other.media is not None and view.media(3) == other.media(3)
    assert [path for path in sorted(tmp_path.rglob("*")) if "data" not in path.parts] == [
        path for path in before if "data" not in path.parts
    ]


def test_what_cannot_be_read_has_a_reason_and_a_row_of_zeros(kept: Dataset):
    assert kept.media is not None
    (kept.media / "2.png").write_bytes(b"<svg/>")
    changed(kept, 3, None)
    view = opened(kept, PaintedEncoder())
    assert list(view.faults) == ["02", "03"]
    assert view.faults["02"].startswith("The picture is an SVG drawing: '2.png'. Export it as PNG")
    assert view.faults["03"].startswith("There is no such picture file: '3.png'.")
    assert not view.vectors[[2, 3]].any() and view.has.sum() == 8
    assert view.media is not None and view.media(2) is None


def test_a_higher_limit_lets_a_refused_picture_in(kept: Dataset):
    low, high = (replace(Settings(), limits=Limits(picture_pixels=n)) for n in (400, 10_000))
    found = [
        open_image_view(kept, text_encoder=ToyEncoder(), settings=each, encoder=PaintedEncoder())
        for each in (low, high)
    ]
    assert [view.has.sum() for view in found if view is not None] == [1, 10]


def test_a_killed_build_goes_on_where_it_was(kept: Dataset, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(image_build, "BLOCK", 3)
    killed = PaintedEncoder(stop_after=7)
    with pytest.raises(KeyboardInterrupt):
        opened(kept, killed)
    second = PaintedEncoder()
    view = opened(kept, second)
    assert killed.n_seen == 6 and second.n_seen == 4
    assert kept.folder is not None
    store = ArtifactStore(kept.folder / "artifacts")
    assert store.keys("imagepart") == [] and store.keys("image") == [view.key]
    assert (view.vectors == opened(replace(kept, folder=None), PaintedEncoder()).vectors).all()


def test_progress_ends_with_all_pictures_and_counts_what_is_known(kept: Dataset):
    told: list[tuple[int, int]] = []
    opened(kept, PaintedEncoder(), progress=lambda done, total: told.append((done, total)))
    assert told == [(n, 10) for n in range(1, 11)]
    told.clear()
    opened(changed(kept, 4, "red"), PaintedEncoder(), progress=lambda done, total: told.append((done, total)))
    assert told == [(9, 10), (10, 10)]


def test_two_states_stay_and_older_ones_go(kept: Dataset):
    keys = [opened(kept, PaintedEncoder()).key]
    for colour in ("red", "green"):
        keys.append(opened(changed(kept, 4, colour), PaintedEncoder()).key)
    assert kept.folder is not None
    assert sorted(ArtifactStore(kept.folder / "artifacts").keys("image")) == sorted(keys[1:])


def test_another_text_encoder_costs_no_look(kept: Dataset):
    encoder = PaintedEncoder()
    encoder.encode_words = None
    found = [
        open_image_view(kept, text_encoder=ToyEncoder(name), settings=Settings(), encoder=encoder)
        for name in ("a", "b")
    ]
    assert found[0] is not None and found[1] is not None
    assert found[0].key != found[1].key and encoder.n_seen == 10 and found[1].encode_words is None


@pytest.mark.parametrize("names", [None, ["", None] * 6])
def test_without_pictures_there_is_no_view(painted: Dataset, names: Sequence[str | None] | None):
    items = painted.items.drop(columns="image") if names is None else painted.items.assign(image=names)
    assert open_image_view(replace(painted, items=items), text_encoder=ToyEncoder(), settings=Settings()) is None


def test_without_a_folder_of_media_there_is_no_view(painted: Dataset):
    assert open_image_view(replace(painted, media=None), text_encoder=ToyEncoder(), settings=Settings()) is None


def test_an_address_is_not_fetched_unless_that_is_switched_on(kept: Dataset, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("recsys.views.fetching.Fetcher.fetch", lambda self, url: pytest.fail("was fetched"))
    names = ["https://example.com/a.png", *kept.items["image"][1:]]
    view = opened(replace(kept, items=kept.items.assign(image=names)), PaintedEncoder())
    assert list(view.faults) == ["00"]
    assert "fetching is off: 'https://example.com/a.png'. Put the file into" in view.faults["00"]


def test_a_fetched_picture_and_a_failure_are_asked_for_once(kept: Dataset, monkeypatch: pytest.MonkeyPatch):
    assert kept.media is not None and kept.folder is not None
    data, asked = (kept.media / "0.png").read_bytes(), []

    def fetch(self: object, url: str) -> bytes:
        asked.append(url)
        if "bad" in url:
            raise DataError("The answer is an error", url, fix="Leave it.")
        return data

    monkeypatch.setattr("recsys.views.fetching.Fetcher.fetch", fetch)
    urls = [f"https://example.com/{name}" for name in ("good.png", "bad.png", "late.png")]
    dataset = replace(kept, items=kept.items.assign(image=[*urls, *[""] * 9]), media=None)
    settings = replace(Settings(), fetch_images=True, limits=Limits(fetched_pictures=2))
    for _ in range(2):
        view = open_image_view(dataset, text_encoder=ToyEncoder(), settings=settings, encoder=PaintedEncoder())
        assert view is not None and view.has.tolist() == [True] + [False] * 11
        assert "To try again, delete the folder “fetched”" in view.faults["01"]
        assert "COLDLENS_MAX_FETCHED_PICTURES" in view.faults["02"]
    assert asked == urls[:2]


def test_without_its_packages_a_dataset_has_no_image_view_and_the_log_says_why(
    kept: Dataset, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def missing(settings: Settings) -> None:
        raise MissingExtraError("The pictures of the dataset need packages", "x", fix="Install them.")

    monkeypatch.setattr(image, "load_image_encoder", missing)
    assert open_image_view(kept, text_encoder=ToyEncoder(), settings=Settings()) is None
    assert "The pictures of the dataset need packages: 'x'. Install them." in caplog.text
