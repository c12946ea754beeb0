# SPDX-License-Identifier: Apache-2.0
"""The signed index of the files that phones fetch, and how a phone follows its history.

Source: docs/protocol.md section 5, "History".
"""

from dataclasses import asdict, dataclass

from bluezone.protocol.signed.envelope import CHAIN_START, canonical_json, extend_chain
from bluezone.protocol.signed.members import JsonMembers
from bluezone.refusal import Refused

STALE_SECONDS = 36 * 3600
EXPORTS = "exports"
VENUES = "venues"

_SHA256 = r"[0-9a-f]{64}"
# A name becomes part of a URL and of a path: no separators, no leading dot.
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"


class InvalidIndex(Refused):
    """Not an index: another shape, or entries that are not consecutive."""

    code = "index_invalid"


class IndexRefused(Refused):
    """A valid index that does not continue the history that this phone has seen; the phone keeps its state."""

    code = "index_refused"


class IndexRolledBack(IndexRefused):
    """The number of the index is below the newest file that this phone has read."""

    code = "index_rolled_back"


class IndexHistoryDiffers(IndexRefused):
    """The index lists other files than this phone has fetched under the same numbers."""

    code = "index_history_differs"


class IndexGap(IndexRefused):
    """The index begins after the next file that this phone needs, so that files are missing."""

    code = "index_gap"


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One immutable file: its number, name, SHA-256 (hex) and size in bytes."""

    number: int
    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Index:
    """The files of the last 14 days.

    kind:          "exports" or "venues".
    number:        number of the newest file, 0 before the first.
    generated_at:  Unix seconds.
    config_sha256: SHA-256 (hex) of the payload of the current config.
    chain_before:  chain value (hex) before the first entry; without entries, the value after file `number`.
    entries:       consecutive, oldest first, up to `number`.
    revoked:       SHA256(V) (hex) of revoked venue codes, only in an index of venues.
    registered:    number of valid venue codes, only in an index of venues.
    epoch:         to which the numbers belong, 0 at first (docs/protocol.md section 5, "Epochs").
    earlier:       files of the last 14 days from before the epoch, with their old numbers, oldest first.
    earlier_chain: chain value (hex) before the first earlier file, "" if there are none.
    """

    kind: str
    number: int
    generated_at: int
    config_sha256: str
    chain_before: str
    entries: tuple[IndexEntry, ...]
    revoked: tuple[str, ...] = ()
    registered: int = 0
    epoch: int = 0
    earlier: tuple[IndexEntry, ...] = ()
    earlier_chain: str = ""

    @property
    def first_number(self) -> int:
        """Number of the first entry; without entries, the number of the next file."""
        return self.number - len(self.entries) + 1


def encode_index(index: Index) -> bytes:
    """Return the payload to sign."""
    members = asdict(index)
    if index.kind != VENUES:
        del members["revoked"], members["registered"]
    # Before the first epoch, the payload is the same as in versions without epochs.
    for name in ("epoch", "earlier", "earlier_chain"):
        if not members[name]:
            del members[name]
    return canonical_json(members)


def decode_index(payload: bytes) -> Index:
    """Read a payload that `open_signed` returned. Raises InvalidIndex."""
    members = JsonMembers.parse(payload, InvalidIndex)
    kind = members.text("kind", f"{EXPORTS}|{VENUES}")
    index = Index(
        kind=kind,
        number=members.integer("number"),
        generated_at=members.integer("generated_at"),
        config_sha256=members.text("config_sha256", _SHA256),
        chain_before=members.text("chain_before", _SHA256),
        entries=_entries(members.nested_list("entries")),
        revoked=members.texts("revoked", _SHA256) if kind == VENUES else (),
        registered=members.integer("registered") if kind == VENUES else 0,
        epoch=members.integer("epoch", lowest=1) if members.has("epoch") else 0,
        earlier=_entries(members.nested_list("earlier")) if members.has("earlier") else (),
        earlier_chain=members.text("earlier_chain", _SHA256) if members.has("earlier") else "",
    )
    if [entry.number for entry in index.entries] != list(range(index.first_number, index.number + 1)):
        raise InvalidIndex(f"the numbers of the entries are not consecutive up to {index.number}")
    if index.first_number < 1 or (index.first_number == 1 and index.chain_before != CHAIN_START.hex()):
        raise InvalidIndex("the chain before file 1 is not zero")
    _check_earlier(index)
    return index


def _entries(entries: list[JsonMembers]) -> tuple[IndexEntry, ...]:
    return tuple(
        IndexEntry(
            number=entry.integer("number", lowest=1),
            name=entry.text("name", _NAME),
            sha256=entry.text("sha256", _SHA256),
            size=entry.integer("size", lowest=1),
        )
        for entry in entries
    )


def _check_earlier(index: Index) -> None:
    numbers = [entry.number for entry in index.earlier]
    if numbers and not index.epoch:
        raise InvalidIndex("files from before an epoch are listed, but no epoch")
    if numbers != sorted(set(numbers)) or (numbers and numbers[-1] >= index.first_number):
        raise InvalidIndex("the files from before the epoch are not in the order of their numbers")
    if index.earlier and chain_heads(index)[index.earlier[-1].number] != index.chain_before:
        raise InvalidIndex("the chain of the files from before the epoch does not lead to those after it")


def chain_heads(index: Index) -> dict[int, str]:
    """Return every chain value (hex) that follows from an index, by the number of the file before the value."""
    values: dict[int, str] = {}
    sequences = ((index.earlier_chain, index.earlier), (index.chain_before, index.entries))
    for before, entries in sequences:
        if not before:
            continue
        value = bytes.fromhex(before)
        first = entries[0].number if entries else index.first_number
        values[first - 1] = before
        for entry in entries:
            value = extend_chain(value, bytes.fromhex(entry.sha256))
            values[entry.number] = value.hex()
    return values


def chain_value(index: Index, upto_number: int) -> bytes:
    """Return the chain value after file `upto_number`, 32 bytes.

    upto_number: from the number before the first entry up to index.number.
    Raises IndexGap for smaller numbers, IndexRolledBack for larger ones.
    """
    if upto_number < index.first_number - 1:
        raise IndexGap(f"index begins with file {index.first_number}, but this phone has read only up to {upto_number}")
    if upto_number > index.number:
        raise IndexRolledBack(f"index ends with file {index.number}, but this phone has read up to {upto_number}")
    value = bytes.fromhex(index.chain_before)
    for entry in index.entries[: upto_number - index.first_number + 1]:
        value = extend_chain(value, bytes.fromhex(entry.sha256))
    return value


def follow_index(index: Index, known_number: int, known_chain: bytes) -> list[IndexEntry]:
    """Return the entries to fetch, oldest first, if `index` continues the history of this phone.

    known_number: number of the newest file that the phone has read, 0 on a new phone.
    known_chain:  chain value after this file, 32 bytes, CHAIN_START on a new phone.
    On a new phone these are all files of the index. Raises IndexRolledBack, IndexHistoryDiffers, IndexGap.
    """
    if known_number == 0 and index.first_number > 1:
        return list(index.entries)
    if chain_value(index, known_number) != known_chain:
        raise IndexHistoryDiffers(f"index lists other files up to number {known_number} than this phone has fetched")
    return list(index.entries[known_number - index.first_number + 1 :])
