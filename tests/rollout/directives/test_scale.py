# SPDX-License-Identifier: Apache-2.0
"""1,000 agencies, 50 directives, 50,000 reports: every list page under 150 ms and the same number of queries."""

import datetime
import os
import statistics
import time
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.builders.agencies import many
from tests.builders.directives import NOW, person

from bluezone.agencies.models import Agency
from bluezone.rollout.directives.models import Campaign, Directive, Dispatch, Report, Task, TaskParty

BUDGET_SECONDS = 0.150
REQUESTS = 5


def fill(agencies, directives, user, first=0):
    """Directives to every agency, each with one weekly task on which every agency has reported once; and a draft.

    All are of one campaign.
    """
    issuer, day = agencies[0], datetime.date(2020, 8, 7)
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
                agency=one,
                purpose="action",
                arrived_at=NOW,
                changed_at=NOW,
                state="received",
                received_at=NOW,
                incoming_year=2020,
                incoming_number=number + 1,
            )
            for one in agencies
        )
        TaskParty.objects.bulk_create(TaskParty(task=task, agency=one) for one in agencies)
        Report.objects.bulk_create(
            Report(
                task=task,
                agency=one,
                period=day,
                values={"people": 5},
                on_time=True,
                submitted_by=user,
                submitted_at=NOW,
            )
            for one in agencies
        )


def addresses():
    """Every list page, by a name that does not depend on primary keys."""
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
    """A clock of the seconds that the server works, whatever else the machine does meanwhile.

    Of this process, in which SQLite works too; on PostgreSQL also of the process that serves this connection.
    """
    if connection.vendor == "sqlite":
        return time.process_time
    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")  # no other process works for a query
        cursor.execute("SELECT pg_backend_pid()")
        stat = Path(f"/proc/{cursor.fetchone()[0]}/stat")
    if not stat.exists():
        return time.perf_counter
    ticks = os.sysconf("SC_CLK_TCK")
    return lambda: time.process_time() + sum(map(int, stat.read_text().rsplit(")", 1)[1].split()[11:13])) / ticks


def measured(client):
    """Queries and median seconds of server time of each list page, over several requests after a first one."""
    clock, found = server_clock(), {}
    for name, address in addresses().items():
        assert client.get(address).status_code == 200, name
        spent = []
        for _ in range(REQUESTS):
            with CaptureQueriesContext(connection) as asked:
                begun = clock()
                client.get(address)
                ended = clock()
            spent.append(ended - begun)
        found[name] = (len(asked), statistics.median(spent))
    return found


@pytest.mark.django_db
def test_list_pages_stay_quick_and_ask_the_same_number_of_questions(client):
    many(1000)
    clerk = person("clerk", "clerk")
    client.force_login(clerk)
    agencies = list(Agency.objects.order_by("pk"))
    fill(agencies[:60], 3, clerk)
    few = {name: asked for name, (asked, _) in measured(client).items()}
    fill(agencies, 50, clerk, first=3)
    assert Report.objects.count() > 50_000
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as the database does by itself after a while, but not within one transaction
    full = measured(client)

    assert {name: asked for name, (asked, _) in full.items()} == few
    assert {name: spent for name, (_, spent) in full.items() if spent > BUDGET_SECONDS} == {}
