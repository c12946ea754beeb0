# SPDX-License-Identifier: Apache-2.0
"""The processes below a process, as the kernel knows them."""

from pathlib import Path


def children(pid: int) -> dict[int, str]:
    """Process id -> command line of the children that live."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                found[int(path.parent.name)] = (path.parent / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
    return found


def of_part(pid: int, part: str) -> set[int]:
    """The processes of one part of a `serve`: public, office or worker."""
    mark = "bluezone.server.schedule.tick" if part == "worker" else f"bluezone.server.processes.origin {part} "
    return {child for child, command in children(pid).items() if mark in command}
