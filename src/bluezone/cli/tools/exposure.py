# SPDX-License-Identifier: Apache-2.0
"""`bluezone exposure`: score encounters with cases."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from bluezone.cli.output import prints_result


@click.group()
def exposure() -> None:
    """Score encounters with cases."""


def _exposure_lines(result: dict[str, Any]) -> Iterator[str]:
    for day in result["days"]:
        yield f"{day['day']}  {day['level']:<4}  score {day['score']:g}  about {day['minutes']} minutes"
    yield f"risk: {result['level']}"


@exposure.command()
@click.option("--profile", default="covid-19", show_default=True, help="Disease profile: covid-19, cwa, or a file.")
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="Local date from which ages count.  [default: today]")
@click.option(
    "--windows",
    "windows_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON list of exposure windows.",
)
@prints_result(_exposure_lines)
def score(profile: str, today: datetime | None, windows_file: Path) -> dict[str, Any]:
    """Score the days of a list of exposure windows.

    FILE is a list shaped like `exposureWindows` of the Corona-Warn-App's published test cases, and a profile may be
    its configuration object (JSON) instead of one of ours (TOML).
    """
    from bluezone.protocol.risk.assessment import assess_exposure, load_profile
    from bluezone.protocol.risk.coronawarnapp import read_windows

    local_date = (today or datetime.now().astimezone()).date()
    windows = read_windows(windows_file.read_bytes(), local_date)
    assessment = assess_exposure(windows, load_profile(profile), local_date)
    return {
        "level": assessment.level,
        "days": [
            {"day": day.day.isoformat(), "score": day.score, "level": day.level, "minutes": day.minutes}
            for day in assessment.days
        ],
    }
