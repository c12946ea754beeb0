# SPDX-License-Identifier: Apache-2.0
"""The map under the doors of a list: outline of the ward and streets around them, from the city's own files."""

import hashlib
import json
import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from bluezone.directory.models import AdminUnit
from bluezone.directory.records import streets, unit_outlines
from bluezone.directory.records.streets import Box, streets_in
from bluezone.directory.records.unit_outlines import outlines_of, simplify_ring

# Degrees around the doors, about 90 m, and the grid that boxes lie on, so that one more door seldom makes a new map.
_MARGIN, _GRID = 0.0008, 0.0005
_DIGITS = 5


def map_of(unit: AdminUnit, doors: Sequence[dict[str, Any]]) -> tuple[str, dict[str, Any]] | None:
    """Fingerprint and map of the doors that have coordinates; None where none has.

    box: west, south, east, north. outline: rings of the unit. streets: name and points. Points are longitude and
    latitude in degrees of WGS 84. source: whom the city's files name.
    """
    lying = [(door["longitude"], door["latitude"]) for door in doors if door["latitude"] is not None]
    if not lying:
        return None
    sides = list(zip(*lying, strict=True))
    # A row of doors along one street would make a strip: the map of a phone is about as high as wide.
    reach = max(max(side) - min(side) for side in sides) / 2 + _MARGIN
    middles = [(max(side) + min(side)) / 2 for side in sides]
    lows = [math.floor((middle - reach) / _GRID) * _GRID for middle in middles]
    highs = [math.ceil((middle + reach) / _GRID) * _GRID for middle in middles]
    west, south, east, north = (round(value, _DIGITS) for value in (*lows, *highs))
    return _drawn(unit, (west, south, east, north), _stamps())


def _stamps() -> tuple[int, ...]:
    """What differs when the city puts another file in."""
    found = []
    for name in (unit_outlines.FILE, streets.FILE):
        try:
            found.append((Path(settings.DATA_FOLDER) / name).stat().st_mtime_ns)
        except OSError:
            found.append(0)
    return tuple(found)


@lru_cache(maxsize=256)
def _drawn(unit: AdminUnit, box: Box, _stamps: tuple[int, ...]) -> tuple[str, dict[str, Any]]:
    outlines = outlines_of([unit])
    lines, source = streets_in(box)
    tolerance = (box[2] - box[0]) / 1000
    said = {
        "box": box,
        "outline": [_rounded(simplify_ring(polygon[0], tolerance)) for polygon in outlines.by_unit.get(unit.pk, ())],
        "streets": [{"name": street.name, "points": _rounded(street.points)} for street in lines],
        "source": " · ".join(dict.fromkeys(filter(None, (outlines.source, source)))),
    }
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16], said


def _rounded(points: Sequence[tuple[float, float]]) -> list[list[float]]:
    return [[round(longitude, _DIGITS), round(latitude, _DIGITS)] for longitude, latitude in points]
