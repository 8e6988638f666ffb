"""What reads foreign files has little of everything and no network; each test has a twin that is not confined."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pages.shared import asking
from recsys.confined import CONFINED, OPEN_FILES, ended_by_limit
from recsys.errors import DataError
from recsys.settings import Limits

ROOT = Path(__file__).resolve().parents[1]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a program, confined or not, in a folder of its own."""

    def started(program: str, *, limits: str = "", seconds: int = 20, confined: bool = True):
        head = "import os, sys, socket, time\nfrom recsys.settings import Limits\nfrom recsys.confined import confine\n"
        head += f"confine(Limits({limits}), seconds={seconds})\n" if confined else ""
        return subprocess.run(
            [sys.executable, "-c", head + textwrap.dedent(program)], cwd=tmp_path, capture_output=True, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=60,
        )  # fmt: skip

    return started


@pytest.mark.parametrize(
    ("program", "limits", "code", "said"),
    [
        ("bytearray(300 << 20)", "memory_mb=200", 1, "MemoryError"),
        ("while True: pass", "cpu_seconds=1", -signal.SIGXCPU, ""),
        (f"kept = [open('a', 'w') for _ in range({OPEN_FILES} + 1)]", "", 1, "Too many open files"),
        ("with open('a', 'wb') as file:\n    file.write(bytes((1 << 20) + 1))", "written_mb=1", 1, "File too large"),
    ],
    ids=["memory", "processor", "open files", "written"],
)
def test_more_than_it_is_allowed(run: Run, program: str, limits: str, code: int, said: str):
    done = run(program, limits=limits)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    if code == 1:
        assert run(program, confined=False).returncode == 0


def test_exactly_what_it_is_allowed(run: Run):
    program = f"""
    kept = [open("a", "w") for _ in range({OPEN_FILES} - 3)]
    kept.pop().close()
    with open("b", "wb") as file:
        file.write(bytes(1 << 20))
    """
    assert run(program, limits="written_mb=1").returncode == 0


def test_time_on_the_clock(run: Run):
    assert run("time.sleep(30)", seconds=1).returncode == -signal.SIGALRM
    assert run("time.sleep(0.1)", seconds=20).returncode == 0


def test_what_it_writes_is_its_owners_alone(run: Run, tmp_path: Path):
    program = "open('file', 'w').close(); os.mkdir('folder')"
    run(program)
    assert [oct((tmp_path / name).stat().st_mode & 0o777) for name in ("file", "folder")] == ["0o600", "0o700"]


@pytest.fixture
def listener() -> Iterator[int]:
    """The number of a port of this machine where somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


CALLS = {
    "connect": "socket.socket().connect(('127.0.0.1', {port}))",
    "name": "socket.getaddrinfo('localhost', {port})",
    "bind": "socket.socket().bind(('127.0.0.1', 0))",
    "send": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {port}))",
    "host": "socket.gethostbyname('localhost')",
}


@pytest.mark.parametrize("call", CALLS)
def test_no_call_reaches_the_network(run: Run, listener: int, call: str):
    program = CALLS[call].format(port=listener)
    done = run(program)
    assert done.returncode == 1
    assert "PermissionError: [Errno 1] A process that reads foreign files has no network" in done.stderr
    assert run(program, confined=False).returncode == 0


def test_not_even_what_is_not_python_reaches_anybody(run: Run, listener: int):
    """A library in C asks no hook of Python's; where the kernel allows it, the network of the process holds nobody."""
    program = f"""
    import ctypes, struct
    libc = ctypes.CDLL(None, use_errno=True)
    address = struct.pack("<H", socket.AF_INET) + struct.pack(">H", {listener}) + bytes([127, 0, 0, 1]) + bytes(8)
    found = libc.connect(libc.socket(2, 1, 0), address, len(address))
    print(found, open("/proc/net/dev").read().count(":"))
    """
    assert run(program, confined=False).stdout.split()[0] == "0"
    asked = "import ctypes; print(ctypes.CDLL(None).unshare(0x40000000 | (0x10000000 if os.getuid() else 0)))"
    if run(asked, confined=False).stdout.strip() != "0":
        pytest.skip("this kernel gives a process no network of its own")
    assert run(program).stdout.split() == ["-1", "1"]


def test_it_is_still_the_same_user_and_may_lock_and_read(run: Run, tmp_path: Path):
    (tmp_path / "known").write_text("here")
    program = """
    from filelock import FileLock
    with FileLock("lock", timeout=1):
        print(os.getuid(), os.getgid(), open("known").read())
    """
    assert run(program).stdout.split() == [str(os.getuid()), str(os.getgid()), "here"]


def test_it_cannot_take_it_back(run: Run):
    program = """
    import resource
    for kind, more in ((resource.RLIMIT_AS, 1 << 34), (resource.RLIMIT_FSIZE, 1 << 44)):
        try:
            resource.setrlimit(kind, (more, more))
        except ValueError:
            print("no")
    """
    if os.getuid() == 0:
        pytest.skip("root may raise its own limits")
    assert run(program).stdout.split() == ["no", "no"]


@pytest.mark.parametrize("name", ["inspect", "import"])
def test_the_real_command_is_confined_where_it_is_told_to_be(tmp_path: Path, name: str):
    """Its own limit on what it may write is met, so it was in force."""
    (tmp_path / "items.csv").write_text("item_id,title\n" + "".join(f"{n},{n:0200d}\n" for n in range(8_000)))
    words = (
        ["items.csv"] if name == "inspect" else ["items.csv", "--name", "shop", "--data-dir", str(tmp_path / "data")]
    )
    command = [sys.executable, "-m", "recsys", "datasets", name, *words]
    if name == "inspect":
        environment = {CONFINED: "1", "COLDLENS_MAX_MEMORY_MB": "90"}
    else:
        environment = {CONFINED: "60", "COLDLENS_MAX_WRITTEN_MB": "1", "COLDLENS_MAX_ITEMS": "100000"}
        (tmp_path / "items.csv").write_text(
            "item_id,title\n" + "".join(f"{n},{os.urandom(150).hex()}\n" for n in range(8_000))
        )
    base = {**os.environ, "PYTHONPATH": str(ROOT)}
    told = subprocess.run(command, cwd=tmp_path, env=base | environment, capture_output=True, text=True, timeout=60)
    assert told.returncode != 0
    if name == "import":
        assert told.returncode == 2
        assert "File too large" in told.stderr and "COLDLENS_MAX_WRITTEN_MB" in told.stderr, told.stderr
        assert not (tmp_path / "data" / "shop").exists()
    assert subprocess.run(command, cwd=tmp_path, env=base, capture_output=True, timeout=60).returncode == 0


def test_which_limit_has_ended_it_is_told():
    limits = Limits(cpu_seconds=7)
    told = {
        code: str(ended_by_limit(code, limits, seconds=9, by="COLDLENS_MAX_READ_SECONDS"))
        for code in (-signal.SIGALRM, -signal.SIGXCPU, -signal.SIGKILL, -signal.SIGSEGV, 0, 1, None)
    }
    assert told[-signal.SIGALRM] == (
        "Reading the file took too long: '9 s'. Give a smaller or simpler file, or raise COLDLENS_MAX_READ_SECONDS."
    )
    assert told[-signal.SIGXCPU] == (
        "Reading the file took too much time of the processor: '7 s'. Give a smaller or simpler file, or raise "
        "COLDLENS_MAX_CPU_SECONDS."
    )
    assert set(told.values()) - {told[-signal.SIGALRM], told[-signal.SIGXCPU]} == {"None"}


def test_a_question_leaves_no_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The worker unpacks an archive to look into it."""
    import tempfile
    import zipfile

    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv("COLDLENS_DATA_DIR", str(tmp_path / "data"))
    with zipfile.ZipFile(tmp_path / "shop.zip", "w") as archive:
        archive.writestr("items.csv", "item_id,title\n1,Alien\n")
    found = asking.ask(["datasets", "inspect", str(tmp_path / "shop.zip")])
    assert found["files"] == ["items.csv"]
    monkeypatch.setenv("COLDLENS_MAX_MEMORY_MB", "90")
    with pytest.raises(DataError, match="the process that tried has ended"):
        asking.ask(["datasets", "inspect", str(tmp_path / "shop.zip")])
    assert list((tmp_path / "tmp").iterdir()) == []
