# SPDX-License-Identifier: Apache-2.0
"""The image of a box boots under QEMU by UEFI, is connected through its page, and comes back after a power cut.

`make appliance-image test-appliance-image`. The office is a real `serve` on this machine.
BLUEZONE_TEST_ACCELERATION=kvm makes it quicker where the firmware runs under KVM; not every virtual machine lets it.
"""

import base64
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.builders.appliances import KEY, update
from tests.builders.canvassing import ask
from tests.builders.serving import BLUEZONE, free_port, serving
from tests.builders.stores import HOTLINE, prepared_store

from bluezone.city import write_default

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]
REPOSITORY = Path(__file__).parents[2]
FIRMWARE = Path("/usr/share/OVMF")
ACCELERATION = os.environ.get("BLUEZONE_TEST_ACCELERATION", "tcg,thread=multi")
# What QEMU calls the machine that it runs on.
HOST = "10.0.2.2"
SETUP = """
import base64
from django.utils import timezone
from tests.builders.devices import agency, device
from bluezone.devices.views import ticket_of
found, code = device(agency(), "gate", "Hộp cổng", now=timezone.now())
print("TICKET", base64.b64encode(ticket_of(found, code, ORIGIN).file()).decode())
"""


@pytest.fixture
def image():
    folder = os.environ.get("BLUEZONE_TEST_BOX")
    if not folder:
        pytest.skip("needs BLUEZONE_TEST_BOX, the folder of the image: make test-appliance-image")
    for name in ("qemu-system-x86_64", "qemu-img"):
        if shutil.which(name) is None:
            pytest.skip(f"needs {name}")
    if not (FIRMWARE / "OVMF_CODE_4M.fd").exists():
        pytest.skip("needs the package ovmf")
    return Path(folder) / "bluezone-box-amd64.img"


class Box:
    """A machine with a disk that outlives its power. setup, tablets: ports of this machine that lead to its own."""

    def __init__(self, image, folder):
        self.folder, self.disk = folder, folder / "disk.qcow2"
        subprocess.run(
            ["qemu-img", "create", "-q", "-f", "qcow2", "-b", image.resolve(), "-F", "raw", self.disk], check=True
        )
        shutil.copy(FIRMWARE / "OVMF_VARS_4M.fd", folder / "vars.fd")
        self.setup, self.tablets = free_port(), free_port()

    def switch_on(self):
        forwarded = f"hostfwd=tcp:127.0.0.1:{self.setup}-:8019,hostfwd=tcp:127.0.0.1:{self.tablets}-:8018"
        self.began = time.monotonic()
        self.machine = subprocess.Popen(
            [
                "qemu-system-x86_64", "-machine", "q35", "-accel", ACCELERATION, "-cpu", "max", "-m", "1G",
                "-smp", "2", "-display", "none", "-no-reboot", "-serial", f"file:{self.folder / 'console'}",
                "-drive", f"if=pflash,format=raw,readonly=on,file={FIRMWARE / 'OVMF_CODE_4M.fd'}",
                "-drive", f"if=pflash,format=raw,file={self.folder / 'vars.fd'}",
                "-drive", f"if=virtio,format=qcow2,file={self.disk}",
                "-netdev", f"user,id=n,{forwarded}", "-device", "virtio-net-pci,netdev=n",
            ],
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def cut_power(self):
        self.machine.send_signal(signal.SIGKILL)
        self.machine.wait()

    def answers(self, port, method, path, body=None, seconds=900, **headers):
        """The first answer that comes, and how long after power-on."""
        while True:
            assert self.machine.poll() is None, "the machine ended"
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                return answer.status, answer.read(), time.monotonic() - self.began
            except (OSError, http.client.HTTPException):
                assert time.monotonic() - self.began < seconds, (self.folder / "console").read_text(errors="replace")
                time.sleep(0.5)


@pytest.fixture
def office(tmp_path):
    port, data = free_port(), tmp_path / "data"
    write_default(data, name_vi="Bắc Kạn", name_en="Bac Kan", hotline=HOTLINE, public_host=f"{HOST}:{port}")
    prepared_store(data)
    with serving(data, "--public-port", str(port)) as served:
        yield served, f"http://{HOST}:{port}"


def test_the_image_boots_is_connected_through_its_page_and_comes_back_after_a_power_cut(image, office, tmp_path):
    served, origin = office
    made = subprocess.run(
        [BLUEZONE, "manage", "--data", served.data, "shell", "-c", SETUP.replace("ORIGIN", repr(origin))],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    ticket = base64.b64decode(re.search(r"TICKET (\S+)", made.stdout)[1]).decode()
    box = Box(image, tmp_path)
    box.switch_on()
    try:
        status, page, seconds = box.answers(box.setup, "GET", "/")
        assert (status, b"setup.js" in page) == (200, True)
        print(f"\nthe setup page answers {seconds:.0f} s after power-on", end="")  # noqa: T201 - a stopwatch
        own = {"Origin": f"http://127.0.0.1:{box.setup}", "Content-Type": "application/json"}
        status, said, _ = box.answers(box.setup, "POST", "/ticket", json.dumps({"ticket": ticket}), **own)
        assert (status, json.loads(said)["name"]) == (200, "Hộp cổng")
        # What no tablet of this gate has asked is refused, by a gate that runs.
        status, _, connected = box.answers(box.tablets, "POST", "/box", "{}")
        assert status == 403
        assert ask(served.data, "select count(*) from devices_device where token_digest is not null") == [(1,)]
        print(f"\nthe gate answers its tablets {connected - seconds:.0f} s after its ticket", end="")  # noqa: T201
        box.cut_power()
        box.switch_on()
        status, _, seconds = box.answers(box.tablets, "POST", "/box", "{}")
        assert status == 403
        print(f"\nafter a power cut: {seconds:.0f} s after power-on, without anybody")  # noqa: T201
    finally:
        box.cut_power()


class Container:
    """The image's own system, started by its own systemd in a container: what needs no machine is tried at full speed.

    In a network of its own, in which the office runs too. boot: the partition that every computer can write.
    """

    def __init__(self, image, folder):
        self.folder, self.boot, self._mounted = folder, folder / "boot", []
        self.boot.mkdir()
        parts = json.loads(_said("sfdisk", "--json", image))["partitiontable"]["partitions"]
        for name, part in zip(("root", "var"), parts[1:], strict=True):
            where = f"offset={part['start'] * 512},sizelimit={part['size'] * 512}"
            (folder / name).mkdir()
            _said("mount", "-o", f"loop,ro,noload,{where}", image, folder / name)
            self._mounted.append(folder / name)
        for name in ("upper", "work", "data"):
            (folder / name).mkdir()
        layers = f"lowerdir={folder / 'var'},upperdir={folder / 'upper'},workdir={folder / 'work'}"
        _said("mount", "-t", "overlay", "overlay", "-o", layers, folder / "data")
        self._mounted.append(folder / "data")
        self._network = subprocess.Popen(["unshare", "--net", "sh", "-c", "ip link set lo up; exec sleep infinity"])

    def switch_on(self):
        self.began = time.monotonic()
        self._nspawn = subprocess.Popen(
            self.beside(
                "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--read-only", "--console=pipe", "--boot",
                "--timezone=off", "--resolv-conf=off", "--machine=bluezone-box", f"--directory={self.folder / 'root'}",
                f"--bind={self.folder / 'data'}:/var", f"--bind={self.boot}:/boot",
            ),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=(self.folder / "nspawn").open("w"),
            env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
        )  # fmt: skip

    def beside(self, *command):
        """A command in the box's network, outside of it."""
        return ["nsenter", f"--net=/proc/{self._network.pid}/ns/net", *map(str, command)]

    def inside(self, *command, check=True):
        """What a command in the box said."""
        first = self._first()
        enter = ("nsenter", f"--target={first}", "--mount", "--pid", "--uts", "--ipc", "--net", "--root", "--wd")
        return _said(*enter, *command, check=check)

    def _first(self):
        """The box's first process: the child of nspawn's that runs systemd."""
        for child in self._children(self._nspawn.pid):
            if Path(f"/proc/{child}/cmdline").read_bytes().startswith((b"/usr/lib/systemd/systemd", b"/sbin/init")):
                return child
        raise AssertionError((self.folder / "nspawn").read_text())

    def _children(self, process):
        found = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        return [one for child in found for one in (child, *self._children(child))]

    def ask(self, *request):
        """Status and body of a request in the box's network; None where nobody answers."""
        script = (
            "import http.client, sys; port, method, path, body, origin = sys.argv[1:];"
            "c = http.client.HTTPConnection('127.0.0.1', int(port), timeout=60);"
            "c.request(method, path, body or None, {'Origin': origin, 'Content-Type': 'application/json'});"
            "a = c.getresponse(); print(a.status); print(a.read().decode())"
        )
        ran = subprocess.run(
            self.beside(sys.executable, "-c", script, *request), capture_output=True, text=True, check=False
        )
        status, _, body = ran.stdout.partition("\n")
        return (int(status), body) if ran.returncode == 0 else None

    def until(self, *request, status=200):
        """How long after power-on a request is answered so."""
        while (found := self.ask(*request)) is None or found[0] != status:
            assert time.monotonic() - self.began < 900, (found, self.log())
            time.sleep(0.5)
        return time.monotonic() - self.began

    def log(self):
        return self.inside("journalctl", "--no-pager", "--lines=80", check=False)

    def cut_power(self):
        os.kill(int(self._first()), signal.SIGKILL)
        self._nspawn.wait(60)

    def close(self):
        if self._nspawn.poll() is None:
            self.cut_power()
        self._network.kill()
        self._network.wait()
        for place in reversed(self._mounted):
            subprocess.run(["umount", "--lazy", place], check=False)


def _tries(folder):
    """How often versions were begun with; {} before the first."""
    path = folder / "tries.json"
    return json.loads(path.read_text()) if path.exists() else {}


def _said(*command, check=True):
    ran = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, timeout=600)
    assert not check or ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture
def container(image, tmp_path):
    for name in ("systemd-nspawn", "nsenter"):
        if shutil.which(name) is None:
            pytest.skip(f"needs {name}")
    if os.geteuid() != 0:
        pytest.skip("needs root: it mounts the image")
    folder = tmp_path / "box"
    folder.mkdir()
    found = Container(image, folder)
    yield found
    found.close()


BOX = ("8018", "POST", "/box", "{}", "http://x")


def test_the_services_of_the_image_are_connected_cut_off_updated_and_roll_back(container, tmp_path):
    data, port = tmp_path / "data", free_port()
    prepared_store(data)
    serve = container.beside(BLUEZONE, "serve", "--data", data, "--hotline", HOTLINE, "--public-port", str(port))
    container.switch_on()
    office = subprocess.Popen(serve, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    try:
        assert any(line.startswith("ready") for line in office.stderr)
        threading.Thread(target=office.stderr.read, daemon=True).start()
        made = _said(
            "env", f"PYTHONPATH={REPOSITORY}", BLUEZONE, "manage", "--data", data, "shell", "-c",
            SETUP.replace("ORIGIN", repr(f"http://localhost:{port}")),
        )  # fmt: skip
        ticket = base64.b64decode(re.search(r"TICKET (\S+)", made)[1]).decode()
        page = container.until("8019", "GET", "/", "", "")
        print(f"\nthe setup page answers {page:.0f} s after power-on", end="")  # noqa: T201 - a stopwatch
        given = container.ask("8019", "POST", "/ticket", json.dumps({"ticket": ticket}), "http://127.0.0.1:8019")
        assert given[0] == 200
        # A question of no tablet of this gate is refused, by a gate that runs.
        print(f"\nthe gate answers at {container.until(*BOX, status=403):.0f} s", end="")  # noqa: T201
        assert ask(data, "select count(*) from devices_device where token_digest is not null") == [(1,)]
        assert "/usr/lib/bluezone" in container.inside("systemctl", "status", "--no-pager", "bluezone-gate")

        container.cut_power()
        container.switch_on()
        again = container.until(*BOX, status=403)
        print(f"\nafter a power cut it answers {again:.0f} s after power-on", end="")  # noqa: T201
        assert container.ask("8019", "GET", "/", "", "") is None, "a box that belongs to a city shows no setup page"

        own = json.loads(container.inside("cat", "/usr/lib/bluezone/release.json"))
        kind = (own["architecture"], own["python"])
        (container.boot / "keys").write_text(KEY.public_key().public_bytes_raw().hex())
        take = ("bluezone", "appliance", "update", "--from", "/boot", "--keys", "/boot/keys", "--stick-only")
        folder = container.folder / "data/lib/bluezone-gate"
        runs, crashes = {"starts": 0, "good": True}, {"starts": 3, "good": False}
        # The first has proved itself after two minutes. The second is begun three times, five seconds apart.
        for ahead, script, proof in ((1, 'exec /usr/lib/bluezone/bin/python3 "$@"', runs), (2, "exit 1", crashes)):
            made = update(tmp_path, own["number"] + ahead, script, platform=kind)
            shutil.copy(made, container.boot)
            container.inside(*take, "--restart")
            deadline = time.monotonic() + 600
            while _tries(folder).get(str(own["number"] + ahead)) != proof or (container.ask(*BOX) or (0,))[0] != 403:
                assert time.monotonic() < deadline, container.log()
                time.sleep(1)
        said = container.inside(
            "env", "BLUEZONE_DATA=/var/lib/bluezone-gate", "bluezone", "appliance", "status", "--json"
        )
        assert json.loads(said)["number"] == own["number"] + 1
        print("\na version is taken, and one that crashes is left for it after three starts")  # noqa: T201
    finally:
        office.terminate()
        office.wait(120)
