# SPDX-License-Identifier: Apache-2.0
"""`bluezone gate`, `speaker` and `radio`: run a gate, a loudspeaker or a virtual air; calibrate adapters."""

import asyncio
import random
import re
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bluezone.cli.handset import DEFAULT_SERVER, _uuid
from bluezone.cli.output import prints_result
from bluezone.refusal import Refused

if TYPE_CHECKING:
    from bluezone.radio.air import Scene

GATE_FOLDER = "gate"

SPEAKER_FOLDER = "speaker"


class InvalidAddress(Refused):
    """The value of --listen is not HOST:PORT."""

    code = "listen_invalid"


@click.group()
def radio() -> None:
    """Bluetooth: a virtual air for trials, and the calibration of adapters."""


def _air_lines(result: dict[str, Any]) -> Iterable[str]:
    yield f"the air on {result['listen']} is closed: {result['sent']} packets sent, {result['heard']} heard"


@radio.command()
@click.option("--listen", required=True, metavar="HOST:PORT", help="Where handsets connect; port 0 takes a free one.")
@click.option("--scene", "scene_file", type=click.Path(path_type=Path), help="Where each phone is; see docs/radio.md.")
@click.option("--seed", type=int, help="Seed of all randomness; by default the system's.")
@prints_result(_air_lines)
def air(listen: str, scene_file: Path | None, seed: int | None) -> dict[str, Any]:
    """Run a virtual air until interrupted; handsets join it with --radio virtual:HOST:PORT/NAME."""
    from bluezone.radio.air.scenes import ROOM, read_scene

    host, _, port = listen.rpartition(":")
    if not host or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
        raise InvalidAddress(f"--listen is {listen!r}, expected HOST:PORT")
    scene = read_scene(scene_file) if scene_file else ROOM
    return asyncio.run(_run_air(host, int(port), scene, random.Random(seed)))  # noqa: S311 - weather, not a secret


async def _run_air(host: str, port: int, scene: "Scene", rng: random.Random) -> dict[str, Any]:
    from bluezone.radio.air import VirtualAir
    from bluezone.radio.air.server import AirServer

    loop = asyncio.get_running_loop()
    virtual_air = VirtualAir(scene, rng, origin_seconds=loop.time())
    server = AirServer(virtual_air)
    port = await server.start(host, port)
    interrupted = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted.set)
    click.echo(f"ready air on {host}:{port}", err=True)
    await interrupted.wait()
    await server.stop()
    counts = {name: virtual_air.count[name] for name in ("sent", "heard", "lost", "weak", "shed")}
    return {"listen": f"{host}:{port}", **counts}


def _calibration_lines(result: dict[str, Any]) -> Iterable[str]:
    yield (
        f"{result['model']}: effective power {result['effective_power_dbm']} dBm, receiver correction "
        f"{result['receiver_correction_db']} dB, confidence {result['confidence']}"
    )
    yield f"written to {result['file']}" if result["file"] else "not written (--dry-run)"


@radio.command()
@click.option("--radio", "spec", required=True, metavar="SPEC", help="The adapter to calibrate, such as usb:0.")
@click.option("--reference", required=True, metavar="SPEC", help="A second adapter, calibrated if possible.")
@click.option("--model", help="Name to store it under; by default the adapter's own name.")
@click.option("--seconds", type=click.FloatRange(10, 3600), default=180.0, show_default=True)
@click.option("--dry-run", is_flag=True, help="Measure and print, write nothing.")
@prints_result(_calibration_lines)
def calibrate(spec: str, reference: str, model: str | None, seconds: float, dry_run: bool) -> dict[str, Any]:
    """Measure an adapter against another: hold both in the hand, 1 m apart, and turn slowly meanwhile."""
    from bluezone.radio.adapters import open_radio
    from bluezone.radio.calibration import write_own_calibration
    from bluezone.radio.comparison import against, measure

    adapter = open_radio(spec)
    other = open_radio(reference)

    def progress(at_adapter: int, at_reference: int) -> None:
        click.echo(f"heard {at_adapter} and {at_reference} packets", err=True)

    at_adapter, at_reference = asyncio.run(measure(adapter, other, seconds, random.SystemRandom(), progress))
    measured = against(other.model, at_adapter, at_reference)
    name = model or adapter.model
    path = None if dry_run else write_own_calibration(name, measured)
    return {
        "model": name,
        "effective_power_dbm": measured.effective_power_dbm,
        "receiver_correction_db": measured.receiver_correction_db,
        "confidence": measured.confidence,
        "sightings": [len(at_adapter.rssi_dbm), len(at_reference.rssi_dbm)],
        "mean_rssi_dbm": [round(at_adapter.mean_dbm, 1), round(at_reference.mean_dbm, 1)],
        "file": str(path) if path else None,
    }


@click.group()
def gate() -> None:
    """A gate: its radio, its page, its counters."""


@gate.command("run")
@click.option("--data", type=click.Path(file_okay=False), help="Data folder (default ./bluezone-data).")
@click.option("--server", help=f"The city's public address; without one that of its ticket, else {DEFAULT_SERVER}.")
@click.option("--trust", help="The city's public key, 64 hex digits, needed once.")
@click.option("--code", help="The one-time code of this device from the office, needed once.")
@click.option("--radio", default="hci-socket:0", show_default=True, help='virtual:HOST:PORT, usb:0, …; "none" without.')
@click.option("--uuid", callback=_uuid, help="16-bit service UUID in hex (default 4e56).")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Port of the page; 0 takes a free one.")
@click.option(
    "--box", is_flag=False, flag_value="0.0.0.0", metavar="[ADDRESS]",  # noqa: S104 - asked for
    help="Be the Bluetooth box of the tablets in the local network (port 8018); ADDRESS to listen on, else all.",
)  # fmt: skip
@click.option(
    "--training", is_flag=True, help="A gate to practise at: own data, erased after 7 days, not reported to anyone."
)
@prints_result(lambda _: ("stopped; what was counted is kept",))
def run_gate_program(
    data: str | None,
    server: str | None,
    trust: str | None,
    code: str | None,
    radio: str,
    uuid: int | None,
    port: int,
    box: str | None,
    training: bool,
) -> dict[str, Any]:
    """Run the gate until stopped; counts without a network, and reports to the office when there is one."""
    from bluezone.city_settings import data_folder
    from bluezone.edge.appliance.ticket import server_of, waiting
    from bluezone.edge.gate.main import GatePlan, run_gate, run_practice
    from bluezone.edge.gate.page import gate_files
    from bluezone.edge.gate.practice import folder_of
    from bluezone.radio.frames import DEFAULT_UUID

    if training and (trust or code or box):
        raise click.UsageError(
            "a gate to practise at is not reported to anyone: leave --trust and --code out, and --box"
        )
    folder = folder_of(data_folder(data)) if training else data_folder(data) / GATE_FOLDER
    adapter = None if radio == "none" else radio
    ticket = None if training or code else waiting(data_folder(data))
    if ticket is not None:
        trust = ticket.ticket.city
        code = ticket.ticket.code
    server = server or server_of(data_folder(data)) or DEFAULT_SERVER
    plan = GatePlan(folder, server, trust, code, adapter, port, DEFAULT_UUID if uuid is None else uuid, box, ticket)
    run = run_practice if training else run_gate
    run(plan, gate_files(), lambda line: click.echo(line, err=True))
    return {"stopped": True}


@click.group()
def speaker() -> None:
    """A loudspeaker: its plan, its sounds, what it played."""


@speaker.command("run")
@click.option("--data", type=click.Path(file_okay=False), help="Data folder (default ./bluezone-data).")
@click.option("--server", help=f"The city's public address; without one that of its ticket, else {DEFAULT_SERVER}.")
@click.option("--code", help="The one-time code of this device from the office, needed once.")
@click.option(
    "--sink",
    default="auto",
    show_default=True,
    help="ffplay, aplay, rtp:ADDRESS:PORT (IP loudspeakers), file:FOLDER or null (no one hears the last two).",
)
@click.option("--second", metavar="SINK", help="A second sink for emergencies, at the same time.")
@click.option("--listen", metavar="SOURCE", help="A microphone in the street: alsa:DEVICE or pulse:SOURCE.")
@click.option("--local-stations", is_flag=True, help="Relay stations of the local network too.")
@prints_result(lambda _: ("stopped; what was played is kept and told",))
def run_speaker_program(
    data: str | None,
    server: str | None,
    code: str | None,
    sink: str,
    second: str | None,
    listen: str | None,
    local_stations: bool,
) -> dict[str, Any]:
    """Run a loudspeaker until stopped; plays from its own copies, with or without a network."""
    from bluezone.city_settings import data_folder
    from bluezone.edge.appliance.ticket import server_of, waiting
    from bluezone.edge.speaker.main import SpeakerSetup, run_speaker

    ticket = None if code else waiting(data_folder(data))
    if ticket is not None:
        code = ticket.ticket.code
    server = server or server_of(data_folder(data)) or DEFAULT_SERVER
    folder = data_folder(data) / SPEAKER_FOLDER
    setup = SpeakerSetup(folder, server, code, sink, second, ticket, local_stations, listen)
    run_speaker(setup, lambda line: click.echo(line, err=True))
    return {"stopped": True}
