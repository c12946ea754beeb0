# SPDX-License-Identifier: Apache-2.0
"""`bluezone codes` and `bluezone venues`: what the office's pages do, from the operator's shell; the audit says
"command line".
"""

import datetime
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from bluezone.cli.output import command_result

if TYPE_CHECKING:
    from bluezone.keyserver.service import KeyServer


QR_MILLIMETRES = 150
QUIET_MODULES = 4
PNG_PIXELS_A_MODULE = 16
KINDS = (".svg", ".png", ".pdf")

data_option = click.option("--data", metavar="DIR", help="Data folder; BLUEZONE_DATA or ./bluezone-data if not given.")
moment_type = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"])


@click.group()
def venues() -> None:
    """Sign and withdraw the codes of venues."""


def _code_lines(result: dict[str, Any]) -> Iterable[str]:
    yield result["link"]
    yield f"fingerprint {result['fingerprint']}: print it beside the code"
    if result["file"]:
        yield f"QR code in {result['file']}"
    yield "shown this once; the key server keeps only its hash"


@venues.command()
@data_option
@click.option("--registration", required=True, help="What names this venue here, such as its application's number.")
@click.option("--name", required=True, help="As people know it; at most 80 bytes.")
@click.option("--address", default="", help="At most 100 bytes.")
@click.option("--type", "kind", default=0, type=click.IntRange(0, 12), help="The Corona-Warn-App's number of its kind.")
@click.option("--stay", default=60, show_default=True, type=click.IntRange(1, 1440), help="Usual minutes of a visit.")
@click.option("--from", "begins", type=moment_type, help="Local time from which the code counts.")
@click.option("--to", "ends", type=moment_type, help="Local time at which it stops counting.")
@click.option("--temporary", is_flag=True, help="For one event.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Draw the QR code there: .svg, .png or .pdf, 15 cm."
)
@command_result(_code_lines)
def code(
    data: str | None,
    registration: str,
    name: str,
    address: str,
    kind: int,
    stay: int,
    begins: datetime.datetime | None,
    ends: datetime.datetime | None,
    temporary: bool,
    out: Path | None,
) -> dict[str, Any]:
    """Sign the code of a venue that has none in force."""
    from bluezone.keyserver.venues import VenueDescription

    if out is not None and out.suffix.lower() not in KINDS:
        raise click.BadParameter(f"{out.name} ends in none of {', '.join(KINDS)}", param_hint="--out")
    server = _opened(data)
    try:
        zone = ZoneInfo(server.city.zone)
        described = VenueDescription(name, address, kind, stay, _moment(begins, zone), _moment(ends, zone), temporary)
        signed = server.registrar.register(registration, described)
    finally:
        server.close()
    if out is not None:
        draw(signed.link, out)
    return {
        "link": signed.link,
        "fingerprint": signed.fingerprint,
        "sha256": signed.sha256,
        "name": signed.venue.name,
        "valid_from": signed.venue.valid_from * 60,
        "valid_to": signed.venue.valid_to * 60,
        "file": None if out is None else str(out),
    }


@venues.command("revoke")
@data_option
@click.option("--registration", help="What names the venue.")
@click.option("--link", help="The text of its QR code.")
@command_result(lambda result: (f"withdrawn; {result['registered']} codes are in force",))
def revoke_venue(data: str | None, registration: str | None, link: str | None) -> dict[str, Any]:
    """Withdraw the code of a venue; phones learn it when they next fetch."""
    from bluezone.keyserver import venues as keyserver_venues

    if (registration is None) == (link is None):
        raise click.UsageError("give either --registration or --link")
    server = _opened(data)
    try:
        if registration is not None:
            server.registrar.revoke(registration)
        else:
            server.registrar.revoke_code(link or "")
        return {"state": "revoked", "registered": keyserver_venues.count_in_force(server.keys_store, server.clock())}
    finally:
        server.close()


def draw(link: str, out: Path) -> None:
    """Draw a QR code of 15 cm, quiet zone included, error correction M: it survives a scratch, and reads from afar."""
    import segno

    drawn = segno.make_qr(link, error="m")
    modules = drawn.symbol_size(border=QUIET_MODULES)[0]
    kind = out.suffix.lower()
    if kind == ".png":
        dots_a_metre = round(modules * PNG_PIXELS_A_MODULE / (QR_MILLIMETRES / 1000))
        drawn.save(str(out), scale=PNG_PIXELS_A_MODULE, border=QUIET_MODULES, dpi=round(dots_a_metre * 0.0254))
    elif kind == ".svg":
        drawn.save(str(out), scale=QR_MILLIMETRES / modules, unit="mm", border=QUIET_MODULES, xmldecl=True)
    else:
        # PDF counts in points of 1/72 inch.
        drawn.save(str(out), scale=QR_MILLIMETRES / 25.4 * 72 / modules, border=QUIET_MODULES)


def _moment(local: datetime.datetime | None, zone: ZoneInfo) -> int:
    return 0 if local is None else int(local.replace(tzinfo=zone).timestamp())


def _opened(data: str | None) -> "KeyServer":
    from bluezone.city import data_folder
    from bluezone.keyserver.service import KeyServer

    return KeyServer.open(data_folder(data))


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
    return {"code": issued.code, "link": issued.link, "expires": int(issued.expires_at.timestamp())}


@codes.command()
@data_option
@click.argument("code")
@command_result(_state_lines)
def status(data: str | None, code: str) -> dict[str, Any]:
    """Say what became of CODE, which may be digits or a link: open, used, revoked or expired."""
    from bluezone.city import data_folder
    from bluezone.keyserver.service import KeyServer

    return {"state": KeyServer.open(data_folder(data)).codes.status(code)}


@codes.command("revoke")
@data_option
@click.argument("code")
@command_result(_state_lines)
def revoke_code(data: str | None, code: str) -> dict[str, Any]:
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
