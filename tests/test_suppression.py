"""Small groups are hidden, and nobody can compute them: an attacker solves the shown tables by linear programming."""

import numpy as np
import pytest
from scipy.optimize import linprog

from recsys.errors import DataError
from recsys.suppression import MIN_GROUP, Suppressed, given_away, hidden_groups, suppress

_EXACT = 1e-6


def shown(table: np.ndarray, hidden: Suppressed) -> dict:
    """All that an attacker sees, as equations; the number of all people is known."""
    cells = np.arange(table.size).reshape(table.shape)
    sums = [np.isin(cells, own).ravel().astype(float) for own in (*cells, *cells.T)]
    is_hidden = np.concatenate([hidden.cells.ravel(), hidden.rows, hidden.columns])
    numbers = zip([*np.eye(table.size), *sums], is_hidden, strict=True)
    facts = np.array([np.ones(table.size), *(one for one, away in numbers if not away)])
    return {"A_eq": facts, "b_eq": facts @ table.ravel(), "bounds": (0, None)}


def recovered(table: np.ndarray, hidden: Suppressed) -> int:
    """Number of hidden cells and totals of which the attacker knows that they can be one number only."""
    cells = np.arange(table.size).reshape(table.shape)
    totals = [own for own, away in zip((*cells, *cells.T), [*hidden.rows, *hidden.columns], strict=True) if away]
    known, n = shown(table, hidden), 0
    for own in (*cells[hidden.cells], *totals):
        one = np.isin(cells, own).ravel().astype(float)
        low, high = (linprog(sign * one, **known) for sign in (1, -1))
        assert low.status == high.status == 0
        n += bool(-high.fun - low.fun < _EXACT)
    return n


def random_table(rng: np.random.Generator) -> np.ndarray:
    """Up to five by five groups, from sparse to full; empty rows and columns occur."""
    shape = tuple(rng.integers(1, 6, 2))
    means = np.exp(rng.uniform(-1, rng.uniform(1.5, 5.5), shape))
    return rng.poisson(means) * (rng.random(shape) > rng.choice([0.0, 0.3]))


def primary_alone(table: np.ndarray) -> Suppressed:
    def small(counts):
        return (counts > 0) & (counts < MIN_GROUP)

    return Suppressed(small(table), small(table.sum(axis=1)), small(table.sum(axis=0)))


def attack(n_tables: int, seed: int) -> tuple[int, int, int]:
    """Hidden cells recovered of random tables, the same if small cells alone are hidden, and how many were hidden at all."""
    rng, lost, control, n_hidden = np.random.default_rng(seed), 0, 0, 0
    for _ in range(n_tables):
        table = random_table(rng)
        if table.sum() < MIN_GROUP:
            continue
        found = suppress(table)
        assert found.cells[(table > 0) & (table < MIN_GROUP)].all()
        lost += recovered(table, found)
        control += recovered(table, primary_alone(table))
        n_hidden += int(found.cells.sum())
    return lost, control, n_hidden


def test_no_hidden_cell_of_60_random_tables_is_recovered():
    lost, control, n_hidden = attack(60, seed=0)
    assert n_hidden > 200
    assert control > 20  # the attack is real: it finds cells where only the small ones are hidden
    assert lost == 0


@pytest.mark.release
def test_no_hidden_cell_of_1000_random_tables_is_recovered():
    lost, control, n_hidden = attack(1000, seed=1)
    print(f"{n_hidden} cells hidden, {lost} recovered, {control} recovered where small cells alone were hidden")
    assert n_hidden > 3000
    assert control > 300
    assert lost == 0


def test_what_is_hidden_of_a_shown_sum_is_ten_people_or_more():
    rng = np.random.default_rng(3)
    for _ in range(100):
        table = random_table(rng)
        if table.sum() < MIN_GROUP:
            continue
        found = suppress(table)
        for axis, hidden in ((1, found.rows), (0, found.columns)):
            totals = table.sum(axis=axis)
            assert not hidden.any() or totals[hidden].sum() >= MIN_GROUP
            rest = (table * found.cells).sum(axis=axis)
            is_touched = found.cells.any(axis=axis) & ~hidden
            assert (rest[is_touched] >= MIN_GROUP).all()


def test_with_three_and_897_people_both_are_hidden():
    assert hidden_groups([3, 897]).tolist() == [True, True]
    assert hidden_groups([3, 30, 900]).tolist() == [True, True, False]
    assert hidden_groups([9, 1, 900, 12]).tolist() == [True, True, False, False]  # ten of both, and nobody knows which
    assert hidden_groups([5, 1, 900, 12]).tolist() == [
        True,
        True,
        False,
        True,
    ]  # six would be nearly the small ones alone
    assert hidden_groups([10, 890]).tolist() == [False, False]
    assert hidden_groups([0, 12]).tolist() == [False, False]
    assert hidden_groups([4, 0, 5]).tolist() == [True, False, True]
    assert hidden_groups([]).tolist() == []


def test_totals_are_hidden_as_they_are_without_the_table():
    rng = np.random.default_rng(4)
    for _ in range(60):
        table = random_table(rng)
        found = suppress(table)
        assert (found.rows == hidden_groups(table.sum(axis=1))).all()
        assert (found.columns == hidden_groups(table.sum(axis=0))).all()


def test_what_is_given_away_is_what_the_attacker_finds():
    rng, n = np.random.default_rng(5), 0
    for _ in range(60):
        table = rng.integers(0, 4, rng.integers(1, 5, 2))
        hidden = Suppressed(
            rng.random(table.shape) < 0.6, rng.random(len(table)) < 0.3, rng.random(table.shape[1]) < 0.3
        )
        found = given_away(table, hidden)
        for row, column in np.argwhere(hidden.cells):
            one = np.eye(table.size)[row * table.shape[1] + column]
            low, high = (linprog(sign * one, **shown(table, hidden)) for sign in (1, -1))
            assert found[row, column] == (-high.fun - low.fun < _EXACT)
            n += bool(found[row, column])
        assert not (found & ~hidden.cells).any()
    assert n > 20


def test_no_more_is_hidden_than_one_circle_takes():
    table = np.array([[50, 40, 60], [45, 3, 70], [80, 55, 65]])
    found = suppress(table).cells
    assert found.sum() == 4
    assert found[1, 1]
    assert table[found].sum() == 3 + 45 + 50 + 40  # the circle with the fewest people


def test_an_empty_cell_is_hidden_unless_its_row_or_column_is_empty():
    table = np.array([[40, 30, 20], [50, 0, 60], [25, 35, 45]])
    found = suppress(table)
    assert found.cells[1, 1]
    assert recovered(table, found) == 0
    empty = np.array([[40, 0, 20], [50, 0, 60]])
    assert not suppress(empty).cells.any()  # nobody is in this column at all


def test_a_table_without_small_groups_is_shown_whole_and_a_small_one_not_at_all():
    assert not suppress(np.full((3, 4), MIN_GROUP)).cells.any()
    found = suppress(np.array([[1, 2], [3, 0]]))
    assert found.cells.all()
    assert found.rows.all()
    assert found.columns.all()


def test_less_than_nobody_is_refused():
    with pytest.raises(DataError, match=r"A number of people is below zero: '-1'. Give numbers from 0 on."):
        hidden_groups([3, -1])
