# SPDX-License-Identifier: Apache-2.0
"""A tree is followed by its frontier alone, also from its middle."""

import pytest

from bluezone.transparency.merkle import ProofInvalid, consistency_ranges, leaf_hash, tree_root
from bluezone.transparency.notes import Checkpoint
from bluezone.transparency.reading import Frontier, pack_leaves, provable_size, unpack_leaves

LEAVES = [f"leaf {number}".encode() for number in range(70)]


def root(size: int) -> bytes:
    return tree_root([leaf_hash(content) for content in LEAVES[:size]])


def consistency(old_size: int, size: int) -> list[bytes]:
    hashes = [leaf_hash(content) for content in LEAVES]
    return [tree_root(hashes[first:end]) for first, end in consistency_ranges(old_size, size)]


def test_appended_leaves_lead_to_the_root_of_the_whole_tree():
    for size in range(len(LEAVES)):
        assert Frontier().append(LEAVES[:size]).root == root(size)
        assert Frontier().append(LEAVES[: size // 3]).append(LEAVES[size // 3 : size]).root == root(size)


def test_reading_can_begin_at_any_provable_size():
    for size in range(1, len(LEAVES) + 1):
        for most in range(size):
            first = provable_size(most)
            begin = Frontier.of_consistency(first, size, consistency(first, size))
            begin.append(LEAVES[first:size]).require_root(Checkpoint("log", size, root(size)))


def test_a_wrong_beginning_or_a_changed_leaf_leads_to_another_root():
    first = provable_size(40)
    proof = consistency(first, 70)
    proof[0] = bytes(32)
    signed = Checkpoint("log", 70, root(70))
    with pytest.raises(ProofInvalid):
        Frontier.of_consistency(first, 70, proof).append(LEAVES[first:]).require_root(signed)
    changed = [*LEAVES[:69], b"another"]
    with pytest.raises(ProofInvalid):
        Frontier().append(changed).require_root(signed)
    with pytest.raises(ProofInvalid):
        Frontier.of_consistency(first, 70, [])


def test_provable_sizes_are_at_most_two_below_and_never_a_power_of_two():
    assert [provable_size(most) for most in (-5, 0, 1, 2, 3, 4, 5, 8, 1024)] == [0, 0, 0, 0, 3, 3, 5, 7, 1023]


def test_packed_leaves_are_unpacked_and_an_incomplete_one_is_left_out():
    packed = pack_leaves(LEAVES[:3])
    assert unpack_leaves(packed) == LEAVES[:3]
    assert unpack_leaves(packed[:-1]) == LEAVES[:2]
