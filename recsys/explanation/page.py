"""An explanation as one HTML file that needs nothing else: no script, no network."""

from html import escape

from recsys.schema import ExplainedText, Explanation, WordMatrix

POSITIVE, NEGATIVE = "#0072B2", "#D55E00"
"""Okabe–Ito blue and vermilion: told apart with any colour vision; the sign stands in the number as well."""
_STYLE = """
:root{color-scheme:light dark;--ink:#0f172a;--paper:#fff;--line:#cbd5e1;--soft:#475569}
@media(prefers-color-scheme:dark){:root{--ink:#e2e8f0;--paper:#0b1220;--line:#334155;--soft:#94a3b8}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;font-size:13px}td,th{border:1px solid var(--line);padding:.25rem .5rem;text-align:right}
th{text-align:left;font-weight:600}.scroll{overflow-x:auto}.soft{color:var(--soft)}
.bar{display:inline-block;height:.8rem;vertical-align:middle}
.word{display:inline-block;padding:0 .15rem;text-align:center}.word small{display:block;color:var(--soft)}
.gone{text-decoration:line-through;color:var(--soft)}h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
"""


def to_html(explanation: Explanation, *, about: dict[str, str]) -> str:
    """Returns the whole page.

    Args:
        about: named facts for the foot: dataset, encoder, version.
    """
    score = f"{explanation.total:+.4f}" if explanation.is_centred else f"{explanation.total:.4f}"
    above = " above the average item" if explanation.is_centred else ""
    person = ", ".join(facet.label for facet in explanation.profile.facets) or "Nothing is known"
    body = [
        f"<h1>Why “{escape(explanation.title)}”?</h1>",
        f"<p>For: {escape(person)}. Rank {explanation.rank}, score {score}{above} ({escape(explanation.scorer)} scorer).</p>",
        *(f"<p><strong>Note:</strong> {escape(text)}</p>" for text in explanation.warnings),
        "<h2>What the score is made of</h2>",
        _parts(explanation),
        "<h2>Words</h2>",
        *(_text(text, explanation.matrix) for text in explanation.texts),
        "<h2>Word by word</h2>",
        _matrix(explanation.matrix),
        f"<p>{escape(sums_to(explanation))}</p>",
        f"<p class='soft'>{escape(explanation.method)}</p>",
        f"<p class='soft'>{escape(' · '.join(f'{name}: {value}' for name, value in about.items()))}</p>",
    ]
    head = "<meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
    head += f"<title>Why {escape(explanation.title)}</title>"
    return (
        f"<!doctype html><html lang='en'><head>{head}<style>{_STYLE}</style></head><body>{''.join(body)}</body></html>"
    )


def sums_to(explanation: Explanation) -> str:
    """Returns the sentence under a matrix: what its cells add up to, and how exactly."""
    total = explanation.matrix.total
    score = "the score above the average item" if explanation.is_centred else "the score"
    prior = (
        f" With popularity, {explanation.prior:+.4f}, that is {score}, {explanation.total:.4f}."
        if explanation.prior
        else ""
    )
    return f"The cells add up to {total:.4f}.{prior} Largest error of any sum: {explanation.completeness_error:.0e}."


def _parts(explanation: Explanation) -> str:
    largest = max((abs(part.contribution) for part in explanation.parts), default=0.0) or 1.0
    rows = [
        f"<tr><th>{escape(part.facet.label)}</th><td>{part.contribution:+.4f}</td>"
        f"<td style='text-align:left;min-width:10rem'>{_bar(part.contribution, largest)}</td>"
        f"<td>{part.score_without:.4f}</td><td>{part.rank_without}</td></tr>"
        for part in explanation.parts
    ]
    raw = "raw score" if explanation.is_centred else "score"
    head = f"<tr><th>part</th><th>adds</th><th></th><th>without it: {raw}</th><th>rank</th></tr>"
    return f"<div class='scroll'><table>{head}{''.join(rows)}</table></div>"


def _bar(value: float, largest: float) -> str:
    colour = POSITIVE if value >= 0 else NEGATIVE
    return f"<span class='bar' style='width:{abs(value) / largest * 9:.2f}rem;background:{colour}'></span>"


def _text(text: ExplainedText, matrix: WordMatrix) -> str:
    largest = max((abs(word.contribution) for word in text.words), default=0.0) or 1.0
    words, at = [], 0
    for word in text.words:
        words.append(escape(text.text[at : word.start]))
        at = word.end
        if not word.is_read:
            words.append(f"<span class='word gone'>{escape(word.text)}<small>cut</small></span>")
            continue
        share = round(abs(word.contribution) / largest * 60)
        colour = f"color-mix(in srgb,{POSITIVE if word.contribution >= 0 else NEGATIVE} {share}%,transparent)"
        words.append(
            f"<span class='word' style='background:{colour}'>{escape(word.text)}<small>{word.contribution:+.3f}</small></span>"
        )
    words.append(escape(text.text[at:]))
    title = {"item": "The item", "sentence": "The profile as a sentence"}.get(text.key, "Interest")
    return f"<p><span class='soft'>{title} ({escape(text.tier)})</span><br>{''.join(words)}</p>"


def _matrix(matrix: WordMatrix) -> str:
    largest = float(abs(matrix.values).max()) if matrix.values.size else 1.0
    head = "".join(f"<th>{escape(line.label)}</th>" for line in matrix.columns)
    rows = []
    for line, values, total in zip(matrix.rows, matrix.values, matrix.row_totals, strict=True):
        cells = "".join(f"<td style='background:{_shade(float(v), largest)}'>{v:+.3f}</td>" for v in values)
        rows.append(f"<tr><th>{escape(line.label)}</th>{cells}<td><b>{total:+.3f}</b></td></tr>")
    sums = "".join(f"<td><b>{total:+.3f}</b></td>" for total in matrix.column_totals)
    foot = f"<tr><th>sum</th>{sums}<td><b>{matrix.total:+.3f}</b></td></tr>"
    return f"<div class='scroll'><table><tr><th></th>{head}<th>sum</th></tr>{''.join(rows)}{foot}</table></div>"


def _shade(value: float, largest: float) -> str:
    share = round(abs(value) / (largest or 1.0) * 60)
    return f"color-mix(in srgb,{POSITIVE if value >= 0 else NEGATIVE} {share}%,transparent)"
