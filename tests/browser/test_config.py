"""Every setting that keeps the dashboard private is in force in the running server; each test has what must fail beside it."""

import json
import socket
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from driver import ROOT, WATCHED, free_port, wait_for

CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))
SHIPPED = {
    ("server", "address"): "127.0.0.1",
    ("server", "allowedHosts"): ["localhost", "127.0.0.1"],
    ("server", "enableXsrfProtection"): True,
    ("server", "enableCORS"): True,
    ("server", "maxUploadSize"): 100,
    ("server", "maxWidgetStateSize"): 5,
    ("server", "maxCacheDataSize"): "1gb",
    ("server", "enableStaticServing"): False,
    ("server", "enableAgentApi"): False,
    ("client", "showErrorDetails"): "none",
    ("client", "showErrorLinks"): False,
    ("browser", "gatherUsageStats"): False,
    ("logger", "enableRich"): False,
}


def handshake(url: str, **headers: str) -> int:
    """Returns the status of an attempt to open the stream; 101 is success."""
    host, port = url.removeprefix("http://").split(":")
    found = {"Host": f"{host}:{port}", "Origin": url} | headers

    with socket.create_connection((host, int(port)), 5) as stream:
        lines = ["GET /_stcore/stream HTTP/1.1", "Upgrade: websocket", "Connection: Upgrade"]
        lines += ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg=="]
        lines += [f"{name}: {value}" for name, value in found.items()]
        stream.sendall("\r\n".join([*lines, "", ""]).encode())
        return int(stream.recv(100).split()[1])


def test_the_file_says_what_is_promised():
    assert {(part, name): CONFIG[part][name] for part, name in SHIPPED} == SHIPPED
    assert "secrets" not in CONFIG


def test_the_file_is_what_streamlit_goes_by():
    code = "import json, streamlit as st; print(json.dumps([st.get_option(name) for name in json.load(open(0))]))"
    names = [".".join(key) for key in SHIPPED]
    done = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(names), cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == list(SHIPPED.values())


def test_only_this_machine_can_connect(server):
    listening = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]
    port = f"{int(server.url.rsplit(':', 1)[1]):04X}"
    own = {line[1].split(":")[0] for line in listening if line[1].endswith(f":{port}") and line[3] == "0A"}
    assert own == {"0100007F"}
    six = Path("/proc/net/tcp6")
    assert not six.exists() or f":{port} " not in six.read_text("ascii")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 101),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_the_stream_opens_for_our_own_pages_alone(server, headers, status):
    assert handshake(server.url, **headers) == status


@pytest.mark.release
def test_without_our_settings_a_foreign_host_gets_in(tmp_path):
    """The control: what the tests above see comes from the settings."""
    port = free_port()
    (tmp_path / "bare.py").write_text("import streamlit\n")
    command = [sys.executable, "-m", "streamlit", "run", "bare.py", f"--server.port={port}", "--server.headless=true"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/_stcore/health")
        assert handshake(f"http://127.0.0.1:{port}", Host="evil.example", Origin="http://evil.example") == 101
    finally:
        process.kill()
        process.wait()


def test_another_site_cannot_upload(server):
    request = urllib.request.Request(f"{server.url}/_stcore/upload_file/a/b", b"x", method="PUT")
    request.add_header("Origin", "http://evil.example")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=5)
    with refused.value:
        assert refused.value.code in (400, 403)


@pytest.mark.parametrize(
    "path",
    [
        "/app/static/x",
        "/static/../app.py",
        "/..%2fapp.py",
        "/data/movielens-100k/items.parquet",
        "/.streamlit/config.toml",
    ],
)
def test_no_file_of_the_machine_is_served(server, path):
    try:
        with urllib.request.urlopen(server.url + path, timeout=5) as found:
            assert found.headers["Content-Type"].startswith("text/html")
            assert b'<div id="root">' in found.read()  # the empty page of Streamlit, whatever the address
    except urllib.error.HTTPError as error:
        with error:
            assert error.code in (400, 403, 404)


def test_whoever_dials_is_written_down(tmp_path):
    """The control of the fixture that asserts that the dashboard and its jobs dial nobody."""
    environment = {"PYTHONPATH": str(WATCHED), "DIALLED": str(tmp_path / "dialled")}
    code = """
import socket
for address in [("127.0.0.1", 9), ("::1", 9), ("192.0.2.1", 9), ("somewhere.invalid", 9)]:
    try:
        socket.create_connection(address, 0.01)
    except OSError:
        pass
"""
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    hosts = [line.split()[1] for line in (tmp_path / "dialled").read_text("utf-8").splitlines()]
    assert set(hosts) == {"192.0.2.1", "somewhere.invalid"}
