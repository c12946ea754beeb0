# SPDX-License-Identifier: Apache-2.0
"""What a duty brings is in the office as soon as the setting names it. test_newduty.py runs this in its own process."""

import datetime

import pytest
from django.core.checks import run_checks
from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import override
from tests.builders.coverage import city
from tests.builders.office import data_folder, furnished_folder, quick_passwords, user
from tests.meta.newduty.duty import MASK_KEEPERS
from tests.meta.newduty.models import MaskDay

from bluezone.audit import hash_chain
from bluezone.audit.models import AuditEntry
from bluezone.identity.audiences import every_route
from bluezone.identity.models import Role
from bluezone.paper.phrases import facts
from bluezone.portal.materials import BY_FILE
from bluezone.rollout.report_week import Week
from bluezone.server.metrics.meters import GAUGES, Meters
from bluezone.server.recurring_work import RecurringWork

__all__ = ["data_folder", "furnished_folder", "quick_passwords"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def ward():
    _top, (ward,) = city("phường Đức Xuân")
    return ward


@pytest.fixture
def officer(client, ward):
    client.cookies.load({"bluezone-language": "en"})
    made = user("mai", Role.OFFICER, ward)
    client.force_login(made)
    return made


def enter(client, ward, day, people=40, shown=30):
    return client.post("/masks/", {"unit": ward.pk, "day": str(day), "people": people, "shown": shown})


def test_the_menu_shows_it_to_its_audience_in_both_languages(client, officer):
    assert ">Masks</a>" in client.get("/how-to/").text
    client.cookies.load({"bluezone-language": "vi"})
    assert ">Khẩu trang</a>" in client.get("/how-to/").text
    client.force_login(user("thu", Role.AUDITOR))

    assert "Khẩu trang" not in client.get("/how-to/").text


def test_its_page_opens_for_its_audience_alone(client, officer, ward):
    assert client.get("/masks/").status_code == 200
    client.force_login(user("thu", Role.AUDITOR))
    assert client.get("/masks/").status_code == 403
    client.logout()

    assert client.get("/masks/").url.startswith("/sign-in/")
    assert dict(every_route())["/masks/"] == MASK_KEEPERS
    assert run_checks() == []


def test_its_act_stands_in_the_audit_chain_with_its_words(client, officer, ward):
    assert enter(client, ward, datetime.date(2020, 8, 12)).status_code == 302
    entry = AuditEntry.objects.get(action="masks_handed_out")

    assert (entry.actor, entry.subject, entry.details) == ("mai", str(ward.pk), {"people": 40})
    assert hash_chain.verify_chain().broken_at is None
    for language, words in (("en", "entered masks handed out"), ("vi", "đã nhập số khẩu trang phát ra")):
        with override(language):
            assert entry.done == words


def test_its_purge_runs_with_the_others_and_the_metrics_say_so(client, officer, ward):
    now = timezone.now()
    enter(client, ward, timezone.localdate())
    enter(client, ward, timezone.localdate() - datetime.timedelta(days=92))
    assert MaskDay.objects.count() == 2
    meters = Meters.make(1)
    RecurringWork.of_duties(meters).run(now, 0.0)

    assert MaskDay.objects.get().day == timezone.localdate()
    assert meters.gauge("work_timestamp_seconds_purge_masks") == now.timestamp()
    assert all(meters.gauge(name) == 0 for name in GAUGES if name.startswith("work_failures_total"))


def test_its_indicator_shows_in_coverage(client, officer, ward):
    day = datetime.date(2020, 8, 12)
    enter(client, ward, day)
    page = client.get(f"/coverage/units/{ward.pk}/?week={Week.of(day)}").text

    assert "hown how to install, with a mask" in page
    assert "75.0%" in page


def test_a_wrong_number_is_marked_and_the_database_refuses_it_too(client, officer, ward):
    assert enter(client, ward, datetime.date(2020, 8, 12), people=3, shown=4).status_code == 422
    with pytest.raises(IntegrityError):
        MaskDay.objects.create(unit=ward, day=datetime.date(2020, 8, 12), people=3, shown=4)


def test_its_sheet_is_offered_for_printing():
    with override("vi"):
        sheet = BY_FILE["masks.txt"]
        assert str(sheet.title) == "Tờ kèm khẩu trang"

    assert sheet.make(facts("vi")).decode() == f"Bluezone: {facts('vi').host}\n"
