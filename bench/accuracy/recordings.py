# SPDX-License-Identifier: Apache-2.0
"""A collection of recordings in a plain format: what phones heard of each other, and how far apart they really were.

One folder a collection, times in seconds from any beginning, distances in metres (docs/accuracy.md):

collection.toml  name, source, licence; synthetic = true where nothing was measured; hand_to_hand_1m_db where the
                 figures of phones.csv have another zero than ours.
phones.csv       phone,model,effective_power_dbm,receiver_correction_db,confidence
                 The last three may be empty: then the shipped table decides by the model.
bursts.csv       phone,burst,seconds: each scan burst of each phone; numbers rise with time.
frames.csv       phone,burst,sender,rssi_dbm: each frame that `phone` heard.
truth.csv        phone_a,phone_b,seconds,distance_m: from then on so far apart; empty: not known from then on.
"""

import bisect
import csv
import tomllib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bluezone.radio.calibration import HAND_TO_HAND_1M_DB, Calibration, InvalidCalibration, at_our_zero, calibration
from bluezone.refusal import Refused

HEADERS = {
    "phones.csv": ("phone", "model", "effective_power_dbm", "receiver_correction_db", "confidence"),
    "bursts.csv": ("phone", "burst", "seconds"),
    "frames.csv": ("phone", "burst", "sender", "rssi_dbm"),
    "truth.csv": ("phone_a", "phone_b", "seconds", "distance_m"),
}
_MOST_DAYS = 30


class InvalidRecordings(Refused):
    """A folder that is no collection of recordings; the message names the file and line."""

    code = "recordings_invalid"


@dataclass
class Phone:
    """One phone: how its radio measures, and its bursts. frames: for each burst, (sender, RSSI in dBm)."""

    name: str
    radio: Calibration
    bursts: dict[int, float] = field(default_factory=dict)
    frames: dict[int, list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))


@dataclass
class Collection:
    """Phones by name, and the distances of pairs: for (a, b) with a < b, rising seconds and metres (None: unknown)."""

    name: str
    source: str
    synthetic: bool
    phones: dict[str, Phone] = field(default_factory=dict)
    truth: dict[tuple[str, str], tuple[list[float], list[float | None]]] = field(default_factory=dict)

    def distance_m(self, one: str, other: str, seconds: float) -> float | None:
        """How far apart two phones were at a moment, None where nobody knows."""
        times, metres = self.truth.get((min(one, other), max(one, other)), ([], []))
        place = bisect.bisect_right(times, seconds) - 1
        return metres[place] if place >= 0 else None

    def minutes_within(self, one: str, other: str, metres: float) -> float | None:
        """Minutes two phones were within some metres, None where no distance of theirs is known."""
        times, distances = self.truth.get((min(one, other), max(one, other)), ([], []))
        if not any(distance is not None for distance in distances):
            return None
        ends = [*times[1:], max(self.end(), times[-1])]
        return (
            sum(
                end - start
                for start, end, distance in zip(times, ends, distances, strict=True)
                if distance is not None and distance <= metres
            )
            / 60
        )

    def end(self) -> float:
        """When the last burst of any phone began."""
        return max((max(phone.bursts.values()) for phone in self.phones.values() if phone.bursts), default=0.0)


def read_collection(folder: Path) -> Collection:
    """Read a folder. Raises InvalidRecordings."""
    about = _about(folder / "collection.toml")
    collection = Collection(about["name"], about.get("source", ""), bool(about.get("synthetic", False)))
    zero_db = about.get("hand_to_hand_1m_db", HAND_TO_HAND_1M_DB)
    for line, row in _rows(folder / "phones.csv"):
        collection.phones[row["phone"]] = Phone(row["phone"], _radio(row, zero_db, line))
    for line, row in _rows(folder / "bursts.csv"):
        phone = _phone(collection, row["phone"], "bursts.csv", line)
        phone.bursts[_whole(row["burst"], "bursts.csv", line)] = _number(row["seconds"], "bursts.csv", line)
    for line, row in _rows(folder / "frames.csv"):
        phone, burst = _phone(collection, row["phone"], "frames.csv", line), _whole(row["burst"], "frames.csv", line)
        _phone(collection, row["sender"], "frames.csv", line)
        if burst not in phone.bursts:
            raise InvalidRecordings(f"frames.csv line {line}: {phone.name} has no burst {burst} in bursts.csv")
        phone.frames[burst].append((row["sender"], round(_number(row["rssi_dbm"], "frames.csv", line))))
    samples: dict[tuple[str, str], list[tuple[float, float | None]]] = defaultdict(list)
    for line, row in _rows(folder / "truth.csv"):
        one, other = (_phone(collection, row[name], "truth.csv", line).name for name in ("phone_a", "phone_b"))
        metres = _number(row["distance_m"], "truth.csv", line) if row["distance_m"] else None
        samples[min(one, other), max(one, other)].append((_number(row["seconds"], "truth.csv", line), metres))
    for pair, known in samples.items():
        known.sort(key=lambda sample: sample[0])
        collection.truth[pair] = ([seconds for seconds, _ in known], [metres for _, metres in known])
    _check_times(collection)
    return collection


def write_collection(collection: Collection, folder: Path) -> None:
    """Write a collection as `read_collection` reads it."""
    folder.mkdir(parents=True, exist_ok=True)
    quoted = collection.source.replace('"', "'")
    (folder / "collection.toml").write_text(
        f'name = "{collection.name}"\nsource = "{quoted}"\nsynthetic = {str(collection.synthetic).lower()}\n'
        f"hand_to_hand_1m_db = {HAND_TO_HAND_1M_DB}\n",
        encoding="utf-8",
    )
    phones = collection.phones.values()
    _write(
        folder / "phones.csv",
        ((p.name, "", p.radio.effective_power_dbm, p.radio.receiver_correction_db, p.radio.confidence) for p in phones),
    )
    _write(folder / "bursts.csv", ((p.name, burst, round(at, 2)) for p in phones for burst, at in p.bursts.items()))
    _write(
        folder / "frames.csv",
        ((p.name, burst, sender, rssi) for p in phones for burst, heard in p.frames.items() for sender, rssi in heard),
    )
    _write(
        folder / "truth.csv",
        (
            (one, other, round(at, 2), "" if metres is None else round(metres, 3))
            for (one, other), (times, distances) in collection.truth.items()
            for at, metres in zip(times, distances, strict=True)
        ),
    )


def _write(path: Path, rows: Iterable[tuple[Any, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADERS[path.name])
        writer.writerows(rows)


def _about(path: Path) -> dict[str, Any]:
    try:
        about = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidRecordings(f"{path.name} cannot be read: {error}") from None
    if not isinstance(about.get("name"), str):
        raise InvalidRecordings(f"{path.name} names no collection")
    return about


def _rows(path: Path) -> Iterable[tuple[int, dict[str, str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = set(HEADERS[path.name]) - set(reader.fieldnames or ())
            if missing:
                raise InvalidRecordings(f"{path.name} has no column {sorted(missing)[0]!r}")
            for row in reader:
                yield reader.line_num, {name: (row[name] or "").strip() for name in HEADERS[path.name]}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidRecordings(f"{path.name} cannot be read: {error}") from None


def _radio(row: dict[str, str], zero_db: int, line: int) -> Calibration:
    figures = [row[name] for name in ("effective_power_dbm", "receiver_correction_db", "confidence")]
    if not any(figures):
        return calibration(row["model"])
    try:
        return at_our_zero(Calibration(*(_whole(figure, "phones.csv", line) for figure in figures)), zero_db)
    except InvalidCalibration as refused:
        raise InvalidRecordings(f"phones.csv line {line}: {refused.message}") from None


def _phone(collection: Collection, name: str, file: str, line: int) -> Phone:
    phone = collection.phones.get(name)
    if phone is None:
        raise InvalidRecordings(f"{file} line {line}: {name!r} is not in phones.csv")
    return phone


def _number(text: str, file: str, line: int) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not -1e9 < number < 1e12:
        raise InvalidRecordings(f"{file} line {line}: {text!r} is no number")
    return number


def _whole(text: str, file: str, line: int) -> int:
    return round(_number(text, file, line))


def _check_times(collection: Collection) -> None:
    for phone in collection.phones.values():
        phone.bursts = dict(sorted(phone.bursts.items(), key=lambda burst: burst[1]))
        if sorted(phone.bursts) != list(phone.bursts):
            raise InvalidRecordings(f"bursts.csv: the numbers of {phone.name} do not rise with time")
    starts = [next(iter(phone.bursts.values())) for phone in collection.phones.values() if phone.bursts]
    if starts and collection.end() - min(starts) > _MOST_DAYS * 86_400:
        raise InvalidRecordings(f"bursts.csv spans more than {_MOST_DAYS} days")
