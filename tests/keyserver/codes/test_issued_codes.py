# SPDX-License-Identifier: Apache-2.0
import datetime

import pytest
from tests.builders.keyserver import DAY, HOUR, Phone, poster

from bluezone.keyserver.codes import issued_codes
from bluezone.protocol.upload import Status
from bluezone.protocol.upload.codes import Credential, InvalidCode


def test_a_code_is_open_until_it_is_used_by_either_name(server, onset):
    issued = server.codes.issue_code("clinical", onset)

    assert [server.codes.status(text) for text in (issued.code, issued.link, issued.row_id)] == ["open"] * 3
    assert issued.expires == server.clock() + DAY
    assert issued.link_expires == server.clock() + 2 * DAY

    Phone(poster(server), server, Credential.from_text(issued.link)).certified()

    assert [server.codes.status(text) for text in (issued.code, issued.link, issued.row_id)] == ["used"] * 3


def test_a_code_is_found_as_people_type_it_and_no_code_is_taken_for_a_row_s_name(server, onset):
    issued = server.codes.issue_code("confirmed", onset)

    assert server.codes.status(issued.code.replace("-", "")) == "open"
    asked = [issued.row_id, issued.code.replace("-", ""), "z" * 32, "abc"]
    assert server.codes.statuses(asked) == dict(zip(asked, ["open", "expired", "expired", "expired"], strict=True))


def test_digits_expire_before_the_link(server, clock, onset):
    issued = server.codes.issue_code("confirmed", onset)

    clock.pass_by(DAY)
    assert server.codes.status(issued.code) == "expired"
    assert server.codes.status(issued.link) == "open"
    assert server.codes.status(issued.row_id) == "open"

    clock.pass_by(DAY)
    assert server.codes.status(issued.link) == "expired"
    assert server.codes.status(issued.row_id) == "expired"


@pytest.mark.parametrize("name", ["code", "link", "row_id"])
def test_a_revoked_code_answers_like_an_unknown_one(server, onset, name):
    issued = server.codes.issue_code("confirmed", onset)

    server.codes.revoke_code(getattr(issued, name))
    server.codes.revoke_code(getattr(issued, name))

    assert server.codes.status(issued.row_id) == "revoked"
    for text in (issued.code, issued.link):
        assert Phone(poster(server), server, Credential.from_text(text)).check_code().status is Status.CODE_INVALID


def test_a_used_code_cannot_be_revoked_and_stays_used(server, patient):
    patient.certified()

    with pytest.raises(issued_codes.CodeAlreadyUsed):
        server.codes.revoke_code(patient.issued.code)

    assert server.codes.status(patient.issued.code) == "used"


def test_a_code_revoked_between_verify_1_and_2_is_worth_nothing(server, patient):
    patient.check_code()
    server.codes.revoke_code(patient.issued.row_id)

    assert patient.redeem_code().status is Status.CODE_INVALID


@pytest.mark.parametrize("days", [-1, 24])
def test_an_onset_ahead_or_long_past_is_refused(server, clock, days):
    # At noon UTC the local date in Hanoi is the same.
    onset = datetime.datetime.fromtimestamp(clock.now, datetime.UTC).date() - datetime.timedelta(days=days)

    with pytest.raises(issued_codes.OnsetRefused):
        server.codes.issue_code("confirmed", onset)


def test_the_local_date_decides_whether_an_onset_lies_ahead(server, clock):
    clock.pass_by(8 * HOUR)  # 20:00 UTC is 03:00 of the next day in Hanoi
    tomorrow_utc = datetime.datetime.fromtimestamp(clock.now, datetime.UTC).date() + datetime.timedelta(days=1)

    assert server.codes.status(server.codes.issue_code("confirmed", tomorrow_utc).row_id) == "open"


def test_what_was_never_issued_is_unknown_and_what_is_no_code_is_malformed(server, onset):
    with pytest.raises(issued_codes.CodeUnknown):
        server.codes.status("0000-0000-0000")
    with pytest.raises(InvalidCode):
        server.codes.status("not a code")
    with pytest.raises(issued_codes.CodeUnknown):
        server.codes.revoke_code("00" * 16)
    with pytest.raises(issued_codes.ClassRefused):
        server.codes.issue_code("rumour", onset)
    assert server.codes.status("00" * 16) == "expired"


def test_the_store_knows_a_credential_only_by_its_keyed_hash(server, patient):
    rows = server.codes_store.read("SELECT * FROM credential")

    flat = repr(rows)
    assert patient.issued.code.replace("-", "") not in flat
    assert Credential.from_text(patient.issued.link).value not in [value for row in rows for value in row]


def test_a_code_is_not_shown_by_repr(server, patient):
    assert patient.issued.code not in repr(patient.issued)
    assert patient.issued.link not in repr(patient.issued)
