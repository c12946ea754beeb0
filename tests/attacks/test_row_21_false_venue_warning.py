# SPDX-License-Identifier: Apache-2.0
"""Row 21: somebody wants a venue's guests warned falsely. It takes a certificate, and an upload has bounds."""

import os
from dataclasses import replace

import pytest
from tests.builders.keyserver import HOUR, NOON, Clock, open_server, report_of

from bluezone.protocol.upload import Slot, Status, decode_upload_answer, encode_upload

NOW_HOUR = NOON // HOUR


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.delenv("BLUEZONE_DATABASE_URL", raising=False)
    made = open_server(tmp_path, Clock())
    yield made
    made.close()


def slots(*places):
    return tuple(sorted((Slot(hour, os.urandom(32), start, end) for hour, start, end in places), key=Slot.to_bytes))


@pytest.mark.parametrize(
    "places",
    [
        pytest.param([(NOW_HOUR, 0, 1)], id="now"),
        pytest.param([(NOW_HOUR + 5, 0, 30)], id="future"),
        pytest.param([(NOW_HOUR - 5, 30, 30)], id="empty"),
        pytest.param([(NOW_HOUR - 5, 40, 30)], id="backwards"),
        pytest.param([(NOW_HOUR - 5, 0, 61)], id="past the hour"),
        pytest.param([(NOW_HOUR - 5, 0, 255)], id="out of range"),
        pytest.param([(NOW_HOUR - 5, n, n + 10) for n in range(4)], id="four in an hour"),
    ],
)
def test_row_21_slots_out_of_bounds_are_refused_whole(server, places):
    phone = report_of(server, days=1, slots=slots(*places))

    assert phone.upload().status is Status.KEYS_REFUSED
    for table in ("waiting_item", "waiting_key", "spent"):
        assert server.keys_store.read(f"SELECT * FROM {table}") == []


def test_row_21_as_many_as_a_case_may_send_are_taken(server):
    phone = report_of(server, days=1, slots=slots(*[(NOW_HOUR - 1 - n // 3, n % 3, 30) for n in range(80)]))

    assert phone.upload().status is Status.OK
    assert len(server.keys_store.read("SELECT * FROM waiting_item")) == 80


def test_row_21_nothing_is_taken_without_a_certificate_for_these_very_slots(server):
    phone = report_of(server, days=1, slots=slots((NOW_HOUR - 5, 0, 30)))
    other = replace(phone, slots=slots((NOW_HOUR - 6, 0, 30)))
    forged = replace(phone, signature=bytes(256))

    assert other.upload().status is Status.SIGNATURE_INVALID
    assert forged.upload().status is Status.SIGNATURE_INVALID
    assert server.keys_store.read("SELECT * FROM waiting_item") == []


def test_row_21_the_same_slot_twice_is_refused(server):
    (one,) = slots((NOW_HOUR - 5, 0, 30))
    phone = report_of(server, days=1, slots=(one, one))

    assert phone.upload().status is Status.KEYS_REFUSED


def test_row_21_a_message_with_more_than_eighty_slots_is_refused_as_a_whole(server):
    phone = report_of(server, days=1, slots=slots(*[(NOW_HOUR - 1 - n, 0, 60) for n in range(80)]))
    body = bytearray(encode_upload(phone.upload_request()))
    count = 2 + 2 + 32 + 256 + 32 + 2 + 23 * len(phone.keys)
    assert body[count : count + 2] == (80).to_bytes(2, "big")
    body[count : count + 2] = (81).to_bytes(2, "big")

    assert decode_upload_answer(phone.post("/v1/upload", bytes(body))).status is Status.KEYS_REFUSED
    assert server.keys_store.read("SELECT * FROM waiting_item") == []
