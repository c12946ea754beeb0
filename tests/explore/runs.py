# SPDX-License-Identifier: Apache-2.0
"""Runs of the explorer: draw steps, take them, let everything heal, and compare with what must be so.

A run that fails is shortened to the fewest steps that still fail.
"""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.builders.keyserver import DAY, HOUR
from tests.explore.city import ALL_PHONES, HEALED_AFTER, PERIOD, City
from tests.explore.machine import NEVER, Disk, Forks, Violation
from tests.explore.steps import Step, first_clock_error, take

from bluezone.protocol.intervals import day_at
from bluezone.protocol.upload import HIGH, infectious_level
from bluezone.refusal import Refused

# Rounds in which an operator acts by the playbook that the health names, until nothing is left to do.
MOST_ACTS = 6
# What an index lists and a phone remembers is two weeks old at most; a day less, since keys wait for their embargo.
LISTED = 13 * DAY
# The zone of the city.
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


@dataclass(frozen=True)
class Failure:
    """A run that broke a promise: after which steps, and which promise."""

    steps: tuple[Step, ...]
    sentence: str


def explore(folder: Path, forks: Forks, seed: int, steps: Sequence[Step]) -> str | None:
    """Take the steps in a new city; returns the broken promise, None if all hold."""
    shutil.rmtree(folder, ignore_errors=True)
    city = City(folder, forks, seed, first_clock_error(steps))
    try:
        city.round()
        for step in steps:
            take(city, step)
        heal(city)
        compare(city)
        if city.record:
            return city.record.judge(folder)
    except Violation as violation:
        return str(violation)
    finally:
        city.close()
    return None


def heal(city: City) -> None:
    """All faults end; an operator does what the playbooks say."""
    control = city.machine.control
    control.fault = Disk.SOUND
    control.kill_after = NEVER
    control.wall = city.world.now
    control.synchronised = 1
    city.signer_wanted = True
    city.offline_until = [city.world.now] * ALL_PHONES
    city.round()
    city.restore_settings()
    for _ in range(MOST_ACTS):
        if not act_by_playbook(city):
            break
        city.round()
    city.wait(2 * PERIOD)
    city.refused.clear()
    city.wait(HEALED_AFTER)


def act_by_playbook(city: City) -> bool:
    """Do what the playbook of the named problem says; False if nothing is to be done."""
    failing = city.health()["failing"]
    if "clock_doubted" in failing:
        # docs/playbooks/clock-doubted.md: the clock is right, and was wrong before.
        code, output = city.command("clock", "--data", str(city.data), "--confirm")
        if code:
            raise Violation(f"the playbook's command ends with {code}: {output}")
        return True
    if {"history_forked", "history_unknown"} & {*failing} and city.replaced:
        # docs/playbooks/history-forked.md: the missing files may be in an old data folder, or on a mirror.
        city.stop_server()
        places = [word for folder in (*city.replaced, city.mirror) for word in ("--from", str(folder))]
        code, output = city.command("history", "adopt", "--data", str(city.data), *places)
        if code:
            raise Violation(f"the playbook's command ends with {code}: {output}")
        return True
    if "published_file_differs" in failing:
        # docs/playbooks/published-file-damaged.md: the files may be on a mirror; the next rounds take copies.
        return city.put_back_files()
    return False


def compare(city: City) -> None:
    """What must be so after everything has healed. Raises Violation."""
    health = city.health()
    if health["status"] != "ok":
        raise Violation(f"nothing is wrong any more, and health says {health['failing']}; {city.refused[-2:]}")
    if city.refused:
        raise Violation(f"an honest request was refused: {city.refused[0]}")
    counts = city.published()
    for key, at in city.reported.keys.items():
        is_listed = city.world.now - at < LISTED
        if counts[key] > 1 or (is_listed and not counts[key]):
            hours = (city.world.now - at) / HOUR
            raise Violation(f"a key acknowledged {hours:.0f} hours ago is in {counts[key]} files")
    for phone in city.phones:
        try:
            phone.check()
        except Refused as refused:
            raise Violation(f"{phone.name} does not follow: {refused.code}: {refused.message}") from None
        if phone.newest() != health["export_number"]:
            raise Violation(f"{phone.name} has file {phone.newest()} of {health['export_number']}")
    require_warnings(city)


def require_warnings(city: City) -> None:
    """Every true contact is warned of. Raises Violation."""
    for contact in city.contacts:
        reported_at = city.reported.patients.get(contact.other)
        if reported_at is None or contact.at > reported_at or city.world.now - contact.at > LISTED:
            continue
        if infectious_level(day_at(contact.at), day_at(reported_at)) != HIGH:
            continue
        phone = city.phones[contact.listener]
        day = datetime.fromtimestamp(contact.at, ZONE).date()
        # A meeting over midnight counts for the day on which most of it was.
        if not phone.warned_days() & {day, day - timedelta(days=1)}:
            raise Violation(f"{phone.name} met phone {contact.other}, who reported, and is not warned of {day}")


def shorten(folder: Path, forks: Forks, seed: int, steps: Sequence[Step], tries: int = 60) -> Failure:
    """The fewest steps that still break a promise, found by leaving out halves, quarters and single steps."""
    sentence = explore(folder, forks, seed, steps)
    assert sentence is not None
    left = list(steps)
    size = max(1, len(left) // 2)
    while size and tries > 0:
        for start in range(0, len(left), size):
            fewer = left[:start] + left[start + size :]
            tries -= 1
            again = explore(folder, forks, seed, fewer)
            if again is not None:
                left, sentence = fewer, again
                break
            if tries <= 0:
                break
        else:
            size //= 2
    return Failure(tuple(left), sentence)


def words(steps: Iterable[Step]) -> str:
    """Steps as a list, one a line."""
    return "\n".join(f"  {step}" for step in steps)
