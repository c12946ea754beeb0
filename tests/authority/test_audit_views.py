# SPDX-License-Identifier: Apache-2.0
"""The audit's pages: filtered, verified with a sentence on what that proves, copied inert."""

import datetime
import json
import time

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from tests.builders.office import user

from bluezone.audit import hash_chain
from bluezone.canary.state import CanaryState, note_round, save_state, state_file
from bluezone.city_settings import City
from bluezone.identity.models import AuditEntry, Role

pytestmark = pytest.mark.django_db
NOW = timezone.now()
DAY = datetime.timedelta(days=1)


@pytest.fixture
def page(client, server):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(user("sup", Role.SUPERVISOR))
    return client


@pytest.fixture
def chain(server):
    hash_chain.record("lan", "code_issued", "aa" * 16, now=NOW - 3 * DAY)
    hash_chain.record("hoa", "code_issued", "bb" * 16, now=NOW - 2 * DAY)
    hash_chain.record("lan", "code_revoked", "cc" * 16, now=NOW)
    return hash_chain.verify_chain()


def shown(page, query):
    text = page.get("/audit/" + query).text
    return [pair for pair in ("aa", "bb", "cc") if pair * 8 in text]


@pytest.mark.long
def test_all_entries_are_shown_and_those_asked_for(page, chain):
    day = (timezone.localdate(NOW) - 2 * DAY).isoformat()

    assert shown(page, "") == ["aa", "bb", "cc"]
    assert shown(page, "?actor=Lan") == ["aa", "cc"]
    assert shown(page, "?action=code_issued") == ["aa", "bb"]
    assert shown(page, f"?first={day}") == ["bb", "cc"]
    assert shown(page, f"?last={day}") == ["aa", "bb"]
    assert shown(page, f"?first={day}&last={day}&action=code_issued") == ["bb"]


@pytest.mark.long
@pytest.mark.parametrize("query", ["?first=soon", "?action=nonsense", "?page=x", "?first=2026-02-31&last=x"])
def test_a_filter_that_means_nothing_is_not_applied(page, chain, query):
    assert shown(page, query) == ["aa", "bb", "cc"]


def test_a_filter_that_fits_nothing_leads_back(page, chain):
    assert "No matching entries" in page.get("/audit/?actor=nobody").text


def test_the_pages_of_a_filtered_list_keep_the_filter(page, chain):
    for _ in range(51):
        hash_chain.record("lan", "code_issued", "dd" * 16)
    text = page.get("/audit/?actor=lan").text

    assert "actor=lan&amp;page=2" in text


def test_the_verifier_says_what_it_proves_and_what_not(page, chain):
    text = page.get("/audit/verify/").text

    assert "All 3 entries are correct." in text
    assert f"{chain.last}:{chain.head}" in text
    assert "What it does not prove" in text


def test_a_line_noted_earlier_is_looked_for(page, chain):
    line = f"{chain.last}:{chain.head}"
    hash_chain.record("lan", "code_issued", "dd" * 16)

    assert "The line you noted earlier is among them." in page.post("/audit/verify/", {"noted": line}).text
    assert "The chain breaks" in page.post("/audit/verify/", {"noted": f"{chain.last}:{'0' * 64}"}).text
    assert "The chain breaks" in page.post("/audit/verify/", {"noted": f"99:{'0' * 64}"}).text
    assert page.post("/audit/verify/", {"noted": "not a line"}).status_code == 422


def test_a_changed_entry_is_found(page, chain):
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER audit_never_changes")
        cursor.execute("UPDATE accounts_auditentry SET actor = 'hoa' WHERE number = 1")

    assert "The chain breaks at entry 1" in page.get("/audit/verify/").text


def test_a_copy_holds_what_was_asked_for_inert_and_is_itself_an_entry(page, chain):
    hash_chain.record("=cmd|x", "account_made", "")
    everything = page.post("/audit/export/").content.decode("utf-8-sig")
    some = page.post("/audit/export/?actor=hoa").content.decode("utf-8-sig")

    assert '"\'=cmd|x"' in everything
    assert len(some.splitlines()) == 2
    assert AuditEntry.objects.filter(action="audit_exported", actor="sup").count() == 2
    assert page.get("/audit/export/").status_code == 405


def test_a_health_worker_does_not_read_the_audit(client, server):
    client.force_login(user("lan"))
    for place in ("/audit/", "/audit/verify/"):
        assert client.get(place).status_code == 403


@pytest.mark.parametrize(
    ("drill", "sentence"),
    [
        ({"ok": True, "problem": ""}, "it can be restored, and phones keep following"),
        ({"ok": False, "problem": "drill_failed"}, "and failed (drill_failed)"),
    ],
)
def test_the_page_says_how_the_last_drill_of_a_backup_went(page, tmp_path, monkeypatch, drill, sentence):
    monkeypatch.setenv("BLUEZONE_DATA", str(tmp_path))
    assert "newest backup" not in page.get("/audit/").text
    held = {"at": 1_700_000_000, "backup": "x.bzbackup", "followed": {}, "message": "", **drill}
    (tmp_path / "drill.json").write_text(json.dumps(held))
    assert sentence in page.get("/audit/").text


@pytest.mark.parametrize(
    ("state", "round_ago", "sentence"),
    [
        ({}, 10, "A test phone received list 7 from this server"),
        ({"problem": "index_rolled_back", "problem_since": -2000}, 10, "no new list from this server (index_rolled_"),
        ({"problem": "offline", "problem_since": -100}, 10, "A test phone received list 7 from this server"),
        ({"period_end": -20_000}, 10, "no new list from this server (canary_late)"),
        ({}, 1000, "The test phone of this server has reported nothing since"),
        ({}, 100_000, "No test phone of this server has reported"),
    ],
)
def test_the_page_says_what_the_canary_reports(page, tmp_path, monkeypatch, state, round_ago, sentence):
    monkeypatch.setenv("BLUEZONE_DATA", str(tmp_path))
    monkeypatch.setattr(settings, "CITY", City("Bắc Kạn", "Bac Kan", "0209", publish_period_seconds=7200))
    now = time.time()
    assert "No test phone of this server has reported" in page.get("/audit/").text
    times = {name: now + value for name, value in state.items() if name != "problem"}
    newest = {"began_at": now - 9000, "number": 7, "received_at": now - 60, "period_end": now - 60}
    file = state_file(tmp_path, "own-8000")
    assert save_state(file, CanaryState(**{**newest, **times}, problem=state.get("problem", "")), {})
    note_round(file, now - round_ago)
    assert sentence in page.get("/audit/").text
