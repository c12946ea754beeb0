# SPDX-License-Identifier: Apache-2.0
import datetime

import pytest
from django.db import IntegrityError, transaction
from tests.builders.bulletins import NOW, agency, approved, hear, people, recording

from bluezone.accounts.models import AuditEntry
from bluezone.rollout.bulletins import writing
from bluezone.rollout.bulletins.models import Script
from bluezone.rollout.bulletins.planning import approved_scripts

pytestmark = pytest.mark.django_db


@pytest.fixture
def script():
    writer, _approver = people()
    bulletin = writing.new_bulletin(writer, agency(), "Cài Bluezone", "normal", {}, NOW)
    return writing.record(bulletin, "vi", "Kính thưa bà con.", recording(), writer, NOW)


def test_nobody_approves_what_they_have_not_heard_to_the_end(script):
    _writer, approver = people()
    with pytest.raises(writing.NotListened):
        writing.approve(script, approver, NOW)

    writing.begin_listening(script, approver, NOW)
    with pytest.raises(writing.ListenedTooShort):
        writing.end_listening(script, approver, NOW + datetime.timedelta(milliseconds=100))
    with pytest.raises(writing.NotListened):
        writing.approve(script, approver, NOW)

    writing.end_listening(script, approver, NOW + datetime.timedelta(seconds=script.sound.seconds))
    writing.approve(script, approver, NOW)
    script.refresh_from_db()
    assert (script.approved_by, script.approved_at) == (approver, NOW)
    assert AuditEntry.objects.filter(action="bulletin_approved", actor="duyet").count() == 1


def test_the_author_does_not_approve_nor_does_the_database_let_them(script):
    writer, _approver = people()
    hear(script, writer)
    with pytest.raises(writing.ApproverIsAuthor):
        writing.approve(script, writer, NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        Script.objects.filter(pk=script.pk).update(approved_by=writer)


def test_who_heard_one_version_has_not_heard_the_next(script):
    writer, approver = people()
    hear(script, approver)
    newer = writing.record(script.bulletin, "vi", "Bản mới.", recording(3.0), writer, NOW)

    with pytest.raises(writing.NotListened):
        writing.approve(newer, approver, NOW)


def test_the_approved_version_is_aired_until_the_next_is_approved_and_a_recording_comes_first():
    bulletin = approved(text="Kính thưa bà con, xin cài Bluezone.")
    writer, approver = people()
    machine = approved_scripts([bulletin.pk])[bulletin.pk, "vi"]
    assert machine.sound.is_human is False
    newer = writing.record(bulletin, "vi", machine.text, recording(), writer, NOW)
    assert approved_scripts([bulletin.pk])[bulletin.pk, "vi"] == machine

    hear(newer, approver)
    writing.approve(newer, approver, NOW)

    now_aired = approved_scripts([bulletin.pk])[bulletin.pk, "vi"]
    assert (now_aired.number, now_aired.sound.is_human, now_aired.machine) == (2, True, machine.machine)


def test_a_language_without_a_machines_voice_waits_for_a_person(script):
    writer, approver = people()
    text = writing.write(script.bulletin, "tay", "Khảu chạu", writer, NOW)
    with pytest.raises(writing.ScriptWithoutSound):
        writing.begin_listening(text, approver, NOW)
    with pytest.raises(writing.ScriptWithoutSound):
        writing.approve(text, approver, NOW)


def test_nothing_more_is_written_or_approved_of_what_was_withdrawn(script):
    writer, approver = people()
    hear(script, approver)
    writing.withdraw(script.bulletin, "Số điện thoại sai", writer, NOW)

    with pytest.raises(writing.BulletinWithdrawn):
        writing.approve(script, approver, NOW)
    with pytest.raises(writing.BulletinWithdrawn):
        writing.write(script.bulletin, "vi", "Bản mới", writer, NOW)
