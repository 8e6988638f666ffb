"""Which cells of a table of people are hidden, so that no small group is shown and none can be computed from the rest.

A group of fewer than ten people is hidden, and with it whatever would give it away: the number of people in all is known, and so
are the totals that are shown. Two rules decide what else goes. No hidden number may follow from the shown ones; and where shown
numbers give the sum of what is hidden, that sum is ten or more, for a mean over three people could be computed from the mean
over all just as their number can.

A group that nobody belongs to is no group, so an empty row or column is not hidden. An empty cell inside a table is: that no
woman is over 80 says something about everyone who is over 80. It is shown only where its row or column is empty anyway.

Source: L. H. Cox, Network models for complementary cell suppression, 1995. A table with its totals is a network in which people
flow from the rows to the columns; a hidden number is safe if people can flow around a circle that goes through it.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.errors import DataError

MIN_GROUP = 10
"""Groups of fewer people are never shown."""
FEWER = f"fewer than {MIN_GROUP}"
HIDDEN = "hidden"
"""What a cell reads: the same for a small group and for one that would give it away, which may hold many people."""
WHY_HIDDEN = (
    f"“{HIDDEN}” stands for {FEWER} people, or for a group from whose number or mean such a group could be computed."
)


@dataclass(frozen=True, eq=False)
class Suppressed:
    """What is hidden of a table with two ways.

    Attributes:
        cells: ``(n_rows, n_columns)`` of bool.
        rows: ``(n_rows,)`` of bool, the totals of rows; as ``hidden_groups`` would have them.
        columns: ``(n_columns,)`` of bool, the same of columns.
    """

    cells: np.ndarray
    rows: np.ndarray
    columns: np.ndarray


def hidden_groups(counts: Sequence[int] | np.ndarray) -> np.ndarray:
    """Returns ``(n_groups,)`` of bool: which groups of a split of all people are hidden; of equal ones, the first.

    Groups of nobody never are. Of fewer than ten people in all, every other group is.

    Raises:
        DataError: for a number of people below zero.
    """
    flow = _checked(counts)
    edges = [_Edge(0, 1, int(n)) for n in flow]
    hidden = (flow > 0) & (flow < MIN_GROUP)
    return _protected(edges, hidden, [np.arange(len(flow))], may_hide=flow > 0)


def suppress(table: np.ndarray) -> Suppressed:
    """Returns what is hidden of a table whose rows and columns are groups of the same people, and whose totals are shown.

    The totals are hidden as they would be without the table, so that both can be shown side by side.

    Args:
        table: ``(n_rows, n_columns)``, numbers of people.

    Raises:
        DataError: for a number of people below zero.
    """
    flow = _checked(table)
    rows, columns = flow.sum(axis=1), flow.sum(axis=0)
    hidden_rows, hidden_columns = hidden_groups(rows), hidden_groups(columns)
    may_be = (rows > 0)[:, None] & (columns > 0)[None, :]
    numbers, totals = np.arange(flow.size).reshape(flow.shape), np.concatenate([hidden_rows, hidden_columns])
    lines = [numbers[row] for row in np.flatnonzero(~hidden_rows)]
    lines += [numbers[:, column] for column in np.flatnonzero(~hidden_columns)]
    small = np.concatenate([(may_be & (flow < MIN_GROUP)).ravel(), totals])
    may_hide = np.concatenate([may_be.ravel(), totals])
    found = _protected(_edges(flow), small, lines, may_hide=may_hide)
    return Suppressed(found[: flow.size].reshape(flow.shape), hidden_rows, hidden_columns)


def given_away(table: np.ndarray, hidden: Suppressed) -> np.ndarray:
    """Returns which hidden cells follow from what is shown, ``(n_rows, n_columns)`` of bool."""
    edges = _edges(_checked(table))
    away = np.concatenate([hidden.cells.ravel(), hidden.rows, hidden.columns])
    certain = [bool(away[number]) and not _is_open(edges, away, number) for number in range(hidden.cells.size)]
    return np.array(certain, bool).reshape(hidden.cells.shape)


def _checked(counts: Sequence[int] | np.ndarray) -> np.ndarray:
    flow = np.asarray(counts, np.int64)
    if (flow < 0).any():
        raise DataError("A number of people is below zero", int(flow.min()), fix="Give numbers from 0 on.")
    return flow


@dataclass(frozen=True)
class _Edge:
    """A number of people as a flow from one node to another."""

    tail: int
    head: int
    n: int


def _edges(flow: np.ndarray) -> list[_Edge]:
    """A table as a network: its cells row by row, then the totals of rows, then those of columns."""
    first = 2 + len(flow)  # nodes: 0 where people come from, 1 where they go, then rows, then columns
    edges = [_Edge(2 + row, first + column, int(flow[row, column])) for row, column in np.ndindex(flow.shape)]
    edges += [_Edge(0, 2 + row, int(n)) for row, n in enumerate(flow.sum(axis=1))]
    return edges + [_Edge(first + column, 1, int(n)) for column, n in enumerate(flow.sum(axis=0))]


def _protected(
    edges: Sequence[_Edge], hidden: np.ndarray, lines: Sequence[np.ndarray], *, may_hide: np.ndarray
) -> np.ndarray:
    """Returns ``hidden`` with what else must be; ``lines`` are the numbers whose sum is known."""
    found = hidden.copy()
    n_hidden = -1
    while n_hidden != found.sum():
        n_hidden = found.sum()
        for line in lines:
            _fill(edges, found, line, may_hide)
        for number in np.flatnonzero(found).tolist():
            if not _is_open(edges, found, number):
                found[_circle(edges, found, number, may_hide)] = True
    return found


def _fill(edges: Sequence[_Edge], hidden: np.ndarray, line: np.ndarray, may_hide: np.ndarray) -> None:
    """Hides the smallest numbers of a line until what is hidden there adds up to ten people."""
    rest = sorted((edges[n].n, n) for n in line if may_hide[n] and not hidden[n])
    while hidden[line].any() and sum(edges[n].n for n in line[hidden[line]]) < MIN_GROUP and rest:
        hidden[rest.pop(0)[1]] = True


def _is_open(edges: Sequence[_Edge], hidden: np.ndarray, number: int) -> bool:
    """Whether a hidden number could be another one: whether people can flow around a circle of hidden numbers through it."""
    return _way(edges, number, np.where(hidden, 0.0, np.inf)) is not None


def _circle(edges: Sequence[_Edge], hidden: np.ndarray, number: int, may_hide: np.ndarray) -> list[int]:
    """Returns the numbers to be hidden so that a hidden one is open, with as few people in them as can be; maybe none."""
    costs = np.array([0.0 if is_hidden else edge.n + 1.0 for edge, is_hidden in zip(edges, hidden, strict=True)])
    return _way(edges, number, np.where(may_hide, costs, np.inf)) or []


def _way(edges: Sequence[_Edge], number: int, costs: np.ndarray) -> list[int] | None:
    """Returns the cheapest way back from one end of an edge to its other end, as edges; ``None`` where there is none.

    People can always be added along an edge, and taken away where there are some.
    """
    own = edges[number]
    ways = [(own.head, own.tail)] + ([(own.tail, own.head)] if own.n else [])
    found = [way for start, end in ways if (way := _cheapest(edges, number, costs, start, end)) is not None]
    return min(found, key=lambda way: (costs[way].sum(), way), default=None)


def _cheapest(edges: Sequence[_Edge], without: int, costs: np.ndarray, start: int, end: int) -> list[int] | None:
    """Dijkstra's way over edges of finite cost."""
    reached: dict[int, list[int]] = {}
    queue: list[tuple[float, int, list[int]]] = [(0.0, start, [])]
    while queue:
        cost, node, way = heapq.heappop(queue)
        if node in reached:
            continue
        reached[node] = way
        if node == end:
            return way
        for number in np.flatnonzero(np.isfinite(costs)).tolist():
            edge = edges[number]
            if number == without:
                continue
            if edge.tail == node:
                heapq.heappush(queue, (cost + float(costs[number]), edge.head, [*way, number]))
            elif edge.head == node and edge.n:
                heapq.heappush(queue, (cost + float(costs[number]), edge.tail, [*way, number]))
    return None
