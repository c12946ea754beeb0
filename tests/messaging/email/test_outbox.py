# SPDX-License-Identifier: Apache-2.0
"""Putting mail into the outbox."""

import datetime

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bluezone.messaging.email import retention
from bluezone.messaging.email.delivery import send_due_mail
from bluezone.messaging.email.models import Mail
from bluezone.messaging.email.outbox import EmailAddressInvalid, queue_digest, queue_mail

pytestmark = pytest.mark.django_db
NOW = datetime.datetime(2020, 8, 10, 1, 0, tzinfo=datetime.UTC)
DAY = datetime.date(2020, 8, 10)
WARD = "ubnd.songcau@bac-kan.example"


def test_a_person_gets_one_digest_a_day(mailserver):
    queued = [queue_digest(WARD, DAY, "Tóm tắt", f"lần {number}", now=NOW) for number in range(2)]
    send_due_mail(NOW)
    queued.append(queue_digest(WARD, DAY, "Tóm tắt", "lần 3", now=NOW))
    queued.append(queue_digest(WARD, DAY + datetime.timedelta(days=1), "Tóm tắt", "hôm sau", now=NOW))
    send_due_mail(NOW)

    assert queued == [True, False, False, True]
    assert [message.get_content().strip() for _, message in mailserver.mails] == ["lần 0", "hôm sau"]


def test_other_mail_is_not_bound_to_one_a_day(mailserver):
    for _ in range(2):
        queue_mail(WARD, "Lời mời", "Mở đường dẫn một lần.", now=NOW)
    queue_digest(WARD, DAY, "Tóm tắt", "", now=NOW)

    assert Mail.objects.count() == 3


def test_what_is_rolled_back_is_never_sent(mailserver):
    with transaction.atomic():
        queue_mail(WARD, "Lời mời", "Mở đường dẫn một lần.", now=NOW)
        transaction.set_rollback(True)
    send_due_mail(NOW)

    assert mailserver.mails == []


@pytest.mark.parametrize("to", ["", "songcau", "a@b@c.vn", "a@b.vn, c@d.vn", "a@b.vn\nBcc: c@d.vn", "<a@b.vn>"])
def test_what_is_not_one_address_is_refused_and_not_repeated(mailserver, to):
    for queue in (lambda: queue_mail(to, "s", "t"), lambda: queue_digest(to, DAY, "s", "t")):
        with pytest.raises(EmailAddressInvalid) as refused:
            queue()
        assert refused.value.code == "email_address_invalid"
        assert not to or to not in refused.value.message
    assert not Mail.objects.exists()


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(subject=st.text(max_size=300))
def test_no_subject_becomes_a_second_header(mailserver, subject):
    mail = queue_mail(WARD, subject, "t", now=NOW)

    assert len(mail.subject) <= 200
    assert mail.subject.isprintable()


def test_a_subject_with_line_breaks_arrives_on_one_line(mailserver):
    queue_mail(WARD, "Việc quá hạn\r\nBcc: all@bac-kan.example", "t", now=NOW)
    send_due_mail(NOW)
    ((_, message),) = mailserver.mails

    assert message["Subject"] == "Việc quá hạn Bcc: all@bac-kan.example"
    assert message["Bcc"] is None


def test_without_a_mail_server_nothing_is_queued(settings):
    settings.SMTP = None

    assert queue_mail(WARD, "s", "t", now=NOW) is None
    assert queue_digest(WARD, DAY, "s", "t", now=NOW) is False
    assert not Mail.objects.exists()


def test_a_week_after_it_was_sent_or_given_up_a_mail_is_gone(mailserver):
    mailserver.answers["nobody@bac-kan.example"] = "550 no such mailbox"
    queue_mail(WARD, "s", "t", now=NOW)
    queue_mail("nobody@bac-kan.example", "s", "t", now=NOW)
    send_due_mail(NOW)
    waiting = queue_mail(WARD, "s", "t", now=NOW)

    retention.purge(NOW + retention.RETENTION - datetime.timedelta(seconds=1))
    assert Mail.objects.count() == 3
    retention.purge(NOW + retention.RETENTION)
    assert list(Mail.objects.all()) == [waiting]


@pytest.mark.parametrize(("written", "kept"), [("x" * 200, "x" * 200), ("x" * 201, "x" * 199 + "…")])
def test_a_subject_of_two_hundred_characters_is_whole_and_a_longer_one_is_cut(mailserver, written, kept):
    assert queue_mail(WARD, written, "t", now=NOW).subject == kept
