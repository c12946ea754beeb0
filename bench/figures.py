# SPDX-License-Identifier: Apache-2.0
"""The part of a page in docs/performance that a bench writes: tables, and the machine on which they were measured."""

import datetime
import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path

PAGES = Path(__file__).parents[1] / "docs" / "performance"
_BEGIN = "<!-- written by `bluezone bench {name} --write` -->"
_END = "<!-- end -->"


def machine() -> str:
    """The machine and its load now, as a sentence."""
    load = " ".join(f"{average:.1f}" for average in os.getloadavg())
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return f"Measured on {today}: {_processor()}, {os.cpu_count()} processors, load average {load}."


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def write(name: str, paragraphs: Iterable[str]) -> Path:
    """Replace what the bench wrote into its page before; returns the page."""
    page = PAGES / f"{name}.md"
    begin = _BEGIN.format(name=name)
    before, _, rest = page.read_text().partition(begin)
    _, _, after = rest.partition(_END)
    page.write_text(before + "\n\n".join([begin, *paragraphs, _END]) + after)
    return page


def row_names(name: str) -> list[str]:
    """The names of the rows in what the bench wrote: the first cells of its first table."""
    _, _, rest = (PAGES / f"{name}.md").read_text().partition(_BEGIN.format(name=name))
    lines = [line for line in rest.partition(_END)[0].splitlines() if line.startswith("| ")]
    first = [line for line in lines if line.count("|") == lines[0].count("|")]
    return [line.split("|")[1].strip() for line in first[2:]]
