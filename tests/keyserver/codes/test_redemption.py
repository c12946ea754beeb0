# SPDX-License-Identifier: Apache-2.0
import os
from dataclasses import replace

import pytest
from tests.builders.keyserver import DAY, NOON, Phone, keys_for, poster

from bluezone.protocol import blindrsa
from bluezone.protocol.upload import Status
from bluezone.protocol.upload.codes import Credential


def test_verify_1_tells_class_onset_and_this_weeks_key_and_uses_nothing(server, patient, onset):
    answers = [patient.check_code() for _ in range(2)]

    assert {answer.status for answer in answers} == {Status.OK}
    assert answers[0].klass == 1
    assert answers[0].onset_day == NOON // DAY - 2
    key = server.secrets.week_keys.find_key(answers[0].kid)
    assert (key.purpose, key.klass, key.week) == ("upload", 1, "2026-W48")
    assert server.codes.status(patient.issued.code) == "open"


def test_of_a_used_code_nothing_is_kept_that_opens_without_the_code(server, patient):
    patient.certified()
    assert patient.check_code().status is Status.OK

    rows = server.codes_store.read("SELECT class, onset_day, digits_expire, link_expire, state FROM credential")
    # The Monday after: NOON is of a Wednesday.
    end = (NOON // DAY + 5) * DAY
    assert rows == [(None, None, end, end, 1)]


def test_the_same_blinded_value_is_signed_again_until_the_end_of_the_week_in_which_the_link_would_have_ended(
    server, patient, clock
):
    patient.certified()
    first = patient.signature

    clock.pass_by(2 * DAY)
    assert patient.redeem_code().status is Status.OK
    assert patient.signature == first

    clock.now = (NOON // DAY + 5) * DAY - 1
    assert patient.redeem_code().status is Status.OK
    clock.pass_by(1)
    assert patient.redeem_code().status is Status.CODE_EXPIRED


def test_another_blinded_value_finds_the_code_used(server, patient):
    patient.certified()
    other = Phone(poster(server), server, patient.credential, keys=keys_for(NOON), kid=patient.kid)

    assert other.redeem_code().status is Status.CODE_USED


def test_an_expired_code_says_so(server, patient, clock):
    clock.pass_by(DAY)

    assert patient.check_code().status is Status.CODE_EXPIRED
    patient.kid = server.secrets.week_keys.current_key(1, clock.now).kid
    assert patient.redeem_code().status is Status.CODE_EXPIRED


def test_an_unknown_code_is_invalid_in_both_steps(server):
    phone = Phone(poster(server), server, Credential.from_link(os.urandom(16)), kid=2)

    assert phone.check_code().status is Status.CODE_INVALID
    assert phone.redeem_code().status is Status.CODE_INVALID


def test_a_kid_of_another_class_purpose_or_week_is_refused_and_uses_nothing(server, patient, clock):
    keys = server.secrets.week_keys.all()
    wrong = [key.kid for key in keys if key.klass != 1 or key.use_from > clock.now] + [65535]
    public = blindrsa.PublicKey(keys[0].n, keys[0].e)
    patient.blinded = replace_message(blindrsa.blind(public, patient.input_msg), b"\0" * 256)

    statuses = set()
    for kid in wrong:
        if server.secrets.week_keys.find_key(kid):
            patient.kid = kid
            statuses.add(patient.redeem_code().status)

    assert len(wrong) == 13
    assert statuses == {Status.KID_REFUSED}
    assert server.codes.status(patient.issued.code) == "open"


def replace_message(blinded, message):
    return blinded._replace(message=message)


@pytest.mark.long
def test_last_weeks_key_is_still_good_for_a_code_and_the_one_before_is_not(server, patient, clock, onset):
    patient.check_code()
    last_week = patient.kid
    clock.pass_by(7 * DAY)
    server.tick()

    fresh = server.codes.issue_code("confirmed", onset)
    phone = Phone(poster(server), server, Credential.from_text(fresh.code), keys=keys_for(clock.now), kid=last_week)
    assert phone.redeem_code().status is Status.OK
    assert phone.upload().status is Status.OK

    clock.pass_by(7 * DAY)
    late = server.codes.issue_code("confirmed", onset)
    phone = Phone(poster(server), server, Credential.from_text(late.code), keys=keys_for(clock.now), kid=last_week)
    assert phone.redeem_code().status is Status.KID_REFUSED


def test_a_blinded_value_not_below_the_modulus_is_a_bad_request_and_uses_nothing(server, patient):
    patient.check_code()
    key = server.secrets.week_keys.find_key(patient.kid)
    patient.blinded = blindrsa.Blinded(key.n.to_bytes(256, "big"), 1)

    assert patient.redeem_code().status is Status.BAD_REQUEST
    assert server.codes.status(patient.issued.code) == "open"


def test_a_rehearsal_goes_through_all_three_calls_and_leaves_no_trace(server, patient):
    rows_before = server.codes_store.read("SELECT * FROM credential ORDER BY handle")
    patient.chaff = True

    answer = patient.check_code()
    assert (answer.status, answer.klass) == (Status.OK, 0)
    assert server.secrets.week_keys.find_key(answer.kid).purpose == "chaff"
    assert patient.redeem_code().status is Status.OK
    assert patient.upload().status is Status.OK
    assert patient.upload().status is Status.OK

    assert server.codes_store.read("SELECT * FROM credential ORDER BY handle") == rows_before
    for table in ("known_key", "waiting_key", "spent", "upload_count"):
        assert server.keys_store.read(f"SELECT * FROM {table}") == []


def test_a_rehearsals_certificate_is_worthless_for_a_real_upload_and_the_reverse(server, patient, onset):
    patient.chaff = True
    patient.certified()
    assert patient.upload(is_rehearsal=False).status is Status.KID_REFUSED

    issued = server.codes.issue_code("confirmed", onset)
    real = Phone(poster(server), server, Credential.from_text(issued.code), keys=keys_for(NOON)).certified()
    assert real.upload(is_rehearsal=True).status is Status.KID_REFUSED


@pytest.mark.parametrize("step", ["check_code", "redeem_code"])
def test_a_rehearsal_never_looks_its_credential_up(server, patient, step):
    # A revoked code would be refused, an unknown one too; a rehearsal of either is answered alike.
    server.codes.revoke_code(patient.issued.code)
    rehearsal = replace(patient, chaff=True, kid=server.secrets.week_keys.current_key(0, NOON).kid)

    assert getattr(rehearsal, step)().status is Status.OK
