# SPDX-License-Identifier: Apache-2.0
"""`bluezone gate`: a gate as a program, on a tablet or a small computer with Bluetooth."""

from typing import Any

import click

from bluezone.cli.edge.handset import DEFAULT_SERVER, _uuid
from bluezone.cli.output import command_result

GATE_FOLDER = "gate"


@click.group()
def gate() -> None:
    """A gate: its radio, its page, its counters."""


@gate.command()
@click.option("--data", type=click.Path(file_okay=False), help="Data folder (default ./bluezone-data).")
@click.option("--server", default=DEFAULT_SERVER, show_default=True, help="The city's public address.")
@click.option("--trust", help="The city's public key, 64 hex digits, needed once.")
@click.option("--code", help="The one-time code of this device from the office, needed once.")
@click.option("--radio", default="hci-socket:0", show_default=True, help='virtual:HOST:PORT, usb:0, …; "none" without.')
@click.option("--uuid", callback=_uuid, help="16-bit service UUID in hex (default 4e56).")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Port of the page; 0 takes a free one.")
@click.option("--training", is_flag=True, help="A gate to practise at: own data, erased after 7 days, told to nobody.")
@command_result(lambda _: ("stopped; what was counted is kept",))
def run(
    data: str | None,
    server: str,
    trust: str | None,
    code: str | None,
    radio: str,
    uuid: int | None,
    port: int,
    training: bool,
) -> dict[str, Any]:
    """Be the gate until stopped; counts without network, and tells the office when there is one."""
    from bluezone.city import data_folder
    from bluezone.edge.gate.page import gate_files
    from bluezone.edge.gate.practice import folder_of
    from bluezone.edge.gate.program import GatePlan, run_gate, run_practice
    from bluezone.radio.frames import DEFAULT_UUID

    if training and (trust or code):
        raise click.UsageError("a gate to practise at is told to nobody: leave --trust and --code out")
    folder = folder_of(data_folder(data)) if training else data_folder(data) / GATE_FOLDER
    plan = GatePlan(
        folder, server, trust, code, None if radio == "none" else radio, port, DEFAULT_UUID if uuid is None else uuid
    )
    run = run_practice if training else run_gate
    run(plan, gate_files(), lambda line: click.echo(line, err=True))
    return {"stopped": True}
