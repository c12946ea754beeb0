# SPDX-License-Identifier: Apache-2.0
"""Hybrid logical clocks: which of two versions of a fact is the newer one, without trusting any phone's watch.

A clock is text that sorts as it counts: `1597372800000.0000.12a1b2c3d4`, milliseconds since 1970, a counter, who.
Source: S. Kulkarni et al., "Logical Physical Clocks and Consistent Snapshots in Globally Distributed Databases" (2014).
"""

import datetime
import re
import secrets
import uuid
from collections.abc import Iterable

FIRST = ""
_CLOCK = re.compile(r"[0-9]{13}\.[0-9a-f]{4}\.[0-9a-z]{1,20}")
_LAST_COUNT = 0xFFFF
OFFICE = "office"


def is_clock(text: object) -> bool:
    """Whether a text is a clock; FIRST, the version before any change, is none."""
    return isinstance(text, str) and _CLOCK.fullmatch(text) is not None


def milliseconds_of(clock: str) -> int:
    """The wall time in a clock, milliseconds since 1970."""
    return int(clock[:13])


def next_clock(now: datetime.datetime, seen: Iterable[str], who: str = OFFICE) -> str:
    """A clock later than `now` and than every one in `seen`."""
    wall = int(now.timestamp() * 1000)
    newest = max((clock for clock in seen if clock), default="")
    if newest and milliseconds_of(newest) >= wall:
        wall, count = milliseconds_of(newest), int(newest[14:18], 16) + 1
        if count > _LAST_COUNT:
            wall, count = wall + 1, 0
    else:
        count = 0
    return f"{wall:013d}.{count:04x}.{who}"


def new_key(now: datetime.datetime) -> uuid.UUID:
    """A UUIDv7 (RFC 9562): ids that sort by time."""
    value = int(now.timestamp() * 1000) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    return uuid.UUID(int=value & ~(0x3 << 62) | 0x2 << 62)
