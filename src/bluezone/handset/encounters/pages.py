# SPDX-License-Identifier: Apache-2.0
"""The stored form of the encounter log: pages with the identifiers that were heard."""

import json
import math
import struct
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bluezone.handset.clocks import Stamp, stamp_to_json
from bluezone.handset.vault import HandsetStoreDamaged
from bluezone.protocol.reciprocity import ENTRIES, ENTRY_LENGTH, NONCE_LENGTH

MAX_FRAMES_PER_BURST = 255
MAX_BURSTS = 65_535
REPEAT_SECONDS = 60.0

FRAME_LENGTH = 20
# The stored part of a reciprocity frame: nonce and entries, without its type and its sender.
RECIPROCITY_LENGTH = NONCE_LENGTH + ENTRIES * ENTRY_LENGTH

_LENGTH = struct.Struct(">I")
_RECORD = struct.Struct(">16s4sH")
_BURST = struct.Struct(">IdfB")
_RECIPROCITY = struct.Struct(f">HH{RECIPROCITY_LENGTH}s")
_BOOT_SECONDS = struct.Struct(">d")
# Offsets of a burst's time and its number of frames in its record.
_BOOT_SECONDS_AT = 4
_FRAMES_AT = 16

_DAMAGE = (struct.error, zlib.error, ValueError, KeyError, TypeError, IndexError)
_DAMAGED = "a page of the encounter log cannot be read"


@dataclass(slots=True)
class HeardBurst:
    """One identifier in one scan burst.

    rssi_dbm:    uncorrected, one for each frame.
    reciprocity: reciprocity frames of the same sender, RECIPROCITY_LENGTH bytes each.
    """

    number: int
    boot_seconds: float
    seconds_since_previous: float
    rssi_dbm: list[int] = field(default_factory=list)
    reciprocity: list[bytes] = field(default_factory=list)

    @property
    def mean_rssi_dbm(self) -> float:
        """The mean over the frames, dBm."""
        return sum(self.rssi_dbm) / len(self.rssi_dbm)


@dataclass(slots=True)
class HeardIdentifier:
    """One identifier, its encrypted metadata, and every burst of a page in which it was heard, oldest first."""

    identifier: bytes
    metadata: bytes
    bursts: list[HeardBurst] = field(default_factory=list)

    def add(self, number: int, boot_seconds: float, since_previous: float, rssi_dbm: int) -> None:
        """Note one frame; ignore frames over 255 in a burst, and bursts over 65,535 in a page."""
        if not self.bursts or self.bursts[-1].number != number:
            if len(self.bursts) == MAX_BURSTS:
                return
            self.bursts.append(HeardBurst(number, boot_seconds, since_previous))
        if len(self.bursts[-1].rssi_dbm) < MAX_FRAMES_PER_BURST:
            self.bursts[-1].rssi_dbm.append(rssi_dbm)

    @property
    def frame(self) -> bytes:
        """Identifier and metadata, 20 bytes; a copied identifier with other metadata is a separate entry."""
        return self.identifier + self.metadata

    @property
    def is_repeated(self) -> bool:
        """Whether it was heard in two bursts at least 60 s apart."""
        return self.bursts[-1].boot_seconds - self.bursts[0].boot_seconds >= REPEAT_SECONDS

    def to_bytes(self) -> bytes:
        """Return the stored form of the entry, without reciprocity frames."""
        parts = [_RECORD.pack(self.identifier, self.metadata, len(self.bursts))]
        for burst in self.bursts:
            count = len(burst.rssi_dbm)
            parts.append(_BURST.pack(burst.number, burst.boot_seconds, burst.seconds_since_previous, count))
            parts.append(struct.pack(f"{count}b", *burst.rssi_dbm))
        return b"".join(parts)


@dataclass(slots=True)
class Page:
    """The identifiers heard during some minutes under one stamp.

    day:       UTC day since 1970-01-01.
    heard:     entries by frame.
    power_dbm: effective power at which this phone sent in that time; None in pages of older releases.
    """

    stamp: Stamp
    day: int
    heard: dict[bytes, HeardIdentifier] = field(default_factory=dict)
    power_dbm: int | None = None

    def to_bytes(self) -> bytes:
        """Return the stored form of the page, before it is sealed."""
        fields = {"stamp": stamp_to_json(self.stamp), "day": self.day, "power_dbm": self.power_dbm}
        head = json.dumps(fields).encode()
        records = zlib.compress(b"".join(heard.to_bytes() for heard in self.heard.values()), 1)
        # The reciprocity frames follow uncompressed, because encrypted bytes cannot be compressed.
        return b"".join([_LENGTH.pack(len(head)), head, records, *self._reciprocity_records()])

    def _reciprocity_records(self) -> Iterator[bytes]:
        for entry, heard in enumerate(self.heard.values()):
            for number, burst in enumerate(heard.bursts):
                for frame in burst.reciprocity:
                    yield _RECIPROCITY.pack(entry, number, frame)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Page":
        """Read a page. Raises HandsetStoreDamaged."""
        try:
            head, records, reciprocity = _open(data)
            page = cls(Stamp(**head["stamp"]), head["day"], power_dbm=head.get("power_dbm"))
            at = 0
            while at < len(records):
                heard, at = _read_heard(records, at)
                page.heard[heard.frame] = heard
            entries = list(page.heard.values())
            for entry, burst, frame in _RECIPROCITY.iter_unpack(reciprocity):
                entries[entry].bursts[burst].reciprocity.append(frame)
        except _DAMAGE as error:
            raise HandsetStoreDamaged(_DAMAGED) from error
        return page


@dataclass(frozen=True, slots=True)
class PageColumns:
    """The frames of a page and the time when each was heard first, for an index: 28 bytes for each entry.

    frames:          20 bytes for each entry, joined, in the page's order.
    first_seconds:   Unix seconds of each entry's first burst, rounded down; empty while the page has no time.
    longest_seconds: the longest time from the first to the last burst of an entry.
    """

    stamp: Stamp
    day: int
    frames: bytes
    first_seconds: "array[int]"
    longest_seconds: float

    def __len__(self) -> int:
        return len(self.frames) // FRAME_LENGTH

    def iterate_frames(self) -> Iterator[bytes]:
        """Iterate over the frames, 20 bytes each."""
        return (self.frames[at : at + FRAME_LENGTH] for at in range(0, len(self.frames), FRAME_LENGTH))

    @classmethod
    def from_page(cls, page: Page) -> "PageColumns":
        """Return the columns of a page in memory."""
        ends = [(heard.bursts[0].boot_seconds, heard.bursts[-1].boot_seconds) for heard in page.heard.values()]
        return cls._from_ends(page.stamp, page.day, list(page.heard), ends)

    @classmethod
    def from_bytes(cls, data: bytes) -> "PageColumns":
        """Read the columns of a stored page, five times as fast as the page. Raises HandsetStoreDamaged."""
        frames: list[bytes] = []
        ends: list[tuple[float, float]] = []
        try:
            head, records, _ = _open(data)
            stamp = Stamp(**head["stamp"])
            day = head["day"]
            at = 0
            while at < len(records):
                identifier, metadata, count = _RECORD.unpack_from(records, at)
                first = last = at = at + _RECORD.size
                for _ in range(count):
                    last = at
                    at += _BURST.size + records[at + _FRAMES_AT]
                frames.append(identifier + metadata)
                ends.append((_boot_seconds(records, first), _boot_seconds(records, last)))
            if at != len(records):
                raise ValueError(f"the records end at {at}, expected at {len(records)}")
        except _DAMAGE as error:
            raise HandsetStoreDamaged(_DAMAGED) from error
        return cls._from_ends(stamp, day, frames, ends)

    @classmethod
    def _from_ends(cls, stamp: Stamp, day: int, frames: list[bytes], ends: list[tuple[float, float]]) -> "PageColumns":
        seconds = [stamp.unix_seconds(first) for first, _ in ends]
        longest = max((last - first for first, last in ends), default=0.0)
        first_seconds = array("q", (math.floor(at) for at in seconds if at is not None))
        return cls(stamp, day, b"".join(frames), first_seconds, longest)


def _open(data: bytes) -> tuple[dict[str, Any], bytes, bytes]:
    """Return head, records and reciprocity frames of a stored page. Raises an exception in _DAMAGE."""
    (length,) = _LENGTH.unpack_from(data)
    head = json.loads(data[_LENGTH.size : _LENGTH.size + length])
    unzipping = zlib.decompressobj()
    records = unzipping.decompress(data[_LENGTH.size + length :])
    if not unzipping.eof:
        raise ValueError("the records are cut short")
    return head, records, unzipping.unused_data


def _boot_seconds(records: bytes, burst_at: int) -> float:
    (seconds,) = _BOOT_SECONDS.unpack_from(records, burst_at + _BOOT_SECONDS_AT)
    return float(seconds)


def _read_heard(records: bytes, at: int) -> tuple[HeardIdentifier, int]:
    identifier, metadata, count = _RECORD.unpack_from(records, at)
    at += _RECORD.size
    heard = HeardIdentifier(identifier, metadata)
    for _ in range(count):
        number, boot_seconds, since_previous, frames = _BURST.unpack_from(records, at)
        at += _BURST.size
        rssi_dbm = list(struct.unpack_from(f"{frames}b", records, at))
        at += frames
        heard.bursts.append(HeardBurst(number, boot_seconds, since_previous, rssi_dbm))
    return heard, at
