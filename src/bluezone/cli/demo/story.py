# SPDX-License-Identifier: Apache-2.0
"""What happens in the demo, in order, and what every phone must say at the end."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bluezone.city import write_default
from bluezone.cli.demo.episodes import EPISODE_SECONDS_AGO, STARTED_SECONDS_AGO, DemoClock, live_through
from bluezone.cli.demo.server import DemoServer
from bluezone.handset import Handset

CITY_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
PUBLISH_SECONDS = 30.0


@dataclass(frozen=True)
class Expectation:
    """What a phone must end with."""

    name: str
    level: str
    shortest_minutes: int = 0
    longest_minutes: int = 0

    def said(self, met_on: date) -> str:
        """The expectation in words."""
        if self.level == "none":
            return "no warning"
        return f"{self.level} on {met_on}, {self.shortest_minutes}-{self.longest_minutes} minutes"

    def holds(self, level: str, day: date | None, minutes: int, met_on: date) -> bool:
        """True if the phone's answer is the expected one; a warning must name the day of the meeting."""
        if self.level == "none":
            return level == "none"
        return level == self.level and day == met_on and self.shortest_minutes <= minutes <= self.longest_minutes


EXPECTED = (
    Expectation("patient", "none"),
    Expectation("near", "high", 20, 30),
    Expectation("far", "none"),
    Expectation("earlier", "none"),
)


def prepare_city(data: Path) -> None:
    """Settings of the demo: nothing waits, so that the story ends in a minute; the server says what that weakens."""
    write_default(
        data,
        name_vi="Thành phố Bắc Kạn",
        name_en="Bac Kan City",
        hotline="0209 3 870 943",
        verify_to_upload_seconds=0,
        web_minimum_seconds=0,
        publish_period_seconds=0,
    )


def run_story(server: DemoServer, folder: Path, seed: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Let four phones live through the episodes, report, publish, check; return the result of `bluezone demo`."""
    say("warning: waits and publishing period are 0 here; in use they are not (see docs/privacy.md)")
    clock = DemoClock(time.time() - STARTED_SECONDS_AGO)
    handsets = {
        expected.name: Handset.open(
            folder / expected.name,
            server_url=server.public_url,
            clock=clock,
            rng=random.Random(f"{seed}/{expected.name}"),
            trust=server.public_key(),
        )
        for expected in EXPECTED
    }
    try:
        live_through(handsets, clock, seed, say)
        met_on = _local_date(time.time() - EPISODE_SECONDS_AGO)
        _report(server, handsets["patient"], say)
        return _result(handsets, server, seed, met_on, say)
    finally:
        for handset in handsets.values():
            handset.close()


def _local_date(unix_seconds: float) -> date:
    return datetime.fromtimestamp(unix_seconds, UTC).astimezone(CITY_ZONE).date()


def _report(server: DemoServer, patient: Handset, say: Callable[[str], None]) -> None:
    """The patient tested positive today; symptoms began the day before yesterday."""
    code = server.issue_code("confirmed", _local_date(time.time()) - timedelta(days=2))
    say(f"a health worker issued the code {code}")
    patient.check()
    outcome = patient.report.prepare_and_send(code, consent=True)
    say(f"the patient's phone sent its keys; days covered: {outcome.keys}")


def _result(
    handsets: dict[str, Handset], server: DemoServer, seed: int, met_on: date, say: Callable[[str], None]
) -> dict[str, Any]:
    """Every phone fetches the file that the report is in, and its answer is held against the expected one."""
    server.wait_for_export(after=handsets["patient"].downloads.position.number, seconds=PUBLISH_SECONDS)
    say("the server published; every phone fetches and matches at home")
    rows, as_expected = [], True
    for expected in EXPECTED:
        assessment = handsets[expected.name].check()
        worst = max(assessment.days, key=lambda day: day.score, default=None)
        warned = worst if worst is not None and assessment.level != "none" else None
        day, minutes = (warned.day, warned.minutes) if warned else (None, 0)
        if not expected.holds(assessment.level, day, minutes, met_on):
            as_expected = False
            say(f"{expected.name} differs: expected {expected.said(met_on)}")
        rows.append(
            {
                "name": expected.name,
                "expected": expected.level,
                "level": assessment.level,
                "day": day.isoformat() if day else None,
                "minutes": minutes,
                "certainty": warned.certainty if warned else None,
            }
        )
    return {"ok": as_expected, "seed": seed, "handsets": rows}
