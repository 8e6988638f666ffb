"""Explanations: every sum holds, for every scorer; and the toy world's known answers."""

import json
from dataclasses import replace

import numpy as np
import pytest

from recsys.errors import DataError, UnknownItemError
from recsys.explanation import EXACT, FIRST_LAST, LEARNED, contrast, to_html
from recsys.recommender import Recommender
from recsys.schema import COMPLETE, Explanation, Profile
from tests.toy import ToyEncoder

PROFILES = [
    Profile(),
    Profile(age=30),
    Profile(interests=("space",)),
    Profile(interests=("unheard of",)),
    Profile(interests=("space and romance", "comedy")),
    Profile(interests=("space space space",)),
    Profile(liked=("01", "04")),
    Profile(30, "F", {"occupation": "student"}, ("space",), ("01",)),
    Profile(30, "F", {"occupation": "student"}, ("space", "comedy", "romance", "student", "engineer"), ("01", "02")),
]
HARD = [
    Profile(interests=("noir",)),
    Profile(interests=("科幻 和 爱情", "🎬", "naïve café")),
    Profile(22, "F", {"occupation": "student"}, ("science fiction", "film noir"), ("50", "1")),
    Profile(interests=("love and war in space " * 8,)),
]


@pytest.fixture(params=["cosine", "additive"])
def recommender(request, toy, toy_encoder) -> Recommender:
    return Recommender.from_dataset(toy, scorer=request.param, encoder=toy_encoder)


def check(explanation: Explanation, recommender: Recommender, popularity: float = 1.0) -> None:
    """Everything that must add up, computed here from what the explanation shows."""
    matrix = explanation.matrix
    query = recommender.scorer.queries([explanation.profile], popularity=popularity)[0].astype(float)
    row = recommender.dataset.item_row(explanation.item_id)
    score = float(query @ recommender.scorer.item_vectors[row].astype(float))
    assert explanation.total == pytest.approx(score, abs=1e-6)
    assert sum(part.contribution for part in explanation.parts) == pytest.approx(explanation.total, abs=1e-6)
    assert matrix.total + explanation.prior == pytest.approx(explanation.total, abs=1e-6)
    assert explanation.completeness_error <= COMPLETE
    for text in explanation.texts:
        lines = matrix.rows if text.side == "profile" else matrix.columns
        totals = matrix.row_totals if text.side == "profile" else matrix.column_totals
        margins = [t for line, t in zip(lines, totals, strict=True) if line.key == text.key and line.is_word]
        assert [word.contribution for word in text.words if word.is_read] == pytest.approx(margins, abs=1e-6)
        assert all(text.text[word.start : word.end] == word.text for word in text.words)
    own = {part.facet.key: part.contribution for part in explanation.parts}
    for key in {line.key for line in matrix.rows} & set(own):
        rows = [n for n, line in enumerate(matrix.rows) if line.key == key]
        assert matrix.row_totals[rows].sum() == pytest.approx(own[key], abs=1e-6)


@pytest.mark.parametrize("tier", [FIRST_LAST, EXACT])
@pytest.mark.parametrize("profile", PROFILES, ids=range(len(PROFILES)))
def test_everything_adds_up(recommender, profile, tier):
    for item_id in ("00", "05", "09", "11"):
        check(recommender.explain(profile, item_id, tier=tier), recommender)


@pytest.mark.parametrize("scorer", ["cosine", "additive"])
@pytest.mark.parametrize("profile", HARD, ids=range(len(HARD)))
def test_everything_adds_up_on_real_data(movielens, minilm, scorer, profile):
    recommender = Recommender.from_dataset(movielens, scorer=scorer, encoder=minilm)
    for item_id in ("50", "1", "1650"):
        check(recommender.explain(profile, item_id, tier=FIRST_LAST), recommender)


def test_it_equals_the_list(recommender):
    profile = PROFILES[7]
    found = recommender.recommend(profile, k=12)

    for row in found.to_records():
        explanation = recommender.explain(profile, row["item_id"])
        assert explanation.rank == row["rank"]
        assert explanation.total == pytest.approx(row["score"], abs=1e-9)
        shown = {part.facet.key: part.contribution for part in explanation.parts}
        assert shown == pytest.approx(row["contributions"], abs=1e-9)
        assert [part.facet for part in explanation.parts] == list(found.facets)


def test_a_receipt_is_the_real_score_and_rank_without_the_facet(recommender):
    profile = PROFILES[7]

    explanation = recommender.explain(profile, "03")

    for part in explanation.parts:
        if part.facet.kind == "prior":
            found = recommender.recommend(profile, k=12, popularity=0.0).table
        else:
            keys = [facet.key for facet in profile.facets if facet.key != part.facet.key]
            found = recommender.recommend(profile.keeping(keys), k=12, exclude=profile.liked).table
        row = found[found["item_id"] == "03"].iloc[0]
        assert part.score_without == pytest.approx(row["score"], abs=1e-6)
        assert part.rank_without == row["rank"]


def test_the_words_of_the_toy_world_are_credited_where_they_belong(toy, toy_encoder):
    recommender = Recommender.from_dataset(toy, scorer="cosine", encoder=toy_encoder)

    explanation = recommender.explain(Profile(interests=("space",)), "03")

    words = {word.text: word.contribution for text in explanation.texts for word in text.words if text.side == "item"}
    assert words["space"] == pytest.approx(1.0)
    assert [words["Story"], words["03"]] == pytest.approx([0.0, 0.0], abs=1e-9)
    (row, column, value), *_ = explanation.matrix.strongest_pairs(1)[0]
    assert (explanation.matrix.rows[row].label, explanation.matrix.columns[column].label) == ("space", "space")
    assert value == pytest.approx(1.0)
    assert explanation.matrix.strongest_pairs(1)[1] == pytest.approx(1.0)


def test_above_the_average_item_everything_still_adds_up_and_ranks_stay(recommender):
    profile = PROFILES[7]
    scores = recommender.score_all(profile).values

    for item_id in ("00", "04"):
        explanation = recommender.explain(profile, item_id)
        centred = explanation.above_average()
        expected = scores[recommender.dataset.item_row(item_id)] - scores.mean()
        assert centred.total == pytest.approx(expected, abs=1e-5)
        assert centred.is_complete
        assert sum(part.contribution for part in centred.parts) == pytest.approx(centred.total, abs=1e-6)
        assert centred.matrix.total + centred.prior == pytest.approx(centred.total, abs=1e-6)
        own = [word.contribution for text in centred.texts if text.side == "profile" for word in text.words]
        rows = zip(centred.matrix.rows, centred.matrix.row_totals, strict=True)
        assert own == pytest.approx([total for line, total in rows if line.is_word], abs=1e-6)


def test_only_a_learned_item_has_more_than_its_words(toy, toy_encoder):
    profile = Profile(interests=("space",))
    additive = Recommender.from_dataset(toy, scorer="additive", encoder=toy_encoder)
    cosine = Recommender.from_dataset(toy, scorer="cosine", encoder=toy_encoder)

    assert LEARNED in [line.label for line in additive.explain(profile, "00").matrix.columns]
    assert LEARNED not in [line.label for line in additive.explain(profile, "09").matrix.columns]  # cold: text alone
    assert LEARNED not in [line.label for line in cosine.explain(profile, "00").matrix.columns]


def test_a_wrong_sum_is_noticed(toy, toy_encoder, monkeypatch):
    recommender = Recommender.from_dataset(toy, scorer="additive", encoder=toy_encoder)
    original = type(recommender.scorer).facet_vectors

    def biased(self, profile, *, popularity=1.0):
        found = original(self, profile, popularity=popularity)
        return replace(found, vectors=found.vectors * 1.001)

    monkeypatch.setattr(type(recommender.scorer), "facet_vectors", biased)

    explanation = recommender.explain(PROFILES[7], "00")

    assert not explanation.is_complete
    assert explanation.completeness_error == pytest.approx(0.001 * abs(explanation.total), rel=0.05)


@pytest.mark.parametrize("error", [2e-6, float("nan"), float("inf")])
def test_what_misses_the_score_is_refused(recommender, error):
    good, other = (recommender.explain(PROFILES[7], item_id) for item_id in ("00", "04"))
    bad = replace(good, completeness_error=error)
    found = contrast(good, other)

    assert good.checked() is good
    assert good.above_average().checked().is_centred
    assert found.checked() is found
    with pytest.raises(DataError, match="do not add up to the score.*Story 00"):
        bad.checked()
    with pytest.raises(DataError, match="do not add up"):
        bad.above_average().checked()
    with pytest.raises(DataError, match="do not add up.*Story 00.*against Story 04"):
        replace(found, completeness_error=error).checked()


def test_popularity_weighs_the_prior_alone(toy, toy_encoder):
    recommender = Recommender.from_dataset(toy, scorer="additive", encoder=toy_encoder)

    full, half = (recommender.explain(PROFILES[7], "00", popularity=share) for share in (1.0, 0.5))

    assert half.prior == pytest.approx(full.prior / 2)
    assert half.total == pytest.approx(full.total - full.prior / 2)
    check(half, recommender, popularity=0.5)


def test_what_is_cut_is_named_and_counts_as_zero(toy):
    recommender = Recommender.from_dataset(toy, scorer="additive", encoder=ToyEncoder())
    text = "space " * 33  # less than an interest may have, more than the toy encoder reads once it stands in a sentence
    cosine = Recommender.from_dataset(toy, scorer="cosine", encoder=ToyEncoder())

    explanation = cosine.explain(Profile(30, "F", {"occupation": "student"}, (text, "comedy " * 20)), "00")

    assert any("count as zero" in warning for warning in explanation.warnings)
    cut = [word for word in explanation.words if not word.is_read]
    assert cut
    assert all(word.contribution == 0 for word in cut)
    check(explanation, cosine)
    assert recommender.explain(Profile(interests=(text,)), "00").is_complete


def test_bad_questions_are_refused(recommender):
    with pytest.raises(UnknownItemError, match="no-such"):
        recommender.explain(Profile(), "no-such")
    with pytest.raises(DataError, match="magic"):
        recommender.explain(Profile(gender="magic"), "00")
    with pytest.raises(DataError, match="popularity"):
        recommender.explain(Profile(), "00", popularity=2)


def test_contrast_sums_to_the_gap(recommender):
    profile = PROFILES[7]
    first, second = recommender.explain(profile, "00"), recommender.explain(profile, "04")

    found = contrast(first, second)

    assert found.gap == pytest.approx(first.total - second.total)
    assert sum(part.value for part in found.parts) == pytest.approx(found.gap, abs=1e-6)
    prior = first.prior - second.prior
    assert sum(word.value for word in found.words) + prior == pytest.approx(found.gap, abs=1e-6)
    assert found.completeness_error <= COMPLETE
    back = contrast(second, first)
    assert back.gap == pytest.approx(-found.gap)


def test_deleting_words_scores_the_profile_again(recommender):
    profile = Profile(interests=("space and comedy", "romance"))
    explanation = recommender.explain(profile, "00")

    found = recommender.delete_words(explanation)

    row = recommender.dataset.item_row("00")
    assert found.strongest[0] == pytest.approx(explanation.total, abs=1e-6)
    assert found.strongest[-1] == pytest.approx(recommender.score_all(Profile()).values[row], abs=1e-6)
    assert found.random.shape == (8, len(found.labels) + 1)
    own = [text for text in explanation.texts if text.side == "profile"]
    values = {word.text: word.contribution for text in own for word in text.words}
    strengths = [values[label] for label in found.labels]
    assert strengths == sorted(strengths, reverse=True)


def test_deletion_respects_the_popularity_weight(toy, toy_encoder):
    recommender = Recommender.from_dataset(toy, scorer="additive", encoder=toy_encoder)
    explanation = recommender.explain(Profile(interests=("space comedy",)), "00", popularity=0.25)

    assert recommender.delete_words(explanation).strongest[0] == pytest.approx(explanation.total, abs=1e-6)


def test_json_holds_everything_and_can_be_read_back(recommender):
    explanation = recommender.explain(PROFILES[7], "00")

    value = json.loads(json.dumps(explanation.to_dict()))

    assert sum(part["contribution"] for part in value["parts"]) == pytest.approx(value["total"], abs=1e-6)
    assert np.sum(value["matrix"]["values"]) == pytest.approx(explanation.matrix.total)
    assert value["completeness_error"] <= COMPLETE
    assert [text["text"] for text in value["words"]] == [text.text for text in explanation.texts]


def test_the_page_says_which_numbers_are_above_the_average_item(recommender):
    explanation = recommender.explain(PROFILES[7], "00")

    raw, above = (to_html(found, about={}) for found in (explanation, explanation.above_average()))

    assert "above the average item" not in raw
    assert "raw score" not in raw
    assert f"score {explanation.total - explanation.average:+.4f} above the average item" in above
    assert "without it: raw score" in above


def test_the_page_is_one_file_without_scripts_or_links_and_shows_text_as_text(toy, toy_encoder):
    items = toy.items.copy()
    items.loc[0, "title"] = "<script>alert(1)</script>"
    hostile = replace(toy, items=items)
    recommender = Recommender.from_dataset(hostile, scorer="cosine", encoder=toy_encoder)

    page = to_html(recommender.explain(Profile(interests=("<img src=x>",)), "00"), about={"by": "<b>"})

    assert "<script" not in page
    assert "<img" not in page
    assert "http" not in page
    assert "&lt;script&gt;" in page
    assert "&lt;b&gt;" in page
