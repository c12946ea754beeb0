# SPDX-License-Identifier: Apache-2.0
"""Effective transmit power and receiver correction of each adapter and phone model, all at one zero.

attenuation = effective power of the sender - (RSSI + correction of the receiver). The zero is that of Google's public
table: two phones that it corrects, held in the hand 1 m apart, read an attenuation of 54 dB (docs/radio.md, "One
zero"). The shipped figures are in calibrations.toml; each source there says what its own rig reads at that place, and
what is read at another zero is moved to this one when the table is loaded.
"""

import json
import os
import statistics
import tomllib
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from bluezone.refusal import Refused

HAND_TO_HAND_1M_DB = 54
# What the owner's file was measured against before it said so.
_UNNAMED_ZERO_DB = 61
FILE_VARIABLE = "BLUEZONE_RADIO_CALIBRATION"


class InvalidCalibration(Refused):
    """The calibration file cannot be used."""

    code = "calibration_invalid"


@dataclass(frozen=True)
class Calibration:
    """What is known of one adapter model.

    effective_power_dbm:     -50..20, sent (encrypted) with every identifier.
    receiver_correction_db:  -40..40, added to each RSSI this adapter measures.
    confidence:              0 never calibrated, 1 two of a kind against each other or taken from another rig's table,
                             2 against a calibrated adapter, 3 on the rig of the shipped measurements.
    """

    effective_power_dbm: int
    receiver_correction_db: int
    confidence: int

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("effective_power_dbm", self.effective_power_dbm, -50, 20),
            ("receiver_correction_db", self.receiver_correction_db, -40, 40),
            ("confidence", self.confidence, 0, 3),
        ):
            if type(value) is not int or not low <= value <= high:
                raise InvalidCalibration(f"{name} is {value!r}, expected a whole number in {low}..{high}")


SHIPPED_FILE = Path(__file__).with_name("calibrations.toml")


def calibration(model: str) -> Calibration:
    """Return the calibration of `model`: the owner's measurement, else the shipped table, else `uncalibrated`."""
    return own_calibrations().get(model) or shipped_calibrations().get(model) or uncalibrated()


@cache
def uncalibrated() -> Calibration:
    """What is assumed of a phone nobody measured: the medians of the phones in the shipped table, confidence 0."""
    phones = [known for model, known in shipped_calibrations().items() if known.confidence == 1]
    return Calibration(
        round(statistics.median(known.effective_power_dbm for known in phones)),
        round(statistics.median(known.receiver_correction_db for known in phones)),
        0,
    )


@cache
def shipped_calibrations() -> dict[str, Calibration]:
    """The table that comes with the program, by model."""
    return read_table(tomllib.loads(SHIPPED_FILE.read_text(encoding="utf-8")))


def read_table(table: dict[str, Any]) -> dict[str, Calibration]:
    """Read a table shaped like calibrations.toml and move each row to our zero.

    Raises InvalidCalibration for a row whose source does not say what it reads hand to hand at 1 m.
    """
    rows = {}
    for row in table["models"]:
        zero_db = table["sources"].get(row["source"], {}).get("hand_to_hand_1m_db")
        if type(zero_db) is not int:
            raise InvalidCalibration(f"{row['model']!r}: its source names no hand_to_hand_1m_db, its zero is unknown")
        rows[row["model"]] = at_our_zero(
            Calibration(row["effective_power_dbm"], row["receiver_correction_db"], row["confidence"]), zero_db
        )
    return rows


def at_our_zero(known: Calibration, zero_db: int) -> Calibration:
    """Move figures whose rig reads `zero_db` hand to hand at 1 m; all of the difference goes to the sender's power."""
    return replace(known, effective_power_dbm=known.effective_power_dbm + HAND_TO_HAND_1M_DB - zero_db)


def effective_power_dbm(model: str) -> int:
    """Effective transmit power to put into the metadata, dBm."""
    return calibration(model).effective_power_dbm


def receiver_correction_db(model: str) -> int:
    """What to add to an RSSI measured by this model, dB."""
    return calibration(model).receiver_correction_db


def confidence(model: str) -> int:
    """Calibration confidence 0..3, for the two bits of the metadata."""
    return calibration(model).confidence


def calibration_file() -> Path:
    """Where `bluezone radio calibrate` writes: $BLUEZONE_RADIO_CALIBRATION or the user's configuration folder."""
    if chosen := os.environ.get(FILE_VARIABLE):
        return Path(chosen)
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "bluezone" / "radio.json"


def own_calibrations() -> dict[str, Calibration]:
    """Calibrations the owner measured, by model; empty if there is no file. Raises InvalidCalibration."""
    path = calibration_file()
    try:
        return _parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidCalibration(f"{path} cannot be read: {error}") from error


def write_own_calibration(model: str, measured: Calibration) -> Path:
    """Add or replace one model in the owner's file; the others stay. Raises InvalidCalibration."""
    table = own_calibrations() | {model: measured}
    path = calibration_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    zero = {"hand_to_hand_1m_db": HAND_TO_HAND_1M_DB}
    text = json.dumps({name: asdict(known) | zero for name, known in sorted(table.items())}, indent=2)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(text + "\n", encoding="utf-8")
    unfinished.replace(path)
    return path


@cache
def _parse(text: str) -> dict[str, Calibration]:
    try:
        table = json.loads(text)
        return {
            str(model): at_our_zero(Calibration(**known), zero_db)
            for model, known in table.items()
            for zero_db in [known.pop("hand_to_hand_1m_db", _UNNAMED_ZERO_DB)]
        }
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidCalibration(f"the calibration file is not a table of models: {error}") from error
