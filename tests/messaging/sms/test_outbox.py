# SPDX-License-Identifier: Apache-2.0
"""What is queued, for how long, and what is not: without an operator's centre, since nothing is sent."""

import datetime
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from bluezone.messaging.sms import opt_outs, outbox
from bluezone.messaging.sms.models import Message, Once, Part, Purpose, Spent
from bluezone.messaging.sms.outbox import BudgetSpent, OnceFor, SmsAlreadySent, SmsNotSet, SmsOptedOut
from bluezone.messaging.sms.providers import read_sms_url

pytestmark = pytest.mark.django_db
# Ten in the evening in Bắc Kạn, within the quiet hours.
NOW = datetime.datetime(2026, 11, 24, 15, 0, tzinfo=datetime.UTC)
DAY, HOUR = datetime.timedelta(days=1), datetime.timedelta(hours=1)
NUMBER, OTHER = "0912 345 678", "0987 654 321"


@pytest.fixture(autouse=True)
def operator(settings):
    settings.SMS = read_sms_url("file:sms-not-sent.log")
    settings.CITY = replace(settings.CITY, sms_quiet_from_hour=21, sms_quiet_until_hour=7)


def queue(to=NUMBER, purpose=Purpose.ARRIVAL, text="x", now=NOW, **more):
    return outbox.queue_sms(to, text, "vi", purpose, now=now, **more)


def test_a_message_is_worth_trying_for_as_long_as_it_says_something():
    code, arrival, reminder = (queue(purpose=purpose) for purpose in (Purpose.CODE, Purpose.ARRIVAL, Purpose.REMINDER))
    morning = NOW + 9 * HOUR

    assert [one.next_try_at for one in (code, arrival, reminder)] == [NOW, NOW, morning]
    assert [one.expires_at for one in (code, arrival, reminder)] == [
        NOW + datetime.timedelta(minutes=10),
        NOW + 24 * HOUR,
        morning + 48 * HOUR,
    ]
    assert [one.urgency for one in (code, arrival, reminder)] == [0, 0, 1]


def test_each_segment_is_a_part_and_number_and_text_are_sealed():
    made = queue(text="a" * 161)

    assert made.segments == 2
    assert list(Part.objects.order_by("number").values_list("number", flat=True)) == [1, 2]
    assert b"912345678" not in bytes(made.sealed)
    assert "912345678" not in made.destination_hash


def spent():
    return sum(Spent.objects.values_list("segments", flat=True))


def test_the_budget_of_a_day_and_of_a_month_is_used_to_the_last_segment_and_no_further(settings):
    settings.CITY = replace(settings.CITY, sms_segments_a_day=3, sms_segments_a_month=5)
    queue(text="a" * 161)
    queue(OTHER)
    with pytest.raises(BudgetSpent, match="today"):
        queue()
    assert (Message.objects.count(), spent()) == (2, 3), "nothing was queued"
    queue(now=NOW + DAY, text="a" * 161)
    with pytest.raises(BudgetSpent, match="this month"):
        queue(now=NOW + DAY)
    assert queue(now=NOW + 7 * DAY), "another month"


def test_how_the_budget_stands_counts_the_local_month_up_to_today(settings):
    settings.CITY = replace(settings.CITY, sms_segment_price=300)
    for days in (-24, -23, -1, 0, 1):
        queue(now=NOW + days * DAY)
    standing = outbox.current_budget(NOW)

    assert (standing.today, standing.this_month, standing.cost_this_month) == (1, 3, 900)
    late = NOW.replace(hour=17)
    assert (outbox.current_budget(late).today, outbox.current_budget(late).this_month) == (1, 4), "midnight there"


def test_a_number_has_one_notice_of_a_stay_until_its_hash_is_forgotten():
    stay = OnceFor("arrival", 14)
    queue(once=stay)
    for moment in (NOW, NOW + 14 * DAY - datetime.timedelta(seconds=1)):
        with pytest.raises(SmsAlreadySent):
            queue(once=stay, now=moment)
    assert queue(OTHER, once=stay)
    assert queue(once=OnceFor("departure", 14))
    assert queue(once=stay, now=NOW + 14 * DAY)
    assert sorted(Once.objects.values_list("until", flat=True))[-1] == NOW + 28 * DAY


def test_who_opted_out_gets_the_codes_they_ask_for_alone():
    opt_outs.opt_out("+84 912 345 678", NOW)
    for purpose in (Purpose.ARRIVAL, Purpose.REMINDER):
        with pytest.raises(SmsOptedOut):
            queue(purpose=purpose)

    assert queue(purpose=Purpose.CODE)
    assert queue(OTHER)


def test_without_an_operator_nothing_is_queued(settings):
    settings.SMS = None
    with pytest.raises(SmsNotSet):
        queue()
    assert not Message.objects.exists()


def at(day, hour, minute=0):
    return datetime.datetime(2026, 11, day, hour, minute, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))


@pytest.mark.parametrize(
    ("hours", "now", "goes"),
    [
        ((21, 7), at(24, 20, 59), at(24, 20, 59)),
        ((21, 7), at(24, 21), at(25, 7)),
        ((21, 7), at(24, 23, 59), at(25, 7)),
        ((21, 7), at(25, 0), at(25, 7)),
        ((21, 7), at(25, 6, 59), at(25, 7)),
        ((21, 7), at(25, 7), at(25, 7)),
        ((12, 14), at(24, 11, 59), at(24, 11, 59)),
        ((12, 14), at(24, 12), at(24, 14)),
        ((12, 14), at(24, 13, 59), at(24, 14)),
        ((12, 14), at(24, 14), at(24, 14)),
        ((8, 8), at(24, 8), at(24, 8)),
    ],
)
def test_a_reminder_waits_for_the_end_of_the_quiet_hours(settings, hours, now, goes):
    settings.CITY = replace(settings.CITY, sms_quiet_from_hour=hours[0], sms_quiet_until_hour=hours[1])

    assert outbox.earliest_send_time(now.astimezone(datetime.UTC)) == goes
