# SPDX-License-Identifier: Apache-2.0
"""The hash tree of an append-only log: its root, and proofs that it contains a leaf and that it only grew.

Source: RFC 6962 section 2.1 (hashes); RFC 9162 sections 2.1.3 and 2.1.4 (proofs and how they are checked).
"""

import hashlib
from collections.abc import Callable, Sequence

from bluezone.refusal import Refused

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

NodeOf = Callable[[int, int], bytes]
"""The hash of the complete subtree of 2**level leaves at a position, counted in such subtrees from 0."""
Range = tuple[int, int]
"""The number of the first leaf, and that after the last."""


class ProofInvalid(Refused):
    """A proof does not lead to the signed root: the log has removed or changed something."""

    code = "log_proof_invalid"


def leaf_hash(content: bytes) -> bytes:
    """The hash of one leaf, 32 bytes."""
    return hashlib.sha256(b"\0" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees together."""
    return hashlib.sha256(b"\1" + left + right).digest()


def tree_root(leaf_hashes: Sequence[bytes]) -> bytes:
    """The root of a tree from all its leaves; `EMPTY_ROOT` without leaves."""
    if not leaf_hashes:
        return EMPTY_ROOT
    levels = [list(leaf_hashes)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([node_hash(below[left], below[left + 1]) for left in range(0, len(below) - 1, 2)])
    return range_hash((0, len(leaf_hashes)), lambda level, position: levels[level][position])


def range_hash(leaves: Range, node: NodeOf) -> bytes:
    """The root over a range of the tree: of complete subtrees, the largest first."""
    first, end = leaves
    if (end - first) & (end - first - 1) == 0:
        level = (end - first).bit_length() - 1
        return node(level, first >> level)
    middle = first + _split(end - first)
    return node_hash(range_hash((first, middle), node), range_hash((middle, end), node))


def completed_subtrees(number: int) -> list[tuple[int, int]]:
    """Level and position of each subtree above the leaves that leaf `number` completes, lowest first."""
    subtrees = []
    level = 1
    while (number + 1) % (1 << level) == 0:
        subtrees.append((level, number >> level))
        level += 1
    return subtrees


def inclusion_ranges(number: int, size: int) -> list[Range]:
    """The ranges with the hashes that prove leaf `number` to be in a tree of `size`; 0 <= number < size."""
    ranges: list[Range] = []
    first = 0
    end = size
    while end - first > 1:
        middle = first + _split(end - first)
        if number < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((first, middle))
            first = middle
    return ranges[::-1]


def consistency_ranges(old_size: int, size: int) -> list[Range]:
    """The ranges with the hashes that prove a tree of `size` to continue one of `old_size`; 0 <= old_size <= size."""
    if old_size in (0, size):
        return []
    ranges: list[Range] = []
    first = 0
    end = size
    whole = True
    while old_size != end:
        middle = first + _split(end - first)
        if old_size <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((first, middle))
            first = middle
            whole = False
    if not whole:
        ranges.append((first, end))
    return ranges[::-1]


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)


def verify_inclusion(leaf: bytes, number: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf (its hash) is number `number` of a tree of `size` with this root. Raises ProofInvalid."""
    if not 0 <= number < size:
        raise ProofInvalid(f"leaf {number} cannot be in a log of {size}")
    place = number
    last = size - 1
    value = leaf
    for other in proof:
        if last == 0:
            raise ProofInvalid(f"the proof of leaf {number} is too long")
        if place & 1 or place == last:
            value = node_hash(other, value)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            value = node_hash(value, other)
        place >>= 1
        last >>= 1
    if last or value != root:
        raise ProofInvalid(f"leaf {number} is not in the log of {size} that was signed")


def verify_consistency(old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree of `size` begins with all of the tree of `old_size`. Raises ProofInvalid."""
    refused = ProofInvalid(f"the log of {size} does not continue the log of {old_size}")
    if old_size > size:
        raise refused
    if old_size in (0, size):
        if proof or (old_size == size and old_root != root) or (old_size == 0 and old_root != EMPTY_ROOT):
            raise refused
        return
    hashes = list(proof)
    if old_size & (old_size - 1) == 0:
        hashes.insert(0, old_root)
    if not hashes:
        raise refused
    place = old_size - 1
    last = size - 1
    while place & 1:
        place >>= 1
        last >>= 1
    old_value = value = hashes[0]
    for other in hashes[1:]:
        if last == 0:
            raise refused
        if place & 1 or place == last:
            old_value = node_hash(other, old_value)
            value = node_hash(other, value)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            value = node_hash(value, other)
        place >>= 1
        last >>= 1
    if last or old_value != old_root or value != root:
        raise refused
