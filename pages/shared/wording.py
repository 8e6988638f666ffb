"""What has to be translated: `python -m pages.shared.wording` brings the catalogs up to date with the code.

Texts that are new stand there empty, those that nothing says any more are gone; a test fails until every text is translated.
"""

import ast
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from pages.shared.headings import HEADINGS
from pages.shared.language import CHINESE, COLUMN, LIBRARY, PAGES, po_file
from pages.shared.retelling import library_texts

_ROOT = Path(__file__).resolve().parents[2]
_MARKS = ("_", "N_")
Text = str | tuple[str, str]


def page_texts() -> dict[tuple[Text, str | None], list[str]]:
    """Returns every text of the pages with its context, and the files that say it; one for numbers is a pair."""
    found: dict[tuple[Text, str | None], list[str]] = {(name, COLUMN): [] for name in HEADINGS}
    for path in sorted([_ROOT / "app.py", *(_ROOT / "pages").rglob("*.py")]):
        where = path.relative_to(_ROOT).as_posix()
        for text in _marked(ast.parse(path.read_text("utf-8"))):
            places = found.setdefault((text, None), [])
            places += [] if where in places else [where]
    return found


def _marked(tree: ast.AST) -> Iterator[Text]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        if node.func.id in _MARKS and texts:
            yield texts[0]
        elif node.func.id == "ngettext" and len(texts) == 2:
            yield texts[0], texts[1]


def updated(before: Catalog, texts: Mapping[tuple[Text, str | None], Sequence[str]]) -> Catalog:
    """Returns a catalog of exactly these texts, with the translations that there are."""
    made = Catalog(locale=before.locale)
    for (text, context), places in texts.items():
        known = before.get(text if isinstance(text, str) else text[0], context)
        kept = known.string if known is not None and isinstance(known.string, str) == isinstance(text, str) else None
        made.add(text, kept, locations=[(place, 0) for place in places], context=context)
    return made


def main() -> None:
    """Updates both catalogs."""
    for domain, texts in ((PAGES, page_texts()), (LIBRARY, library_texts())):
        path = po_file(CHINESE, domain)
        head, _gap, _rest = path.read_text("utf-8").partition("\n\n")
        with path.open("rb") as file:
            made = updated(read_po(file), texts)
        body = io.BytesIO()
        write_po(body, made, width=120, omit_header=True)
        path.write_text(f"{head}\n\n{body.getvalue().decode().strip()}\n", "utf-8")


if __name__ == "__main__":
    main()
