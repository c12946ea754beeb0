# SPDX-License-Identifier: Apache-2.0
"""An office of any size, and the cost of its pages: the number of queries and the server's CPU seconds."""

import datetime
import os
import secrets
import statistics
import time
from pathlib import Path

import pytest
from django.db import connection, reset_queries
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from tests.builders.directives import NOW
from tests.builders.pace import paced

from bluezone.desk import home
from bluezone.devices.models import Device
from bluezone.directory.models import AdminUnit, Agency, RecipientGroup
from bluezone.healthauthority.models import IssuedCode
from bluezone.identity.models import AuditEntry, RoleGrant, User
from bluezone.portal.models import NewsItem
from bluezone.rollout.directives.models import Campaign, ChangeRequest, Directive, Dispatch, Report, Task, TaskParty
from bluezone.rollout.report_week import Week
from bluezone.rollout.staffing.models import StaffReport, WeekRequest

REQUESTS = 5
DAY = datetime.timedelta(days=1)


def letters(agencies, directives, user, first=0):
    """Directives to every agency, each with one weekly task on which every agency has reported once; and a draft.

    All are of one campaign.
    """
    issuer = agencies[0]
    day = datetime.date(2020, 8, 7)
    campaign = Campaign.objects.create(name=f"Ra quân {first}", basis="Kế hoạch 1", owner=issuer)
    Directive.objects.create(issuer=issuer, subject="Dự thảo", made_by=user, text="x" * 5000)
    for number in range(first, first + directives):
        directive = Directive.objects.create(
            issuer=issuer,
            number=str(number + 1),
            notation="UBND-VP",
            date=day,
            subject=f"Triển khai việc số {number}",
            state="issued",
            signer_name="Nguyễn Thị Hué",
            made_by=user,
            approved_by=user,
            approved_at=NOW,
            issued_at=NOW,
            campaign=campaign,
            text="Kính gửi các cơ quan. " * 300,
        )
        task = Task.objects.create(
            directive=directive,
            position=0,
            label="1",
            text="Báo cáo",
            report_every="week",
            report_from=day,
            fields=[{"name": "people", "label": "Số người"}],
        )
        Dispatch.objects.bulk_create(
            Dispatch(
                directive=directive,
                agency=agency,
                purpose="action",
                arrived_at=NOW,
                changed_at=NOW,
                state="received",
                received_at=NOW,
                incoming_year=2020,
                incoming_number=number + 1,
            )
            for agency in agencies
        )
        TaskParty.objects.bulk_create(TaskParty(task=task, agency=agency) for agency in agencies)
        Report.objects.bulk_create(
            Report(
                task=task,
                agency=agency,
                period=day,
                values={"people": 5},
                on_time=True,
                submitted_by=user,
                submitted_at=NOW,
            )
            for agency in agencies
        )


def letter_pages():
    """Every list page of directives, by a name that does not depend on primary keys."""
    directive = Directive.objects.filter(state="issued").order_by("-pk").first()
    draft = Directive.objects.filter(state="draft").first()
    return {
        "sent out": "/directives/",
        "sent out, searched": "/directives/?q=trien+khai&state=issued",
        "sent out, last page": "/directives/?page=99",
        "inbox": "/inbox/",
        "inbox, not done": "/inbox/?state=open",
        "inbox, last page": "/inbox/?page=9999",
        "one directive": f"/directives/{directive.pk}/",
        "its reports": f"/directives/{directive.pk}/progress/?period=2020-08-07",
        "its reports in a ward": f"/directives/{directive.pk}/progress/?unit={directive.issuer.unit_id}",
        "who is late": f"/directives/{directive.pk}/late/",
        "who is late, last page": f"/directives/{directive.pk}/late/?page=99",
        "a draft": f"/directives/{draft.pk}/change/",
        "register of documents out": f"/registers/out/?year=2020&agency={directive.issuer_id}",
        "register of documents in": f"/registers/in/?year=2020&agency={directive.issuer_id}",
        "campaigns": "/campaigns/",
        "a campaign": f"/campaigns/{directive.campaign_id}/",
        "one document in an inbox": f"/inbox/{directive.dispatches.order_by('pk').first().pk}/",
        "a report": f"/tasks/{TaskParty.objects.filter(task__directive=directive).first().pk}/report/",
    }


def server_clock():
    """A clock of the server's CPU seconds, which does not depend on the load of the machine.

    It counts this process, which includes SQLite; on PostgreSQL also the process that serves this connection.
    """
    if connection.vendor == "sqlite":
        return time.process_time
    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")  # no further process for a query
        cursor.execute("SELECT pg_backend_pid()")
        stat = Path(f"/proc/{cursor.fetchone()[0]}/stat")
    if not stat.exists():
        return time.perf_counter
    ticks = os.sysconf("SC_CLK_TCK")
    return lambda: time.process_time() + sum(map(int, stat.read_text().rsplit(")", 1)[1].split()[11:13])) / ticks


def everyday(agencies, by, weeks, first=0):
    """Store the other data of an office: for each agency an account, a device, a news item and `weeks` staff reports; a
    group, requests, and entries in the audit.

    first: number of the first agency among all, so that names differ.
    """
    now = timezone.now()
    monday = Week.of(timezone.localdate()).first_day
    people = User.objects.bulk_create(
        User(username=f"person-{first + n}", name=f"Nông Thị Lan {first + n}", agency=agency.name, password="!")
        for n, agency in enumerate(agencies)
    )
    RoleGrant.objects.bulk_create(
        RoleGrant(user=person, role="officer", agency=agency, valid_from=datetime.date(2020, 1, 1))
        for person, agency in zip(people, agencies, strict=True)
    )
    Device.objects.bulk_create(Device(kind="gate", name="Cổng chính", agency=agency) for agency in agencies)
    group = RecipientGroup.objects.create(key=f"g{first}", name=f"Nhóm {first}")
    group.agencies.set(agencies)
    NewsItem.objects.bulk_create(
        NewsItem(title_vi=f"Tin {first + n}", body_vi="x", written_by=by, written_at=now) for n in range(len(agencies))
    )
    for back in range(weeks):
        StaffReport.everything.bulk_create(
            StaffReport(
                agency=agency, week=monday - 7 * back * DAY, version=1, staff=40 + n % 30, with_smartphone=30 + n % 20,
                running=n % 25, web_edition=n % 5, reminded=n % 4, reported_by=by, reported_at=now,
            )
            for n, agency in enumerate(agencies[:-5])  # some have not reported
        )  # fmt: skip
    WeekRequest.objects.bulk_create(
        WeekRequest(agency=agency, week=monday - 70 * DAY, reason="Sai số", asked_by=by) for agency in agencies[:100]
    )
    ChangeRequest.objects.bulk_create(
        ChangeRequest(
            task_id=party.task_id, agency_id=party.agency_id, until=now.date() + DAY, reason="Thêm ngày", asked_by=by
        )
        for party in TaskParty.objects.filter(agency__in=agencies).order_by("-pk")[:100]
    )
    AuditEntry.objects.bulk_create(
        AuditEntry(number=10_000 + first + n, at=now, actor="lan", action="code_issued", subject="x" * 32,
                   previous=secrets.token_hex(32), digest=secrets.token_hex(32))
        for n in range(len(agencies))
    )  # fmt: skip


def quota_of_codes(workers, each):
    """Store `each` codes of today for each of the workers, in the office only."""
    now = timezone.now()
    IssuedCode.objects.bulk_create(
        IssuedCode(
            handle=secrets.token_hex(16), worker=worker, issued_at=now, form_id=secrets.token_hex(16),
        )
        for worker in workers for _ in range(each)
    )  # fmt: skip


def everyday_pages():
    """Every other list page of the office, by the role that opens it."""
    unit = AdminUnit.objects.get(kind="district")
    ward = AdminUnit.objects.filter(kind="ward").order_by("pk").first()
    agency = Agency.objects.order_by("pk").first()
    group = RecipientGroup.objects.order_by("-pk").first()
    week = Week.of(timezone.localdate())
    return {
        "admin": [
            "/accounts/", "/accounts/?q=nong+lan", "/accounts/?page=99", "/devices/", "/devices/?page=99", "/audit/",
            "/audit/?page=99", "/delegations/", "/sessions/", "/agencies/", "/agencies/?q=tieu+hoc&kind=school",
            "/agencies/?page=99", f"/agencies/{agency.pk}/", "/units/", f"/units/{unit.pk}/", f"/units/{ward.pk}/",
            "/recipients/", f"/recipients/{group.pk}/", "/imports/", "/staff/", "/staff/?page=99", "/staff/?q=tieu+hoc",
            "/staff/?show=missing", f"/staff/?unit={ward.pk}&week={week.previous}", f"/staff/agencies/{agency.pk}/",
            "/", "/find/?q=nong+lan",
            "/coverage/", f"/coverage/?week={week.previous}", f"/coverage/units/{ward.pk}/",
            f"/coverage/units/{unit.pk}/report/", "/exchange/certificates/",
        ],
        "clerk": ["/", "/?all=1", "/find/?q=trien+khai", "/staff/", "/exchange/"],
        "editor": ["/", "/news/", "/news/?page=99"],
        "leader": ["/", "/coverage/", "/staff/", "/gates/", "/gates/late/"],
        "supervisor": [
            "/", "/codes/", "/codes/?page=99", "/codes/limits/", "/codes/statistics/", "/codes/declarations/",
        ],
    }  # fmt: skip


def measured(client, pages, requests=REQUESTS):
    """Number of queries and median server seconds of each page, over `requests` requests after a first one.

    requests: 0 counts the queries of the first request; the seconds are 0.
    """
    clock = server_clock()
    costs = {}
    with pytest.MonkeyPatch.context() as patched:
        # The numbers in the menu do not expire during the measurement, so no page counts them again.
        patched.setattr(home, "WAITS_SECONDS", 10**12)
        client.get("/", follow=True)
        for name, address in pages.items():
            spent = []
            for turn in range(requests + 1):
                reset_queries()  # Django records 9,000 queries at most
                with CaptureQueriesContext(connection) as queries:
                    begun = clock()
                    answer = client.get(address, follow=True)
                    seconds = clock() - begun
                assert answer.status_code == 200, name
                if turn:
                    spent.append(paced(seconds))
            costs[name] = (len(queries), statistics.median(spent) if spent else 0.0)
    return costs
