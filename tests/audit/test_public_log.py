# SPDX-License-Identifier: Apache-2.0
"""The head of each day's audit stands in the public log, so that an audit that was cut short shows without a note."""

import datetime

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from tests.audit.test_hash_chain import behind_the_back

from bluezone.audit import hash_chain
from bluezone.healthauthority.hourly_work import publish_audit_head
from bluezone.identity.models import AuditEntry
from bluezone.transparency.leaves import audit_heads

pytestmark = [pytest.mark.django_db, pytest.mark.long]
DAY = datetime.timedelta(days=1)


def audited(server, days: int = 4, ago: datetime.timedelta = 4 * DAY) -> list[AuditEntry]:
    """An audit of some days, the head of each in the log; on the second day nothing was done."""
    start, entries = timezone.now() - ago, []
    for day in range(days):
        if day != 1:
            entries += [hash_chain.record("lan", "code_issued", f"{day}-{n}", now=start + day * DAY) for n in range(2)]
        publish_audit_head(start + (day + 1) * DAY)
        server.tick()
    return entries


def logged(server) -> dict[str, bytes]:
    return audit_heads(server.public_log.leaves(0, server.public_log.size()))


def cut(least: int) -> None:
    behind_the_back("DELETE FROM accounts_auditentry WHERE number >= %s", least)


def test_an_audit_that_is_whole_agrees_with_the_log(server, capsys):
    audited(server)
    call_command("verify_audit")

    assert len(logged(server)) == 4
    assert "4 days have their head" in capsys.readouterr().out


def test_what_the_log_says_tells_neither_how_long_the_audit_is_nor_whether_it_grew(server):
    audited(server)
    leaves = list(logged(server).values())

    assert len(set(leaves)) == 4
    assert {len(leaf) for leaf in leaves} == {len(leaves[0])}


@pytest.mark.parametrize("least", [1, 3, 4, 6])
def test_an_audit_that_was_cut_short_is_found_without_a_head_noted_by_hand(server, least):
    audited(server)
    cut(least)
    assert hash_chain.verify_chain().broken_at is None

    with pytest.raises(CommandError, match="cut short"):
        call_command("verify_audit")


def test_an_audit_that_was_cut_and_written_on_is_found(server):
    audited(server)
    cut(4)
    for n in range(5):
        hash_chain.record("lan", "code_issued", f"other-{n}")
    assert hash_chain.verify_chain().broken_at is None

    with pytest.raises(CommandError, match="cut short"):
        call_command("verify_audit")


def test_entries_deleted_after_their_year_are_no_cut(server):
    audited(server, ago=hash_chain.RETENTION + 2 * DAY - datetime.timedelta(hours=1))
    assert hash_chain.delete_past_retention(timezone.now()) == 2

    assert hash_chain.compare_with_log(logged(server), timezone.now()).broken_at is None


def test_a_log_cut_together_with_the_audit_contradicts_a_checkpoint_from_elsewhere(server, tmp_path):
    audited(server)
    kept = tmp_path / "checkpoint"
    kept.write_bytes(server.public_log.newest_checkpoint()[1].data)
    call_command("verify_audit", checkpoint=str(kept))
    cut(4)
    whole = server.public_log.size()

    def forget(transaction):
        transaction.execute("DELETE FROM log_leaf WHERE number >= ?", (whole - 3,))

    server.keys_store.write(forget)
    with pytest.raises(CommandError, match="log_forked"):
        call_command("verify_audit", checkpoint=str(kept))


def test_a_day_is_logged_once_though_the_work_runs_every_hour(server):
    audited(server)
    before = server.public_log.size()
    publish_audit_head(timezone.now())
    server.tick()
    assert server.public_log.size() == before
