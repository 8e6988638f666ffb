"""The real app in a real Chromium: start the server, open pages, wait until Streamlit is done."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WATCHED = Path(__file__).parent / "watched"
CHROMIUM = "/usr/bin/chromium"
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]
_IDLE = """() => {
  const app = document.querySelector('[data-testid=stApp]');
  return app && app.dataset.testConnectionState === 'CONNECTED' && app.dataset.testScriptState === 'notRunning'
    && !document.querySelector('[data-stale=true],[data-testid=stSkeleton],[data-testid=stSpinner]');
}"""


@dataclass
class Server:
    """A running dashboard and everything it printed."""

    url: str
    log_file: Path
    pid: int

    @property
    def log(self) -> str:
        return self.log_file.read_text("utf-8", "replace")

    @property
    def dialled(self) -> str:
        """What its processes have dialled beyond this machine, one line each."""
        path = dialled_by(self.log_file)
        return path.read_text("utf-8") if path.exists() else ""


def dialled_by(log_file: Path) -> Path:
    """Returns the file in which the processes of a dashboard write down what they dial."""
    return log_file.with_name(f"{log_file.name}-dialled")


@contextmanager
def serve(
    data_dir: Path,
    log_file: Path,
    *,
    port: int | None = None,
    options: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Starts the dashboard on a free loopback port, unless one is given, and stops it afterwards."""
    port, more = port or free_port(), environment or {}
    environment = {**os.environ, "COLDLENS_DATA_DIR": str(data_dir), "DIALLED": str(dialled_by(log_file))}
    environment |= {"PYTHONPATH": str(WATCHED), **more}
    environment.pop("HF_HUB_OFFLINE", None)  # as somebody starts it
    command = [sys.executable, "-m", "pages.shared.start", f"--server.port={port}", *options]
    with log_file.open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_for(f"http://127.0.0.1:{port}/_stcore/health")
            yield Server(f"http://127.0.0.1:{port}", log_file, process.pid)
        finally:
            process.terminate()
            process.wait(20)


def free_port() -> int:
    """Returns a port of the loopback that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str) -> None:
    for _ in range(240):
        try:
            urllib.request.urlopen(url, timeout=1).read()
            return
        except OSError:
            time.sleep(0.25)
    raise TimeoutError(f"the dashboard did not start: {url}")


@dataclass
class Visitor:
    """One browser context with one page, and what went wrong in it."""

    page: Any
    server: Server
    faults: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def open(self, path: str = "/") -> None:
        """Opens a page; the first one of a fresh server waits for training."""
        self.page.goto(self.server.url + path)
        self.settle(timeout=300)

    def settle(self, timeout: float = 60) -> None:
        """Waits until the script has run and nothing on the page is stale, twice: between a run and its rerun all is still."""
        for pause in (250, 300):
            self.page.wait_for_timeout(pause)
            self.page.wait_for_function(_IDLE, timeout=timeout * 1000)
        self.page.wait_for_timeout(150)

    def titles(self) -> list[str]:
        """Returns the titles on the cards, in order, without their ranks."""
        texts = self.page.locator("[data-testid=stMain] strong").all_inner_texts()
        return [re.sub(r"^\d+\. ", "", text) for text in texts if re.match(r"^\d+\. ", text)]

    def meter(self) -> str:
        """Returns what the influence meter says."""
        return str(self.page.get_by_test_id("stMain").get_by_text("This list:").first.inner_text())

    def titles_after(self, before: list[str]) -> list[str]:
        """Waits until the list is another one, and returns it; the old one after ten seconds."""
        for _ in range(40):
            self.settle()
            if self.titles() != before:
                break
        self.settle()
        return self.titles()


@contextmanager
def visit(browser: Any, server: Server, **context: Any) -> Iterator[Visitor]:
    """Opens a fresh browser context that records page errors and requests to other hosts."""
    opened = browser.new_context(viewport={"width": 1280, "height": 1400}, reduced_motion="reduce", **context)
    visitor = Visitor(opened.new_page(), server)
    visitor.page.on("pageerror", lambda error: visitor.faults.append(str(error)))
    visitor.page.on("dialog", lambda dialog: (visitor.faults.append(dialog.message), dialog.dismiss()))
    visitor.page.on("request", lambda request: _note_outside(visitor, request.url))
    try:
        yield visitor
    finally:
        opened.close()


def _note_outside(visitor: Visitor, url: str) -> None:
    if not url.startswith((visitor.server.url, visitor.server.url.replace("http", "ws"), "data:", "blob:")):
        visitor.outside.append(url)


@contextmanager
def chromium() -> Iterator[Any]:
    """Starts Debian's Chromium, headless."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()
