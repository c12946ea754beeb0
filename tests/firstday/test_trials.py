# SPDX-License-Identifier: Apache-2.0
"""Trials: what comes back is proof, once, in time, and of this thing alone."""

import datetime
import json

import pytest
from click.testing import CliRunner
from django.utils import timezone
from tests.builders.office import user

from bluezone.cli.main import root
from bluezone.desk import notices
from bluezone.firstday import trials
from bluezone.firstday.models import Trial
from bluezone.identity.models import Role
from bluezone.messaging.announcer import Outcome
from bluezone.messaging.email.models import Mail
from bluezone.messaging.email.smtp_url import read_smtp_url

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def mail_server(settings):
    settings.SMTP = read_smtp_url("smtp://localhost:25", "bluezone@localhost")


def code_sent():
    return "".join(character for character in Mail.objects.latest("queued_at").text if character.isdigit())


def test_a_code_that_comes_back_proves_the_mail(mail_server):
    trials.send_mail("quan@example.org", NOW)
    assert trials.passed_trials() == {}

    trials.submit_code(Trial.Kind.MAIL, f" {code_sent()} ", "quan", NOW)
    assert list(trials.passed_trials()) == ["mail"]
    assert Trial.objects.get().digest == ""
    with pytest.raises(trials.TrialRefused):
        trials.submit_code(Trial.Kind.MAIL, code_sent(), "quan", NOW)


def test_five_wrong_codes_end_the_trial_and_so_does_a_day(mail_server):
    trials.send_mail("quan@example.org", NOW)
    right = code_sent()
    for _ in range(trials.MOST_TRIES):
        with pytest.raises(trials.TrialRefused):
            trials.submit_code(Trial.Kind.MAIL, "x", "quan", NOW)
    with pytest.raises(trials.TrialRefused):
        trials.submit_code(Trial.Kind.MAIL, right, "quan", NOW)

    trials.send_mail("quan@example.org", NOW)
    with pytest.raises(trials.TrialRefused):
        trials.submit_code(Trial.Kind.MAIL, code_sent(), "quan", NOW + datetime.timedelta(hours=25))
    trials.purge(NOW + datetime.timedelta(hours=25))
    assert not Trial.objects.exists()


def test_without_a_mail_server_nothing_is_sent():
    with pytest.raises(trials.MailNotSet):
        trials.send_mail("quan@example.org", NOW)
    assert not Trial.objects.exists()


class Post:
    """Takes notices as a push service would."""

    def __init__(self, outcome):
        self.sent, self.outcome = [], outcome

    def send(self, subscriptions, body):
        self.sent.append(json.loads(body)["text"])
        return [self.outcome for _one in subscriptions]


def test_a_code_that_a_browser_showed_proves_the_notices():
    me, post = user("quan", Role.ADMIN), Post(Outcome.SENT)
    with pytest.raises(notices.NoticeNotSent):
        trials.send_notice(me, NOW, post)
    me.push_browsers.create(
        endpoint="https://updates.push.services.mozilla.com/wpush/v2/abc", p256dh=b"", auth=b"", name="Firefox",
        added_at=NOW,
    )  # fmt: skip

    trials.send_notice(me, NOW, post)
    code = post.sent[0].rpartition(" ")[2]
    trials.submit_code(Trial.Kind.PUSH, code, "quan", NOW)

    assert list(trials.passed_trials()) == ["push"]


def test_a_notice_that_no_push_service_took_waits_for_no_code():
    me = user("quan", Role.ADMIN)
    me.push_browsers.create(
        endpoint="https://updates.push.services.mozilla.com/wpush/v2/abc", p256dh=b"", auth=b"", name="Firefox",
        added_at=NOW,
    )  # fmt: skip

    with pytest.raises(notices.NoticeNotSent):
        trials.send_notice(me, NOW, Post(Outcome.FAILED))
    assert not Trial.objects.exists()


def test_a_phone_passes_by_its_link_once_and_is_not_known(server):
    token = trials.make_phone_link().split("/")[-2]

    assert not trials.record_phone_visit("another", NOW)
    assert trials.record_phone_visit(token, NOW)
    assert not trials.record_phone_visit(token, NOW)
    assert list(trials.passed_trials()) == ["phone"]
    assert trials.record_phone_visit(trials.make_phone_link().split("/")[-2], NOW)


def test_the_end_of_the_recovery_key_proves_the_paper_and_of_this_key_alone(data_folder):
    made = CliRunner().invoke(root, ["recovery-key", "new", "--data", str(data_folder), "--json"])
    paper = json.loads(made.stdout)["recovery_key"]
    with pytest.raises(trials.TrialRefused):
        trials.submit_key_ending("0000" if not paper.endswith("0000") else "1111", "quan", NOW)
    trials.submit_key_ending(paper[-4:].upper(), "quan", NOW)

    assert list(trials.passed_trials()) == ["key"]
    (data_folder / "keys" / "recovery-ed25519.pub").write_text("00" * 32)
    assert trials.passed_trials() == {}


def test_guessing_at_the_key_ends_after_five_tries(data_folder):
    made = CliRunner().invoke(root, ["recovery-key", "new", "--data", str(data_folder), "--json"])
    for _ in range(trials.MOST_TRIES):
        with pytest.raises(trials.TrialRefused):
            trials.submit_key_ending("----", "quan", NOW)
    with pytest.raises(trials.TrialRefused):
        trials.submit_key_ending(json.loads(made.stdout)["recovery_key"][-4:], "quan", NOW)
