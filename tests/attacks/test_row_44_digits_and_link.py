# SPDX-License-Identifier: Apache-2.0
"""Row 44: one case signs two key sets, one with the digits and one with the link. Both lead to one row, one digest."""

import datetime
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from tests.builders.keyserver import NOON, Clock, Phone, keys_for, open_server, poster

from bluezone.protocol.upload import Status
from bluezone.protocol.upload.codes import Credential


@pytest.fixture
def server(tmp_path):
    key_server = open_server(tmp_path, Clock())
    yield key_server
    key_server.close()


@pytest.fixture
def issued(server):
    return server.codes.issue_code("confirmed", datetime.date(2026, 11, 23))


def phone(server, text):
    return Phone(poster(server), server, Credential.from_text(text), keys=keys_for(NOON))


@pytest.mark.parametrize("first", ["code", "link"])
def test_the_other_name_with_another_blinded_value_finds_the_code_used(server, issued, first):
    second = "link" if first == "code" else "code"
    one = phone(server, getattr(issued, first)).certified()
    other = phone(server, getattr(issued, second))
    assert other.check_code().status is Status.OK
    other.kid = one.kid

    assert other.redeem_code().status is Status.CODE_USED


def test_the_other_name_with_the_same_blinded_value_gets_the_same_answer(server, issued):
    by_digits = phone(server, issued.code).certified()
    by_link = replace(by_digits, credential=Credential.from_text(issued.link), signature=b"")

    assert by_link.redeem_code().status is Status.OK
    assert by_link.signature == by_digits.signature


def test_of_many_at_the_same_moment_exactly_one_gets_a_certificate(server, issued):
    phones = [phone(server, text) for text in (issued.code, issued.link) * 8]
    for each in phones:
        each.check_code()
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda each: each.redeem_code().status, phones))

    assert sorted(statuses) == [Status.OK] + [Status.CODE_USED] * 15
