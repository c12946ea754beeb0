# SPDX-License-Identifier: Apache-2.0
"""`bluezone`: finds the command and turns refusals into exit codes."""

import importlib
import sys

import click

from bluezone import __version__
from bluezone.server import garbage

# Modules are imported only when their command is called, so that `bluezone ids` does not load Django or bumble.
COMMANDS = {
    "appliance": "bluezone.cli.devices.boxes:appliance",
    "backup": "bluezone.cli.backup:backup",
    "bench": "bluezone.cli.tools:bench",
    "clock": "bluezone.cli.serve:clock",
    "keys": "bluezone.cli.serve:keys",
    "settings": "bluezone.cli.serve:settings",
    "codes": "bluezone.cli.codes:codes",
    "demo": "bluezone.cli.demo:demo",
    "doctor": "bluezone.cli.doctor:doctor",
    "drill": "bluezone.cli.backup:drill",
    "export": "bluezone.cli.tools:export",
    "exposure": "bluezone.cli.tools:exposure",
    "gate": "bluezone.cli.devices.programs:gate",
    "handset": "bluezone.cli.handset:handset",
    "history": "bluezone.cli.history:history",
    "ids": "bluezone.cli.tools:ids",
    "inquiry-key": "bluezone.cli.codes:inquiry_key",
    "letter": "bluezone.cli.tools:letter",
    "log": "bluezone.cli.transparency.log:log",
    "manage": "bluezone.cli.serve:manage",
    "match": "bluezone.cli.tools:match",
    "move": "bluezone.cli.move:move",
    "plan": "bluezone.cli.planning.plan:plan",
    "radio": "bluezone.cli.devices.programs:radio",
    "recovery-key": "bluezone.cli.keys.recovery_key:recovery_key",
    "restore": "bluezone.cli.backup:restore",
    "serve": "bluezone.cli.serve:serve",
    "signer": "bluezone.cli.keys.signer:signer",
    "speaker": "bluezone.cli.devices.programs:speaker",
    "twin": "bluezone.cli.planning.twin:twin",
    "vectors": "bluezone.cli.vectors:vectors",
    "venues": "bluezone.cli.codes:venues",
    "witness": "bluezone.cli.transparency.witness:witness",
}


class LazyGroup(click.Group):
    """A group that imports a command when it is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        target = COMMANDS.get(cmd_name)
        if target is None:
            return None
        module, attribute = target.split(":")
        with garbage.collection_paused():
            command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=LazyGroup)
@click.version_option(__version__, prog_name="bluezone")
def root() -> None:
    """Bluezone: exposure warning over Bluetooth, and the rollout that goes with it."""


def main() -> None:
    """Entry point of the `bluezone` script."""
    sys.exit(root(prog_name="bluezone"))
