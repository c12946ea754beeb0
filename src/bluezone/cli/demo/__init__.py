# SPDX-License-Identifier: Apache-2.0
"""`bluezone demo`: two people meet, one tests positive, the other is warned."""

import contextlib
import random
import signal
import sys
import tempfile
import webbrowser
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from bluezone.cli.output import Failed, command_result


def _lines(result: dict[str, Any]) -> Iterable[str]:
    yield f"{'handset':10} {'expected':9} {'level':6} {'day':11} {'minutes':>7}  certainty"
    for row in result["handsets"]:
        day, certainty = row["day"] or "-", row["certainty"] or "-"
        yield f"{row['name']:10} {row['expected']:9} {row['level']:6} {day:11} {row['minutes']:7}  {certainty}"
    yield "as expected" if result["ok"] else "NOT as expected"


@click.command()
@click.option("--exit", "leave", is_flag=True, help="Stop at the end instead of leaving portal and office open.")
@click.option("--seed", type=int, default=None, help="Draw of the radio and the rotations; a random one if not given.")
@command_result(_lines)
def demo(leave: bool, seed: int | None) -> dict[str, Any]:
    """Run the whole story: a server, a code, four phones, a report, a warning.

    Everything is real but the air between the phones and the hours that pass: the server process, its database and
    files, the Bluetooth host stack, the protocol. Ends with 1 if a phone is not warned as it must be.
    """
    from bluezone.cli.demo.server import DemoServer
    from bluezone.cli.demo.story import prepare_city, run_story

    seed = random.SystemRandom().randrange(1_000_000) if seed is None else seed
    with _folder() as folder:
        prepare_city(folder / "server")
        with DemoServer(folder / "server", fixed_ports=not leave) as server:
            result = run_story(server, folder / "phones", seed, lambda line: click.echo(line, err=True))
            if not leave:
                document, health_link = server.plant_office()
                click.echo(f"the office is at work on {document}; its units and agencies are those of 2020", err=True)
                _leave_open(server.public_url, server.first_admin_link or server.office_url, health_link, result)
    if not result["ok"]:
        raise Failed(result)
    return result


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bluezone-demo-") as name:
        yield Path(name)


def _leave_open(public_url: str, office_link: str, health_link: str, result: dict[str, Any]) -> None:
    """Show what there is to look at and wait for Ctrl-C; the data goes when the demo ends."""
    for line in _lines(result):
        click.echo(line, err=True)
    click.echo(
        f"\nportal  {public_url}/"
        f"\noffice  {office_link}  (administrator, clerk, signatory, leader; once)"
        f"\nhealth  {health_link}  (health worker and supervisor, another person; once)"
        "\nCtrl-C ends the demo.",
        err=True,
    )
    if sys.stdout.isatty():
        webbrowser.open(public_url)
        webbrowser.open(office_link)
    # Whoever ends the demo by its process id ends its server too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()
