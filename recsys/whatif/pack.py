"""The stakeholder pack: a comparison as one HTML file that needs nothing else, no script and no network."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from importlib.metadata import version

import numpy as np

from recsys.errors import DataError, shorten
from recsys.explanation import FIRST_LAST
from recsys.projection import Atlas
from recsys.recommender import Recommender
from recsys.schema import ITEM_ID, Explanation, Profile
from recsys.whatif.compare import Change, Comparison
from recsys.whatif.pack_figures import bar, bump_chart, signed, table
from recsys.whatif.pack_map import SHAPES, map_figure, side_of
from recsys.whatif.pack_reasons import changes_section, explanations_section
from recsys.whatif.pack_style import STYLE
from recsys.whatif.pack_words import controls_in_words, summary, trust_in_words
from recsys.whatif.scenario import Scenario

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_NAMES, _EXPLAINED = ("A", "B"), 3
_LONGEST = 160
"""Characters of a part of a person in the table; the sentence about them is never cut."""
_SAME, _DIFFERS = "<span class=fixed>same</span>", "<b class=fixed>differs</b>"


def make_pack(
    recommender: Recommender, comparison: Comparison, scenario: Scenario, *, atlas: Atlas | None, notes: str = ""
) -> str:
    """Explains the first items of both lists, places both people on the map, and returns the whole page; see ``to_pack``."""
    sides = dict(zip(_NAMES, (comparison.first, comparison.second), strict=True))
    keep, popularity = scenario.keep, scenario.controls["popularity"]
    explanations = {
        name: [
            recommender.explain(
                found.profile, item_id, keep=keep, popularity=popularity, tier=FIRST_LAST
            ).above_average()
            for item_id in found.table[ITEM_ID][:_EXPLAINED]
        ]
        for name, found in sides.items()
    }
    places = {name: atlas.place(found.profile).spot for name, found in sides.items()} if atlas else {}
    about = {
        "Dataset": recommender.dataset.info.title,
        "Scorer": recommender.scorer.name,
        "Encoder": recommender.encoder.name,
        "Coldlens": version("coldlens"),
    }
    return to_pack(
        recommender,
        comparison,
        explanations=explanations,
        atlas=atlas,
        places=places,
        scenario=scenario,
        notes=notes,
        about=about,
    )


def to_pack(
    recommender: Recommender,
    comparison: Comparison,
    *,
    explanations: Mapping[str, Sequence[Explanation]],
    atlas: Atlas | None,
    places: Mapping[str, np.ndarray],
    scenario: Scenario,
    notes: str = "",
    about: Mapping[str, str],
) -> str:
    """Returns the whole page.

    Args:
        explanations: of the items to explain, for ``A`` and for ``B``; one that does not add up is left out.
        atlas: the map to draw, none for ``None``; of a map in three dimensions the first two are drawn.
        places: spots of ``A`` and ``B`` on it, ``NaN`` for one that lies nowhere.
        scenario: of the same comparison, with ``A`` and ``B`` among its profiles.
        notes: plain text for the top; an empty line begins a new paragraph.
        about: named facts for the foot: dataset, encoder, version.

    Raises:
        DataError: if the scenario holds other profiles or lists than the comparison.
    """
    _check_same(comparison, scenario)
    title = recommender.dataset.info.title or recommender.dataset.name
    lead, *more = summary(comparison)
    body = [
        f"<header><p class='soft small'>Coldlens · {escape(title)} · {_day(scenario.made)}</p>"
        f"<h1>What changes when A becomes B</h1><p class=lead>{escape(lead)}</p>{_paragraphs(notes)}</header>",
        "<h2>The two people</h2>",
        _people(recommender, comparison),
        "<h2>In short</h2>",
        _facts(comparison),
        *(f"<p>{escape(text)}</p>" for text in more),
        "<h2>The two lists</h2>",
        f"<p class=soft>{escape(controls_in_words(scenario))}</p>",
        f"<div class=heads><span>A sees</span><span>B sees</span></div>{bump_chart(comparison.changes)}{_KINDS}",
        changes_section(recommender, comparison),
        *_categories(comparison),
        explanations_section(recommender, explanations),
        *_map(atlas, comparison.changes, places),
        "<h2>How far to trust this</h2>",
        f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in trust_in_words(recommender, comparison, atlas))}</ul>",
        _again(scenario),
        f"<footer class='soft small'><p>{escape(' · '.join(f'{name}: {value}' for name, value in about.items()))}</p></footer>",
    ]
    page = (
        f'<!doctype html><html lang=en><head><meta charset=utf-8><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<meta name=viewport content='width=device-width,initial-scale=1'><title>A and B: {escape(title)}</title>"
        f"<style>{STYLE}</style></head><body><main>{''.join(body)}</main></body></html>"
    )
    return page.encode("utf-8", "replace").decode("utf-8")


_KINDS = (
    "<ul class=legend><li><span class='kind entered'>new</span> only B sees it</li>"
    "<li><span class='kind left'>gone</span> only A sees it</li>"
    "<li><span class='kind up'>▲ 2</span> two places higher for B</li>"
    "<li><span class='kind down'>▼ 2</span> two places lower</li>"
    "<li><span class='kind same'>=</span> same place</li></ul>"
)


def _again(scenario: Scenario) -> str:
    return (
        "<section class=again><h2>Open it again</h2><p>Save the text below as a file that ends in <b>.json</b> and open it in "
        "Coldlens, on the page Compare, as a scenario. It brings back both people and every control, makes the lists again, and "
        "says whether they still hold.</p><details><summary>The scenario</summary>"
        f"<pre>{escape(scenario.to_json())}</pre></details></section>"
    )


def _check_same(comparison: Comparison, scenario: Scenario) -> None:
    for name, found in zip(_NAMES, (comparison.first, comparison.second), strict=True):
        same = scenario.profiles.get(name) == found.profile
        if not same or scenario.lists[name] != tuple(map(str, found.table[ITEM_ID])):
            fix = "Make both from the same profiles with the same controls."
            raise DataError("The scenario holds another profile or list than the comparison", name, fix=fix)


def _day(made: str) -> str:
    day = datetime.fromisoformat(made)
    return f"<time datetime='{escape(made)}'>{day.day} {day:%B %Y}</time>"


def _paragraphs(text: str) -> str:
    parts = [part.strip() for part in text.replace("\r\n", "\n").split("\n\n")]
    return "".join(f"<p class=note>{escape(part).replace(chr(10), '<br>')}</p>" for part in parts if part)


def _people(recommender: Recommender, comparison: Comparison) -> str:
    cards = []
    facts = []
    for name, found in zip(_NAMES, (comparison.first, comparison.second), strict=True):
        said = recommender.sentence(found.profile) or "Nothing is known of this person."
        warnings = "".join(f"<p class='small note'>{escape(text)}</p>" for text in found.warnings)
        cards.append(f"<div class='card person {name.lower()}'><h3>{name}</h3><p>{escape(said)}</p>{warnings}</div>")
        facts.append(_known(recommender, found.profile))
    rows = []
    for key in dict.fromkeys([*facts[0], *facts[1]]):
        first, second = (own.get(key, "unknown") for own in facts)
        cells = [escape(shorten(text, _LONGEST)) for text in (key, first, second)]
        rows.append([*cells, _SAME if first == second else _DIFFERS])
    known = table("What is known of them", ("part", "A", "B", "same?"), rows, style="even") if rows else ""
    return f"<div class=pair>{''.join(cards)}</div>{known}"


def _known(recommender: Recommender, profile: Profile) -> dict[str, str]:
    """What is known of a person, part by part, all interests and all liked items together."""
    labels, rows = recommender.dataset.labels, recommender.dataset.item_rows
    known = {
        "age": "" if profile.age is None else f"{profile.age:g}",
        "gender": profile.gender or "",
        **profile.attributes,
        "interests": ", ".join(profile.interests),
        "likes": ", ".join(labels[rows[item_id]] for item_id in profile.liked),
    }
    return {name: value for name, value in known.items() if value}


def _facts(comparison: Comparison) -> str:
    n_shared = len(comparison.of_kind("up", "down", "same"))
    longest = max(len(comparison.first), len(comparison.second))
    facts = {
        "in both lists": (f"{n_shared} of {longest}", f"rank-biased overlap {comparison.rank_biased_overlap:.2f}"),
        "new for B": (str(len(comparison.of_kind("entered"))), f"{len(comparison.of_kind('left'))} gone"),
        "at another place": (str(len(comparison.of_kind("up", "down"))), "of those in both"),
        "mean score": (
            "–" if np.isnan(comparison.mean_shift) else signed(comparison.mean_shift),
            "B's list less A's",
        ),
    }
    parts = [
        f"<div><dt>{name}</dt><dd>{value}<small>{more}</small></dd></div>" for name, (value, more) in facts.items()
    ]
    return f"<dl class=facts>{''.join(parts)}</dl>"


def _categories(comparison: Comparison) -> list[str]:
    found = comparison.categories
    if not len(found):
        return []
    largest = float(found["shift"].abs().max())
    rows = [
        [
            escape(str(name)),
            f"{first:.0%}",
            f"{second:.0%}",
            f"{signed(100 * shift, 0)} points",
            bar(shift, -largest, largest),
        ]
        for name, first, second, shift in found[["category", "first", "second", "shift"]].itertuples(index=False)
    ]
    told = "Share of the items of each list that belong to a category; an item can belong to several."
    heads = ("category", "A", "B", "shift", "B less A")
    return ["<h2>What kinds of items</h2>", table(told, heads, rows, numbers=(1, 2, 3))]


def _map(atlas: Atlas | None, changes: Sequence[Change], places: Mapping[str, np.ndarray]) -> list[str]:
    if atlas is None or not len(atlas.items.coordinates):
        return []
    spots = {name: np.asarray(places[name]) for name in _NAMES if name in places}
    named = {"a": "only in A's list", "b": "only in B's list", "both": "in both lists"}
    legend = [f"<li class={side}><span class=shape>{SHAPES[side]}</span> {told}</li>" for side, told in named.items()]
    for name in _NAMES:
        there = name in spots and bool(np.isfinite(spots[name]).all())
        told = f"{name} lies here" if there else f"{name} says too little to lie anywhere"
        legend.append(f"<li class={name.lower()}><span class=shape>★</span> {told}</li>")
    key = "".join(
        f"<li class={side_of(change)}><b>{n}</b><span class=shape>{SHAPES[side_of(change)]}</span> {escape(change.title)}</li>"
        for n, change in enumerate(changes, 1)
    )
    told = "Items that are alike lie near each other, and so do the people and what speaks to them. Only nearness has a meaning."
    figure = map_figure(atlas, changes, spots)
    return [
        "<h2>Where they stand</h2>",
        f"<p class=soft>{told}</p>{figure}<ul class=legend>{''.join(legend)}</ul><ol class=key>{key}</ol>",
    ]
