# SPDX-License-Identifier: Apache-2.0
"""The outbox against a real message centre: every message once, whatever breaks, and no number kept after it."""

import datetime
import socket
import threading
import time

import pytest
from tests.builders.smsc import join_parts

from bluezone.messaging.sms import opt_outs, outbox, retention
from bluezone.messaging.sms.models import Message, Once, Part, PartState, Purpose, SenderState, State
from bluezone.messaging.sms.outbox import OnceFor, SmsAlreadySent, SmsInTraining, SmsNotSet, SmsOptedOut
from bluezone.messaging.sms.providers import LogFile, OutgoingPart, smpp_pdu
from bluezone.messaging.sms.providers.logfile import LogFileProvider
from bluezone.messaging.sms.providers.smpp import SmppProvider
from bluezone.messaging.sms.sender import BUSY_SECONDS, Sender

pytestmark = pytest.mark.django_db
NUMBER = "+84912345678"
LONG = "Đề nghị quý khách cài Bluezone 😷 để được cảnh báo nguy cơ lây nhiễm. " * 3
SECOND = datetime.timedelta(seconds=1)


def queue(text="Xin chào", number=NUMBER, purpose=Purpose.ARRIVAL, now=None, **more):
    return outbox.queue_sms(number, text, "vi", purpose, now=now, **more)


def go_on_until(sender, done, now=None, seconds=120.0, step=None):
    """Rounds of the sender until `done()`; with `step`, each round that much later than the one before."""
    deadline = time.monotonic() + seconds
    moment = now or datetime.datetime.now(datetime.UTC)
    while not done():
        assert time.monotonic() < deadline, [(str(m.state), m.trouble) for m in Message.objects.all()]
        sender.send_due(moment, 0.05)
        moment += step or 0 * SECOND
    return moment


def states():
    return set(Message.objects.values_list("state", flat=True))


def settled():
    return states().isdisjoint({State.WAITING, State.SENDING, State.SENT})


def test_a_text_of_several_parts_arrives_whole_and_its_receipts_make_it_delivered(centre, sender, now):
    queue(LONG, now=now)
    queue("Plain {text} €", "+447700900123", now=now)
    go_on_until(sender, settled, now)

    assert join_parts(centre.taken) == {"84912345678": [LONG], "447700900123": ["Plain {text} €"]}
    # Queued in the same moment, they go side by side: which part comes first is chance.
    assert sorted(one["coding"] for one in centre.taken) == [0, 8, 8, 8, 8]
    assert {tuple(one["ton"]) for one in centre.taken} == {(5, 1)}, "a name as sender"
    assert states() == {State.DELIVERED}
    assert set(Part.objects.values_list("state", flat=True)) == {PartState.DELIVERED}


def test_number_hash_and_text_are_gone_when_the_operator_has_taken_the_message(centre, sender, now):
    centre.change(receipts=False)
    message = queue(now=now)
    assert bytes(message.sealed)
    assert NUMBER.encode() not in bytes(message.sealed)
    go_on_until(sender, lambda: states() == {State.SENT}, now)

    message.refresh_from_db()
    assert (message.sealed, message.destination_hash, message.once_key) == (None, "", "")


@pytest.mark.parametrize("ways", [{"tlvs": False}, {"tlvs": True, "echo": False}, {"early": True}])
def test_receipts_are_matched_by_text_by_id_and_also_before_the_answer(centre, sender, now, ways):
    centre.change(**ways)
    queue(LONG, now=now)
    go_on_until(sender, settled, now)

    assert states() == {State.DELIVERED}


def test_a_receipt_that_says_undelivered_makes_it_so(centre, sender, now):
    centre.change(state="UNDELIV")
    queue(now=now)
    go_on_until(sender, settled, now)

    assert states() == {State.FAILED}


def test_what_the_operator_refuses_for_good_is_not_tried_again_and_the_guest_may_be_told_later(centre, sender, now):
    centre.change(statuses={NUMBER[1:]: 0x0B})
    queue(now=now, once=OnceFor("arrival", 14))
    go_on_until(sender, settled, now)

    message = Message.objects.get()
    assert (message.state, message.trouble) == (State.FAILED, "status 0xb")
    assert centre.taken == []
    assert not Once.objects.exists(), "nothing reached the guest: the desk may try again"


def test_what_the_operator_refuses_for_now_is_tried_again_with_longer_pauses(centre, sender, now):
    centre.change(statuses={NUMBER[1:]: 0x08})
    queue(now=now)
    go_on_until(sender, lambda: Message.objects.get().tries == 1, now)
    first = Message.objects.get()
    assert first.next_try_at == now + 5 * SECOND
    sender.send_due(now + 4 * SECOND, 0.0)
    assert Message.objects.get().tries == 1, "not before the pause is over"
    go_on_until(sender, lambda: Message.objects.get().tries == 2, now + 5 * SECOND)
    assert Message.objects.get().next_try_at == now + 20 * SECOND
    centre.change(statuses={})
    go_on_until(sender, settled, now + 20 * SECOND)

    assert states() == {State.DELIVERED}
    assert len(centre.taken) == 1


def test_a_message_that_is_too_old_is_given_up_without_a_word(centre, sender, now):
    queue(now=now)
    go_on_until(sender, settled, now + datetime.timedelta(hours=25))

    assert states() == {State.EXPIRED}
    assert centre.taken == []


def test_the_throttle_of_the_operator_loses_nothing(centre, sender, now):
    centre.change(throttle=20)
    for number in range(45):
        queue(number=f"+849123456{number:02}", now=now)
    go_on_until(sender, settled, now)

    assert states() == {State.DELIVERED}
    assert len(join_parts(centre.taken)) == len(centre.taken) == 45


def test_our_own_rate_is_kept(centre, now):
    sender = Sender(SmppProvider(centre.smsc(rate=20)))
    for number in range(60):
        queue(number=f"+849123456{number:02}", now=now)
    go_on_until(sender, settled, now)
    sender.close()

    at = [one["at"] for one in centre.taken]
    assert len(at) == 60
    # Not all of the two seconds: the centre of a busy machine notes the first ones late.
    assert at[-1] - at[0] >= 1000 * (60 - 20) / 20 * 0.6, "20 at once, then 20 a second"


def test_a_number_has_one_notice_a_stay_and_a_code_always(centre, sender, now):
    queue(now=now, once=OnceFor("arrival", 14))
    with pytest.raises(SmsAlreadySent):
        queue(number="0912 345 678", now=now, once=OnceFor("arrival", 14))
    go_on_until(sender, settled, now)
    with pytest.raises(SmsAlreadySent):
        queue(now=now + datetime.timedelta(days=13), once=OnceFor("arrival", 14))
    queue(now=now, purpose=Purpose.CODE)
    queue(now=now + datetime.timedelta(days=14), once=OnceFor("arrival", 14))

    assert Message.objects.count() == 3


def test_who_opted_out_gets_no_notice_not_even_one_that_waits_already(centre, sender, now):
    queue(now=now)
    opt_outs.opt_out("0912 345 678", now)
    with pytest.raises(SmsOptedOut):
        queue(now=now)
    code = queue(now=now, purpose=Purpose.CODE)
    go_on_until(sender, settled, now)

    assert states() == {State.SUPPRESSED, State.DELIVERED}
    code.refresh_from_db()
    assert code.state == State.DELIVERED
    assert len(centre.taken) == 1


def test_at_eleven_in_the_evening_a_notice_goes_at_once_and_a_reminder_waits_for_the_morning(centre, sender, now):
    reminder = queue(number="+84987654321", purpose=Purpose.REMINDER, now=now)
    queue(now=now)
    go_on_until(sender, lambda: centre.taken, now)

    assert [one["to"] for one in centre.taken] == [NUMBER[1:]]
    assert reminder.next_try_at == datetime.datetime(2026, 11, 25, 0, 0, tzinfo=datetime.UTC), "seven in Bắc Kạn"
    assert queue(purpose=Purpose.REMINDER, now=now - datetime.timedelta(hours=3)).next_try_at < now, (
        "eight in the evening"
    )


def test_the_budget_of_a_day_and_a_month_is_kept(centre, settings, now):
    import dataclasses

    from bluezone.messaging.sms.outbox import BudgetSpent, current_budget

    settings.CITY = dataclasses.replace(settings.CITY, sms_segments_a_day=5, sms_segments_a_month=8)
    queue(LONG, now=now)
    with pytest.raises(BudgetSpent):
        queue(LONG, number="+84987654321", now=now, once=OnceFor("arrival", 14))
    assert not Once.objects.exists(), "a notice that is refused leaves nothing behind"
    queue("còn một", now=now)
    assert current_budget(now).today == 5
    with pytest.raises(BudgetSpent):
        queue(LONG, now=now + datetime.timedelta(days=1))
    assert Message.objects.count() == 2


def test_training_and_a_city_without_operator_queue_nothing(centre, settings, now):
    from bluezone.training import practice

    with practice(), pytest.raises(SmsInTraining):
        queue(now=now)
    settings.SMS = None
    with pytest.raises(SmsNotSet):
        queue(now=now)
    assert not Message.objects.exists()


def test_a_wrong_password_keeps_every_message_and_says_so(centre, now):
    sender = Sender(SmppProvider(centre.smsc(password="expired")))
    queue(now=now)
    sender.send_due(now, 0.0)

    assert SenderState.objects.get().trouble.startswith(
        "smpp_bind_refused: the message centre refuses name or password"
    )
    assert states() == {State.WAITING}
    assert centre.taken == []


def test_garbage_from_the_other_side_ends_the_session_and_nothing_is_sent_twice(centre, now):
    sender = Sender(SmppProvider(centre.smsc()))
    centre.change(garbage=True, receipts=False)
    queue(now=now)
    go_on_until(sender, lambda: centre.taken and states() == {State.SENDING}, now)
    centre.change(garbage=False)
    go_on_until(sender, lambda: states() == {State.UNKNOWN}, now, step=30 * SECOND)

    assert len(centre.taken) == 1, "taken or not, nobody can say: shown as unknown, not sent again"


def test_a_submit_without_answer_is_settled_by_its_receipt(centre, now):
    sender = Sender(SmppProvider(centre.smsc()))
    centre.change(drop=1, receipts=False)
    queue(now=now)
    go_on_until(sender, lambda: len(centre.taken) == 1, now)
    centre.change(receipts=True)
    go_on_until(sender, settled, now)

    assert states() == {State.DELIVERED}
    assert len(centre.taken) == 1


def test_a_submit_without_answer_is_settled_by_query_sm_where_the_operator_knows_references(centre, now):
    sender = Sender(SmppProvider(centre.smsc(references=True)))
    centre.change(drop=2, receipts=False)
    queue(now=now)
    queue(number="+84987654321", now=now)
    go_on_until(sender, lambda: states() == {State.SENT}, now, step=SECOND)

    assert sorted(one["to"] for one in centre.taken) == [NUMBER[1:], "84987654321"], "each once"
    assert any("asked" in line for line in centre.lines())


def test_receipts_that_come_in_one_piece_with_the_answer_to_bind_are_heard(now):
    from bluezone.messaging.sms.providers import DeliveryState, Receipt, Smsc, smpp_pdu

    text = b"id:A1 sub:001 dlvrd:001 submit date:2008071200 done date:2008071201 stat:DELIVRD err:000 text:"
    addresses = b"\0" + b"\x01\x0184912345678\0" + b"\x05\x00BACKAN\0"
    body = addresses + b"\x04\0\0" + b"\0\0" + b"\0\0\0\0" + bytes([len(text)]) + text
    with socket.create_server(("127.0.0.1", 0)) as listening:
        provider = SmppProvider(Smsc("127.0.0.1", listening.getsockname()[1], False, "a", "b", "BACKAN"))

        def answer():
            accepted, _address = listening.accept()
            accepted.recv(1000)
            bound = smpp_pdu.Pdu(smpp_pdu.BIND_TRANSCEIVER | smpp_pdu.RESPONSE, 0, 1, b"test\0")
            accepted.sendall(bound.octets() + smpp_pdu.Pdu(smpp_pdu.DELIVER_SM, 0, 7, body).octets())
            answered.append(accepted.recv(1000))
            accepted.close()

        answered = []
        other = threading.Thread(target=answer)
        other.start()
        assert provider.capacity() > 0
        assert provider.wait_for_events(1.0) == [Receipt("A1", None, DeliveryState.DELIVERED)]
        provider.acknowledge()
        other.join(120)
    assert answered[0][4:8] == bytes.fromhex("80000005"), "and confirmed"


class Listened(LogFileProvider):
    """Notes for how long the sender would have waited for events. room: for how many parts there is room."""

    def __init__(self, path, room, trouble):
        super().__init__(path)
        self.waits, self._room, self.trouble = [], room, trouble

    def capacity(self):
        return self._room

    def wait_for_events(self, seconds):
        self.waits.append(seconds)
        return super().wait_for_events(0.0)


@pytest.mark.parametrize(
    ("messages", "room", "trouble", "seconds"),
    [(1, 10, "", BUSY_SECONDS), (1, 0, "", BUSY_SECONDS), (1, 0, "smpp_lost: away", 30.0), (0, 10, "", 30.0)],
)
def test_the_sender_listens_for_long_only_when_nothing_is_under_way(
    settings, tmp_path, now, messages, room, trouble, seconds
):
    settings.SMS = LogFile("not-sent.log")
    for _ in range(messages):
        queue(now=now)
    provider = Listened(tmp_path / "not-sent.log", room, trouble)
    Sender(provider).send_due(now, 30.0)

    assert provider.waits[0] == seconds


@pytest.mark.parametrize(
    ("seconds", "period"),
    [
        (3_725, "000000010205000R"), (93_600, "000001020000000R"), (86_400 * 30, "000100000000000R"),
        (1, "000000000100000R"), (86_400 * 60, "000100000000000R"),
    ],
)  # fmt: skip
def test_the_operator_is_given_the_time_that_is_left_in_days_hours_minutes_and_seconds(seconds, period):
    part = OutgoingPart(1, 1, NUMBER, b"x", 0, 1, 1, 0, seconds)

    assert smpp_pdu.cstring(period) in smpp_pdu.submit(part, "BACKAN")


def test_a_message_accepted_long_ago_without_receipt_is_asked_for(centre, sender, now):
    centre.change(receipts=False)
    queue(now=now)
    go_on_until(sender, lambda: states() == {State.SENT}, now)
    centre.change(fate=2)
    sender.send_due(now + datetime.timedelta(minutes=14), 0.0)
    assert states() == {State.SENT}, "not asked for before a quarter of an hour"
    go_on_until(sender, settled, now + datetime.timedelta(minutes=16))

    assert states() == {State.DELIVERED}
    assert [line["asked"] for line in centre.lines() if "asked" in line] == [centre.taken[0]["id"]]


def test_what_was_sent_is_gone_from_the_rows_after_thirty_five_days(centre, sender, now):
    queue(now=now, once=OnceFor("arrival", 14))
    go_on_until(sender, settled, now)
    retention.purge(now + datetime.timedelta(days=15))
    assert (Message.objects.count(), Once.objects.count()) == (1, 0)
    retention.purge(now + datetime.timedelta(days=36))

    assert (Message.objects.count(), Part.objects.count()) == (0, 0)
