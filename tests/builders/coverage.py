# SPDX-License-Identifier: Apache-2.0
"""A city with wards, agencies and staff reports: small for most tests, large for tests of speed."""

import datetime
from contextlib import contextmanager

from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.records.store import rewrite_paths
from bluezone.rollout.coverage import indicators
from bluezone.rollout.coverage.api import Indicator
from bluezone.rollout.report_week import Week
from bluezone.rollout.staffing.models import StaffReport
from bluezone.vietnamese.spelling import fold

WEEK = Week(datetime.date(2020, 8, 10))
# Within the week, so that it is open for reports.
NOW = datetime.datetime(2020, 8, 14, 3, 0, tzinfo=datetime.UTC)


def unit(name, kind="ward", parent=None, **values):
    """One administrative unit; its key is its folded name."""
    made = AdminUnit.objects.create(
        key=fold(name).replace(" ", "-"), name=name, folded=fold(name), kind=kind, parent=parent, path="", **values
    )
    rewrite_paths(AdminUnit)
    made.refresh_from_db()
    return made


def agency(name, unit, **values):
    """One agency that serves `unit`."""
    kind = values.pop("kind", "department")
    made = Agency.objects.create(
        key=fold(name).replace(" ", "-"), name=name, folded=fold(name), kind=kind, unit=unit, path="", **values
    )
    rewrite_paths(Agency)
    made.refresh_from_db()
    return made


def city(*wards):
    """A province, a city in it, and wards; returns the city and the wards."""
    province = unit("tỉnh Bắc Kạn", "province")
    top = unit("thành phố Bắc Kạn", "district", province)
    return top, [unit(name, "ward", top, code=f"{number:05d}") for number, name in enumerate(wards, 1)]


def staff_report(agency, by, running=0, with_smartphone=None, week=WEEK, **values):
    """A current staff report, stored directly in the table."""
    phones = running if with_smartphone is None else with_smartphone
    defaults = {"staff": phones, "web_edition": 0, "reminded": 0, "version": 1, "reported_at": NOW}
    counts = {"running": running, "with_smartphone": phones}
    return StaffReport.everything.create(
        agency=agency, week=week.first_day, reported_by=by, **counts, **{**defaults, **values}
    )


def large_city(by, wards=8, agencies=1000, weeks=52):
    """A city of `agencies` agencies that all reported for `weeks` weeks up to WEEK, stored in bulk."""
    top, below = city(*(f"phường {number}" for number in range(wards)))
    rows = [
        Agency(
            key=f"a{n}", name=f"Cơ quan {n}", folded=f"co quan {n}", kind="department", unit=below[n % wards], path=""
        )
        for n in range(agencies)
    ]
    Agency.objects.bulk_create(rows)
    rewrite_paths(Agency)
    made = list(Agency.objects.order_by("pk"))
    for back in range(weeks):
        monday = WEEK.first_day - datetime.timedelta(days=7 * back)
        StaffReport.everything.bulk_create(
            StaffReport(
                agency=each, week=monday, version=1, staff=40 + n % 30, with_smartphone=30 + n % 20, running=n % 25,
                web_edition=n % 5, reminded=n % 4, reported_by=by, reported_at=NOW,
            )
            for n, each in enumerate(made)
        )  # fmt: skip
    return top


@contextmanager
def registered_only(*chosen: Indicator):
    """Register only the chosen indicators within the block."""
    known = indicators._by_key()
    before = dict(known)
    known.clear()
    known.update({indicator.key: indicator for indicator in chosen})
    try:
        yield
    finally:
        known.clear()
        known.update(before)


def plant_gate_days(gates, weeks):
    """Gates of the first agencies that counted on every day of `weeks` weeks up to WEEK."""
    from bluezone.rollout.gates.models import Gate, GateDay, Proof, Verdict

    agencies = list(Agency.objects.order_by("pk")[:gates])
    Gate.objects.bulk_create(Gate(agency=each, name="Cổng", number=f"{n:08x}") for n, each in enumerate(agencies))
    days = [WEEK.last_day - datetime.timedelta(days=back) for back in range(7 * weeks)]
    verdicts = ((Verdict.RUNNING, Proof.PROVEN, 20), (Verdict.TOLD, Proof.ATTESTED, 30))
    GateDay.objects.bulk_create(
        (
            GateDay(gate=gate, day=day, direction="in", verdict=verdict, proof=proof, count=count + n % 7)
            for n, gate in enumerate(Gate.objects.all())
            for day in days
            for verdict, proof, count in verdicts
        ),
        batch_size=5000,
    )
