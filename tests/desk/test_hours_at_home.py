# SPDX-License-Identifier: Apache-2.0
"""The hour of a deadline holds before a letter is received too, and for its issuer."""

import datetime
import re

import pytest
from django.utils import timezone
from tests.builders.directives import DAY, send_letter

from bluezone.rollout.directives.models import Directive


@pytest.fixture(autouse=True)
def _in_english(client):
    from django.utils.translation import override

    client.cookies.load({"bluezone-language": "en"})
    with override("en"):
        yield


def words(client, who, address="/?all=1"):
    client.force_login(who)
    page = client.get(address).text
    return " ".join(re.sub(r"<[^>]+>", " ", page[page.index("<main") :]).split())


@pytest.fixture
def sent(draft, clerk, signer, now):
    send_letter(draft, clerk, signer, now - DAY)
    return Directive.objects.get(pk=draft.pk)


def test_the_hour_of_a_deadline_is_at_home_before_the_letter_is_received(client, sent, ward, ward_clerk, now):
    ago = timezone.localtime(now - datetime.timedelta(hours=3)).replace(second=0, microsecond=0)
    sent.tasks.update(due=ago.date(), due_time=None)
    sent.tasks.filter(label="2").update(due_time=ago.time())

    home = words(client, ward_clerk)
    assert f"{ago:%H:%M}" in home
    assert "end of" not in home[: home.index("Receive")]
    assert "overdue" in home


def test_an_agency_is_late_for_its_issuer_from_the_hour_on(client, sent, clerk, now):
    sent.dispatches.update(arrived_at=now, changed_at=now)
    ago = timezone.localtime(now - datetime.timedelta(hours=3)).replace(second=0, microsecond=0)
    sent.tasks.update(due=ago.date(), due_time=ago.time())

    assert "agencies are not done" in words(client, clerk)
