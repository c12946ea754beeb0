# SPDX-License-Identifier: Apache-2.0
"""Many codes at once: no number reaches the office, nothing is issued twice, each refusal stands at its row."""

import datetime
import json
import os
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone
from tests.builders.keyserver import set_city
from tests.builders.office import local_today, user

import bluezone
from bluezone.healthauthority import hourly_work
from bluezone.healthauthority.codes import audit_entries, batches
from bluezone.healthauthority.codes.batches import BatchChanged, BatchInvalid, CaseRow
from bluezone.healthauthority.models import Batch, IssuedCode
from bluezone.identity.models import AuditEntry

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


@pytest.fixture
def lan():
    return user("lan")


def rows(count=3):
    return [CaseRow("confirmed", local_today() - DAY)] * count


def issue(server, worker, key=None, asked=None, now=None):
    return batches.issue_batch(server, worker, key or os.urandom(32), asked or rows(), now or timezone.now())


def test_each_row_gets_a_code_of_its_own_that_works(server, lan):
    answers = issue(server, lan)

    assert len({answer.code for answer in answers}) == 3
    assert {server.codes.status(answer.link) for answer in answers} == {"open"}


def test_sent_again_the_same_codes_come_back_and_no_others_are_made(server, lan):
    key = os.urandom(32)
    first, again = issue(server, lan, key), issue(server, lan, key)

    assert first == again
    assert IssuedCode.objects.count() == 3
    audit_entries.audit_past_days(timezone.now() + datetime.timedelta(days=1))
    assert AuditEntry.objects.filter(action="code_issued").count() == 3


def test_no_row_says_in_which_order_codes_and_batches_were_written(server, lan):
    for _ in range(3):
        issue(server, lan)
    hourly_work.purge(timezone.now())

    for model, count in ((IssuedCode, 9), (Batch, 3)):
        with connection.cursor() as cursor:
            # What either database keeps of a row beside its values: SQLite its number, PostgreSQL its transaction.
            unseen = "rowid" if connection.vendor == "sqlite" else "xmin::text"
            cursor.execute(f"SELECT id, {unseen} FROM {model._meta.db_table}")
            found = cursor.fetchall()
        assert len(found) == count
        assert max(key for key, _ in found) > 2**32, "drawn and not counted"
        if connection.vendor == "sqlite":
            assert all(key == number for key, number in found)
        else:
            assert len({number for _, number in found}) == 1


def test_other_rows_or_another_worker_under_the_same_key_are_refused(server, lan):
    key = os.urandom(32)
    issue(server, lan, key)

    with pytest.raises(BatchChanged):
        issue(server, lan, key, rows(2))
    with pytest.raises(BatchChanged):
        issue(server, user("hoa"), key)
    assert IssuedCode.objects.count() == 3


def test_neither_codes_nor_the_key_can_be_read_from_the_office(server, lan):
    key = os.urandom(32)
    answers = issue(server, lan, key)
    stored = Batch.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM healthauthority_batch")
        (row,) = cursor.fetchall()
    content = b"".join(value if isinstance(value, bytes) else str(value).encode() for value in row)

    assert stored.key_digest.encode() in content, "the search sees what is there"
    assert answers[0].code.encode() not in content
    assert answers[0].link.rsplit("#", 1)[1].encode() not in content
    assert key not in content
    assert key.hex().encode() not in content


def test_a_row_out_of_bounds_stops_no_other(server, lan):
    asked = [
        CaseRow("confirmed", local_today()),
        CaseRow("confirmed", local_today() + DAY),
        CaseRow("sure", local_today()),
    ]
    answers = issue(server, lan, asked=asked)

    assert [answer.refusal for answer in answers] == ["", "onset_refused", "class_refused"]
    assert IssuedCode.objects.count() == 1


def test_over_the_limit_the_first_rows_are_served_and_one_refusal_is_in_the_audit(server, lan):
    set_city(server, quota_per_worker_a_day=2)
    answers = issue(server, lan, asked=rows(5))

    assert [bool(answer.code) for answer in answers] == [True, True, False, False, False]
    assert {answer.refusal for answer in answers[2:]} == {"quota_reached"}
    assert AuditEntry.objects.filter(action="quota_refused").count() == 1


def test_what_was_refused_over_the_limit_is_issued_under_the_same_key_when_the_limit_is_raised(server, lan):
    key = os.urandom(32)
    limit = server.city.quota_per_worker_a_day
    set_city(server, quota_per_worker_a_day=0)
    assert issue(server, lan, key)[0].refusal == "quota_reached"
    set_city(server, quota_per_worker_a_day=limit)

    assert all(answer.code for answer in issue(server, lan, key))


def test_a_batch_is_forgotten_when_the_day_is_over_on_which_its_codes_expire(server, lan):
    now = timezone.now()
    issue(server, lan, now=now)
    hourly_work.purge(now + datetime.timedelta(hours=48))
    assert Batch.objects.exists()

    hourly_work.purge(timezone.localtime(now).replace(hour=0, minute=0) + datetime.timedelta(days=3, minutes=1))
    assert not Batch.objects.exists()


KEY = "ab" * 32
ROW = {"class": "confirmed", "onset": "2026-11-20"}


@pytest.mark.parametrize(
    "sent",
    [
        b"", b"[]", b"null", b"{", b"{}", b'"x"',
        {"key": KEY, "rows": []},
        {"key": KEY, "rows": [ROW] * 51},
        {"key": KEY[2:], "rows": [ROW]},
        {"key": 5, "rows": [ROW]},
        {"key": KEY, "rows": [ROW], "name": "x"},
        {"key": KEY, "rows": [{**ROW, "phone": "0912345678"}]},
        {"key": KEY, "rows": [{"class": "confirmed"}]},
        {"key": KEY, "rows": [{**ROW, "onset": "20/11/2026"}]},
        {"key": KEY, "rows": [5]},
        {"key": KEY, "rows": 5},
    ],
)  # fmt: skip
def test_what_is_no_batch_is_refused_a_telephone_number_above_all(sent):
    with pytest.raises(BatchInvalid):
        batches.read_batch(sent if isinstance(sent, bytes) else json.dumps(sent).encode())


def post(client, sent):
    return client.post("/codes/bulk/issue/", json.dumps(sent), content_type="application/json")


def test_the_page_answers_each_row_with_code_and_picture(client, server, lan):
    client.force_login(lan)
    answer = post(client, {"key": KEY, "rows": [{"class": "clinical", "onset": local_today().isoformat()}]})
    (row,) = answer.json()["rows"]

    assert answer.status_code == 201
    assert server.codes.status(row["code"]) == "open"
    assert row["qr"].startswith("<svg")
    assert "style=" not in row["qr"]
    assert answer.json()["left"] == 49


def test_the_office_draws_squares_with_the_encoder_of_the_face():
    source = Path(bluezone.__file__).parent
    encoder = (source / "web" / "static" / "health" / "qr-encode.js").read_bytes()

    assert encoder == (source / "face" / "static" / "vendor" / "qr-encode.js").read_bytes()


def test_a_refused_batch_says_why(client, server, lan):
    client.force_login(lan)

    refused = post(client, {"key": KEY, "rows": []})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "batch_invalid")
    post(client, {"key": KEY, "rows": [{"class": "clinical", "onset": local_today().isoformat()}]})
    changed = post(client, {"key": KEY, "rows": [{"class": "confirmed", "onset": local_today().isoformat()}]})
    assert (changed.status_code, changed.json()["error"]["code"]) == (409, "batch_changed")


def test_the_file_field_has_no_name_and_no_form_so_that_nothing_can_send_it(client, server, lan):
    client.force_login(lan)
    page = client.get("/codes/bulk/").text
    field = page[page.index('<input class="file"') :].split(">", 1)[0]

    part = page[page.index('<div id="bulk"') : page.index('<div id="slips"')]

    assert " name=" not in field
    assert " name=" not in part[part.index("<textarea") :].split(">", 1)[0]
    assert "<form" not in part
