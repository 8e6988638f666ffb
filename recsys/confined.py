"""A process that reads foreign files confines itself first: little memory, time and disk, files of its own, and no network.

``python -m recsys`` does so before it imports anything else, where the variable ``COLDLENS_CONFINED`` says for how many seconds
it may run. What can be raised is in ``recsys.settings.Limits``. None of it can be taken back from inside, but by a process of
root, which may raise its limits again.
"""

import ctypes
import errno
import os
import resource
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from recsys.errors import ColdlensError, DataError
from recsys.settings import Limits

CONFINED = "COLDLENS_CONFINED"
"""Variable of the environment: this process reads foreign files, for so many seconds at most."""
OPEN_FILES = 256
_MERCY = 5
"""Seconds from the signal that names the limit of the processor to the one that does not."""
_NEW_NETWORK, _NEW_USER = 0x4000_0000, 0x1000_0000
_REFUSED = frozenset(
    f"socket.{call}"
    for call in (
        "connect", "bind", "sendto", "sendmsg", "getaddrinfo", "gethostbyname", "gethostbyaddr", "getnameinfo",
    )
)  # fmt: skip
"""What Python tells its audit hooks before it reaches for the network."""


def confine_if_told(environment: Mapping[str, str]) -> None:
    """Confines this process if its environment says so.

    Raises:
        ConfigError: for a limit that is not a number.
    """
    if seconds := environment.get(CONFINED):
        confine(Limits.from_environment(environment), seconds=int(seconds))


def confine(limits: Limits, *, seconds: int) -> None:
    """Gives up what a reader of foreign files does not need, once and for all; before any thread has started.

    Args:
        seconds: wall-clock time, after which the kernel ends this process.
    """
    for kind, most in (
        (resource.RLIMIT_AS, limits.memory_mb << 20),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, limits.written_mb << 20),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        known = resource.getrlimit(kind)[1]
        hard = most + (_MERCY if kind == resource.RLIMIT_CPU else 0)
        hard = hard if known == resource.RLIM_INFINITY else min(hard, known)
        resource.setrlimit(kind, (min(most, hard), hard))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(seconds)
    os.umask(0o077)
    os.nice(10)  # readers come first
    _leave_network()


def _leave_network() -> None:
    """Moves into a network that has nobody in it, where the kernel lets us, and refuses all calls that Python can refuse."""
    user, group = os.getuid(), os.getgid()
    with suppress(OSError, AttributeError):  # no Linux, or one that keeps this to itself
        unshare = ctypes.CDLL(None, use_errno=True).unshare
        if unshare(_NEW_NETWORK) != 0 and unshare(_NEW_NETWORK | _NEW_USER) == 0:  # the first is for root alone
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: Any) -> None:
    if event in _REFUSED:
        raise PermissionError(errno.EPERM, "A process that reads foreign files has no network")


def ended_by_limit(code: int | None, limits: Limits, *, seconds: int, by: str) -> ColdlensError | None:
    """Returns which limit has ended a confined process, ``None`` if none has.

    Args:
        code: as ``subprocess`` gives it: minus the number of the signal.
        seconds: that it was allowed.
        by: the variable of that limit.
    """
    fix = "Give a smaller or simpler file, or raise {}."
    if code == -signal.SIGALRM:
        return DataError("Reading the file took too long", f"{seconds:,} s", fix=fix.format(by))
    if code == -signal.SIGXCPU:
        what, name = "Reading the file took too much time of the processor", limits.name_of("cpu_seconds")
        return DataError(what, f"{limits.cpu_seconds:,} s", fix=fix.format(name))
    return None
