# SPDX-License-Identifier: Apache-2.0
"""1,000 agencies, 50 directives, 50,000 reports: every list page under 150 ms and the same number of queries."""

import datetime
import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.builders.agencies import many
from tests.builders.directives import NOW, person

from bluezone.agencies.models import Agency
from bluezone.rollout.directives.models import Directive, Dispatch, Report, Task, TaskParty

BUDGET_SECONDS = 0.150


def fill(agencies, directives, user):
    """Directives to every agency, each with one weekly task on which every agency has reported once."""
    issuer, day = agencies[0], datetime.date(2020, 8, 7)
    for number in range(directives):
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
            Dispatch(directive=directive, agency=one, purpose="action", arrived_at=NOW, changed_at=NOW)
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


def pages(client):
    """Queries and seconds of each list page, the best of three."""
    directive = Directive.objects.order_by("pk").first()
    agency = directive.issuer_id
    addresses = [
        "/directives/",
        "/inbox/",
        f"/directives/{directive.pk}/",
        f"/directives/{directive.pk}/progress/?period=2020-08-07",
        f"/registers/out/?year=2020&agency={agency}",
    ]
    found = {}
    for address in addresses:
        spent = []
        for _ in range(3):
            with CaptureQueriesContext(connection) as asked:
                begun = time.perf_counter()
                assert client.get(address).status_code == 200
                spent.append(time.perf_counter() - begun)
        found[address.split("?")[0].replace(str(directive.pk), "N")] = (len(asked), min(spent))
    return found


@pytest.mark.django_db
def test_list_pages_stay_quick_and_ask_the_same_number_of_questions(client):
    many(1000)
    clerk = person("clerk", "clerk")
    client.force_login(clerk)
    agencies = list(Agency.objects.order_by("pk"))
    fill(agencies[:20], 3, clerk)
    few = {address: asked for address, (asked, _) in pages(client).items()}
    Report.objects.all().delete()
    TaskParty.objects.all().delete()
    Task.objects.all().delete()
    Dispatch.objects.all().delete()
    Directive.objects.all().delete()
    fill(agencies, 50, clerk)
    measured = pages(client)

    assert Report.objects.count() == 50_000
    assert {address: asked for address, (asked, _) in measured.items()} == few
    assert {address: spent for address, (_, spent) in measured.items() if spent > BUDGET_SECONDS} == {}
