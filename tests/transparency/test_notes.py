# SPDX-License-Identifier: Apache-2.0
"""Signed notes, checkpoints and cosignatures: those of other programs are read, and nothing else passes for one."""

import struct

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from tests.transparency.vectors import VECTORS, contents, independent_root

from bluezone.transparency.merkle import leaf_hash, verify_consistency, verify_inclusion
from bluezone.transparency.notes import (
    LOG_KEY,
    WITNESS_KEY,
    Checkpoint,
    Note,
    NoteInvalid,
    NoteUntrusted,
    Proof,
    Signature,
    VerifierKey,
    cosign,
    cosigned_at,
    log_key,
    merge_signatures,
    open_checkpoint,
    read_checkpoint,
    read_note,
    read_proof,
    read_verifier_key,
    sign_checkpoint,
)

LOG = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(VECTORS["log_seed"]))
WITNESS = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(VECTORS["witness_seed"]))
KEY = log_key(LOG.public_key().public_bytes_raw())
WITNESS_VERIFIER = VerifierKey(VECTORS["witness_name"], WITNESS_KEY, WITNESS.public_key().public_bytes_raw())


def test_a_checkpoint_that_the_tools_of_the_field_signed_and_cosigned_is_believed():
    note = read_note(VECTORS["note"].encode())

    assert open_checkpoint(note, KEY) == Checkpoint(KEY.name, 77, independent_root(contents(77)))
    assert cosigned_at(note, WITNESS_VERIFIER) is not None
    assert note.data == VECTORS["note"].encode()
    assert str(KEY) == VECTORS["log_key"]


def test_our_signature_is_byte_for_byte_that_of_the_tools_of_the_field():
    note = read_note(VECTORS["note"].encode())
    moment = cosigned_at(note, WITNESS_VERIFIER)
    ours = sign_checkpoint(read_checkpoint(note.text), KEY, LOG.sign)
    cosigned = cosign(note.text, WITNESS_VERIFIER, WITNESS.sign, moment)

    assert merge_signatures(ours, {cosigned.name: cosigned}).data == note.data


@pytest.mark.parametrize("case", VECTORS["inclusion"], ids=lambda case: f"{case['number']} in {case['size']}")
def test_an_inclusion_proof_of_the_tools_of_the_field_holds(case):
    proof = [bytes.fromhex(value) for value in case["proof"]]
    leaf = leaf_hash(contents(77)[case["number"]])
    verify_inclusion(leaf, case["number"], case["size"], proof, bytes.fromhex(case["root"]))


@pytest.mark.parametrize("case", VECTORS["consistency"], ids=lambda case: f"{case['old_size']} to {case['size']}")
def test_a_consistency_proof_of_the_tools_of_the_field_holds(case):
    proof = [bytes.fromhex(value) for value in case["proof"]]
    old_root, root = bytes.fromhex(case["old_root"]), bytes.fromhex(case["root"])
    verify_consistency(case["old_size"], old_root, case["size"], root, proof)


def signed(text: bytes) -> Note:
    return Note(text, (Signature(KEY.name, KEY.id, LOG.sign(text)),))


@pytest.mark.parametrize(
    "text",
    [
        b"", b"\n", b"bluezone/x\n", KEY.name.encode() + b"\n077\n" + b"A" * 43 + b"=\n",
        KEY.name.encode() + b"\n7\nAAAA\n", KEY.name.encode() + b"\n-7\n" + b"A" * 43 + b"=\n",
        KEY.name.encode() + b"\n7\n" + b"A" * 43 + b"=\nextension\n",
    ],
)  # fmt: skip
def test_a_signed_text_that_is_no_checkpoint_is_refused(text):
    with pytest.raises(NoteInvalid):
        open_checkpoint(signed(text), KEY)


def test_a_checkpoint_of_another_log_under_the_same_key_is_refused():
    with pytest.raises(NoteUntrusted, match="log"):
        open_checkpoint(signed(Checkpoint("bluezone/other", 7, bytes(32)).text), KEY)


def test_a_cosignature_is_of_one_text_one_moment_one_key_and_one_name():
    text = Checkpoint(KEY.name, 7, bytes(32)).text
    good = cosign(text, WITNESS_VERIFIER, WITNESS.sign, 1000)
    assert cosigned_at(Note(text, (good,)), WITNESS_VERIFIER) == 1000

    later = Signature(good.name, good.key_id, struct.pack(">Q", 1001) + good.value[8:])
    for note, key in (
        (Note(Checkpoint(KEY.name, 8, bytes(32)).text, (good,)), WITNESS_VERIFIER),
        (Note(text, (later,)), WITNESS_VERIFIER),
        (Note(text, (good,)), VerifierKey("other.example", WITNESS_KEY, WITNESS_VERIFIER.public)),
        (Note(text, (good,)), VerifierKey(good.name, WITNESS_KEY, KEY.public)),
        # A witness's plain signature over the text is none over the time.
        (Note(text, (Signature(good.name, good.key_id, bytes(8) + WITNESS.sign(text)),)), WITNESS_VERIFIER),
    ):
        assert cosigned_at(note, key) is None


def test_a_log_cannot_pass_its_own_signature_off_as_a_witnesss():
    text = Checkpoint(KEY.name, 7, bytes(32)).text

    assert cosigned_at(signed(text), VerifierKey(KEY.name, WITNESS_KEY, KEY.public)) is None


@given(st.binary(max_size=300))
def test_no_bytes_do_more_than_be_refused(data):
    for read in (read_note, read_proof, read_checkpoint):
        try:
            read(data)
        except NoteInvalid:
            continue


def test_a_proof_is_read_as_it_was_written():
    note = read_note(VECTORS["note"].encode())
    proof = Proof(5, (bytes(32), bytes(range(32))), note)

    assert read_proof(proof.data) == proof
    with pytest.raises(NoteInvalid):
        read_proof(proof.data.replace(b"index 5", b"index 05"))


@pytest.mark.parametrize("changed", ["", "x", "bluezone/x+00000000+AAAA", str(KEY)[:-4], str(KEY).replace("+", "-", 1)])
def test_a_damaged_verifier_key_is_refused(changed):
    with pytest.raises(NoteInvalid):
        read_verifier_key(changed, LOG_KEY)
    assert read_verifier_key(str(KEY), LOG_KEY) == KEY
    with pytest.raises(NoteInvalid):
        read_verifier_key(str(KEY), WITNESS_KEY)
