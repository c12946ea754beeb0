# SPDX-License-Identifier: Apache-2.0
"""What an office takes over the network, what it signs for, and what a hostile partner or a stranger gets."""

import base64
import dataclasses
import datetime
import json

import pytest
from django.test import Client
from django.utils import timezone
from tests.builders.directives import person
from tests.rollout.directives.exchange.edxml.keys import signer as signer_of

from bluezone.directory.models import Agency
from bluezone.identity.models import AuditEntry, Role
from bluezone.rollout.directives import retention
from bluezone.rollout.directives.exchange import exchange_views, handover, partners, uploads
from bluezone.rollout.directives.exchange.edxml import (
    Attachment,
    Business,
    BusinessKind,
    Edoc,
    Organisation,
    ResponseFor,
    StatusCode,
    StatusMessage,
    write_message,
)
from bluezone.rollout.directives.exchange.handover import Outcome
from bluezone.rollout.directives.issuance import recipient_changes
from bluezone.rollout.directives.models import Directive, Dispatch, DispatchEvent, ExchangedFile, RefusedMessage

TEXT = "ỦY BAN NHÂN DÂN\nKính gửi: UBND các phường\n1. Tuyên truyền cài đặt Bluezone.\n"
CITY, WARD, OTHER = (
    ("ubnd-tp", "001.22.H03"),
    ("ubnd-phuong-song-cau", "002.22.H03"),
    ("ubnd-phuong-duc-xuan", "003.22.H03"),
)
HEALTH, POLICE = "014.H03", "017.H03"
SECOND = datetime.timedelta(seconds=1)


class Partner:
    """Another office that holds a key, and what it sends."""

    def __init__(self, name, identifier, keeper):
        self.now = timezone.now()
        ours = Agency.objects.get(key=CITY[0])
        self.agency = Agency.objects.create(
            key=identifier, name=name, kind=ours.kind, unit=ours.unit, edxml_id=identifier, path=f"{identifier}/"
        )
        self.signer = signer_of(name, at=self.now)
        self.me = Organisation(identifier, name)
        partners.pin(self.agency, self.signer.certificate, keeper, self.now)

    def letter(self, *to, **more):
        values = {"subject": "V/v khai báo y tế", "attachments": (Attachment("cv.txt", "text/plain", TEXT.encode()),)}
        recipients = tuple(Organisation(identifier, key) for key, identifier in to or (WARD,))
        return Edoc(self.me, recipients, "1520", "SYT-NVY", timezone.localdate(self.now), **values | more)

    def state(self, directive, code, at=None, **more):
        about = ResponseFor(
            CITY[1], directive.code, directive.date, f"{CITY[1]},{directive.date:%Y/%m/%d},{directive.code}"
        )
        return StatusMessage(about, self.me, StatusCode(code), at or self.now, **more)

    def send(self, message, to=WARD[1], headers=(), body=None):
        """Hand a message over; the answer of the office."""
        data = write_message(message, self.signer) if body is None else body
        sent = handover.message_headers(self.me.id, to, data, self.signer) | dict(headers)
        return post(data, sent)


def post(data, headers):
    return Client().post(
        handover.PATH, data, content_type="application/octet-stream",
        headers={name: value for name, value in headers.items() if name != "Content-Type"},
    )  # fmt: skip


def said(answer):
    """The outcome and code of an answer that this office has signed; its HTTP status otherwise."""
    if handover.SIGNATURE not in answer.headers:
        return answer.status_code, json.loads(answer.content)["code"]
    digest = json.loads(answer.content)["message"]
    ours = [partners.office_certificate(timezone.now())]
    receipt = handover.read_receipt(answer.content, answer.headers[handover.SIGNATURE], digest, ours)
    return receipt.outcome, receipt.code


@pytest.fixture
def keeper(committee):
    for key, identifier in (CITY, WARD, OTHER):
        Agency.objects.filter(key=key).update(edxml_id=identifier)
    return person("keeper", Role.ADMIN)


@pytest.fixture
def health(keeper):
    return Partner("Sở Y tế", HEALTH, keeper)


@pytest.fixture
def police(keeper):
    return Partner("Công an tỉnh", POLICE, keeper)


def counts():
    return [model.objects.count() for model in (Directive, Dispatch, DispatchEvent, ExchangedFile, AuditEntry)]


@pytest.mark.long
def test_a_letter_of_a_partner_is_in_the_inbox_and_signed_for(health):
    assert said(health.send(health.letter())) == ("taken", "")
    dispatch = Dispatch.objects.get(directive__number="1520")

    assert (dispatch.agency.key, dispatch.state, dispatch.directive.issuer) == (WARD[0], "arrived", health.agency)
    assert dispatch.directive.made_by is None
    assert [bytes(dispatch.directive.original.content).decode()] == [TEXT]
    assert AuditEntry.objects.get(action="edxml_imported").actor == "another office"


@pytest.mark.long
def test_a_message_that_comes_again_is_known_however_it_is_packed(health):
    data = write_message(health.letter(), health.signer)
    first = said(health.send(None, body=data))
    before = counts()

    assert [first, said(health.send(None, body=data)), said(health.send(None, body=b"\xef\xbb\xbf" + data))] == [
        ("taken", ""), ("known", ""), ("known", ""),
    ]  # fmt: skip
    assert counts() == before


def test_nobody_without_a_partner_s_key_gets_a_body_read(health, police, keeper):
    data = write_message(health.letter(), health.signer)
    stranger = signer_of("stranger", at=health.now)
    right = handover.message_headers(HEALTH, WARD[1], data, health.signer)
    before = counts()

    assert said(post(data, {})) == (401, "edxml_signer_unknown")
    assert said(post(data, handover.message_headers(HEALTH, WARD[1], data, stranger))) == (401, "edxml_signer_unknown")
    assert said(post(data, handover.message_headers(HEALTH, WARD[1], data, police.signer))) == (
        401,
        "edxml_signer_unknown",
    )
    assert (
        said(post(data, right | {handover.TO: handover.message_headers("x", OTHER[1], b"", stranger)[handover.TO]}))[0]
        == 401
    )
    assert said(post(data, right | {handover.SIGNATURE: "không phải base64"}))[0] == 401
    assert said(post(data + b" ", right)) == (400, "edxml_signature_wrong")
    assert counts() == before

    partners.remove(partners.holding(partners.fingerprint(health.signer.certificate), HEALTH), keeper, health.now)
    assert said(post(data, right)) == (401, "edxml_signer_unknown")


@pytest.mark.long
def test_a_partner_cannot_pass_on_what_another_has_signed(health, police):
    theirs = write_message(health.letter(), health.signer)

    assert said(police.send(None, body=theirs)) == ("refused", "edxml_not_for_us")
    forged = dataclasses.replace(police.letter(), sender=health.me)
    assert said(police.send(forged)) == ("refused", "edxml_signature_wrong")
    assert not Directive.objects.exists()


@pytest.mark.long
@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda data: b"\x00" * 1000, "edxml_invalid"),
        (lambda data: data.replace(b"<edXML ", b"<!DOCTYPE a [<!ENTITY b 'c'>]><edXML ", 1), "edxml_invalid"),
        (lambda data: b"<a>" * 500_000 + b"</a>" * 500_000, "edxml_invalid"),
        (lambda data: data.replace(b">1520<", b">1521<"), "edxml_signature_wrong"),
        (lambda data: data.replace(b"<edXML:Status", b"<edXML:status"), None),
    ],
    ids=["no XML", "entities", "depth", "changed", "as it was"],
)
def test_what_a_partner_packs_badly_is_refused_with_a_signed_answer(health, spoil, code):
    data = spoil(write_message(health.letter(), health.signer))
    outcome = said(health.send(None, body=data))

    assert outcome == (("refused", code) if code else ("taken", ""))
    assert Directive.objects.exists() == (code is None)


def test_more_than_a_letter_holds_is_refused(health):
    assert said(health.send(None, body=b"<" * (uploads.LARGEST_FILE + 1))) == (413, "edxml_too_large")


@pytest.mark.long
def test_a_letter_for_agencies_of_another_office_is_refused(health):
    assert said(health.send(health.letter(("elsewhere", "099.H03")))) == ("refused", "edxml_not_for_us")


@pytest.mark.long
def test_a_state_of_somebody_else_s_letter_moves_nothing(health, police, directive):
    mine = Dispatch.objects.create(
        directive=directive, agency=health.agency, purpose="action", arrived_at=health.now, changed_at=health.now
    )

    assert said(police.send(police.state(directive, "06"), CITY[1])) == ("refused", "edxml_document_unknown")
    assert said(health.send(health.state(directive, "03"), CITY[1])) == ("taken", "")
    mine.refresh_from_db()
    assert mine.state == "received"


@pytest.mark.long
def test_states_out_of_order_and_after_a_recall_move_nothing(health, directive, clerk):
    mine = Dispatch.objects.create(
        directive=directive, agency=health.agency, purpose="action", arrived_at=health.now, changed_at=health.now
    )
    for code, ago in (("05", 1), ("03", 2)):
        assert said(health.send(health.state(directive, code, health.now - ago * SECOND), CITY[1]))[0] == "taken"
    mine.refresh_from_db()
    assert mine.state == "in_progress"

    recipient_changes.recall_from(mine, "Gửi nhầm", clerk, health.now)
    assert said(health.send(health.state(directive, "06", health.now + 3 * SECOND), CITY[1]))[0] == "taken"
    mine.refresh_from_db()
    assert mine.state == "recalled"


@pytest.mark.long
def test_a_state_without_a_known_meaning_is_refused(health, directive):
    data = write_message(health.state(directive, "06"), health.signer)

    assert said(health.send(None, CITY[1], body=data.replace(b">06<", b">07<")))[0] == "refused"


@pytest.mark.long
def test_two_agencies_of_this_office_get_the_letter_by_two_messages(health):
    assert said(health.send(health.letter(WARD)))[0] == "taken"
    assert said(health.send(health.letter(OTHER), OTHER[1]))[0] == "taken"
    letter = Directive.objects.get(number="1520")

    assert sorted(letter.dispatches.values_list("agency__key", flat=True)) == sorted([WARD[0], OTHER[0]])
    assert letter.tasks.count() == 1
    assert letter.tasks.get().parties.count() == 2
    assert said(health.send(health.letter(OTHER, subject="V/v khác"), OTHER[1])) == (
        "refused",
        "edxml_document_differs",
    )
    more = (Attachment("cv.txt", "text/plain", b"Noi dung khac"),)
    assert said(health.send(health.letter(OTHER, attachments=more), OTHER[1])) == ("refused", "edxml_document_differs")


@pytest.mark.long
def test_a_recall_for_one_agency_leaves_the_letter_to_the_other(health):
    letter = health.letter(WARD, OTHER)
    health.send(letter)
    here = Directive.objects.get(number="1520")
    about = ResponseFor(HEALTH, here.code, here.date, letter.document_id)
    back = StatusMessage(
        about, health.me, StatusCode.RECALLED, health.now, "Gửi nhầm", recipient=Organisation(WARD[1], "UBND")
    )

    assert said(health.send(back))[0] == "taken"
    states = dict(here.dispatches.values_list("agency__key", "state"))
    here.refresh_from_db()
    assert (states[WARD[0]], states[OTHER[0]], here.state) == ("recalled", "arrived", "issued")
    whole = Business(BusinessKind.REVOCATION, "Ban hành nhầm", letter.document_id)
    assert said(health.send(health.letter(OTHER, business=whole, attachments=()), OTHER[1]))[0] == "taken"
    here.refresh_from_db()
    assert here.state == "revoked"


@pytest.mark.long
def test_more_time_for_one_agency_is_not_more_time_for_the_other(health):
    letter = health.letter(WARD, OTHER)
    health.send(letter)
    day = timezone.localdate() + datetime.timedelta(days=40)
    update = Business(BusinessKind.UPDATE, "Gia hạn", letter.document_id)
    assert said(health.send(health.letter(WARD, business=update, due_date=day)))[0] == "taken"
    task = Directive.objects.get(number="1520").tasks.get()

    assert {one.agency.key: one.due for one in task.parties.all()} == {WARD[0]: day, OTHER[0]: None}


def test_a_receipt_counts_for_its_message_from_its_signer_and_for_nothing_else():
    ours, other = signer_of("ours"), signer_of("other")
    held = [ours.certificate]
    digest, another = handover.digest_of(b"one"), handover.digest_of(b"two")
    body, signature = handover.write_receipt(handover.Receipt(handover.Outcome.TAKEN), digest, ours)

    assert handover.read_receipt(body, signature, digest, held) == handover.Receipt(handover.Outcome.TAKEN)
    assert handover.read_receipt(body, signature, another, held) is None
    assert handover.read_receipt(body.replace(b"taken", b"known"), signature, digest, held) is None
    assert handover.read_receipt(body, signature, digest, [other.certificate]) is None
    assert handover.read_receipt(body, "", digest, held) is None
    assert handover.read_receipt(body + b" " * handover.LARGEST_ANSWER, signature, digest, held) is None
    for code in ("<script>", "a" * 41, 7):
        odd = json.dumps({"message": digest, "outcome": "refused", "code": code}).encode()
        assert handover.read_receipt(odd, handover._signed(handover._receipt(digest, odd), ours), digest, held) is None


@pytest.mark.long
def test_a_partner_of_whom_too_much_was_refused_waits_and_nothing_of_it_is_read(health, police, monkeypatch):
    monkeypatch.setattr(exchange_views, "MOST_REFUSED", 3)
    refused = [health.send(None, body=b"no edXML %d" % number).status_code for number in range(3)]
    paused = health.send(health.letter())

    assert refused == [422] * 3
    assert said(paused) == (429, "exchange_too_many_refused")
    assert paused.headers["Retry-After"] == "600"
    assert not Directive.objects.filter(from_file=True).exists()
    assert said(police.send(police.letter())) == (Outcome.TAKEN, ""), "another partner is not held up"
    RefusedMessage.objects.update(at=timezone.now() - exchange_views.REFUSED_WITHIN)
    assert said(health.send(health.letter())) == (Outcome.TAKEN, "")


def test_of_what_was_refused_nothing_is_kept_but_whose_it_was_and_why_for_a_month(health):
    health.send(None, body=b"<no/>")
    (kept,) = RefusedMessage.objects.all()
    assert (kept.partner, kept.code) == (health.agency, "edxml_invalid")
    retention.purge(kept.at + retention.REFUSED_LIFE - SECOND)
    assert RefusedMessage.objects.count() == 1
    retention.purge(kept.at + retention.REFUSED_LIFE)

    assert RefusedMessage.objects.count() == 0


def test_what_nobody_can_print_is_no_identifier():
    assert handover.from_header("AAAA") == ""
    assert handover.from_header(base64.urlsafe_b64encode(b"014.22.H03").decode()) == "014.22.H03"


def test_a_stranger_is_neither_counted_nor_asked_to_wait(health):
    stranger = dict.fromkeys((handover.FROM, handover.TO, handover.DIGEST, handover.SIGNATURE), "AAAA")

    assert {post(b"x", stranger).status_code for _ in range(3)} == {401}
    assert not RefusedMessage.objects.exists()
