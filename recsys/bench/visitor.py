"""A visitor in a real Chromium, who changes the profile and notes when the new list is drawn."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys.errors import ArtifactError, MissingExtraError

_POLLING = 40
"""Milliseconds between two looks, seldom enough to cost the page nothing."""
CHROMIUM = "/usr/bin/chromium"
_ARGUMENTS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--no-first-run")
_CLOCKS = """
window.bench = {acted: 0, sent: 0, got: 0, drawn: 0};
const now = () => performance.timeOrigin + performance.now();
for (const kind of ['pointerup', 'keydown']) addEventListener(kind, () => { bench.acted = now(); }, true);
const Native = window.WebSocket, send = Native.prototype.send;
Native.prototype.send = function (data) { if (!bench.sent) bench.sent = now(); return send.call(this, data); };
window.WebSocket = class extends Native {
  constructor(...given) { super(...given); this.addEventListener('message', () => { bench.got = now(); }); }
};
const inMain = node => (node.nodeType === 1 ? node : node.parentElement)?.closest('[data-testid=stMain]');
new MutationObserver(found => {
  if (found.some(one => inMain(one.target))) requestAnimationFrame(() => { bench.drawn = now(); });
}).observe(document, {subtree: true, childList: true, characterData: true, attributeFilter: ['src']});
"""
"""Streamlit draws by changing the document; the frame after a change is what a person sees."""
_ANSWERED = "() => bench.sent && bench.got > bench.sent && bench.drawn > bench.sent"
_IDLE = """() => {
  const app = document.querySelector('[data-testid=stApp]');
  return app && app.dataset.testConnectionState === 'CONNECTED' && app.dataset.testScriptState === 'notRunning'
    && document.querySelector('[data-testid=stMain] strong')
    && !document.querySelector('[data-stale=true],[data-testid=stSkeleton],[data-testid=stSpinner]');
}"""


@dataclass(frozen=True)
class Seen:
    """When, in seconds since 1970: the reader acted, the browser sent it, the last message came, the last change was drawn."""

    acted: float
    sent: float
    got: float
    drawn: float


@dataclass(frozen=True)
class Visitor:
    """One open page."""

    page: Any

    def open(self, url: str, *, seconds: float = 600) -> Seen:
        """Opens the dashboard and waits for its first list."""
        self.page.goto(url)
        self._settle(seconds)
        return self._seen()

    def change(self, act: Callable[[Any], None], *, seconds: float = 60) -> Seen:
        """Does something that changes what the page says, and waits until it is all there."""
        self.page.evaluate("bench.sent = 0")
        act(self.page)
        self.page.wait_for_function(_ANSWERED, timeout=1000 * seconds, polling=_POLLING)
        self._settle(seconds)
        return self._seen()

    def _settle(self, seconds: float) -> None:
        """Waits until nothing is stale, twice: between a run of the page and its next one all is still for a moment."""
        for pause in (0, 150):
            self.page.wait_for_timeout(pause)
            self.page.wait_for_function(_IDLE, timeout=1000 * seconds, polling=_POLLING)

    def _seen(self) -> Seen:
        found = self.page.evaluate("bench")
        return Seen(*(found[name] / 1000 for name in ("acted", "sent", "got", "drawn")))


@contextmanager
def visiting() -> Iterator[Visitor]:
    """Starts Chromium, headless, with one empty page.

    Raises:
        MissingExtraError: if playwright is not installed.
        ArtifactError: if Chromium is not there.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise MissingExtraError("The driver of the browser is missing", fix="pip install playwright.") from None
    if not Path(CHROMIUM).exists():
        raise ArtifactError("There is no Chromium", CHROMIUM, fix="On Debian, as root: apt-get install chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=list(_ARGUMENTS))
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 1400}, reduced_motion="reduce")
            page.add_init_script(_CLOCKS)
            yield Visitor(page)
        finally:
            browser.close()
