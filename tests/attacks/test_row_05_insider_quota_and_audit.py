# SPDX-License-Identifier: Apache-2.0
"""Attack row 5, the office's half: somebody inside sells codes. The quota bounds how many, the audit shows who."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from tests.builders.keyserver import set_city
from tests.builders.office import data_folder, furnished_folder, local_today, quick_passwords, server, user

from bluezone.audit import hash_chain
from bluezone.healthauthority.codes import audit_entries, issuance
from bluezone.healthauthority.codes.issuance import QuotaReached
from bluezone.healthauthority.models import IssuedCode
from bluezone.identity.models import AuditEntry

__all__ = ["data_folder", "furnished_folder", "quick_passwords", "server"]
pytestmark = pytest.mark.django_db
QUOTA = 7
DAY = timedelta(days=1)


@pytest.mark.long
def test_the_issue_over_quota_is_refused_and_the_try_itself_is_in_the_audit(server):
    set_city(server, quota_per_worker_a_day=QUOTA)
    seller = user("seller")
    for _ in range(QUOTA):
        issuance.issue_code(server, seller, "confirmed", local_today(), timezone.now())

    for _ in range(2):
        with pytest.raises(QuotaReached):
            issuance.issue_code(server, seller, "confirmed", local_today(), timezone.now())

    audit_entries.audit_past_days(timezone.now() + DAY)
    acts = list(AuditEntry.objects.filter(actor="seller").values_list("action", flat=True))
    assert acts == ["quota_refused"] * 2 + ["code_issued"] * QUOTA
    assert IssuedCode.objects.count() == QUOTA
    assert hash_chain.verify_chain().broken_at is None


@pytest.mark.long
def test_an_insider_with_the_database_cannot_put_the_blame_on_a_colleague_before_the_audit_has_it(server):
    issued = issuance.issue_code(server, user("seller"), "confirmed", local_today(), timezone.now())
    IssuedCode.objects.update(worker=user("colleague"))
    audit_entries.audit_past_days(timezone.now() + DAY)

    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.subject, entry.details) == ("colleague", issued.record.handle, {"changed": True})


def test_an_insider_with_the_database_cannot_put_the_blame_on_a_colleague(server):
    issuance.issue_code(server, user("seller"), "confirmed", local_today(), timezone.now())
    audit_entries.audit_past_days(timezone.now() + DAY)
    assert AuditEntry.objects.get().details == {}
    call_command("verify_audit")
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER audit_never_changes")
        cursor.execute("UPDATE accounts_auditentry SET actor = 'colleague'")

    with pytest.raises(CommandError, match="audit_broken"):
        call_command("verify_audit")
