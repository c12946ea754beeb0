# SPDX-License-Identifier: Apache-2.0
"""`bluezone manage COMMAND`: Django's and our own management commands on a data folder."""

import sys

import click


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False)
@click.option("--data", metavar="DIR", help="Data folder; BLUEZONE_DATA or ./bluezone-data if not given.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def manage(data: str | None, arguments: tuple[str, ...]) -> None:
    """Run a management command of the office, for example verify_audit, account_link NAME, migrate.

    `bluezone manage help` lists them all. Exit 0 ok, 1 refused or failed, 2 usage.
    """
    import os

    from django.core.management import execute_from_command_line

    from bluezone.city import DATA_VARIABLE, data_folder

    os.environ[DATA_VARIABLE] = str(data_folder(data).resolve())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluezone.web.settings")
    try:
        execute_from_command_line(["bluezone manage", *arguments])
    except BrokenPipeError:
        sys.exit(1)
