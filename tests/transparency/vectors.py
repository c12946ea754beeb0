# SPDX-License-Identifier: Apache-2.0
"""Vectors that other programs made or checked, and a verifier of the tree written apart from ours."""

import hashlib
import json
from pathlib import Path

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "transparency.json").read_text("utf-8"))


def contents(count: int) -> list[bytes]:
    return [f"leaf {number}".encode() for number in range(count)]


def independent_root(leaves: list[bytes]) -> bytes:
    """The root straight from the definition, RFC 6962 section 2.1, by recursion and without a stored subtree."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + independent_root(leaves[:split]) + independent_root(leaves[split:])).digest()
