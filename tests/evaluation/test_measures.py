import ir_measures
import numpy as np
import pytest

from recsys.errors import ConfigError
from recsys.evaluation.measures import (
    NDCG,
    CalibrationError,
    Coverage,
    Diversity,
    Novelty,
    Ranked,
    RankingMeasure,
    Recall,
    ReciprocalRank,
    Success,
    parse_measure,
)

RANKING = ("nDCG@10", "R@10", "RR", "Success@10")


def ranked(*scores: list[float], targets: list[list[int]], mask: np.ndarray | None = None) -> Ranked:
    values = np.array(scores, float)
    allowed = np.ones(values.shape, bool) if mask is None else mask
    return Ranked(values, allowed, [np.array(rows, int) for rows in targets])


# Items are ranked 1, 3, 0, 2; the targets are on ranks 2 and 4.
HAND = ranked([0.2, 0.9, 0.1, 0.5], targets=[[3, 2]])


def test_ndcg_by_hand():
    ideal = 1 + 1 / np.log2(3)
    assert NDCG(3).per_user(HAND)[0] == pytest.approx((1 / np.log2(3)) / ideal)
    assert NDCG(4).per_user(HAND)[0] == pytest.approx((1 / np.log2(3) + 1 / np.log2(5)) / ideal)
    assert NDCG(1).per_user(HAND)[0] == 0
    assert NDCG(100).per_user(HAND)[0] == NDCG(4).per_user(HAND)[0]


def test_ideal_list_is_no_longer_than_k():
    best = ranked([3.0, 2.0, 1.0, 0.0], targets=[[0, 1, 2, 3]])
    assert NDCG(2).per_user(best)[0] == pytest.approx(1)


def test_recall_rr_and_success_by_hand():
    assert Recall(3).per_user(HAND)[0] == 0.5
    assert Recall(4).per_user(HAND)[0] == 1
    assert ReciprocalRank().per_user(HAND)[0] == 0.5
    assert (Success(1).per_user(HAND)[0], Success(2).per_user(HAND)[0]) == (0, 1)


def test_coverage_by_hand():
    lists = ranked([4.0, 3.0, 2.0, 1.0], [4.0, 2.0, 3.0, 1.0], targets=[[0], [0]])
    assert Coverage(2).overall(lists) == 0.75
    some = ranked([4.0, 3.0, 2.0, 1.0], targets=[[1]], mask=np.array([[False, True, True, False]]))
    assert Coverage(1).overall(some) == 0.5
    assert np.isnan(Coverage(1).overall(ranked([1.0], targets=[[0]], mask=np.array([[False]]))))


def test_novelty_by_hand():
    # rank 1 is liked by 3 of 7 users, rank 2 by nobody: 1 and 3 bits
    popularity = np.array([0, 0, 0, 3])
    found = Novelty(2).per_user(ranked([0.5, 0.1, 0.2, 0.9], targets=[[0]]), popularity=popularity, n_users=7)
    assert found[0] == pytest.approx(2)


def test_diversity_by_hand():
    vectors = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    lists = ranked([3.0, 2.0, 1.0], targets=[[0]])
    assert Diversity(2).per_user(lists, item_vectors=vectors)[0] == pytest.approx(0)
    assert Diversity(3).per_user(lists, item_vectors=vectors)[0] == pytest.approx(2 / 3)
    assert np.isnan(Diversity(1).per_user(lists, item_vectors=vectors)[0])


def test_calibration_error_by_hand():
    probabilities = np.array([0.1, 0.1, 0.8, 0.8])
    assert CalibrationError(2).overall(probabilities, np.array([0, 0, 1, 1])) == pytest.approx(0.15)
    assert CalibrationError(2).overall(probabilities, np.array([0, 1, 1, 0])) == pytest.approx(0.35)


def test_calibration_error_does_not_depend_on_the_order_of_equal_probabilities():
    probabilities = np.full(10, 0.5)
    for outcomes in ([1] * 5 + [0] * 5, [1, 0] * 5):
        assert CalibrationError(10).overall(probabilities, np.array(outcomes)) == pytest.approx(0)
    assert np.isnan(CalibrationError().overall(np.array([np.nan]), np.array([1])))


def test_ties_go_to_the_smaller_row_and_nan_goes_last():
    lists = ranked([1.0, 2.0, np.nan, 2.0, -np.inf, np.nan], targets=[[0]])
    assert lists.rankings.tolist() == [[1, 3, 0, 4, 2, 5]]


def test_what_may_not_be_ranked_is_never_ranked():
    mask = np.array([[True, False, True, True]])
    lists = ranked([1.0, 9.0, np.nan, 2.0], targets=[[1, 3]], mask=mask)
    assert lists.rankings.tolist() == [[3, 0, 2, -1]]
    assert Recall(4).per_user(lists)[0] == 0.5
    assert Novelty(4).per_user(lists, popularity=np.array([0, 99, 0, 0]), n_users=1)[0] == pytest.approx(1)


def test_forgotten_user_counts_with_zero():
    lists = ranked([1.0, 2.0], [1.0, 2.0], targets=[[0], [1]], mask=np.array([[False, False], [True, True]]))
    for name in RANKING:
        measure = parse_measure(name)
        assert isinstance(measure, RankingMeasure)
        assert measure.per_user(lists).tolist() == [0, 1]
    assert np.isnan(Novelty(2).per_user(lists, popularity=np.zeros(2), n_users=1)).tolist() == [True, False]


def test_user_without_targets_gets_zero_and_no_users_give_nothing():
    for name in RANKING:
        measure = parse_measure(name)
        assert isinstance(measure, RankingMeasure)
        assert measure.per_user(ranked([1.0, 2.0], targets=[[]])).tolist() == [0]
        assert measure.per_user(Ranked(np.zeros((0, 3)), np.zeros((0, 3), bool), [])).shape == (0,)


@pytest.mark.parametrize("n_items", [6, 300])
def test_equals_ir_measures(n_items: int):
    rng = np.random.default_rng(n_items)
    scores = rng.permuted(np.tile(np.arange(n_items, dtype=float), (20, 1)), axis=1)
    mask = rng.random(scores.shape) < 0.9
    targets = [np.sort(rng.choice(n_items, rng.integers(1, 6), replace=False)) for _ in scores]
    lists = Ranked(scores, mask, targets)
    qrels = [ir_measures.Qrel(str(u), str(row), 1) for u, rows in enumerate(targets) for row in rows]
    run = [
        ir_measures.ScoredDoc(str(u), str(row), float(scores[u, row])) for u, row in zip(*np.nonzero(mask), strict=True)
    ]
    for name in RANKING:
        wanted = ir_measures.parse_measure(name)
        found = {m.query_id: m.value for m in ir_measures.pytrec_eval.iter_calc([wanted], qrels, run)}
        measure = parse_measure(name)
        assert isinstance(measure, RankingMeasure)
        assert measure.per_user(lists) == pytest.approx([found[str(u)] for u in range(20)])


ALL = (*RANKING, "coverage@10", "novelty@10", "diversity@10", "calibration error")


@pytest.mark.parametrize("name", ALL)
def test_names_are_parsed_back(name: str):
    measure = parse_measure(name)
    assert measure.name == str(measure) == name
    assert measure.formula and "\n" not in measure.formula
    assert measure == parse_measure(name)


@pytest.mark.parametrize("name", ["nDCG", "nDCG@0", "nDCG@-1", "nDCG@", "MAP@10", "RR@10", "", "ndcg@10"])
def test_unknown_measure_says_which_there_are(name: str):
    with pytest.raises(ConfigError, match="nDCG@10"):
        parse_measure(name)
