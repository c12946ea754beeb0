# SPDX-License-Identifier: Apache-2.0
"""What the package is made from: fetched once by Maven, by this machine's own settings, and checked by its hash."""

import hashlib
import shutil
import tomllib
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from tools.apk.programs import BuildFailed, run

PINS = Path(__file__).parent / "pins.toml"
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"


def fetch(pins: Path, folder: Path) -> dict[str, Path]:
    """Every pinned file by its name, in a folder that keeps it for the next build.

    pins: `[[artefact]]` with coordinates (group:artefact:version:type[:classifier]), sha256, and a name where it is
    to have another than Maven's. Raises BuildFailed.
    """
    wanted = {_name(pin): pin for pin in tomllib.loads(pins.read_text())["artefact"]}
    folder.mkdir(parents=True, exist_ok=True)
    if lacking := [pin for name, pin in wanted.items() if not _fits(folder / name, pin)]:
        _get(lacking, folder)
    for name, pin in wanted.items():
        if not _fits(folder / name, pin):
            raise BuildFailed(f"{pin['coordinates']} is not the file that is pinned: see {pins.name}")
    return {name: folder / name for name in wanted}


def _fits(path: Path, pin: dict[str, Any]) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == str(pin["sha256"])


def _file(pin: dict[str, Any]) -> str:
    """The name that Maven gives a file."""
    _group, artefact, version, kind, *classifier = pin["coordinates"].split(":")
    return "-".join([artefact, version, *classifier]) + f".{kind}"


def _name(pin: dict[str, Any]) -> str:
    return str(pin.get("name", _file(pin)))


def _get(pins: list[dict[str, Any]], folder: Path) -> None:
    """Let Maven bring what is lacking, all in one run, and nothing of what that depends on."""
    work = folder / "fetching"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    parts = ("groupId", "artifactId", "version", "type", "classifier")
    listed = "".join(
        "<dependency>"
        + "".join(
            f"<{part}>{escape(value)}</{part}>"
            for part, value in zip(parts, pin["coordinates"].split(":"), strict=False)
        )
        + "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions></dependency>"
        for pin in pins
    )
    (work / "pom.xml").write_text(
        "<project><modelVersion>4.0.0</modelVersion><groupId>bluezone</groupId><artifactId>fetching</artifactId>"
        f"<version>1</version><dependencies>{listed}</dependencies></project>"
    )
    run("mvn", "-q", "-B", "-f", work / "pom.xml", f"{PLUGIN}:copy-dependencies", f"-DoutputDirectory={work / 'out'}")
    for pin in pins:
        got = work / "out" / _file(pin)
        if not got.is_file():
            raise BuildFailed(f"Maven does not bring {pin['coordinates']}")
        got.replace(folder / _name(pin))
    shutil.rmtree(work)
