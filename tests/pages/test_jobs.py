"""Work in the background outlives its server, is found again by the next one, and ends with everything it has started."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pages.shared import jobs as jobs_module
from pages.shared import processes
from pages.shared.job import Job
from pages.shared.jobs import RECORDS, Jobs
from pages.shared.processes import Process
from recsys.datasets import write_folder
from recsys.errors import ColdlensError
from tests.toy import toy_dataset

ROOT = Path(__file__).resolve().parents[2]
_SERVER = """
import os, sys
from pages.shared.jobs import jobs
found = jobs()
found.start("work", sys.argv[1:])
print(found.get("work").process.pid, flush=True)
os.kill(os.getpid(), 9)
"""
"""A server that starts a job, and is killed."""
_WORK = """
import json, os, subprocess, sys, time
from pathlib import Path
from recsys.cli.shared import ENDED, _told_how_it_ended
progress = Path(sys.argv[sys.argv.index("--progress") + 1])
mode = sys.argv[1]
with _told_how_it_ended(os.environ[ENDED]):
    if mode == "fail":
        print("The toy is broken: 'toy'. Mend it.", file=sys.stderr)
        raise SystemExit(2)
    if mode == "environment":
        known = {name: os.environ.get(name) for name in ("COLDLENS_CONFINED", "TMPDIR", "COLDLENS_ENDS_WITH")}
        progress.write_text(json.dumps(known | {"group": os.getpgrp() == os.getpid()}))
        (Path(os.environ.get("TMPDIR", "/tmp")) / f"coldlens-test-{os.getpid()}").touch()
        raise SystemExit(0)
    if mode.isdecimal():
        import signal
        if int(mode) != signal.SIGKILL:
            signal.signal(int(mode), signal.SIG_DFL)
        os.kill(os.getpid(), int(mode))
    if mode == "stubborn":
        import signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    data = Path(sys.argv[sys.argv.index("--data-dir") + 1])
    draft = data / "toy" / "artifacts" / f".draft-{os.getpid()}-0"
    draft.mkdir(parents=True)
    (draft / "half").write_bytes(b"half")
    number = 0
    while not (data / "stop").exists():
        number += 1
        progress.with_suffix(".draft").write_text(json.dumps({"done": number, "child": child.pid}))
        progress.with_suffix(".draft").replace(progress)
        time.sleep(0.05)
    child.kill()
"""
"""What a job does here: it has a child and a half-written artifact, and says how far it is until it is stopped."""


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder in whose environment ``python -m recsys`` is the program above."""
    package = tmp_path / "program" / "recsys"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(f"__path__.append({str(ROOT / 'recsys')!r})")
    (package / "__main__.py").write_text(_WORK)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(package.parent), str(ROOT))))
    monkeypatch.setenv("PYTHONSAFEPATH", "1")  # the folder of the server has the real one
    monkeypatch.setenv("COLDLENS_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def server() -> Iterator[Jobs]:
    """The jobs of this process."""
    found = Jobs()
    yield found
    for name, job in found.all():
        found.cancel(name, job)


def until(holds: Callable[[], object], polls: int = 600) -> None:
    """Asks again and again; a slow machine is no failure."""
    for _ in range(polls):
        if holds():
            return
        time.sleep(0.05)
    pytest.fail("it has not come about")


def left_by_a_killed_server(*words: str) -> int:
    """Returns the number of the process of a job whose server is gone."""
    done = subprocess.run(
        [sys.executable, "-c", _SERVER, *words], capture_output=True, text=True, timeout=120, cwd=ROOT
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    return int(done.stdout.split()[-1])


def is_there(pid: int) -> bool:
    return Process.from_pid(pid).is_running


def test_a_job_of_a_killed_server_is_found_watched_and_cancelled(data: Path, server: Jobs):
    pid = left_by_a_killed_server("work")
    job = server.get("work")
    assert job is not None
    assert job.process.pid == pid
    assert job.is_running and job.child is None and job.error() is None
    until(lambda: job.progress().get("done", 0) > 2)
    seen = job.progress()
    until(lambda: job.progress()["done"] > seen["done"])
    assert is_there(seen["child"])
    assert list(data.glob("toy/artifacts/.draft-*"))
    assert server.get("work") is job
    server.start("work", ["work"])
    assert server.get("work") is job  # and no second one was started

    server.cancel("work", job)

    assert not is_there(pid) and not is_there(seen["child"])
    assert server.get("work") is None
    assert [path.name for path in (data / RECORDS).iterdir()] in ([], [".lock"])
    assert list(data.glob("toy/artifacts/.draft-*")) == []


def test_one_that_will_not_end_is_killed_with_its_children(data: Path, server: Jobs):
    server.start("work", ["stubborn"])
    job = server.get("work")
    until(lambda: job.progress().get("done"))
    child = job.progress()["child"]
    server.cancel("work", job)
    assert not job.is_running and not is_there(child)
    assert list(data.glob("toy/artifacts/.draft-*")) == []


def test_one_that_is_asked_to_end_tidies_up_itself(data: Path, server: Jobs, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(processes, "_PATIENCE", 60.0)
    server.start("work", ["work"])
    job = server.get("work")
    until(lambda: job.progress().get("done"))
    code = job.folder / "code.txt"
    job.process.end_group()
    assert code.read_text() == str(128 + signal.SIGTERM)
    assert job.child.wait() == 128 + signal.SIGTERM


def test_how_one_ended_is_known_to_who_did_not_start_it(data: Path, server: Jobs):
    server.start("work", ["work"])
    job = server.get("work")
    until(lambda: job.progress().get("done"))
    (data / "stop").touch()
    until(lambda: not job.is_running)
    assert job.error() is None  # it has ended well
    assert Job.found(job.folder).error() is None
    server.start("work", ["fail"])
    job = server.get("work")
    until(lambda: not job.is_running)
    for one in (job, Job.found(job.folder)):
        assert str(one.error()) == "The toy is broken: 'toy'. Mend it."


def test_one_that_was_killed_is_told_so(data: Path, server: Jobs):
    server.start("work", ["work"])
    job = server.get("work")
    until(lambda: job.progress().get("done"))
    child = job.progress()["child"]
    os.kill(job.process.pid, signal.SIGKILL)
    until(lambda: not job.is_running)
    assert str(job.error()) == "The background work failed: 'code -9'. Run it again."
    assert str(Job.found(job.folder).error()) == "The background work failed: 'ended from outside'. Run it again."
    os.kill(child, signal.SIGKILL)


def test_what_reads_foreign_files_is_confined_with_files_of_its_own(data: Path, server: Jobs):
    server.start("read", ["environment"], is_reading=True)
    server.start("other", ["environment"])
    reading, other = server.get("read"), server.get("other")
    until(lambda: not (reading.is_running or other.is_running))
    scratch = reading.folder / "tmp"
    assert reading.progress() == {
        "COLDLENS_CONFINED": "7200", "TMPDIR": str(scratch), "COLDLENS_ENDS_WITH": None, "group": True,
    }  # fmt: skip
    assert scratch.is_dir()
    assert server.get("read") is reading
    assert not scratch.exists()  # once it has ended
    assert other.progress()["COLDLENS_CONFINED"] is None
    for path in Path(tempfile.gettempdir()).glob(f"coldlens-test-{other.process.pid}"):
        path.unlink()


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (
            signal.SIGALRM,
            "Reading the file took too long: '7,200 s'. Give a smaller or simpler file, or raise COLDLENS_MAX_READ_",
        ),
        (
            signal.SIGXCPU,
            "Reading the file took too much time of the processor: '3,600 s'. Give a smaller or simpler file, or ",
        ),
        (
            signal.SIGSEGV,
            "The files could not be read; the process that tried has ended: 'code -11'. Check that the files are",
        ),
        (
            signal.SIGKILL,
            "The files could not be read; the process that tried has ended: 'code -9'. Check that the files are ",
        ),
    ],
)
def test_a_reader_that_dies_is_told_and_the_server_lives(data: Path, server: Jobs, number: int, said: str):
    server.start("read", [str(int(number))], is_reading=True)
    job = server.get("read")
    until(lambda: not job.is_running)
    assert str(job.error()).startswith(said)


def test_two_servers_on_one_data_folder_share_a_job(data: Path, server: Jobs):
    other = Jobs()
    server.start("work", ["work"])
    mine, theirs = server.get("work"), other.get("work")
    assert theirs.process == mine.process and theirs.child is None
    assert theirs.server == mine.server
    other.start("work", ["work"])
    assert other.get("work") is theirs
    server.start("more", ["work"])
    until(lambda: mine.progress().get("done"))

    other.cancel("work", theirs)

    assert server.get("work") is None  # so it does not show one that is gone
    assert server.get("more").is_running
    assert mine.child.returncode is not None
    other.start("work", ["work"])
    assert server.get("work").process == other.get("work").process != mine.process
    server.cancel("work", mine)  # a visitor who still saw the first one
    assert other.get("work").is_running
    for name, job in other.all():
        other.cancel(name, job)


def test_records_of_ended_jobs_go_with_their_server(data: Path, server: Jobs):
    first = Jobs()
    first.start("work", ["fail"])
    gone = first.get("work")
    until(lambda: not gone.is_running)
    replace(gone, server=Process(gone.process.pid, "1"))._keep()  # as if that server had ended, too
    running = Jobs()
    running._swept.add(data / RECORDS)
    running.start("kept", ["fail"])
    until(lambda: not running.get("kept").is_running)
    foreign = data / RECORDS / "0123456789abcdef-0123456789abcdef"
    foreign.mkdir()
    (foreign / "job.json").write_text("{}")
    assert server.get("work") is None
    assert sorted(path.name for path in (data / RECORDS).glob("*-*")) == sorted(
        (foreign.name, running.get("kept").folder.name)
    )
    os.utime(foreign, (0, 0))
    assert Jobs().get("work") is None
    assert not foreign.exists()
    for name, job in running.all():
        running.cancel(name, job)


def test_a_number_that_another_process_has_now_is_not_the_job(data: Path, server: Jobs):
    """The record names a process that lives, but was born at another time."""
    server.start("work", ["work"])
    job = server.get("work")
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    try:
        stale = Process(bystander.pid, "1")
        assert not stale.is_running
        stale.end_group()
        assert bystander.poll() is None
        known = Process.from_pid(bystander.pid)
        assert known.is_running
        known.end_group()
        assert bystander.wait(timeout=10) == -signal.SIGTERM
    finally:
        bystander.kill()
        bystander.wait()
    assert job.is_running


def test_damaged_records_are_no_jobs(data: Path, server: Jobs):
    server.start("work", ["work"])
    job = server.get("work")
    record = job.folder / "job.json"
    kept = record.read_bytes()
    for bad in (
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"process": [1], "server": [1, "x"]}',
        b"\xff",
        kept.replace(b"data", b"dada"),
    ):
        record.write_bytes(bad)
        assert Job.found(job.folder) is None
    record.write_bytes(kept)
    assert Job.found(job.folder).process == job.process


def test_a_data_folder_that_cannot_be_written_keeps_no_record(
    data: Path, server: Jobs, monkeypatch: pytest.MonkeyPatch
):
    data.write_text("a file, so that no folder can be made in it")
    server.start("work", ["fail"])
    job = server.get("work")
    until(lambda: not job.is_running)
    assert isinstance(job.error(), ColdlensError)
    server.cancel("work", job)
    assert not job.folder.exists()


def test_without_proc_the_list_of_processes_says_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    monkeypatch.setattr(processes, "_PROC", tmp_path / "nothing")
    try:
        known = Process.from_pid(child.pid)
        assert known.is_running and known.born
        assert not Process(child.pid, "another").is_running
        known.end_group()
        assert child.wait(timeout=10) == -signal.SIGTERM
        assert not known.is_running
    finally:
        child.kill()
        child.wait()


def test_the_real_command_says_how_it_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLDLENS_DATA_DIR", str(tmp_path / "data"))
    write_folder(toy_dataset(), tmp_path / "data" / "toy")
    server = jobs_module.Jobs()
    server.start("check", ["project", "nothing-of-this-name"])
    job = server.get("check")
    until(lambda: not job.is_running)
    assert "There is no such dataset" in str(job.error())
    assert (job.folder / "code.txt").read_text() == "2"
    assert str(Job.found(job.folder).error()) == str(job.error())
    server.cancel("check", job)


@pytest.mark.release
def test_cancelling_takes_less_than_two_seconds(data: Path, server: Jobs):
    taken = []
    for number in range(8):
        server.start("work", ["stubborn" if number % 2 else "work"])
        job = server.get("work")
        until(lambda job=job: job.progress().get("done"))
        started = time.perf_counter()
        server.cancel("work", job)
        taken.append(time.perf_counter() - started)
        assert not job.is_running
    print(f"cancelled in {sorted(taken)[len(taken) // 2]:.2f} s, at most {max(taken):.2f} s")
    assert max(taken) <= 2.0
