# SPDX-License-Identifier: Apache-2.0
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.protocol.identifiers import rolling_proximity_identifier
from bluezone.protocol.reciprocity import (
    FRAME_LENGTH,
    encode_reciprocity_frame,
    identifier_prefix,
    is_reciprocity_frame,
    open_reciprocity_frame,
    reciprocity_key,
)
from bluezone.radio.frames import parse_reciprocity, reciprocity_advertisement

identifiers = st.binary(min_size=16, max_size=16)
nonces = st.binary(min_size=2, max_size=2)
levels = st.integers(-128, 127)
KEY, A, B = reciprocity_key(bytes(16)), bytes(range(16)), bytes(range(16, 32))


def test_our_own_vectors_of_an_independent_reference_are_met_both_ways(vectors):
    published = json.loads((vectors / "reciprocity.json").read_bytes())
    key = reciprocity_key(bytes.fromhex(published["temporary_exposure_key_hex"]))
    sender = rolling_proximity_identifier(bytes.fromhex(published["temporary_exposure_key_hex"]), published["interval"])
    assert (key.hex(), sender.hex()) == (published["reciprocity_key_hex"], published["identifier_hex"])
    for case in published["cases"]:
        heard = [(bytes.fromhex(one["identifier_hex"]), one["level_dbm"]) for one in case["heard"]]
        filling = bytes.fromhex(case["filling_hex"])
        frame = encode_reciprocity_frame(
            key, sender, bytes.fromhex(case["nonce_hex"]), heard, lambda count, f=filling: f[:count]
        )

        assert frame.hex() == case["frame_hex"]
        assert reciprocity_advertisement(frame).hex() == case["advertisement_hex"]
        for neighbour, level_dbm in heard:
            assert open_reciprocity_frame(key, sender, frame, [bytes(16), neighbour]) == level_dbm


@given(
    sender=identifiers,
    heard=st.lists(st.tuples(identifiers, levels), max_size=4, unique_by=lambda one: one[0]),
    nonce=nonces,
    seed=st.integers(),
)
def test_each_neighbour_reads_its_own_level_and_nobody_s_else(sender, heard, nonce, seed):
    frame = encode_reciprocity_frame(KEY, sender, nonce, heard, random.Random(seed).randbytes)

    assert len(frame) == FRAME_LENGTH == 23
    assert is_reciprocity_frame(frame)
    assert identifier_prefix(frame) == sender[:4]
    for neighbour, level_dbm in heard:
        assert open_reciprocity_frame(KEY, sender, frame, [neighbour]) == level_dbm
    known = {neighbour for neighbour, _ in heard}
    assert open_reciprocity_frame(KEY, sender, frame, [name for name in (b"z" * 16,) if name not in known]) is None


@given(place=st.integers(0, 10), flip=st.integers(1, 255))
def test_a_frame_altered_anywhere_but_in_another_s_entry_opens_no_more(place, flip):
    frame = bytearray(encode_reciprocity_frame(KEY, A, b"no", [(B, -60)], random.Random(1).randbytes))
    frame[place] ^= flip

    assert open_reciprocity_frame(KEY, A, bytes(frame), [B]) is None


def test_another_key_another_sender_or_another_nonce_opens_nothing():
    frame = encode_reciprocity_frame(KEY, A, b"no", [(B, -60)], random.Random(1).randbytes)
    same_beginning = A[:4] + bytes(12)

    assert open_reciprocity_frame(reciprocity_key(b"k" * 16), A, frame, [B]) is None
    assert open_reciprocity_frame(KEY, same_beginning, frame, [B]) is None
    assert open_reciprocity_frame(KEY, A, frame, [A]) is None
    assert open_reciprocity_frame(KEY, A, frame[:-1], [B]) is None
    assert open_reciprocity_frame(KEY, A, b"\x02" + frame[1:], [B]) is None


def test_levels_beyond_a_byte_are_cut_and_more_than_four_neighbours_are_refused():
    frame = encode_reciprocity_frame(KEY, A, b"no", [(B, -200), (A, 300)], random.Random(1).randbytes)

    assert (open_reciprocity_frame(KEY, A, frame, [B]), open_reciprocity_frame(KEY, A, frame, [A])) == (-128, 127)
    with pytest.raises(ValueError, match="5 neighbours"):
        encode_reciprocity_frame(KEY, A, b"no", [(B, 0)] * 5, random.Random(1).randbytes)
    with pytest.raises(ValueError, match="nonce 1 bytes"):
        encode_reciprocity_frame(KEY, A, b"n", [], random.Random(1).randbytes)
    with pytest.raises(ValueError, match="identifier 15"):
        encode_reciprocity_frame(KEY, A[1:], b"no", [], random.Random(1).randbytes)


@given(noise=st.binary(max_size=64))
def test_noise_is_never_taken_for_a_reciprocity_frame_unless_it_is_one_to_the_byte(noise):
    frame = parse_reciprocity(noise)

    assert frame is None or reciprocity_advertisement(frame) == noise
