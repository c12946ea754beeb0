# SPDX-License-Identifier: Apache-2.0
"""The package under a real systemd: a Debian booted in a container, whose units start, restart and are upgraded."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.builders.machines import process_tree
from tests.ship.conftest import bash

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]

# The system is without a network, so what the package depends on is there before.
PACKAGES = (
    "adduser,ca-certificates,dbus,debconf,init-system-helpers,procps,python3,systemd,systemd-sysv,"
    "libpango-1.0-0,libpangoft2-1.0-0,libharfbuzz-subset0,libfontconfig1"
)
RELEASES = {"bookworm": "deb12", "trixie": "deb13"}
PAGES = {"public": "http://127.0.0.1:8000/", "health": "http://127.0.0.1:8000/v1/health",
         "office": "http://127.0.0.1:8001/sign-in/"}  # fmt: skip
ASK = """import sys, urllib.request
with urllib.request.urlopen(sys.argv[1], timeout=60) as answer:
    print(answer.status, answer.read().decode())"""
DEADLINE_SECONDS = 600.0


class Booted:
    """A Debian of one release that its own systemd has started, with a network of its own."""

    def __init__(self, suite: str, package: Path, folder: Path) -> None:
        bash('make_root "$1" "$ship_folder/$1-booted" "$2"; lend_settings "$ship_folder/$1-booted"', suite, PACKAGES)
        root = bash('printf %s "$ship_folder/$1-booted"', suite)
        self.package = package
        self._folder = folder
        self._root = folder / "root"
        for name in ("upper", "work", "root"):
            (folder / name).mkdir(parents=True)
        layers = f"lowerdir={root},upperdir={folder / 'upper'},workdir={folder / 'work'}"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, self._root], check=True)
        shutil.copy(package, self._root / "package.deb")

    def boot(self) -> None:
        """Start it, and wait until its systemd answers."""
        command = [
            "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--console=pipe", "--boot", "--timezone=off",
            "--resolv-conf=off", "--machine=bluezone-city", f"--directory={self._root}",
        ]  # fmt: skip
        self._nspawn = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", 'ip link set lo up; exec "$@"', "sh", *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=(self._folder / "nspawn").open("w"),
            env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
        )  # fmt: skip
        self.until(self._is_up)

    def inside(self, *command: str, expected: int | None = 0) -> str:
        """What a command prints in it. expected: its exit code, or None for any."""
        enter = ["nsenter", f"--target={self._first()}", "--mount", "--pid", "--uts", "--ipc", "--net", "--root",
                 "--wd", "env", "DEBIAN_FRONTEND=noninteractive", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]  # fmt: skip
        done = subprocess.run([*enter, *command], capture_output=True, text=True, timeout=900)
        assert expected in (None, done.returncode), done.stdout + done.stderr
        return done.stdout + done.stderr

    def install(self) -> str:
        """Install the package, or install it again as an upgrade does."""
        return self.inside("dpkg", "--install", "/package.deb")

    def answers(self) -> dict[str, str]:
        """Status and text of each page; empty where nothing answers yet."""
        return {name: self.inside("/usr/bin/python3", "-c", ASK, page, expected=None) for name, page in PAGES.items()}

    def is_serving(self) -> bool:
        """Whether all pages are answered with 200."""
        return all(answer.startswith("200 ") for answer in self.answers().values())

    def state(self, unit: str) -> dict[str, str]:
        """What systemd shows of a unit."""
        names = "ActiveState,SubState,MainPID,NRestarts,Result"
        lines = self.inside("systemctl", "show", f"--property={names}", unit).splitlines()
        return dict(line.split("=", 1) for line in lines)

    def until(self, what) -> None:
        """Wait until `what` returns true."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not what():
            assert time.monotonic() < deadline, self._log()
            time.sleep(0.5)

    def end(self) -> None:
        """Stop it, and remove the layers."""
        if self._nspawn.poll() is None:
            self._nspawn.terminate()
            self._nspawn.wait(120)
        subprocess.run(["umount", "--lazy", self._root], check=True)

    def _is_up(self) -> bool:
        assert self._nspawn.poll() is None, (self._folder / "nspawn").read_text()
        if not self._first():
            return False
        return self.inside("systemctl", "is-system-running", expected=None).strip() in ("running", "degraded")

    def _first(self) -> int:
        """Its first process, or 0 before there is one."""
        for pid in process_tree(self._nspawn.pid):
            if Path(f"/proc/{pid}/cmdline").read_bytes().startswith((b"/usr/lib/systemd/systemd", b"/sbin/init")):
                return pid
        return 0

    def _log(self) -> str:
        return self.inside("journalctl", "--no-pager", "--lines=60", expected=None)


@pytest.fixture(params=RELEASES)
def booted(request, shipped, tmp_path):
    for name in ("systemd-nspawn", "nsenter"):
        if shutil.which(name) is None:
            pytest.skip(f"needs {name}, of the Debian package systemd-container")
    (package,) = shipped.glob(f"bluezone_*+{RELEASES[request.param]}_*.deb")
    system = Booted(request.param, package, tmp_path / "booted")
    system.boot()
    yield system
    system.end()


def test_systemd_starts_restarts_and_stops_what_the_package_installs(booted, capsys):
    booted.inside("sh", "-c", "echo 'bluezone bluezone/hotline string 0209 3870 000' | debconf-set-selections")
    started_at = time.monotonic()
    booted.install()
    booted.until(booted.is_serving)
    first_page = time.monotonic() - started_at
    health = json.loads(booted.answers()["health"].partition(" ")[2])
    assert health["failing"] == []
    first = booted.state("bluezone")
    assert (first["ActiveState"], first["SubState"], first["NRestarts"]) == ("active", "running", "0")

    booted.inside("systemctl", "reload", "bluezone")
    booted.inside("systemctl", "restart", "bluezone")
    booted.until(booted.is_serving)
    second = booted.state("bluezone")
    assert second["MainPID"] != first["MainPID"]

    # A server that is killed comes back by Restart=.
    booted.inside("systemctl", "kill", "--signal=KILL", "bluezone")
    booted.until(lambda: booted.state("bluezone")["NRestarts"] == "1" and booted.is_serving())

    # An upgrade restarts what ran.
    third = booted.state("bluezone")
    booted.install()
    booted.until(booted.is_serving)
    assert booted.state("bluezone")["MainPID"] != third["MainPID"]

    booted.inside("systemctl", "stop", "bluezone")
    assert booted.state("bluezone")["Result"] == "success"
    booted.inside("systemctl", "start", "bluezone-signer", "bluezone")
    booted.until(booted.is_serving)
    assert booted.state("bluezone-signer")["ActiveState"] == "active"

    booted.inside("dpkg", "--remove", "bluezone")
    assert booted.state("bluezone")["ActiveState"] == "inactive"
    assert not booted.is_serving()
    booted.inside("test", "-e", "/var/lib/bluezone/city.toml")
    with capsys.disabled():
        sys.stderr.write(f"\n{booted.package.name}: first page {first_page:.0f} s after dpkg began\n")
