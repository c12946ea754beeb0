# SPDX-License-Identifier: Apache-2.0
import datetime

import pytest
from django.db import IntegrityError, transaction
from tests.builders.bulletins import (
    NOW,
    agency,
    approved_bulletin,
    listen_to_end,
    make_people,
    make_recording,
    stored_recording,
)

from bluezone.identity.models import AuditEntry
from bluezone.rollout.bulletins.air.planner import approved_scripts
from bluezone.rollout.bulletins.models import Script
from bluezone.rollout.bulletins.texts import approval, scripts

pytestmark = pytest.mark.django_db


@pytest.fixture
def script():
    writer, _approver = make_people()
    bulletin = scripts.create_bulletin(writer, agency(), "Cài Bluezone", "normal", {}, NOW)
    return with_recording(bulletin, "Kính thưa bà con.", writer)


def with_recording(bulletin, text, writer):
    """The next version, with a recording whose loudness was levelled once; test_sounds.py levels others."""
    return scripts.add_version(bulletin, "vi", text, writer, NOW, machine=None, recording=stored_recording())


def test_nobody_approves_what_they_have_not_heard_to_the_end(script):
    _writer, approver = make_people()
    with pytest.raises(approval.NotListened):
        approval.approve_script(script, approver, NOW)

    approval.begin_listening(script, approver, NOW)
    with pytest.raises(approval.ListenedTooShort):
        approval.end_listening(script, approver, NOW + datetime.timedelta(milliseconds=100))
    with pytest.raises(approval.NotListened):
        approval.approve_script(script, approver, NOW)

    approval.end_listening(script, approver, NOW + datetime.timedelta(seconds=script.sound.seconds))
    approval.approve_script(script, approver, NOW)
    script.refresh_from_db()
    assert (script.approved_by, script.approved_at) == (approver, NOW)
    assert AuditEntry.objects.filter(action="bulletin_approved", actor="duyet").count() == 1


def test_the_author_does_not_approve_nor_does_the_database_let_them(script):
    writer, _approver = make_people()
    listen_to_end(script, writer)
    with pytest.raises(approval.ApproverIsAuthor):
        approval.approve_script(script, writer, NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        Script.objects.filter(pk=script.pk).update(approved_by=writer)


def test_what_one_has_heard_another_has_not(script):
    writer, approver = make_people()
    listen_to_end(script, writer)

    with pytest.raises(approval.NotListened):
        approval.approve_script(script, approver, NOW)
    with pytest.raises(approval.ListenedTooShort):
        approval.end_listening(script, approver, NOW + datetime.timedelta(days=1))


def test_who_heard_one_version_has_not_heard_the_next(script):
    writer, approver = make_people()
    listen_to_end(script, approver)
    newer = with_recording(script.bulletin, "Bản mới.", writer)

    with pytest.raises(approval.NotListened):
        approval.approve_script(newer, approver, NOW)


@pytest.mark.long
def test_the_approved_version_is_aired_until_the_next_is_approved_and_a_recording_comes_first():
    bulletin = approved_bulletin(text="Kính thưa bà con, xin cài Bluezone.")
    writer, approver = make_people()
    machine = approved_scripts([bulletin.pk])[bulletin.pk, "vi"]
    assert machine.sound.is_human is False
    newer = scripts.add_recorded_version(bulletin, "vi", machine.text, make_recording(), writer, NOW)
    assert approved_scripts([bulletin.pk])[bulletin.pk, "vi"] == machine

    listen_to_end(newer, approver)
    approval.approve_script(newer, approver, NOW)

    now_aired = approved_scripts([bulletin.pk])[bulletin.pk, "vi"]
    assert (now_aired.number, now_aired.sound.is_human, now_aired.machine) == (2, True, machine.machine)


def test_a_language_without_a_machines_voice_waits_for_a_person(script):
    writer, approver = make_people()
    text = scripts.add_machine_version(script.bulletin, "tay", "Khảu chạu", writer, NOW)
    with pytest.raises(approval.ScriptWithoutSound):
        approval.begin_listening(text, approver, NOW)
    with pytest.raises(approval.ScriptWithoutSound):
        approval.approve_script(text, approver, NOW)


@pytest.mark.long
def test_nothing_more_is_written_or_approved_of_what_was_withdrawn(script):
    writer, approver = make_people()
    listen_to_end(script, approver)
    scripts.withdraw_bulletin(script.bulletin, "Số điện thoại sai", writer, NOW)

    with pytest.raises(scripts.BulletinWithdrawn):
        approval.approve_script(script, approver, NOW)
    with pytest.raises(scripts.BulletinWithdrawn):
        scripts.add_machine_version(script.bulletin, "tay", "Bản mới", writer, NOW)
