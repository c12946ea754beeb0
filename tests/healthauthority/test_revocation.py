# SPDX-License-Identifier: Apache-2.0
"""Revoking: in time it ends both ways to a code, too late it says so."""

import pytest
from django.utils import timezone
from tests.builders.keyserver import Phone, exchange, keys_for, poster
from tests.builders.office import local_today, row_of, user

from bluezone.healthauthority.codes import issuance, revocation
from bluezone.identity.models import AuditEntry
from bluezone.keyserver.codes.issued_codes import CodeUnknown
from bluezone.protocol.upload.codes import Credential, InvalidCode

pytestmark = pytest.mark.django_db


@pytest.fixture
def issued(server):
    return issuance.issue_code(server, user("lan"), "confirmed", local_today(), timezone.now())


def acts():
    return [entry.action for entry in AuditEntry.objects.order_by("number")]


def test_a_revoked_code_is_dead_both_as_digits_and_as_link(server, issued):
    assert revocation.revoke_code(server, issued.record.worker, row_of(issued)) == "revoked"

    assert server.codes.status(issued.code) == server.codes.status(issued.link) == "revoked"


def test_digits_that_have_expired_still_end_their_link(server, issued):
    tomorrow = server.clock() + 25 * 3600
    exchange(server, server.clock, lambda: tomorrow)
    assert server.codes.status(issued.code) == "expired"

    assert revocation.revoke_code(server, None, issued.code) == "revoked"
    assert server.codes.status(issued.link) == "revoked"


def test_revoking_twice_is_one_act(server, issued):
    for _ in range(2):
        assert revocation.revoke_code(server, issued.record.worker, row_of(issued)) == "revoked"

    assert acts() == ["code_revoked"]
    # Which one is in no list: what was revoked was not used.
    assert AuditEntry.objects.get().subject == ""


def test_a_used_code_stays_used(server, issued):
    phone = Phone(poster(server), server, Credential.from_text(issued.code), keys=keys_for(server.clock()))
    phone.certified()

    assert revocation.revoke_code(server, issued.record.worker, row_of(issued)) == "used"
    assert acts() == []


def test_the_command_line_revokes_by_the_code_itself_and_the_audit_does_not_repeat_it(server, issued):
    assert revocation.revoke_code(server, None, issued.code) == "revoked"
    entry = AuditEntry.objects.get()

    assert (entry.actor, entry.subject) == ("command line", "")


@pytest.mark.parametrize(("text", "refusal"), [("0000-0000-0000", CodeUnknown), ("1234", InvalidCode)])
def test_what_was_never_issued_is_refused(server, text, refusal):
    with pytest.raises(refusal):
        revocation.revoke_code(server, None, text)
    assert acts() == []
