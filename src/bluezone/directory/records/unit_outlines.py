# SPDX-License-Identifier: Apache-2.0
"""Outlines of units from a GeoJSON file that the city puts into its data folder, `maps/units.geojson`.

The file belongs to the city: none comes with the program, and none is fetched. Pages draw it, and alerts carry it.
Source: RFC 7946 (GeoJSON).
"""

import itertools
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from django.conf import settings

from bluezone.directory.models import AdminUnit
from bluezone.refusal import Refused
from bluezone.vietnamese.spelling import fold

FILE = Path("maps") / "units.geojson"
MOST_BYTES = 30_000_000
MOST_POINTS = 500_000
# Properties by which a feature says which unit it is, the surest first; codes are those of the statistics office.
_CODES = ("key", "code", "gso", "ref", "ma_xa", "maxa")
_NAMES = ("name", "name_vi", "ten", "ten_xa", "tenxa", "NAME_3")

Point = tuple[float, float]
Ring = tuple[Point, ...]
# The outer ring first, then the holes in it.
Polygon = tuple[Ring, ...]


class ShapesUnreadable(Refused):
    """The file of outlines is no GeoJSON of polygons in degrees of longitude and latitude."""

    code = "shapes_unreadable"


@dataclass(frozen=True)
class Feature:
    """An outline in the file. codes, names: from its properties, names folded."""

    codes: tuple[str, ...]
    names: tuple[str, ...]
    polygons: tuple[Polygon, ...]


@dataclass(frozen=True)
class Outlines:
    """Outlines of units by primary key; points are (longitude, latitude) in degrees of WGS 84.

    source: the source that the file names, which pages repeat. trouble: why the file cannot be read, else "".
    """

    by_unit: Mapping[int, tuple[Polygon, ...]] = field(default_factory=dict)
    source: str = ""
    trouble: str = ""


def outlines_of(units: Iterable[AdminUnit]) -> Outlines:
    """The outlines of these units; empty without a file. Never raises: `trouble` describes an unreadable file."""
    path = Path(settings.DATA_FOLDER) / FILE
    try:
        state = path.stat()
    except OSError:
        return Outlines()
    try:
        features, source = _read(path, state.st_mtime_ns, state.st_size)
    except ShapesUnreadable as refusal:
        return Outlines(trouble=refusal.message)
    return Outlines(_outlines_by_unit(features, list(units)), source)


@lru_cache(maxsize=2)
def _read(path: Path, _changed: int, size: int) -> tuple[tuple[Feature, ...], str]:
    if size > MOST_BYTES:
        raise ShapesUnreadable(f"{FILE} has {size} bytes, expected at most {MOST_BYTES}: simplify its lines")
    try:
        return read_features(json.loads(path.read_bytes()))
    except (OSError, ValueError, RecursionError) as error:
        raise ShapesUnreadable(f"{FILE} is not JSON: {type(error).__name__}") from error


def read_features(document: Any) -> tuple[tuple[Feature, ...], str]:
    """The polygons of a GeoJSON FeatureCollection with their names, and its source. Raises ShapesUnreadable.

    Features without polygons or without names are left out, since maps contain roads and labels too.
    """
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        raise ShapesUnreadable(f"{FILE} is not a GeoJSON FeatureCollection")
    listed = document.get("features")
    features = [feature for feature in map(_feature, listed if isinstance(listed, list) else []) if feature is not None]
    if sum(map(_count_points, features)) > MOST_POINTS:
        raise ShapesUnreadable(f"{FILE} has more than {MOST_POINTS} points: simplify its lines")
    source = next((document[name] for name in ("attribution", "source") if isinstance(document.get(name), str)), "")
    return tuple(features), source[:200]


def _count_points(feature: Feature) -> int:
    points = 0
    for polygon in feature.polygons:
        points += sum(len(ring) for ring in polygon)
    return points


def _feature(value: Any) -> Feature | None:
    geometry = value.get("geometry") if isinstance(value, dict) else None
    properties = value.get("properties") if isinstance(value, dict) else None
    if not isinstance(geometry, dict) or not isinstance(properties, dict):
        return None
    kind = geometry.get("type")
    coordinates = cast(Any, geometry.get("coordinates"))
    if kind not in ("Polygon", "MultiPolygon"):
        return None
    codes = tuple(str(properties[name]).lstrip("0") for name in _CODES if isinstance(properties.get(name), str | int))
    names = tuple(fold(properties[name]) for name in _NAMES if isinstance(properties.get(name), str))
    if kind == "Polygon":
        coordinates = [coordinates]
    try:
        polygons = tuple(tuple(_ring(ring) for ring in polygon) for polygon in coordinates)
    except (TypeError, ValueError, IndexError, KeyError, OverflowError) as error:
        raise ShapesUnreadable(f"{FILE} has a polygon that is none: {type(error).__name__}") from error
    return Feature(codes, names, tuple(polygon for polygon in polygons if polygon))


def _ring(points: Any) -> Ring:
    ring = tuple((float(point[0]), float(point[1])) for point in points)
    for longitude, latitude in ring:
        if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
            raise ShapesUnreadable(
                f"{FILE} has the point {longitude:g}, {latitude:g}, expected degrees of longitude and latitude; "
                "metres of VN-2000 are converted by: ogr2ogr -t_srs EPSG:4326 units.geojson old.geojson"
            )
    if len(ring) < 4 or ring[0] != ring[-1]:
        raise ShapesUnreadable(f"{FILE} has a ring of {len(ring)} points, expected four or more, the last as the first")
    return ring


def _outlines_by_unit(features: Sequence[Feature], units: Sequence[AdminUnit]) -> dict[int, tuple[Polygon, ...]]:
    """The polygons of each unit, from all features with its key or code; else from a feature with its name.

    The name counts only if it is unique among both units and features.
    """
    by_code = defaultdict(list)
    by_name = defaultdict(list)
    for feature in features:
        for code in feature.codes:
            by_code[code].append(feature)
        for name in feature.names:
            by_name[name].append(feature)
    names = [fold(unit.name) for unit in units]
    outlines: dict[int, tuple[Polygon, ...]] = {}
    for unit, name in zip(units, names, strict=True):
        own = by_code.get(unit.key) or (by_code.get(unit.code.lstrip("0")) if unit.code else None)
        if not own and names.count(name) == 1 and len(by_name[name]) == 1:
            own = by_name[name]
        if own:
            outlines[unit.pk] = tuple(itertools.chain.from_iterable(feature.polygons for feature in own))
    return outlines


def simplify_ring(ring: Ring, tolerance: float) -> Ring:
    """The ring without the points within `tolerance` of the line between others; closed, 4 points or more.

    tolerance: in the unit of the points. Source: D. Douglas and T. Peucker, "Algorithms for the reduction of the number
    of points required to represent a digitized line", Cartographica 10 (1973).
    """
    # A closed ring has no line from end to end, so it is cut at the point farthest from its beginning.
    begin = ring[0]
    half = max(range(len(ring)), key=lambda place: math.dist(begin, ring[place]))
    places = {*_places_to_keep(ring, 0, half, tolerance), *_places_to_keep(ring, half, len(ring) - 1, tolerance)}
    if len(places) < 4:
        # Too small to be visible at this tolerance, but it must stay a ring.
        places |= {len(ring) // 3, 2 * len(ring) // 3}
    return tuple(ring[place] for place in sorted(places))


def simplify_line(line: Ring, tolerance: float) -> Ring:
    """As `simplify_ring`, for an open line, which keeps its two ends."""
    return tuple(line[place] for place in sorted({*_places_to_keep(line, 0, len(line) - 1, tolerance)}))


def _places_to_keep(ring: Ring, first: int, last: int, tolerance: float) -> Iterator[int]:
    waiting = [(first, last)]
    yield first
    while waiting:
        begin, end = waiting.pop()
        yield end
        far = begin
        distance = tolerance
        for place in range(begin + 1, end):
            away = _distance_to_segment(ring[place], ring[begin], ring[end])
            if away > distance:
                far = place
                distance = away
        if far != begin:
            waiting += [(begin, far), (far, end)]


def _distance_to_segment(point: Point, begin: Point, end: Point) -> float:
    """The distance of a point from the segment between two others."""
    across = end[0] - begin[0]
    up = end[1] - begin[1]
    length = across * across + up * up
    if length == 0:
        return math.dist(point, begin)
    along = ((point[0] - begin[0]) * across + (point[1] - begin[1]) * up) / length
    along = min(1.0, max(0.0, along))
    return math.dist(point, (begin[0] + along * across, begin[1] + along * up))
