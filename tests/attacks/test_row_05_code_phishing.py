# SPDX-License-Identifier: Apache-2.0
"""Row 5: code phishing or insider sale. A code is good once, for a day; who issued how many is limited and audited."""

import datetime

import pytest
from tests.builders.keyserver import DAY, NOON, Clock, Phone, keys_for, open_server, poster

from bluezone.protocol.upload import Status
from bluezone.protocol.upload.codes import Credential


@pytest.fixture
def server(tmp_path):
    key_server = open_server(tmp_path, Clock())
    yield key_server
    key_server.close()


def test_a_stolen_code_is_worth_nothing_after_its_owner_used_it(server):
    issued = server.codes.issue_code("confirmed", datetime.date(2026, 11, 23))
    owner = Phone(poster(server), server, Credential.from_text(issued.code), keys=keys_for(NOON)).certified()
    thief = Phone(poster(server), server, Credential.from_text(issued.code), keys=keys_for(NOON), kid=owner.kid)

    # Verify 1 does not tell the thief when the owner used it.
    assert thief.check_code().status is Status.OK
    assert thief.redeem_code().status is Status.CODE_USED
    assert owner.upload().status is Status.OK


def test_the_owner_of_a_code_used_by_a_thief_is_told(server):
    issued = server.codes.issue_code("confirmed", datetime.date(2026, 11, 23))
    Phone(poster(server), server, Credential.from_text(issued.link), keys=keys_for(NOON)).certified()
    owner = Phone(poster(server), server, Credential.from_text(issued.code), keys=keys_for(NOON), kid=2)

    assert owner.check_code().status is Status.OK
    assert owner.redeem_code().status is Status.CODE_USED
    assert server.codes.status(issued.row_id) == "used"


def test_a_code_kept_for_later_sale_is_worth_nothing_after_a_day(server):
    issued = server.codes.issue_code("confirmed", datetime.date(2026, 11, 23))
    server.clock.pass_by(DAY)

    assert Phone(poster(server), server, Credential.from_text(issued.code)).check_code().status is Status.CODE_EXPIRED
