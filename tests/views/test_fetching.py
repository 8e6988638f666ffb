"""Addresses in a catalog lead to public servers or nowhere."""

import http.server
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from recsys.errors import DataError
from recsys.settings import Limits
from recsys.views.fetching import Fetcher, is_address, is_public
from tests.views.hostile_pictures import saved

PICTURE = saved(Image.new("RGB", (10, 10), "red"), "PNG")
HOSTILE = (
    "http://127.0.0.1/a.png", "http://localhost/a.png", "http://127.1/", "http://2130706433/", "http://0x7f000001/",
    "http://0177.0.0.1/", "http://017700000001/", "http://0x7f.0.0.1/", "http://127.0.0.1.nip.test/", "http://[::1]/",
    "http://[::]/", "http://[::ffff:127.0.0.1]/", "http://[::127.0.0.1]/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/",
    "http://[fe80::1]/", "http://[fe80::1%25eth0]/", "http://[fd00::1]/", "http://[ff02::1]/", "http://0.0.0.0/", "http://0/",
    "http://10.0.0.1/", "http://172.16.0.1/", "http://192.168.1.1/", "http://100.64.0.1/", "http://169.254.169.254/latest/meta-data",
    "http://metadata.google.test/", "http://224.0.0.1/", "http://255.255.255.255/", "http://192.0.2.1/", "http://198.18.0.1/",
    "http://user@example.com/", "http://example.com@127.0.0.1/", "http://user:pass@example.com/a.png",
    "http://１２７.０.０.１/", "http://①②⑦.⓪.⓪.①/", "http://127。0。0。1/", "http://ⓛocalhost/",
    "file:///etc/passwd", "data:image/png;base64,AA",
    "http://example.com/ä.png",
    "ftp://example.com/a.png", "gopher://example.com/", "javascript:alert(1)", "//127.0.0.1/a.png", "\\\\127.0.0.1\\a.png",
    "http:///a.png", "http://", "http://example.com:22/", "http://example.com:99999/", "http://[::1/", "http://exa mple.com/",
    "http://example.com\\@127.0.0.1/", "http://example.com/\r\nHost: 127.0.0.1", "http://example.com/\ta", "http://a..b.com/",
    "http://.example.com/", "http://-example.com/", "http://example.0x7f/", "http://example.com/" + "a" * 2_001, "HTTP://127.0.0.1/",
)  # fmt: skip
"""The host names among them lead to this machine or into a private network, see ``lookup``."""
INSIDE = {"localhost": "127.0.0.1", "127.0.0.1.nip.test": "127.0.0.1", "metadata.google.test": "169.254.169.254"}


def lookup(host: str, port: int) -> list[str]:
    return [INSIDE.get(host, "93.184.215.14")]


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every address that somebody tries to connect to, which then fails."""
    found: list[Any] = []

    def connect(self: socket.socket, address: Any) -> None:
        found.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    return found


@pytest.mark.parametrize("url", HOSTILE)
def test_no_hostile_address_is_dialled(url: str, dialled: list[Any]):
    with pytest.raises(DataError, match="so it is not fetched") as refused:
        Fetcher(Limits(), resolve=lookup).fetch(url)
    assert dialled == []
    assert refused.value.fix.startswith("Put the picture into")


def test_a_proper_address_is_dialled_where_it_was_resolved_to(dialled: list[Any]):
    for url in (
        "http://example.com/a.png",
        "https://example.com:443/a.png?b=1",
        "http://93.184.215.14/",
        "HTTPS://Example.COM./",
    ):
        with pytest.raises(DataError, match=r"The picture cannot be fetched \(ConnectionRefusedError\)"):
            Fetcher(Limits(), resolve=lookup).fetch(url)
    assert dialled == [("93.184.215.14", port) for port in (80, 443, 80, 443)]


def test_a_name_is_resolved_once_and_the_answer_is_what_is_dialled(dialled: list[Any]):
    answers = [["93.184.215.14"], ["127.0.0.1"]]
    with pytest.raises(DataError, match="ConnectionRefusedError"):
        Fetcher(Limits(), resolve=lambda host, port: answers.pop(0)).fetch("http://rebind.test/a.png")
    assert dialled == [("93.184.215.14", 80)] and answers == [["127.0.0.1"]]


@pytest.mark.parametrize("answer", [["93.184.215.14", "127.0.0.1"], ["::ffff:10.0.0.1"], [], ["no address"]])
def test_one_answer_that_leads_inside_is_enough_to_refuse(answer: list[str], dialled: list[Any]):
    with pytest.raises(DataError, match="leads to this machine or into a private network"):
        Fetcher(Limits(), resolve=lambda host, port: answer).fetch("http://mixed.test/a.png")
    assert dialled == []


def test_public_addresses_are_public():
    assert all(map(is_public, ("93.184.215.14", "8.8.8.8", "2606:4700:4700::1111", "2a00:1450:4001:81b::200e")))


@pytest.mark.parametrize("name", ["https://a.b/c", "HTTP://x", "data:,", "//a/b", "\\\\a\\b", " file:///x"])
def test_what_begins_with_a_scheme_is_an_address(name: str):
    assert is_address(name)


@pytest.mark.parametrize("name", ["a.png", "b/a.png", "c:\\a.png", "a b: c.png", "http", "/a"])
def test_other_names_are_files(name: str):
    assert not is_address(name)


class Server(http.server.BaseHTTPRequestHandler):
    """Answers as the path says."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, dict[str, str]]]

    def do_GET(self) -> None:
        self.seen.append((self.path, dict(self.headers)))
        if self.path == "/moved":
            self.answer(302, {"Location": f"http://127.0.0.1:{self.server.server_address[1]}/a.png"}, b"")
        elif self.path == "/missing":
            self.answer(404, {"Content-Type": "image/png"}, PICTURE)
        elif self.path == "/page":
            self.answer(200, {"Content-Type": "text/html"}, b"<html>")
        elif self.path == "/packed":
            self.answer(200, {"Content-Type": "image/png", "Content-Encoding": "gzip"}, PICTURE)
        elif self.path == "/large":
            self.answer(200, {"Content-Type": "image/png"}, bytes((1 << 20) + 1))
        elif self.path == "/endless":
            self.drip(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n", b"x")
        elif self.path == "/header":
            self.drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x")
        else:
            self.answer(200, {"Content-Type": "image/png; q=1"}, PICTURE)

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body)), "Set-Cookie": "a=b"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def drip(self, start: bytes, again: bytes) -> None:
        self.wfile.write(start)
        for _ in range(100):
            self.wfile.write(again)
            time.sleep(0.1)

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:  # the other side hung up
            self.close_connection = True

    def log_message(self, *about: Any) -> None:
        """Says nothing."""


@contextmanager
def serving(wrap: Callable[[socket.socket], socket.socket] | None = None) -> Iterator[tuple[Fetcher, Any]]:
    """A server on this machine, and a fetcher that may go there as an exception."""

    class Own(Server):
        seen: list[tuple[str, dict[str, str]]] = []  # noqa: RUF012

    class Threads(socketserver.ThreadingMixIn, http.server.HTTPServer):
        daemon_threads = True

        def handle_error(self, *about: Any) -> None:
            """Says nothing."""

    with Threads(("127.0.0.1", 0), Own) as server:
        if wrap:
            server.socket = wrap(server.socket)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        port = server.server_address[1]
        limits = Limits(picture_mb=1, fetch_seconds=1)
        try:
            yield (
                Fetcher(
                    limits,
                    resolve=lambda host, port: ["127.0.0.1"],
                    is_allowed=lambda address: address == "127.0.0.1",
                    ports={"http": port, "https": port},
                ),
                Own,
            )
        finally:
            server.shutdown()
            thread.join()


def test_a_picture_is_fetched_and_nothing_of_ours_is_sent():
    with serving() as (fetcher, server):
        assert fetcher.fetch("http://pictures.test/a%20b/ä.png?c=d".replace("ä", "%C3%A4")) == PICTURE
        port = fetcher.ports["http"]
    ((path, headers),) = server.seen
    assert path == "/a%20b/%C3%A4.png?c=d"
    assert headers.pop("Host") == f"pictures.test:{port}"
    assert set(headers) == {"Accept", "Accept-Encoding", "User-Agent", "Connection"}
    assert headers["User-Agent"] == "coldlens" and headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/moved", r"is a redirect, which is not followed \(302\)"),
        ("/missing", r"is an error \(404\)"),
        ("/page", "not a JPEG, PNG or WebP"),
        ("/packed", "not a JPEG, PNG or WebP"),
        ("/large", "larger than 1 MB"),
        ("/endless", "no whole answer within 1 s"),
        ("/header", "no whole answer within 1 s"),
    ],
)
def test_an_answer_that_is_no_picture_within_the_limits_is_refused(path: str, why: str):
    with serving() as (fetcher, server):
        started = time.monotonic()
        with pytest.raises(DataError, match=why):
            fetcher.fetch(f"http://pictures.test{path}")
        assert time.monotonic() - started < 3
    assert [found for found, _ in server.seen] == [path]  # above all, nothing after a redirect


def test_a_certificate_must_be_the_servers(tmp_path: Path):
    import subprocess

    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other.test", "-days", "1",
         "-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "certificate")], capture_output=True,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("no openssl")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate", tmp_path / "key")
    wrap = lambda found: context.wrap_socket(found, server_side=True)  # noqa: E731
    with serving(wrap) as (fetcher, server), pytest.raises(DataError, match="SSLCertVerificationError"):
        fetcher.fetch("https://pictures.test/a.png")
    assert server.seen == []
