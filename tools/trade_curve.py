# SPDX-License-Identifier: Apache-2.0
"""Draw how many near meetings a bound of `high_chance` finds, and how many far ones it calls high.

.venv/bin/bluezone bench accuracy --recordings FOLDER --json > figures.json
.venv/bin/python tools/trade_curve.py figures.json > docs/images/trade.svg
"""

import json
import sys
from pathlib import Path
from typing import Any

LEFT, TOP, SIZE = 60, 20, 320


def place(row: dict[str, Any]) -> tuple[float, float]:
    """Where a row lies: false to the right up to 30 %, found upwards."""
    return LEFT + SIZE * row["fpr"] / 0.3, TOP + SIZE * (1 - row["tpr"])


def main(path: Path) -> None:
    """Print the picture."""
    figures = json.loads(path.read_text(encoding="utf-8"))
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + SIZE + 150} {TOP + SIZE + 60}" '
          'font-family="sans-serif" font-size="13" fill="#16203a">')  # fmt: skip
    print("<title>Found against false, for other bounds of a high level</title>")
    print(f'<rect x="{LEFT}" y="{TOP}" width="{SIZE}" height="{SIZE}" fill="#f4f6fb" stroke="#6b7690"/>')
    for step in range(0, 31, 10):
        x = LEFT + SIZE * step / 30
        print(f'<text x="{x}" y="{TOP + SIZE + 18}" text-anchor="middle">{step} %</text>')
    for step in range(0, 101, 20):
        y = TOP + SIZE * (1 - step / 100)
        print(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{step} %</text>')
    print(f'<text x="{LEFT + SIZE / 2}" y="{TOP + SIZE + 42}" text-anchor="middle">far meetings called high</text>')
    print(f'<text x="16" y="{TOP + SIZE / 2}" transform="rotate(-90 16 {TOP + SIZE / 2})" text-anchor="middle">'
          "near meetings found</text>")  # fmt: skip
    for name, colour, label in (
        ("meetings", "#0b4fc4", "one direction"), ("meetings_both_directions", "#a14a00", "both directions"),
    ):  # fmt: skip
        rows = figures[name]["trade"]
        points = " ".join("{:.1f},{:.1f}".format(*place(row)) for row in rows)
        print(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for row in rows:
            if row["high_chance"] in (0.2, 0.45, 0.8):
                x, y = place(row)
                print(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>')
                if name == "meetings":
                    print(f'<text x="{x + 8:.1f}" y="{y + 16:.1f}">{row["high_chance"]:g}</text>')
        height = TOP + 16 if name == "meetings" else TOP + 38
        print(f'<rect x="{LEFT + SIZE + 14}" y="{height - 6}" width="18" height="4" fill="{colour}"/>')
        print(f'<text x="{LEFT + SIZE + 40}" y="{height}">{label}</text>')
    print("</svg>")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
