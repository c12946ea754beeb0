# SPDX-License-Identifier: Apache-2.0
"""The image of a box boots under QEMU by UEFI, is connected through its page, and comes back after a power cut.

`make appliance-image test-appliance-image`. The office is a real `serve` on this machine; without /dev/kvm the boot
takes minutes.
"""

import base64
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from tests.builders.canvassing import ask
from tests.builders.serving import BLUEZONE, free_port, serving
from tests.builders.stores import HOTLINE, prepared_store

from bluezone.city import write_default

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]
REPOSITORY = Path(__file__).parents[2]
FIRMWARE = Path("/usr/share/OVMF")
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
                "qemu-system-x86_64", "-machine", "q35", "-accel", "kvm", "-accel", "tcg", "-cpu", "max", "-m", "1G",
                "-smp", "2", "-display", "none", "-no-reboot", "-serial", f"file:{self.folder / 'console'}",
                "-drive", f"if=pflash,format=raw,readonly=on,file={FIRMWARE / 'OVMF_CODE_4M.fd'}",
                "-drive", f"if=pflash,format=raw,file={self.folder / 'vars.fd'}",
                "-drive", f"if=virtio,format=qcow2,file={self.disk}",
                "-netdev", f"user,id=n,{forwarded}", "-device", "virtio-net-pci,netdev=n", "-device", "i6300esb",
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
