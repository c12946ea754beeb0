# SPDX-License-Identifier: Apache-2.0
"""A message centre in a separate process: the npm package `smpp`, which shares no code with ours."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest
from tests.builders.serving import free_port

from bluezone.messaging.sms.providers import Smsc

FOLDER = Path(__file__).with_name("smsc")
SYSTEM_ID, PASSWORD, SENDER = "bluezone", "secret", "BACKAN"


def modules() -> Path:
    """The folder with the package, installed once on this machine; skips the test if it cannot be installed."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("needs node and npm: tools/test-packages.sh installs them")
    digest = hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bluezone-tests" / f"smsc-{digest}"
    if not (cache / "node_modules" / "smpp").is_dir():
        cache.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=cache.parent))
        for name in ("package.json", "package-lock.json"):
            shutil.copy(FOLDER / name, aside)
        ran = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=aside, capture_output=True, timeout=120
        )
        if ran.returncode:
            shutil.rmtree(aside)
            pytest.skip("needs the npm package smpp 0.5.1, and the npm registry does not answer")
        try:
            aside.rename(cache)
        except OSError:
            shutil.rmtree(aside)  # another test process was quicker
    return cache / "node_modules"


class Centre:
    """A message centre that can be killed and started again with its log. Use as context manager."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.log = folder / "smsc.log"
        self._modules = modules()
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> "Centre":
        self.start()
        return self

    def __exit__(self, *_) -> None:
        self.kill()

    def start(self, **ways) -> None:
        self._process = subprocess.Popen(
            ["node", FOLDER / "smsc.js", str(self.port), self.log],
            env={**os.environ, "NODE_PATH": str(self._modules)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout.readline() == "listening\n"
        if ways:
            self.change(**ways)

    def change(self, **ways) -> None:
        """Change its behaviour; smsc.js lists the options."""
        self._process.stdin.write(json.dumps(ways) + "\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "changed\n"

    def kill(self) -> None:
        """Kill it, as a power cut does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process.stdin.close()
            self._process.stdout.close()
            self._process = None

    def address(self, **more) -> str:
        """The value of BLUEZONE_SMS_URL."""
        query = "&".join(f"{name}={value}" for name, value in {"from": SENDER, **more}.items())
        return f"smpp://{SYSTEM_ID}:{PASSWORD}@127.0.0.1:{self.port}?{query}"

    def smsc(self, **changes) -> Smsc:
        """The address as our provider takes it."""
        values = {"rate": 10_000, "window": 20, **changes}
        return Smsc(**{"host": "127.0.0.1", "port": self.port, "tls": False, "system_id": SYSTEM_ID,
                       "password": PASSWORD, "sender": SENDER, **values})  # fmt: skip

    def lines(self) -> list[dict]:
        """Everything in its log."""
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def count(self) -> int:
        """The number of accepted submits, without parsing them."""
        return self.log.read_bytes().count(b'{"id"') if self.log.exists() else 0

    @property
    def taken(self) -> list[dict]:
        """Every accepted submit, in order."""
        return [line for line in self.lines() if "id" in line]


def join_parts(taken: list[dict]) -> dict[str, list[str]]:
    """The texts that a phone would show, by number: parts are joined by their headers."""
    texts: dict[str, list[str]] = {}
    pieces: dict[tuple, dict[int, str]] = {}
    for submit in taken:
        if submit["udh"] is None:
            texts.setdefault(submit["to"], []).append(submit["text"])
            continue
        _kind, _length, group, count, number = submit["udh"]
        parts = pieces.setdefault((submit["to"], group, count), {})
        parts[number] = submit["text"]
        if len(parts) == count:
            texts.setdefault(submit["to"], []).append("".join(parts[number] for number in sorted(parts)))
    return texts
