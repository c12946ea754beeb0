# SPDX-License-Identifier: Apache-2.0
"""`bluezone speaker`: a loudspeaker as a program, on a small computer with a sound card and an amplifier."""

from typing import Any

import click

from bluezone.cli.edge.handset import DEFAULT_SERVER
from bluezone.cli.output import command_result

SPEAKER_FOLDER = "speaker"


@click.group()
def speaker() -> None:
    """A loudspeaker: its plan, its sounds, what it played."""


@speaker.command()
@click.option("--data", type=click.Path(file_okay=False), help="Data folder (default ./bluezone-data).")
@click.option("--server", default=DEFAULT_SERVER, show_default=True, help="The city's public address.")
@click.option("--code", help="The one-time code of this device from the office, needed once.")
@click.option(
    "--sink", default="auto", show_default=True, help="ffplay, aplay, file:FOLDER or null (nobody hears the last two)."
)
@command_result(lambda _: ("stopped; what was played is kept and told",))
def run(data: str | None, server: str, code: str | None, sink: str) -> dict[str, Any]:
    """Be a loudspeaker until stopped; plays from its own copies, with or without a network."""
    from bluezone.city import data_folder
    from bluezone.edge.speaker.program import SpeakerSetup, run_speaker

    setup = SpeakerSetup(data_folder(data) / SPEAKER_FOLDER, server, code, sink)
    run_speaker(setup, lambda line: click.echo(line, err=True))
    return {"stopped": True}
