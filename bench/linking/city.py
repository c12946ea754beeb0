# SPDX-License-Identifier: Apache-2.0
"""A city of made-up cases that lives some days on a simulated clock: the real office issues, the real key server
answers, publishes and forgets, and copies are taken of all that they store.
"""

import datetime
import os
import shutil
import zoneinfo
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bluezone.city_settings import City, write_default
from bluezone.keyserver.service import KeyServer
from bluezone.keyserver.storage.store import Store
from bluezone.protocol import blindrsa
from bluezone.protocol.exports.files import read_export
from bluezone.protocol.intervals import SECONDS_PER_DAY, SECONDS_PER_HOUR, first_interval
from bluezone.protocol.upload import (
    CLINICAL_CLASS,
    CONFIRMED_CLASS,
    HIGH,
    STANDARD,
    Status,
    UploadKey,
    UploadRequest,
    Verify1Request,
    Verify2Request,
    commitment,
)
from bluezone.protocol.upload.codes import Credential

ZONE = zoneinfo.ZoneInfo("Asia/Ho_Chi_Minh")
MONDAY = 1796058000  # 2026-11-30, 00:00 in Vietnam
NETWORK = b"bench"
# Hourly copies are taken so long after the hour.
COPY_SECONDS = 37 * 60
LONGEST_WAIT = 3600
DIGITS_LIFE = 24 * SECONDS_PER_HOUR
# As many as a city has that does not say otherwise.
DEFAULT_RANDOM_KEYS = City.padding_mean


@dataclass(frozen=True)
class Facility:
    """Who issues codes: share of all cases, hours of the day (local, first to last), workers, whether on Sundays."""

    name: str
    share: float
    first_hour: float
    last_hour: float
    workers: int
    sundays: bool


FACILITIES = (
    Facility("Trung tâm kiểm soát bệnh tật", 0.4, 8, 20, 4, True),
    Facility("Bệnh viện đa khoa", 0.3, 6, 22, 6, True),
    Facility("Trạm y tế Sông Cầu", 0.1, 7.5, 17, 1, False),
    Facility("Trạm y tế Phùng Chí Kiên", 0.1, 7.5, 17, 2, False),
    Facility("Trạm y tế Đức Xuân", 0.1, 7.5, 17, 1, False),
)


@dataclass(frozen=True)
class Manners:
    """How the people of a city behave, which its attackers know.

    onset_days: before the code, each as likely. next_morning_share: of the codes; the others are used within hours,
    use_hours in the mean. web_share: reports from an open page, which waits seconds and not minutes. week: how many
    cases on each day, Monday first. begins: the weekday on which the city's days begin, 0 for Monday.
    """

    onset_days: tuple[int, ...] = (0, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6)
    confirmed_share: float = 0.85
    unused_share: float = 0.15
    next_morning_share: float = 0.15
    use_hours: float = 2.0
    web_share: float = 0.1
    week: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0, 1.0, 0.7, 0.5)
    begins: int = 0
    facilities: tuple[Facility, ...] = FACILITIES


MANNERS = {
    "usual": Manners(),
    # Tested at once, no clinical diagnoses, codes read out on the spot and used within minutes, mostly in a browser.
    "prompt": Manners((0, 0, 0, 1, 1, 2), 1.0, 0.02, 0.02, 0.3, 0.6, (1.0,) * 7),
    # Late results, many of them clinical; most people report in the evening or the next morning, and many never do.
    "late": Manners((3, 4, 4, 5, 5, 6, 6, 7, 8), 0.5, 0.4, 0.5, 6.0, 0.02, (1.6, 1.2, 1.0, 1.0, 1.0, 0.2, 0.1)),
    "unused": Manners(unused_share=0.4),
    # Those who are judged reported on Saturday to Tuesday, most of them on the two free days.
    "weekend": Manners(week=(0.6, 0.5, 0.5, 0.5, 0.8, 2.0, 2.1), begins=3),
    "one-place": Manners(facilities=(Facility("Bệnh viện đa khoa", 1.0, 6, 22, 6, True),)),
    "three-places": Manners(
        facilities=(
            Facility("Bệnh viện đa khoa", 0.5, 0, 24, 8, True),
            Facility("Trung tâm y tế", 0.3, 7, 17, 2, True),
            Facility("Trạm y tế", 0.2, 7.5, 11.5, 1, False),
        )
    ),
}
DRAWN = "drawn"


def manners_of(name: str, seed: int) -> Manners:
    """How people behave by a name of MANNERS, or DRAWN: everything by chance, from the seed."""
    if name != DRAWN:
        return MANNERS[name]
    rng = np.random.default_rng((seed, 1))
    facilities = []
    for number, share in enumerate(rng.dirichlet(np.ones(int(rng.integers(1, 8))))):
        opens = float(rng.uniform(0, 10))
        closes = float(rng.uniform(opens + 3, 24))
        sundays = number == 0 or bool(rng.random() < 0.5)
        facilities.append(Facility(f"Nơi {number + 1}", float(share), opens, closes, int(rng.integers(1, 8)), sundays))
    return Manners(
        onset_days=tuple(sorted(rng.integers(0, 10, 12).tolist())),
        confirmed_share=float(rng.uniform(0.3, 1)),
        unused_share=float(rng.uniform(0, 0.4)),
        next_morning_share=float(rng.uniform(0, 0.6)),
        use_hours=float(rng.uniform(0.2, 8)),
        web_share=float(rng.uniform(0, 1)),
        week=tuple(rng.uniform(0.1, 2, 7).tolist()),
        begins=int(rng.integers(7)),
        facilities=tuple(facilities),
    )


@dataclass
class Case:
    """One case as it really was. Moments in Unix seconds; `used` and `uploaded` are None for a code nobody used."""

    facility: int
    worker: int
    klass: int
    onset_day: int
    issued: float
    used: float | None
    uploaded: float | None
    handle: str = ""
    code: str = ""
    keys: tuple[UploadKey, ...] = ()
    report: UploadRequest | None = None


@dataclass(frozen=True)
class PublicFile:
    """A published file: from when to when its keys came, and these in columns (int64, day and class of each).

    start: where the city holds keys back, the end of the file before it that had any.
    """

    start: int
    end: int
    keys: list[bytes]
    days: np.ndarray
    levels: np.ndarray
    classes: np.ndarray


@dataclass(frozen=True)
class HeldCode:
    """What office and key server together still say of a code. klass, onset_day: None where they are forgotten.

    earliest, latest: bounds of the moment of issue, Unix seconds. used: None where nobody can tell. told: whether a day
    has begun since its use.
    """

    handle: str
    facility: int
    klass: int | None
    onset_day: int | None
    earliest: float
    latest: float
    used: bool | None
    told: bool = False


@dataclass(frozen=True)
class CodesRow:
    """A row of the key server's codes store, a code's or a decoy, that nothing joins to the office.

    klass, onset_day: None where they are forgotten. end: of its link, Unix seconds. told: used before the day began.
    """

    klass: int | None
    onset_day: int | None
    end: int
    used: bool
    told: bool


@dataclass(frozen=True)
class Copy:
    """All stores at one moment. waiting: keys; uploads: reports so far by (day, class).

    office: what the office itself says of each code, by handle; rows: what the key server says of codes, in no order.
    codes: both put together as no copy has them: whoever copies every hour sees both rows of a code appear within one
    hour, and is granted in full what that may tell.
    """

    at: float
    codes: dict[str, HeldCode]
    waiting: frozenset[bytes]
    uploads: dict[tuple[int, int], int]
    office: dict[str, HeldCode]
    rows: tuple[CodesRow, ...]


@dataclass
class Lived:
    """What really was, and what can be copied of it. known: prefixes of keys, as the last copy holds them."""

    cases: list[Case]
    manners: Manners
    files: list[PublicFile] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)
    known: frozenset[bytes] = frozenset()
    end: float = 0.0
    # What attackers have worked out before, by their strength (attackers.buckets).
    worked_out: dict[str, Any] = field(default_factory=dict)


def draw_cases(rng: np.random.Generator, manners: Manners, rate: float, first_day: int, days: int) -> list[Case]:
    """The cases of some local days, `rate` a day in the mean; first_day: local days since MONDAY."""
    cases = []
    shares = np.array([facility.share for facility in manners.facilities])
    for day in range(first_day, first_day + days):
        weekday = (day + manners.begins) % 7
        for _ in range(rng.poisson(rate * manners.week[weekday] * 7 / sum(manners.week))):
            number = int(rng.choice(len(shares), p=shares))
            facility = manners.facilities[number]
            if weekday == 6 and not facility.sundays:
                number, facility = 0, manners.facilities[0]
            moment = MONDAY + day * SECONDS_PER_DAY + 3600 * rng.uniform(facility.first_hour, facility.last_hour)
            cases.append(_case(rng, manners, number, float(moment)))
    return sorted(cases, key=lambda case: case.issued)


def draw_lag(rng: np.random.Generator, manners: Manners, issued: float) -> tuple[float, float]:
    """When a code issued at `issued` is used, and when its keys are uploaded."""
    if rng.random() < manners.next_morning_share:
        midnight = issued - (issued - MONDAY) % SECONDS_PER_DAY
        used = min(midnight + SECONDS_PER_DAY + 3600 * rng.uniform(6.5, 10), issued + 0.95 * DIGITS_LIFE)
    else:
        used = issued + min(3600 * rng.exponential(manners.use_hours), 0.95 * DIGITS_LIFE)
    wait = rng.uniform(5, 60) if rng.random() < manners.web_share else rng.uniform(0, LONGEST_WAIT)
    return used, used + wait


def _case(rng: np.random.Generator, manners: Manners, facility: int, issued: float) -> Case:
    used, uploaded = draw_lag(rng, manners, issued)
    onset = local_day(issued) - int(rng.choice(manners.onset_days))
    unused = rng.random() < manners.unused_share
    return Case(
        facility=facility,
        worker=int(rng.integers(manners.facilities[facility].workers)),
        klass=CONFIRMED_CLASS if rng.random() < manners.confirmed_share else CLINICAL_CLASS,
        onset_day=onset,
        issued=issued,
        used=None if unused else used,
        uploaded=None if unused else uploaded,
    )


def local_day(moment: float) -> int:
    """The local day of a moment in Unix seconds, since 1970."""
    return (datetime.datetime.fromtimestamp(moment, ZONE).date() - datetime.date(1970, 1, 1)).days


def levels_of(onset_day: int, today: int) -> list[tuple[int, int]]:
    """Days and levels that a phone offers on UTC day `today` (docs/protocol.md section 4, Infectious window)."""
    days = range(max(onset_day - 4, today - 14), min(onset_day + 9, today) + 1)
    return [(day, HIGH if -2 <= day - onset_day <= 3 else STANDARD) for day in days]


class Office:
    """The real office: facilities and their workers, who issue. Needs Django with an empty office store."""

    def __init__(self, facilities: Sequence[Facility] = FACILITIES) -> None:
        from bluezone.directory.kinds import AgencyKind, UnitKind
        from bluezone.directory.models import AdminUnit, Agency
        from bluezone.identity.models import Role, RoleGrant, User

        province, _ = AdminUnit.objects.get_or_create(
            key="bench", defaults={"name": "Tỉnh thử", "kind": UnitKind.PROVINCE, "path": "bench/"}
        )
        # What the tickets of the city's codes say, by the office's handle: no attacker has one.
        self.row_ids: dict[str, str] = {}
        self._workers: list[list[Any]] = []
        self._agencies: list[int] = []
        for number, facility in enumerate(facilities):
            agency, _ = Agency.objects.get_or_create(
                key=f"bench-{number}",
                defaults={
                    "name": facility.name, "kind": AgencyKind.DEPARTMENT, "unit": province, "path": f"bench-{number}/"
                },
            )  # fmt: skip
            self._agencies.append(agency.pk)
            people = []
            for person in range(facility.workers):
                user, made = User.objects.get_or_create(username=f"bench-{number}-{person}")
                if made:
                    began = datetime.date(2020, 1, 1)
                    RoleGrant.objects.create(user=user, role=Role.HEALTH_WORKER, agency=agency, valid_from=began)
                people.append(user)
            self._workers.append(people)

    def clear(self) -> None:
        """Forget all codes: another city begins."""
        from bluezone.healthauthority.models import IssuedCode

        IssuedCode.objects.all().delete()
        self.row_ids.clear()

    def issue(self, server: KeyServer, case: Case) -> None:
        """Issue the code of a case, as the page does."""
        from bluezone.healthauthority.codes import issuance, tickets

        klass = "confirmed" if case.klass == CONFIRMED_CLASS else "clinical"
        onset = datetime.date(1970, 1, 1) + datetime.timedelta(days=case.onset_day)
        now = datetime.datetime.fromtimestamp(case.issued, datetime.UTC)
        made = issuance.issue_code(server, self._workers[case.facility][case.worker], klass, onset, now)
        case.handle, case.code = made.record.handle, made.code
        self.row_ids[case.handle] = tickets.verify_ticket(made.record, made.ticket)

    def purge(self, now: float) -> None:
        """What the office forgets every day."""
        from bluezone.healthauthority import hourly_work

        hourly_work.purge(datetime.datetime.fromtimestamp(now, datetime.UTC))

    def rows(self) -> Iterator[HeldCode]:
        """What the office says of each code: facility and day."""
        from bluezone.healthauthority.models import IssuedCode

        for issued in IssuedCode.objects.all():
            first = issued.issued_at.timestamp()
            facility = self._agencies.index(issued.facility_id or 0)
            yield HeldCode(issued.handle, facility, None, None, first, first + SECONDS_PER_DAY, None)


def live(
    folder: Path, office: Office, manners: Manners, cases: list[Case], days: int, keys_from: Path | None = None,
    hold_hours: int = 0, random_keys: int = DEFAULT_RANDOM_KEYS,
) -> Lived:  # fmt: skip
    """Live through `days` local days from MONDAY on. keys_from: a data folder whose keys are taken over.

    random_keys: in a cell of a file, in the mean. Fewer are easier to see through, and quicker to live with.
    """
    clock = _Clock(float(MONDAY - SECONDS_PER_HOUR))
    write_default(
        folder, name_vi="Thử", name_en="Test", hotline="115",
        quota_per_worker_a_day=1000, quota_per_facility_a_day=1000, hold_hours=hold_hours,
        padding_mean=random_keys,
    )  # fmt: skip
    if keys_from is not None:
        shutil.copytree(keys_from / "keys", folder / "keys")
    server = KeyServer.open(folder, clock)
    office.clear()
    lived = Lived(cases, manners, end=MONDAY + days * SECONDS_PER_DAY)
    try:
        for moment, act, case in _agenda(cases, days):
            clock.now = moment
            if act == "tick":
                server.tick(moment)
            elif act == "purge":
                office.purge(moment)
            elif act == "copy":
                lived.copies.append(_copy(server, office, moment))
            elif case is not None:
                {"issue": office.issue, "use": _use, "upload": _upload}[act](server, case)
        lived.copies.append(_copy(server, office, clock.now))
        prefixes = server.keys_store.read("SELECT prefix FROM known_key")
        lived.known = frozenset(int(prefix).to_bytes(8, "big", signed=True) for (prefix,) in prefixes)
        lived.files = _files(server)
    finally:
        server.close()
    return lived


class _Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def _agenda(cases: list[Case], days: int) -> list[tuple[float, str, Case | None]]:
    end = MONDAY + days * SECONDS_PER_DAY
    agenda: list[tuple[float, str, Case | None]] = []
    for hour in range(-1, days * 24 + 1):
        moment = float(MONDAY + hour * SECONDS_PER_HOUR)
        agenda.append((moment, "tick", None))
        if hour >= 0 and moment + COPY_SECONDS < end:
            agenda.append((moment + COPY_SECONDS, "copy", None))
    agenda += [(float(MONDAY + day * SECONDS_PER_DAY + 120), "purge", None) for day in range(days)]
    for case in cases:
        agenda.append((case.issued, "issue", case))
        if case.used is not None and case.uploaded is not None:
            agenda += [(case.used, "use", case), (case.uploaded, "upload", case)]
    return sorted((item for item in agenda if item[0] <= end), key=lambda item: item[0])


def _use(server: KeyServer, case: Case) -> None:
    """Both calls of verification, as a phone makes them."""
    credential = Credential.from_text(case.code)
    first = server.codes_part.code_checks.check_code(
        Verify1Request(credential=credential, challenge=bytes(32), nonce=bytes(8)), NETWORK
    )
    assert first.status is Status.OK, first
    today = int(server.clock() // SECONDS_PER_DAY)
    case.keys = tuple(
        UploadKey(os.urandom(16), first_interval(day), 144, level) for day, level in levels_of(case.onset_day, today)
    )
    week_key = server.secrets.week_keys.find_key(first.kid)
    assert week_key is not None
    public = blindrsa.PublicKey(week_key.n, week_key.e)
    salt, rand = os.urandom(32), os.urandom(32)
    message = rand + commitment(salt, case.keys, ())
    blinded = blindrsa.blind(public, message)
    second = server.codes_part.redemption.redeem_code(
        Verify2Request(
            credential=credential, kid=first.kid, blinded=blinded.message, challenge=bytes(32), nonce=bytes(8)
        ),
        NETWORK,
    )
    assert second.status is Status.OK, second
    signature = blindrsa.finalize(public, message, second.blind_signature, blinded.inverse)
    case.report = UploadRequest(
        kid=first.kid, rand=rand, signature=signature, salt=salt, keys=case.keys, challenge=bytes(32), nonce=bytes(8)
    )


def _upload(server: KeyServer, case: Case) -> None:
    assert case.report is not None
    answer = server.admission.uploads.accept_upload(case.report, NETWORK)
    assert answer.status is Status.OK, answer


def _copy(server: KeyServer, office: Office, moment: float) -> Copy:
    found = server.codes_store.read("SELECT handle, class, onset_day, link_expire, state, told FROM credential")
    there = {
        bytes(handle).hex(): CodesRow(klass, onset_day, end, state == 1, bool(told))
        for handle, klass, onset_day, end, state, told in found
    }
    listed = {code.handle: code for code in office.rows()}
    joined = {handle: _joined(code, there.get(office.row_ids[handle])) for handle, code in listed.items()}
    waiting = frozenset(bytes(key) for (key,) in server.keys_store.read("SELECT key FROM waiting_key"))
    rows = tuple(sorted(there.values(), key=repr))
    return Copy(moment, joined, waiting, _uploads(server.keys_store), listed, rows)


def _joined(code: HeldCode, row: CodesRow | None) -> HeldCode:
    if row is None:
        return code
    first, last = code.earliest, code.latest
    if not row.used:
        # The end of a link gives its beginning away.
        begun = row.end - 2 * SECONDS_PER_DAY
        first, last = max(first, begun - SECONDS_PER_HOUR), min(last, begun + 1)
    return HeldCode(code.handle, code.facility, row.klass, row.onset_day, first, last, row.used, row.told)


def _uploads(store: Store) -> dict[tuple[int, int], int]:
    return {(day, klass): count for day, klass, count in store.read("SELECT day, class, uploads FROM upload_count")}


def _files(server: KeyServer) -> list[PublicFile]:
    files: list[PublicFile] = []
    last = 0
    rows = server.keys_store.read(
        "SELECT name, end_timestamp FROM export_file WHERE sha256 IS NOT NULL ORDER BY number"
    )
    for name, end in rows:
        content = server.downloads.fetch(f"exports/{name}")
        assert content is not None
        columns = read_export(content).columns
        levels = np.where(np.asarray(columns.days_since_onset) == 0, HIGH, STANDARD)
        files.append(
            PublicFile(
                max(last, end - max(server.city.hold_seconds, 2 * SECONDS_PER_HOUR)),
                end,
                [bytes(columns.key(row)) for row in range(len(columns))],
                np.asarray(columns.starts) // 144,
                levels,
                np.asarray(columns.report_types),
            )
        )
        last = end if len(columns) else last
    return files
