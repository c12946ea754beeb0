# SPDX-License-Identifier: Apache-2.0
"""`bluezone codes` and `bluezone venues` do what the office's pages do, from the operator's shell.

The audit names "command line" as the actor. `bluezone inquiry-key`: the key that reveals in which minute a code was
issued.
"""

import datetime
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from bluezone.cli.output import prints_result

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
    yield f"fingerprint {result['fingerprint']}: print it next to the code"
    if result["file"]:
        yield f"QR code in {result['file']}"
    yield "shown only once; the key server keeps only its hash"


@venues.command()
@data_option
@click.option("--registration", required=True, help="Identifies the venue here, such as its application's number.")
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
    server = _open_keyserver(data)
    try:
        zone = ZoneInfo(server.city.zone)
        venue = VenueDescription(name, address, kind, stay, _moment(begins, zone), _moment(ends, zone), temporary)
        signed = server.registrar.register(registration, venue)
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
@prints_result(lambda result: (f"withdrawn; {result['registered']} codes are valid",))
def revoke_venue(data: str | None, registration: str | None, link: str | None) -> dict[str, Any]:
    """Withdraw the code of a venue; phones learn it when they next fetch."""
    from bluezone.keyserver.venues.registrar import count_valid

    if (registration is None) == (link is None):
        raise click.UsageError("give either --registration or --link")
    server = _open_keyserver(data)
    try:
        if registration is not None:
            server.registrar.revoke(registration)
        else:
            server.registrar.revoke_code(link or "")
        return {"state": "revoked", "registered": count_valid(server.keys_store, server.clock())}
    finally:
        server.close()


def draw(link: str, out: Path) -> None:
    """Draw a QR code of 15 cm with its quiet zone; error correction M keeps it readable despite scratches."""
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


def _open_keyserver(data: str | None) -> "KeyServer":
    from bluezone.city import data_folder
    from bluezone.keyserver.service import KeyServer

    return KeyServer.open(data_folder(data))


@click.group()
def codes() -> None:
    """Issue, check and revoke verification codes."""


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
    server = _open_with_office(data)
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
    from bluezone.city import data_folder
    from bluezone.keyserver.service import KeyServer

    return {"state": KeyServer.open(data_folder(data)).codes.status(code)}


@codes.command("revoke")
@data_option
@click.argument("code")
@prints_result(_state_lines)
def revoke_code(data: str | None, code: str) -> dict[str, Any]:
    """Revoke CODE, its digits and its link; a used code stays used, because a report cannot be recalled."""
    server = _open_with_office(data)
    from bluezone.healthauthority.codes import revocation

    return {"state": revocation.revoke_code(server, None, code)}


@click.group("inquiry-key")
def inquiry_key() -> None:
    """The health supervisor's key: only it reveals in which minute a code was issued. It is kept on paper."""


def _key_lines(result: dict[str, Any]) -> Iterable[str]:
    yield "Only for the health supervisor, on paper. It is shown only once and not stored:"
    yield ""
    yield f"    {result['inquiry_key']}"
    yield ""
    yield f"for the server: bluezone inquiry-key set {result['public']}"


@inquiry_key.command("new")
@prints_result(_key_lines)
def new_inquiry_key() -> dict[str, Any]:
    """Make a key, best on the supervisor's own machine; the server needs only its public part."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    from bluezone.cli.history import key_text

    private = X25519PrivateKey.generate()
    return {
        "inquiry_key": key_text(private.private_bytes_raw()), "public": private.public_key().public_bytes_raw().hex()
    }  # fmt: skip


@inquiry_key.command("set")
@data_option
@click.argument("public")
@prints_result(lambda result: (f"minutes of issue are sealed for {result['public'][:16]}… from now on",))
def set_inquiry_key(data: str | None, public: str) -> dict[str, Any]:
    """Seal the minutes of all codes from now on for the key with the public part PUBLIC; the audit records it."""
    _open_with_office(data)
    from django.utils import timezone

    from bluezone.healthauthority.codes import inquiries

    inquiries.set_inquiry_key(public, timezone.now())
    return {"public": public}


def _minute_lines(result: dict[str, Any]) -> Iterable[str]:
    for row in result["codes"]:
        yield f"{row['minute'] or 'not sealed for this key'}  {row['mark']}  {row['worker']}  {row['facility']}"


@inquiry_key.command("open")
@data_option
@click.argument("day", type=click.DateTime(["%Y-%m-%d"]))
@click.argument("mark")
@prints_result(_minute_lines)
def open_minutes(data: str | None, day: datetime.datetime, mark: str) -> dict[str, Any]:
    """Print in which minute of DAY the code with MARK was issued; asks for the key, and the audit records it."""
    server = _open_with_office(data)
    from bluezone.cli.history import RecoveryKeyInvalid, read_key
    from bluezone.healthauthority.codes import inquiries

    try:
        private = read_key(click.prompt("Key for inquiries", hide_input=True, err=True))
    except RecoveryKeyInvalid:
        raise inquiries.InquiryKeyInvalid("17 groups of 4 digits and letters a to f were expected") from None
    zone = ZoneInfo(server.city.zone)
    rows = inquiries.open_issue_minutes(private, day.date(), mark)
    return {
        "codes": [
            {
                "mark": row.mark,
                "worker": row.worker,
                "facility": row.facility,
                "minute": row.minute.astimezone(zone).strftime("%Y-%m-%d %H:%M") if row.minute else None,
            }
            for row in rows
        ]
    }


def _open_with_office(data: str | None) -> Any:
    """The key server of the data folder, with the office ready for quota and audit."""
    from bluezone.city import data_folder
    from bluezone.keyserver.service import KeyServer
    from bluezone.server.preparation import prepare_office

    folder: Path = data_folder(data).resolve()
    server = KeyServer.open(folder)
    prepare_office(folder)
    return server
