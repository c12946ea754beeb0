# SPDX-License-Identifier: Apache-2.0
"""`bluezone codes`: issue, look up and revoke codes as the office's pages do; the audit says "command line"."""

import datetime
from collections.abc import Iterable
from typing import Any

import click

from bluezone.cli.codebooks import book
from bluezone.cli.folder import data_option, open_with_office
from bluezone.cli.output import prints_result


@click.group()
def codes() -> None:
    """Issue, check and revoke verification codes; make and register code books."""


codes.add_command(book)


def _issued_lines(result: dict[str, Any]) -> Iterable[str]:
    yield result["code"]
    yield result["link"]
    expires = datetime.datetime.fromtimestamp(result["expires"], datetime.UTC)
    yield f"works once, until {expires:%Y-%m-%d %H:%M} UTC; shown only once"


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
@prints_result(_issued_lines)
def issue(data: str | None, case_class: str, onset: datetime.datetime) -> dict[str, Any]:
    """Issue a code for a case; it is shown only once and not stored."""
    server = open_with_office(data)
    from django.utils import timezone

    from bluezone.healthauthority.codes import issuance

    issued = issuance.issue_code(server, None, case_class, onset.date(), timezone.now())
    return {"code": issued.code, "link": issued.link, "expires": int(issued.expires_at.timestamp())}


@codes.command()
@data_option
@click.argument("code")
@prints_result(_state_lines)
def status(data: str | None, code: str) -> dict[str, Any]:
    """Print the state of CODE, which may be digits or a link: open, used, revoked or expired."""
    from bluezone.city_settings import data_folder
    from bluezone.keyserver.service import KeyServer

    return {"state": KeyServer.open(data_folder(data)).codes.status(code)}


@codes.command("revoke")
@data_option
@click.argument("code")
@prints_result(_state_lines)
def revoke_code(data: str | None, code: str) -> dict[str, Any]:
    """Revoke CODE, its digits and its link; a used code stays used, because a report cannot be recalled."""
    server = open_with_office(data)
    from bluezone.healthauthority.codes import revocation

    return {"state": revocation.revoke_code(server, None, code)}
