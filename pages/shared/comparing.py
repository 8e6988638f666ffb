"""A and B side by side: what enters, leaves and moves, and which part of the profile did it."""

import math

import pandas as pd
import streamlit as st

from pages.shared import compare_charts, resources
from pages.shared.bump import draw_bump, told
from pages.shared.frame import Page
from pages.shared.language import _, ngettext
from pages.shared.retelling import retold
from pages.shared.widgets import plain, show_table, show_warnings
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
    warnings = [
        f"{name}: {retold(text)}" for name, made in (("A", found.first), ("B", found.second)) for text in made.warnings
    ]
    show_warnings(warnings)
    if not found.changes:
        st.info(_("No item passes the filters. Widen the categories or years in the sidebar."))
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
        st.caption(
            _("Ranks below the line are those among all that may be shown. Press an item to see why it differs.")
        )
    with why:
        st.selectbox(_("Why"), ids, key=_CHOSEN, format_func=labels.__getitem__, persist_state="session")
        chosen = next(change for change in found.changes if change.item_id == st.session_state[_CHOSEN])
        _draw_why(chosen)
    _draw_shifts(page, found)
    _draw_all(found)


def in_words(found: Comparison) -> str:
    """Returns the comparison in one or two sentences of Markdown."""
    entered, left = found.of_kind("entered"), found.of_kind("left")
    moved = found.of_kind("up", "down")
    if not entered and not left and not moved:
        return _("**Both see the same list, in the same order.** What differs between A and B changes nothing here.")
    n = len(found.second)
    if not entered and not left:
        return _("**Both see the same {n} items, {n_moved} of them at another place.**").format(n=n, n_moved=len(moved))
    parts = [_("**{n_entered} of {n} items are others for B.**").format(n_entered=len(entered), n=n)]
    if entered:
        parts.append(_("First to enter: {title}.").format(title=plain(entered[0].title)))
    if left:
        parts.append(
            _("First to leave: {title}.").format(
                title=plain(min(left, key=lambda change: change.first_place or 0).title)
            )
        )
    return " ".join(parts)


def _draw_measures(found: Comparison) -> None:
    with st.container(horizontal=True, gap="large"):
        st.metric(
            _("Shared"), f"{found.overlap:.0%}".replace("%", "\u00a0%"), help=_("Share of items that both lists show.")
        )
        st.metric(
            _("Shared, top first"), f"{found.rank_biased_overlap:.2f}",
            help=_(
                "Rank-biased overlap: like the share, but the top of the lists counts more. 1 is the same list, 0 is nothing "
            "shared."
            ),
        )  # fmt: skip
        if not math.isnan(found.mean_shift):
            st.metric(
                _("Mean score"), f"{found.second.table['score'].mean():.3f}", 
                _("{change} for B").format(change=f"{found.mean_shift:+.3f}"),
                delta_color="off", help=_("Of the items in B's list, and how far that is from A's list."),
            )  # fmt: skip
        _draw_pair(
            _("Mean likes"),
            found.likes,
            _("Likes of the listed items in the data: how popular the lists are."),
            digits=0,
        )
        _draw_pair(_("Mean price"), found.price, _("Of the listed items that have a price."), digits=2)


def _draw_pair(name: str, values: tuple[float, float], told: str, *, digits: int) -> None:
    if any(math.isnan(value) for value in values) or values == (0, 0):
        return
    change = _("{change} for B").format(change=f"{values[1] - values[0]:+,.{digits}f}")
    st.metric(name, f"{values[1]:,.{digits}f}", change, delta_color="off", help=told)


def _most_changed(found: Comparison) -> Change:
    return max(found.changes, key=lambda change: (change.kind in ("entered", "left"), abs(change.shift)))


def _draw_why(change: Change) -> None:
    st.markdown(
        _(
            "**{title}**: {rank} for A, {rank2} for B; its score goes from {first_score:.3f} to {second_score:.3f} "
            "({shift})."
        ).format(
            title=plain(change.title),
            rank=_rank(change.first_rank),
            rank2=_rank(change.second_rank),
            first_score=change.first_score,
            second_score=change.second_score,
            shift=plain(f"{change.shift:+.3f}"),
        )
    )
    if not change.shifts:
        st.caption(_("A and B are the same person, so nothing differs."))
        return
    rows = [
        (
            retold(part.label),
            part.value,
            _("{before:+.3f} for A, {after:+.3f} for B").format(before=part.before, after=part.after),
        )
        for part in change.shifts[:_SHOWN]
    ]
    figure = compare_charts.shift_bars(rows, is_dark=st.context.theme.type == "dark")
    said = ", ".join(f"{label} {value:+.3f}" for label, value, _ in rows)
    st.plotly_chart(
        figure,
        config={"displayModeBar": False},
        key="why_shifts",
        alt=_("What the change does: {said}").format(said=said),
    )
    rest = change.shifts[_SHOWN:]
    undrawn = plain(f"{sum(part.value for part in rest):+.3f}")
    told = _(
        "Right: adds for B. Left: takes away for B. The bars add up to {sum}. An item's rank also changes when the others' "
        "scores do."
    )
    if rest:
        told = _(
            "Right: adds for B. Left: takes away for B. The bars and {n} smaller parts that are not drawn ({undrawn} together) "
            "add up to {sum}. An item's rank also changes when the others' scores do."
        )
    st.caption(told.format(n=len(rest), undrawn=undrawn, sum=plain(f"{change.shift:+.4f}")))


def _rank(rank: int | None) -> str:
    return _("left out, being liked,") if rank is None else _("rank {rank:,}").format(rank=rank)


def _draw_shifts(page: Page, found: Comparison) -> None:
    if len(found.categories):
        most = found.categories["shift"].abs().sort_values(ascending=False, kind="stable").index[:_SHARES]
        title = _("Categories of the two lists")
        if len(found.categories) > _SHARES:
            title = _("Categories of the two lists, the {n} that differ most").format(n=_SHARES)
        with st.expander(title, icon=":material/bar_chart:", expanded=True):
            figure = compare_charts.category_bars(found.categories.loc[sorted(most)])
            said = ", ".join(
                _("{category} {first:.0%} to {second:.0%}").format(
                    category=row["category"], first=row["first"], second=row["second"]
                )
                for row in found.categories.to_dict("records")
            )
            st.plotly_chart(
                figure,
                config={"displayModeBar": False},
                key="categories",
                alt=_("Share of items: {said}").format(said=said),
            )
            st.caption(_("Share of a list's items that carry the category; an item may carry several."))
    saved = known_profiles(page)
    if saved:
        told = ngettext("With the {n} saved profile", "With the {n} saved profiles", len(saved)).format(n=len(saved))
        with st.expander(told, icon=":material/groups:", key="saved_matrix"):
            names = ["A", "B", *saved]
            profiles = [found.first.profile, found.second.profile, *saved.values()]
            panel = Panel.from_profiles(page.recommender, profiles, page.lists)
            lists = [top[top >= 0] for top in panel.top]
            st.plotly_chart(
                compare_charts.matrix(overlap_matrix(lists), names),
                key="saved_overlap",
                alt=_("Overlap of every two lists"),
            )
            st.caption(_("Share of the top {k} that every two profiles share, ranked by score.").format(k=page.k))


def known_profiles(page: Page) -> dict[str, Profile]:
    """Returns the saved profiles by name, without those that the data no longer knows; A and B are names of their own."""
    found = {}
    for preset in resources.saved_profiles(page.dataset.name).all():
        if page.recommender.knows(preset.profile):
            found[_("{name} (saved)").format(name=preset.name) if preset.name in ("A", "B") else preset.name] = (
                preset.profile
            )
    return found


def _draw_all(found: Comparison) -> None:
    with st.expander(_("As a table"), icon=":material/table:"):
        rows = [
            {
                "item": change.title,
                "what happens": told(change),
                "rank for A": change.first_rank,
                "rank for B": change.second_rank,
                "score for A": change.first_score,
                "score for B": change.second_score,
                "mostly because of": ", ".join(f"{retold(part.label)} {part.value:+.3f}" for part in change.shifts[:3]),
            }
            for change in found.changes
        ]
        config = {name: st.column_config.NumberColumn(format="%.4f") for name in ("score for A", "score for B")}
        show_table(pd.DataFrame(rows), column_config=config, alt=_("Every item of either list"))
