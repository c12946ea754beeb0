# SPDX-License-Identifier: Apache-2.0
"""Converts between advertising data as bytes and the values that Android takes and gives.

Android builds the bytes itself: the service UUIDs (AD type 3), then the service data (0x16). Flags are added by the
system to connectable advertisements and to no other, so ours are sent without flags.
Source: Core Specification Supplement, Part A, 1; AOSP AdvertiseHelper and le_advertising_manager.cc.
"""

from collections.abc import Iterator
from dataclasses import dataclass

# All that fits the 16 bits in which Android counts hundredths of a second; the system ends the set by itself then.
LONGEST_ADVERTISING_SECONDS = 655.35

FLAGS, COMPLETE_16_BIT_UUIDS, SERVICE_DATA_16_BIT = 0x01, 0x03, 0x16


@dataclass(frozen=True)
class ServiceAdvertisement:
    """uuid: 16 bits. service_data: at most 23 bytes."""

    uuid: int
    service_data: bytes


def structures(advertising_data: bytes) -> Iterator[tuple[int, bytes]]:
    """AD type and contents of each structure; ends at the zeros with which Android pads a scan record, or at a cut."""
    place = 0
    while place < len(advertising_data) and (length := advertising_data[place]):
        structure = advertising_data[place + 1 : place + 1 + length]
        if len(structure) < length:
            return
        yield structure[0], bytes(structure[1:])
        place += 1 + length


def service_advertisement(advertising_data: bytes) -> ServiceAdvertisement:
    """Split one of our own frames (frames.py). Raises ValueError for anything else, which is never input."""
    found = [(kind, contents) for kind, contents in structures(advertising_data) if kind != FLAGS]
    if [kind for kind, _ in found] != [COMPLETE_16_BIT_UUIDS, SERVICE_DATA_16_BIT]:
        raise ValueError("only one complete list of UUIDs followed by service data can be advertised")
    uuids, data = (contents for _, contents in found)
    if len(uuids) != 2 or data[:2] != uuids:
        raise ValueError("the service data must be of the one UUID in the list")
    return ServiceAdvertisement(int.from_bytes(uuids, "little"), data[2:])


def trimmed(scan_record: bytes) -> bytes:
    """A scan record without the zeros behind its last structure: the advertising data as they were on the air."""
    return b"".join(bytes([len(contents) + 1, kind]) + contents for kind, contents in structures(scan_record))
