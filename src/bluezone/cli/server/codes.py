# SPDX-License-Identifier: Apache-2.0
"""`bluezone codes`: what the office's page does, from the operator's shell; the audit says "command line"."""

import datetime
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from bluezone.cli.output import command_result

data_option = click.option("--data", metavar="DIR", help="Data folder; BLUEZONE_DATA or ./bluezone-data if not given.")


@click.group()
def codes() -> None:
    """Issue, look at and revoke verification codes."""


def _issued_lines(result: dict[str, Any]) -> Iterable[str]:
    yield result["code"]
    yield result["link"]
    expires = datetime.datetime.fromtimestamp(result["expires"], datetime.UTC)
    yield f"works once, until {expires:%Y-%m-%d %H:%M} UTC; shown this once"


def _state_lines(result: dict[str, Any]) -> Iterable[str]:
    yield result["state"]


@codes.command()
@data_option
@click.option(
    "--class",
    "case_class",
    required=True,
    type=click.Choice(["confirmed", "clinical"]),
    help="How the infection was established.",
)
@click.option(
    "--onset", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Local date of first symptoms, or of the sample."
)
@command_result(_issued_lines)
def issue(data: str | None, case_class: str, onset: datetime.datetime) -> dict[str, Any]:
    """Issue a code for a case; it is shown this once and stored nowhere."""
    server = _open(data)
    from django.utils import timezone

    from bluezone.healthauthority import code_issuance

    issued = code_issuance.issue(server, None, case_class, onset.date(), timezone.now())
    return {"code": issued.code, "link": issued.link, "expires": int(issued.record.expires_at.timestamp())}


@codes.command()
@data_option
@click.argument("code")
@command_result(_state_lines)
def status(data: str | None, code: str) -> dict[str, Any]:
    """Say what became of CODE, which may be digits or a link: open, used, revoked or expired."""
    from bluezone.city import data_folder
    from bluezone.keyserver.service import KeyServer

    return {"state": KeyServer.open(data_folder(data)).codes.status(code)}


@codes.command()
@data_option
@click.argument("code")
@command_result(_state_lines)
def revoke(data: str | None, code: str) -> dict[str, Any]:
    """Revoke CODE, its digits and its link; a used code stays used, because a report cannot be recalled."""
    server = _open(data)
    from bluezone.healthauthority import code_issuance

    return {"state": code_issuance.revoke(server, None, code)}


def _open(data: str | None) -> Any:
    """The key server of the data folder, with the office beside it for quota and audit."""
    from bluezone.city import data_folder
    from bluezone.keyserver.service import KeyServer
    from bluezone.server.preparation import prepare_office

    folder: Path = data_folder(data).resolve()
    server = KeyServer.open(folder)
    prepare_office(folder)
    return server
