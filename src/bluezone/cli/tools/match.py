# SPDX-License-Identifier: Apache-2.0
"""Commands to inspect files and figures: `bluezone ids`, `match`, `export`, `exposure`, `bench` and `letter`."""

import csv
import importlib.util
import io
import re
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from bluezone.cli.output import Failed, prints_result
from bluezone.refusal import Refused

if TYPE_CHECKING:
    from bluezone.protocol.exports.files import Export
    from bluezone.protocol.keys import DiagnosisKey


FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
COLUMNS = ["identifier", "unix_seconds", "rssi_dbm", "metadata"]

SHOWN_KEYS = 20

BENCH_FOLDER = Path(__file__).parents[4] / "bench"


class InvalidSightings(Refused):
    """A row of the sightings file does not match its header."""

    code = "sightings_invalid"


class SightingRow(NamedTuple):
    """One row: identifier of 16 bytes, Unix seconds, dBm, and 4 bytes of encrypted metadata or none."""

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
            raise InvalidSightings(f"line {line}: {name} is not what it should be")
    identifier, unix_seconds, rssi_dbm, metadata = fields
    return SightingRow(bytes.fromhex(identifier), int(unix_seconds), int(rssi_dbm), bytes.fromhex(metadata))


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


class BenchMissing(Refused):
    """There is no such bench here: benches are part of the repository, not of an installed package."""

    code = "bench_missing"


def _bench_lines(result: dict[str, Any]) -> Iterable[str]:
    yield f"{result['name']}: {result['value']} {result['unit']}"
    yield f"  baseline {result['baseline']}, ratio {result['ratio']}"
    for key, value in result.items():
        if key not in {"name", "value", "unit", "baseline", "ratio"}:
            yield f"  {key}: {value}"


@click.command()
@click.argument("name")
@click.argument("sizes", nargs=-1, type=click.IntRange(min=1))
@click.option(
    "--recordings",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="For accuracy: a collection of recordings (docs/accuracy.md).",
)
@click.option("--cases-a-day", type=click.FloatRange(min=0.1, max=300), help="For linking: one rate; all if not given.")
@click.option("--seed", type=click.IntRange(min=0), help="For linking: selects the invented cities.")
@click.option("--hold-hours", type=click.IntRange(0, 24), help="For linking: how long the city holds keys back.")
@click.option(
    "--manners",
    type=click.Choice(["usual", "prompt", "late", "unused", "weekend", "one-place", "three-places", "drawn"]),
    help="For linking: how people behave; drawn: everything by chance, from the seed.",
)
@click.option("--cases", type=click.IntRange(min=1), help="For linking: how many cases are evaluated at least.")
@prints_result(_bench_lines)
def bench(
    name: str,
    sizes: tuple[int, ...],
    recordings: Path | None,
    cases_a_day: float | None,
    seed: int | None,
    hold_hours: int | None,
    manners: str | None,
    cases: int | None,
) -> dict[str, Any]:
    """Run a bench: matching, phone, export, upload, verify, retention, air, idle, gate, airings, speakers, sms, pages,
    front, hostile, start, publish-day, plan, million, yield; linking, what copies of the stores reveal about who
    reported; accuracy, how well near is distinguished from far; letters, how well letters are read; and scenarios, who
    is warned after which meeting, which takes an hour.

    SIZES, of `phone`: how many neighbours it has; 2, 10, 40 and 200 by default. Of `plan`: how many people. Of
    `million`, a whole plan for a million people: how many seeds."""
    module_name = f"bench_{name.replace('-', '_')}"
    path = BENCH_FOLDER / f"{module_name}.py"
    if not module_name.isidentifier() or not path.is_file():
        raise BenchMissing(f"no bench named {name!r} with this installation")
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None
    assert spec.loader is not None
    # Benches of several files import each other by their folder's name.
    sys.path.insert(0, str(BENCH_FOLDER.parent))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    if sizes and not hasattr(module, "SIZES"):
        raise click.UsageError(f"the bench {name} has one size only")
    options = {
        "recordings": recordings, "cases_a_day": cases_a_day, "seed": seed, "manners": manners,
        "hold_hours": hold_hours, "cases": cases,
    }  # fmt: skip
    chosen = {option: value for option, value in options.items() if value is not None}
    result: dict[str, Any] = module.run(lambda line: click.echo(line, err=True), *sizes, **chosen)
    return result


@click.group()
def exposure() -> None:
    """Score encounters with cases."""


def _exposure_lines(result: dict[str, Any]) -> Iterator[str]:
    for day in result["days"]:
        yield f"{day['day']}  {day['level']:<4}  score {day['score']:g}  about {day['minutes']} minutes"
    yield f"risk: {result['level']}"


@exposure.command()
@click.option("--profile", default="covid-19", show_default=True, help="Disease profile: covid-19, cwa, or a file.")
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="Local date from which ages count.  [default: today]")
@click.option(
    "--windows",
    "windows_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON list of exposure windows.",
)
@prints_result(_exposure_lines)
def score(profile: str, today: datetime | None, windows_file: Path) -> dict[str, Any]:
    """Score the days of a list of exposure windows.

    FILE is a list shaped like `exposureWindows` of the Corona-Warn-App's published test cases, and a profile may be
    its configuration object (JSON) instead of one of ours (TOML).
    """
    from bluezone.protocol.risk.assessment import assess, load_profile
    from bluezone.protocol.risk.coronawarnapp import read_windows

    local_date = (today or datetime.now().astimezone()).date()
    windows = read_windows(windows_file.read_bytes(), local_date)
    assessment = assess(windows, load_profile(profile), local_date)
    return {
        "level": assessment.level,
        "days": [
            {"day": day.day.isoformat(), "score": day.score, "level": day.level, "minutes": day.minutes}
            for day in assessment.days
        ],
    }


@click.group()
def letter() -> None:
    """Check the seal of an administrative letter, without the office that sent it."""


def _seal_lines(result: dict[str, Any]) -> Iterable[str]:
    yield f"{result['issuer']}: {result['number']} of {result['date']}, {result['subject']}"
    yield f"sent to {result['recipients']} agencies; the signer confirmed {result['confirmed']}"
    for file in result["files"]:
        yield f"{file['sha256']}  {file['name'] or 'the PDF with the signature'}  {file['state']}"
    for name in result["others"]:
        yield f"{name} is not a file of this letter"
    verdicts = {None: "compare it by telephone", True: "the key given", False: "NOT the key given"}
    yield f"seal {result['seal']} fits; its key is {result['key']}: {verdicts[result['key_fits']]}"


@letter.command()
@click.argument("seal", type=FILE)
@click.argument("files", nargs=-1, type=FILE)
@click.option("--key", metavar="SHA256", help="The key's SHA-256 as the office gave it; spaces do not matter.")
@prints_result(_seal_lines)
def check(seal: Path, files: tuple[Path, ...], key: str | None) -> dict[str, Any]:
    """Check a letter by its SEAL, a file from the letter's page, and that FILES were sent with it."""
    import hashlib

    from bluezone.letters.files.seals import read_seal

    sealed = read_seal(seal.read_bytes())
    digests = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    others = [name for name, digest in digests.items() if digest not in sealed.files]
    expected = "".join((key or "").split()).lower()
    result = {
        "issuer": sealed.letter["issuer"],
        "subject": sealed.letter["subject"],
        "number": f"{sealed.seal['number']}/{sealed.seal['notation']}",
        "date": sealed.seal["date"],
        "recipients": len(sealed.seal["sent_to"]),
        "confirmed": sealed.seal["confirmed"],
        "seal": sealed.digest,
        "files": [
            {"sha256": digest, "name": name, "state": "as sent" if digest in digests.values() else "not given"}
            for digest, name in sealed.files.items()
        ],
        "others": others,
        "key": sealed.fingerprint,
        "key_fits": expected == sealed.fingerprint if expected else None,
    }
    if others or result["key_fits"] is False:
        raise Failed(result)
    return result
