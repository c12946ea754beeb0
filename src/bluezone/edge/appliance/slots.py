# SPDX-License-Identifier: Apache-2.0
"""Two places for versions beside the one that came with the machine, and which of them is to be started.

`pointers.json` says which slot is current and which was before; a slot is whole when its `release.json` is there, which
is written last. Each program counts, in its own data folder, how often it began with a version that has not proved
itself: after MOST_STARTS it begins with the version before, and then with the machine's own, which nobody changes.

Nothing but the standard library is loaded here: this is what runs before any version does. Source: docs/appliances.md.
"""

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path("/var/lib/bluezone-appliance")
FACTORY = Path("/usr/lib/bluezone")
SLOTS = ("a", "b")
POINTERS, RELEASE, TRIES = "pointers.json", "release.json", "tries.json"
MOST_STARTS = 3


@dataclass(frozen=True)
class Pointers:
    """current, previous: slots, None for the machine's own version. highest: the highest number ever taken."""

    current: str | None = None
    previous: str | None = None
    highest: int = 0


@dataclass(frozen=True)
class Version:
    """A version that can be started. folder: a virtual environment. number: 0 where it is not known."""

    folder: Path
    version: str
    number: int

    @property
    def python(self) -> Path:
        """Its interpreter, which finds its packages."""
        return self.folder / "bin" / "python3"


def put(path: Path, said: Any) -> None:
    """Write JSON so that readers and a power cut see the old file or the new one. Raises OSError."""
    beside = path.with_name(f".{path.name}.new")
    with beside.open("wb") as file:
        # Programs read what root writes; what is theirs alone lies in a folder of theirs.
        os.fchmod(file.fileno(), 0o644)
        file.write(json.dumps(said).encode())
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder outlast a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _said(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def pointers_of(root: Path) -> Pointers:
    """What is current; the machine's own version where nothing was taken or the file cannot be read."""
    said = _said(root / POINTERS)
    current, previous = (said.get(name) if said.get(name) in SLOTS else None for name in ("current", "previous"))
    highest = said.get("highest", 0)
    return Pointers(current, previous, highest if type(highest) is int else 0)


def version_in(folder: Path) -> Version | None:
    """The version of a slot or of the machine itself; None where it is not whole."""
    said = _said(folder / RELEASE)
    version, number = said.get("version"), said.get("number")
    return Version(folder, version, number) if isinstance(version, str) and type(number) is int else None


def factory(folder: Path = FACTORY) -> Version:
    """The version that came with the machine."""
    return version_in(folder) or Version(folder, "", 0)


def choose(root: Path, tries: Path, own: Path = FACTORY) -> Version:
    """The version a program is to begin with. tries: its data folder."""
    kept = _said(tries / TRIES)
    pointers = pointers_of(root)
    for slot in (pointers.current, pointers.previous):
        found = version_in(root / slot) if slot else None
        if found is not None and not _has_failed(kept, found.number):
            return found
    return factory(own)


def _counted(kept: dict[str, Any], number: int) -> tuple[int, bool]:
    """How often a version was begun with, and whether it has proved itself."""
    said = kept.get(str(number))
    starts, good = (said.get("starts"), said.get("good")) if isinstance(said, dict) else (0, False)
    return starts if type(starts) is int else 0, good is True


def _has_failed(kept: dict[str, Any], number: int) -> bool:
    starts, good = _counted(kept, number)
    return not good and starts >= MOST_STARTS


def begin(root: Path, tries: Path, own: Path = FACTORY) -> Version:
    """`choose`, and count the start of a version that has not proved itself.

    Where that cannot be counted (the disk is full), one that has proved itself is taken: none is tried for ever.
    """
    found = choose(root, tries, own)
    kept = _said(tries / TRIES)
    starts, good = _counted(kept, found.number)
    if found.folder == own or good:
        return found
    try:
        put(tries / TRIES, {**kept, str(found.number): {"starts": starts + 1, "good": False}})
    except OSError:
        pointers = pointers_of(root)
        slots = [version_in(root / slot) for slot in (pointers.current, pointers.previous) if slot]
        return next((one for one in slots if one is not None and _counted(kept, one.number)[1]), factory(own))
    return found


def prove(tries: Path, version: Version) -> None:
    """The version has come up and stays: it needs not be counted any more. Older ones are forgotten."""
    kept = _said(tries / TRIES)
    # At the latest the next start counts once more, which does no harm.
    with suppress(OSError):
        put(tries / TRIES, {**_newest(kept), str(version.number): {"starts": 0, "good": True}})


def _newest(kept: dict[str, Any]) -> dict[str, Any]:
    return dict(sorted(kept.items(), key=lambda one: int(one[0]) if one[0].isdigit() else 0)[-3:])


def failed(root: Path, programs: Iterable[Path]) -> bool:
    """Whether a program has given the current version up. programs: their data folders."""
    slot = pointers_of(root).current
    found = version_in(root / slot) if slot else None
    return found is not None and any(_has_failed(_said(folder / TRIES), found.number) for folder in programs)
