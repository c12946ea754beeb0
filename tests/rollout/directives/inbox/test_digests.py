# SPDX-License-Identifier: Apache-2.0
"""Scenario 3: a reminder after a day, escalation after two, one mail a day and address."""

import datetime

import pytest
from django.utils import timezone
from tests.builders.directives import DAY, NOW, complete_dispatch, person

from bluezone.directory.models import Agency
from bluezone.messaging.email.models import Mail
from bluezone.messaging.email.smtp_url import read_smtp_url
from bluezone.rollout.directives import demo
from bluezone.rollout.directives.inbox import digests, dispatch_acts
from bluezone.rollout.directives.issuance import approval
from bluezone.rollout.directives.models import Directive, Dispatch, DispatchState


@pytest.fixture(autouse=True)
def mail_server(settings):
    settings.SMTP = read_smtp_url("smtp://127.0.0.1:2525", "office@example.org")


@pytest.fixture
def addresses(directive):
    """Every agency has an address; the wards answer to the city."""
    for agency in Agency.objects.all():
        agency.email = f"a{agency.pk}@example.org"
        agency.parent = None if agency.key == "ubnd-tp" else directive.issuer
        agency.save()
    return directive


@pytest.mark.long
def test_a_lead_that_does_nothing_is_reminded_then_told_upward_once_a_day(addresses):
    ward = addresses.dispatches.get(agency__key="ubnd-phuong-song-cau")
    for other in addresses.dispatches.exclude(pk=ward.pk):
        dispatch_acts.move(other, DispatchState.RECEIVED, addresses.approved_by, NOW)

    assert digests.queue_daily(NOW + DAY / 2) == 0
    assert digests.queue_daily(NOW + DAY) == 1
    assert digests.queue_daily(NOW + DAY) == 0
    assert digests.queue_daily(NOW + 2 * DAY) == 2
    city = Mail.objects.get(to=f"a{addresses.issuer_id}@example.org")
    assert "phường Sông Cầu" in city.text
    assert list(ward.events.values_list("what", flat=True))[:3] == ["escalated", "reminded", "arrived"]


@pytest.mark.long
def test_nothing_goes_out_at_night_or_for_what_is_done(addresses):
    for one in addresses.dispatches.all():
        dispatch_acts.move(one, DispatchState.RECEIVED, addresses.approved_by, NOW)

    assert digests.queue_daily(NOW + 3 * DAY) == 0


@pytest.mark.long
def test_a_recall_is_mailed_each_day_until_the_agency_confirms_that_it_knows(addresses):
    ward = addresses.dispatches.get(agency__key="ubnd-phuong-song-cau")
    approval.revoke(addresses, "Ban hành nhầm", addresses.approved_by, NOW)
    digests.queue_daily(NOW + DAY)
    mails = Mail.objects.filter(to=f"a{ward.agency_id}@example.org")
    assert "458/UBND-VP đã được thu hồi hoặc thay thế." in mails.get().text
    dispatch_acts.acknowledge_end(ward, addresses.approved_by, NOW + DAY)

    assert digests.queue_daily(NOW + 2 * DAY) == addresses.dispatches.count() - 1
    assert mails.count() == 1


@pytest.mark.long
def test_a_long_mail_says_how_many_more_matters_wait(addresses):
    ward = addresses.dispatches.get(agency__key="ubnd-phuong-song-cau")
    letters = []
    for number in range(24):
        copy = Directive.objects.get(pk=addresses.pk)
        copy.pk, copy.number = None, f"9{number:02}"
        letters.append(copy)
    Dispatch.objects.bulk_create(
        Dispatch(directive=one, agency=ward.agency, purpose="action", arrived_at=NOW, changed_at=NOW)
        for one in Directive.objects.bulk_create(letters)
    )
    digests.queue_daily(NOW + DAY)
    text = Mail.objects.get(to=f"a{ward.agency_id}@example.org").text

    assert text.count("Chưa tiếp nhận văn bản") == 20
    assert "- và 5 việc nữa" in text


@pytest.mark.long
def test_the_demo_shows_the_letter_at_different_stages(committee):
    directive = demo.plant(NOW + 100 * DAY)
    states = set(directive.dispatches.values_list("state", flat=True))

    assert states == {"arrived", "sent_back", "received", "assigned", "in_progress", "done"}
    # Seven of the eight wards for the first week, and three for the next one already.
    assert directive.tasks.get(label="2").reports.filter(on_time=True).count() == 7 + 3
    assert demo.plant(NOW + 100 * DAY) is None


def behind(addresses):
    """Only one ward has not received the letter."""
    ward = addresses.dispatches.get(agency__key="ubnd-phuong-song-cau")
    for other in addresses.dispatches.exclude(pk=ward.pk):
        dispatch_acts.move(other, DispatchState.RECEIVED, addresses.approved_by, NOW)
    return ward.agency


def mailed():
    return sorted(Mail.objects.values_list("to", flat=True))


@pytest.mark.long
def test_the_digest_goes_to_a_persons_own_address_and_else_to_the_agencys(addresses):
    ward = behind(addresses)
    person("lead", "lead", ward, email="Lead@Example.org")
    assert digests.queue_daily(NOW + DAY) == 1
    assert mailed() == ["lead@example.org"]

    person("officer", "officer", ward)
    assert digests.queue_daily(NOW + DAY) == 1
    assert mailed() == sorted(["lead@example.org", f"a{ward.pk}@example.org"])


@pytest.mark.long
def test_somebody_of_two_agencies_gets_one_mail_with_both(addresses):
    ward = behind(addresses)
    other = Agency.objects.get(key="ubnd-phuong-duc-xuan")
    addresses.dispatches.filter(agency=other).update(state="arrived")
    lead = person("lead", "lead", ward, email="lead@example.org")
    lead.grants.create(role="lead", agency=other, valid_from=NOW.date() - DAY)

    assert digests.queue_daily(NOW + DAY) == 1
    text = Mail.objects.get().text
    assert ward.name in text
    assert other.name in text


@pytest.mark.long
def test_nobody_whose_role_or_account_has_ended_gets_one(addresses):
    ward = behind(addresses)
    gone = person("gone", "lead", ward, email="gone@example.org")
    gone.grants.update(valid_to=NOW.date() - DAY)
    person("off", "officer", ward, email="off@example.org", is_active=False)
    person("elsewhere", "officer", Agency.objects.get(key="ubnd-phuong-duc-xuan"), email="else@example.org")

    digests.queue_daily(NOW + DAY)
    assert mailed() == [f"a{ward.pk}@example.org"]


@pytest.mark.long
def test_what_is_long_overdue_and_what_is_asked_goes_upward_with_the_number_to_call(addresses):
    ward = behind(addresses)
    Agency.objects.filter(pk=ward.pk).update(phone="0209 3870 777")
    dispatch_acts.move(addresses.dispatches.get(agency=ward), DispatchState.RECEIVED, addresses.approved_by, NOW)
    for one in addresses.dispatches.exclude(agency=ward):
        complete_dispatch(one, addresses.approved_by)
    dispatch_acts.ask(addresses.tasks.get(label="2"), ward, "change", "x", addresses.approved_by, NOW)

    digests.queue_daily(NOW + 40 * DAY)
    text = Mail.objects.get(to=f"a{addresses.issuer_id}@example.org").text
    assert "0209 3870 777" in text
    assert "1 " in text
    assert "458/UBND-VP" in text


@pytest.mark.long
def test_what_is_asked_grows_by_the_mails_alone(addresses, django_assert_max_num_queries):
    for one in addresses.dispatches.all():
        person(f"p{one.agency_id}", "lead", one.agency, email=f"p{one.agency_id}@example.org")
    with django_assert_max_num_queries(30 + 6 * 33):  # six for each mail: the outbox is asked before it is filled
        assert digests.queue_daily(NOW + DAY) == addresses.dispatches.filter(purpose="action").count()


@pytest.mark.long
def test_a_digest_goes_out_from_eight_in_the_morning_and_never_without_a_mail_server(addresses, settings):
    eight = (NOW + DAY).astimezone(timezone.get_default_timezone()).replace(hour=8, minute=0)
    behind(addresses)
    addresses.dispatches.update(arrived_at=NOW - DAY)

    assert digests.queue_daily(eight - datetime.timedelta(minutes=1)) == 0
    server, settings.SMTP = settings.SMTP, None
    assert digests.queue_daily(eight) == 0
    settings.SMTP = server
    assert digests.queue_daily(eight) > 0


def lines_of(addresses, ward, now):
    """What a digest says to a ward that is in time with everything else, and whether the city hears of it."""
    Mail.objects.all().delete()
    digests.queue_daily(now)
    texts = {mail.to: mail.text for mail in Mail.objects.all()}
    upward = ward.name in texts.get(f"a{addresses.issuer_id}@example.org", "")
    return [line for line in texts.get(f"a{ward.pk}@example.org", "").splitlines() if line.startswith("-")], upward


@pytest.mark.long
def test_a_task_is_told_of_two_days_before_its_day_and_upward_two_days_after_it(addresses):
    ward, later = behind(addresses), NOW + 10 * DAY
    dispatch_acts.move(addresses.dispatches.get(agency=ward), DispatchState.RECEIVED, addresses.approved_by, NOW)
    for one in addresses.dispatches.exclude(agency=ward):
        complete_dispatch(one, addresses.approved_by)
    addresses.tasks.exclude(label="2").update(due=None)
    said = []
    for days in (3, 2, 0, -1, -2):
        ward.task_parties.all().update(due=None)
        addresses.tasks.get(label="2").parties.filter(agency=ward).update(due=later.date() + days * DAY)
        lines, upward = lines_of(addresses, ward, later)
        said.append((["quá hạn" in line for line in lines], upward))

    assert said == [([], False), ([False], False), ([False], False), ([True], False), ([True], True)]
