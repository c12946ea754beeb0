# SPDX-License-Identifier: Apache-2.0
"""Outlines of an invented city in the format of a city's GeoJSON file."""

import json
import math

WEST, SOUTH, SIDE = 105.80, 22.10, 0.04


def grid(names, columns=3, property_name="name"):
    """A FeatureCollection with an irregular square for each name, next to each other."""
    features = []
    for number, name in enumerate(names):
        column = number % columns
        row = number // columns
        ring = _ring(WEST + column * SIDE, SOUTH - row * SIDE)
        features.append(feature(name, [ring], property_name))
    return {"type": "FeatureCollection", "source": "UBND thành phố, 2020", "features": features}


def feature(name, rings, property_name="name"):
    """One polygon of one unit."""
    return {
        "type": "Feature",
        "properties": {property_name: name},
        "geometry": {"type": "Polygon", "coordinates": rings},
    }


def _ring(west, south):
    """Forty points, so that there is something to simplify."""
    edge = [(along / 10, 0.03 * math.sin(along)) for along in range(10)]
    corners = [
        *edge,
        *((1 - y, x) for x, y in edge),
        *((1 - x, 1 - y) for x, y in edge),
        *((y, 1 - x) for x, y in edge),
    ]
    return [[west + x * SIDE, south + y * SIDE] for x, y in (*corners, corners[0])]


def put(data_folder, document):
    """Write a file of outlines to the place from which an office reads it."""
    path = data_folder / "maps" / "units.geojson"
    path.parent.mkdir(exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document), "utf-8")
