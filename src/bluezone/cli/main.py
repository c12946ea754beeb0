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
    "backup": "bluezone.cli.server.backup:backup",
    "bench": "bluezone.cli.tools.bench:bench",
    "clock": "bluezone.cli.server.clock:clock",
    "codes": "bluezone.cli.server.codes:codes",
    "demo": "bluezone.cli.demo:demo",
    "doctor": "bluezone.cli.server.doctor:doctor",
    "drill": "bluezone.cli.server.backup:drill",
    "export": "bluezone.cli.tools.export:export",
    "exposure": "bluezone.cli.tools.exposure:exposure",
    "gate": "bluezone.cli.devices.programs:gate",
    "handset": "bluezone.cli.handset:handset",
    "history": "bluezone.cli.server.history:history",
    "ids": "bluezone.cli.tools.ids:ids",
    "inquiry-key": "bluezone.cli.server.inquiry_key:inquiry_key",
    "keys": "bluezone.cli.server.keys:keys",
    "letter": "bluezone.cli.tools.letter:letter",
    "log": "bluezone.cli.transparency.log:log",
    "manage": "bluezone.cli.server.manage:manage",
    "match": "bluezone.cli.tools.match:match",
    "move": "bluezone.cli.server.move:move",
    "plan": "bluezone.cli.planning.plan:plan",
    "radio": "bluezone.cli.devices.programs:radio",
    "recovery-key": "bluezone.cli.server.recovery_key:recovery_key",
    "restore": "bluezone.cli.server.backup:restore",
    "serve": "bluezone.cli.server.serve:serve",
    "settings": "bluezone.cli.server.settings:settings",
    "signer": "bluezone.cli.server.signer:signer",
    "speaker": "bluezone.cli.devices.programs:speaker",
    "twin": "bluezone.cli.planning.twin:twin",
    "vectors": "bluezone.cli.tools.vectors:vectors",
    "venues": "bluezone.cli.server.venues:venues",
    "witness": "bluezone.cli.transparency.witness:witness",
}


class LazyGroup(click.Group):
    """A group that imports the module of a command only when the command is called."""

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
