# SPDX-License-Identifier: Apache-2.0
"""In which minute a worker signed in or issued a code is in no store, no audit and no log; the supervisor's key
alone opens that of a code.
"""

import datetime
import re
import uuid

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.db import connection
from django.utils import timezone
from tests.builders.keyserver import exchange
from tests.builders.office import PASSWORD, app_code, local_today, user

from bluezone.healthauthority import hourly_work
from bluezone.healthauthority.codes import audit_entries, batches, inquiries, issuance
from bluezone.healthauthority.codes.batches import CaseRow
from bluezone.healthauthority.codes.inquiries import InquiryKeyInvalid
from bluezone.healthauthority.models import IssuedCode
from bluezone.identity import retention
from bluezone.identity.factors import second_factors
from bluezone.identity.models import AuditEntry, OfficeSession
from bluezone.identity.signin.sessions import BEGUN_KEY
from bluezone.keyserver.codes.issued_codes import CodeUnknown

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)
# What is remembered of a proof of the second factor is forgotten after this.
FACTOR_MEMORY = datetime.timedelta(minutes=6)
# Whoever knows one of these and how long a code, a link or a declaration lives knows the minute.
LIVES = [hours * 3600 for hours in (0, 1, 10, 24, 48, 14 * 24, 30 * 24)]
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?")


@pytest.fixture
def key():
    """The supervisor's key, for which minutes are sealed."""
    private = X25519PrivateKey.generate()
    inquiries.set_inquiry_key(private.public_key().public_bytes_raw().hex(), timezone.now())
    return private.private_bytes_raw()


def values(server):
    """Every value of every table of all three stores, with its place."""
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            found |= {(f"office {table}", str(value)) for row in cursor.fetchall() for value in row}
    for name, store in (("codes", server.codes_store), ("keys", server.keys_store)):
        tables = store.read("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in tables:
            rows = store.read(f"SELECT * FROM {table}")
            found |= {(f"{name} {table}", str(value)) for row in rows for value in row}
    return found | {("office session", str(session.get_decoded())) for session in OfficeSession.objects.all()}


def tells(value, moment):
    """Whether a value is a moment within two minutes of another, or by one of the LIVES after it, in any usual unit.

    A whole hour tells no minute, however near the moment is to one.
    """
    seconds = []
    for number in map(float, re.findall(r"\d{8,17}(?:\.\d+)?", value)):
        # 30 s are a step of an authenticator app's codes.
        seconds += [number, number * 30, number * 60, number / 1000, number / 1_000_000]
    for found in MOMENT.finditer(value):
        told = datetime.datetime.fromisoformat(found[0])
        seconds += [told.replace(tzinfo=zone).timestamp() for zone in (datetime.UTC, timezone.get_current_timezone())]
    at = moment.timestamp()
    return any(one % 3600 and abs(one - at - life) < 120 for one in seconds for life in LIVES)


@pytest.fixture
def off_the_hour():
    """The present, unless a whole hour or day is so near that it would look like the minute."""
    moment = timezone.now()
    if not 3 <= moment.minute < 57:
        moment += datetime.timedelta(minutes=10)
    return moment


def test_the_search_sees_moments_in_every_form(off_the_hour):
    at = off_the_hour
    assert tells(str(int(at.timestamp())), at)
    assert tells(str(int(at.timestamp()) // 60), at)
    assert tells(str(int(at.timestamp()) // 30), at)
    assert tells(at.isoformat(), at)
    assert tells(f"until {timezone.localtime(at + DAY):%Y-%m-%d %H:%M}", at)
    assert not tells(str(int((at - DAY / 3).timestamp())), at)
    assert not tells("4711", at)


@pytest.mark.parametrize("sealed", [False, True], ids=["without a key", "with a key"])
def test_no_store_no_audit_and_no_log_tells_the_minute(server, client, caplog, request, off_the_hour, sealed):
    if sealed:
        request.getfixturevalue("key")
    lan, at = user("lan", created_at=off_the_hour - DAY), off_the_hour
    lan.authenticator_app.added_at = at - DAY
    lan.authenticator_app.save()
    # The key server's codes end a whole number of hours later, and the page asks the real clock.
    exchange(server, server.clock, at.timestamp)
    caplog.set_level(0)
    before = values(server)

    assert client.post("/sign-in/", {"username": "lan", "password": PASSWORD}).url == "/sign-in/second/"
    assert client.post("/sign-in/second/", {"code": app_code()}).status_code == 302
    asked = {"case_class": "confirmed", "onset": local_today().isoformat(), "form_id": uuid.uuid4()}
    assert client.post("/codes/new/", asked).status_code == 201
    issuance.issue_code(server, lan, "confirmed", local_today(), at)
    batches.issue_batch(server, lan, bytes(32), [CaseRow("confirmed", local_today())] * 3, at)
    second_factors.purge_steps(timezone.now() + FACTOR_MEMORY)
    retention.purge(timezone.now() + FACTOR_MEMORY)
    said = values(server) - before
    audit_entries.audit_past_days(at + DAY)
    said |= values(server) - before

    assert client.get("/codes/").status_code == 200, "still signed in"
    assert IssuedCode.objects.count() == 5
    assert AuditEntry.objects.filter(action="code_issued").count() == 5
    assert [one for one in said if any(tells(one[1], moment) for moment in (at, timezone.now()))] == []
    assert not any(tells(line, at) for line in caplog.text.splitlines())


def test_a_session_says_in_no_minute_when_it_began_not_even_one_that_began_before(client, off_the_hour):
    client.force_login(user("lan"))
    session = client.session
    session[BEGUN_KEY] = off_the_hour.isoformat()
    session.save()
    OfficeSession.objects.update(begun_at=off_the_hour)
    retention.purge(timezone.now())

    (row,) = OfficeSession.objects.all()
    assert row.begun_at == off_the_hour.replace(minute=0, second=0, microsecond=0)
    assert not tells(str(row.get_decoded()), off_the_hour)


def test_the_supervisor_s_key_opens_the_minute_and_the_audit_says_that_it_was(server, key):
    at = timezone.now()
    record = issuance.issue_code(server, user("lan"), "confirmed", local_today(), at).record

    (opened,) = inquiries.open_issue_minutes(key, record.day, record.mark.lower())
    assert opened.minute == at.replace(second=0, microsecond=0)
    assert (opened.mark, opened.worker) == (record.mark, "lan")
    assert [(entry.actor, entry.subject) for entry in AuditEntry.objects.filter(action="issue_minute_opened")] == [
        ("command line", record.handle)
    ]


def test_no_other_key_opens_it_and_a_minute_put_to_another_code_opens_with_none(server, key):
    at = timezone.now()
    lan = user("lan")
    one, other = (issuance.issue_code(server, lan, "confirmed", local_today(), at).record for _ in range(2))
    with pytest.raises(InquiryKeyInvalid):
        inquiries.open_issue_minutes(X25519PrivateKey.generate().private_bytes_raw(), one.day, one.mark)

    IssuedCode.objects.filter(pk=one.pk).update(sealed_minute=other.sealed_minute)
    with pytest.raises(InquiryKeyInvalid):
        inquiries.open_issue_minutes(key, one.day, one.mark)
    assert not AuditEntry.objects.filter(action="issue_minute_opened").exists()
    audit_entries.audit_past_days(at + DAY)
    assert {entry.subject: entry.details for entry in AuditEntry.objects.filter(action="code_issued")} == {
        one.handle: {"changed": True}, other.handle: {}
    }  # fmt: skip


def test_before_there_is_a_key_nothing_is_sealed_and_an_unknown_code_is_said(server):
    record = issuance.issue_code(server, user("lan"), "confirmed", local_today(), timezone.now()).record
    private = X25519PrivateKey.generate()
    inquiries.set_inquiry_key(private.public_key().public_bytes_raw().hex(), timezone.now())

    assert record.sealed_minute is None
    (opened,) = inquiries.open_issue_minutes(private.private_bytes_raw(), record.day, record.mark)
    assert opened.minute is None
    with pytest.raises(CodeUnknown):
        inquiries.open_issue_minutes(private.private_bytes_raw(), record.day - DAY, record.mark)


def test_sealed_minutes_have_one_length_and_go_with_their_codes(server, key):
    at = timezone.now()
    issued = [
        issuance.issue_code(server, None, "confirmed", local_today() - DAY, at - DAY / 9 * step).record
        for step in range(4)
    ]
    assert {len(one.sealed_minute) for one in issued} == {56}
    hourly_work.purge(at + 16 * DAY)

    assert not IssuedCode.objects.exists()


@pytest.mark.parametrize("public", ["", "ab" * 31, "zz" * 32])
def test_what_is_no_key_is_refused(db, data_folder, public):
    with pytest.raises(InquiryKeyInvalid):
        inquiries.set_inquiry_key(public, timezone.now())
