# SPDX-License-Identifier: Apache-2.0
"""`bluezone export`: show the content of a file of published keys, and verify its signature."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bluezone.cli.output import Failed, prints_result
from bluezone.refusal import Refused

if TYPE_CHECKING:
    from bluezone.protocol.exports.files import Export
    from bluezone.protocol.keys import DiagnosisKey


FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

SHOWN_KEYS = 20


class InvalidPublicKey(Refused):
    """The public key file is not the PEM of a P-256 public key."""

    code = "public_key_invalid"


@click.group()
def export() -> None:
    """Files of published keys."""


def _export_lines(result: dict[str, Any]) -> Iterable[str]:
    yield f"region {result['region'] or '-'}, {result['start']}..{result['end']}, signature {result['signature']}"
    yield f"{len(result['keys'])} keys, {len(result['revised_keys'])} revised"
    for key in result["keys"][:SHOWN_KEYS]:
        yield f"{key['key']}  start {key['start']}  period {key['period']}  report type {key['report_type']}"
    if len(result["keys"]) > SHOWN_KEYS:
        yield f"... and {len(result['keys']) - SHOWN_KEYS} more (--json prints all)"


@export.command()
@click.argument("file", type=FILE)
@click.option("--public-key", "public_key_file", type=FILE, help="PEM of the key that should have signed it.")
@prints_result(_export_lines)
def inspect(file: Path, public_key_file: Path | None) -> dict[str, Any]:
    """Print the content of an export (zip or bare export.bin); fails if its signature is not of the given key."""
    from bluezone.protocol.exports.files import read_export

    public_key = _public_key(public_key_file) if public_key_file else None
    read = read_export(file.read_bytes())
    result = {
        "region": read.region,
        "start": read.start_timestamp,
        "end": read.end_timestamp,
        "batch_num": read.batch_num,
        "batch_size": read.batch_size,
        "signature": _signature(read, public_key),
        "keys": [_key(key) for key in read.keys],
        "revised_keys": [_key(key) for key in read.revised_keys],
    }
    if result["signature"] == "invalid":
        raise Failed(result)
    return result


def _signature(read: "Export", public_key: bytes | None) -> str:
    from bluezone.protocol.exports.files import verify_export

    if public_key is not None:
        return verify_export(read, public_key)
    return "unchecked" if read.signatures else "absent"


def _public_key(path: Path) -> bytes:
    from bluezone.protocol import primitives

    try:
        return primitives.read_p256_pem(path.read_text("utf-8", errors="replace"))
    except primitives.InvalidPublicKey as refused:
        raise InvalidPublicKey(f"{path.name}: {refused}") from None


def _key(key: "DiagnosisKey") -> dict[str, Any]:
    return {
        "key": key.key.hex(),
        "start": key.start,
        "period": key.period,
        "level": key.transmission_risk_level,
        "report_type": key.report_type,
        "days_since_onset": key.days_since_onset,
    }
