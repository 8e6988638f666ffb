"""What the library says, in the reader's language.

The library speaks English, in logs and on the command line as well, and hands over finished sentences. They are known by
their patterns: what its source says, with numbers for what is filled in, has a catalog of its own.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path

from babel.messages.pofile import read_po

from pages.shared import language as languages
from pages.shared.language import ENGLISH, LIBRARY, PAGES, catalog, language

_ROOT = Path(__file__).resolve().parents[2]
ROOMS: Sequence[str] = (
    "artifact.py",
    "building/job.py",
    "confined.py",
    "datasets/catalogue.py",
    "datasets/folder.py",
    "datasets/importing/archive.py",
    "datasets/importing/batches.py",
    "datasets/importing/checks.py",
    "datasets/importing/context.py",
    "datasets/importing/delimited.py",
    "datasets/importing/files.py",
    "datasets/importing/findings.py",
    "datasets/importing/json_lines.py",
    "datasets/importing/lines.py",
    "datasets/importing/media.py",
    "datasets/importing/parquet.py",
    "datasets/importing/plan.py",
    "datasets/importing/run.py",
    "datasets/importing/sources.py",
    "datasets/importing/stage.py",
    "datasets/importing/vector_files.py",
    "datasets/importing/vectors.py",
    "datasets/people_files.py",
    "datasets/versions.py",
    "diagnostics/brought.py",
    "diagnostics/encoders.py",
    "diagnostics/findings.py",
    "encoder/brought.py",
    "encoder/device.py",
    "encoder/folder.py",
    "encoder/languages.py",
    "encoder/static.py",
    "encoder/transformer.py",
    "encoder/universal.py",
    "evaluation/fair_words.py",
    "evaluation/fairness.py",
    "evaluation/measures.py",
    "evaluation/protocols.py",
    "evaluation/slices.py",
    "explanation/explainer.py",
    "explanation/page.py",
    "explanation/reason.py",
    "index/collection.py",
    "index/compressed.py",
    "index/milvus.py",
    "index/opening.py",
    "lock.py",
    "privacy/fitting.py",
    "privacy/store.py",
    "projection/atlas.py",
    "projection/clusters.py",
    "projection/fitting.py",
    "recommender/checks.py",
    "recommender/recommender.py",
    "saved_profiles.py",
    "schema/dataset.py",
    "schema/explanation.py",
    "schema/item_filter.py",
    "schema/profile.py",
    "sealing.py",
    "settings.py",
    "suppression.py",
    "training/train.py",
    "transfer/carrying.py",
    "transfer/facts.py",
    "transfer/store.py",
    "evaluation/catalog_parts.py",
    "evaluation/transfer_laboratory.py",
    "evaluation/transfers.py",
    "views/audio_encoder.py",
    "views/clap.py",
    "views/clip.py",
    "views/conse.py",
    "views/decoder.py",
    "views/descriptors.py",
    "views/efficientnet.py",
    "views/fact_words.py",
    "views/fetching.py",
    "views/graph.py",
    "views/opening.py",
    "views/picture_sources.py",
    "views/pictures.py",
    "views/relation.py",
    "views/sounds.py",
    "whatif/compare.py",
    "whatif/counterfactual.py",
    "whatif/edits.py",
    "whatif/fairness.py",
    "whatif/flip_words.py",
    "whatif/grid.py",
    "whatif/panel.py",
    "whatif/profile_reading.py",
    "whatif/profile_table.py",
    "whatif/scenario.py",
    "whatif/scenario_check.py",
    "whatif/scenario_reading.py",
    "whatif/simulation.py",
    "whatif/sweep.py",
)
"""Files of the library whose sentences reach the screen."""
_NO_SENTENCE = re.compile(r"[<>]|color-|^list\[|^coldlens |^recsys |^[\w./]+[:_/][\w./:]*$|^--")
_WORDS = re.compile(r"[A-Za-z]{2,}[a-z,;:.)”]* +[“(\[{A-Za-z]|[}”)] +[a-z]{2}|^[A-Z]?[a-z]+ \{")
_PLACE = re.compile(r"\{(\w+)\}")
_BECOMES = " → "
_JOINTS, _INNER_JOINTS = ("; ", " · ", ", and ", ": "), (", ", " and ")
"""Between the phrases of a sentence; the inner ones may be in titles as well, so they count only in what is known to be ours."""
_AND = re.compile(r"(?<=[\u3400-\u9fff]) and (?=[\u3400-\u9fff])")
"""Between two Chinese names it is ours, whatever they are."""
_SENTENCE, _LABEL, _LOOSE = 3, 2, 1
_ENOUGH = 7
"""Letters of a pattern that no data has by chance."""
PHRASES = (
    "Popularity", "worse", "better", "more", "fewer", "but", "and", "item", "items", "user", "no", "yes", "{0}, {1} threads, {2}",
    "encode", "search", "contributions", "age {0}", "gender {0}", "Age, 10 to 80", "starting",
    "like", "attribute", "hidden", "in Chinese", "in Japanese", "in Korean", "in Greek", "in Arabic", "in Hebrew", "in Thai",
    "in German", "in French", "in Spanish", "in Italian", "interests", "liked items", "occupation", "probabilities", "country",
    "This copy has no graph. `recsys datasets fetch {0}` reads it from the package recbole.",
    "Give a smaller or simpler file, or raise {0}.", "age", "gender", "first-last", "exact", "under {0}", "{0} and over",
    "The cells add up to {0}. Largest error of any sum: {1}.",
    "The cells add up to {0}. With popularity, {1}, that is {2}, {3}. Largest error of any sum: {4}.",
    # figures of findings
    "Near-duplicates", "skewness", "hubs", "never reached", "largest", "groups", "pairs", "threshold", "mean cosine",
    "effective dimension", "dimensions", "largest share", "share", "empty", "median cosine to the nearest ten", "categories",
    "not separated", "mean silhouette", "length", "popularity", "shortest", "median", "longest", "without a vector",
    "with popularity", "median cosine", "wanted",
    # what links items
    "category", "actor", "artist", "author", "award", "brand", "cinematographer", "colour", "director", "editor", "genre",
    "performer", "producer", "publisher", "subject", "tag", "topic", "writer", "{0} actors", "{0} artists", "{0} authors",
    "{0} awards", "{0} categories", "{0} directors", "{0} genres", "{0} producers", "{0} subjects", "{0} tags", "{0} topics",
    "{0} writers", "{0} award nominations", "{0} production companies", "categories {0}", "category {0}", "prequel of {0}",
    "sequel of {0}", "prequel of {0}, shares {1}", "sequel of {0}, shares {1}",
)  # fmt: skip
"""What is too short to be told from a key, a name or a format by itself."""
COMPOSED: Mapping[str, str] = {
    "This is no plain path of a {0}": "0",
    "The {0} is not among the files": "0",
    "Write {0}, so that the age is from 0 to {1}; the person is kept without it.": "0",
    "The id of the {0} is missing": "0",
    "The id of the {0} is longer than {1} characters": "0",
    "The id of the {0} is a number that has lost its last digits": "0",
    "{0}; nothing was changed.": "0",
    "The address of the picture {0}, so it is not fetched": "0",
    "The answer of the server {0} ({1})": "0",
    "{0} To try again, delete the folder “{1}” of the dataset.": "0",
    "The picture has {0}, where {1} are read": "01",
    "The picture is {0}; only JPEG, PNG and WebP are read": "0",
    "The picture is damaged or cut off ({0})": "0",
    "The scenario does not hold: {0} is not {1}": "1",
    "The dataset has no such {0}": "0",
    "{0}, or raise {1}.": "0",
    "“{0}” stands for {1} people, or for a group from whose number or mean such a group could be computed.": "01",
    "prequel of {0}, shares {1}": "1",
    "sequel of {0}, shares {1}": "1",
    "The cells add up to {0}. Largest error of any sum: {1}.": "0",
    "The cells add up to {0}. With popularity, {1}, that is {2}, {3}. Largest error of any sum: {4}.": "02",
    "Facets: an exact sum by construction; words: {0} vector-valued Shapley values.": "0",
    "Facets: {0} Shapley values; words: {1} vector-valued Shapley values.": "01",
    "With popularity, {0}, that is {1}, {2}.": "1",
    "{0} {1}, which the encoder {2} does not read; what is ranked by them is little more than chance.": "01",
    "The interest “{0}” is {1}, which the encoder {2} does not read. {3}": "13",
    "fold {0}, {1}": "1",
    "{0}, beyond the text": "0",
    "beyond {0}": "0",
    "its text is close to {0}": "0",
    "less {0}": "0",
    "without {0}": "0",
    "The catalog has no such {0}": "0",
    "no difference was found; with this many people one smaller than {0} would not have been seen.": "0",
    "Exposure: {0}": "0",
    "for {0}, of all groups by {1} the one that changes most": "01",
    "Exposure beyond taste: {0}": "0",
    (
        "{0}: lists show {1} {2} points beyond what they went on to like ({3} against {4}), everyone else {5} "
        "(difference {6})."
    ): "16",
    "The same people with another {0}: the lists of {1} share {2} of their items [{3}, {4}] {5}; {6}.": "0156",
    "{0}: lists are {1} for {2}: {3}, everyone else {4} ({5}).": "125",
    (
        "The search server at {0} was not used, because {1}. The list is complete: this machine has found it "
        "by itself. The server is asked again in {2} seconds."
    ): "1",
    "{0} is out of range": "0",
    "Make the {0} “{1}”": "0",
    "Leave the {0} unknown": "0",
    "Changing only the {0} changes {1}{2}.": "012",
    "Changing only the {0} changes nothing: everyone is shown the same items in the same order.": "0",
    "Changing only the {0} changes only the order: everyone is shown the same items, at other places.": "0",
    "the items listed for {0} have {1} than those listed for {2}": "1",
    "{0} {1} likes on average [{2}, {3}]": "1",
    "{0} {1} listed for one group and never for another": "1",
    "no category gets clearly more or less attention by the {0}": "0",
    (
        "This speaks of {0} invented people, each once in every group with all but the {1} equal; the "
        "intervals say how much the means depend on which of these people are taken, and nothing about a "
        "population."
    ): "1",
    "{0}{1} changed since then": "01",
    "there is no list of {0} any more ({1}).": "1",
    "{0} of {1} items of {2} {3}.": "3",
    "{0} has {1} more {2}.": "2",
    "{0}, {1} every list is the same.": "01",
    "{0} (“{1}” in place of “{2}”)": "0",
    "shares {0} with {1}": "0",
    "same {0} as {1}": "0",
    ", shares {0}": "0",
}
"""Sentences that the library fills with phrases of its own, and in which places; all else is data, and stays as it is."""


def library_texts() -> dict[tuple[str | tuple[str, str], str | None], list[str]]:
    """Returns what the rooms say, as texts with ``{0}`` for what is filled in, and the files that say it."""
    found: dict[tuple[str | tuple[str, str], str | None], list[str]] = {}
    found |= {(text, None): [] for text in (*PHRASES, *(joint for joint in (*_JOINTS, *_INNER_JOINTS, ".")))}
    for room in ROOMS:
        path = _ROOT / "recsys" / room
        for text in dict.fromkeys(_said(ast.parse(path.read_text("utf-8")))):
            found.setdefault((text, None), []).append(f"recsys/{room}")
    return found


def _said(tree: ast.AST) -> Iterator[str]:
    """Every sentence or phrase of a file, but for docstrings and what is compared or looked up."""
    left_out: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr | ast.Compare):
            left_out |= {part for part in ast.iter_child_nodes(node) if isinstance(part, ast.Constant)}
        if isinstance(node, ast.JoinedStr):
            left_out |= {part for part in node.values if isinstance(part, ast.Constant)}
        if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            left_out |= set(ast.walk(node.format_spec))
        if isinstance(node, ast.Dict):
            left_out |= {key for key in node.keys if key is not None}
    for node in ast.walk(tree):
        text = None if node in left_out else _text_of(node)
        if text is not None and _WORDS.search(text) and not _NO_SENTENCE.search(text):
            yield text.strip()


def _text_of(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if not isinstance(node, ast.JoinedStr):
        return None
    places = iter(range(len(node.values)))
    return "".join(str(part.value) if isinstance(part, ast.Constant) else f"{{{next(places)}}}" for part in node.values)


def retold(text: str) -> str:
    """Returns a sentence or phrase of the library in the reader's language; what no catalog knows, such as data, stays."""
    spoken = language()
    return text if spoken == ENGLISH or not text else _retold(text, spoken)


@lru_cache(maxsize=20_000)
def _retold(text: str, spoken: str) -> str:
    return _found(text, spoken) or text


def _found(text: str, spoken: str, *, is_inner: bool = False) -> str | None:
    """The text in the language, ``None`` if no catalog knows it or a part of it."""
    if _BECOMES in text:  # of a facet that is another for B
        return _BECOMES.join(_found(part, spoken, is_inner=is_inner) or part for part in text.split(_BECOMES))
    told = _listed(text, spoken, "; ", _SENTENCE) or _sentence(text, spoken) or _joined(text, spoken, is_inner=is_inner)
    if told is None:
        told = next((found for known in _spelled(text) if (found := _filled(known, spoken, _LABEL))), None)
    if told is None and (is_inner or not any(map(str.isalpha, text.replace(" to ", "")))):  # from one number to another
        told = _listed(text, spoken, ", ", _LOOSE) or _filled(text, spoken, _LOOSE)
        if told is None and text.endswith(".") and (found := _found(text[:-1], spoken, is_inner=is_inner)):
            told = found + catalog(spoken, LIBRARY).gettext(".")
    return told


def _listed(text: str, spoken: str, joint: str, strength: int) -> str | None:
    """The text as several phrases of which all are known."""
    parts = text.split(joint) if joint in text else []
    told = [_filled(part, spoken, strength) if strength == _LOOSE else _sentence(part, spoken) for part in parts]
    return catalog(spoken, LIBRARY).gettext(joint).join(filter(None, told)) if parts and all(told) else None


def _spelled(text: str) -> Sequence[str]:
    """The text as it may stand in the catalog: it may begin a sentence here."""
    return tuple(dict.fromkeys((text, text.strip(), text[:1].lower() + text[1:])))


def _sentence(text: str, spoken: str) -> str | None:
    """The text as one sentence or phrase, with or without its full stop."""
    for find in (_whole, lambda known, spoken: _filled(known, spoken, _SENTENCE)):
        for known in _spelled(text):
            if told := find(known, spoken):
                return told
    if text.endswith(".") and (told := _sentence(text[:-1], spoken)):
        return told + catalog(spoken, LIBRARY).gettext(".")
    return None


def _joined(text: str, spoken: str, *, is_inner: bool) -> str | None:
    """The text as several phrases of which one is known."""
    for joint in (*_JOINTS, *(_INNER_JOINTS if is_inner else ())):
        parts = text.split(joint) if joint in text else []
        told_parts = [_sentence(part, spoken) or _joined(part, spoken, is_inner=is_inner) for part in parts]
        if any(told_parts):
            told_parts = [
                told or (_found(part, spoken, is_inner=True) if is_inner or joint == ": " else None)
                for told, part in zip(told_parts, parts, strict=True)
            ]
            joined = catalog(spoken, LIBRARY).gettext(joint)
            return joined.join(told or part for told, part in zip(told_parts, parts, strict=True))
    return None


def _whole(text: str, spoken: str) -> str | None:
    for domain in (LIBRARY, PAGES):
        told = catalog(spoken, domain).gettext(text) if text else text
        if told != text:
            return told
    return None


def _filled(text: str, spoken: str, strength: int) -> str | None:
    """The text by the longest pattern of that strength that it fits."""
    joint = catalog(spoken, LIBRARY).gettext(" and ")
    for anchor, pattern, names, message in _patterns(spoken, strength):
        has_stop = text.endswith(".") and not message.endswith(".")  # it is no part of what is filled in
        if anchor in text and not has_stop and (fit := pattern.fullmatch(text)):
            values = dict(zip(names, fit.groups(), strict=True))
            ours = COMPOSED.get(message, "")
            values = {
                name: (_found(value, spoken, is_inner=True) if name in ours else None) or _AND.sub(joint, value)
                for name, value in values.items()
            }
            told = catalog(spoken, LIBRARY).gettext(message)
            return "".join(values.get(part, part) if n % 2 else part for n, part in enumerate(_PLACE.split(told)))
    return None


def _messages(spoken: str) -> list[str]:
    """Every text of the library's catalog."""
    with languages.po_file(spoken, LIBRARY).open("rb") as file:
        return [message.id for message in read_po(file) if isinstance(message.id, str) and message.id]


def _strength(fixed: Sequence[str]) -> int:
    """How sure a pattern is: words enough, a word in front of data (“Liked …”), or what may be in a title as well (“… and …”)."""
    if sum(letter.isalpha() for piece in fixed for letter in piece) >= _ENOUGH:
        return _SENTENCE
    return _LABEL if fixed[0].strip() else _LOOSE


@cache
def _patterns(spoken: str, strength: int) -> list[tuple[str, re.Pattern[str], list[str], str]]:
    """For every text with something to fill in: its longest piece, its pattern, the names of its places, itself."""
    found = []
    for message in _messages(spoken):
        pieces = _PLACE.split(message)
        fixed, names = pieces[::2], pieces[1::2]
        if names and _strength(fixed) == strength:
            body = re.escape(fixed[0]) + "".join(f"(.*?){re.escape(piece)}" for piece in fixed[1:])
            if not fixed[0]:  # what stands in front of a colon is a phrase of its own
                body = body.replace("(.*?)", "((?:(?!: |; ).)*?)", 1)
            found.append((max(fixed, key=len), re.compile(body, re.DOTALL), names, message))
    return sorted(found, key=lambda one: -sum(len(piece) for piece in _PLACE.split(one[3])[::2]))
