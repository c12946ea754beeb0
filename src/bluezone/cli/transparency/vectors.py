# SPDX-License-Identifier: Apache-2.0
"""The cases of the public log's vector file: roots, proofs and a cosigned checkpoint of other programs."""

from collections.abc import Callable, Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluezone.transparency.merkle import consistency_ranges, inclusion_ranges, leaf_hash, tree_root
from bluezone.transparency.notes import (
    WITNESS_KEY,
    VerifierKey,
    cosign,
    cosigned_at,
    log_key,
    merge_signatures,
    open_checkpoint,
    read_note,
    sign_checkpoint,
)

# Takes a case of the file; returns the value that this program computes, and the value that the file expects.
Check = Callable[[Any], tuple[Any, Any]]
_SEEDS = ("log_seed", "witness_seed")


def transparency_cases(document: dict[str, Any]) -> Iterator[tuple[str, str, Check, Any]]:
    """Family, name, check and content of each case; docs/protocol.md section 9."""
    for case in document["roots"]:
        yield "transparency.roots", f"size {case['size']}", _check_root, {**case, "leaves": document["leaves"]}
    for case in document["inclusion"]:
        yield "transparency.inclusion", f"{case['number']} in {case['size']}", _check_inclusion, case
    for case in document["consistency"]:
        yield "transparency.consistency", f"{case['old_size']} to {case['size']}", _check_consistency, case
    yield "transparency.note", "cosigned checkpoint", _check_note, document


def _check_root(case: dict[str, Any]) -> tuple[Any, Any]:
    leaves = [leaf_hash(bytes.fromhex(content)) for content in case["leaves"][: case["size"]]]
    return tree_root(leaves).hex(), case["root"]


def _tree(size: int) -> list[bytes]:
    return [leaf_hash(f"leaf {number}".encode()) for number in range(size)]


def _check_inclusion(case: dict[str, Any]) -> tuple[Any, Any]:
    leaves = _tree(case["size"])
    proof = [tree_root(leaves[first:end]).hex() for first, end in inclusion_ranges(case["number"], case["size"])]
    return (proof, tree_root(leaves).hex()), (case["proof"], case["root"])


def _check_consistency(case: dict[str, Any]) -> tuple[Any, Any]:
    leaves = _tree(case["size"])
    proof = [tree_root(leaves[first:end]).hex() for first, end in consistency_ranges(case["old_size"], case["size"])]
    roots = [tree_root(leaves[: case[size]]).hex() for size in ("old_size", "size")]
    return (proof, roots), (case["proof"], [case["old_root"], case["root"]])


def _check_note(document: dict[str, Any]) -> tuple[Any, Any]:
    """Verify a checkpoint and its cosignature, and make both again; both signatures are deterministic."""
    log, witness = (Ed25519PrivateKey.from_private_bytes(bytes.fromhex(document[name])) for name in _SEEDS)
    key = log_key(log.public_key().public_bytes_raw())
    verifier = VerifierKey(document["witness_name"], WITNESS_KEY, witness.public_key().public_bytes_raw())
    note = read_note(document["note"].encode())
    checkpoint = open_checkpoint(note, key)
    moment = cosigned_at(note, verifier)
    cosignature = cosign(note.text, verifier, witness.sign, moment or 0)
    ours = merge_signatures(sign_checkpoint(checkpoint, key, log.sign), {cosignature.name: cosignature})
    root = tree_root(_tree(checkpoint.size)).hex()
    return (str(key), ours.data.decode(), root), (document["log_key"], document["note"], checkpoint.root.hex())
