"""Text is text: 320 attacks in every field of a catalog and of a person, on every page, in a real Chromium; none may run.

Twenty at a time; the first twenty run with every commit, on the pages that show most of them, the others before a release.
"""

import json
import subprocess
import sys
from urllib.parse import urlencode

import pandas as pd
import pytest
from driver import free_port, serve, visit, wait_for

from recsys.datasets import write_folder
from recsys.schema import Dataset, DatasetInfo, Preset, Profile
from tests.attacks import attacks

ATTACKS = attacks()
SIZE = 20
GROUPS = [pytest.param(n, marks=[pytest.mark.release] if n else []) for n in range(len(ATTACKS) // SIZE + 1)]
"""The last one is the first again, on all pages."""
SLOW = ("explore", "evaluate")
LISTEN = "window.__ran = []; window.__pwn = n => window.__ran.push(n === undefined ? 'x' : n); void 0"
LOOK = """() => {
  const found = [];
  const walk = root => {
    for (const element of root.querySelectorAll('*')) {
      for (const attribute of element.attributes) {
        if (/^on/i.test(attribute.name)) found.push(`${element.tagName} ${attribute.name}`);
        const link = /^(href|src|srcdoc|action|formaction|data|xlink:href)$/i.test(attribute.name);
        if (link && /^[\\s\\u0000-\\u0020]*(javascript|vbscript|data:text)/i.test(attribute.value)) found.push(attribute.value);
      }
      if (element.tagName === 'A' && element.href && new URL(element.href).origin !== location.origin) found.push(element.href);
      if (element.shadowRoot) walk(element.shadowRoot);
    }
  };
  walk(document);
  return [...new Set(found)].concat(window.__ran.map(n => `ran ${n}`));
}"""


def write_attacked(folder):
    """Writes a dataset whose every text is an attack; twenty items to a year."""
    numbers = range(len(ATTACKS))
    items = pd.DataFrame(
        {
            "item_id": [f"{n}{text[:30]}" for n, text in zip(numbers, ATTACKS, strict=True)],
            "title": ATTACKS,
            "description": [ATTACKS[n - 1] for n in numbers],
            "categories": [(ATTACKS[n // SIZE * SIZE + n % 3], "plain") for n in numbers],
            "maker": [ATTACKS[n // SIZE * SIZE + n % 2 + 5] for n in numbers],
            "year": pd.array([2000 + n // SIZE for n in numbers], dtype="Int64"),
        }
    )
    people = [(f"{n}{ATTACKS[n]}", n) for n in range(60)]
    users = pd.DataFrame(
        {
            "user_id": [name for name, _ in people],
            "age": [20.0 + n for _, n in people],
            "gender": [ATTACKS[n % 2 + 8] for _, n in people],
            "job": [ATTACKS[n % 4 + 10] for _, n in people],
        }
    )
    likes = [(name, items["item_id"][(n * 5 + k * 3) % len(items)]) for name, n in people for k in range(12)]
    info = DatasetInfo(
        title=ATTACKS[0],
        domain=ATTACKS[1],
        licence=ATTACKS[2],
        source=ATTACKS[3],
        presets=(Preset(ATTACKS[4], Profile(age=30, interests=tuple(ATTACKS[5:9]))),),
    )
    interactions = pd.DataFrame(likes, columns=["user_id", "item_id"])
    return write_folder(Dataset("attacked", info, items, users, interactions), folder)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    scratch = tmp_path_factory.mktemp("attacked")
    write_attacked(scratch / "data" / "attacked")
    with serve(scratch / "data", scratch / "log", environment={"COLDLENS_DATASET": "attacked"}) as server:
        yield server
        assert "Traceback" not in server.log
        assert server.dialled == ""


def what_ran(visitor) -> list[str]:
    """Whatever ran, could run or leads elsewhere; the links of Streamlit's own menu are the app's."""
    return [*visitor.page.evaluate(LOOK), *visitor.faults, *visitor.outside]


@pytest.mark.parametrize("group", GROUPS)
def test_no_text_is_more_than_text(browser, attacked, group):
    is_all, group = group > 0, group % (len(ATTACKS) // SIZE)
    own = ATTACKS[group * SIZE : (group + 1) * SIZE]
    person = {"v": "1", "dataset": "attacked", "age": "40", "gender": ATTACKS[8], "attr-job": ATTACKS[10], "k": "20"}
    year = 2000 + group
    query = [*person.items(), *(("interests", text) for text in own), ("years", str(year)), ("years", str(year))]
    item = f"{group * SIZE}{own[0][:30]}"
    second = [("b-interests", text) for text in own] + [("b-gender", own[0]), ("wanted", own[1]), ("tab", own[2])]
    with visit(browser, attacked) as visitor:
        visitor.page.add_init_script(LISTEN)
        for page, more in {
            "": [],
            "explain": [("item", item)],
            "explore": [],
            "compare": second,
            "evaluate": [],
            "datasets": [],
        }.items():
            if not is_all and page in SLOW:
                continue
            visitor.open(f"/{page}?{urlencode([*query, *more])}")
            if page == "":
                shown = {title.replace("\u2060", "") for title in visitor.titles()}
                assert len(shown) == SIZE
                save(visitor, own[0][:60])
            if page == "explore":
                hover(visitor)
            assert visitor.page.locator("[data-testid=stException]").count() == 0
            assert what_ran(visitor) == [], page


def save(visitor, name: str) -> None:
    """Saves the profile under a name, which is then offered on every page."""
    visitor.page.get_by_role("button", name="Save profile").click()
    visitor.page.get_by_role("textbox", name="Name").fill(name)
    visitor.page.get_by_role("button", name="Save", exact=True).click()
    visitor.settle()
    visitor.page.keyboard.press("Escape")


def hover(visitor) -> None:
    """Moves the pointer over the map, so that it shows what it knows of items."""
    box = visitor.page.locator(".js-plotly-plot").first.bounding_box()
    for n in range(40):
        visitor.page.mouse.move(
            box["x"] + box["width"] * (0.1 + 0.02 * n), box["y"] + box["height"] * (0.2 + n * 7 % 40 / 60)
        )
        visitor.page.wait_for_timeout(15)


@pytest.mark.release
def test_files_with_attacks_are_shown_as_text(browser, attacked):
    for n in range(0, len(ATTACKS), 40):
        lines = [
            ",".join(f'"{text.replace(chr(34), chr(34) * 2)}"' for text in ATTACKS[n + k : n + k + 4])
            for k in range(0, 40, 4)
        ]
        content = "\n".join(
            ["id,title,{},{}".format(*(f'"{t.replace(chr(34), chr(34) * 2)}"' for t in ATTACKS[n : n + 2])), *lines]
        )
        with visit(browser, attacked) as visitor:
            visitor.page.add_init_script(LISTEN)
            visitor.open("/datasets?dataset=attacked")
            visitor.page.get_by_test_id("stMain").get_by_text("Bring your own", exact=True).click()
            visitor.settle()
            name = ATTACKS[n][:60].replace("/", "_") + ".csv"
            upload = {"name": name, "mimeType": "text/csv", "buffer": content.encode()}
            visitor.page.locator("input[type=file]").first.set_input_files(upload)
            visitor.page.get_by_text("What they hold").wait_for(timeout=60_000)
            visitor.settle()
            assert what_ran(visitor) == [], ATTACKS[n]


@pytest.mark.release
def test_a_page_that_draws_foreign_html_is_caught(browser, tmp_path, attacked):
    """The control: what the tests above look for is found where it is."""
    port = free_port()
    script = "import json, streamlit as st\nfor text in json.load(open('attacks.json')):\n"
    script += "    st.markdown(text, unsafe_allow_html=True)\n"
    (tmp_path / "bad.py").write_text(script)
    (tmp_path / "attacks.json").write_text(
        json.dumps([text for text in ATTACKS if "http-equiv" not in text and "<base" not in text])
    )
    command = [sys.executable, "-m", "streamlit", "run", "bad.py", f"--server.port={port}", "--server.headless=true"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/_stcore/health")
        with visit(browser, attacked) as visitor:
            visitor.page.add_init_script(LISTEN)
            visitor.page.goto(f"http://127.0.0.1:{port}")
            visitor.page.wait_for_timeout(15_000)  # it never comes to rest
            assert any(found.startswith("ran") for found in what_ran(visitor))
            assert any("tracker.example" in url for url in visitor.outside)
    finally:
        process.kill()
        process.wait()
