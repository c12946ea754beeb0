# SPDX-License-Identifier: Apache-2.0
"""The seed: Bắc Kạn city as the letter of 7 August 2020 found it, and how its units ended in 2025."""

import datetime
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from bluezone.directory.kinds import AgencyKind, Purpose, UnitKind
from bluezone.directory.records.entries import AgencyEntry, Directory, GroupEntry, UnitEntry, Validity
from bluezone.refusal import Refused

# The day of the directive: what holds on it is what its "Kính gửi" means.
SEED_DAY = datetime.date(2020, 8, 7)


class SeedInvalid(Refused):
    """A seed file is no list of entries of the expected shape."""

    code = "seed_invalid"


def load_seed() -> Directory:
    """The directory that ships with the program. Raises SeedInvalid or DirectoryRefused when a file was damaged."""
    folder = resources.files("bluezone.directory") / "seeds"
    return read_seed((folder / "units.json").read_bytes(), (folder / "agencies.json").read_bytes())


def read_seed(units: bytes, agencies: bytes) -> Directory:
    """Build a directory from the two JSON documents; the shape is that of the files in `seeds/`.

    Raises SeedInvalid when they cannot be read, DirectoryRefused when the entries contradict each other.
    """
    try:
        unit_rows = json.loads(units)["units"]
        document = json.loads(agencies)
        return Directory.build(
            [_unit(row) for row in unit_rows],
            [_agency(row) for row in document["agencies"]],
            [_group(row) for row in document["groups"]],
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SeedInvalid(f"a seed file cannot be read: {type(error).__name__}") from error


def _unit(row: Mapping[str, Any]) -> UnitEntry:
    return UnitEntry(kind=UnitKind(row["kind"]), parent=row.get("parent"), **_shared(row))


def _agency(row: Mapping[str, Any]) -> AgencyEntry:
    return AgencyEntry(
        kind=AgencyKind(row["kind"]),
        unit=row["unit"],
        short_name=row.get("short_name", ""),
        edxml_id=row.get("edxml_id"),
        **_shared(row),
    )


def _group(row: Mapping[str, Any]) -> GroupEntry:
    return GroupEntry(row["key"], row["name"], tuple(row["members"]), Purpose(row["purpose"]))


def _shared(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "key": row["key"],
        "name": row["name"],
        "code": row.get("code"),
        "validity": Validity(_day(row.get("valid_from")), _day(row.get("valid_until"))),
        "successors": tuple(row.get("successors", ())),
        "confirmed": row.get("confirmed", True),
        "unconfirmed": tuple(row.get("unconfirmed", ())),
    }


def _day(text: str | None) -> datetime.date | None:
    return None if text is None else datetime.date.fromisoformat(text)
