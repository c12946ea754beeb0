# SPDX-License-Identifier: Apache-2.0
"""Hosts on one bridge, as network namespaces of this machine, with links that can be cut."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PREFIX = "10.213.47"


class Host:
    """A network namespace with one link to the bridge and its own loopback."""

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.address = f"{PREFIX}.{number}"
        self._outside = f"{name}o"
        for line in (
            f"netns add {name}",
            f"link add {self._outside} type veth peer name eth0 netns {name}",
            f"link set {self._outside} master {bridge()} up",
            f"-n {name} addr add {self.address}/24 dev eth0",
            f"-n {name} link set eth0 up",
            f"-n {name} link set lo up",
        ):
            _ip(line)

    def command(self, *command: object) -> list[str]:
        """A command line that runs in this host."""
        return ["ip", "netns", "exec", self.name, *map(str, command)]

    def cut(self) -> None:
        """Drop all packets in both directions, without any notice to the other side."""
        _ip(f"link set {self._outside} down")

    def mend(self) -> None:
        """Restore the link."""
        _ip(f"link set {self._outside} up")

    def end(self) -> None:
        """Remove the host."""
        _ip(f"netns del {self.name}")


def bridge() -> str:
    """The name of this run's bridge."""
    return f"bz{os.getpid()}"


@contextmanager
def hosts_apart(count: int) -> Iterator[tuple[str, list[Host]]]:
    """The bridge's address on this machine, and `count` hosts; skips the test if namespaces cannot be made."""
    if not shutil.which("ip") or os.geteuid() != 0 or not Path("/var/run").exists():
        pytest.skip("needs root and iproute2 for network namespaces")
    made = subprocess.run(["ip", "link", "add", bridge(), "type", "bridge"], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"needs network namespaces: {made.stderr.strip()}")
    hosts: list[Host] = []
    try:
        _ip(f"addr add {PREFIX}.1/24 dev {bridge()}")
        _ip(f"link set {bridge()} up")
        for number in range(count):
            host = Host(f"{bridge()}h{number}", 10 + number)
            hosts.append(host)
        yield f"{PREFIX}.1", hosts
    finally:
        for host in hosts:
            host.end()
        _ip(f"link del {bridge()}")


def _ip(arguments: str) -> None:
    subprocess.run(["ip", *arguments.split()], check=True, capture_output=True)
