# SPDX-License-Identifier: Apache-2.0
"""The model's assumptions, each with its source, and the draws of those that are uncertain."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bluezone.refusal import Refused

DISEASES: Final = ("covid-19", "influenza")
Value = float | list[Any]


class AssumptionInvalid(Refused):
    """A file of assumptions cannot be read, or a figure in it has no source or no value."""

    code = "assumption_invalid"


@dataclass(frozen=True)
class Assumption:
    """One figure. value: a number or (nested) list. low, high: each seed draws a value between them; None if fixed."""

    name: str
    value: Value
    source: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Assumptions:
    """Figures by name; `drawn` fixes the uncertain ones."""

    title_vi: str
    title_en: str
    figures: Mapping[str, Assumption]

    def number(self, name: str) -> float:
        """One number. Raises AssumptionInvalid if it is a list."""
        value = self.figures[name].value
        if not isinstance(value, int | float):
            raise AssumptionInvalid(f"{name} is a list, expected a number")
        return float(value)

    def array(self, name: str, *shape: int) -> NDArray[np.float64]:
        """An array of a shape. Raises AssumptionInvalid."""
        try:
            array = np.array(self.figures[name].value, dtype=np.float64)
        except ValueError:
            array = np.empty(0)
        if array.shape != shape:
            raise AssumptionInvalid(f"{name} has the shape {array.shape}, expected {shape}")
        return array

    def drawn(self, seed: int) -> "Assumptions":
        """A copy with each uncertain figure drawn evenly between its bounds; depends on name and seed only."""
        figures = {}
        for name, figure in self.figures.items():
            if figure.low is None or figure.high is None:
                figures[name] = figure
            else:
                value = figure.low + _share(name, seed) * (figure.high - figure.low)
                figures[name] = Assumption(name, value, figure.source)
        return Assumptions(self.title_vi, self.title_en, figures)

    def with_values(self, values: Mapping[str, Value]) -> "Assumptions":
        """A copy with other values, which are no longer drawn. Raises AssumptionInvalid for an unknown name."""
        unknown = sorted(set(values) - set(self.figures))
        if unknown:
            raise AssumptionInvalid(f"there is no assumption {unknown[0]!r}")
        changed = {name: Assumption(name, value, "set for this run") for name, value in values.items()}
        return Assumptions(self.title_vi, self.title_en, {**self.figures, **changed})

    @property
    def unknown(self) -> list[Assumption]:
        """The uncertain figures, which are drawn."""
        return [figure for figure in self.figures.values() if figure.low is not None]


def _share(name: str, seed: int) -> float:
    return int.from_bytes(blake2b(f"{name}/{seed}".encode(), digest_size=7).digest()) / 2**56


def read_assumptions(disease: str = "covid-19", more: Iterable[Path] = ()) -> Assumptions:
    """The figures of people and of a disease of DISEASES; files of `more` replace some of them.

    Raises AssumptionInvalid.
    """
    if disease not in DISEASES:
        raise AssumptionInvalid(f"there is no disease {disease!r}, expected one of: {' '.join(DISEASES)}")
    folder = resources.files("bluezone.planning") / "data"
    texts = {f"{name}.toml": (folder / f"{name}.toml").read_text("utf-8") for name in ("people", disease)}
    for path in more:
        try:
            texts[path.name] = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            raise AssumptionInvalid(f"{path.name} cannot be read") from None
    figures: dict[str, Assumption] = {}
    titles = {"title_vi": disease, "title_en": disease}
    for file, text in texts.items():
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise AssumptionInvalid(f"{file} is not TOML: {error}") from None
        titles |= {name: document[name] for name in titles if name in document}
        for name, table in document.items():
            if isinstance(table, dict):
                figures[name] = _figure(file, name, table)
    return Assumptions(titles["title_vi"], titles["title_en"], figures)


def _figure(file: str, name: str, table: Mapping[str, Any]) -> Assumption:
    value = table.get("value")
    source = table.get("source")
    if not isinstance(value, int | float | list) or isinstance(value, bool):
        raise AssumptionInvalid(f"{file}: {name} needs a value and a source")
    if not isinstance(source, str) or not source:
        raise AssumptionInvalid(f"{file}: {name} needs a value and a source")
    low = table.get("low")
    high = table.get("high")
    if low is None and high is None:
        return Assumption(name, value, source)
    if not isinstance(low, int | float) or not isinstance(high, int | float) or isinstance(value, list):
        raise AssumptionInvalid(f"{file}: {name} needs numbers as low and high, and one number as value")
    if not low <= value <= high:
        raise AssumptionInvalid(f"{file}: {name} is {value}, which is not between {low} and {high}")
    return Assumption(name, value, source, float(low), float(high))


@dataclass(frozen=True)
class WarningCurve:
    """The measured chance that a phone warns "high" after a meeting with a case: docs/accuracy.md.

    high: chances by name of the bound of "high", shape (4, 4): 0.3-1, 1-2, 2-4 and 4-12 m; 5-10, 10-25, 25-60 and 60+
    minutes. meetings: how many were assessed for each chance. source: of which recordings they are composed.
    """

    high: Mapping[str, NDArray[np.float64]]
    meetings: int
    source: str

    def drawn(self, bound: str, seed: int) -> NDArray[np.float64]:
        """The chances with a sampling error: all are shifted together, by at most two standard errors."""
        measured = self.high[bound]
        error = np.sqrt(np.maximum(measured * (1 - measured), 0.01) / self.meetings)
        return np.clip(measured + error * 2.0 * (2.0 * _share("warning", seed) - 1.0), 0.0, 1.0)


def read_warning_curve() -> WarningCurve:
    """The measured curve of this package. Written by tools/warning_curve.py."""
    text = (resources.files("bluezone.planning") / "data" / "warning.toml").read_text("utf-8")
    document = tomllib.loads(text)
    high = {bound: np.array(table, dtype=np.float64) for bound, table in document["high"].items()}
    return WarningCurve(high, int(document["meetings"]), str(document["source"]))
