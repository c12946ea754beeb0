# SPDX-License-Identifier: Apache-2.0
"""Read the leaves of a log against its signed checkpoints, without keeping the tree.

Witnesses and phones read every new leaf. Source: RFC 6962 section 2.1 (hashes); docs/protocol.md section 9.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from bluezone.refusal import Refused
from bluezone.transparency.merkle import EMPTY_ROOT, ProofInvalid, leaf_hash, node_hash
from bluezone.transparency.notes import Checkpoint

# The most leaves in one answer: about 50 kB.
MOST_LEAVES = 512
# How many leaves a complete tile has (C2SP tlog-tiles).
TILE_WIDTH = 256

Fetch = Callable[[str], bytes]
"""Returns the content at an address below /v1/log/."""


class LeavesMissing(Refused):
    """A log answers with fewer leaves than it has signed."""

    code = "log_leaves_missing"


@dataclass(frozen=True, slots=True)
class Frontier:
    """What is needed of the first `size` leaves of a tree to append to it.

    hashes: those of the complete subtrees, the largest first.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    @classmethod
    def of_consistency(cls, old_size: int, size: int, proof: Sequence[bytes]) -> Self:
        """The frontier of an older tree, from the proof that the tree of `size` continues it.

        old_size: as `provable_size` returns it. A wrong proof leads to another root once the later leaves are appended.
        """
        if old_size == 0:
            return cls()
        if not proof:
            raise ProofInvalid(f"no hash of the first {old_size} leaves")
        place = old_size - 1
        last = size - 1
        while place & 1:
            place >>= 1
            last >>= 1
        smallest, *others = proof
        left: list[bytes] = []
        for other in others:
            if place & 1 or place == last:
                left.append(other)
                while not place & 1 and place:
                    place >>= 1
                    last >>= 1
            place >>= 1
            last >>= 1
        return cls(old_size, (*reversed(left), smallest))

    @property
    def root(self) -> bytes:
        """The root of the tree."""
        if not self.hashes:
            return EMPTY_ROOT
        *larger, root = self.hashes
        for left in reversed(larger):
            root = node_hash(left, root)
        return root

    def append(self, contents: Sequence[bytes]) -> Self:
        """The frontier after these leaves, too."""
        hashes = list(self.hashes)
        size = self.size
        for content in contents:
            right = leaf_hash(content)
            covered = size
            while covered & 1:
                right = node_hash(hashes.pop(), right)
                covered >>= 1
            hashes.append(right)
            size += 1
        return type(self)(size, tuple(hashes))

    def require_root(self, checkpoint: Checkpoint) -> None:
        """Check that these are the leaves of a checkpoint. Raises ProofInvalid."""
        if (self.size, self.root) != (checkpoint.size, checkpoint.root):
            raise ProofInvalid(f"the leaves that were read are not those of the signed log of {checkpoint.size}")


def provable_size(most: int) -> int:
    """The largest number, at most `most`, of first leaves of which a consistency proof has the frontier.

    The proof of a power of two leaves its hash out.
    """
    size = max(most, 0)
    while size and size & (size - 1) == 0:
        size -= 1
    return size


def pack_leaves(contents: Sequence[bytes]) -> bytes:
    """Leaves as tiles and answers hold them: each after its length in two bytes."""
    return b"".join(len(content).to_bytes(2, "big") + content for content in contents)


def unpack_leaves(packed: bytes) -> list[bytes]:
    """The leaves that `pack_leaves` packed; an incomplete one at the end is left out."""
    contents = []
    start = 0
    while start + 2 <= len(packed):
        end = start + 2 + int.from_bytes(packed[start : start + 2], "big")
        if end > len(packed):
            break
        contents.append(packed[start + 2 : end])
        start = end
    return contents


def leaves_path(first: int, end: int) -> str:
    """The address below /v1/log/ of the leaves from number `first` to before `end`, at most MOST_LEAVES."""
    return f"leaves/{first}/{end}"


def entries_path(position: int, width: int) -> str:
    """The address below /v1/log/ of the leaves of a tile. width: 1..256."""
    *before, last = [part.zfill(3) for part in f"{position:,}".split(",")]
    path = "/".join([*(f"x{part}" for part in before), last])
    return f"tile/entries/{path}" + (f".p/{width}" if width < TILE_WIDTH else "")


def fetch_tiles(fetch: Fetch, first: int, end: int) -> list[bytes]:
    """The leaves from number `first` to before `end`, by tiles. Raises LeavesMissing, and as `fetch`."""
    contents: list[bytes] = []
    for position in range(first // TILE_WIDTH, -(-end // TILE_WIDTH)):
        width = min(TILE_WIDTH, end - position * TILE_WIDTH)
        tile = unpack_leaves(fetch(entries_path(position, width)))
        if len(tile) < width:
            raise LeavesMissing(f"tile {position} has {len(tile)} leaves, expected {width}")
        contents += tile[max(0, first - position * TILE_WIDTH) : width]
    return contents


def fetch_leaves(fetch: Fetch, first: int, end: int, refusal: type[Refused]) -> list[bytes]:
    """The leaves from number `first` to before `end`, at most MOST_LEAVES.

    They come by tiles if the log refuses ranges, as those of other programs do. refusal: what `fetch` raises then.
    Raises LeavesMissing, and as `fetch`.
    """
    try:
        contents = unpack_leaves(fetch(leaves_path(first, end)))
    except refusal:
        return fetch_tiles(fetch, first, end)
    if len(contents) != end - first:
        raise LeavesMissing(f"{len(contents)} leaves came, expected {end - first}")
    return contents
