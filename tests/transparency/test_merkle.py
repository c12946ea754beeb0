# SPDX-License-Identifier: Apache-2.0
"""The hash tree: published roots, proofs against a verifier written apart, and proofs that must not hold."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.transparency.vectors import VECTORS, contents, independent_root

from bluezone.transparency.merkle import (
    EMPTY_ROOT,
    ProofInvalid,
    completed_subtrees,
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    node_hash,
    range_hash,
    tree_root,
    verify_consistency,
    verify_inclusion,
)


def hashes(count: int) -> list[bytes]:
    return [leaf_hash(content) for content in contents(count)]


def proved(ranges, leaves: list[bytes]) -> list[bytes]:
    return [tree_root(leaves[first:end]) for first, end in ranges]


@pytest.mark.parametrize("case", VECTORS["roots"], ids=lambda case: str(case["size"]))
def test_roots_are_those_of_other_programs(case):
    leaves = [leaf_hash(bytes.fromhex(content)) for content in VECTORS["leaves"][: case["size"]]]

    assert tree_root(leaves).hex() == case["root"]


def test_an_empty_log_has_the_root_of_the_specification():
    assert tree_root([]) == EMPTY_ROOT == hashlib.sha256(b"").digest()


@given(st.integers(1, 200))
def test_the_root_is_that_of_a_verifier_written_apart(size):
    assert tree_root(hashes(size)) == independent_root(contents(size))


@given(st.data(), st.integers(1, 130))
def test_every_leaf_is_proved_and_no_other_leaf_place_size_or_hash_is(data, size):
    leaves = hashes(size)
    number, root = data.draw(st.integers(0, size - 1)), tree_root(leaves)
    proof = proved(inclusion_ranges(number, size), leaves)
    verify_inclusion(leaves[number], number, size, proof, root)

    wrong = [
        (leaf_hash(b"other"), number, size, proof, root),
        (leaves[number], number, size, proof, bytes(32)),
        (leaves[number], number, size, [*proof, bytes(32)], root),
        (leaves[number], size, size, proof, root),
    ]
    if proof:
        place = data.draw(st.integers(0, len(proof) - 1))
        wrong += [
            (leaves[number], number, size, proof[:-1], root),
            (leaves[number], number ^ 1, size, proof, root),
            (leaves[number], number, size, [*proof[:place], bytes(32), *proof[place + 1 :]], root),
        ]
    for arguments in wrong:
        with pytest.raises(ProofInvalid):
            verify_inclusion(*arguments)


@given(st.data(), st.integers(1, 130))
def test_a_log_that_grew_is_proved_to_have_and_one_that_changed_is_not(data, size):
    old_size = data.draw(st.integers(0, size))
    leaves = hashes(size)
    old_root, root = tree_root(leaves[:old_size]), tree_root(leaves)
    proof = proved(consistency_ranges(old_size, size), leaves)
    verify_consistency(old_size, old_root, size, root, proof)

    if old_size:
        changed = data.draw(st.integers(0, old_size - 1))
        other = tree_root([*leaves[:changed], leaf_hash(b"other"), *leaves[changed + 1 : old_size]])
        with pytest.raises(ProofInvalid):
            verify_consistency(old_size, other, size, root, proof)
    with pytest.raises(ProofInvalid):
        verify_consistency(old_size, old_root, size, root, [*proof, bytes(32)])
    if 0 < old_size < size:
        for wrong in (proof[:-1], [*proof[:-1], bytes(32)], proof[::-1] if proof != proof[::-1] else []):
            with pytest.raises(ProofInvalid):
                verify_consistency(old_size, old_root, size, root, wrong)


def test_a_smaller_log_does_not_continue_a_larger_one():
    with pytest.raises(ProofInvalid):
        verify_consistency(3, tree_root(hashes(3)), 2, tree_root(hashes(2)), [])


@given(st.integers(1, 300))
def test_subtrees_that_are_kept_as_they_are_completed_are_all_that_proofs_need(size):
    subtrees = {}
    for number, leaf in enumerate(hashes(size)):
        subtrees[0, number] = leaf
        for level, position in completed_subtrees(number):
            subtrees[level, position] = node_hash(
                subtrees[level - 1, 2 * position], subtrees[level - 1, 2 * position + 1]
            )

    assert range_hash((0, size), lambda level, position: subtrees[level, position]) == tree_root(hashes(size))
    for ranges in (inclusion_ranges(size // 2, size), consistency_ranges(size // 3, size)):
        for leaves in ranges:
            assert range_hash(leaves, lambda level, position: subtrees[level, position]) == tree_root(
                hashes(size)[leaves[0] : leaves[1]]
            )
