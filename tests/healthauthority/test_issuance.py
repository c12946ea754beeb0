# SPDX-License-Identifier: Apache-2.0
"""Issuing: within bounds, within the quota, once per form, and nothing of the code or the case left behind."""

import datetime
import sqlite3
import uuid

import pytest
from django.db import connection
from django.utils import timezone
from tests.builders.keyserver import Phone, keys_for, poster, set_city
from tests.builders.office import local_today, row_of, user

from bluezone.healthauthority.codes import audit_entries, issuance, revocation
from bluezone.healthauthority.codes.issuance import FormAlreadySent, OnsetRefused, QuotaReached
from bluezone.healthauthority.models import IssuedCode
from bluezone.identity.models import AuditEntry, Role
from bluezone.keyserver.codes.issued_codes import ClassRefused
from bluezone.protocol.upload.codes import Credential

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


def issue(server, worker=None, onset=None, now=None, **more):
    return issuance.issue_code(
        server, worker, more.pop("case_class", "confirmed"), onset or local_today(), now or timezone.now(), **more
    )


def test_a_code_can_be_used_and_its_ticket_alone_says_which_row_it_has(server):
    issued = issue(server, user())

    assert server.codes.status(issued.code) == server.codes.status(issued.link) == "open"
    assert server.codes.status(row_of(issued)) == "open"
    assert server.codes.status(issued.record.handle) == "expired", "the key server does not know it"
    assert issued.expires_at < issued.link_expires_at


def everything_in_the_office() -> str:
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        rows = []
        for table in tables:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows += cursor.fetchall()
    return repr(rows)


def test_neither_digits_nor_link_are_anywhere_in_the_office(server):
    issued = issue(server, user())
    content = everything_in_the_office()

    assert issued.record.handle in content, "the search sees what is there"
    assert issued.code not in content
    assert issued.code.replace("-", "") not in content
    assert issued.link.rsplit("#", 1)[1] not in content
    assert row_of(issued) not in content
    assert issued.ticket not in content


def test_no_value_of_the_office_stands_in_the_codes_store(server):
    """Not even after the code was used, the day is over and the audit has it."""
    from bluezone.healthauthority.codes.batches import CaseRow, issue_batch

    lan, now = user(), timezone.now()
    made = [issue(server, lan) for _ in range(6)]
    issue_batch(server, lan, bytes(32), [CaseRow("confirmed", local_today())] * 3, now)
    phone = Phone(poster(server), server, Credential.from_text(made[0].code), keys=keys_for(server.clock()))
    phone.certified()
    revocation.revoke_code(server, lan, row_of(made[1]))
    audit_entries.audit_past_days(now + DAY)

    office = everything_in_the_office() + "".join(repr(row) for row in IssuedCode.objects.values_list())
    columns = "handle, digits_hash, link_hash, used_digest, revoked_digits_hash"
    rows = server.codes_store.read(f"SELECT {columns} FROM credential")
    named = [bytes(value) for row in rows for value in row if value is not None]
    assert len(rows) == 9
    assert not [value for value in named if value.hex() in office or repr(value)[2:-1] in office]


def test_the_office_has_no_field_for_anything_about_the_person():
    fields = {field.name for field in IssuedCode._meta.get_fields()}

    assert fields == {
        "id", "handle", "worker", "facility", "issued_at", "form_id", "messaged", "audited", "proof", "sealed_minute",
        "training",
    }  # fmt: skip


def test_the_audit_tells_when_the_day_is_over_who_issued_what_and_no_time_class_or_onset(server):
    now = timezone.now()
    issued = [issue(server, user(name), now=now) for name in ("lan", "hoa")]
    audit_entries.audit_past_days(now)
    assert not AuditEntry.objects.exists(), "an entry between others of known times would tell the minute"

    audit_entries.audit_past_days(now + DAY)
    audit_entries.audit_past_days(now + DAY)
    entries = AuditEntry.objects.all()

    assert {(entry.actor, entry.action, entry.subject) for entry in entries} == {
        (name, "code_issued", each.record.handle) for name, each in zip(("lan", "hoa"), issued, strict=True)
    }
    assert len(entries) == 2
    assert {entry.at for entry in entries} == {
        timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    }
    assert [entry.details for entry in entries] == [{}, {}]


def test_of_a_code_the_office_keeps_the_day_and_nothing_that_tells_the_order_within_it(server):
    now = timezone.localtime().replace(hour=12)
    worker = user()
    records = [issue(server, worker, now=now + datetime.timedelta(minutes=each)).record for each in range(13)]

    assert {record.issued_at for record in records} == {
        timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    }
    keys = [record.pk for record in records]
    assert keys != sorted(keys)


@pytest.mark.parametrize("days", [0, 1, 14, 23])
def test_an_onset_of_use_is_taken(server, days):
    assert issue(server, user(), local_today() - days * DAY).code


@pytest.mark.parametrize("days", [-1, 24, 400])
def test_an_onset_of_no_use_is_refused_and_no_code_made(server, days):
    with pytest.raises(OnsetRefused):
        issue(server, user(), local_today() - days * DAY)
    assert not IssuedCode.objects.exists()


def test_an_unknown_class_is_refused(server):
    with pytest.raises(ClassRefused):
        issue(server, user(), case_class="suspected")
    assert not IssuedCode.objects.exists()
    assert not AuditEntry.objects.exists()


def test_the_day_of_the_quota_is_the_local_one(server):
    set_city(server, quota_per_worker_a_day=1)
    worker = user()
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    issue(server, worker, now=midnight - datetime.timedelta(seconds=1), onset=local_today() - DAY)
    issue(server, worker, now=midnight, onset=local_today() - DAY)

    with pytest.raises(QuotaReached):
        issue(server, worker, now=midnight + datetime.timedelta(hours=23, minutes=59))


def test_a_revoked_code_still_counts_toward_the_quota(server):

    set_city(server, quota_per_worker_a_day=1)
    worker = user()
    revocation.revoke_code(server, worker, row_of(issue(server, worker)))

    with pytest.raises(QuotaReached):
        issue(server, worker)


def test_the_quota_is_each_worker_s_own_and_the_command_line_has_none(server):
    set_city(server, quota_per_worker_a_day=1)
    for worker in (user("lan"), user("hoa"), None, None, None):
        issue(server, worker)

    assert IssuedCode.objects.count() == 5
    audit_entries.audit_past_days(timezone.now() + DAY)
    assert AuditEntry.objects.filter(actor="command line").count() == 3


def test_a_form_sent_twice_issues_one_code(server):
    worker, form_id = user(), uuid.uuid4()
    issue(server, worker, form_id=form_id)

    with pytest.raises(FormAlreadySent):
        issue(server, worker, form_id=form_id)
    assert IssuedCode.objects.count() == 1


FULL_DISK = {
    "sqlite": (
        "CREATE TRIGGER full_disk BEFORE INSERT ON healthauthority_issuedcode"
        " BEGIN SELECT RAISE(ABORT, 'disk is full'); END",
        "DROP TRIGGER full_disk",
    ),
    "postgresql": (
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN RAISE EXCEPTION 'disk is full'; END $$; "
        "CREATE TRIGGER full_disk BEFORE INSERT ON healthauthority_issuedcode EXECUTE FUNCTION full_disk()",
        "DROP FUNCTION full_disk CASCADE",
    ),
}


def test_when_the_office_cannot_store_nothing_is_shown(server, monkeypatch):
    worker = user(role=Role.HEALTH_WORKER)
    make, unmake = FULL_DISK[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(make)
    try:
        with pytest.raises(Exception, match="disk is full"):
            issue(server, worker)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(unmake)

    assert not IssuedCode.objects.exists()
    assert issue(server, worker).code
    assert sqlite3.connect(server.data_dir / "codes.sqlite3").execute("SELECT count(*) FROM credential").fetchone() == (
        2,
    )
