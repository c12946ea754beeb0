# SPDX-License-Identifier: Apache-2.0
"""The audit chain: what is written stays, and what is changed shows."""

import datetime
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from django.utils.translation import override
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from bluezone.audit import hash_chain
from bluezone.audit.models import ActUnknown
from bluezone.identity.models import AuditEntry

pytestmark = pytest.mark.django_db


def three_entries():
    return [hash_chain.record("lan", "code_issued", f"handle-{n}") for n in range(3)]


def behind_the_back(sql, *parameters):
    """What somebody with the database, but not the key, can do: take the guards off and write."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE accounts_auditentry DISABLE TRIGGER USER")
        else:
            for trigger in ("audit_never_changes", "audit_is_kept", "audit_follows"):
                cursor.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        cursor.execute(sql, parameters)


def test_entries_follow_one_another():
    entries = three_entries()

    assert [entry.number for entry in entries] == [1, 2, 3]
    assert entries[0].previous == hash_chain.CHAIN_START
    assert [entry.previous for entry in entries[1:]] == [entry.digest for entry in entries[:2]]
    assert hash_chain.verify_chain() == hash_chain.Verdict(3, 1, 3, entries[2].digest)


def test_an_act_that_no_duty_declares_is_not_recorded_and_an_old_one_is_shown_by_its_name():
    with pytest.raises(ActUnknown, match="gate_painted"):
        hash_chain.record("lan", "gate_painted", "3")

    assert AuditEntry.objects.count() == 0
    assert AuditEntry(number=1, actor="lan", action="gate_painted").done == "gate_painted"
    with override("en"):
        assert AuditEntry(number=1, actor="lan", action="gate_opened").done == "opened a gate"


def test_an_empty_audit_verifies():
    assert hash_chain.verify_chain().broken_at is None


def test_the_database_refuses_to_change_an_entry():
    three_entries()

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEntry.objects.filter(number=2).update(actor="somebody else")


def test_the_database_refuses_to_delete_an_entry_of_this_year():
    three_entries()

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEntry.objects.filter(number=3).delete()


@pytest.mark.parametrize("column", ["actor", "action", "subject", "details", "at", "previous", "digest"])
def test_a_changed_entry_shows_even_without_the_guards(column):
    three_entries()
    changed = {"details": '{"a": 1}', "at": "2020-08-07 00:00:00", "previous": "0" * 63 + "1", "digest": "f" * 64}
    behind_the_back(f"UPDATE accounts_auditentry SET {column} = %s WHERE number = 2", changed.get(column, "x"))

    assert hash_chain.verify_chain().broken_at == 2


def test_a_removed_entry_shows_even_without_the_guards():
    three_entries()
    behind_the_back("DELETE FROM accounts_auditentry WHERE number = 2")

    verdict = hash_chain.verify_chain()

    assert verdict.broken_at == 3
    assert "missing" in verdict.reason


def test_a_chain_made_again_with_another_key_shows(settings, tmp_path):
    three_entries()
    honest = settings.DATA_FOLDER
    settings.DATA_FOLDER = tmp_path / "elsewhere"
    settings.DATA_FOLDER.mkdir()
    behind_the_back("DELETE FROM accounts_auditentry")
    three_entries()
    assert hash_chain.verify_chain().broken_at is None
    settings.DATA_FOLDER = honest

    assert hash_chain.verify_chain().broken_at == 1


def test_a_cut_tail_shows_to_whoever_noted_the_head():
    entries = three_entries()
    noted = (3, entries[2].digest)
    assert hash_chain.verify_chain(noted).broken_at is None
    behind_the_back("DELETE FROM accounts_auditentry WHERE number = 3")

    assert hash_chain.verify_chain().broken_at is None, "the chain alone cannot tell"
    assert "ends at 2" in hash_chain.verify_chain(noted).reason


def test_another_entry_under_a_noted_number_shows():
    entries = three_entries()
    behind_the_back("DELETE FROM accounts_auditentry WHERE number = 3")
    hash_chain.record("lan", "code_revoked")

    assert hash_chain.verify_chain((3, entries[2].digest)).broken_at == 3


def test_after_a_year_the_oldest_go_and_the_rest_is_still_a_chain():
    now = timezone.now()
    for days in (800, 400, 300, 1):
        hash_chain.record("lan", "code_issued", now=now - datetime.timedelta(days=days))

    assert hash_chain.delete_past_retention(now) == 2
    assert hash_chain.verify_chain() == hash_chain.Verdict(2, 3, 4, AuditEntry.objects.get(number=4).digest)
    assert hash_chain.delete_past_retention(now) == 0


def test_the_command_prints_the_head_and_refuses_a_broken_chain(capsys):
    entries = three_entries()
    call_command("verify_audit")
    assert f"3:{entries[2].digest}" in capsys.readouterr().out
    call_command("verify_audit", expect=f"3:{entries[2].digest}")
    behind_the_back("UPDATE accounts_auditentry SET actor = 'x' WHERE number = 1")

    with pytest.raises(CommandError, match="audit_broken: entry 1"):
        call_command("verify_audit")


@pytest.mark.parametrize("text", ["3", "x:" + "0" * 64, "3:abc"])
def test_a_head_that_is_none_is_refused(text):
    with pytest.raises(CommandError, match="NUMBER:HASH"):
        call_command("verify_audit", expect=text)


class AnyDetails(TestCase):
    """Whatever JSON an act carries comes back from the database as it was hashed."""

    @settings(max_examples=40, deadline=None)
    @given(
        st.dictionaries(
            st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8).filter(
                str.isidentifier
            ),
            st.one_of(
                st.integers(-(2**53), 2**53),
                st.booleans(),
                st.none(),
                st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
            ),
            max_size=4,
        )
    )
    def test_any_details_survive_the_database(self, details):
        details = {f"k_{name}": value for name, value in details.items()}
        hash_chain.record("lan", "account_changed", "hoa", **details)

        assert hash_chain.verify_chain().broken_at is None


WRITER = """
import sys
from pathlib import Path
from bluezone.server.preparation import open_office
open_office(Path(sys.argv[1]))
from bluezone.audit import hash_chain
for n in range(25):
    hash_chain.record(sys.argv[2], "code_issued", str(n))
"""


def test_two_processes_that_write_at_once_make_one_chain(tmp_path):
    from tests.builders.office import write_city
    from tests.builders.stores import prepared_store

    folder = tmp_path / "two"
    write_city(folder)
    manage = [sys.executable, "-c", "from bluezone.cli.main import main; main()", "manage", "--data", folder]
    if connection.vendor == "sqlite":
        prepared_store(folder)
    else:
        subprocess.run([*manage, "migrate", "-v", "0"], check=True)
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, folder, name]) for name in ("lan", "hoa")]

    assert [writer.wait(120) for writer in writers] == [0, 0]
    verified = subprocess.run([*manage, "verify_audit"], capture_output=True, text=True, check=True).stdout
    assert verified.startswith("50 entries fit, 1 to 50")
