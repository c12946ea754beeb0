# SPDX-License-Identifier: Apache-2.0
"""Row 6: a case sells the upload of an attacker's keys. The certificate is bound to its own keys and slots."""

import os

import pytest
from tests.builders.keyserver import NOON, Clock, keys_for, open_server, report_of

from bluezone.protocol.upload import MAX_HIGH_KEYS, MAX_KEYS, Slot, Status


@pytest.fixture
def server(tmp_path):
    key_server = open_server(tmp_path, Clock())
    yield key_server
    key_server.close()


def test_a_certificate_for_one_set_of_keys_does_not_take_another(server):
    case = report_of(server)
    statuses = [
        case.upload(keys=keys_for(NOON)).status,
        case.upload(keys=case.keys[:-1]).status,
        case.upload(keys=tuple(sorted((*case.keys, *keys_for(NOON, 1, 5)), key=lambda k: k.start))).status,
        case.upload(slots=(Slot(NOON // 3600 - 3, os.urandom(32), 0, 30),)).status,
    ]

    assert statuses == [Status.SIGNATURE_INVALID] * 4
    assert server.keys_store.read("SELECT * FROM known_key") == []
    assert case.upload().status is Status.OK


def test_two_certificates_do_not_swap(server):
    one, other = report_of(server), report_of(server)

    assert one.upload(rand=other.rand, signature=other.signature).status is Status.SIGNATURE_INVALID


def test_residual_a_case_who_takes_the_attackers_keys_sells_one_report_of_15_keys_at_most(server):
    # The case asks for a certificate over whatever it is given: nothing can tell. The bound is one report's worth.
    attackers_keys = keys_for(NOON, days=15, newest_age=0, level=1)

    assert report_of(server, keys=attackers_keys).upload().status is Status.OK
    assert len(attackers_keys) == MAX_KEYS
    too_many_high = keys_for(NOON, days=MAX_HIGH_KEYS + 1, newest_age=0, level=2)
    assert report_of(server, keys=too_many_high).upload().status is Status.KEYS_REFUSED
