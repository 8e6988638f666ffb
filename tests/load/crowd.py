"""Many analysts at once: each types what nobody else does, and everything that the others are sent is searched for it.

``python -m tests.load.crowd`` measures 50 of them on a fresh dashboard (arrivals over 30 s, 15 s to think).
"""

import asyncio
import json
import os
import re
import secrets
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.load.protocol import Protocol, Run, choice, percentile

N_SESSIONS, N_RERUNS, ARRIVALS, THINK = 50, 20, 30.0, 15.0
_CANARY = re.compile(rb"canary-[0-9a-f]{16}")


@dataclass
class Crowd:
    """What a crowd saw.

    Attributes:
        first: first view of each session.
        reruns: all others.
        lost: runs that did not show what their session had typed last.
        foreign: runs that held what another session had typed.
        errors: exceptions on any page, or of the connection.
        grown_mb: memory of the server after less before, per session.
        cpu_seconds: of the server, per run.
    """

    first: list[float] = field(default_factory=list)
    reruns: list[float] = field(default_factory=list)
    lost: int = 0
    foreign: int = 0
    errors: list[str] = field(default_factory=list)
    grown_mb: float = 0.0
    cpu_seconds: float = 0.0

    def to_dict(self) -> dict[str, object]:
        """Returns the figures as plain values; times in seconds."""
        return {
            "sessions": len(self.first),
            "reruns": len(self.reruns),
            "errors": len(self.errors),
            "lost": self.lost,
            "foreign": self.foreign,
            "first_p50": round(percentile(self.first, 0.5), 3),
            "first_p95": round(percentile(self.first, 0.95), 3),
            "rerun_p50": round(percentile(self.reruns, 0.5), 3),
            "rerun_p95": round(percentile(self.reruns, 0.95), 3),
            "cpu_per_run": round(self.cpu_seconds, 3),
            "grown_mb_per_session": round(self.grown_mb, 2),
        }


def gather(url: str, pid: int, *, n_sessions: int, n_reruns: int, arrivals: float = 0.0, think: float = 0.0) -> Crowd:
    """Sends a crowd to a dashboard that has been opened before.

    Args:
        pid: process of the dashboard.
        arrivals: seconds over which they arrive.
        think: mean seconds between an answer and the next question.
    """
    with ThreadPoolExecutor(1) as thread:  # a test that drives a browser has a loop of its own in this one
        return thread.submit(asyncio.run, _gather(url, pid, n_sessions, n_reruns, arrivals, think)).result()


async def _gather(url: str, pid: int, n_sessions: int, n_reruns: int, arrivals: float, think: float) -> Crowd:
    server, found = psutil.Process(pid), Crowd()
    async with Protocol(url) as warm:
        await warm.ask()
    before, spent = server.memory_info().rss, _cpu(server)
    own: list[set[bytes]] = [set() for _ in range(n_sessions)]
    sent: list[list[Run]] = [[] for _ in range(n_sessions)]
    everyone = asyncio.Event()

    async def visit(number: int) -> None:
        await asyncio.sleep(arrivals * number / n_sessions)
        try:
            async with Protocol(url, age=str(20 + number % 50), gender="F") as visitor:
                sent[number] = visitor.runs
                found.first.append((await visitor.ask()).seconds)
                for n in range(n_reruns):
                    await asyncio.sleep(think * (0.5 + (number * 7 + n * 3) % 11 / 11))
                    typed = f"canary-{secrets.token_hex(8)}"
                    own[number].add(typed.encode())
                    change = choice(visitor.widgets["interests"], typed)
                    run = await visitor.ask(change, age=str(20 + number % 50), gender="F", interests=typed)
                    found.reruns.append(run.seconds)
                    found.lost += not run.holds(typed)
                if len(found.reruns) == n_sessions * n_reruns:
                    found.grown_mb = (server.memory_info().rss - before) / n_sessions / (1 << 20)
                    everyone.set()
                await asyncio.wait_for(everyone.wait(), 600)
        except Exception as error:
            found.errors.append(f"{type(error).__name__}: {error}")
            everyone.set()

    await asyncio.gather(*(visit(number) for number in range(n_sessions)))
    found.cpu_seconds = (_cpu(server) - spent) / max(1, len(found.first) + len(found.reruns))
    found.errors += [error for runs in sent for run in runs for error in run.errors]
    found.foreign = sum(_is_foreign(run.frames, mine) for runs, mine in zip(sent, own, strict=True) for run in runs)
    return found


def _is_foreign(frames: Sequence[bytes], own: set[bytes]) -> bool:
    return any(text not in own for frame in frames for text in _CANARY.findall(frame))


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def main() -> int:
    """Measures a fresh dashboard on the data folder of the environment."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "browser"))
    from driver import serve

    with tempfile.TemporaryDirectory() as scratch:
        data = Path(os.environ.get("COLDLENS_DATA_DIR") or "data")
        with serve(data, Path(scratch) / "log") as server:
            asyncio.run(_warm(server.url))
            time.sleep(5)
            found = gather(
                server.url, server.pid, n_sessions=N_SESSIONS, n_reruns=N_RERUNS, arrivals=ARRIVALS, think=THINK
            )
            told = found.to_dict() | {"tracebacks": server.log.count("Traceback")}
    print(json.dumps(told, indent=1))
    for error in found.errors[:5]:
        print(error)
    return int(bool(found.errors or found.foreign or found.lost))


async def _warm(url: str) -> None:
    async with Protocol(url) as visitor:
        await visitor.ask()


if __name__ == "__main__":
    sys.exit(main())
