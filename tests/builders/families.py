# SPDX-License-Identifier: Apache-2.0
"""The processes below a process, as the kernel knows them."""

from pathlib import Path


def children(pid: int) -> dict[int, str]:
    """Process id -> name of the children that live."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                found[int(path.parent.name)] = (path.parent / "comm").read_text().strip()
        except OSError:
            continue
    return found


def of_part(pid: int, part: str) -> set[int]:
    """The processes of one part of a `serve`: public, office or worker."""
    return {child for child, name in children(pid).items() if name == f"bluezone-{part}"}
