# SPDX-License-Identifier: Apache-2.0
import json
import os

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from bluezone.protocol import blindrsa
from bluezone.protocol.gate import base45
from bluezone.protocol.gate.passes import (
    BluetoothState,
    Challenge,
    NotABluezoneCode,
    PassA,
    PassB,
    PassSignatureInvalid,
    compute_response,
    decode_gate_frame,
    decode_phone_frame,
    encode_gate_frame,
    encode_pass,
    encode_phone_frame,
    pass_text,
    read_pass,
    read_screen,
    screen_text,
    sign_pass_b,
    token_message,
    verify_pass_signature,
    verify_token,
)

STATES = st.builds(BluetoothState, st.integers(0, 7))
STEPS = st.integers(0, 2**32 - 1)
SESSIONS = st.binary(min_size=16, max_size=16)
CHALLENGES = st.builds(Challenge, st.binary(min_size=4, max_size=4), st.binary(min_size=8, max_size=8))
KEY = blindrsa.generate()


def made(session=bytes(16), value=bytes(8)) -> PassB:
    key = Ed25519PrivateKey.generate()
    message = token_message(key.public_key().public_bytes_raw())
    blinded = blindrsa.blind(KEY.public, message)
    token = blindrsa.finalize(KEY.public, message, blindrsa.blind_sign(KEY, blinded.message), blinded.inverse)
    return sign_pass_b(BluetoothState.BLUETOOTH_ON, 5, session, value, key, 7, token)


def test_the_published_vector_comes_out(vectors):
    vector = json.loads((vectors / "presence.json").read_text())["ours_v1"]["gate"]
    session = bytes.fromhex(vector["k_sess_hex"])
    shown = PassA(BluetoothState(vector["flags"]), vector["step"], session)

    assert compute_response(session, bytes.fromhex(vector["G_hex"])).hex() == vector["R_g_hex"]
    assert encode_pass(shown).hex() == vector["pass_hex"]
    assert pass_text(shown) == vector["qr_text"]


@given(state=STATES, step=STEPS, session=SESSIONS)
def test_a_pass_a_is_read_back_as_it_was(state, step, session):
    shown = PassA(state, step, session)

    assert len(encode_pass(shown)) == 22
    assert read_pass(pass_text(shown)) == shown


def test_a_pass_b_is_read_back_and_holds_signature_and_token():
    shown = made()

    assert len(encode_pass(shown)) == 384
    assert read_pass(pass_text(shown)) == shown
    verify_pass_signature(shown)
    assert verify_token(KEY.public, shown)


@given(place=st.integers(1, 319), bit=st.integers(0, 7))
def test_a_pass_b_with_any_bit_turned_is_refused(place, bit):
    data = bytearray(encode_pass(made()))
    data[place] ^= 1 << bit
    with pytest.raises((NotABluezoneCode, PassSignatureInvalid)):
        verify_pass_signature(read_pass("BZG2:" + base45.encode(bytes(data))))


def test_a_token_of_another_key_is_not_valid():
    assert not verify_token(blindrsa.generate().public, made())


@given(challenge=CHALLENGES)
def test_a_gates_screen_and_frame_are_read_back(challenge):
    assert read_screen(screen_text(challenge)) == challenge
    assert decode_gate_frame(encode_gate_frame(challenge)) == challenge
    assert len(encode_gate_frame(challenge)) == 13


def test_frames_are_told_apart_by_kind_and_length():
    answer = os.urandom(16)
    gate = encode_gate_frame(Challenge(b"gate", bytes(8)))

    assert decode_phone_frame(encode_phone_frame(answer)) == answer
    assert len(encode_phone_frame(answer)) == 17
    for foreign in (b"", bytes(20), gate[:-1], b"\x05" + gate[1:]):
        assert decode_gate_frame(foreign) is None
        assert decode_phone_frame(foreign) is None
    assert decode_gate_frame(encode_phone_frame(answer)) is None


@given(st.text(max_size=700))
def test_whatever_hangs_on_a_wall_is_no_bluezone_code(text):
    for read in (read_pass, read_screen):
        with pytest.raises(NotABluezoneCode):
            read(text)


@pytest.mark.parametrize("prefix", ["BZG1:", "BZG2:", "BZGQ:"])
@given(data=st.binary(max_size=399))
def test_bytes_of_a_stranger_under_our_prefix_do_no_harm(prefix, data):
    text = prefix + base45.encode(data)
    for read in (read_pass, read_screen):
        try:
            read(text)
        except NotABluezoneCode:
            continue


def test_two_answers_to_one_challenge_share_nothing():
    value = os.urandom(8)

    assert compute_response(os.urandom(16), value) != compute_response(os.urandom(16), value)


@pytest.mark.parametrize("length", [0, 15, 17, 32])
def test_no_pass_is_made_of_a_session_of_another_length(length):
    with pytest.raises(NotABluezoneCode, match=f"session is {length} bytes, expected 16"):
        PassA(BluetoothState.BLUETOOTH_ON, 5, bytes(length))


LENGTHS = {"session": 16, "challenge": 8, "opk": 32, "token": 256, "signature": 64}


@pytest.mark.parametrize("change", [-1, 1])
@pytest.mark.parametrize("name", LENGTHS)
def test_no_part_of_a_browser_s_pass_has_another_length(name, change):
    parts = {each: bytes(length + (change if each == name else 0)) for each, length in LENGTHS.items()}

    with pytest.raises(NotABluezoneCode, match=f"{LENGTHS[name] + change} bytes, expected {LENGTHS[name]}"):
        PassB(BluetoothState.BLUETOOTH_ON, 5, kid=7, **parts)


@pytest.mark.parametrize(("gate_id", "value"), [(3, 8), (5, 8), (4, 7), (4, 9)])
def test_no_challenge_has_another_length(gate_id, value):
    with pytest.raises(NotABluezoneCode):
        Challenge(bytes(gate_id), bytes(value))


@pytest.mark.parametrize(("session", "challenge"), [(15, 8), (16, 9)])
def test_nothing_of_another_length_is_answered(session, challenge):
    with pytest.raises(NotABluezoneCode):
        compute_response(bytes(session), bytes(challenge))


@pytest.mark.parametrize(
    ("step", "kid", "fits"),
    [(0, 0, True), (2**32 - 1, 2**16 - 1, True), (2**32, 0, False), (-1, 0, False), (0, 2**16, False), (0, -1, False)],
)
def test_a_step_has_four_bytes_and_the_number_of_a_key_two(step, kid, fits):
    parts = {each: bytes(length) for each, length in LENGTHS.items()}
    try:
        PassB(BluetoothState.BLUETOOTH_ON, step, kid=kid, **parts)
    except NotABluezoneCode:
        assert not fits
    else:
        assert fits
