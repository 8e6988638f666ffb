"""Fetching a picture from a web address that stands in somebody's catalog: only from public servers, and within limits.

The name in the address is resolved once, every answer is checked, and the connection goes to a checked answer, not to the name
again; the server's certificate must still be the name's. Redirects are not followed, and nothing of ours is sent along.
"""

import http.client
import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote, urlsplit

from recsys.errors import DataError
from recsys.settings import Limits

Resolver = Callable[[str, int], Sequence[str]]
"""Returns the addresses of a host for a port."""
PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"(?=.{1,253}$)(?!-)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+\.?")
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)\.?")
_LONGEST = 2_000
_BLOCK = 1 << 16
_TYPES = ("image/jpeg", "image/png", "image/webp")
_NESTED = tuple(
    map(
        ipaddress.IPv6Network,
        ("::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "fec0::/10"),
    )
)
"""IPv6 addresses that a gateway turns into IPv4 ones, so that they could lead anywhere, and an old kind of private ones."""
_LEAVE = "Put the picture into the dataset's media folder instead, or leave it out."


def is_address(name: str) -> bool:
    """Whether what stands in the column of images is meant as an address, not as a file: it begins with a scheme."""
    return re.match(r"\s*(?:[a-zA-Z][a-zA-Z0-9+.-]+:|//|\\\\)", name) is not None


def is_public(address: str) -> bool:
    """Whether an IP address belongs to a server of the public internet.

    Not those of this machine, of a private or local network, of a cloud's metadata service, reserved ones, and multicast.
    """
    try:
        found = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and any(found in network for network in _NESTED):
        return False
    is_special = (
        found.is_multicast or found.is_reserved or found.is_unspecified or found.is_loopback or found.is_link_local
    )
    return found.is_global and not found.is_private and not is_special


def resolve(host: str, port: int) -> list[str]:
    """Returns the addresses of a host, in the order in which the system prefers them."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True)
class Fetcher:
    """Fetches pictures.

    Attributes:
        resolve: asked once for every address.
        is_allowed: whether to connect to an IP address.
        ports: for a scheme the one port that is allowed.
    """

    limits: Limits
    resolve: Resolver = resolve
    is_allowed: Callable[[str], bool] = is_public
    ports: dict[str, int] = field(default_factory=lambda: dict(PORTS))

    def fetch(self, url: str) -> bytes:
        """Returns the bytes of a picture, which are not yet checked for being one.

        Raises:
            DataError: if the address is not one of the public internet, or what it answers is not a picture within the limits.
        """
        parts = self._checked(url)
        host, port = str(parts.hostname).rstrip("."), self.ports[parts.scheme]
        address = self._address(host, port, url)
        connection = _Pinned(
            host, port, address=address, is_safe=parts.scheme == "https", seconds=self.limits.fetch_seconds
        )
        try:
            return self._answer(connection, parts, url)
        except (OSError, http.client.HTTPException, ValueError) as error:
            seconds = self.limits.fetch_seconds
            told = f"no whole answer within {seconds} s" if connection.is_late else type(error).__name__
            raise DataError(f"The picture cannot be fetched ({told})", url, fix=_LEAVE) from None
        finally:
            connection.end()

    def _checked(self, url: str) -> SplitResult:
        try:
            parts = urlsplit(url)
            port, host = parts.port, parts.hostname or ""
        except ValueError:
            raise _refused("cannot be read", url) from None
        if len(url) > _LONGEST or not url.isascii() or not url.isprintable() or set(url) & set(' \\"<>^`{|}'):
            raise _refused(f"is longer than {_LONGEST:,} characters, or has some that no address has", url)
        if parts.scheme not in self.ports:
            raise _refused("does not begin with http:// or https://", url)
        if "@" in parts.netloc:
            raise _refused("has a user name in it", url)
        if port not in (None, self.ports[parts.scheme]):
            raise _refused("names a port of its own", url)
        is_ip = _is_ip(host)
        if not is_ip and (not _HOST.fullmatch(host) or _NUMBER.fullmatch(host.rstrip(".").rsplit(".", 1)[-1])):
            raise _refused("has no proper name of a server", url)
        return parts

    def _address(self, host: str, port: int, url: str) -> str:
        if _is_ip(host):
            found: Sequence[str] = [host]
        else:
            try:
                found = self.resolve(host, port)
            except (OSError, UnicodeError) as error:
                what = f"The server of the picture is not known ({type(error).__name__})"
                raise DataError(what, url, fix=_LEAVE) from None
        if not found or not all(map(self.is_allowed, found)):
            raise _refused("leads to this machine or into a private network", url)
        return found[0]

    def _answer(self, connection: "_Pinned", parts: SplitResult, url: str) -> bytes:
        path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._") + (f"?{parts.query}" if parts.query else "")
        connection.request(
            "GET", path, headers={"Accept": ", ".join(_TYPES), "User-Agent": "coldlens", "Connection": "close"}
        )
        answer = connection.getresponse()
        if connection.is_late:  # then the end of the headers was ours
            raise TimeoutError
        if answer.status != http.client.OK:
            what = "is a redirect, which is not followed" if 300 <= answer.status < 400 else "is an error"
            raise DataError(f"The answer of the server {what} ({answer.status})", url, fix=_LEAVE)
        kind = (answer.getheader("Content-Type") or "").split(";")[0].strip().lower()
        if kind not in _TYPES or answer.getheader("Content-Encoding"):
            raise DataError("The answer of the server is not a JPEG, PNG or WebP picture", url, fix=_LEAVE)
        most, blocks, total = self.limits.picture_mb << 20, [], 0
        while block := answer.read(_BLOCK):
            total += len(block)
            if total > most:
                what = f"The picture is larger than {self.limits.picture_mb} MB"
                raise DataError(what, url, fix="Fetch and shrink it yourself, or raise COLDLENS_MAX_PICTURE_MB.")
            blocks.append(block)
        if connection.is_late:
            raise TimeoutError
        return b"".join(blocks)


class _Pinned(http.client.HTTPConnection):
    """A connection to one address under the name of a host, which ends when its time is over, whatever it waits for."""

    def __init__(self, host: str, port: int, *, address: str, is_safe: bool, seconds: int) -> None:
        super().__init__(host, port, timeout=seconds)
        if is_safe:
            self.default_port = http.client.HTTPS_PORT  # so that the header "Host" names no port
        self._address, self._is_safe, self._seconds = address, is_safe, seconds
        self._deadline = time.monotonic() + seconds
        self._raw: socket.socket | None = None
        self._alarm = threading.Timer(seconds, self._cut)
        self._alarm.daemon = True

    @property
    def is_late(self) -> bool:
        """Whether its time is over."""
        return time.monotonic() >= self._deadline

    def connect(self) -> None:
        """Connects to the address that was checked; the certificate must be the host's."""
        family = socket.AF_INET6 if ":" in self._address else socket.AF_INET
        raw = socket.socket(family, socket.SOCK_STREAM)
        self._raw = raw
        self._alarm.start()
        raw.settimeout(self._seconds)
        raw.connect((self._address, self.port))
        self.sock = raw
        if self._is_safe:
            context = ssl.create_default_context()
            # the handshake comes after the assignment, so that the alarm can end it
            self.sock = context.wrap_socket(raw, server_hostname=self.host, do_handshake_on_connect=False)
            self.sock.do_handshake()

    def end(self) -> None:
        """Closes everything."""
        self._alarm.cancel()
        self.close()
        if self._raw is not None:
            self._raw.close()

    def _cut(self) -> None:
        for found in (self.sock, self._raw):
            if found is not None:
                with suppress(OSError):
                    found.shutdown(socket.SHUT_RDWR)


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _refused(what: str, url: str) -> DataError:
    return DataError(f"The address of the picture {what}, so it is not fetched", url, fix=_LEAVE)
