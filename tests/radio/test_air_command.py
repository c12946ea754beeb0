# SPDX-License-Identifier: Apache-2.0
"""`bluezone radio` as a user types it."""

import asyncio
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from bluezone.cli.devices.programs import radio
from bluezone.radio import calibration
from bluezone.radio.adapters import open_radio

BLUEZONE = Path(sys.executable).with_name("bluezone")


def run(*arguments):
    return CliRunner().invoke(radio, [*arguments, "--json"])


@pytest.fixture
def air(tmp_path):
    """An air process with two handsets at 1 m; yields its port and the process."""
    scene = tmp_path / "scene.toml"
    scene.write_text('handsets = ["a", "b"]\n[default]\ndistance_m = 1.0\n')
    process = subprocess.Popen(
        [BLUEZONE, "radio", "air", "--listen", "127.0.0.1:0", "--scene", scene, "--seed", "1", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    ready = process.stderr.readline()
    yield int(re.fullmatch(r"ready air on 127\.0\.0\.1:(\d+)\n", ready).group(1)), process
    process.kill()
    process.communicate()


def test_the_air_says_when_it_is_ready_serves_and_ends_on_sigterm(air):
    port, process = air

    async def listen():
        one, other = open_radio(f"virtual:127.0.0.1:{port}/a"), open_radio(f"virtual:127.0.0.1:{port}/b")
        heard = asyncio.Event()
        await one.open()
        await other.open()
        await one.start_advertising(bytes(31), 100)
        await other.start_scanning(100, 100, lambda *_: heard.set())
        await heard.wait()
        await one.close()
        await other.close()

    asyncio.run(listen())
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=120)

    assert process.returncode == 0
    assert json.loads(out)["heard"] >= 1


def test_calibrate_measures_against_the_reference_and_writes_the_owners_file(air, tmp_path, monkeypatch):
    port, _ = air
    path = tmp_path / "radio.json"
    monkeypatch.setenv(calibration.FILE_VARIABLE, str(path))
    monkeypatch.setattr("bluezone.radio.comparison.FEWEST_SIGHTINGS", 20)

    result = run(
        "calibrate",
        *("--radio", f"virtual:127.0.0.1:{port}/a", "--reference", f"virtual:127.0.0.1:{port}/b"),
        *("--model", "mine", "--seconds", "10"),
    )

    answer = json.loads(result.stdout)
    assert result.exit_code == 0, result.output
    assert answer["confidence"] == 2
    assert json.loads(path.read_text())["mine"]["effective_power_dbm"] == answer["effective_power_dbm"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("air", "--listen", "nowhere"), "listen_invalid"),
        (("air", "--listen", "127.0.0.1:\u0661\u0662"), "listen_invalid"),
        (("air", "--listen", "127.0.0.1:0", "--scene", "/there/is/none.toml"), "scene_invalid"),
        (("air", "--listen", "192.0.2.1:9"), "air_port_taken"),
        (("calibrate", "--radio", "usb", "--reference", "usb:1"), "radio_invalid"),
        (("calibrate", "--radio", "virtual:127.0.0.1:9", "--reference", "usb:1"), "radio_unavailable"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_code(arguments, code):
    result = run(*arguments)

    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == code
