# SPDX-License-Identifier: Apache-2.0
"""`bluezone venues`: sign and revoke venue codes from the operator's shell; audit entries name "command line"."""

import datetime
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from bluezone.cli.folder import data_option, open_keyserver
from bluezone.cli.output import prints_result

QR_MILLIMETRES = 150

QUIET_MODULES = 4

PNG_PIXELS_PER_MODULE = 16

KINDS = (".svg", ".png", ".pdf")

moment_type = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"])


@click.group()
def venues() -> None:
    """Sign and revoke venue codes."""


def _code_lines(result: dict[str, Any]) -> Iterable[str]:
    yield result["link"]
    yield f"fingerprint {result['fingerprint']}: print it next to the code"
    if result["file"]:
        yield f"QR code in {result['file']}"
    yield "the link is shown only once; the key server stores only its SHA-256"


@venues.command()
@data_option
@click.option("--registration", required=True, help="Identifies the venue here, such as its application's number.")
@click.option("--name", required=True, help="As people know it; at most 80 bytes.")
@click.option("--address", default="", help="At most 100 bytes.")
@click.option(
    "--type",
    "kind",
    default=0,
    type=click.IntRange(0, 12),
    help="The kind of venue, as the number that the Corona-Warn-App uses.",
)
@click.option(
    "--stay",
    default=60,
    show_default=True,
    type=click.IntRange(1, 1440),
    help="Usual length of a stay, in minutes.",
)
@click.option("--from", "begins", type=moment_type, help="Local time from which the code is valid.")
@click.option("--to", "ends", type=moment_type, help="Local time at which it expires.")
@click.option("--temporary", is_flag=True, help="For one event.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Draw the QR code there: .svg, .png or .pdf, 15 cm."
)
@prints_result(_code_lines)
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
    """Sign the code of a venue that has no valid one."""
    from bluezone.keyserver.venues.registrar import VenueDescription

    if out is not None and out.suffix.lower() not in KINDS:
        raise click.BadParameter(f"{out.name} ends in none of {', '.join(KINDS)}", param_hint="--out")
    server = open_keyserver(data)
    try:
        zone = ZoneInfo(server.city.zone)
        venue = VenueDescription(name, address, kind, stay, _moment(begins, zone), _moment(ends, zone), temporary)
        signed = server.registrar.register_venue(registration, venue)
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
@click.option("--registration", help="Identifies the venue.")
@click.option("--link", help="The text of its QR code.")
@prints_result(lambda result: (f"revoked; {result['registered']} codes are valid",))
def revoke_venue(data: str | None, registration: str | None, link: str | None) -> dict[str, Any]:
    """Revoke the code of a venue; phones learn it when they next fetch."""
    from bluezone.keyserver.venues.registrar import count_valid

    if (registration is None) == (link is None):
        raise click.UsageError("give either --registration or --link")
    server = open_keyserver(data)
    try:
        if registration is not None:
            server.registrar.revoke_venue(registration)
        else:
            server.registrar.revoke_code(link or "")
        return {"state": "revoked", "registered": count_valid(server.keys_store, server.clock())}
    finally:
        server.close()


def draw(link: str, out: Path) -> None:
    """Write a QR code, 15 cm wide with its quiet zone. With error correction M it is readable despite scratches."""
    import segno

    drawn = segno.make_qr(link, error="m")
    modules = drawn.symbol_size(border=QUIET_MODULES)[0]
    kind = out.suffix.lower()
    if kind == ".png":
        dots_per_metre = round(modules * PNG_PIXELS_PER_MODULE / (QR_MILLIMETRES / 1000))
        drawn.save(str(out), scale=PNG_PIXELS_PER_MODULE, border=QUIET_MODULES, dpi=round(dots_per_metre * 0.0254))
    elif kind == ".svg":
        drawn.save(str(out), scale=QR_MILLIMETRES / modules, unit="mm", border=QUIET_MODULES, xmldecl=True)
    else:
        # PDF counts in points of 1/72 inch.
        drawn.save(str(out), scale=QR_MILLIMETRES / 25.4 * 72 / modules, border=QUIET_MODULES)


def _moment(local: datetime.datetime | None, zone: ZoneInfo) -> int:
    return 0 if local is None else int(local.replace(tzinfo=zone).timestamp())
