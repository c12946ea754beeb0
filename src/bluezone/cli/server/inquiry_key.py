# SPDX-License-Identifier: Apache-2.0
"""`bluezone inquiry-key`: the key that reveals in which minute a code was issued."""

import datetime
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

import click

from bluezone.cli.folder import data_option, open_with_office
from bluezone.cli.output import prints_result


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

    from bluezone.cli.server.recovery_key import key_text

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
    open_with_office(data)
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
    server = open_with_office(data)
    from bluezone.cli.server.recovery_key import RecoveryKeyInvalid, read_key
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
