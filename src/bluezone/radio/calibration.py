# SPDX-License-Identifier: Apache-2.0
"""Effective transmit power and receiver correction of each adapter and phone model.

The effective power is set so that two phones hand to hand at 1 m read an attenuation of 61 dB
(docs/protocol.md section 2): attenuation = effective power of the sender - (RSSI + correction of the receiver).
The shipped values are in calibrations.toml, each with its source; the values of Google's public table have another zero
point.
"""

import json
import os
import tomllib
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from bluezone.refusal import Refused

HAND_TO_HAND_1M_DB = 61
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


UNCALIBRATED = Calibration(-18, 0, 0)
SHIPPED_FILE = Path(__file__).with_name("calibrations.toml")


def calibration(model: str) -> Calibration:
    """Return the calibration of `model`: the owner's measurement, else the shipped table, else UNCALIBRATED."""
    return own_calibrations().get(model) or shipped_calibrations().get(model, UNCALIBRATED)


@cache
def shipped_calibrations() -> dict[str, Calibration]:
    """The table that comes with the program, by model."""
    table = tomllib.loads(SHIPPED_FILE.read_text(encoding="utf-8"))
    figures = ("effective_power_dbm", "receiver_correction_db", "confidence")
    return {row["model"]: Calibration(*(row[name] for name in figures)) for row in table["models"]}


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
    text = json.dumps({name: asdict(known) for name, known in sorted(table.items())}, indent=2)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(text + "\n", encoding="utf-8")
    unfinished.replace(path)
    return path


@cache
def _parse(text: str) -> dict[str, Calibration]:
    try:
        table = json.loads(text)
        return {str(model): Calibration(**known) for model, known in table.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidCalibration(f"the calibration file is not a table of models: {error}") from error
