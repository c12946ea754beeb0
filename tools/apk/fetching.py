# SPDX-License-Identifier: Apache-2.0
"""What the package is made from: fetched once by Maven, by this machine's own settings, and checked by its hash."""

import hashlib
import shutil
import tomllib
from pathlib import Path

from tools.apk.programs import BuildFailed, run

PINS = Path(__file__).parent / "pins.toml"


def fetch(folder: Path) -> dict[str, Path]:
    """Every pinned file by its name, in a folder that keeps it for the next build. Raises BuildFailed."""
    pins = tomllib.loads(PINS.read_text())
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for pin in pins["artefact"]:
        path = folder / pin["name"]
        if not (path.is_file() and _sum(path) == pin["sha256"]):
            _get(pins["maven_plugin"], pin["coordinates"], path)
            if (got := _sum(path)) != pin["sha256"]:
                path.unlink()
                raise BuildFailed(f"{pin['coordinates']} has the SHA-256 {got}, expected {pin['sha256']}")
        found[pin["name"]] = path
    return found


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _get(plugin: str, coordinates: str, path: Path) -> None:
    """Let Maven bring a file into a folder of its own, and take it from there under its own name."""
    into = path.parent / f"{path.name}.fetching"
    shutil.rmtree(into, ignore_errors=True)
    run("mvn", "-q", "-B", f"{plugin}:get", f"-Dartifact={coordinates}", "-Dtransitive=false")
    run("mvn", "-q", "-B", "-o", f"{plugin}:copy", f"-Dartifact={coordinates}", f"-DoutputDirectory={into}")
    (got,) = into.iterdir()
    got.replace(path)
    into.rmdir()
