# SPDX-License-Identifier: Apache-2.0
"""`bluezone plan`: a table of the effects of options in a city, compared with the present (docs/planning.md)."""

import csv
import ctypes
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bluezone.cli.output import Stopped, prints_result
from bluezone.refusal import Refused

if TYPE_CHECKING:
    from bluezone.planning.people import Ward

WARDS_FILE = "wards.csv"
COLUMNS = ("ward", "residents", "running")

OPTIONS = {
    "as_it_is": "as it is",
    "doors": "door visits where fewest run it: 20 points more there",
    "drive": "a drive: 5 points more in every ward",
    "gates": "gates: 10 points more in every ward",
    "codes": "codes a day sooner",
    "venues": "venue codes at half of all visits",
    "sooner_high": '"high" from a chance of 0.30',
    "later_high": '"high" from a chance of 0.60',
}
FIGURES = {
    "infections": "infections",
    "deaths": "deaths",
    "home_rightly": "person-days at home, infected",
    "home_for_nothing": "person-days at home for nothing",
    "tests": "tests",
}


class WardsInvalid(Refused):
    """The file of wards cannot be read, or the folder has neither it nor an office with figures."""

    code = "wards_invalid"


def read_wards(text: str) -> "tuple[Ward, ...]":
    """Read `wards.csv` with ward, residents, and running (a share from 0 to 1). Raises WardsInvalid with the line."""
    from bluezone.planning.people import Ward

    reader = csv.DictReader(text.splitlines())
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise WardsInvalid(f"{WARDS_FILE}: line 1 is not the header {','.join(COLUMNS)}")
    wards = []
    for row in reader:
        try:
            ward = Ward(row["ward"].strip(), int(row["residents"]), float(row["running"]))
        except (TypeError, ValueError):
            raise WardsInvalid(f"{WARDS_FILE}: line {reader.line_num} needs a whole number and a share") from None
        if not 0 <= ward.running <= 1 or ward.residents < 0:
            raise WardsInvalid(f"{WARDS_FILE}: line {reader.line_num}: expected residents from 0 and a share of 0 to 1")
        wards.append(ward)
    return tuple(wards)


def _wards(folder: Path, running: float | None) -> "tuple[Ward, ...]":
    path = folder / WARDS_FILE
    if path.is_file():
        return read_wards(path.read_text("utf-8-sig", errors="replace"))
    from bluezone.city_settings import FILE_NAME

    if not (folder / FILE_NAME).is_file():
        raise WardsInvalid(f"{folder} holds neither {WARDS_FILE} nor {FILE_NAME}")
    from bluezone.server.preparation import OfficeUnavailable, open_office

    open_office(folder)
    from django.db import DatabaseError

    from bluezone.rollout.planning.api import wards_of_city

    try:
        return wards_of_city(running)
    except DatabaseError as error:
        raise OfficeUnavailable(f"the office store cannot be read: {str(error).splitlines()[0]}") from None


def _interval(estimate: dict[str, float], sign: bool = True) -> str:
    shape = "{:+,.0f}" if sign else "{:,.0f}"
    return f"{shape} ({shape} to {shape})".format(estimate["middle"], estimate["low"], estimate["high"])


def _lines(result: dict[str, Any]) -> Iterable[str]:
    if result["near_of_100"]:
        near, infected = (_interval(result[name], sign=False) for name in ("near_of_100", "infected_of_100"))
        yield f'Of 100 people told "high" as it is, {near} were near a case and {infected} were infected.'
    else:
        yield 'Nobody is told "high": the app runs on too few phones, or too few cases report.'
    yield (
        f"Model of {result['residents']:,} residents, {result['running']:.0%} running, {result['days']} days, "
        f"{result['seeds']} seeds. Compared with how it is; no forecast. In brackets: nine of ten seeds."
    )
    for row in result["rows"]:
        yield ""
        yield OPTIONS[row["option"]]
        is_present = row["option"] == "as_it_is"
        for name, words in FIGURES.items():
            figure = row["total" if is_present else "change"][name]
            is_unclear = not is_present and figure["low"] <= 0 <= figure["high"]
            yield f"  {words:34} {_interval(figure, not is_present)}" + ("   no clear difference" if is_unclear else "")
        if row["work"]:
            yield f"  {'work, team-days':34} {_interval(row['work'], sign=False)}"


@click.command()
@click.option(
    "--city",
    "folder",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help=f"Folder with {WARDS_FILE} ({','.join(COLUMNS)}), or a data folder with an office that has figures.",
)
@click.option("--disease", default="covid-19", show_default=True, help="covid-19 or influenza.")
@click.option("--infected", type=click.IntRange(min=0), help="Infected on day 0.  [default: 1 in 2,000 residents]")
@click.option("--imports", type=click.FloatRange(min=0), default=0.1, show_default=True, help="From outside, a day.")
@click.option("--running", type=click.FloatRange(0, 1), help="Share running where the office shows none for a ward.")
@click.option("--days", type=int, default=120, show_default=True, help="Days of each epidemic.")
@click.option("--seeds", type=int, default=20, show_default=True, help="Epidemics of each option.")
@click.option(
    "--assumptions",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="TOML with assumptions that replace ours; may be given more than once.",
)
@prints_result(_lines)
def plan(
    folder: Path,
    disease: str,
    infected: int | None,
    imports: float,
    running: float | None,
    days: int,
    seeds: int,
    files: tuple[Path, ...],
) -> dict[str, Any]:
    """Compare options in a city with the present: people warned rightly, infections, work, with intervals.

    A model, not a forecast; docs/planning.md explains its basis. Ctrl-C stops it.
    """
    from bluezone.planning.assumptions import read_assumptions
    from bluezone.planning.plan import Inputs, Planner, answer_of

    wards = _wards(folder, running)
    residents = sum(ward.residents for ward in wards)
    first = max(residents // 2000, 5) if infected is None else infected
    inputs = Inputs(wards, first, imports, disease, days, seeds)
    planner = Planner(inputs, read_assumptions(disease, files))
    stop = ctypes.c_int32(0)
    results = {}
    with click.progressbar(length=len(planner.pieces()), label="plan", file=sys.stderr) as bar:
        try:
            for seed, option, totals in planner.run(bar.update, stop, workers=min(os.cpu_count() or 1, 8)):
                results[seed, option] = totals
        except KeyboardInterrupt:
            stop.value = 1
            raise Stopped("the plan was stopped; nothing is kept of it") from None
    answer = answer_of(results, [option.name for option in planner.options])
    return {**asdict(answer), "residents": inputs.residents, "running": inputs.running, "days": days}
