"""Cold to warm: like and dislike what is shown, step by step, and watch two people's lists."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from pages.shared import compare_charts, figures, influence
from pages.shared.atlases import draw_fitting, open_or_preview
from pages.shared.frame import Page
from pages.shared.language import _, ngettext
from pages.shared.widgets import plain
from recsys.errors import UnknownItemError
from recsys.schema import Profile
from recsys.settings import MAX_LIKED
from recsys.whatif import Reaction, Stage, side_by_side, simulate

_KEY = "reactions"
"""Session key and address part: item_ids, with + in front of a like and - in front of a dislike."""


def draw_growth(page: Page, second: Profile) -> None:
    """Draws A's list with a like and a dislike on every item, and what the same reactions do to B."""
    reactions = _reactions(page, (page.profile, second))
    both = tuple(_stages(page, start, reactions) for start in (page.profile, second))
    st.caption(
        _(
            "A like becomes part of the person, as if named from the beginning. Nothing is learned from a dislike: "
            "the item is only left out from then on. B gets the same reactions as A."
        )
    )
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        told = _("React to an item below")
        if reactions:
            told = _("{n} so far").format(n=len(reactions))
        st.markdown(_("**Reactions:** {told}").format(told=told), width="stretch")
        best = [item_id for item_id in both[0][-1].item_ids if item_id not in second.liked][:3]
        st.button(_("Like the first three"), icon=":material/thumb_up:", on_click=_add, args=([f"+{i}" for i in best],))
        st.button(_("Undo"), icon=":material/undo:", on_click=_undo, disabled=not reactions)
        st.button(_("Start over"), icon=":material/restart_alt:", on_click=_clear, disabled=not reactions)
    if reactions:
        labels = page.dataset.labels
        words = [
            (_("liked {item}") if one.is_like else _("disliked {item}")).format(
                item=labels[page.dataset.item_row(one.item_id)]
            )
            for one in reactions
        ]
        st.caption(plain(" → ".join(words)))
    left, right = st.columns(2, gap="medium")
    with left:
        _draw_list(page, "A", both[0], taken=second.liked)
    with right:
        _draw_list(page, "B", both[1])
    if reactions:
        _draw_curves(both)
        _draw_paths(page, both)


def _reactions(page: Page, starts: tuple[Profile, Profile]) -> list[Reaction]:
    """The reactions of the session, without those that make no sense for these two people."""
    liked, seen, found = {item_id for one in starts for item_id in one.liked}, set(), []
    room = MAX_LIKED - max(len(one.liked) for one in starts)
    for text in st.session_state.get(_KEY) or []:
        try:
            page.dataset.item_row(text[1:])
        except UnknownItemError:
            continue
        if text[:1] in ("+", "-") and text[1:] not in liked and text[1:] not in seen:
            is_like = text[0] == "+"
            if is_like and room == 0:
                continue
            room -= is_like
            seen.add(text[1:])
            found.append(Reaction(text[1:], is_like))
    return found


def _stages(page: Page, start: Profile, reactions: list[Reaction]) -> tuple[Stage, ...]:
    asked = page.controls
    return simulate(
        page.recommender, start, reactions, k=asked.k, keep=asked.keep, popularity=asked.popularity,
        diversity=asked.diversity,
    )  # fmt: skip


def _add(texts: list[str]) -> None:
    st.session_state[_KEY] = [*(st.session_state.get(_KEY) or []), *texts]


def _undo() -> None:
    st.session_state[_KEY] = (st.session_state.get(_KEY) or [])[:-1]


def _clear() -> None:
    st.session_state[_KEY] = []


def _draw_list(page: Page, name: str, stages: tuple[Stage, ...], *, taken: tuple[str, ...] | None = None) -> None:
    """Draws one list; with ``taken``, what the other one likes from the start, every other item can be reacted to."""
    now = stages[-1]
    with st.container(border=True):
        st.markdown(_("**{name} sees**").format(name=name))
        if page.has_prior and any(now.influence.shares.values()):
            st.image(
                figures.influence_bar(now.influence.shares),
                alt=_("Influence on the list: {spoken}").format(spoken=influence.spoken(now.influence)),
            )
            st.caption(f"{influence.spoken(now.influence)}.")
        if len(stages) > 1:
            st.caption(
                _("{n_entered} new since the last reaction; {overlap_with_start:.0%} of the first list left.")
                .format(n_entered=len(now.entered), overlap_with_start=now.overlap_with_start)
                .replace("%", "\u00a0%")
            )  # fmt: skip
        for place, item_id in enumerate(now.item_ids, 1):
            _draw_row(page, place, item_id, is_new=item_id in now.entered, taken=taken)
        if not now.item_ids:
            st.info(_("No item passes the filters."))


def _draw_row(page: Page, place: int, item_id: str, *, is_new: bool, taken: tuple[str, ...] | None) -> None:
    title = plain(page.dataset.labels[page.dataset.item_row(item_id)])
    with st.container(horizontal=True, gap="small", vertical_alignment="center", wrap=False, height=44, border=False):
        badge = f"  :green-badge[{_('new')}]" if is_new else ""
        st.markdown(f"{place}\\. {title}{badge}", width="stretch")
        if taken is None:
            return
        for verb, told, sign in (("like", _("Like {title}"), "+"), ("dislike", _("Dislike {title}"), "-")):
            is_taken, icon = item_id in taken, "thumb_up" if sign == "+" else "thumb_down"
            st.button(
                f":material/{icon}:", key=f"{verb}-{item_id}", on_click=_add, args=([f"{sign}{item_id}"],),
                disabled=is_taken, help=_("B likes it from the start") if is_taken else told.format(title=title),
            )  # fmt: skip


def _draw_curves(both: tuple[tuple[Stage, ...], ...]) -> None:
    shared = side_by_side(*both)
    lines = {
        _("A and B share"): shared,
        _("A keeps of the first list"): np.array([stage.overlap_with_start for stage in both[0]]),
        _("B keeps of the first list"): np.array([stage.overlap_with_start for stage in both[1]]),
    }
    st.markdown(
        ngettext(
            "**A and B share {first:.0%} of their lists at the start, {last:.0%} after {n} reaction.**",
            "**A and B share {first:.0%} of their lists at the start, {last:.0%} after {n} reactions.**",
            len(shared) - 1,
        )
        .format(first=shared[0], last=shared[-1], n=len(shared) - 1)
        .replace("%", "\u00a0%")
    )
    told = "; ".join(f"{name}: {', '.join(f'{v:.0%}' for v in values)}" for name, values in lines.items())
    st.plotly_chart(compare_charts.curves(lines), config={"displayModeBar": False}, key="growth", alt=told)


def _draw_paths(page: Page, both: tuple[tuple[Stage, ...], ...]) -> None:
    with st.expander(
        _("Where the two move on the map"), icon=":material/scatter_plot:", key="growth_map", on_change="rerun"
    ) as opened:
        if not opened.open:
            return
        atlas = open_or_preview(page, "text", 2)
        if atlas.is_preview:
            draw_fitting(page, "text", 2)
        paths = {
            name: np.array([atlas.atlas.place(stage.profile).spot for stage in stages])
            for name, stages in zip("AB", both, strict=True)
        }
        figure: go.Figure = compare_charts.paths(
            atlas.atlas.items.coordinates, paths, is_dark=st.context.theme.type == "dark"
        )
        st.plotly_chart(
            figure, key="growth_paths", alt=_("The paths of A and B on the map of texts, from start to now")
        )
        st.caption(_("Each point is a stage, the star is now. A dislike moves nobody."))
