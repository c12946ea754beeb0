# SPDX-License-Identifier: Apache-2.0
"""`bluezone appliance`: what a box without a screen does beside being a gate or a loudspeaker."""

import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from bluezone.cli.output import command_result


@click.group()
def appliance() -> None:
    """A gate or a loudspeaker as a box without a screen: its ticket, its versions, its updates."""


def _taken_lines(result: dict[str, Any]) -> Iterable[str]:
    if result["taken"]:
        yield f"ticket taken: {result['name']}, {result['agency']}; {result['unit']} starts with it"
    else:
        yield "no ticket found"


@appliance.command("take")
@click.option("--from", "places", multiple=True, type=click.Path(path_type=Path), help="Folder to look into instead.")
@click.option("--state", type=click.Path(path_type=Path), help="Where the programs keep their data (/var/lib).")
@click.option("--own", is_flag=True, help="For the account that calls, not for that of the program; start nothing.")
@command_result(_taken_lines)
def take_ticket(places: tuple[Path, ...], state: Path | None, own: bool) -> dict[str, Any]:
    """Take the office's ticket from boot partition, stick or the box's page, and start what it is for. As root."""
    from bluezone.edge.appliance.intake import PLACES, STATE_FOLDERS, take

    taken = take(time.time(), places or PLACES, state or STATE_FOLDERS, owner_of=(lambda _: None) if own else None)
    if taken is None:
        return {"taken": False}
    if not own:
        _systemctl("enable", taken.unit)
        _systemctl("restart", taken.unit)
    ticket = taken.ticket
    return {"taken": True, "name": ticket.name, "agency": ticket.agency, "kind": ticket.kind, "unit": taken.unit}


def _systemctl(verb: str, unit: str) -> None:
    subprocess.run(["/usr/bin/systemctl", "--no-block", verb, unit], check=False)  # noqa: S603 - a unit of ours


@appliance.command("setup-page")
@click.option("--folder", type=click.Path(path_type=Path), help="Where a ticket is laid (/run/bluezone-setup).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the page (8019); 0 takes a free one.")
@command_result(lambda _: ("stopped",))
def setup_page(folder: Path | None, port: int | None) -> dict[str, Any]:
    """Show the page that takes a ticket, until stopped. Needs no right but to write into its folder."""
    from bluezone.edge.appliance.intake import SETUP_FOLDER, SETUP_PORT, SetupPage

    page = SetupPage(folder or SETUP_FOLDER, time.time, port=SETUP_PORT if port is None else port)
    click.echo(f"ready on port {page.port}", err=True)
    page.serve()
    return {"stopped": True}
