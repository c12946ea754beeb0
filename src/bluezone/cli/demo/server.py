# SPDX-License-Identifier: Apache-2.0
"""A real `bluezone serve` for the demo, in its own process and data folder."""

import base64
import json
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import deque
from datetime import date
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bluezone.refusal import Refused

# A machine of two cores that does other work too takes 40 s for the migrations and keys of a new folder.
START_SECONDS = 120.0


class DemoServerFailed(Refused):
    """The server of the demo did not start, or one of its commands failed."""

    code = "demo_server_failed"


def free_port(preferred: int | None = None) -> int:
    """Return `preferred` if nothing listens there, else a port the system picks."""
    for port in filter(None, (preferred, 0) if preferred else (0,)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _bluezone(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from bluezone.cli.main import main; main()", *arguments]


class DemoServer:
    """Start on entering, stop on leaving; what it printed is kept for the case that it fails."""

    def __init__(self, data: Path, *, fixed_ports: bool) -> None:
        self.data = data
        self.public_port = free_port(8000 if fixed_ports else None)
        self.office_port = free_port(8001 if fixed_ports else None)
        self.public_url = f"http://127.0.0.1:{self.public_port}"
        self.office_url = f"http://127.0.0.1:{self.office_port}"
        self.first_admin_link: str | None = None
        self.printed: deque[str] = deque(maxlen=200)
        self._ready = threading.Event()
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "DemoServer":
        command = _bluezone(
            "serve", "--data", str(self.data), "--host", "127.0.0.1",
            "--public-port", str(self.public_port), "--office-port", str(self.office_port),
        )  # fmt: skip
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        threading.Thread(target=self._read, daemon=True).start()
        deadline = time.monotonic() + START_SECONDS
        while not self._ready.wait(0.1):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise DemoServerFailed("the server did not become ready:\n" + "\n".join(self.printed))
        return self

    def __exit__(self, *exception: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.printed.append(line.rstrip())
            if line.startswith("first administrator"):
                self.first_admin_link = line.split(": ", 1)[1].strip()
            if line.startswith("ready"):
                self._ready.set()

    def public_key(self) -> str:
        """The city's public key, 64 hex digits: what a phone is given at set-up."""
        pem = (self.data / "keys" / "signing-ed25519.pem").read_bytes()
        key = load_pem_private_key(pem, None)
        assert isinstance(key, Ed25519PrivateKey)
        return key.public_key().public_bytes_raw().hex()

    def wait_for_export(self, after: int, seconds: float) -> None:
        """Wait until the index lists a file numbered above `after`. Raises DemoServerFailed when none comes."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with urllib.request.urlopen(f"{self.public_url}/v1/exports/index.json", timeout=10) as response:
                signed = json.load(response)
            if json.loads(base64.b64decode(signed["payload"]))["number"] > after:
                return
            time.sleep(0.2)
        raise DemoServerFailed(f"no export file above number {after} within {seconds:.0f} s")

    def plant_office(self) -> tuple[str, str]:
        """Put the office to work: the document under way there, and the one-time link of who issues codes."""
        command = _bluezone("manage", "--data", str(self.data), "plant_demo")
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise DemoServerFailed(f"plant_demo ended with {done.returncode}: {done.stderr.strip()}")
        document, token = done.stdout.split("\n")[:2]
        return document, f"{(self.first_admin_link or self.office_url + '/start/').split('/start/')[0]}/start/{token}/"

    def issue_code(self, klass: str, onset: date) -> str:
        """Have a code issued on the real path: the command line a health worker's machine has too."""
        command = _bluezone(
            "codes", "issue", "--data", str(self.data), "--class", klass, "--onset", onset.isoformat(), "--json"
        )
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise DemoServerFailed(f"codes issue ended with {done.returncode}: {done.stderr.strip()}")
        issued: dict[str, Any] = json.loads(done.stdout)
        return str(issued["code"])
