# SPDX-License-Identifier: Apache-2.0
"""A box in QEMU, started from its firmware: a disk that survives power cuts, network, console and memory sticks."""

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from tests.builders.serving import free_port

Found = TypeVar("Found")
# Its clock counts instructions, four nanoseconds each, so that no timeout ends too early on a busy machine.
# BLUEZONE_TEST_ACCELERATION="-accel kvm" is faster if the firmware runs under KVM.
ACCELERATION = os.environ.get("BLUEZONE_TEST_ACCELERATION", "-accel tcg,thread=single -icount shift=2").split()
# The address of this machine in QEMU's network.
HOST = "10.0.2.2"
# An emulated machine is slow, and slower still next to other work.
LONGEST_SECONDS = 3600
MACHINES = {
    "amd64": ("qemu-system-x86_64", "q35", "max", "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    "arm64": (
        # The processor of a Raspberry Pi 4. One that signs return addresses takes twice as long.
        "qemu-system-aarch64", "virt", "cortex-a72",
        "/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd",
    ),
}  # fmt: skip
CONSOLES = {"amd64": "ttyS0", "arm64": "ttyAMA0"}
# In addition to the options of the image: the journal also goes to the serial console, which the test reads.
OPTIONS = "loglevel=6 random.trust_cpu=on systemd.journald.forward_to_console=1 console={}"


def image_of(architecture: str) -> Path:
    """The image that was built; skips the test if the image, QEMU or a tool is missing."""
    folder = os.environ.get("BLUEZONE_TEST_BOX")
    if not folder:
        pytest.skip("needs BLUEZONE_TEST_BOX, the folder of the image: make test-appliance-image")
    program, _, _, code, _ = MACHINES[architecture]
    for name in (program, "sfdisk", "debugfs", "mcopy", "mkfs.vfat"):
        if shutil.which(name) is None:
            pytest.skip(f"needs {name}")
    image = Path(folder) / f"bluezone-box-{architecture}.img"
    for path in (Path(code), image):
        if not path.exists():
            pytest.skip(f"needs {path}")
    return image


class Emulated:
    """A machine with a copy of the image as its disk, and these update keys.

    setup, tablets: ports of this machine that are forwarded to its page and to its gate.
    """

    def __init__(self, image: Path, architecture: str, folder: Path, update_keys: str, options: str = "") -> None:
        self.folder = folder
        self.disk = folder / "disk"
        self.architecture = architecture
        run("cp", "--sparse=always", image, self.disk)
        boot, root, _ = json.loads(run("sfdisk", "--json", self.disk))["partitiontable"]["partitions"]
        self._boot = f"{self.disk}@@{boot['start'] * 512}"
        self._root = f"{self.disk}?offset={root['start'] * 512}"
        entry = folder / "entry"
        place = "::/loader/entries/bluezone.conf"
        own = run("mtype", "-i", self._boot, place).rstrip()
        entry.write_text(f"{own} {OPTIONS.format(CONSOLES[architecture])} {options}\n")
        run("mcopy", "-o", "-i", self._boot, entry, place)
        (folder / "keys").write_text(update_keys)
        run("debugfs", "-w", "-R", f"write {folder / 'keys'} /etc/bluezone/update.keys", self._root)
        shutil.copy(MACHINES[architecture][4], folder / "vars.fd")
        self.setup = free_port()
        self.tablets = free_port()
        self.console = folder / "console"
        self.console.touch()

    def release(self) -> dict[str, Any]:
        """The version in the image."""
        release: dict[str, Any] = json.loads(run("debugfs", "-R", "cat /usr/lib/bluezone/release.json", self._root))
        return release

    def switch_on(self) -> None:
        """Start the machine."""
        program, machine, processor, code, _ = MACHINES[self.architecture]
        forwarded = f"hostfwd=tcp:127.0.0.1:{self.setup}-:8019,hostfwd=tcp:127.0.0.1:{self.tablets}-:8018"
        self.began = time.monotonic()
        self._monitor: Any = []
        self._events: list[dict[str, Any]] = []
        self.machine = subprocess.Popen(
            [
                program, "-machine", machine, *ACCELERATION, "-cpu", processor, "-m", "1G", "-display", "none",
                "-no-reboot", "-qmp", f"unix:{self.folder / 'qmp'},server=on,wait=off",
                "-chardev", f"file,id=c,path={self.console},append=on", "-serial", "chardev:c",
                "-drive", f"if=pflash,format=raw,readonly=on,file={code}",
                "-drive", f"if=pflash,format=raw,file={self.folder / 'vars.fd'}",
                "-drive", f"if=virtio,format=raw,file={self.disk}", "-device", "virtio-rng-pci",
                "-netdev", f"user,id=n,{forwarded}", "-device", "virtio-net-pci,netdev=n",
                "-object", f"filter-dump,id=wire,netdev=n,file={self.folder / 'wire'}",
                "-device", "qemu-xhci,id=usb",
            ],
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        self._monitor = self.until(self._connected)
        self._order("qmp_capabilities")

    def _connected(self) -> Any:
        channel = socket.socket(socket.AF_UNIX)
        try:
            channel.connect(str(self.folder / "qmp"))
        except OSError:
            channel.close()
            return None
        return channel.makefile("rw")

    def _order(self, execute: str, **arguments: Any) -> None:
        print(json.dumps({"execute": execute, "arguments": arguments}), file=self._monitor, flush=True)
        for line in self._monitor:
            answer = json.loads(line)
            if "return" in answer:
                return
            assert "error" not in answer, answer
            self._events.append(answer)

    def put_in_stick(self, name: str, *files: Path) -> None:
        """Insert a memory stick of 64 MB with these files."""
        stick = self.folder / name
        with stick.open("wb") as empty:
            empty.truncate(64 << 20)
        run("mkfs.vfat", stick)
        run("mcopy", "-i", stick, *files, "::")
        file = {"driver": "file", "filename": str(stick)}
        self._order("blockdev-add", **{"driver": "raw", "node-name": name, "file": file})
        self._order("device_add", driver="usb-storage", bus="usb.0", drive=name, id=f"{name}-stick", removable=True)

    def cut_power(self) -> None:
        """Kill the machine, as when the plug is pulled."""
        self.machine.kill()
        self.machine.wait()

    def until(self, look: Callable[[], Found | None]) -> Found:
        """Call `look` until it returns a true value, and return this value. Fails if the machine ends."""
        while True:
            result = look()
            if result:
                return result
            tail = "\n".join(self.console.read_text(errors="replace").splitlines()[-60:])
            if self.machine.poll() is not None:
                raise AssertionError(f"the machine ended: {self.ended()}\n{tail}")
            assert time.monotonic() - self.began < LONGEST_SECONDS, tail
            time.sleep(0.5)

    def ended(self) -> str:
        """QEMU's events on the end of the machine."""
        return json.dumps(self._events + [json.loads(line) for line in self._monitor])

    def seconds(self) -> float:
        """Seconds since power-on."""
        return time.monotonic() - self.began

    def ask(
        self, port: int, method: str, path: str, body: str | None = None, **headers: str
    ) -> tuple[int, bytes] | None:
        """Status and body of an answer; None if there is no answer."""
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return None

    def says_its_name(self) -> bool:
        """Whether the box has announced its name by multicast DNS since it was last switched on."""
        labels = b"".join(bytes([len(label)]) + label for label in (b"bluezone-box", b"local"))
        packets = (self.folder / "wire").read_bytes().split(socket.inet_aton("224.0.0.251"))
        return any(labels in packet for packet in packets[1:])

    def heard(self, pattern: str) -> int:
        """How often the pattern occurs on the console, since the first power-on."""
        return len(re.findall(pattern, self.console.read_text(errors="replace")))


def run(*command: object, check: bool = True) -> str:
    """Run a command; returns its output. Raises AssertionError if it fails, unless `check` is false."""
    result = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, timeout=600)
    assert not check or result.returncode == 0, result.stdout + result.stderr
    return result.stdout
