# SPDX-License-Identifier: Apache-2.0
"""`bluezone match`: match the keys of export files against sightings."""

import csv
import io
import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import click

from bluezone.cli.output import prints_result
from bluezone.refusal import Refused

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

COLUMNS = ["identifier", "unix_seconds", "rssi_dbm", "metadata"]


class InvalidSightings(Refused):
    """A row of the sightings file does not match its header."""

    code = "sightings_invalid"


class SightingRow(NamedTuple):
    """A row of a sightings file. identifier: 16 bytes. metadata: 4 encrypted bytes, or empty."""

    identifier: bytes
    unix_seconds: int
    rssi_dbm: int
    metadata: bytes


def _match_lines(result: dict[str, Any]) -> Iterable[str]:
    for match in result["matches"]:
        attenuation = "-" if match["attenuation_db"] is None else f"{match['attenuation_db']} dB"
        yield f"{match['unix_seconds']}  {match['identifier']}  key {match['key']}  attenuation {attenuation}"
    yield (
        f"{result['keys']} keys, {result['sightings']} sightings, {len(result['matches'])} matches "
        f"in {result['seconds']} s ({result['kernel']})"
    )


@click.command()
@click.option(
    "--export", "exports", type=FILE, multiple=True, required=True, help="Export file; may be given more than once."
)
@click.option("--sightings", "sightings_file", type=FILE, required=True, help="CSV: " + ",".join(COLUMNS))
@click.argument("more_exports", nargs=-1, type=FILE)
@prints_result(_match_lines)
def match(exports: tuple[Path, ...], sightings_file: Path, more_exports: tuple[Path, ...]) -> dict[str, Any]:
    """Match the keys of export files against sightings; a sighting counts within two hours of its identifier."""
    from bluezone.protocol.exports.columns import KeyColumns
    from bluezone.protocol.exports.files import read_export
    from bluezone.protocol.matching import SightingIndex

    sightings = read_sightings(sightings_file.read_text(encoding="utf-8-sig", errors="replace"))
    keys = KeyColumns.concatenate([read_export(file.read_bytes()).columns for file in (*exports, *more_exports)])
    before = time.perf_counter()
    identifiers = b"".join(row.identifier for row in sightings)
    index = SightingIndex(identifiers, [row.unix_seconds for row in sightings])
    matches = index.match(keys)
    seconds = time.perf_counter() - before
    pairs = [(match.sighting_row, match.key_row) for match in matches]
    # The same key is often in several files; the first one counts.
    first_by_pair = {(row, keys.key(key_row)): None for row, key_row in sorted(pairs)}
    return {
        "keys": len(set(map(keys.key, range(len(keys))))),
        "sightings": len(sightings),
        "matches": _matches(first_by_pair, sightings),
        "seconds": round(seconds, 6),
        "kernel": index.implementation,
    }


def _matches(pairs: Iterable[tuple[int, bytes]], sightings: list[SightingRow]) -> list[dict[str, Any]]:
    """The matches as the command prints them. pairs: a row of `sightings`, and the key that made its identifier."""
    from bluezone.protocol.identifiers import attenuation_db, crypt_metadata

    matches = []
    for row, key in pairs:
        sighting = sightings[row]
        metadata = crypt_metadata(key, sighting.identifier, sighting.metadata) if sighting.metadata else b""
        matches.append(
            {
                "key": key.hex(),
                "identifier": sighting.identifier.hex(),
                "unix_seconds": sighting.unix_seconds,
                "rssi_dbm": sighting.rssi_dbm,
                "attenuation_db": attenuation_db(metadata, sighting.rssi_dbm),
            }
        )
    return matches


def read_sightings(text: str) -> list[SightingRow]:
    """Read the rows of a sightings file. Raises InvalidSightings with the number of the wrong line."""
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        if [name.strip() for name in next(reader, [])] != COLUMNS:
            raise InvalidSightings(f"line 1 is not the header {','.join(COLUMNS)}")
        return [_row([field.strip() for field in fields], reader.line_num) for fields in reader if fields]
    except csv.Error:
        raise InvalidSightings(f"line {reader.line_num} is not CSV") from None


def _row(fields: list[str], line: int) -> SightingRow:
    if len(fields) != len(COLUMNS):
        raise InvalidSightings(f"line {line} has {len(fields)} fields, expected {len(COLUMNS)}")
    patterns = (r"[0-9A-Fa-f]{32}", r"[0-9]{1,11}", r"[+-]?[0-9]{1,4}", r"([0-9A-Fa-f]{8})?")
    for name, pattern, field in zip(COLUMNS, patterns, fields, strict=True):
        if not re.fullmatch(pattern, field):
            raise InvalidSightings(f"line {line}: {name} is malformed")
    identifier, unix_seconds, rssi_dbm, metadata = fields
    return SightingRow(bytes.fromhex(identifier), int(unix_seconds), int(rssi_dbm), bytes.fromhex(metadata))
