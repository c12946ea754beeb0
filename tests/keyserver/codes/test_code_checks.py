# SPDX-License-Identifier: Apache-2.0
"""Who knows a code and asks about it learns neither whether nor when it was used: over real HTTP, on both databases."""

import http.client
import os
from dataclasses import replace

import pytest
from tests.builders.keyserver import DAY, HOUR, Phone, keys_for, poster, serve_application

from bluezone.keyserver.codes.issued_codes import State
from bluezone.keyserver.http import Application
from bluezone.protocol import blindrsa
from bluezone.protocol.upload import Status
from bluezone.protocol.upload.codes import Credential


@pytest.fixture
def post(server):
    """Posts to the key server over HTTP."""
    with serve_application(Application(server.parts)) as address:

        def post(path, body):
            connection = http.client.HTTPConnection(*address, timeout=120)
            try:
                connection.request("POST", path, body)
                return connection.getresponse().read()
            finally:
                connection.close()

        yield post


def phones(server, post, issued, now):
    """Of the patient, and of somebody else who knows the digits, and the link."""
    digits, link = Credential.from_text(issued.code), Credential.from_text(issued.link)
    patient = Phone(post, server, digits, keys=keys_for(now))
    return patient, Phone(post, server, digits, keys=keys_for(now)), Phone(post, server, link, keys=keys_for(now))


def answer(phone):
    """What verify 1 tells, a puzzle solved where it asks for one."""
    first = phone.check_code()
    reply = phone.check_code() if first.status is Status.PUZZLE_REQUIRED else first
    return reply.status, reply.klass, reply.kid, reply.onset_day


@pytest.mark.parametrize("klass", ["confirmed", "clinical"])
def test_verify_1_answers_alike_before_and_after_the_use_of_a_code_until_its_ways_end(
    server, post, clock, onset, klass
):
    patient, by_digits, by_link = phones(server, post, server.codes.issue_code(klass, onset), clock.now)
    before = answer(by_digits), answer(by_link)
    assert before[0][0] is Status.OK

    patient.certified()
    ((used_class, used_onset, state),) = server.codes_store.read("SELECT class, onset_day, state FROM credential")
    assert (used_class, used_onset, state) == (None, None, State.USED)
    assert (answer(by_digits), answer(by_link)) == before
    server.tick()
    assert (answer(by_digits), answer(by_link)) == before

    # As of an unused code: the digits end after a day, the link after two.
    clock.pass_by(DAY)
    server.tick()
    assert answer(by_digits)[0] is Status.CODE_EXPIRED
    assert answer(by_link)[0] is Status.OK
    clock.pass_by(DAY)
    assert {answer(by_digits)[0], answer(by_link)[0]} == {Status.CODE_INVALID}


def test_two_codes_of_which_one_is_used_have_the_same_answers_hour_by_hour(server, post, clock, onset):
    used, unused = (server.codes.issue_code("confirmed", onset) for _ in range(2))
    patient, *of_used = phones(server, post, used, clock.now)
    _, *of_unused = phones(server, post, unused, clock.now)
    patient.certified()

    for _ in range(0, 3 * 24, 6):
        server.tick()
        assert [answer(phone) for phone in of_used] == [answer(phone) for phone in of_unused]
        clock.pass_by(6 * HOUR)


def test_use_shows_in_verify_2_alone_and_not_to_a_request_that_would_use_nothing(server, post, clock, onset):
    issued = server.codes.issue_code("confirmed", onset)
    patient, other, _ = phones(server, post, issued, clock.now)
    wrong = server.secrets.week_keys.current_key(2, clock.now)
    right = server.secrets.week_keys.current_key(1, clock.now)
    too_large = blindrsa.Blinded(right.n.to_bytes(256, "big"), 1)
    probes = [(wrong.kid, blindrsa.Blinded(bytes(256), 1)), (right.kid, too_large)]

    def statuses():
        return [replace(other, kid=kid, blinded=blinded).redeem_code().status for kid, blinded in probes]

    before = statuses()
    patient.certified()

    assert before == [Status.KID_REFUSED, Status.BAD_REQUEST]
    assert statuses() == before
    assert patient.redeem_code().status is Status.OK, "the same request is answered again"
    other.check_code()
    assert other.redeem_code().status is Status.CODE_USED


def test_many_questions_cost_puzzles_and_are_never_refused_and_nobody_learns_of_the_questions_of_others(
    server, post, clock, onset
):
    patient, stranger, _ = phones(server, post, server.codes.issue_code("confirmed", onset), clock.now)
    stranger = replace(stranger, post=poster(server, "198.51.100.7"))
    asked = 0
    while stranger.check_code().status is Status.OK:
        asked += 1
        assert asked < 100, "a question costs a puzzle some time"

    assert asked > 10
    assert [stranger.check_code().status for _ in range(2)] == [Status.OK, Status.PUZZLE_REQUIRED]
    assert stranger.check_code().status is Status.OK, "an answered puzzle lets it through"
    assert patient.check_code().status is Status.OK, "another network pays nothing"
    patient.certified()
    clock.pass_by(HOUR)
    again = [replace(stranger, puzzle=(bytes(32), bytes(8))).check_code().status for _ in range(asked + 1)]
    assert again == [Status.OK] * asked + [Status.PUZZLE_REQUIRED]


def test_a_code_of_before_the_change_still_reports_and_is_said_to_be_used(server, post, clock, onset):
    issued = server.codes.issue_code("confirmed", onset)
    server.codes_store.write(
        lambda transaction: transaction.execute("UPDATE credential SET sealed_digits = NULL, sealed_link = NULL")
    )
    patient, other, _ = phones(server, post, issued, clock.now)

    assert answer(other)[0] is Status.OK
    patient.certified()
    assert patient.upload().status is Status.OK
    assert answer(other)[0] is Status.CODE_USED
    assert patient.redeem_code().status is Status.OK


def test_what_a_used_code_was_for_opens_with_the_code_alone(server, onset):
    issued = server.codes.issue_code("confirmed", onset)
    other = server.codes.issue_code("confirmed", onset)
    rows = server.codes_store.read("SELECT sealed_digits, sealed_link FROM credential")
    texts = [bytes(text) for row in rows for text in row]

    assert len(set(texts)) == 4, "equal cases look different"
    row = server.codes.find_row(Credential.from_text(issued.code))
    assert server.codes.case_of(row, Credential.from_text(issued.code)).klass == 1
    forgotten = replace(row, klass=None, onset_day=None)
    assert server.codes.case_of(forgotten, Credential.from_text(other.code)) is None
    assert server.codes.case_of(forgotten, Credential.from_link(os.urandom(16))) is None


def test_a_revoked_code_keeps_nothing_sealed(server, onset):
    server.codes.revoke_code(server.codes.issue_code("confirmed", onset).code)

    assert server.codes_store.read("SELECT sealed_digits, sealed_link FROM credential") == [(None, None)]
