# SPDX-License-Identifier: Apache-2.0
"""The lists that the maker of code books signs: the keys of a book to register, and those to revoke.

A list contains no secret, no facility and no order: for each class the same number of keys, sorted, of which some are
no slip's. Source: docs/protocol.md section 4, "Code books".
"""

import struct
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from bluezone.protocol.intervals import SECONDS_PER_DAY
from bluezone.protocol.primitives import ED25519_KEY_LENGTH, Ed25519Signer, verify_ed25519
from bluezone.protocol.upload.slips import CLASSES, LARGEST_BOOK, book_begin
from bluezone.refusal import Refused

SHORTEST_DAYS = 7
LONGEST_DAYS = 28
USUAL_DAYS = 14
GRACE_DAYS = 2
MOST_KEYS = 65_536
MOST_PARTS = 16

_MAGIC = b"BZBOOK1\0"
_REVOCATION_MAGIC = b"BZBOOKR\0"
# Book, part, end, the city's key, keys of each class.
_HEAD = struct.Struct(">8sIBQ32sI")
_REVOCATION_HEAD = struct.Struct(">8sIB32sI")
_SIGNATURE_LENGTH = 64
MOST_LIST_BYTES = _HEAD.size + len(CLASSES) * MOST_KEYS * ED25519_KEY_LENGTH + _SIGNATURE_LENGTH


class BookInvalid(Refused):
    """A list of a code book is damaged, of another city, out of its bounds, or not signed by the maker of its books."""

    code = "book_invalid"


@dataclass(frozen=True)
class BookList:
    """The keys of a book to register.

    book: its number. part: 0 for the book, from 1 for its reserves, 15 at most. ends: Unix seconds, grace included.
    city: the city's public key, 32 bytes. keys: for class 1 and 2 the sorted keys, joined; both equally long.
    Raises BookInvalid.
    """

    book: int
    part: int
    ends: int
    city: bytes
    keys: tuple[bytes, bytes]

    def __post_init__(self) -> None:
        days = (self.ends - self.begins) / SECONDS_PER_DAY - GRACE_DAYS
        if not (SHORTEST_DAYS <= days <= LONGEST_DAYS and 0 <= self.book <= LARGEST_BOOK):
            raise BookInvalid(
                f"a book lives {SHORTEST_DAYS} to {LONGEST_DAYS} days from its Monday, and this one {days:g}"
            )
        if not 0 <= self.part < MOST_PARTS:
            raise BookInvalid(f"the part is {self.part}, expected 0 to {MOST_PARTS - 1}")
        if len(self.city) != ED25519_KEY_LENGTH:
            raise BookInvalid(f"the city's key is {len(self.city)} bytes, expected {ED25519_KEY_LENGTH}")
        if {len(keys) for keys in self.keys} != {self.count * ED25519_KEY_LENGTH} or not 0 < self.count <= MOST_KEYS:
            raise BookInvalid(f"both classes have the same number of keys, 1 to {MOST_KEYS}")
        for each in self._each:
            if any(before >= after for before, after in pairwise(each)):
                raise BookInvalid("the keys of a class are not sorted, or one is there twice")

    @property
    def name(self) -> str:
        """The name of this list: the number of its book and its part."""
        return f"{self.book}-{self.part}"

    @property
    def begins(self) -> int:
        """When its slips begin to count, Unix seconds."""
        return book_begin(self.book)

    @property
    def count(self) -> int:
        """How many keys each class has."""
        return len(self.keys[0]) // ED25519_KEY_LENGTH

    def find(self, public: bytes) -> tuple[int, int] | None:
        """The class of a key, and its place in the list, counted over both classes; None if it is not in it."""
        for klass, keys in zip(CLASSES, self._each, strict=True):
            place = bisect_left(keys, public)
            if keys[place : place + 1] == [public]:
                return klass, (klass - 1) * self.count + place
        return None

    def key_at(self, place: int) -> bytes:
        """The key at a place that `find` returned."""
        return self._each[place // self.count][place % self.count]

    @cached_property
    def _each(self) -> list[list[bytes]]:
        return [split_keys(keys) for keys in self.keys]


@dataclass(frozen=True)
class Revocation:
    """Slips to revoke. keys: their public keys, sorted; none revokes all of the list. Otherwise as BookList."""

    book: int
    part: int
    city: bytes
    keys: tuple[bytes, ...]

    @property
    def name(self) -> str:
        """The name of the list that has these slips."""
        return f"{self.book}-{self.part}"


def split_keys(keys: bytes) -> list[bytes]:
    """Joined keys, as a list."""
    return [keys[start : start + ED25519_KEY_LENGTH] for start in range(0, len(keys), ED25519_KEY_LENGTH)]


def sign_book(book: BookList, maker: Ed25519Signer) -> bytes:
    """The signed list of a book, for the city to register."""
    head = _HEAD.pack(_MAGIC, book.book, book.part, book.ends, book.city, book.count)
    return _signed(head + b"".join(book.keys), maker)


def sign_revocation(revocation: Revocation, maker: Ed25519Signer) -> bytes:
    """The signed list of slips to revoke."""
    keys = revocation.keys
    head = _REVOCATION_HEAD.pack(_REVOCATION_MAGIC, revocation.book, revocation.part, revocation.city, len(keys))
    return _signed(head + b"".join(keys), maker)


def open_book(content: bytes, makers: Sequence[bytes]) -> BookList:
    """Read a list that one of the makers (public keys) has signed. Raises BookInvalid."""
    body = _opened(content, makers)
    if len(body) < _HEAD.size or not body.startswith(_MAGIC):
        raise BookInvalid("not the list of a code book")
    _, book, part, ends, city, count = _HEAD.unpack_from(body)
    size = count * ED25519_KEY_LENGTH
    keys = body[_HEAD.size :]
    if len(keys) != len(CLASSES) * size:
        raise BookInvalid("the list of a code book is cut, or too long")
    return BookList(book, part, ends, city, (keys[:size], keys[size:]))


def open_revocation(content: bytes, makers: Sequence[bytes]) -> Revocation:
    """Read slips to revoke that one of the makers (public keys) has signed. Raises BookInvalid."""
    body = _opened(content, makers)
    if len(body) < _REVOCATION_HEAD.size or not body.startswith(_REVOCATION_MAGIC):
        raise BookInvalid("not a list of slips to revoke")
    _, book, part, city, count = _REVOCATION_HEAD.unpack_from(body)
    keys = body[_REVOCATION_HEAD.size :]
    if len(keys) != count * ED25519_KEY_LENGTH:
        raise BookInvalid("the list of slips to revoke is cut, or too long")
    return Revocation(book, part, city, tuple(split_keys(keys)))


def _signed(body: bytes, maker: Ed25519Signer) -> bytes:
    return body + maker.sign(body)


def _opened(content: bytes, makers: Sequence[bytes]) -> bytes:
    body = content[:-_SIGNATURE_LENGTH]
    signature = content[-_SIGNATURE_LENGTH:]
    if len(content) > MOST_LIST_BYTES or not any(verify_ed25519(maker, signature, body) for maker in makers):
        raise BookInvalid("no maker of code books that the signer knows has signed this")
    return body
