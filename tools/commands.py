# SPDX-License-Identifier: Apache-2.0
"""Print docs/reference/commands.md: every command of `bluezone` with its own help text."""

import click

from bluezone.cli.main import root


def sections(command: click.Command, path: str, parent: click.Context | None):
    """Yield one section per command, groups before their members."""
    context = click.Context(
        command, info_name=path.rsplit(" ", 1)[-1], parent=parent, terminal_width=96, max_content_width=96
    )
    yield f"## `{path}`\n\n```text\n{command.get_help(context).rstrip()}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            member = command.get_command(context, name)
            if member is not None and not member.hidden:
                yield from sections(member, f"{path} {name}", context)


print("# Commands\n\nMade by `.venv/bin/python tools/commands.py`; a test compares it with the program.\n")
print("\n".join(sections(root, "bluezone", None)), end="")
