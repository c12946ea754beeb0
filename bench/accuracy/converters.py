# SPDX-License-Identifier: Apache-2.0
"""Collections made of something else: recordings in another form, meetings composed of them, and drawn ones.

    .venv/bin/python -m bench.accuracy.converters stretches FOLDER OUTPUT          pc-ng/rss_HumanHuman as it is
    .venv/bin/python -m bench.accuracy.converters composed FOLDER OUTPUT [SEED]    meetings composed of its stretches
    .venv/bin/python -m bench.accuracy.converters drawn OUTPUT                     the small collection that ships

Composed and drawn collections say in collection.toml that they are synthetic: nobody measured those meetings.
"""

import csv
import math
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from bench.accuracy.phones import WINDOW_SECONDS
from bench.accuracy.recordings import Collection, Phone, write_collection
from numpy.typing import NDArray

from bluezone.protocol.risk.assessment import load_profile
from bluezone.protocol.risk.profile import Nearness
from bluezone.radio.calibration import HAND_TO_HAND_1M_DB, calibration

RECORDINGS = "pc-ng/rss_HumanHuman (MIT), P. C. Ng, P. Spachos, K. N. Plataniotis, arXiv 2005.13754"
BURST_SECONDS = 4.0
PERIOD_SECONDS = 30.0

Stretch = NDArray[np.float64]  # shape (packets, 2): seconds, dBm


def read_stretches(folder: Path) -> dict[tuple[str, str, float], Stretch]:
    """Packets by carriage, receiving phone and distance (m); the files of one recording are put together again."""
    rows: dict[tuple[str, str, float], list[tuple[float, float]]] = defaultdict(list)
    for path in sorted(folder.glob("*/*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                key = (path.parent.name, row["device"], int(row["dist"]) / 100)
                rows[key].append((float(row["elapsed"]), float(row["rss"])))
    return {key: np.array(sorted(packets)) for key, packets in sorted(rows.items())}


def stretches(folder: Path, without: str | None = None) -> Collection:
    """Each recording of two people who stand still as a meeting of its own, listened to without a pause."""
    collection = Collection("rss_HumanHuman, static stretches", RECORDINGS, synthetic=False)
    known = read_stretches(folder)
    begins = 0.0
    for carriage, metres in sorted({(carriage, metres) for carriage, _, metres in known if carriage != without}):
        devices = [device for kind, device, distance in known if (kind, distance) == (carriage, metres)]
        names = [f"{carriage} {metres:g} m {place}" for place in ("a", "b")]
        lasts = 0.0
        for name in names:
            collection.phones[name] = Phone(name, calibration("virtual"))
        for device, name, other in zip(devices, names, reversed(names), strict=False):
            packets = known[carriage, device, metres]
            seconds = packets[:, 0] - packets[0, 0]
            for burst in sorted({int(at // BURST_SECONDS) for at in seconds}):
                within = packets[(seconds // BURST_SECONDS).astype(int) == burst, 1]
                number = int(begins // BURST_SECONDS) + burst + 1
                collection.phones[name].bursts[number] = begins + burst * BURST_SECONDS
                collection.phones[name].frames[number] = [(other, int(rssi)) for rssi in within]
            lasts = max(lasts, float(seconds[-1]) + BURST_SECONDS)
        collection.truth[names[0], names[1]] = ([begins, begins + lasts], [metres, None])
        # Each begins with a window of five minutes, so that one stretch is one window.
        begins += (math.ceil(lasts / WINDOW_SECONDS) + 1) * WINDOW_SECONDS
    return collection


def composed(
    folder: Path,
    *,
    meetings: int = 400,
    pair_db: float = 3.5,
    direction_db: float = 5.2,
    seed: int | tuple[int, ...] = 1,
    legs: Callable[[np.random.Generator], list[tuple[float, float]]] | None = None,
) -> Collection:
    """Meetings of legs at changing distances, each leg made of the packets of a recording at the nearest distance.

    Each carriage and phone is first moved to our zero, then each meeting and direction shifted by an offset of
    published size, since two people of two recordings are no population. Beyond 5 m the profile's far slope is added.

    legs: draws a meeting's legs, seconds in whole scan periods and metres; None for the profile's prior.
    """
    rng = np.random.default_rng(seed)
    collection = Collection("meetings composed of rss_HumanHuman", RECORDINGS, synthetic=True)
    known, model = read_stretches(folder), load_profile("covid-19").nearness
    assert model is not None
    levels = _levels_at_1m(known, model)
    sides = sorted({(carriage, device) for carriage, device, _ in known})
    # Shifted like phones that only a public table knows, and known as such.
    radio = replace(calibration("virtual"), confidence=1)
    for number in range(meetings):
        carriage, device = sides[rng.integers(len(sides))]
        names = (f"m{number}a", f"m{number}b")
        for name in names:
            collection.phones[name] = Phone(name, radio)
        # Each meeting has its own stretch of time, so that nobody hears anybody else.
        begins, pair = number * 5_400.0 % 72_000, rng.normal(0, pair_db)
        drawn_legs = legs(rng) if legs else _legs(rng, math.exp(rng.uniform(math.log(3), math.log(60))) * 60, model)
        starts = np.cumsum([0.0, *(seconds for seconds, _ in drawn_legs)])
        collection.truth[names] = (
            [begins + at for at in starts.tolist()],
            [*(metres for _, metres in drawn_legs), None],
        )
        for name, other in (names, reversed(names)):
            offset = pair + rng.normal(0, direction_db)
            phone = collection.phones[name]
            for at, (seconds, metres) in zip(starts, drawn_legs, strict=False):
                distances = [distance for kind, phone_, distance in known if (kind, phone_) == (carriage, device)]
                nearest = min(distances, key=lambda distance: abs(math.log(distance / metres)))
                packets = known[carriage, device, nearest]
                beyond = model.far_slope_db * max(math.log10(metres / nearest), 0.0) if nearest >= max(distances) else 0
                lost = offset + beyond + HAND_TO_HAND_1M_DB - levels[carriage, device]
                for tick in range(int(seconds // PERIOD_SECONDS)):
                    burst_at = begins + float(at) + tick * PERIOD_SECONDS
                    number_ = int(burst_at // PERIOD_SECONDS) + 1
                    from_ = rng.integers(max(len(packets) - 8, 1))
                    heard = np.rint(packets[from_ : from_ + 8, 1] - lost).astype(int)
                    phone.bursts.setdefault(number_, burst_at)
                    phone.frames[number_] = [(other, int(rssi)) for rssi in heard if rssi >= -105]
    return collection


def drawn(*, people: int = 6, minutes: int = 40, seed: int = 7) -> Collection:
    """A room in which people move between places: the profile's own model turned round, so no test of that model."""
    rng = np.random.default_rng(seed)
    collection = Collection(
        "drawn from the model, to try the bench out", "bench/accuracy/converters.py", synthetic=True
    )
    model, radio = load_profile("covid-19").nearness, calibration("virtual")
    assert model is not None
    names = [f"p{number}" for number in range(people)]
    bursts = int(minutes * 60 / PERIOD_SECONDS)
    place = np.repeat(rng.uniform(0, 1, (people, math.ceil(bursts / 16), 2)) * (7, 4), 16, axis=1)[:, :bursts]
    for name in names:
        phone = collection.phones[name] = Phone(name, radio)
        phone.bursts = {burst + 1: 60 + burst * PERIOD_SECONDS for burst in range(bursts)}
    for one in range(people):
        for other in range(one + 1, people):
            metres = np.maximum(np.hypot(*(place[one] - place[other]).T), 0.3)
            times = [60 + burst * PERIOD_SECONDS for burst in range(bursts)]
            collection.truth[names[one], names[other]] = (
                [*times, times[-1] + PERIOD_SECONDS],
                [*np.round(metres, 2).tolist(), None],
            )
            pair = rng.normal(0, model.pair_db)
            for listener, sender in ((one, other), (other, one)):
                shift = pair + rng.normal(0, model.direction_db)
                for burst in range(bursts):
                    level = model.attenuation_db(float(metres[burst])) + shift + rng.normal(0, model.burst_db)
                    heard = [round(radio.effective_power_dbm - level - rng.normal(0, 2)) for _ in range(2)]
                    collection.phones[names[listener]].frames[burst + 1] += [
                        (names[sender], rssi) for rssi in heard if rssi >= -105
                    ]
    return collection


def _levels_at_1m(known: dict[tuple[str, str, float], Stretch], model: Nearness) -> dict[tuple[str, str], float]:
    """Attenuation at 1 m of each carriage and phone, taken for the virtual adapter: least squares on the curve."""
    power = calibration("virtual").effective_power_dbm
    residuals: dict[tuple[str, str], list[float]] = defaultdict(list)
    for (carriage, device, metres), packets in known.items():
        at_1m = power - packets[:, 1].mean() - (model.attenuation_db(metres) - model.at_1m_db)
        residuals[carriage, device].append(float(at_1m))
    return {side: float(np.mean(values)) for side, values in residuals.items()}


def _legs(rng: np.random.Generator, seconds: float, model: Nearness) -> list[tuple[float, float]]:
    """Legs of a meeting: seconds in whole scan periods, and metres drawn from the profile's prior."""
    legs: list[tuple[float, float]] = []
    left = max(round(seconds / PERIOD_SECONDS), 2)
    while left > 0:
        periods = min(max(round(rng.exponential(600) / PERIOD_SECONDS), 1), left)
        metres = math.exp(rng.uniform(math.log(model.nearest_m), math.log(model.farthest_m)))
        legs.append((periods * PERIOD_SECONDS, metres))
        left -= periods
    return legs


def main(arguments: list[str]) -> None:
    """See the module's text."""
    kind, *folders = arguments
    if kind == "drawn":
        write_collection(drawn(), Path(folders[0]))
    elif kind == "stretches":
        write_collection(stretches(Path(folders[0])), Path(folders[1]))
    else:
        seed = int(folders[2]) if len(folders) > 2 else 1
        write_collection(composed(Path(folders[0]), seed=seed), Path(folders[1]))


if __name__ == "__main__":
    main(sys.argv[1:])
