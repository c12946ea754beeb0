# SPDX-License-Identifier: Apache-2.0
"""The map drawn on the server: one square a unit, placed by a layout where there is one and in reading order else.

There are no boundaries of wards in any open data set (specs: rollout A9), so this is a schematic, and says so.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from bluezone.rollout.coverage.boards.overview import Cell, Row

SIDE = 104
GAP = 6
LINE_LENGTH = 12
# Shares from which a tile is darker; absolute, so that a colour means the same in every week and city.
LEVELS = (0.10, 0.25, 0.40, 0.60)


@dataclass(frozen=True)
class Tile:
    """One unit on the map.

    x, y:  its upper left corner. lines: its name, broken to fit. level: 0 (lowest share) to 4.
    state: "shown", "hidden" (a small number) or "empty" (nothing counted).
    """

    x: int
    y: int
    name: str
    lines: tuple[str, ...]
    cell: Cell | None
    level: int
    state: str
    address_pk: int

    @property
    def middle(self) -> int:
        """Where its texts are centred."""
        return self.x + SIDE // 2

    @property
    def baselines(self) -> list[tuple[int, str]]:
        """Each line of the name with the y it stands on."""
        return [(self.y + 24 + 16 * number, line) for number, line in enumerate(self.lines)]

    @property
    def figure_y(self) -> int:
        """Where the number stands."""
        return self.y + SIDE - 14


@dataclass(frozen=True)
class TileMap:
    """The tiles and the size of the drawing; placed: whether a layout put them where they lie."""

    tiles: list[Tile]
    width: int
    height: int
    placed: bool


def tile_map(rows: Sequence[Row], key: str) -> TileMap:
    """Draw the units among `rows` by their share of the indicator `key`."""
    units = [(row.unit, row) for row in rows if row.unit is not None]
    places = _layout([unit.key for unit, _row in units])
    placed = places is not None
    columns = max(1, math.ceil(math.sqrt(len(units))))
    tiles = []
    for number, (unit, row) in enumerate(units):
        column, line = places[unit.key] if places is not None else (number % columns, number // columns)
        cell = next((cell for cell in row.all_cells if cell.indicator.key == key), None)
        share = cell.share if cell else None
        tiles.append(
            Tile(
                x=GAP + column * (SIDE + GAP),
                y=GAP + line * (SIDE + GAP),
                name=unit.name,
                lines=broken(unit.name),
                cell=cell,
                level=0 if share is None else sum(share >= step for step in LEVELS),
                state="empty" if cell is None or cell.base == 0 else "hidden" if cell.is_hidden else "shown",
                address_pk=unit.pk,
            )
        )
    width = max((tile.x for tile in tiles), default=0) + SIDE + GAP
    height = max((tile.y for tile in tiles), default=0) + SIDE + GAP
    return TileMap(tiles, width, height, placed)


def broken(name: str) -> tuple[str, ...]:
    """The name in at most three lines of LINE_LENGTH characters, cut with … where it is longer."""
    lines: list[str] = []
    for word in name.split():
        if lines and len(lines[-1]) + 1 + len(word) <= LINE_LENGTH:
            lines[-1] += " " + word
        else:
            lines.append(word)
    cut = [line if len(line) <= LINE_LENGTH else line[: LINE_LENGTH - 1] + "…" for line in lines[:3]]
    if len(lines) > 3:
        cut[2] = cut[2][: LINE_LENGTH - 1].rstrip(" …") + "…"
    return tuple(cut)


def _layout(keys: Sequence[str]) -> dict[str, tuple[int, int]] | None:
    """The places of a layout that knows every one of `keys`; None where none does, or without units."""
    if not keys:
        return None
    return next((places for places in _layouts() if all(key in places for key in keys)), None)


@cache
def _layouts() -> tuple[dict[str, tuple[int, int]], ...]:
    folder = resources.files("bluezone.rollout.coverage") / "layouts"
    files = [entry for entry in folder.iterdir() if entry.name.endswith(".json")]
    documents = [json.loads(entry.read_text("utf-8")) for entry in sorted(files, key=lambda entry: entry.name)]
    return tuple({key: (column, row) for key, (column, row) in each["tiles"].items()} for each in documents)
