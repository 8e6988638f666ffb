"""One explanation: which item, what its score is made of, which words carry it."""

import json
from importlib.metadata import version

import numpy as np
import pandas as pd
import streamlit as st

from pages.shared import part_charts, resources
from pages.shared.brought import reads_interests
from pages.shared.cards import PROBABILITY, draw_legend, draw_picture
from pages.shared.form import offered_items
from pages.shared.frame import Page
from pages.shared.going import wanted_item
from pages.shared.jobs import jobs
from pages.shared.language import N_, _
from pages.shared.retelling import retold
from pages.shared.sharing import draw_link
from pages.shared.viewing import draw_sound
from pages.shared.widgets import plain, show_table
from pages.shared.words import draw_matrix, draw_texts
from recsys.explanation import EXACT, FIRST_LAST, assemble, can_assemble, to_html
from recsys.explanation.page import sums_to
from recsys.schema import ITEM_ID, Explanation, Recommendations
from recsys.scorer import SENTENCE
from recsys.views.view import IMAGE

ITEM = "item"
"""Session key and address part of the item that is explained: its label."""
_PREPARED = 5_000
"""Larger catalogs are taken apart item by item, or by `recsys build --words`."""
_TOLD = {
    ("profile", EXACT): N_("words of the person: exact"),
    ("profile", FIRST_LAST): N_("words of the person: the mean of joining first and joining last"),
    ("item", EXACT): N_("words of the item: exact"),
    ("item", FIRST_LAST): N_("words of the item: the mean of joining first and joining last"),
}


def choose_item(page: Page, found: Recommendations) -> str:
    """Draws the choice of the item, the list's items first, and returns its item_id."""
    dataset = page.dataset
    listed = [dataset.labels[dataset.item_row(item_id)] for item_id in found.table[ITEM_ID]]
    if (wanted := wanted_item()) is not None:
        st.session_state[ITEM] = dataset.labels[dataset.item_row(wanted)]
    options = list(dict.fromkeys([*listed, *offered_items(dataset, st.session_state.get(ITEM))]))
    label = st.selectbox(
        _("Item"),
        options,
        key=ITEM,
        persist_state="session",
        help=_("The items of the list come first, in their order; type to search the whole catalog."),
    )
    return str(dataset.items[ITEM_ID].iloc[dataset.labelled_rows[label or options[0]]])


def explain(page: Page, item_id: str, *, tier: str = FIRST_LAST) -> Explanation:
    """Returns the explanation of an item under the page's controls.

    Raises:
        DataError: if it does not add up, so that it must not be drawn.
    """
    found = page.recommender.explain(
        page.profile, item_id, keep=page.keep, popularity=page.controls.popularity, tier=tier
    )
    return found.checked()


def draw_head(page: Page, explanation: Explanation, found: Recommendations) -> None:
    """Draws the item, its rank and score, and the reason in one sentence."""
    listed = list(found.table[ITEM_ID])
    score, probability = explanation.total, float(page.recommender.scorer.probability(np.array([explanation.total]))[0])
    with st.container(border=True):
        with st.container(horizontal=True, gap="small", vertical_alignment="center", wrap=False):
            row = page.dataset.item_row(explanation.item_id)
            is_dark, width = st.context.theme.type == "dark", 48 if page.recommender.media(IMAGE, row) is None else 96
            draw_picture(page.recommender, row, explanation.title, is_dark=is_dark, width=width)
            with st.container(gap=None):
                st.markdown(f"**{plain(explanation.title) or _('Untitled')}**")
                st.caption(plain(retold(page.recommender.reason(explanation))))
        draw_sound(page, row)
        with st.container(horizontal=True, gap="large"):
            place = _("{rank:,} of {n:,}").format(rank=explanation.rank, n=_n_ranked(page, explanation.item_id))
            st.metric(_("Rank"), place, help=_("By score, among all items that may be shown to this person."))
            st.metric(_("Score"), f"{score:.4f}", help=_("What items are ranked by. Everything below adds up to it."))
            if probability == probability and explanation.popularity == 1:
                st.metric(_("Likely to be liked"), f"{probability:.0%}".replace("%", " %"), help=_(PROBABILITY))
        if explanation.item_id in page.profile.liked:
            st.caption(_("This item is liked by the person, so it is left out of the list."))
        elif not _is_shown(page, explanation.item_id):
            st.caption(
                _(
                    "The filters leave this item out of the list; its rank is the one it would have among what they keep."
                )
            )
        elif page.controls.diversity and explanation.item_id in listed:
            st.caption(
                _("Diversity moves it to place {index} of the list.").format(
                    index=listed.index(explanation.item_id) + 1
                )
            )


def _is_shown(page: Page, item_id: str) -> bool:
    return bool(page.recommender.allowed(page.profile, keep=page.keep)[page.dataset.item_row(item_id)])


def _n_ranked(page: Page, item_id: str) -> int:
    """How many items the rank is among: all that may be shown, and the explained one in any case."""
    return int(page.recommender.allowed(page.profile, keep=page.keep).sum()) + (not _is_shown(page, item_id))


def draw_parts(explanation: Explanation) -> None:
    """Draws the waterfall from the prior over every facet to the score, and the same as a table."""
    if not explanation.parts:
        st.info(
            _("The profile is empty and this scorer has no prior: every score is 0, so there is nothing to take apart.")
        )
        return
    facets = tuple(part.facet for part in explanation.parts)
    draw_legend(facets)
    figure = part_charts.waterfall(explanation, is_dark=st.context.theme.type == "dark")
    told = ", ".join(f"{retold(part.facet.label)} {part.contribution:+.3f}" for part in explanation.parts)
    st.plotly_chart(
        figure,
        config={"displayModeBar": False},
        alt=_("Score {total:.3f}: {told}").format(total=explanation.total, told=told),
    )
    if explanation.is_centred:
        st.caption(
            _(
                "Each bar is what the part adds to this item less what it adds to the average item of the catalog: why it is "
                "recommended, rather than why its score is high."
            )
        )
    else:
        st.caption(
            _(
                "“Without this” is the item scored and ranked again for the person without that one part; the parts that "
                "remain may then weigh more, so it need not be the score less the bar."
            )
        )
    with st.expander(_("As a table"), icon=":material/table:"):
        without = _("raw score without it") if explanation.is_centred else _("score without it")
        rows = [
            {
                "part": retold(part.facet.label),
                "adds": part.contribution,
                without: part.score_without,
                "rank without it": part.rank_without,
            }
            for part in explanation.parts
        ]
        config = {"adds": st.column_config.NumberColumn(format="%+.4f")}
        config[without] = st.column_config.NumberColumn(format="%.4f")
        show_table(pd.DataFrame(rows), column_config=config, alt=_("Parts of the score"))
    draw_strip(explanation)


def draw_strip(explanation: Explanation) -> None:
    """Names the method and the error of its sums."""
    st.caption(
        _(":material/function: {method} Largest error of any sum: {completeness_error}.").format(
            method=plain(retold(explanation.method)), completeness_error=plain(f"{explanation.completeness_error:.0e}")
        )
    )


def draw_words(page: Page, explanation: Explanation, *, centred: bool) -> None:
    """Draws the words at once, and again when the slower, exact values are there."""
    _prepare_item_words(page)
    place = st.empty()
    with place.container():
        _draw_words(page, explanation, centred=centred, turn=0)
    if not explanation.matrix.rows:
        return
    if page.recommender.explainer.can_be_exact(page.profile, page.dataset.item_row(explanation.item_id)):
        better = explain(page, explanation.item_id, tier=EXACT)
        with place.container():  # the same place again, which needs names of its own within one run
            _draw_words(page, better, centred=centred, turn=1)
    _draw_assembly(page, explanation)


def _draw_words(page: Page, explanation: Explanation, *, centred: bool, turn: int) -> None:
    shown = explanation.above_average().checked() if centred else explanation
    scale = page.recommender.explainer.scale
    if not shown.matrix.values.size:
        st.info(_("There are no words to show: the profile says nothing."), icon=":material/notes:")
        return
    with st.container(border=True):
        draw_texts(shown, scale=scale, key=f"texts-{turn}")
        st.caption(
            _(
                "Under each word stands what it adds to the score: blue to the right adds, orange to the left takes "
                "away. Bars and colours mean the same for every item. A longer text is cut into phrases."
            )
        )
    if not any(line.is_word for line in shown.matrix.rows):
        none_read = _("BERT reads no words of this person, so only whole parts meet the words of the item.")
        if not reads_interests(page.dataset):
            none_read = _(
                "No words are read, as it is not known what made the vectors: whole parts meet whole vectors."
            )
        st.info(none_read, icon=":material/notes:")
    st.markdown(_("**Word by word**"))
    matrix = shown.matrix
    draw_matrix(
        matrix.rows, matrix.columns, matrix.values, scale=scale / 2, label=_("Parts of the person by parts of the item"),
        key=f"matrix-{turn}",
    )  # fmt: skip
    st.caption(plain(retold(sums_to(shown))))
    if any(line.key == "learned" for line in matrix.columns):
        st.caption(
            _(
                "*learned from likes*: what people who like this item go on to like says more about it than its words do."
            )
        )
    if not shown.texts:
        return
    tiers = dict.fromkeys((text.side, text.tier) for text in shown.texts)
    told = "; ".join(_(_TOLD[tier]) for tier in tiers)
    st.caption(
        _(
            ":material/function: Vector-valued Shapley values of words, as BERT reads the text without them; {told}."
        ).format(told=told)
    )


def _draw_assembly(page: Page, explanation: Explanation) -> None:
    """Draws the exact sum over output tokens, named as what it is."""
    encoder = page.recommender.explainer.encoder
    texts = page.recommender.scorer.texts(page.profile)
    if not can_assemble(encoder) or not texts:
        return
    opened = st.expander(
        _("How the number is assembled from output tokens (not what matters)"), icon=":material/memory:", on_change="rerun",
        key="assembly",
    )  # fmt: skip
    if not opened.open:
        return
    with opened:
        item_text = page.recommender.explainer.item_texts[page.dataset.item_row(explanation.item_id)]
        for text in texts:
            found = assemble(encoder, text.text, text.map, item_text, page.recommender.scorer.item_map)
            if text.key != SENTENCE:
                st.markdown(_("Interest “{text}”").format(text=plain(text.text)))
            draw_matrix(
                found.rows, found.columns, found.values, scale=page.recommender.explainer.scale / 2,
                label=_("Output tokens of the person by output tokens of the item"), key=f"assembly-{text.key}",
            )  # fmt: skip
        st.caption(
            _(
                "The embedding of a text is the mean of its output tokens, so the text's part of the score is exactly this sum. "
                "But each output token already holds its neighbours, and the marks [CLS] and [SEP] hold much of the rest: "
                "deleting the word with the largest share here changes the list far less often than deleting the word with "
                "the largest Shapley value. The stored embedding of the item may be rounded, so the sum can differ "
                "from the score in the third digit."
            )
        )


def _prepare_item_words(page: Page) -> None:
    """Starts taking the catalog's texts apart in the background, and says how far that is."""
    words, n_items = page.recommender.explainer.item_words, len(page.dataset.items)
    if page.dataset.folder is None or n_items > _PREPARED or not resources.settings().background:
        return
    share = words.share_built()
    name = f"words of {page.dataset.name}"
    job = jobs().get(name)
    if share < 1 and job is None:
        jobs().start(name, ["build", page.dataset.name, "--words"], is_patient=True)
    if share < 1 and (job is None or job.is_running):
        st.caption(
            _(
                ":material/hourglass: The words of the catalog are being taken apart in the background: "
                "{share:.0%} done. Until then an item's words are found when you open it."
            )
            .format(share=share)
            .replace("%", " %")
        )


def draw_export(page: Page, explanation: Explanation) -> None:
    """Draws the popovers that copy the link and export the explanation."""
    with st.container(horizontal=True, width="content", gap="small"):
        draw_link(page)
        with st.popover(_("Export"), icon=":material/download:"):
            about = {
                "dataset": page.dataset.info.title,
                "encoder": page.recommender.encoder.name,
                "Coldlens": version("coldlens"),
            }
            name = f"coldlens-why-{page.dataset.item_row(explanation.item_id)}"
            text = json.dumps({"about": about} | explanation.to_dict(), ensure_ascii=False, indent=1)
            st.download_button("JSON", text, f"{name}.json", "application/json", on_click="ignore")
            st.download_button(
                "HTML", to_html(explanation, about=about), f"{name}.html", "text/html", on_click="ignore",
                help=_("One file without scripts, for people without Coldlens."),
            )  # fmt: skip
