"""The sample catalogs, and the simulator that gives them people."""

import numpy as np
import pandas as pd
import pytest

from recsys.datasets import list_datasets, open_dataset
from recsys.datasets.samples import FOLDER, NAMES, read_sample
from recsys.datasets.simulator import OCCUPATIONS, SimulatorConfig, simulate_users
from recsys.errors import DataError
from recsys.recommender import available_scorers
from recsys.schema import ItemFilter
from recsys.segmenter import bare_words

ITEMS = pd.DataFrame(
    {"item_id": [f"{n:03d}" for n in range(90)], "categories": [(("a", "b", "c")[n % 3],) for n in range(90)]}
)


@pytest.fixture(scope="module", params=NAMES)
def sample(request):
    return read_sample(request.param)


def test_a_sample_is_a_catalog_with_people(sample):
    assert (100 if sample.info.language == "zh" else 150) <= len(sample.items) <= 300
    assert len(sample.users) == 400
    assert sample.info.simulated and "simulated" in sample.info.source
    assert available_scorers(sample) == ("additive", "cosine")
    assert sample.items["title"].str.len().min() > 0
    assert sample.items["description"].str.len().min() > 0
    assert all(sample.items["categories"].map(len))
    assert len(sample.categories) >= 10
    assert sample.item_attributes


def test_a_handful_is_in_chinese_or_all(sample):
    if sample.info.language == "zh":
        for column in ("title", "description", "director", "country"):
            assert sample.items[column].str.contains("[\u4e00-\u9fff]").mean() > 0.98
        assert not sample.items["description"].str.contains("[A-Za-z]").any()
        return
    chinese = sample.items["description"].str.contains("[\u4e00-\u9fff]")

    assert 5 <= chinese.sum() <= 30
    assert (sample.items["language"] == "zh").to_numpy().tolist() == chinese.tolist()


def test_no_two_texts_say_the_same(sample):
    words = [frozenset(bare_words(text.lower())) for text in sample.items["description"]]
    alike = [
        (a, b) for a in range(len(words)) for b in range(a) if len(words[a] & words[b]) > 0.6 * len(words[a] | words[b])
    ]

    assert alike == []


def test_presets_fit_the_people(sample):
    assert len(sample.info.presets) == 4
    for preset in sample.info.presets:
        assert preset.profile.gender in sample.genders
        assert preset.profile.attributes["occupation"] in sample.user_attributes["occupation"]


def test_every_attribute_can_be_filtered_by(sample):
    for name, values in sample.item_attributes.items():
        assert ItemFilter(attributes={name: values[:1]}).mask(sample).any()


def test_samples_are_listed_and_open_by_name(tmp_path):
    listed = {entry.name: entry.state for entry in list_datasets(tmp_path)}
    assert {listed[name] for name in NAMES} == {"can be fetched"}

    opened = open_dataset("sample-shop", data_dir=tmp_path)

    assert opened.fingerprint == open_dataset("sample-shop", data_dir=tmp_path).fingerprint
    assert opened.info.simulated and opened.folder == tmp_path / "sample-shop"
    assert opened.items["price"].gt(0).all()


def test_without_the_repository_the_message_says_where_samples_live(tmp_path):
    with pytest.raises(DataError, match="data/samples"):
        read_sample("sample-shop", tmp_path)


def test_samples_hold_nothing_but_text():
    assert {path.suffix for path in FOLDER.rglob("*") if path.is_file()} == {".csv", ".md"}


def test_the_same_seed_gives_the_same_people():
    first, second = (simulate_users(ITEMS, SimulatorConfig(n_users=40, seed=3)) for _ in range(2))
    other = simulate_users(ITEMS, SimulatorConfig(n_users=40, seed=4))

    pd.testing.assert_frame_equal(first[0], second[0])
    pd.testing.assert_frame_equal(first[1], second[1])
    assert not first[1].equals(other[1])


def test_people_are_plausible():
    users, interactions = simulate_users(ITEMS, SimulatorConfig(n_users=300, likes=(5, 30)))

    assert users["age"].between(14, 85).all() and 25 < users["age"].mean() < 55
    assert set(users["gender"]) == {"F", "M"} and set(users["occupation"]) <= set(OCCUPATIONS)
    assert users.loc[users["age"] > 75, "occupation"].eq("retired").mean() > 0.6
    counts = interactions.groupby("user_id").size()
    assert len(counts) == 300 and counts.between(5, 30).all()
    assert not interactions.duplicated(["user_id", "item_id"]).any()
    assert interactions.groupby("user_id")["timestamp"].apply(lambda times: times.is_monotonic_increasing).all()


def test_taste_follows_categories_and_without_leans_it_does_not():
    def spread(config):
        users, interactions = simulate_users(ITEMS, config)
        kinds = interactions["item_id"].astype(int) % 3
        share = pd.crosstab(interactions["user_id"], kinds, normalize="index")
        old = users["age"].to_numpy() > users["age"].median()
        return float(np.abs(share[old].mean() - share[~old].mean()).max())

    assert spread(SimulatorConfig(n_users=400, lean=2.0, seed=1)) > 0.1
    assert spread(SimulatorConfig(n_users=400, lean=0.0, seed=1)) < 0.05


def test_cheap_things_sell_better():
    priced = ITEMS.assign(price=np.where(np.arange(90) % 2, 5.0, 800.0))
    _, interactions = simulate_users(priced, SimulatorConfig(n_users=200, quality=0.0))

    cheap = interactions["item_id"].astype(int) % 2 == 1
    assert cheap.mean() > 0.75


def test_no_more_likes_than_items():
    _, interactions = simulate_users(ITEMS.head(4), SimulatorConfig(n_users=20))

    assert interactions.groupby("user_id").size().max() <= 4
