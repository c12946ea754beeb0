# SPDX-License-Identifier: Apache-2.0
"""The image of a box boots under QEMU by UEFI, is connected through its page, comes back after a power cut, takes an
update from a stick and leaves a version that crashes; the same of its services alone, in a container.

`make appliance-image test-appliance-image`. The office is a real `serve` on this machine.
"""

import base64
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
from tests.builders.appliances import KEY, make_update
from tests.builders.canvassing import ask
from tests.builders.emulated import HOST, LONGEST_SECONDS, Emulated, image_of, run
from tests.builders.serving import BLUEZONE, free_port, serving
from tests.builders.stores import HOTLINE, prepared_store

from bluezone.city_settings import write_default

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]
REPOSITORY = Path(__file__).parents[2]
SETUP = """
import base64
from django.utils import timezone
from tests.builders.devices import agency, device
from bluezone.devices.views import box_ticket
found, code = device(agency(), "gate", "Hộp cổng", now=timezone.now())
print("TICKET", base64.b64encode(box_ticket(found, code, ORIGIN).file()).decode())
"""


# It tells the console what the launcher thinks of it.
PROVES_ITSELF = """
echo the newer version begins
(until grep -q '"good": true' tries.json; do sleep 1; done; echo the newer version has proved itself) &
exec /usr/lib/bluezone/bin/python3 "$@"
"""


@pytest.fixture
def office(tmp_path):
    port, data = free_port(), tmp_path / "data"
    write_default(data, name_vi="Bắc Kạn", name_en="Bac Kan", hotline=HOTLINE, public_host=f"{HOST}:{port}")
    prepared_store(data)
    with serving(data, "--public-port", str(port)) as served:
        yield served, f"http://{HOST}:{port}"


def ticket(data, origin, *before):
    """The file that the office gives for a box of a gate."""
    made = run(
        *before, "env", f"PYTHONPATH={REPOSITORY}", BLUEZONE, "manage", "--data", data, "shell", "-c",
        SETUP.replace("ORIGIN", repr(origin)),
    )  # fmt: skip
    return base64.b64decode(re.search(r"TICKET (\S+)", made)[1]).decode()


@pytest.fixture
def machine(tmp_path):
    """Switches a machine of an architecture on. options: more, for its kernel."""
    made = []

    def make(architecture, options=""):
        keys = KEY.public_key().public_bytes_raw().hex()
        made.append(Emulated(image_of(architecture), architecture, tmp_path, keys, options))
        made[-1].switch_on()
        return made[-1]

    yield make
    for one in made:
        one.cut_power()
        one.disk.unlink()


def leg(words):
    """A line of the stopwatch."""
    print(f"\n  {words}", end="", flush=True)  # noqa: T201 - a stopwatch


@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_the_image_boots_is_connected_comes_back_after_a_power_cut_and_takes_an_update_from_a_stick(
    machine, architecture, office, tmp_path
):
    box, (served, origin) = machine(architecture), office
    own, paper = box.release(), ticket(served.data, origin)

    def gate_answers():
        # What no tablet of this gate has asked is refused, by a gate that runs.
        return (box.ask(box.tablets, "POST", "/box", "{}") or (0,))[0] == 403

    status, page = box.until(lambda: box.ask(box.setup, "GET", "/"))
    assert (status, b"setup.js" in page) == (200, True)
    leg(f"the setup page answers {box.seconds():.0f} s after power-on")
    own_page = {"Origin": f"http://127.0.0.1:{box.setup}", "Content-Type": "application/json"}
    status, answer = box.until(lambda: box.ask(box.setup, "POST", "/ticket", json.dumps({"ticket": paper}), **own_page))
    assert (status, json.loads(answer)["name"]) == (200, "Hộp cổng")
    given = box.seconds()
    box.until(gate_answers)
    assert ask(served.data, "select count(*) from devices_device where token_digest is not null") == [(1,)]
    assert box.heard("Started systemd-resolved"), "without it a box finds no office by its name, and nobody the box"
    assert box.says_its_name()
    assert not box.heard("Failed to start")
    assert not box.heard(r"Started \S*getty@"), "nobody can sign in, and nobody is asked to"
    leg(f"the gate answers its tablets {box.seconds() - given:.0f} s after its ticket")

    box.cut_power()
    box.switch_on()
    box.until(gate_answers)
    assert box.ask(box.setup, "GET", "/") is None, "a box that belongs to a city shows no setup page"
    assert not box.says_its_name(), "it leaves the name to the next box in this network"
    leg(f"after a power cut: {box.seconds():.0f} s after power-on, without anybody")

    kind = (own["architecture"], own["python"])
    make_update(tmp_path, own["number"] + 1, PROVES_ITSELF, platform=kind)
    box.put_in_stick("first", *(tmp_path / f"stick-{own['number'] + 1}").iterdir())
    box.until(lambda: box.heard("the newer version has proved itself"))
    box.until(gate_answers)
    leg(f"{box.seconds():.0f} s: a newer version came on a stick and has proved itself")
    begun = box.heard("the newer version begins")
    make_update(tmp_path, own["number"] + 2, "echo the crashing version begins; exit 1", platform=kind)
    box.put_in_stick("second", *(tmp_path / f"stick-{own['number'] + 2}").iterdir())
    box.until(lambda: box.heard("the newer version begins") > begun)
    box.until(gate_answers)
    assert box.heard("the crashing version begins") == 3
    leg(f"{box.seconds():.0f} s: a version that crashes came on a stick and is left after three starts\n")


def test_a_box_that_could_not_start_tries_again_without_anybody(machine):
    box = machine("amd64", "systemd.unit=emergency.target")
    box.machine.wait(LONGEST_SECONDS)
    assert "guest-reset" in box.ended()


class Container:
    """The image's own system, started by its own systemd in a container: what needs no machine is tried at full speed.

    In a network of its own, in which the office runs too. boot: the partition that every computer can write.
    """

    def __init__(self, image, folder):
        self.folder, self.boot, self._mounted = folder, folder / "boot", []
        self.boot.mkdir()
        parts = json.loads(run("sfdisk", "--json", image))["partitiontable"]["partitions"]
        for name, part in zip(("root", "var"), parts[1:], strict=True):
            where = f"offset={part['start'] * 512},sizelimit={part['size'] * 512}"
            (folder / name).mkdir()
            run("mount", "-o", f"loop,ro,noload,{where}", image, folder / name)
            self._mounted.append(folder / name)
        for name in ("upper", "work", "data"):
            (folder / name).mkdir()
        layers = f"lowerdir={folder / 'var'},upperdir={folder / 'upper'},workdir={folder / 'work'}"
        run("mount", "-t", "overlay", "overlay", "-o", layers, folder / "data")
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
        return run(*enter, *command, check=check)

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


@pytest.fixture
def container(tmp_path):
    image = image_of("amd64")
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
        paper = ticket(data, f"http://localhost:{port}", *container.beside())
        page = container.until("8019", "GET", "/", "", "")
        print(f"\nthe setup page answers {page:.0f} s after power-on", end="")  # noqa: T201 - a stopwatch
        given = container.ask("8019", "POST", "/ticket", json.dumps({"ticket": paper}), "http://127.0.0.1:8019")
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
            made = make_update(tmp_path, own["number"] + ahead, script, platform=kind)
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
