# SPDX-License-Identifier: Apache-2.0
"""Streets from a GeoJSON file that the city puts into its data folder, `maps/streets.geojson`.

The file belongs to the city: none comes with the program, and none is fetched. The maps of doors show its streets.
Source: RFC 7946 (GeoJSON).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from django.conf import settings

from bluezone.directory.records.unit_outlines import MOST_BYTES, Point, simplify_line

FILE = Path("maps") / "streets.geojson"
_NAMES = ("name", "name_vi", "ten", "ten_duong")
# Points in one box; finer lines are simplified until they fit.
MOST_POINTS = 4_000

# West, south, east, north, in degrees.
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Street:
    """A line in the file. name: "" if it has none. points: (longitude, latitude) in degrees of WGS 84."""

    name: str
    points: tuple[Point, ...]


def streets_in(box: Box) -> tuple[tuple[Street, ...], str]:
    """The parts of streets within a box, and the source that the file names.

    Nothing without a readable file: a map is useful without streets too.
    """
    path = Path(settings.DATA_FOLDER) / FILE
    try:
        state = path.stat()
    except OSError:
        return (), ""
    if state.st_size > MOST_BYTES:
        return (), ""
    return _streets_in_file(path, state.st_mtime_ns, box)


@lru_cache(maxsize=256)
def _streets_in_file(path: Path, changed: int, box: Box) -> tuple[tuple[Street, ...], str]:
    streets, source = _read(path, changed)
    parts: list[Street] = []
    for street in streets:
        parts += [Street(street.name, run) for run in _within(street.points, box)]
    width = box[2] - box[0]
    tolerance = width / 2000
    while sum(len(part.points) for part in parts) > MOST_POINTS and tolerance < width / 20:
        parts = [Street(part.name, simplify_line(part.points, tolerance)) for part in parts]
        tolerance *= 2
    return tuple(_longest(parts)), source


def _longest(parts: list[Street]) -> Iterator[Street]:
    """The parts that fit into MOST_POINTS, those with most points first; used when simplifying is not enough."""
    room = MOST_POINTS
    for part in sorted(parts, key=lambda part: -len(part.points)):
        room -= len(part.points)
        if room < 0:
            return
        yield part


@lru_cache(maxsize=1)
def _read(path: Path, _changed: int) -> tuple[tuple[Street, ...], str]:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return (), ""
    if not isinstance(document, dict) or not isinstance(document.get("features"), list):
        return (), ""
    source = next((document[name] for name in ("attribution", "source") if isinstance(document.get(name), str)), "")
    streets: list[Street] = []
    for feature in document["features"]:
        streets += _streets(feature)
    return tuple(streets), source[:200]


def _streets(feature: Any) -> Iterator[Street]:
    """The lines of a feature; other geometry is left out, since maps contain much else."""
    geometry = feature.get("geometry") if isinstance(feature, dict) else None
    if not isinstance(geometry, dict) or geometry.get("type") not in ("LineString", "MultiLineString"):
        return
    properties = feature.get("properties")
    if not isinstance(properties, dict):
        properties = {}
    name = next((properties[key] for key in _NAMES if isinstance(properties.get(key), str)), "")
    coordinates = geometry.get("coordinates")
    lines = [coordinates] if geometry["type"] == "LineString" else coordinates
    for line in lines if isinstance(lines, list) else []:
        try:
            points = tuple((float(point[0]), float(point[1])) for point in line)
        except (TypeError, ValueError, IndexError, KeyError, OverflowError):
            continue
        if len(points) > 1:
            yield Street(name[:80], points)


def _within(points: tuple[Point, ...], box: Box) -> Iterator[tuple[Point, ...]]:
    """The runs of segments of a line that may touch the box."""
    west, south, east, north = box
    run: list[Point] = []
    for begin, end in pairwise(points):
        outside = (
            max(begin[0], end[0]) < west or min(begin[0], end[0]) > east
            or max(begin[1], end[1]) < south or min(begin[1], end[1]) > north
        )  # fmt: skip
        if not outside:
            run = [*run, end] if run else [begin, end]
        elif run:
            yield tuple(run)
            run = []
    if run:
        yield tuple(run)
