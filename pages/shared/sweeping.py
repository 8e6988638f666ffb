"""Sweeps: one or two things moved over all their values."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from pages.shared import compare_charts, figures
from pages.shared.form import offered_items
from pages.shared.frame import Page
from pages.shared.language import N_, _
from pages.shared.retelling import retold
from pages.shared.widgets import plain, show_table
from recsys.errors import shorten
from recsys.export import neutralise
from recsys.schema import ITEM_ID, Recommendations
from recsys.whatif import Axis, Sweep, axes_of, sweep, sweep_two

_NOTHING, _FIRST = N_("nothing else"), N_("Which item is first")
_MOST_STEPS = 5_000
_MANY = 7
"""Items that get a colour of their own; the others share one."""


def draw_sweep(page: Page, listed: Recommendations) -> None:
    """Draws the choice of axes for A, and the map of ranks or of places."""
    axes = {axis.key: axis for axis in axes_of(page.recommender, page.profile)}
    if not axes:
        st.info(
            _("There is nothing to sweep: the dataset knows no ages, genders or attributes, and the profile is empty.")
        )
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        over = _choose(_("Move A's"), list(axes), "over", axes)
        by = _choose(_("and"), [_NOTHING, *(key for key in axes if key != over)], "by", axes)
    if page.controls.diversity:
        st.caption(_("Ranks here are by score alone; diversity is left out."))
    if by == _NOTHING:
        _draw_one(page, axes[over])
    else:
        n = len(axes[over].steps) * len(axes[by].steps)
        if n > _MOST_STEPS:
            st.info(
                _(
                    "These are {n:,} people at once, more than {most_steps:,}. Choose something with fewer values."
                ).format(n=n, most_steps=_MOST_STEPS)
            )
            return
        with st.spinner(_("Ranking everything for {n:,} people").format(n=n)):
            _draw_two(page, axes[over], axes[by], listed)


def _choose(label: str, options: list[str], key: str, axes: dict[str, Axis]) -> str:
    if st.session_state.get(key) not in options:
        st.session_state[key] = options[0]
    return st.selectbox(
        label, options, key=key, format_func=lambda name: retold(axes[name].label) if name in axes else _(name),
        persist_state="session", width=260,
    )  # fmt: skip


def _draw_one(page: Page, axis: Axis) -> None:
    found = sweep(page.recommender, page.profile, axis, page.lists)
    labels = page.dataset.labels
    if not len(found.rows):
        st.info(_("No item passes the filters. Widen the categories or years in the sidebar."))
        return
    st.markdown(_in_words(found, labels))
    figure = compare_charts.rank_map(found, labels, is_dark=st.context.theme.type == "dark")
    st.plotly_chart(
        figure, config={"displayModeBar": False}, key=f"sweep-{axis.key}",
        alt=_("Rank of {n_rows} items over {n_steps} steps of {label}; the table below holds the same.").format(
            n_rows=len(found.rows), n_steps=len(axis.steps), label=retold(axis.label)
        ),
    )  # fmt: skip
    told = [
        _("Every item that is ever in the top {k}. Dark is high up; without colour it is not in the list.").format(
            k=found.k
        )
    ]
    told += [_("Orange ticks mark where an item enters or leaves.")] if axis.is_ordered else []
    told += [_("Everything else about A stays as it is."), *_caveats(axis)]
    st.caption(" ".join(told))
    _draw_flips(found, labels)
    with st.expander(_("Ranks as a table"), icon=":material/table:"):
        table = _table(found, labels)
        show_table(table, alt=_("Rank of every item at every step"))
        st.download_button(
            "CSV", _csv(page, found), f"coldlens-sweep-{axis.key.split(':')[0]}.csv", "text/csv", on_click="ignore"
        )


def _caveats(axis: Axis) -> list[str]:
    if axis.key.startswith("weight:"):
        return [_("The weight multiplies what the interest adds to each score: 0 silences it, 1 is as typed.")]
    if axis.key == "liked":
        return [_("Liked items count in the order of the profile, and are left out of the list.")]
    return []


def _in_words(found: Sweep, labels: Sequence[str]) -> str:
    always = found.rows[found.is_in.all(axis=0)]
    firsts = Counter(int(row) for row in found.top[:, 0] if row >= 0)
    told = [
        _("**{n_rows} items share the top {k}**, {n_always} of them are always in it.").format(
            n_rows=len(found.rows), k=found.k, n_always=len(always)
        )
    ]
    if len(firsts) == 1:
        told.append(_("{labels} is first everywhere.").format(labels=plain(labels[next(iter(firsts))])))
    else:
        best, n = firsts.most_common(1)[0]
        told.append(
            _("{n_firsts} items are first somewhere, most often {labels} ({n} of {n_top}).").format(
                n_firsts=len(firsts), labels=plain(labels[best]), n=n, n_top=len(found.top)
            )
        )
    return " ".join(told)


def _draw_flips(found: Sweep, labels: Sequence[str]) -> None:
    if not found.flips:
        st.caption(_("No item enters or leaves."))
        return
    name = _("Flip points: {n}") if found.axis.is_ordered else _("Who enters and who leaves: {n}")
    with st.expander(name.format(n=len(found.flips)), icon=":material/swap_vert:"):
        rows = [
            {
                "at": retold(found.axis.labels[flip.step]),
                "item": labels[flip.item_row],
                "what happens": _("enters") if flip.is_entering else _("leaves"),
                "rank before": flip.before,
                "rank after": flip.after,
            }
            for flip in found.flips
        ]
        show_table(pd.DataFrame(rows), alt=_("Items that enter or leave"))


def _draw_two(page: Page, first: Axis, second: Axis, listed: Recommendations) -> None:
    dataset = page.dataset
    options = [_FIRST, *(dataset.labels[dataset.item_row(item_id)] for item_id in listed.table[ITEM_ID])]
    options = list(dict.fromkeys([*options, *offered_items(dataset, st.session_state.get("target"))]))
    if st.session_state.get("target") not in options:
        st.session_state["target"] = _FIRST
    target = st.selectbox(
        _("Show"), options, key="target", persist_state="session",
        format_func=lambda name: _(_FIRST) if name == _FIRST else name,
    )  # fmt: skip
    found = sweep_two(page.recommender, page.profile, first, second, page.lists)
    if (found.winners < 0).all():
        st.info(_("No item passes the filters. Widen the categories or years in the sidebar."))
        return
    is_dark, axes = st.context.theme.type == "dark", (first.labels, second.labels)
    if target == _FIRST:
        numbers, names = _numbered(found.winners, dataset.labels)
        _draw_names(names, is_dark=is_dark)
        figure = compare_charts.surface_of_names(numbers, names, axes)
        told = _("Which item is first; {n_unique} different ones.").format(n_unique=len(np.unique(found.winners)))
        values = np.array([[names[n] for n in row] for row in numbers], dtype=object)
    else:
        values = found.ranks_of(dataset.labelled_rows[target])
        if np.isnan(values).all():
            st.info(
                _("{target} is left out of A's list: it is liked, or the filters keep it out.").format(
                    target=plain(target)
                )
            )
            return
        figure = compare_charts.surface_of_ranks(values, axes, k=page.k, is_dark=is_dark)
        told = _("Rank of {target}: best {nanmin:,.0f}, worst {nanmax:,.0f}; blue is in the top {k}.").format(
            target=target, nanmin=np.nanmin(values), nanmax=np.nanmax(values), k=page.k
        )
    st.plotly_chart(figure, config={"displayModeBar": False}, key="surface", alt=told)
    axes_told = _("Across: {first}; down: {second}.").format(
        first=plain(retold(first.label)), second=plain(retold(second.label))
    )
    st.caption(f"{plain(told)} {axes_told}")
    with st.expander(_("As a table"), icon=":material/table:"):
        table = pd.DataFrame(values.T, columns=list(first.labels))
        table.insert(
            0, f"{retold(second.label)} \\ {retold(first.label)}", list(second.labels)
        )  # no step is called like both
        show_table(table, alt=told)


def _draw_names(names: Sequence[str], *, is_dark: bool) -> None:
    ink = "#F1F5F9" if is_dark else "#0F172A"
    with st.container(horizontal=True, gap="small"):
        for name, colour in zip(names, compare_charts.PALETTE, strict=False):
            st.image(figures.legend_entry(shorten(name, 40), colour, ink), alt=name)


def _numbered(winners: np.ndarray, labels: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """The items that are first most often, by number; the rest are one."""
    counts = Counter(winners.ravel().tolist())
    rows = [row for row, _ in counts.most_common(_MANY if len(counts) > _MANY + 1 else _MANY + 1)]
    names = [labels[row] if row >= 0 else _("nothing") for row in rows]
    if len(counts) > len(rows):
        names.append(_("another item"))
    number = {row: place for place, row in enumerate(rows)}
    return np.vectorize(lambda row: number.get(row, len(rows)), otypes=[int])(winners), names


def _csv(page: Page, found: Sweep) -> str:
    table = _table(found, page.dataset.labels)
    table.insert(0, ITEM_ID, page.dataset.items[ITEM_ID].to_numpy()[found.rows], allow_duplicates=True)
    return str(table.map(neutralise).set_axis([neutralise(name) for name in table], axis=1).to_csv(index=False))


def _table(found: Sweep, labels: Sequence[str]) -> pd.DataFrame:
    """Ranks by item and step; blank where an item may not be shown. A step called like a column gets another name."""
    steps = range(len(found.profiles))
    rows = [
        ["" if (rank := found.rank_at(n, place)) is None else rank for n in steps] for place in range(len(found.rows))
    ]
    heads = [f"{label} " if label in ("item", ITEM_ID) else label for label in found.axis.labels]
    table = pd.DataFrame(rows, columns=heads, dtype=object).astype(str)
    table.insert(0, "item", [labels[row] for row in found.rows])
    return table
