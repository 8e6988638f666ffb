"""A Chinese reader in a real Chromium: chooses the language, types two interests, and is told why in words."""

import re

import rjieba
from playwright.sync_api import expect

from recsys.datasets.samples import read_sample

LATIN = re.compile(r"[A-Za-z]{2,}")
NAMES = {"BERT", "Shapley", "cpu", "float", "ms", "universal", "sentence", "encoder", "multilingual"}
"""Names and units, which are the same in Chinese."""
BROKEN = ("Ġ", "▁", "##", "\ufffd")
"""What is left of words in tokens, and of characters in bytes."""
# what is written on a page, in components as well; an icon is a word in a font of pictures, marked as not to be translated
_ALL_TEXT = """main => {
  const texts = [];
  const walk = node => {
    if (node.nodeType === 3 && node.parentElement?.closest('style, script, [translate=no]') === null)
      texts.push(node.textContent);
    if (node.shadowRoot) walk(node.shadowRoot);
    node.childNodes.forEach(walk);
  };
  walk(main);
  return texts.join('\\n');
}"""


def typed(visitor, interest):
    """Types an interest as a reader does, key by key."""
    visitor.page.get_by_role("combobox", name="兴趣").press_sequentially(interest)
    visitor.page.keyboard.press("Enter")
    visitor.settle()


def of_its_kind(visitor):
    """Returns how many cards name science fiction or love among their categories, of how many."""
    lines = [text for text in visitor.page.get_by_test_id("stCaptionContainer").all_inner_texts() if " · " in text]
    facts = [set(re.split("[·,，、 ]+", text)) for text in lines if re.match(r"\d{4} · ", text)]
    return sum(bool(fact & {"科幻", "爱情"}) for fact in facts), len(facts)


def assert_whole(title, pieces):
    """Every word of the item's description, as jieba finds it, lies in one piece of the explanation; none is cut."""
    items = read_sample("sample-films-zh").items
    description = items.loc[items["title"] == title, "description"].item()
    words = [word for word in rjieba.cut(description) if len(word) > 1]
    assert len(words) > 8
    assert [word for word in words if not any(word in piece for piece in pieces)] == []


def test_chinese_is_chosen_typed_and_explained_in_words(visitor):
    page, main = visitor.page, visitor.page.get_by_test_id("stMain")
    visitor.open("/?dataset=sample-films-zh")
    expect(page.get_by_role("heading", name="What would we show this person?")).to_be_visible()

    choice = page.get_by_role("combobox", name="Language / 语言")
    choice.scroll_into_view_if_needed()
    page.wait_for_timeout(200)  # a menu closes when what is behind it scrolls
    choice.click()
    page.get_by_role("option", name="中文").click()
    visitor.settle()
    expect(page.get_by_role("heading", name="我们会给这个人推荐什么？")).to_be_visible()
    expect(page.get_by_role("combobox", name="Interests")).to_have_count(0)

    before = visitor.titles()
    page.get_by_role("button", name="清空").click()
    nobody = visitor.titles_after(before)
    assert of_its_kind(visitor)[0] < 6  # what everybody gets would not do
    typed(visitor, "科幻")
    typed(visitor, "爱情")
    page.keyboard.press("Escape")
    expect(main).to_contain_text("“科幻” · “爱情”")
    page.get_by_role("slider", name="热门度").focus()  # the first card says that it is there because everybody likes it
    page.keyboard.press("Home")
    assert visitor.titles_after(nobody) != nobody
    expect(main.get_by_text("此列表：")).not_to_contain_text("热门度")
    found, of = of_its_kind(visitor)
    assert of == 10 and found >= 8
    first = visitor.titles()[0]

    main.get_by_role("button", name="为什么？").first.click()
    visitor.settle()
    expect(page.get_by_role("heading", name="为什么是这个物品，而不是那个？")).to_be_visible()
    expect(main).to_contain_text(first)
    page.get_by_role("tab", name="词语", exact=True).click()
    visitor.settle()
    expect(page.locator("button.word b").first).to_be_visible()
    words = page.locator("button.word b").all_inner_texts()
    assert words[:2] == ["科幻", "爱情"]
    assert_whole(first, words[2:])
    shown = main.evaluate(_ALL_TEXT)
    assert not any(mark in shown for mark in BROKEN)
    assert set(LATIN.findall(shown)) <= NAMES
