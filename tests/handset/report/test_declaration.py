# SPDX-License-Identifier: Apache-2.0
"""A warned person tells the health authority: with consent, sealed, once, and in the list of what was sent."""

import datetime

import pytest
from tests.builders.handset import meet_both_ways, meet_phone, publish_reports, report_patient

from bluezone.handset.client import Client, ServerAnswerRefused, ServerUnreachable
from bluezone.handset.report.declaration import DeclarationImpossible, NotWarned
from bluezone.handset.report.report import ConsentMissing
from bluezone.keyserver import declarations
from bluezone.protocol.declaration import Declaration, InvalidDeclaration
from bluezone.protocol.declarationkey import new_private_key, open_declaration, public_key_pem

DAY = datetime.date(2026, 11, 25)
PHONE, TEXT = "0912345678", "Tôi sốt nhẹ từ tối qua"
PRIVATE = new_private_key()


@pytest.fixture
def open_city(server):
    declarations.publish_declaration_key(server.key_server.data_dir, public_key_pem(PRIVATE))


@pytest.fixture
def near(phones, server, world):
    """A phone with a warning of DAY, level high."""
    patient, near = phones.new("patient"), phones.new("near")
    meet_phone(near, patient, 25, world=world)
    report_patient(patient, server)
    publish_reports(server, world)
    near.check()
    server.requests.clear()
    return near


def held(server):
    handles = [handle for handle, _hour in server.key_server.declarations.list_declarations()]
    return [server.key_server.declarations.read_declaration(handle).message for handle in handles]


def declared(near):
    return [(sent.dates, sent.outcome) for sent in near.sent_log.all() if sent.kind == "declared"]


@pytest.mark.long
def test_what_was_declared_can_be_read_with_the_key_alone_and_is_in_the_sent_list(open_city, near, server):
    near.declarations.declare(DAY, "high", PHONE, TEXT, consent=True)
    (message,) = held(server)

    assert server.requests == [("/v1/declarations", 1024)]
    assert open_declaration(message, PRIVATE) == Declaration(
        (DAY - datetime.date(1970, 1, 1)).days, "high", PHONE, TEXT
    )
    assert declared(near) == [((DAY,), "accepted")]


@pytest.mark.long
def test_a_phone_that_cannot_tell_how_near_declares_just_that(open_city, phones, server, world):
    patient, near = phones.new("patient"), phones.new("near")
    meet_both_ways(near, patient, 60, world=world, told_dbm=-100)
    report_patient(patient, server)
    publish_reports(server, world)
    near.check()
    (warning,) = near.risk.warnings()

    with pytest.raises(NotWarned):
        near.declarations.declare(DAY, "low", PHONE, TEXT, consent=True)
    near.declarations.declare(DAY, warning.declared_level, PHONE, TEXT, consent=True)
    (message,) = held(server)

    assert (warning.level, warning.certainty) == ("low", "unclear")
    assert open_declaration(message, PRIVATE).level == "unclear"


@pytest.mark.long
def test_nothing_of_it_stays_on_the_phone(open_city, near, phones):
    near.declarations.declare(DAY, "high", PHONE, TEXT, consent=True)
    near.encounters.flush()

    kept = [contents for _number, _day, contents in near.store.rows("sent")]
    assert not any(PHONE.encode() in contents or b"s\xe1\xbb\x91t" in contents for contents in kept)
    files = [path.read_bytes() for path in phones.folder.rglob("*") if path.is_file()]
    assert not any(PHONE.encode() in contents for contents in files)


@pytest.mark.long
@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"consent": False}, ConsentMissing),
        ({"day": DAY - datetime.timedelta(days=1)}, NotWarned),
        ({"level": "low"}, NotWarned),
        ({"phone": "12"}, InvalidDeclaration),
        ({"text": "x" * 501}, InvalidDeclaration),
    ],
)
def test_without_consent_a_warning_or_sense_nothing_is_sent(open_city, near, server, changes, refusal):
    asked = {"day": DAY, "level": "high", "phone": PHONE, "text": TEXT, "consent": True, **changes}
    with pytest.raises(refusal):
        near.declarations.declare(**asked)

    assert server.requests == []
    assert declared(near) == []


@pytest.mark.long
def test_a_city_without_a_key_takes_none_and_nothing_is_sent(near, server):
    with pytest.raises(DeclarationImpossible):
        near.declarations.declare(DAY, "high", PHONE, TEXT, consent=True)

    assert server.requests == []


@pytest.mark.long
def test_one_that_did_not_arrive_says_so_and_is_not_sent_later_by_itself(open_city, near, server):
    # Nothing listens on port 1.
    near.declarations._client, reachable = Client("http://127.0.0.1:1"), near.declarations._client
    with pytest.raises(ServerUnreachable):
        near.declarations.declare(DAY, "high", PHONE, TEXT, consent=True)
    near.declarations._client = reachable
    near.make_due_calls()

    assert held(server) == []
    assert declared(near) == [((DAY,), "not_reached")]


@pytest.mark.long
def test_a_server_that_answers_with_an_error_is_noted_as_refusing(open_city, near, server):
    server.down = True
    with pytest.raises(ServerAnswerRefused):
        near.declarations.declare(DAY, "high", PHONE, TEXT, consent=True)

    assert declared(near) == [((DAY,), "refused")]


@pytest.mark.long
def test_after_many_from_one_network_a_puzzle_is_solved_in_a_header(open_city, near, server):
    for number in range(12):
        near.declarations.declare(DAY, "high", PHONE, f"{number}", consent=True)

    assert len(held(server)) == 12
    assert {outcome for _days, outcome in declared(near)} == {"accepted"}
    assert len(server.requests) > 12, "the last ones asked for a puzzle"
