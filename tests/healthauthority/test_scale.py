# SPDX-License-Identifier: Apache-2.0
"""Ten thousand codes, declarations and audit entries (slow): every list stays quick and asks the same questions."""

import datetime
import os
import uuid

import pytest
from django.utils import timezone
from tests.builders.devices import agency
from tests.builders.largeoffice import server_clock
from tests.builders.office import local_today, user
from tests.builders.pace import BUDGET_SECONDS, queries, quickest

from bluezone.audit import hash_chain
from bluezone.healthauthority import declaration_access
from bluezone.healthauthority.codes import issuance
from bluezone.healthauthority.models import IssuedCode
from bluezone.identity.models import AuditEntry, Role
from bluezone.protocol.intervals import hour_at

pytestmark = [pytest.mark.long, pytest.mark.django_db, pytest.mark.usefixtures("quick_passphrases")]
SIZES = [1_000, pytest.param(10_000, marks=pytest.mark.slow)]
PAGES = (
    "/codes/",
    "/codes/?page=50",
    "/codes/limits/",
    "/codes/statistics/",
    "/codes/declarations/",
    "/codes/bulk/",
    "/codes/new/",
    "/audit/",
    "/audit/?page=15",
)


def issue_many(server, workers, number):
    """Codes as `issuing` would leave them in both stores, spread over 14 days and all states."""
    now, clock = timezone.now(), int(server.clock())
    rows, records = [], []
    for each in range(number):
        age = each * 14 * 86_400 // number
        ends = clock - age + 86_400, clock - age + 172_800
        hashes = os.urandom(32), os.urandom(32)
        used = each % 3 % 2
        rows.append((os.urandom(16), *hashes, 1 + each % 2, clock // 86_400 - 1, *ends, used, used))
        at = now - datetime.timedelta(seconds=age)
        records.append(
            IssuedCode(
                handle=uuid.uuid4().hex,
                worker=workers[each % len(workers)],
                facility=agency(),
                issued_at=at,
                form_id=uuid.uuid4(),
            )
        )
    IssuedCode.objects.bulk_create(records)
    sql = (
        "INSERT INTO credential (handle, digits_hash, link_hash, class, onset_day, digits_expire,"
        " link_expire, state, told) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    )
    server.codes_store.write(lambda transaction: [transaction.execute(sql, row) for row in rows])


def declare_many(server, number):
    hour = hour_at(server.clock())
    rows = [(os.urandom(16), os.urandom(1024), hour - each % 700) for each in range(number)]
    sql = "INSERT INTO declaration VALUES (?, ?, ?)"
    server.keys_store.write(lambda transaction: [transaction.execute(sql, row) for row in rows])


def audit_many(number):
    """One entry as the chain has it, then many that only look like it: the pages do not verify."""
    last = hash_chain.record("lan", "code_issued", "x").number
    AuditEntry.objects.bulk_create(
        AuditEntry(number=last + each, at=timezone.now(), actor="lan", action="code_issued", subject="x" * 32,
                   previous=uuid.uuid4().hex, digest=uuid.uuid4().hex)
        for each in range(1, number)
    )  # fmt: skip


def publish_two_weeks(server):
    """168 files of two hours each; every one a copy of the one that was really written."""
    server.tick()
    (whole,) = (server.data_dir / "exports").glob("1-*.zip")
    data, rows = whole.read_bytes(), []
    for number in range(2, 169):
        name = f"{number}-{number:016x}.zip"
        (server.data_dir / "exports" / name).write_bytes(data)
        rows.append((number, number * 7200, (number + 1) * 7200, 20_000, 50, bytes(32), name, bytes(32), len(data)))
    sql = (
        "INSERT INTO export_file (number, start_timestamp, end_timestamp, newest_day, padding_mean, chain_before, name,"
        " sha256, size) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    )
    server.keys_store.write(lambda transaction: [transaction.execute(sql, row) for row in rows])


@pytest.fixture
def supervisor(client, server):
    sup = user("sup", Role.SUPERVISOR)
    declaration_access.make_declaration_key(server, sup, "năm con suối chảy về một bản", timezone.now())
    client.force_login(sup)
    return client


@pytest.mark.parametrize("many", SIZES)
def test_every_list_page_is_quick_and_asks_as_many_questions_of_many_rows_as_of_few(supervisor, server, many):
    workers = [user(f"worker{number}", within=agency()) for number in range(30)]
    for worker in workers[:2]:
        issuance.issue_code(server, worker, "confirmed", local_today(), timezone.now())
    declare_many(server, 2)
    few = {place: queries(supervisor, place.partition("?")[0]) for place in PAGES}
    issue_many(server, workers, many)
    declare_many(server, many)
    audit_many(many)
    publish_two_weeks(server)

    assert {place: queries(supervisor, place) for place in PAGES} == few
    spent = {place: quickest(lambda place=place: supervisor.get(place), server_clock()) for place in PAGES}
    assert {place: taken for place, taken in spent.items() if taken > BUDGET_SECONDS} == {}


def test_the_list_asks_the_key_server_nothing(supervisor, server, monkeypatch):
    issuance.issue_code(server, user("lan"), "confirmed", local_today(), timezone.now())
    reads = []
    monkeypatch.setattr(server.codes_store, "read", lambda *asked: reads.append(asked))

    assert supervisor.get("/codes/").status_code == 200
    assert reads == []


def test_many_states_are_those_that_one_by_one_are_told(server, db):
    issue_many(server, [user("lan")], 40)
    rows = server.codes_store.read("SELECT handle FROM credential")
    handles = [*(bytes(handle).hex() for (handle,) in rows), "ab" * 16]

    assert server.codes.statuses(handles) == {handle: server.codes.status(handle) for handle in handles}
    assert set(server.codes.statuses(handles).values()) == {"open", "used", "expired"}
    assert server.codes.statuses([]) == {}
