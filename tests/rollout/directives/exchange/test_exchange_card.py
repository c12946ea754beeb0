# SPDX-License-Identifier: Apache-2.0
"""What the page of a letter offers of its exchange by files, and to whom."""

from types import SimpleNamespace

import pytest
from tests.builders.directives import NOW, person

from bluezone.directory.models import Agency
from bluezone.rollout.directives.exchange.edxml import StatusCode
from bluezone.rollout.directives.exchange.exchange_tags import exchange_card, fingerprint
from bluezone.rollout.directives.inbox import dispatch_acts
from bluezone.rollout.directives.models import Directive, Dispatch, DispatchState
from bluezone.training import practice


@pytest.fixture
def ward(committee):
    return Agency.objects.get(key="ubnd-phuong-song-cau")


@pytest.fixture
def card(directive, ward):
    pk = directive.dispatches.get(agency=ward).pk

    def shown(user, state="issued", from_file=False):
        reason = {"revoked_at": NOW, "revoke_reason": "Nhầm"} if state == "revoked" else {}
        Directive.objects.filter(pk=directive.pk).update(state=state, from_file=from_file, **reason)
        return exchange_card({"request": SimpleNamespace(user=user)}, Dispatch.objects.get(pk=pk))

    return shown


@pytest.mark.long
def test_a_clerk_of_the_issuer_takes_the_file_of_what_was_issued(card, clerk, ward):
    offered = {
        state: card(clerk, state)["may_send"] for state in ("draft", "approved", "issued", "revoked", "replaced")
    }
    assert offered == {"draft": False, "approved": False, "issued": True, "revoked": True, "replaced": True}
    assert card(clerk)["kind"]
    assert not card(clerk, from_file=True)["may_send"]
    dispatch = card(clerk)["dispatch"]
    with practice():
        assert not exchange_card({"request": SimpleNamespace(user=clerk)}, dispatch)["may_send"]

    for reader in (person("officer", "officer", ward), person("own", "clerk", ward), person("auditor", "auditor")):
        assert (card(reader)["may_send"], card(reader)["kind"]) == (False, "")


@pytest.mark.long
def test_the_states_of_another_office_s_letter_are_taken_by_a_clerk_of_the_agency(card, clerk, ward, directive):
    own, officer = person("own", "clerk", ward), person("officer", "officer", ward)
    dispatch_acts.move(card(own)["dispatch"], DispatchState.RECEIVED, own, NOW)
    shown = card(own, from_file=True)

    assert [code for _event, code, *_taken in shown["states"]] == [StatusCode.ARRIVED, StatusCode.RECEIVED]
    assert [taken for _event, _code, taken, _how in shown["states"]] == [False, False]
    assert (shown["may_take"], card(officer, from_file=True)["may_take"]) == (True, False)
    assert card(own)["states"] == [], "the office's own letter"
    dispatch = directive.dispatches.exclude(agency=ward).first()
    directive.dispatches.filter(agency=ward).update(parent=dispatch)
    assert card(own, from_file=True)["states"] == [], "passed on within this office"


@pytest.mark.long
def test_a_file_is_given_once_both_agencies_have_an_identifier_and_until_then_a_reason(client, clerk, ward, directive):
    client.force_login(clerk)
    address = f"/exchange/documents/{directive.dispatches.get(agency=ward).pk}/"
    refused = client.post(address)
    assert (refused.status_code, refused.headers["Location"]) == (302, f"/directives/{directive.pk}/")

    for number, agency in enumerate((directive.issuer, ward)):
        Agency.objects.filter(pk=agency.pk).update(edxml_id=f"000.00.{number:02d}.H04")
    given = client.post(address)
    assert given.status_code == 200
    assert given.headers["Content-Disposition"].startswith("attachment; filename=")


def test_a_recall_from_another_office_is_answered_by_whoever_works_there(card, ward, directive):
    directive.dispatches.get(agency=ward).events.create(what="revoked", at=NOW)
    officer, elsewhere = person("officer", "officer", ward), person("auditor", "auditor")

    assert [card(user, from_file=True)["waits"] for user in (officer, elsewhere)] == [True, False]
    assert not card(officer)["waits"]


def test_a_fingerprint_is_written_in_groups_of_four():
    assert fingerprint("0123456789abcdef") == "0123 4567 89AB CDEF"
