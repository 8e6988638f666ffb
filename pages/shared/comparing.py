"""A and B side by side: what enters, leaves and moves, and which part of the profile did it."""

import math

import pandas as pd
import streamlit as st

from pages.shared import compare_charts, resources
from pages.shared.bump import draw_bump, told
from pages.shared.frame import Page
from pages.shared.widgets import plain, show_warnings
from recsys.schema import Profile
from recsys.whatif import Change, Comparison, Panel, compare, overlap_matrix

_CHOSEN = "why_change"
_SHOWN, _SHARES = 12, 20


def compare_both(page: Page, second: Profile) -> Comparison:
    """Returns the comparison of the two persons under the page's controls."""
    asked = page.controls
    return compare(
        page.recommender, page.profile, second, k=asked.k, keep=asked.keep, popularity=asked.popularity,
        diversity=asked.diversity,
    )  # fmt: skip


def draw_comparison(page: Page, found: Comparison) -> None:
    """Draws both lists, the measures of their difference, and why one item differs."""
    warnings = [f"{name}: {text}" for name, made in (("A", found.first), ("B", found.second)) for text in made.warnings]
    show_warnings(warnings)
    if not found.changes:
        st.info("No item passes the filters. Widen the categories or years in the sidebar.")
        return
    st.markdown(in_words(found))
    _draw_measures(found)
    labels = {change.item_id: change.title for change in found.changes}
    ids = [change.item_id for change in found.of_kind("entered", "left", "up", "down", "same")]
    if st.session_state.get(_CHOSEN) not in ids:
        st.session_state[_CHOSEN] = _most_changed(found).item_id

    def press(item_id: str) -> None:
        st.session_state[_CHOSEN] = item_id

    lists, why = st.columns((3, 2), gap="medium")
    with lists:
        draw_bump(found, chosen=st.session_state[_CHOSEN], on_press=press)
        st.caption("Ranks below the line are those among all that may be shown. Press an item to see why it differs.")
    with why:
        st.selectbox("Why", ids, key=_CHOSEN, format_func=labels.__getitem__, persist_state="session")
        chosen = next(change for change in found.changes if change.item_id == st.session_state[_CHOSEN])
        _draw_why(chosen)
    _draw_shifts(page, found)
    _draw_all(found)


def in_words(found: Comparison) -> str:
    """Returns the comparison in one or two sentences of Markdown."""
    entered, left = found.of_kind("entered"), found.of_kind("left")
    moved = found.of_kind("up", "down")
    if not entered and not left and not moved:
        return "**Both see the same list, in the same order.** What differs between A and B changes nothing here."
    n = len(found.second)
    if not entered and not left:
        return f"**Both see the same {n} items, {len(moved)} of them at another place.**"
    parts = [f"**{len(entered)} of {n} items are others for B.**"]
    if entered:
        parts.append(f"First to enter: {plain(entered[0].title)}.")
    if left:
        parts.append(f"First to leave: {plain(min(left, key=lambda change: change.first_place or 0).title)}.")
    return " ".join(parts)


def _draw_measures(found: Comparison) -> None:
    with st.container(horizontal=True, gap="large"):
        st.metric("Shared", f"{found.overlap:.0%}".replace("%", "\u00a0%"), help="Share of items that both lists show.")
        st.metric(
            "Shared, top first", f"{found.rank_biased_overlap:.2f}",
            help="Rank-biased overlap: like the share, but the top of the lists counts more. 1 is the same list, 0 is nothing "
            "shared.",
        )  # fmt: skip
        if not math.isnan(found.mean_shift):
            st.metric(
                "Mean score", f"{found.second.table['score'].mean():.3f}", f"{found.mean_shift:+.3f} for B",
                delta_color="off", help="Of the items in B's list, and how far that is from A's list.",
            )  # fmt: skip
        _draw_pair(
            "Mean likes", found.likes, "Likes of the listed items in the data: how popular the lists are.", digits=0
        )
        _draw_pair("Mean price", found.price, "Of the listed items that have a price.", digits=2)


def _draw_pair(name: str, values: tuple[float, float], told: str, *, digits: int) -> None:
    if any(math.isnan(value) for value in values) or values == (0, 0):
        return
    change = f"{values[1] - values[0]:+,.{digits}f} for B"
    st.metric(name, f"{values[1]:,.{digits}f}", change, delta_color="off", help=told)


def _most_changed(found: Comparison) -> Change:
    return max(found.changes, key=lambda change: (change.kind in ("entered", "left"), abs(change.shift)))


def _draw_why(change: Change) -> None:
    st.markdown(
        f"**{plain(change.title)}**: {_rank(change.first_rank)} for A, {_rank(change.second_rank)} for B; its score goes from "
        f"{change.first_score:.3f} to {change.second_score:.3f} ({plain(f'{change.shift:+.3f}')})."
    )
    if not change.shifts:
        st.caption("A and B are the same person, so nothing differs.")
        return
    rows = [
        (part.label, part.value, f"{part.before:+.3f} for A, {part.after:+.3f} for B")
        for part in change.shifts[:_SHOWN]
    ]
    figure = compare_charts.shift_bars(rows, is_dark=st.context.theme.type == "dark")
    said = ", ".join(f"{label} {value:+.3f}" for label, value, _ in rows)
    st.plotly_chart(figure, config={"displayModeBar": False}, key="why_shifts", alt=f"What the change does: {said}")
    rest = change.shifts[_SHOWN:]
    undrawn = plain(f"{sum(part.value for part in rest):+.3f}")
    more = f" and {len(rest)} smaller parts that are not drawn ({undrawn} together)" if rest else ""
    st.caption(
        f"Right: adds for B. Left: takes away for B. The bars{more} add up to {plain(f'{change.shift:+.4f}')}. An item's rank "
        "also changes when the others' scores do."
    )


def _rank(rank: int | None) -> str:
    return "left out, being liked," if rank is None else f"rank {rank:,}"


def _draw_shifts(page: Page, found: Comparison) -> None:
    if len(found.categories):
        most = found.categories["shift"].abs().sort_values(ascending=False, kind="stable").index[:_SHARES]
        title = "Categories of the two lists" + (
            f", the {_SHARES} that differ most" if len(found.categories) > _SHARES else ""
        )
        with st.expander(title, icon=":material/bar_chart:", expanded=True):
            figure = compare_charts.category_bars(found.categories.loc[sorted(most)])
            said = ", ".join(
                f"{row['category']} {row['first']:.0%} to {row['second']:.0%}" for _, row in found.categories.iterrows()
            )
            st.plotly_chart(figure, config={"displayModeBar": False}, key="categories", alt=f"Share of items: {said}")
            st.caption("Share of a list's items that carry the category; an item may carry several.")
    saved = known_profiles(page)
    if saved:
        noun = "profile" if len(saved) == 1 else "profiles"
        with st.expander(f"With the {len(saved)} saved {noun}", icon=":material/groups:", key="saved_matrix"):
            names = ["A", "B", *saved]
            profiles = [found.first.profile, found.second.profile, *saved.values()]
            panel = Panel.from_profiles(page.recommender, profiles, page.lists)
            lists = [top[top >= 0] for top in panel.top]
            st.plotly_chart(
                compare_charts.matrix(overlap_matrix(lists), names),
                key="saved_overlap",
                alt="Overlap of every two lists",
            )
            st.caption(f"Share of the top {page.k} that every two profiles share, ranked by score.")


def known_profiles(page: Page) -> dict[str, Profile]:
    """Returns the saved profiles by name, without those that the data no longer knows; A and B are names of their own."""
    found = {}
    for preset in resources.saved_profiles(page.dataset.name).all():
        if page.recommender.knows(preset.profile):
            found[f"{preset.name} (saved)" if preset.name in ("A", "B") else preset.name] = preset.profile
    return found


def _draw_all(found: Comparison) -> None:
    with st.expander("As a table", icon=":material/table:"):
        rows = [
            {
                "item": change.title,
                "what happens": told(change),
                "rank for A": change.first_rank,
                "rank for B": change.second_rank,
                "score for A": change.first_score,
                "score for B": change.second_score,
                "mostly because of": ", ".join(f"{part.label} {part.value:+.3f}" for part in change.shifts[:3]),
            }
            for change in found.changes
        ]
        config = {name: st.column_config.NumberColumn(format="%.4f") for name in ("score for A", "score for B")}
        st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=config, alt="Every item of either list")
