# SPDX-License-Identifier: Apache-2.0
"""Other servers of the same files on this machine: nginx, and a few lines of Go."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# Keep-alive without end, as Bluezone has it; everything else is nginx's default or makes it quicker.
_NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ }}
http {{
    access_log off; sendfile on; tcp_nopush on; keepalive_requests 10000000;
    types {{ application/json json; application/zip zip; }}
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; root {files}; }}
}}
"""
_PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Peer:
    """A server that runs. rows: the requests that it answers as Bluezone does."""

    name: str
    port: int
    process: int
    rows: frozenset[str]


def nginx_version() -> str | None:
    """nginx and its version; None if it is not installed."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        return None
    return subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stderr.split("/")[-1].split()[0]


def go_version() -> str | None:
    """The version of Go; None if it is not installed."""
    if shutil.which("go") is None:
        return None
    version = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=True).stdout
    return version.strip().removeprefix("go")


@contextmanager
def nginx(files: Path, folder: Path) -> Iterator[Peer]:
    """nginx on a free port, one process. files: the folder that it serves; folder: empty, for its own files."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = folder / "nginx.conf"
    settings.write_text(_NGINX.format(folder=folder, files=files, port=port))
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    process = subprocess.Popen([str(program), "-e", str(folder / "error.log"), "-c", str(settings)])
    try:
        _wait_for(port, process)
        yield Peer("nginx", port, process.pid, frozenset({"index", "config", "export", "unknown"}))
    finally:
        process.terminate()
        process.wait()


@contextmanager
def go_server(files: Path, folder: Path) -> Iterator[Peer]:
    """The server in server.go, built into `folder`."""
    program = folder / "server"
    subprocess.run(["go", "build", "-o", program, Path(__file__).with_name("server.go")], check=True)
    process = subprocess.Popen([program, files], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        port = int(process.stdout.readline())
        rows = frozenset({"index", "config", "export", "unknown", "health", "upload"})
        yield Peer("Go", port, process.pid, rows)
    finally:
        process.kill()
        process.communicate()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise RuntimeError("nginx does not listen")
