# SPDX-License-Identifier: Apache-2.0
"""From the outbox to a real SMTP server."""

import datetime
import itertools
import logging
import ssl

import pytest
from aiosmtpd.smtp import AuthResult
from django.core.mail import get_connection
from tests.builders.mailserver import MailServer, use

from bluezone.messaging.email import delivery
from bluezone.messaging.email.delivery import DeliveryCounts, send_due_mail
from bluezone.messaging.email.models import Mail
from bluezone.messaging.email.outbox import queue_mail
from bluezone.messaging.email.retries import RETRY_PAUSES, UNREACHABLE_PAUSE

pytestmark = pytest.mark.django_db
NOW = datetime.datetime(2020, 8, 10, 1, 0, tzinfo=datetime.UTC)
SECOND = datetime.timedelta(seconds=1)
WARD = "ubnd.songcau@bac-kan.example"


def tls_of(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    return context


def queue(to=WARD, subject="Việc quá hạn: 2", text="Hai việc đã quá hạn. Xem tại trang công việc.", html=None):
    return queue_mail(to, subject, text, html, now=NOW)


def test_a_mail_arrives_as_it_was_written(mailserver):
    mail = queue(html="<p>Hai việc đã quá hạn.</p>")
    assert send_due_mail(NOW) == DeliveryCounts(sent=1)
    ((to, message),) = mailserver.mails

    assert to == message["To"] == WARD
    assert message["From"] == "bluezone@office.example"
    assert message["Subject"] == "Việc quá hạn: 2"
    assert message["Message-ID"] == f"<{mail.pk}@office.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_body("plain").get_content().strip() == "Hai việc đã quá hạn. Xem tại trang công việc."
    assert message.get_body("html").get_content().strip() == "<p>Hai việc đã quá hạn.</p>"


def test_what_was_sent_is_not_sent_again_and_its_text_is_forgotten(mailserver):
    mail = queue()
    send_due_mail(NOW)
    assert send_due_mail(NOW + 3 * RETRY_PAUSES[-1]) == DeliveryCounts()
    mail.refresh_from_db()

    assert len(mailserver.mails) == 1
    assert (mail.sent_at, mail.next_try_at, mail.subject, mail.text) == (NOW, None, "", "")


def test_a_mail_that_is_put_off_is_tried_again_with_longer_pauses_and_then_given_up(mailserver):
    mailserver.answers["*"] = "451 try later"
    mail = queue()
    tries = []
    now = NOW
    for _ in range(len(RETRY_PAUSES) + 1):
        outcome = send_due_mail(now)
        tries.append(now)
        mail.refresh_from_db()
        if outcome == DeliveryCounts(given_up=1):
            break
        assert outcome == DeliveryCounts(postponed=1)
        assert send_due_mail(mail.next_try_at - SECOND) == DeliveryCounts()
        now = mail.next_try_at

    assert [after - before for before, after in itertools.pairwise(tries)] == list(RETRY_PAUSES)
    assert (mail.given_up_at, mail.next_try_at, mail.text, mail.trouble) == (now, None, "", "refused 451")


def test_a_mail_that_was_put_off_arrives_later(mailserver):
    mailserver.answers["*"] = "451 try later"
    queue()
    send_due_mail(NOW)
    del mailserver.answers["*"]

    assert send_due_mail(NOW + RETRY_PAUSES[0]) == DeliveryCounts(sent=1)


def test_an_address_that_does_not_exist_is_given_up_at_once_and_holds_up_no_other(mailserver):
    mailserver.answers["nobody@bac-kan.example"] = "550 no such mailbox"
    gone = queue("nobody@bac-kan.example")
    queue()

    assert send_due_mail(NOW) == DeliveryCounts(sent=1, given_up=1)
    gone.refresh_from_db()
    assert (gone.trouble, gone.text) == ("recipient refused 550", "")


def test_a_silent_server_makes_all_mail_wait_a_minute_without_counting_a_try(mailserver, settings):
    settings.EMAIL_PORT = 1
    first, second = queue(), queue("phong.yte@bac-kan.example")

    assert send_due_mail(NOW) == DeliveryCounts(postponed=2)
    for mail in (first, second):
        mail.refresh_from_db()
        assert (mail.tries, mail.next_try_at) == (0, NOW + UNREACHABLE_PAUSE)
    settings.EMAIL_PORT = mailserver.port
    assert send_due_mail(NOW + UNREACHABLE_PAUSE) == DeliveryCounts(sent=2)


def test_two_processes_do_not_both_send_a_mail(mailserver):
    mail = queue()
    seen_by_other = Mail.objects.get(pk=mail.pk)
    send_due_mail(NOW)

    assert delivery._claim(seen_by_other, NOW) is False


def test_a_process_that_dies_while_sending_makes_the_mail_go_out_again_under_the_same_id(mailserver):
    mail = queue()
    assert delivery._claim(mail, NOW)
    delivery._send(get_connection(), mail)

    assert send_due_mail(NOW) == DeliveryCounts()
    assert send_due_mail(NOW + RETRY_PAUSES[0]) == DeliveryCounts(sent=1)
    assert len({message["Message-ID"] for _, message in mailserver.mails}) == 1


def test_no_address_and_no_text_is_in_the_log(mailserver, settings, caplog):
    caplog.set_level(logging.DEBUG)
    mailserver.answers[WARD] = f"550 <{WARD}> unknown"
    queue()
    send_due_mail(NOW)
    settings.EMAIL_PORT = 1
    queue()
    send_due_mail(NOW)

    written = [record for record in caplog.records if record.name.startswith(("bluezone", "django"))]
    assert len(written) == 2
    said = "".join(record.getMessage() for record in written)
    assert "songcau" not in said
    assert "quá hạn" not in said


def test_a_long_outbox_is_sent_in_runs_over_one_connection(mailserver):
    for number in range(delivery.MAILS_A_RUN + 1):
        queue(f"to.{number}@bac-kan.example")

    assert send_due_mail(NOW) == DeliveryCounts(sent=delivery.MAILS_A_RUN)
    assert send_due_mail(NOW) == DeliveryCounts(sent=1)


def test_without_a_mail_server_nothing_is_tried(settings):
    settings.SMTP = None

    assert send_due_mail(NOW) == DeliveryCounts()


def test_a_password_is_given_over_tls_only_and_a_wrong_one_makes_mail_wait(settings, certificate, monkeypatch):
    def check(server, session, envelope, mechanism, data):
        return AuthResult(success=(data.login, data.password) == (b"office", b"p@ss"), handled=False)

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.authority))
    with MailServer(tls_context=tls_of(certificate), require_starttls=True, authenticator=check) as server:
        use(settings, f"starttls://office:wrong@localhost:{server.port}")
        mail = queue()
        assert send_due_mail(NOW) == DeliveryCounts(postponed=1)
        mail.refresh_from_db()
        assert mail.trouble == "password refused 535"

        use(settings, f"starttls://office:p%40ss@localhost:{server.port}")
        assert send_due_mail(NOW + UNREACHABLE_PAUSE) == DeliveryCounts(sent=1)
        assert len(server.mails) == 1


def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing(settings, certificate):

    with MailServer(tls_context=tls_of(certificate), require_starttls=True) as server:
        use(settings, f"starttls://localhost:{server.port}")
        mail = queue()
        assert send_due_mail(NOW) == DeliveryCounts(postponed=1)
        mail.refresh_from_db()

    assert mail.trouble == "SSLCertVerificationError"
    assert server.mails == []
