# SPDX-License-Identifier: Apache-2.0
"""The advertisements: contacts, reciprocity, gates and answers to gates under one UUID, told apart by length.

Android puts flags into connectable advertisements only and lets no app set them, so what an Android phone sends lacks
the first three bytes; that one other form is accepted too, and nothing else.
Source: docs/protocol.md sections 2 and 7.
"""

from functools import cache

from bluezone.protocol.reciprocity import FRAME_LENGTH, is_reciprocity_frame

DEFAULT_UUID = 0x4E56  # the original's; not assigned to us by the Bluetooth SIG, therefore a setting
EXPOSURE_NOTIFICATION_UUID = 0xFD6F
SERVICE_DATA_LENGTH = 20  # identifier (16) and encrypted metadata (4)
FLAGS = bytes.fromhex("02011a")

WEAKEST_RSSI_DBM = -110
STRONGEST_RSSI_DBM = -20  # anything stronger is nearer than a hand's breadth: no second person, but an amplifier


def contact_advertisement(service_data: bytes, uuid: int = DEFAULT_UUID) -> bytes:
    """Lay out the advertising data of a contact frame.

    service_data:  rolling proximity identifier and encrypted metadata, 20 bytes.
    uuid:          16-bit service UUID, 0..65535.
    Returns 31 bytes, all that a legacy advertisement holds.
    Raises ValueError on another length or UUID: both are ours, never input.
    """
    if len(service_data) != SERVICE_DATA_LENGTH:
        raise ValueError(f"service data is {len(service_data)} bytes, expected {SERVICE_DATA_LENGTH}")
    return advertisement(service_data, uuid)


def advertisement(service_data: bytes, uuid: int = DEFAULT_UUID) -> bytes:
    """Lay out advertising data, flags first; contacts have 20 bytes of service data, the gate's frames 13 and 17."""
    return _prefix(len(service_data), uuid) + service_data


def parse_contact(advertising_data: bytes, uuid: int = DEFAULT_UUID) -> bytes | None:
    """Return the 20 bytes of service data if this is a contact frame to the byte, else None.

    Nothing else is accepted: no other order, no further structure, no other length, no other flags. A handset always
    sends the same layout, so a frame that deviates is from another application or an experiment.
    """
    return service_data(advertising_data, SERVICE_DATA_LENGTH, uuid)


def reciprocity_advertisement(frame: bytes, uuid: int = DEFAULT_UUID) -> bytes:
    """Lay out the advertising data of a reciprocity frame, 23 bytes of service data; with flags it would not fit.

    Returns 31 bytes. Raises ValueError on another length.
    """
    if len(frame) != FRAME_LENGTH:
        raise ValueError(f"a reciprocity frame has {len(frame)} bytes, expected {FRAME_LENGTH}")
    return advertisement(frame, uuid)[len(FLAGS) :]


def parse_reciprocity(advertising_data: bytes, uuid: int = DEFAULT_UUID) -> bytes | None:
    """Return the 23 bytes of service data if this is a reciprocity frame to the byte and without flags, else None."""
    head, frame = advertising_data[:-FRAME_LENGTH], bytes(advertising_data[-FRAME_LENGTH:])
    return frame if head == _prefix(FRAME_LENGTH, uuid)[len(FLAGS) :] and is_reciprocity_frame(frame) else None


def service_data(advertising_data: bytes, length: int, uuid: int = DEFAULT_UUID) -> bytes | None:
    """Return the service data if this is a frame of ours with so many bytes of it, laid out to the byte, else None."""
    prefix = _prefix(length, uuid)
    if len(advertising_data) < length:
        return None
    head = advertising_data[: len(advertising_data) - length]
    return bytes(advertising_data[len(head) :]) if head in (prefix, prefix[len(FLAGS) :]) else None


def plausible_rssi(rssi_dbm: int) -> bool:
    """Tell whether a sighting of this strength is kept: -110..-20 dBm, so neither 0 nor 127 ("not measured")."""
    return WEAKEST_RSSI_DBM <= rssi_dbm <= STRONGEST_RSSI_DBM


@cache
def _prefix(length: int, uuid: int) -> bytes:
    little = uuid.to_bytes(2, "little")
    return FLAGS + b"\x03\x03" + little + bytes([length + 3, 0x16]) + little
