# SPDX-License-Identifier: Apache-2.0
"""The child processes of a process, from /proc."""

from pathlib import Path


def children(pid: int) -> dict[int, str]:
    """Process id -> name of the living children."""
    names = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                names[int(path.parent.name)] = (path.parent / "comm").read_text().strip()
        except OSError:
            continue
    return names


def processes_of_part(pid: int, part: str) -> set[int]:
    """The processes of one part of a `serve`: public, office or worker."""
    return {child for child, name in children(pid).items() if name == f"bluezone-{part}"}
