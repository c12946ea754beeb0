# SPDX-License-Identifier: Apache-2.0
"""A report on a task is owed by who leads it; who cooperates owes none."""

import re

import pytest
from django.utils import timezone
from tests.builders.directives import DAY, person, send_letter

from bluezone.rollout.directives.inbox import dispatch_acts
from bluezone.rollout.directives.models import Directive, DispatchState, TaskParty


@pytest.fixture
def sent(draft, clerk, signer, now):
    send_letter(draft, clerk, signer, now - DAY)
    return Directive.objects.get(pk=draft.pk)


def words(client, who, address):
    client.force_login(who)
    page = client.get(address).text
    return " ".join(re.sub(r"<[^>]+>", " ", page[page.index("<main") :]).split())


@pytest.fixture
def school(sent, ward, now):
    """An agency that cooperates on a task which the ward leads and reports on once."""
    task = sent.tasks.get(label="2")
    sent.tasks.exclude(pk=task.pk).update(report_every="")
    task.report_every = "once"
    task.save()
    task.parties.exclude(agency=ward).delete()
    helper = sent.dispatches.exclude(agency=ward).filter(purpose="action").first()
    TaskParty.objects.filter(task__directive=sent, agency=helper.agency).delete()
    TaskParty.objects.create(task=task, agency=helper.agency, role="cooperating")
    return helper.agency


def test_who_cooperates_on_a_task_owes_no_report_of_its_lead(client, sent, clerk, ward, ward_clerk, school, now):
    helper = person("helper", "clerk", school)
    for agency, who in ((ward, ward_clerk), (school, helper)):
        dispatch = sent.dispatches.get(agency=agency)
        dispatch_acts.move(dispatch, DispatchState.RECEIVED, who, now)
        dispatch_acts.move(dispatch, DispatchState.IN_PROGRESS, who, now)

    def owed(who):
        client.force_login(who)
        return "/tasks/" in client.get("/?all=1").text

    assert (owed(ward_clerk), owed(helper)) == (True, False)
    page = client.force_login(clerk) or client.get(f"/directives/{sent.pk}/progress/")
    assert page.context["rates"].expected == 1
    assert [party.agency for party, _report in page.context["rows"]] == [ward]

    dispatch = sent.dispatches.get(agency=school)
    client.force_login(helper)
    answer = client.post(f"/inbox/{dispatch.pk}/act/", {"to": "reported", "done": "Đã phối hợp."})
    assert answer.status_code == 302, "it is done without the report that the lead makes"
    sent.tasks.update(due=timezone.localdate(now) - DAY, due_time=None)
    late = words(client, clerk, f"/directives/{sent.pk}/late/")
    assert ward.name in late
    assert school.name not in late
