# SPDX-License-Identifier: Apache-2.0
import hmac
import os
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.builders.keyserver import DAY, HOUR, NOON, Phone, call, exchange, keys_for, poster

from bluezone.keyserver.limits.limits import Limits
from bluezone.protocol.upload import (
    UPLOAD_SIZE,
    Slot,
    Status,
    UploadKey,
    commitment,
    decode_upload_answer,
    encode_upload,
)
from bluezone.protocol.upload.codes import Credential


def stored_keys(server):
    return server.keys_store.read("SELECT key, start, level, class, received_hour FROM waiting_key ORDER BY start")


def another_case(server, onset, **parts):
    issued = server.codes.issue_code("confirmed", onset)
    return Phone(poster(server), server, Credential.from_text(issued.code), **parts)


def test_an_upload_stores_each_key_with_its_class_level_and_received_hour_alone(server, patient):
    assert patient.certified().upload().status is Status.OK

    assert stored_keys(server) == [(k.key, k.start, k.level, 1, NOON // HOUR) for k in patient.keys]


def test_the_same_upload_again_is_ok_and_changes_nothing(server, patient):
    patient.certified().upload()
    before = stored_keys(server)

    assert patient.upload().status is Status.OK
    assert stored_keys(server) == before
    assert server.keys_store.read("SELECT uploads FROM upload_count") == [(1,)]


def test_a_certificate_covers_its_own_keys_only(server, patient):
    patient.certified()

    assert patient.upload(keys=keys_for(NOON)).status is Status.SIGNATURE_INVALID
    assert patient.upload(salt=bytes(32)).status is Status.SIGNATURE_INVALID
    assert patient.upload(rand=bytes(32)).status is Status.SIGNATURE_INVALID
    assert stored_keys(server) == []


@pytest.mark.long
@pytest.mark.parametrize(("last_second", "status"), [(True, Status.OK), (False, Status.KID_REFUSED)])
def test_a_certificate_is_good_until_a_week_after_its_week(server, patient, clock, last_second, status):
    patient.certified()
    clock.pass_by(11 * DAY + 12 * HOUR - last_second)  # Sunday after next, midnight
    server.tick()

    assert patient.upload().status is status


def test_a_key_stored_already_refuses_the_whole_upload(server, patient, onset):
    patient.certified().upload()
    before = stored_keys(server)
    thief = another_case(
        server, onset, keys=tuple(sorted((patient.keys[0], *keys_for(NOON, 1)), key=lambda k: k.start))
    )

    assert thief.certified().upload().status is Status.KEYS_REFUSED
    assert stored_keys(server) == before

    # The certificate is not spent by a refusal.
    assert server.keys_store.read("SELECT COUNT(*) FROM spent") == [(1,)]


@pytest.mark.long
def test_a_published_key_cannot_come_again_under_another_day(server, patient, onset, clock):
    patient.certified().upload()
    clock.pass_by(2 * HOUR)
    server.tick()
    moved = replace(patient.keys[0], start=patient.keys[0].start - 144)

    assert another_case(server, onset, keys=(moved,)).certified().upload().status is Status.KEYS_REFUSED


def test_a_report_without_keys_is_taken(server, onset):
    assert another_case(server, onset, keys=()).certified().upload().status is Status.OK


def test_slots_that_have_not_ended_are_refused(server, patient):
    slot = Slot(NOON // HOUR, os.urandom(32), 0, 1)
    phone = SlotPhone((slot,), **vars_of(patient)).certified()

    assert phone.upload(slots=(slot,)).status is Status.KEYS_REFUSED
    assert server.keys_store.read("SELECT * FROM waiting_item") == []


def test_a_slot_is_stored_sealed_and_opens_with_its_own_key_only(server, patient):
    slot = Slot(NOON // HOUR - 5, os.urandom(32), 10, 40)
    phone = SlotPhone((slot,), **vars_of(patient)).certified()

    assert phone.upload(slots=(slot,)).status is Status.OK
    ((tag, nonce, sealed),) = server.keys_store.read("SELECT tag, nonce, sealed FROM waiting_item")
    assert tag == hmac.digest(slot.slot_key, b"BZ-TAG", "sha256")[:16]
    record = AESGCM(hmac.digest(slot.slot_key, b"BZ-ENC", "sha256")).decrypt(nonce, sealed, tag)
    assert record == bytes([1, 2, 10, 40]) + slot.hour.to_bytes(4, "big")


class SlotPhone(Phone):
    """A phone that also sends venue slots."""

    def __init__(self, slots, **parts):
        super().__init__(**parts)
        self.slots = slots

    @property
    def input_msg(self):
        return self.rand + commitment(self.salt, self.keys, self.slots)


def vars_of(phone):
    return {name: getattr(phone, name) for name in ("post", "server", "credential", "keys", "salt", "rand")}


@pytest.mark.long
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(
        st.tuples(
            st.integers(-3, 18),
            st.sampled_from([144, 144, 144, 144, 143, 0, 65535]),
            st.sampled_from([1, 2, 2, 0, 3]),
            st.sampled_from([0, 0, 0, 0, 1]),
        ),
        max_size=15,
    ),
    ordered=st.booleans(),
)
def test_keys_outside_the_bounds_are_refused_and_those_inside_are_taken(server, onset, clock, parts, ordered):
    exchange(server, server.codes_part.limits, Limits(bytes(32), clock, lambda hour: None))
    today = NOON // DAY
    keys = tuple(
        UploadKey(os.urandom(16), (today - age) * 144 + odd, period, level) for age, period, level, odd in parts
    )
    keys = tuple(sorted(keys, key=lambda k: (k.start, k.key))) if ordered else keys
    fits = (
        all(0 <= age <= 14 and period == 144 and level in (1, 2) and odd == 0 for age, period, level, odd in parts)
        and len({k.start for k in keys}) == len(keys)
        and sum(k.level == 2 for k in keys) <= 6
        and list(keys) == sorted(keys, key=lambda k: k.start)
    )
    phone = another_case(server, onset, keys=keys).certified()

    # The encoder sorts, as a phone does; an unsorted upload can only be made by hand.
    body = encode_upload(phone.upload_request())
    if list(keys) != sorted(keys, key=lambda k: (k.start, k.key)):
        body = with_keys_in_order(body, keys)
    answer = decode_upload_answer(poster(server)("/v1/upload", body))

    if fits:
        assert answer.status is Status.OK
    else:
        assert answer.status in (Status.KEYS_REFUSED, Status.SIGNATURE_INVALID)
    present = {row[0] for row in server.keys_store.read("SELECT key FROM waiting_key")}
    assert {k.key for k in keys} & present == ({k.key for k in keys} if fits else set())


def with_keys_in_order(body, keys):
    start = 4 + 32 + 256 + 32 + 2
    encoded = b"".join(key.to_bytes() for key in keys)
    return body[:start] + encoded + body[start + len(encoded) :]


@pytest.mark.long
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(head=st.binary(max_size=400))
def test_any_4096_bytes_get_a_status_of_1024_bytes(server, clock, head):
    exchange(server, server.codes_part.limits, Limits(bytes(32), clock, lambda hour: None))
    answered = call(server, "POST", "/v1/upload", (b"\x01\x00" + head).ljust(UPLOAD_SIZE, b"\x7f"))

    assert (answered.status, len(answered.body)) == (200, 1024)
    assert decode_upload_answer(answered.body).status is not Status.OK


@pytest.mark.parametrize(("offset", "status"), [(0, Status.BAD_REQUEST), (1, Status.BAD_REQUEST)])
def test_another_version_or_flag_is_a_bad_request(server, patient, offset, status):
    body = bytearray(encode_upload(patient.certified().upload_request()))
    body[offset] ^= 0x80

    assert decode_upload_answer(poster(server)("/v1/upload", bytes(body))).status is status


def test_uploads_at_the_same_moment_are_all_kept_and_none_twice(server, onset):
    from concurrent.futures import ThreadPoolExecutor

    phones = [another_case(server, onset, keys=keys_for(NOON)).certified() for _ in range(12)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda phone: phone.upload().status, phones * 3))

    assert set(answers) == {Status.OK}
    assert len(stored_keys(server)) == 36
    assert server.keys_store.read("SELECT uploads FROM upload_count") == [(12,)]
