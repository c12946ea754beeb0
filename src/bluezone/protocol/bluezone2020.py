# SPDX-License-Identifier: Apache-2.0
"""The Bluezone app of 2020: its identifiers and frames.

This code exists so that the logs and phones of that time can still be read.
"""

from dataclasses import dataclass
from hashlib import sha256

from bluezone.refusal import Refused

KEY_LENGTH = 32
IDENTIFIER_LENGTH = 12
MILLISECONDS_PER_DAY = 86_400_000
SLOTS_PER_DAY = 96
MOST_SLOTS_PER_DAY = 1440
# One century. The key chain is computed day by day, so a hostile date could take minutes.
MOST_DAYS = 36_525

SERVICE_UUID = 0x4E56
IPHONE_SERVICE_UUID = "00004E56-73F5-4BC4-A12F-17D1AD07A667"
IPHONE_CHARACTERISTIC_UUID = "00004E56-73F5-4BC4-A12F-17D1AD07A689"
COMPANY_ID = 0x22B5

_SUB_KEY_TEXT = b"bluzonesubkey"  # the original's spelling
_IDENTIFIER_PLACES = (0, 4, 8, 12, 16, 18, 20, 22, 24, 26, 28, 30)
# Types of advertising data (Bluetooth Assigned Numbers).
_FLAGS = 0x01
_SOME_UUIDS16 = 0x02
_ALL_UUIDS16 = 0x03
_SOME_UUIDS128 = 0x06
_ALL_UUIDS128 = 0x07
_MANUFACTURER = 0xFF
_SERVICE_BYTES = SERVICE_UUID.to_bytes(2, "little")
_IPHONE_SERVICE_BYTES = bytes.fromhex(IPHONE_SERVICE_UUID.replace("-", ""))[::-1]
_COMPANY_BYTES = COMPANY_ID.to_bytes(2, "little")


class InvalidBluezone2020(Refused):
    """The original app has no identifier for this key, slot count or moment."""

    code = "bluezone2020_invalid"


@dataclass(frozen=True, slots=True)
class BluezoneDay:
    """What the original app derives for the UTC day of one moment.

    daily_key, sub_key_0: 32 bytes each.
    identifiers:          12 bytes each, one per slot.
    starts_ms:            Unix milliseconds at which each slot begins.
    index:                slot of the moment. If the slot count does not divide the day, it is one too high in the
                          last milliseconds of the day.
    """

    daily_key: bytes
    sub_key_0: bytes
    identifiers: tuple[bytes, ...]
    starts_ms: tuple[int, ...]
    index: int

    @property
    def identifier(self) -> bytes:
        """The identifier sent at the moment. Raises InvalidBluezone2020 where the original fails as well."""
        if self.index >= len(self.identifiers):
            raise InvalidBluezone2020(f"slot {self.index} is past the day's {len(self.identifiers)} slots")
        return self.identifiers[self.index]


def bluezone_day(base: bytes, created_ms: int, at_ms: int, slots: int = SLOTS_PER_DAY) -> BluezoneDay:
    """Derive the identifiers of the UTC day of `at_ms`.

    base:       32 random bytes, made at created_ms (Unix milliseconds).
    slots:      identifiers a day, 2..1440; the app used 96, its first version with rotation 144.
    Raises InvalidBluezone2020.
    """
    check_slots(slots)
    key = daily_key(base, at_ms // MILLISECONDS_PER_DAY - created_ms // MILLISECONDS_PER_DAY)
    start_ms = at_ms // MILLISECONDS_PER_DAY * MILLISECONDS_PER_DAY
    step_ms = MILLISECONDS_PER_DAY // slots
    return BluezoneDay(
        daily_key=key,
        sub_key_0=first_sub_key(key),
        identifiers=tuple(day_identifiers(key, slots)),
        starts_ms=tuple(start_ms + slot * step_ms for slot in range(slots)),
        index=slot_at(at_ms, slots),
    )


def daily_key(base: bytes, days: int) -> bytes:
    """Return the key of `days` UTC days after the day of `base`, 32 bytes; like the original, `base` if days < 0."""
    if len(base) != KEY_LENGTH:
        raise InvalidBluezone2020(f"base key is {len(base)} bytes, expected {KEY_LENGTH}")
    if days > MOST_DAYS:
        raise InvalidBluezone2020(f"{days} days after the base key, expected at most {MOST_DAYS}")
    for _ in range(days):
        base = sha256(base).digest()
    return base


def first_sub_key(daily: bytes) -> bytes:
    """Return the key of the first slot of a day."""
    return sha256(daily + _SUB_KEY_TEXT).digest()


def day_identifiers(daily: bytes, slots: int = SLOTS_PER_DAY) -> list[bytes]:
    """Return the identifiers of one day, 12 bytes each."""
    check_slots(slots)
    sub_key = first_sub_key(daily)
    identifiers = [identifier_of(sub_key)]
    for _ in range(slots - 1):
        sub_key = sha256(sub_key).digest()
        identifiers.append(identifier_of(sub_key))
    return identifiers


def identifier_of(sub_key: bytes) -> bytes:
    """Return 12 of a sub key's 32 bytes. For a sub key of any other length, return 12 zero bytes like the original."""
    if len(sub_key) != KEY_LENGTH:
        return bytes(IDENTIFIER_LENGTH)
    return bytes(sub_key[place] for place in _IDENTIFIER_PLACES)


def slot_at(at_ms: int, slots: int = SLOTS_PER_DAY) -> int:
    """Return the slot of `at_ms` in its UTC day."""
    return at_ms % MILLISECONDS_PER_DAY // (MILLISECONDS_PER_DAY // slots)


def identifier_changed(before_ms: int, after_ms: int, slots: int = SLOTS_PER_DAY) -> bool:
    """Return whether the slot of the day differs; like the original, a whole number of days makes no difference."""
    return slot_at(before_ms, slots) != slot_at(after_ms, slots)


def check_slots(slots: int) -> None:
    """Refuse a slot count outside 2..1440: for 1 the original makes no identifiers, and no phone had more than 1440."""
    if not 2 <= slots <= MOST_SLOTS_PER_DAY:
        raise InvalidBluezone2020(f"{slots} slots a day, expected 2..{MOST_SLOTS_PER_DAY}")


def build_advertisement(identifier: bytes) -> bytes:
    """Return the frame of an Android phone of 2020: flags, service 0x4E56, the identifier as manufacturer data."""
    if len(identifier) != IDENTIFIER_LENGTH:
        raise InvalidBluezone2020(f"identifier is {len(identifier)} bytes, expected {IDENTIFIER_LENGTH}")
    return (
        bytes((2, _FLAGS, 0x1A, 3, _ALL_UUIDS16))
        + _SERVICE_BYTES
        + bytes((3 + IDENTIFIER_LENGTH, _MANUFACTURER))
        + _COMPANY_BYTES
        + identifier
    )


def read_identifier(advertising_data: bytes, *, as_iphone: bool = False) -> bytes | None:
    """Return the identifier in a frame, or None if the original would read none.

    as_iphone: read like the iPhone version, which checks neither the service nor the company.
    """
    structures = _structures(advertising_data)
    manufacturer = [content for kind, content in structures if kind == _MANUFACTURER]
    if not as_iphone:
        if not _lists_service(structures, (_SOME_UUIDS16, _ALL_UUIDS16), _SERVICE_BYTES):
            return None
        manufacturer = [content for content in manufacturer if content.startswith(_COMPANY_BYTES)]
    if not manufacturer or len(manufacturer[0]) != len(_COMPANY_BYTES) + IDENTIFIER_LENGTH:
        return None
    return manufacturer[0][len(_COMPANY_BYTES) :]


def is_iphone_advertisement(advertising_data: bytes) -> bool:
    """Whether an iPhone sent the frame. Its identifier is not in the frame, but in IPHONE_CHARACTERISTIC_UUID."""
    return _lists_service(_structures(advertising_data), (_SOME_UUIDS128, _ALL_UUIDS128), _IPHONE_SERVICE_BYTES)


def _lists_service(structures: list[tuple[int, bytes]], kinds: tuple[int, int], uuid: bytes) -> bool:
    for kind, content in structures:
        if kind not in kinds:
            continue
        if any(uuid == content[at : at + len(uuid)] for at in range(0, len(content), len(uuid))):
            return True
    return False


def _structures(advertising_data: bytes) -> list[tuple[int, bytes]]:
    """Return (type, content) of each structure before the first empty or truncated one."""
    structures = []
    position = 0
    while position < len(advertising_data):
        length = advertising_data[position]
        content = advertising_data[position + 1 : position + 1 + length]
        if length == 0 or len(content) < length:
            break
        structures.append((content[0], content[1:]))
        position += 1 + length
    return structures
