# SPDX-License-Identifier: Apache-2.0
"""`bluezone manage COMMAND`: Django's commands on a data folder."""

import contextlib
import io
import json
import os
import sys
from pathlib import Path

import click

from bluezone.cli.folder import data_option
from bluezone.cli.output import exit_refused, system_failed
from bluezone.refusal import Refused
from bluezone.server import garbage


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False)
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON object on stdout.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def manage(data: str | None, as_json: bool, arguments: tuple[str, ...]) -> None:
    """Run a management command of the office: verify_audit, account_link NAME, confirm_act, …

    `bluezone manage help` lists them all. Exit 0 ok, 1 refused or failed, 2 usage.
    """
    from bluezone.city_settings import DATA_VARIABLE, data_folder

    folder = data_folder(data).resolve()
    os.environ[DATA_VARIABLE] = str(folder)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluezone.web.settings")
    output = io.StringIO()
    try:
        capture = contextlib.redirect_stdout(output) if as_json else contextlib.nullcontext()
        with capture:
            code = _run(arguments, folder)
    except Refused as refused:
        exit_refused(refused, as_json)
    except OSError as error:
        exit_refused(system_failed(error), as_json)
    if as_json:
        click.echo(json.dumps({"ok": code == 0, "output": output.getvalue()}, ensure_ascii=False))
    sys.exit(code)


def _run(arguments: tuple[str, ...], folder: Path) -> int:
    """Run a management command; returns its exit code. Django prints the refusals of commands on stderr.

    Raises CityMissing if no server has made the stores yet, StoreUnreachable if they cannot be used.
    """
    import django
    from django.core.management import execute_from_command_line
    from django.db import DatabaseError

    from bluezone.city_settings import load_city
    from bluezone.keyserver.storage.store import StoreUnreachable

    try:
        with garbage.collection_paused():
            django.setup()
        execute_from_command_line(["bluezone manage", *arguments])
    except DatabaseError as error:
        load_city(folder)
        raise StoreUnreachable(f"the office store cannot be used: {error}") from error
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0
