# SPDX-License-Identifier: Apache-2.0
"""`bluezone vectors`: check this program against published test vectors and our own."""

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bluezone.cli.output import Failed, command_result
from bluezone.refusal import Refused

if TYPE_CHECKING:
    from bluezone.cli.tools.vectors.case import Case


class InvalidVectors(Refused):
    """A vector file is not JSON, or not of the form its family has."""

    code = "vectors_invalid"


@click.group()
def vectors() -> None:
    """Test vectors."""


def _lines(result: dict[str, Any]) -> Iterable[str]:
    for family, counts in result["families"].items():
        yield f"{family:36} {counts['passed']:4} passed {counts['failed']:3} failed {counts['skipped']:3} skipped"
    for failure in result["failed"]:
        yield f"FAILED {failure['family']} {failure['case']}: got {failure['got']}, expected {failure['expected']}"


@vectors.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@command_result(_lines)
def check(files: tuple[Path, ...]) -> dict[str, Any]:
    """Check every case of the vector FILES; fails if any case does."""
    families: dict[str, dict[str, int]] = defaultdict(lambda: {"passed": 0, "failed": 0, "skipped": 0})
    failed = []
    for file in files:
        for case in _cases(file):
            outcome, got, expected = case.outcome()
            families[case.family][outcome] += 1
            if outcome == "failed":
                failed.append({"family": case.family, "case": case.name, "got": got, "expected": expected})
    result = {"families": dict(families), "failed": failed}
    if failed:
        raise Failed(result)
    return result


def _cases(file: Path) -> "list[Case]":
    from bluezone.cli.tools.vectors.cases import cases_of

    try:
        document = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        raise InvalidVectors(f"{file.name} is not JSON") from None
    try:
        return list(cases_of(document, file.stem))
    except (AttributeError, KeyError, TypeError):
        raise InvalidVectors(f"{file.name} is not of the form its family has") from None
