# SPDX-License-Identifier: Apache-2.0
"""`bluezone ids`: the identifiers of a key."""

from collections.abc import Iterable
from typing import Any

import click

from bluezone.cli.output import prints_result


@click.group()
def ids() -> None:
    """Derive the identifiers a phone broadcasts."""


def _en_lines(result: dict[str, Any]) -> Iterable[str]:
    metadata = result["metadata"] or [""] * len(result["identifiers"])
    for identifier, encrypted in zip(result["identifiers"], metadata, strict=True):
        yield f"{identifier} {encrypted}".rstrip()


@ids.command()
@click.option("--key", type=bytes.fromhex, metavar="HEX", required=True, help="Temporary exposure key, 16 bytes.")
@click.option("--start", type=int, required=True, help="First interval number: Unix seconds // 600.")
@click.option("--count", type=int, default=144, show_default=True, help="Intervals of ten minutes, 1..144.")
@click.option(
    "--metadata", type=bytes.fromhex, metavar="HEX", help="4 bytes of metadata to encrypt for each identifier."
)
@prints_result(_en_lines)
def en(key: bytes, start: int, count: int, metadata: bytes | None) -> dict[str, Any]:
    """Exposure Notification v1.2: the identifiers of a daily key, and its encrypted metadata."""
    from bluezone.protocol.identifiers import crypt_metadata, rolling_proximity_identifiers

    identifiers = rolling_proximity_identifiers(key, start, count)
    encrypted = []
    if metadata is not None:
        encrypted = [crypt_metadata(key, identifier, metadata) for identifier in identifiers]
    return {"identifiers": [row.hex() for row in identifiers], "metadata": [row.hex() for row in encrypted]}


def _bluezone2020_lines(result: dict[str, Any]) -> Iterable[str]:
    yield f"daily key {result['daily_key']}"
    for index, (identifier, start_ms) in enumerate(zip(result["ids"], result["starts_ms"], strict=True)):
        yield f"{index:4} {start_ms} {identifier}" + ("  now" if index == result["index"] else "")


@ids.command()
@click.option("--base", type=bytes.fromhex, metavar="HEX", required=True, help="Base key, 32 bytes.")
@click.option("--created-ms", type=click.IntRange(min=0), required=True, help="When it was made, Unix milliseconds.")
@click.option("--at-ms", type=click.IntRange(min=0), required=True, help="The moment in question, Unix milliseconds.")
@click.option("--slots", type=int, default=96, show_default=True, help="Identifiers a day.")
@prints_result(_bluezone2020_lines)
def bluezone2020(base: bytes, created_ms: int, at_ms: int, slots: int) -> dict[str, Any]:
    """The Bluezone app of 2020: all identifiers of the UTC day of a moment."""
    from bluezone.protocol.bluezone2020 import bluezone_day

    day = bluezone_day(base, created_ms, at_ms, slots)
    return {
        "daily_key": day.daily_key.hex().upper(),
        "sub_key_0": day.sub_key_0.hex().upper(),
        "ids": [identifier.hex().upper() for identifier in day.identifiers],
        "starts_ms": list(day.starts_ms),
        "index": day.index,
    }
