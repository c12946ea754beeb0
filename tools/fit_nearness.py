# SPDX-License-Identifier: Apache-2.0
"""What recordings say about the constants of the profile's model of nearness, beside those that the profile has.

    .venv/bin/python tools/fit_nearness.py ../shared/data/rssi/rss_HumanHuman

Two people's recordings are no population: the fit tells whether the profile is of the right size, it does not write it.
Every carriage is left out once, so that what one of them decides alone is seen. Sources of what no recording here
holds (the offset of a pair, the flat far end, distances of people who meet) are in docs/risk.md.
Source: pc-ng/rss_HumanHuman (MIT), P. C. Ng, P. Spachos, K. N. Plataniotis, arXiv 2005.13754.
"""

import math
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.accuracy.converters import BURST_SECONDS, Stretch, read_stretches

from bluezone.protocol.risk.assessment import load_profile

Known = dict[tuple[str, str, float], Stretch]


def slope_db(known: Known, farthest_m: float) -> tuple[float, float]:
    """dB a decade up to a distance, each carriage and phone with a level of its own; and the scatter that is left."""
    sides = sorted({(carriage, device) for carriage, device, _ in known})
    rows, levels = [], []
    for (carriage, device, metres), packets in known.items():
        if metres <= farthest_m:
            indicator = [float((carriage, device) == side) for side in sides]
            rows.append([-math.log10(metres), *indicator])
            levels.append(packets[:, 1].mean())
    found, *_ = np.linalg.lstsq(np.array(rows), np.array(levels), rcond=None)
    left = np.array(levels) - np.array(rows) @ found
    return float(found[0]), float(left.std(ddof=len(found)))


def burst_db(known: Known) -> float:
    """Scatter of a burst's mean about the mean of its stretch."""
    scatter = []
    for packets in known.values():
        bursts = (packets[:, 0] // BURST_SECONDS).astype(int)
        means = [packets[bursts == burst, 1].mean() for burst in np.unique(bursts)]
        if len(means) >= 5:
            scatter.append(np.var(means, ddof=1))
    return math.sqrt(float(np.mean(scatter)))


def direction_db(known: Known) -> float:
    """Half the scatter between the two phones of a stretch, after each carriage's mean difference is taken away."""
    differences: dict[str, list[float]] = defaultdict(list)
    for carriage, metres in {(carriage, metres) for carriage, _, metres in known}:
        means = [packets[:, 1].mean() for (kind, _, at), packets in known.items() if (kind, at) == (carriage, metres)]
        if len(means) == 2:
            differences[carriage].append(float(means[0] - means[1]))
    scatter = [np.var(values, ddof=1) for values in differences.values() if len(values) > 2]
    return math.sqrt(float(np.mean(scatter)) / 2)


def main(folder: Path) -> None:
    """Print the fits, whole and with each carriage left out."""
    known = read_stretches(folder)
    model = load_profile("covid-19").nearness
    assert model is not None
    print(f"{'without':18} {'slope':>6} {'left over':>9} {'burst':>6} {'direction':>9}   dB")
    for without in ("", *sorted({carriage for carriage, _, _ in known})):
        kept = {key: packets for key, packets in known.items() if key[0] != without}
        slope, left = slope_db(kept, model.bend_m)
        print(f"{without or 'nothing':18} {slope:6.1f} {left:9.1f} {burst_db(kept):6.1f} {direction_db(kept):9.1f}")
    held = (model.slope_db, model.drift_db, model.burst_db, model.direction_db)
    print("{:18} {:6.1f} {:9.1f} {:6.1f} {:9.1f}".format("the profile", *held))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
