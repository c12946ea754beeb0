# SPDX-License-Identifier: Apache-2.0
"""The map of the units under a unit, drawn on the server: their outlines if the city's data folder has these, else a
square for each unit.
"""

import itertools
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise

from bluezone.directory.records.unit_outlines import Outlines, Point, Polygon, Ring, simplify_ring
from bluezone.rollout.coverage.overview import OverviewCell, Row

SIDE = 104
GAP = 6
LINE_LENGTH = 12
# Shares at which a tile becomes darker; absolute, so that a colour means the same in every week and city.
LEVELS = (0.10, 0.25, 0.40, 0.60)
# The largest size of a map of outlines, and how far its simplified lines may be from the exact ones.
MOST_WIDE = 336
MOST_HIGH = 300
_MARGIN = 2
_TOLERANCE = 0.5
# The sizes of the texts in an outline: width of a letter, height of a line, width of a number.
LETTER = 6.2
LINE_STEP = 13
FIGURE_ROOM = 38
# The number of heights at which the widest place of an outline is searched for.
_HEIGHTS = 15


@dataclass(frozen=True)
class Tile:
    """One unit on the map.

    x, y: its upper left corner. lines: its name, broken to fit. level: 0 (lowest share) to 4.
    state: "shown", "suppressed" or "empty" (nothing counted).
    """

    x: int
    y: int
    name: str
    lines: tuple[str, ...]
    cell: OverviewCell | None
    level: int
    state: str
    unit_pk: int

    @property
    def middle(self) -> int:
        """Where its texts are centred."""
        return self.x + SIDE // 2

    @property
    def baselines(self) -> list[tuple[int, str]]:
        """Each line of the name: (y of its baseline, text)."""
        return [(self.y + 24 + 16 * number, line) for number, line in enumerate(self.lines)]

    @property
    def figure_y(self) -> int:
        """The baseline of the number."""
        return self.y + SIDE - 14

    @property
    def has_figure(self) -> bool:
        """Whether the number has room."""
        return True


@dataclass(frozen=True)
class OutlinedTile(Tile):
    """One unit in its outline. x, y: the middle of its widest place, where its texts are.

    path: of an SVG. room: the width for texts there; a wider text is left out, since the table also has it.
    """

    path: str = ""
    room: float = 0.0

    @property
    def middle(self) -> int:
        """Where its texts are centred."""
        return self.x

    @property
    def baselines(self) -> list[tuple[int, str]]:
        """Each line of the name: (y of its baseline, text); none without room."""
        if max(map(len, self.lines), default=0) * LETTER > self.room:
            return []
        first = self.y - LINE_STEP * len(self.lines) + 8
        return [(first + LINE_STEP * number, line) for number, line in enumerate(self.lines)]

    @property
    def figure_y(self) -> int:
        """The baseline of the number."""
        if self.baselines:
            return self.y + 12
        return self.y + 5

    @property
    def has_figure(self) -> bool:
        """Whether the number has room."""
        return self.room >= FIGURE_ROOM


@dataclass(frozen=True)
class TileMap:
    """The tiles and the size of the drawing. placed: tiles have their geographic places, by a layout or by outlines.

    outlined: tiles are drawn as outlines. missing: names of units that the city's file of outlines lacks.
    source: where the outlines come from, as stated in their file. trouble: why the file cannot be read, else "".
    """

    tiles: list[Tile]
    width: int
    height: int
    placed: bool
    outlined: bool = False
    missing: tuple[str, ...] = ()
    source: str = ""
    trouble: str = ""


def draw_map(rows: Sequence[Row], key: str, outlines: Outlines | None = None) -> TileMap:
    """Draw the units among `rows` by their share of the indicator `key`."""
    outlines = outlines or Outlines()
    if outlines.by_unit:
        return _outlined(rows, key, outlines)
    units = [(row.unit, row) for row in rows if row.unit is not None]
    places = _layout([unit.key for unit, _row in units])
    placed = places is not None
    columns = max(1, math.ceil(math.sqrt(len(units))))
    tiles = []
    for number, (unit, row) in enumerate(units):
        if places is not None:
            column, line = places[unit.key]
        else:
            line, column = divmod(number, columns)
        cell, level, state = _appearance(row, key)
        x = GAP + column * (SIDE + GAP)
        y = GAP + line * (SIDE + GAP)
        tiles.append(Tile(x, y, unit.name, name_lines(unit.name), cell, level, state, unit.pk))
    width = max((tile.x for tile in tiles), default=0) + SIDE + GAP
    height = max((tile.y for tile in tiles), default=0) + SIDE + GAP
    return TileMap(tiles, width, height, placed, trouble=outlines.trouble)


def _appearance(row: Row, key: str) -> tuple[OverviewCell | None, int, str]:
    """The number of a unit, and the level and state of its tile."""
    cell = row.cell(key)
    if cell is None or cell.base == 0:
        return cell, 0, "empty"
    if cell.share is None:
        return cell, 0, "suppressed"
    return cell, sum(cell.share >= step for step in LEVELS), "shown"


def name_lines(name: str) -> tuple[str, ...]:
    """The name in at most three lines of LINE_LENGTH characters; a longer one is cut and ends with …."""
    lines: list[str] = []
    for word in name.split():
        if lines and len(lines[-1]) + 1 + len(word) <= LINE_LENGTH:
            lines[-1] += " " + word
        else:
            lines.append(word)
    cut = [_cut(line) for line in lines[:3]]
    if len(lines) > 3:
        cut[2] = cut[2][: LINE_LENGTH - 1].rstrip(" …") + "…"
    return tuple(cut)


def _cut(line: str) -> str:
    if len(line) <= LINE_LENGTH:
        return line
    return line[: LINE_LENGTH - 1] + "…"


def _layout(keys: Sequence[str]) -> dict[str, tuple[int, int]] | None:
    """The (column, row) of each unit, from the first layout with all `keys`; None without keys or such a layout."""
    if not keys:
        return None
    return next((places for places in _layouts() if all(key in places for key in keys)), None)


@cache
def _layouts() -> tuple[dict[str, tuple[int, int]], ...]:
    folder = resources.files("bluezone.rollout.coverage") / "layouts"
    files = [entry for entry in folder.iterdir() if entry.name.endswith(".json")]
    documents = [json.loads(entry.read_text("utf-8")) for entry in sorted(files, key=lambda entry: entry.name)]
    return tuple({key: (column, row) for key, (column, row) in document["tiles"].items()} for document in documents)


def _outlined(rows: Sequence[Row], key: str, outlines: Outlines) -> TileMap:
    units = [(row.unit, row) for row in rows if row.unit is not None]
    points = itertools.chain.from_iterable(map(_points, outlines.by_unit.values()))
    project, width, height = _projection(points)
    tiles: list[Tile] = []
    for unit, row in units:
        polygons = outlines.by_unit.get(unit.pk)
        if polygons is None:
            continue
        rings = [
            tuple(simplify_ring(tuple(map(project, ring)), _TOLERANCE) for ring in polygon) for polygon in polygons
        ]
        (x, y), room = _widest_place(max(rings, key=lambda polygon: abs(_area(polygon[0]))))
        cell, level, state = _appearance(row, key)
        path = "".join(_path(ring) for ring in itertools.chain.from_iterable(rings))
        lines = name_lines(unit.name)
        tiles.append(
            OutlinedTile(round(x), round(y), unit.name, lines, cell, level, state, unit.pk, path=path, room=room)
        )
    missing = tuple(unit.name for unit, _row in units if unit.pk not in outlines.by_unit)
    return TileMap(tiles, width, height, True, outlined=True, missing=missing, source=outlines.source)


def _points(polygons: Iterable[Polygon]) -> Iterator[Point]:
    for polygon in polygons:
        for ring in polygon:
            yield from ring


def _projection(points: Iterable[Point]) -> tuple[Callable[[Point], Point], int, int]:
    """A function from (longitude, latitude) to (x, y) with north up, and the width and height of the drawing."""
    longitudes, latitudes = zip(*points, strict=True)
    west = min(longitudes)
    north = max(latitudes)
    narrowing = math.cos(math.radians((north + min(latitudes)) / 2))
    across = (max(longitudes) - west) * narrowing
    down = north - min(latitudes)
    scale = min(MOST_WIDE / max(across, 1e-9), MOST_HIGH / max(down, 1e-9))

    def project(point: Point) -> Point:
        return _MARGIN + (point[0] - west) * narrowing * scale, _MARGIN + (north - point[1]) * scale

    return project, math.ceil(across * scale) + 2 * _MARGIN, math.ceil(down * scale) + 2 * _MARGIN


def _widest_place(polygon: Polygon) -> tuple[Point, float]:
    """The point inside a polygon with most room for texts, and the width there, reduced near top and bottom."""
    low = min(y for _x, y in polygon[0])
    high = max(y for _x, y in polygon[0])
    best = polygon[0][0]
    room = 0.0
    for number in range(1, _HEIGHTS + 1):
        part = number / (_HEIGHTS + 1)
        y = low + (high - low) * part
        crossings = sorted(itertools.chain.from_iterable(_crossings(ring, y) for ring in polygon))
        for left, right in zip(crossings[::2], crossings[1::2], strict=False):
            # Near the middle of its height an outline has room for more than one line.
            width = (right - left) * (1 - abs(part - 0.5) / 2)
            if width > room:
                best = ((left + right) / 2, y)
                room = width
    return best, room


def _crossings(ring: Ring, y: float) -> Iterator[float]:
    for (x1, y1), (x2, y2) in pairwise(ring):
        if (y1 <= y) != (y2 <= y):
            yield x1 + (y - y1) / (y2 - y1) * (x2 - x1)


def _area(ring: Ring) -> float:
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise(ring)) / 2


def _path(ring: Ring) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in ring[:-1]) + "Z"
