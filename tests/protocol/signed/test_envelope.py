# SPDX-License-Identifier: Apache-2.0
import base64
import hashlib
import json
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from bluezone.protocol.signed.envelope import (
    CHAIN_START,
    MAX_SIGNED_BYTES,
    InvalidSignedFile,
    UntrustedSignature,
    extend_chain,
    fingerprint,
    open_signed,
    sign_payload,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
TRUSTED = {fingerprint(PUBLIC): PUBLIC}
SIGNED = sign_payload("config", b'{"number":1}', KEY)


def test_the_signature_covers_what_the_protocol_says_it_covers():
    envelope = json.loads(SIGNED)

    assert envelope["kid"] == hashlib.sha256(KEY.public_key().public_bytes_raw()).hexdigest()[:16]
    assert base64.b64decode(envelope["payload"]) == b'{"number":1}'
    KEY.public_key().verify(base64.b64decode(envelope["sig"]), b'BZ-SIGNED-v1\0config\0{"number":1}')


@given(st.binary(max_size=300))
def test_what_was_signed_is_opened(payload):
    assert open_signed("exports", sign_payload("exports", payload, KEY), TRUSTED) == payload


def test_a_file_of_one_kind_does_not_pass_for_another():
    with pytest.raises(UntrustedSignature):
        open_signed("exports", SIGNED, TRUSTED)


def test_a_key_that_is_not_trusted_opens_nothing():
    other = Ed25519PrivateKey.generate()
    with pytest.raises(UntrustedSignature):
        open_signed("config", sign_payload("config", b"{}", other), TRUSTED)
    with pytest.raises(UntrustedSignature):
        open_signed("config", SIGNED, {fingerprint(PUBLIC): other.public_key().public_bytes_raw()})


@given(st.integers(0, len(SIGNED) - 1), st.integers(1, 255))
def test_no_changed_byte_changes_what_is_opened(position, difference):
    changed = bytearray(SIGNED)
    changed[position] ^= difference
    with suppress(InvalidSignedFile):
        assert open_signed("config", bytes(changed), TRUSTED) == b'{"number":1}'


@pytest.mark.parametrize(
    "data",
    [
        b"",
        SIGNED[:-1],
        b"[1]",
        b"\xff\xfe",
        b"[" * 200_000,
        b" " * (MAX_SIGNED_BYTES + 1),
        SIGNED.replace(b'"kid"', b'"kidd"'),
        SIGNED.replace(b'"payload":"', b'"payload":"*'),
        json.dumps({"payload": 1, "kid": "a", "sig": ""}).encode(),
    ],
)
def test_what_is_no_envelope_is_refused(data):
    with pytest.raises(InvalidSignedFile) as refusal:
        open_signed("config", data, TRUSTED)

    assert refusal.value.code == "signed_file_invalid"


def test_the_chain_is_the_hash_of_what_went_before_and_the_file():
    first = hashlib.sha256(b"first file").digest()

    assert extend_chain(CHAIN_START, first) == hashlib.sha256(bytes(32) + first).digest()
