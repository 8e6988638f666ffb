"""The interface in several languages: every text is in the catalogs, every text on the screen comes from one, addresses last."""

import json
import re
from string import Formatter

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from google.protobuf.descriptor import FieldDescriptor
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.testing.v1 import AppTest

from pages.shared import language, retelling, speaking
from pages.shared.language import (
    CHINESE,
    ENGLISH,
    LANGUAGES,
    LIBRARY,
    PAGES,
    _,
    ask_for_language,
    catalog,
    everywhere,
    fact_label,
    heading,
    po_file,
)
from pages.shared.link import address_of, compare_keys, in_english, keys_of
from pages.shared.other_item import edits_in_words
from pages.shared.retelling import library_texts, retold
from pages.shared.speaking import of_browser
from pages.shared.tabs import TABS
from pages.shared.wording import page_texts, updated
from recsys.datasets import open_dataset, write_folder
from recsys.recommender import Recommender
from recsys.schema import Profile
from recsys.whatif import Edit, Outcome
from tests.toy import toy_dataset

SHOWN = (
    "label",
    "help",
    "placeholder",
    "body",
    "options",
    "alt",
    "text",
    "value",
    "header",
    "title",
    "raw_values",
    "content",
)
"""Fields of Streamlit's messages that a reader sees or hears."""
_PLOTTED = ("text", "name", "hovertemplate", "ticktext", "customdata", "title")
_WORD = re.compile(r"[A-Za-z]{2,}")


@pytest.fixture(scope="module")
def toy_data(tmp_path_factory):
    """The toy world with BERT's embeddings: the smallest dataset that has everything but pictures and sounds."""
    folder = tmp_path_factory.mktemp("language") / "data"
    write_folder(toy_dataset(), folder / "toy")
    Recommender.from_dataset(open_dataset("toy", data_dir=folder))
    return folder


@pytest.fixture
def open_toy(open_app, toy_data, monkeypatch):
    """Returns a function that runs the app on the toy world, on one of its pages."""
    monkeypatch.setenv("COLDLENS_BACKGROUND", "off")
    original, last = speaking._of_reader, [ENGLISH]

    def of_reader():
        """AppTest asks widgets what they show outside of any script as well: there it is as in the last one."""
        if get_script_run_ctx(suppress_warning=True) is not None:
            last[0] = original()
        return last[0]

    monkeypatch.setattr(speaking, "_of_reader", of_reader)

    def run(page=None, shows=None, **params):
        app = open_app(toy_data, "toy", **params)
        if page is not None:
            app.switch_page(f"pages/{page}.py")
            for key, name in (shows or {}).items():
                app.session_state[key] = name
            app.run()
        assert not app.exception, app.exception[0].message
        return app

    return run


def _forget():
    for known in (catalog, retelling._retold, retelling._patterns):
        known.cache_clear()


@pytest.fixture(scope="module")
def pseudo_catalogs(tmp_path_factory):
    """Catalogs in which every text is itself in brackets."""
    folder = tmp_path_factory.mktemp("pseudo")
    for domain, texts in ((PAGES, page_texts()), (LIBRARY, library_texts())):
        made = updated(Catalog(locale="zh_CN"), texts)
        for message in made:
            if message.id:
                message.string = (f"⟦{message.id[1]}⟧",) if isinstance(message.id, tuple) else f"⟦{message.id}⟧"
        with (folder / f"{domain}.po").open("wb") as file:
            write_po(file, made)
    return folder


@pytest.fixture
def pseudo(monkeypatch, pseudo_catalogs):
    """Chinese is a language in which every text is itself in brackets: what is not in brackets comes from no catalog."""
    monkeypatch.setattr(language, "po_file", lambda _language, domain=PAGES: pseudo_catalogs / f"{domain}.po")
    _forget()
    yield
    monkeypatch.undo()
    _forget()


def shown(message):
    """Yields every text of a message of Streamlit that a reader sees or hears."""
    name = message.DESCRIPTOR.name
    for field, value in message.ListFields():
        values = value if field.is_repeated else [value]
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            if name in ("Arrow", "ArrowData", "Table"):
                continue
            for part in values:
                yield from shown(part) if hasattr(part, "ListFields") else ()
        elif field.name == "spec" and name == "PlotlyChart":
            yield from plotted(json.loads(value))
        elif field.name in SHOWN and field.type == FieldDescriptor.TYPE_STRING:
            yield from values


def plotted(part, key=""):
    """Yields every text of a figure."""
    if isinstance(part, dict):
        for name, value in part.items():
            yield from plotted(value, key if name == "text" and key == "title" else name)
    elif isinstance(part, list):
        for value in part:
            yield from plotted(value, key)
    elif isinstance(part, str) and key in _PLOTTED:
        yield part


def elements(block):
    for child in block.children.values():
        if hasattr(child, "children"):
            proto = getattr(child, "proto", None)
            if proto is not None:
                yield proto, None
            yield from elements(child)
        else:
            yield child.proto, child


def texts_of(app):
    """Returns every text on the screen, names of columns and cells of tables as well."""
    found = []
    for proto, element in elements(app._tree):
        if proto is not None and hasattr(proto, "ListFields"):
            found += shown(proto)
        if element is not None and element.type in ("arrow_data_frame", "dataframe"):
            table = element.value
            found += [
                *map(str, table.columns),
                *(str(cell) for cell in table.to_numpy().ravel() if isinstance(cell, str)),
            ]
    return [text for text in found if text]


DATA = (
    "Story", "space", "romance", "comedy", "student", "engineer", "For every", "occupation", "Occupation", "Toy world", "toy",
    "all-MiniLM-L6-v2", "all\\-MiniLM\\-L6\\-v2", "additive", "cosine", "movielens-100k",
    "sample-films-zh", "sample-music", "sample-news",
    "sample-shop", "female", "male", "bert", "random", "popular", "tf-idf", "item knn", "user knn", "ease", "implicit mf",
    "lightfm", "neumf", "by age and gender", "cold-user", "cold-item", "bfloat16", "float32", "cpu", "item_id",
)  # fmt: skip
"""What the toy world brings, and the names of models and protocols: these stay as they are in any language."""
FORMAT = re.compile(
    r":material/\w+:|:green(-badge)?\[|%\{[^}]*\}|<(span|br|b|extra)[^>]*>|</(span|b|extra)>| ms\b|\bCSV|\bJSON|\bHTML"
)


def untold(text):
    """Returns the words of a text that come from no catalog and no data."""
    before = None
    while before != text:
        before, text = text, re.sub(r"⟦[^⟦⟧]*⟧", "", text)
    text = FORMAT.sub("", text.replace("Language / 语言", "").replace("Coldlens", ""))
    for phrase in DATA:
        text = text.replace(phrase, "")
    return _WORD.findall(text)


def test_what_is_in_no_catalog_is_seen():
    assert untold("⟦Score {score}⟧ of Story 05: ⟦liked ⟦Age⟧ {0}⟧ · space") == ["of"]
    assert untold(":material/search: **Score**") == ["Score"]


@pytest.mark.parametrize("domain", [PAGES, LIBRARY])
def test_every_text_of_the_code_is_in_the_catalog_and_translated(domain):
    texts = {PAGES: page_texts, LIBRARY: library_texts}[domain]()
    with po_file(CHINESE, domain).open("rb") as file:
        kept = read_po(file)
    wanted = {(text if isinstance(text, str) else text[0], context) for text, context in texts}
    found = {(message.id if isinstance(message.id, str) else message.id[0], message.context) for message in kept}

    assert found - {("", None)} == wanted, "run: python -m pages.shared.wording"
    assert not kept.obsolete
    for message in kept:
        if not message.id:
            continue
        told = message.string if isinstance(message.string, str) else message.string[0]
        said = message.id if isinstance(message.id, str) else message.id[1]
        assert told.strip() and not message.fuzzy, said
        assert places_in(told) == places_in(said), said


def places_in(text):
    """What a text leaves to be filled in, and the marks that the screen or Plotly reads."""
    marks = re.findall(r"\*\*|:material/\w+:|%\{+[^}]*\}+|<br>", text)
    text = re.sub(r"%\{[^{}]*\}", "", text)
    names = [f"{name}:{spec}" for _, name, spec, _ in Formatter().parse(text) if name is not None]
    return sorted(set(marks)), sorted(set(names))


def test_what_sentences_are_filled_with_is_asked_of_sentences_that_there_are():
    said = {text for text, _context in library_texts()}
    assert set(retelling.COMPOSED) <= said
    assert all(f"{{{place}}}" in text for text, places in retelling.COMPOSED.items() for place in places)


@pytest.mark.parametrize("told", ["{n:,} 个", "{m:,} 个物品", "**{n} 个**"])
def test_a_translation_that_loses_a_place_or_a_mark_is_seen(told):
    assert places_in(told) != places_in("**{n:,} items**")


WHERE = [
    ("recommend", None),
    ("explain", {"explain_tab": "Parts"}),
    ("explore", {"explore_tab": "Map"}),
    ("compare", {"tab": "A and B"}),
    ("evaluate", None),
    ("datasets", None),
]
ELSEWHERE = [
    *(("explain", {"explain_tab": name}) for name in TABS["explain_tab"][1:]),
    *(("explore", {"explore_tab": name}) for name in TABS["explore_tab"][1:]),
    *(("compare", {"tab": name}) for name in TABS["tab"][1:]),
    *(("datasets", {"datasets_view": name}) for name in ("Bring your own", "Build")),
]


@pytest.mark.parametrize(
    ("page", "tab"), [*WHERE, *(pytest.param(*where, marks=pytest.mark.release) for where in ELSEWHERE)]
)
def test_every_text_on_the_screen_comes_from_a_catalog(open_toy, pseudo, page, tab):
    shown_tab = {key: f"⟦{name}⟧" if key in TABS else name for key, name in (tab or {}).items()}
    app = open_toy(None if page == "recommend" else page, shown_tab, lang="zh")

    texts = texts_of(app)
    assert len(texts) > 40
    own = set(LANGUAGES.values())
    assert {text: words for text in texts if text not in own and (words := untold(text))} == {}


def test_a_language_is_chosen_once_and_holds_on_every_page_and_with_every_choice(open_toy):
    app = open_toy(lang="zh", age="31", interests=["space"], unused=["年龄"])
    assert app.title[0].value == "我们会给这个人推荐什么？"

    app.switch_page("pages/explain.py").run()
    assert app.title[0].value == "为什么是这个物品，而不是那个？"
    app.session_state["explain_tab"] = "词语"
    app.run()
    app.selectbox(key="lang").set_value("en").run()

    assert not app.exception
    assert app.title[0].value == "Why this item, and why not that one?"
    assert app.session_state["explain_tab"] == "Words"
    kept = {key: app.session_state[key] for key in ("age", "interests", "unused")}
    assert kept == {"age": "31", "interests": ["space"], "unused": ["age"]}


@pytest.mark.parametrize(
    ("said", "title"), [("中文", "推荐"), ("zh", "推荐"), ("English", "Recommend"), ("?", "Recommend")]
)
def test_what_is_drawn_before_the_choice_is_in_the_language_of_the_address(said, title):
    def drawn():
        import streamlit as st

        from pages.shared.language import _
        from pages.shared.speaking import speak

        speak()
        st.title(_("Recommend"))

    app = AppTest.from_function(drawn)
    app.query_params["lang"] = said
    assert app.run().title[0].value == title


def test_without_a_choice_the_browser_says_which_language():
    assert [of_browser(locale) for locale in ("zh-CN", "zh", "ZH-TW", "en-GB", "de", "", None)] == ["zh"] * 3 + [
        "en"
    ] * 4


@pytest.mark.parametrize(
    ("lang", "other", "before", "unused"), [("zh", "en", "年龄", "age"), ("en", "zh", "age", "年龄")]
)
def test_the_address_repeats_every_choice_in_the_new_language(open_toy, lang, other, before, unused):
    app = open_toy(lang=lang, age="31", unused=[before])
    assert app.query_params["unused"] == before

    app.selectbox(key="lang").set_value(other).run()

    assert not app.exception
    assert app.query_params["unused"] == unused
    assert app.query_params["age"] == "31"
    assert app.pills(key="unused").value == ["age"]


@pytest.mark.parametrize(("lang", "unknown", "unused"), [("en", "未知", "年龄"), ("zh", "unknown", "age")])
def test_an_address_opens_in_the_other_language(open_toy, lang, unknown, unused):
    params = {"v": "1", "age": unknown, "gender": unknown, "attr-occupation": unknown, "unused": [unused, "occupation"]}
    app = open_toy(lang=lang, **params)

    assert app.title[0].value == ("What would we show this person?" if lang == "en" else "我们会给这个人推荐什么？")
    assert not app.warning, app.warning[0].value
    keys = ("age", "gender", "attr-occupation", "unused")
    assert {key: app.session_state[key] for key in keys} == dict.fromkeys(keys, "unknown") | {
        "unused": ["age", "occupation"]
    }


def test_an_address_made_in_chinese_speaks_english_and_opens_the_same_tab(open_toy):
    app = open_toy("compare", {"tab": "扫描"}, lang="zh", age="31")
    keys = (*keys_of(toy_dataset()), *compare_keys(toy_dataset()))
    state = {key: app.session_state[key] for key in keys if key in app.session_state}
    address = address_of(state, toy_dataset(), is_comparing=True)
    del address["dataset"]  # it is opened already

    assert address["tab"] == ["Sweep"] and address["b-gender"] == ["unknown"]
    assert not any(re.search("[一-鿿]", value) for values in address.values() for value in values)
    for lang, name in (("en", "Sweep"), ("zh", "扫描")):
        again = open_toy("compare", lang=lang, **address)
        assert again.session_state["tab"] == name


def test_data_that_reads_like_one_of_our_words_in_another_language_stays():
    toy = toy_dataset()
    toy.users["occupation"] = ["未知", *["student"] * 5]
    found = in_english({"attr-occupation": ["未知"], "gender": ["未知"], "liked": ["未知"]}, toy)
    assert found == {"attr-occupation": ["未知"], "gender": ["unknown"], "liked": ["未知"]}


@pytest.fixture
def chinese():
    ask_for_language(lambda: CHINESE)
    yield
    ask_for_language(lambda: ENGLISH)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "Popular with everybody; liked by people around 35; close to “sci-fi”",
            "大家都喜欢；35 岁左右的人喜欢；接近“sci-fi”",
        ),
        ("Liked Beauty and the Beast (1991)", "喜欢Beauty and the Beast (1991)"),
        ("The popularity weight is out of range", "热门度权重超出范围"),
        (
            "Changing only the gender changes 3.2 of 10 items on average [1.0, 2.0].",
            "只改变性别会改变平均 10 个物品中的 3.2 个[1.0, 2.0]。",
        ),
        (
            "The data and the model changed since then: A has the same items, 3 of 10 at another rank.",
            "数据和模型此后发生了变化：A 的物品相同，10 个中有 3 个名次不同。",
        ),
        ("18 to 24", "18 到 24"),
        (
            "The cells add up to 0.02. With popularity, +0.48, that is the score, 0.5. Largest error of any sum: 1e-08.",
            "各格相加等于0.02。加上热门度 +0.48，即评分，为 0.5。所有求和的最大误差：1e-08。",
        ),
        ("Age 27 → Age 60", "年龄 27 → 年龄 60"),
        ("The id of the item is missing", "缺少物品的编号"),
        ("shares categories 犯罪 and 悬疑 with 七宗罪", "与 七宗罪 共享类别 犯罪和悬疑"),
        ("shares categories Sword and Sorcery with Conan", "与 Conan 共享类别 Sword and Sorcery"),
    ],
)
def test_a_sentence_of_the_library_is_told_by_its_pattern(chinese, said, told):
    assert retold(said) == told


def test_two_edits_are_told_each_by_itself(chinese):
    edits = (
        Edit("interest:科幻", "drop interest", "Drop the interest “科幻”", None),
        Edit("liked:1", "like", "Like Pride and Prejudice", "1"),
    )
    assert edits_in_words(Outcome(edits, Profile(), 1, 0.5)) == "去掉兴趣“科幻”，并且喜欢 Pride and Prejudice"


def test_a_fact_that_the_library_has_a_word_for_is_called_by_it(chinese):
    assert [fact_label(name) for name in ("age", "occupation", "director", "zip_code", "")] == [
        "年龄", "职业", "导演", "zip_code", ""
    ]  # fmt: skip


@pytest.mark.parametrize(
    "title", ["Beauty and the Beast (1991)", "Pride and Prejudice", "Alien: Director's Cut; Extras", "…"]
)
def test_data_is_never_told_in_another_language(chinese, title):
    assert retold(title) == title


def test_a_text_of_no_length_is_no_head_of_a_catalog(chinese):
    assert (_(""), heading(""), retold("")) == ("", "", "")
    assert everywhere("unknown") == ("unknown", "未知")
