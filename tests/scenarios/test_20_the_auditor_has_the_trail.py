# SPDX-License-Identifier: Apache-2.0
"""Scenario 20: "Auditor exports the whole trail, hash chain verified; one changed row is found." """

import csv
import io

import pytest
from django.db import connection
from tests.builders.directives import LETTER, confirm_as_seen, person
from tests.builders.office import app_code, prove_second_factor

from bluezone.audit import hash_chain
from bluezone.rollout.directives.models import Directive


@pytest.fixture
def trail(client, committee, clerk, signer):
    """Some days of an office: an account made, a letter taken in, approved, issued and recalled."""
    client.force_login(person("admin", "admin"))
    prove_second_factor(client)
    client.post(
        "/accounts/new/",
        {"name": "Lường Thị Hoa", "agency": "UBND phường", "username": "hoa", "role": "auditor"},
    )
    client.force_login(clerk)
    client.post("/directives/new/", {"issuer": committee.pk, "text": LETTER})
    directive = Directive.objects.get()
    directive.tasks.filter(lead_names="").update(lead_names="UBND các xã, phường")
    client.post(f"/directives/{directive.pk}/submit/")
    client.force_login(signer)
    client.post("/confirm/", {"code": app_code()})
    confirm_as_seen(client, directive.pk)
    client.post(f"/directives/{directive.pk}/issue/", {"on_paper": "on"})
    client.post(f"/directives/{directive.pk}/revoke/", {"reason": "Ban hành nhầm"})
    return hash_chain.verify_chain()


@pytest.fixture
def auditor(client, trail):
    client.force_login(person("auditor", "auditor"))
    return client


@pytest.mark.long
def test_the_whole_trail_is_exported_and_its_chain_verified(auditor, trail):
    rows = list(csv.reader(io.StringIO(auditor.post("/audit/export/").content.decode("utf-8-sig"))))
    numbers, acts = [int(row[0]) for row in rows[1:]], [row[3] for row in rows[1:]]

    assert numbers == list(range(1, trail.last + 1))
    assert rows[-1][-1] == trail.head
    assert len(set(acts)) > 4, acts
    page = auditor.post("/audit/verify/", {"noted": f"{trail.last}:{trail.head}"}).text
    assert "đều khớp" in page
    assert "Dòng đã ghi lại trước đây vẫn có trong đó." in page


@pytest.mark.long
@pytest.mark.parametrize("column", ["actor", "action", "digest"])
def test_one_changed_row_is_found_and_named(auditor, trail, column):
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER audit_never_changes")
        cursor.execute(f"UPDATE accounts_auditentry SET {column} = {column} || 'x' WHERE number = 2")
    page = auditor.get("/audit/verify/").text

    assert "Chuỗi bị đứt ở dòng" in page
    assert "đều khớp" not in page


@pytest.mark.long
def test_an_auditor_changes_nothing(auditor):
    directive = Directive.objects.get()
    for address in ("/accounts/new/", f"/directives/{directive.pk}/issue/", "/codes/new/"):
        assert auditor.post(address).status_code == 403
