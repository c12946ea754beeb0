# SPDX-License-Identifier: Apache-2.0
"""The gate page's files: its own, and what it shares with the face (fonts, QR decoder and encoder)."""

from pathlib import Path

from bluezone.face.files import StaticFile, static_files

STATIC = Path(__file__).parent / "static"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
# What the gate page takes from the face, below "face/".
_SHARED = ("fonts/", "scan/", "vendor/", "dom.js", "qrcode.js", "icon.svg")


def gate_files() -> dict[str, StaticFile]:
    """Every file by its path; "" is the page."""
    own = {
        path.relative_to(STATIC).as_posix(): StaticFile(
            path.relative_to(STATIC).as_posix(), path.read_bytes(), _TYPES[path.suffix]
        )
        for path in sorted(STATIC.rglob("*"))
        if path.suffix in _TYPES
    }
    shared = {f"face/{name}": file for name, file in static_files().items() if name.startswith(_SHARED)}
    files = {**own, **shared}
    files[""] = files["gate.html"]
    return files
