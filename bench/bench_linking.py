# SPDX-License-Identifier: Apache-2.0
"""What copies of the stores tell about who reported: keys of one person grouped, codes named, cases found.

Cities of made-up cases live on a simulated clock with the real office and the real key server; four attackers of
growing strength reckon as well as they can (bench/linking). Beside them stands chance: the best guess at a key's code
from the office's lists alone (day of issue, facility, worker) and the time of the file.
"""

import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from bench.linking.attackers import CERTAIN, CHANCE, STRENGTHS, Group, Namer, buckets, group
from bench.linking.city import DEFAULT_RANDOM_KEYS, MONDAY, Case, Lived, Office, draw_cases, live, manners_of
from bench.linking.onecopy import Behaviour, Sought

from bluezone.protocol.intervals import SECONDS_PER_DAY, SECONDS_PER_HOUR

RATES = (1.0, 3.0, 10.0, 30.0, 100.0)
# Cases of so many last days are judged: whoever copies the stores has most to learn about these.
JUDGED_DAYS = 4
LIVED_DAYS = 6
ENOUGH_CASES = 60
MOST_CITIES = 400
POLL_SECONDS = 4 * SECONDS_PER_HOUR
# Phones that fetch what one case reported.
FETCHERS = 20


@dataclass
class Tally:
    """What one attacker found out about so many cases; `right` and `certain` of the heard key's code.

    cities: the number of the city of each `right`.
    alone: cases grouped where nobody else reported in the period under the class, the easiest there are.
    published, fetched: seconds from each report until its keys of past days were in a file, and on somebody's phone;
    with chance alone, because no attacker changes them.
    """

    cases: int = 0
    grouped: float = 0.0
    alone: float = 0.0
    claimed: int = 0
    claimed_right: int = 0
    found: float = 0.0
    named: float = 0.0
    named_certainly: float = 0.0
    right: list[float] = field(default_factory=list)
    cities: list[int] = field(default_factory=list)
    certain: float = 0.0
    published: list[float] = field(default_factory=list)
    fetched: list[float] = field(default_factory=list)


def run(
    progress: Callable[[str], object],
    cases_a_day: float | None = None,
    seed: int = 15,
    manners: str = "usual",
    hold_hours: int = 0,
    cases: int = ENOUGH_CASES,
) -> dict[str, Any]:
    """One rate, or all of them. manners: how people behave, a name of `city.MANNERS` or `city.DRAWN`.

    hold_hours: for how long the city holds keys back. cases: how many are judged of each rate, or some more.
    """
    from bluezone.server.preparation import prepare_office

    rates = RATES if cases_a_day is None else (cases_a_day,)
    with tempfile.TemporaryDirectory() as folder:
        from bluezone.city_settings import write_default

        write_default(Path(folder) / "office", name_vi="Thử", name_en="Test", hotline="115")
        prepare_office(Path(folder) / "office")
        people = manners_of(manners, seed)
        office, behaviour = Office(people.facilities), Behaviour(people)
        progress("office prepared")
        tables = {}
        for rate in rates:
            tables[rate] = judge(rate, seed, Path(folder), office, behaviour, progress, cases, hold_hours=hold_hours)
            # A rate takes minutes, and whoever ends the run early keeps what was measured.
            for strength, line in described(tables[rate]).items():
                progress(f"{rate:g} a day, {strength}: {line}")
    shown = {
        f"{rate:g} a day, {strength}": line
        for rate, tallies in tables.items()
        for strength, line in described(tallies).items()
    }
    first = tables[rates[0]]
    ours, chance = first[STRENGTHS[1]], first[CHANCE]
    return {
        "name": f"code named from one heard key and one copy of all stores, {rates[0]:g} cases a day",
        "value": percent(sum(ours.right), ours.cases),
        "unit": "% (chance is the baseline)",
        "baseline": percent(sum(chance.right), chance.cases),
        "ratio": round(sum(ours.right) / max(sum(chance.right), 1e-9), 2),
        **shown,
    }


def judge(
    rate: float, seed: int, folder: Path, office: Office, behaviour: Behaviour, progress: Callable[[str], object],
    enough: int = ENOUGH_CASES, keys_from: Path | None = None, hold_hours: int = 0,
    random_keys: int = DEFAULT_RANDOM_KEYS,
) -> dict[str, Tally]:  # fmt: skip
    """Live in cities of one rate until enough cases were judged; what each attacker found, and chance.

    keys_from: a data folder whose keys the cities have; the first city's, if none is given. random_keys: see `live`.
    """
    rng = np.random.default_rng((seed, int(rate * 10)))
    tallies = {strength: Tally() for strength in (*STRENGTHS, CHANCE)}
    for number in range(MOST_CITIES):
        city = folder / f"city-{rate:g}-{seed}-{number}" / "data"
        city.mkdir(parents=True)
        cases = draw_cases(rng, behaviour.manners, rate, 0, LIVED_DAYS)
        lived = live(city, office, behaviour.manners, cases, LIVED_DAYS, keys_from, hold_hours, random_keys)
        keys_from = keys_from or city
        attack(lived, tallies, behaviour, rng, hold_hours)
        for tally in tallies.values():
            tally.cities += [number] * (len(tally.right) - len(tally.cities))
        progress(f"{rate:g} a day, city {number + 1}: {tallies[CHANCE].cases} cases judged")
        if tallies[CHANCE].cases >= enough:
            break
    return tallies


def attack(
    lived: Lived, tallies: dict[str, Tally], behaviour: Behaviour, rng: np.random.Generator, hold_hours: int = 0
) -> None:
    """Let each attacker judge the cases of the last days of one city."""
    since = MONDAY + (LIVED_DAYS - JUDGED_DAYS) * SECONDS_PER_DAY
    until = lived.end - max(hold_hours, 2) * SECONDS_PER_HOUR
    cases = [c for c in lived.cases if c.uploaded and since <= c.uploaded < until]
    heard = {case.handle: _heard(case, rng) for case in cases}
    _time_publication(lived, cases, tallies[CHANCE])
    for strength, tally in tallies.items():
        namer = Namer(lived, strength, behaviour)
        tally.cases += len(cases)
        if strength != CHANCE:
            _judge_groups(lived, strength, namer, tally, cases)
        if strength == STRENGTHS[0]:
            continue
        places = _places(lived, CHANCE if strength == CHANCE else strength, {key for key, _ in heard.values()})
        for case in cases:
            key, cell = heard[case.handle]
            first, last, klass = places[key]
            odds = namer.odds(Sought(first, last, klass, frozenset([cell])))
            tally.right.append(_right(odds, case.handle))
            tally.certain += odds.get(case.handle, 0.0) >= CERTAIN


def _time_publication(lived: Lived, cases: list[Case], tally: Tally) -> None:
    ends: dict[bytes, int] = {}
    for file in lived.files:
        ends.update(dict.fromkeys(file.keys, file.end))
    # Of its own, so that the cities of a seed stay the same.
    rng = np.random.default_rng(len(cases))
    for case in cases:
        assert case.uploaded is not None
        found = [ends[key.key] for key in case.keys if key.key in ends]
        if not found:
            continue
        waited = min(found) - case.uploaded
        # A phone asks every poll period, a quarter more or less; a longer pause is likelier to be met.
        pauses = POLL_SECONDS * np.sqrt(rng.uniform(0.75**2, 1.25**2, FETCHERS))
        tally.published.append(waited)
        tally.fetched += (waited + pauses * rng.uniform(size=FETCHERS)).tolist()


def _heard(case: Case, rng: np.random.Generator) -> tuple[bytes, tuple[int, int]]:
    """A key of the case that somebody heard on the air, of a day that was over at the upload."""
    assert case.uploaded is not None
    over = [key for key in case.keys if key.start // 144 < (case.uploaded - 2 * SECONDS_PER_HOUR) // SECONDS_PER_DAY]
    key = over[int(rng.integers(len(over)))]
    return key.key, (key.start // 144, key.level)


def _places(lived: Lived, strength: str, keys: set[bytes]) -> dict[bytes, tuple[float, float, int]]:
    """When keys came at most, and their class: by their file, or narrower by the copies of whoever has them."""
    found = {}
    for bucket in buckets(lived, STRENGTHS[0] if strength in (CHANCE, STRENGTHS[1]) else strength):
        for inside in bucket.cells.values():
            for key in keys.intersection(inside):
                found[key] = (bucket.first, bucket.last, bucket.klass)
    return found


def _judge_groups(lived: Lived, strength: str, namer: Namer, tally: Tally, cases: list[Case]) -> None:
    owner = {key.key: case.handle for case in lived.cases for key in case.keys}
    judged = {case.handle for case in cases}
    found: dict[str, Group] = {}
    for claim in group(lived, strength):
        owners = [owner.get(key, "") for key in claim.keys]
        whose = max(set(owners), key=owners.count)
        if claim.bucket.last < MONDAY + (LIVED_DAYS - JUDGED_DAYS) * SECONDS_PER_DAY:
            continue
        tally.claimed += 1
        if whose and owners.count(whose) >= CERTAIN * len(owners):
            tally.claimed_right += 1
            if whose in judged:
                found[whose] = claim
    tally.grouped += len(found)
    tally.alone += sum(claim.alone for claim in found.values())
    candidates = {key for bucket in buckets(lived, strength) for keys in bucket.cells.values() for key in keys}
    real = sum(key in owner for key in candidates)
    # All that may be real, if nine in ten are; otherwise only what is in a group.
    if candidates and real >= CERTAIN * len(candidates):
        tally.found += sum(any(key.key in candidates for key in case.keys) for case in cases)
    else:
        tally.found += len(found)
    if strength == STRENGTHS[0]:
        return
    for handle, claim in found.items():
        cells = frozenset(cell for cell, keys in claim.bucket.cells.items() if claim.keys.intersection(keys))
        odds = namer.odds(Sought(claim.bucket.first, claim.bucket.last, claim.bucket.klass, cells))
        tally.named += _right(odds, handle)
        tally.named_certainly += odds.get(handle, 0.0) >= CERTAIN


def _right(odds: dict[str, float], handle: str) -> float:
    """Whether the best guess is right; a share of it where several are as likely."""
    if handle not in odds:
        return 0.0
    best = max(odds.values())
    likeliest = [one for one, weight in odds.items() if weight >= best - 1e-9]
    return 1 / len(likeliest) if handle in likeliest else 0.0


def described(tallies: dict[str, Tally]) -> dict[str, str]:
    """A line for each attacker."""
    lines = {}
    for strength, tally in tallies.items():
        said = [f"{tally.cases} cases"]
        if strength != CHANCE:
            precise = f" ({tally.claimed_right} of {tally.claimed} claims right)" if tally.claimed else ""
            said.append(f"keys grouped {with_interval(tally.grouped, tally.cases)}{precise}")
            said.append(f"of these alone {percent(tally.alone, tally.cases)} %")
            said.append(f"found {with_interval(tally.found, tally.cases)}")
        if strength not in (CHANCE, STRENGTHS[0]):
            said.append(f"their code named {percent(tally.named, tally.cases)} %")
            said.append(f"surely {percent(tally.named_certainly, tally.cases)} %")
        if tally.right:
            said.append(f"code named from one heard key {with_interval(sum(tally.right), tally.cases)}")
            said.append(f"surely {percent(tally.certain, tally.cases)} %")
            if strength != CHANCE:
                more, error = added(tally, tallies[CHANCE])
                said.append(f"adds {100 * more:.1f} ± {196 * error:.1f} points to chance")
        if tally.published:
            said.append(f"in a file after {_hours(tally.published)}, on phones after {_hours(tally.fetched)}")
        lines[strength] = ", ".join(said)
    return lines


def added(tally: Tally, chance: Tally) -> tuple[float, float]:
    """How many more codes an attacker names than chance does, as a share of the cases, and the error of that.

    Guesses at the same keys; the cases of one city may stand or fall together, so the error is the larger of those by
    cases and by cities.
    """
    more = np.array(tally.right) - np.array(chance.right)
    strays = more - more.mean()
    by_city = np.bincount(tally.cities, strays)
    return float(more.mean()), float(np.sqrt(max((strays**2).sum(), (by_city**2).sum())) / len(more))


def _hours(seconds: list[float]) -> str:
    median, most = np.median(seconds) / SECONDS_PER_HOUR, max(seconds) / SECONDS_PER_HOUR
    return f"{median:.1f} h in the median and {most:.1f} h at most"


def percent(part: float, whole: int) -> float:
    """Per cent, one decimal."""
    return round(100 * part / whole, 1) if whole else 0.0


def with_interval(part: float, whole: int) -> str:
    """Per cent with Wilson's interval of 95 %."""
    if not whole:
        return "-"
    share, z = part / whole, 1.96
    middle = (share + z * z / (2 * whole)) / (1 + z * z / whole)
    half = z / (1 + z * z / whole) * math.sqrt(share * (1 - share) / whole + z * z / (4 * whole * whole))
    return f"{100 * share:.0f} % ({100 * max(middle - half, 0):.0f} to {100 * min(middle + half, 1):.0f})"
