# SPDX-License-Identifier: Apache-2.0
"""`bluezone manage COMMAND`: Django's and our own management commands on a data folder."""

import contextlib
import io
import json
import os
import sys

import click


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False)
@click.option("--data", metavar="DIR", help="Data folder; BLUEZONE_DATA or ./bluezone-data if not given.")
@click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON object on stdout.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def manage(data: str | None, as_json: bool, arguments: tuple[str, ...]) -> None:
    """Run a management command of the office: verify_audit, account_link NAME, migrate, …

    `bluezone manage help` lists them all. Exit 0 ok, 1 refused or failed, 2 usage.
    """
    from bluezone.city import DATA_VARIABLE, data_folder

    os.environ[DATA_VARIABLE] = str(data_folder(data).resolve())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluezone.web.settings")
    if not as_json:
        sys.exit(_run(arguments))
    with contextlib.redirect_stdout(io.StringIO()) as said:
        code = _run(arguments)
    click.echo(json.dumps({"ok": code == 0, "output": said.getvalue()}, ensure_ascii=False))
    sys.exit(code)


def _run(arguments: tuple[str, ...]) -> int:
    """The exit code of a management command; its refusal is on stderr already."""
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(["bluezone manage", *arguments])
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0
