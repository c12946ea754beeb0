# SPDX-License-Identifier: Apache-2.0
"""The pages of the encounter log: what was heard, as it is stored."""

import json
import struct
import zlib
from dataclasses import dataclass, field

from bluezone.handset.clocks import Stamp, stamp_to_json
from bluezone.handset.vault import HandsetStoreDamaged

MAX_FRAMES_PER_BURST = 255
MAX_BURSTS = 65_535
REPEAT_SECONDS = 60.0

_LENGTH = struct.Struct(">I")
_RECORD = struct.Struct(">16s4sH")
_BURST = struct.Struct(">IdfB")


@dataclass(slots=True)
class HeardBurst:
    """One identifier in one scan burst; rssi_dbm: as received, one per frame."""

    number: int
    boot_seconds: float
    seconds_since_previous: float
    rssi_dbm: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Heard:
    """One identifier with its encrypted metadata and every burst of the page it was heard in, oldest first."""

    identifier: bytes
    metadata: bytes
    bursts: list[HeardBurst] = field(default_factory=list)

    def add(self, number: int, boot_seconds: float, since_previous: float, rssi_dbm: int) -> None:
        """Note one frame; frames over 255 a burst and bursts over 65,535 a page are ignored."""
        if not self.bursts or self.bursts[-1].number != number:
            if len(self.bursts) == MAX_BURSTS:
                return
            self.bursts.append(HeardBurst(number, boot_seconds, since_previous))
        if len(self.bursts[-1].rssi_dbm) < MAX_FRAMES_PER_BURST:
            self.bursts[-1].rssi_dbm.append(rssi_dbm)

    @property
    def frame(self) -> bytes:
        """Identifier and metadata together, 20 bytes: a copy with other metadata is another entry."""
        return self.identifier + self.metadata

    @property
    def repeated(self) -> bool:
        """Heard in two bursts at least 60 s apart."""
        return self.bursts[-1].boot_seconds - self.bursts[0].boot_seconds >= REPEAT_SECONDS

    def to_bytes(self) -> bytes:
        """The record."""
        parts = [_RECORD.pack(self.identifier, self.metadata, len(self.bursts))]
        for burst in self.bursts:
            count = len(burst.rssi_dbm)
            parts.append(_BURST.pack(burst.number, burst.boot_seconds, burst.seconds_since_previous, count))
            parts.append(struct.pack(f"{count}b", *burst.rssi_dbm))
        return b"".join(parts)


@dataclass(slots=True)
class Page:
    """Everything heard in one stretch of day `day` (UTC) under one stamp, by frame."""

    stamp: Stamp
    day: int
    heard: dict[bytes, Heard] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The page as it is sealed."""
        head = json.dumps({"stamp": stamp_to_json(self.stamp), "day": self.day}).encode()
        records = zlib.compress(b"".join(heard.to_bytes() for heard in self.heard.values()), 1)
        return _LENGTH.pack(len(head)) + head + records

    @classmethod
    def from_bytes(cls, data: bytes) -> "Page":
        """Read a page. Raises HandsetStoreDamaged."""
        try:
            (length,) = _LENGTH.unpack_from(data)
            head = json.loads(data[_LENGTH.size : _LENGTH.size + length])
            page = cls(Stamp(**head["stamp"]), head["day"])
            records, at = zlib.decompress(data[_LENGTH.size + length :]), 0
            while at < len(records):
                heard, at = _read_heard(records, at)
                page.heard[heard.frame] = heard
        except (struct.error, zlib.error, ValueError, KeyError, TypeError) as error:
            raise HandsetStoreDamaged("a page of the encounter log cannot be read") from error
        return page


def _read_heard(records: bytes, at: int) -> tuple[Heard, int]:
    identifier, metadata, count = _RECORD.unpack_from(records, at)
    at += _RECORD.size
    heard = Heard(identifier, metadata)
    for _ in range(count):
        number, boot_seconds, since_previous, frames = _BURST.unpack_from(records, at)
        at += _BURST.size
        rssi_dbm = list(struct.unpack_from(f"{frames}b", records, at))
        at += frames
        heard.bursts.append(HeardBurst(number, boot_seconds, since_previous, rssi_dbm))
    return heard, at
