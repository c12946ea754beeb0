# SPDX-License-Identifier: Apache-2.0
"""What every radio must do (radio/interface.py), whatever is beneath it: two radios near each other, and a witness.

Used by test_contract.py for the virtual ones and the Android double, and in the guest of tests/radio/kernel for
hci-socket, so nothing here needs pytest. Each check opens and closes the radios itself and may be run alone.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bluezone.radio.frames import (
    advertisement,
    contact_advertisement,
    parse_contact,
    parse_reciprocity,
    reciprocity_advertisement,
    service_data,
)
from bluezone.radio.interface import AdvertisingRefused, Radio, RadioFailed

FIRST, SECOND = bytes.fromhex("0a0000000001"), bytes.fromhex("0a0000000002")
BESIDE = bytes.fromhex("0a0000000003")
PATIENCE_SECONDS = 60.0


@dataclass
class Place:
    """Two radios in hearing distance, what a third heard of them (address, data, kind of PDU), and who they are."""

    one: Radio
    other: Radio
    sent: list[tuple[bytes, bytes, int]] = field(default_factory=list)
    owns_address: bool = True
    has_second_set: bool = True
    patience_seconds: float = PATIENCE_SECONDS


class Heard:
    """Keeps reports."""

    def __init__(self) -> None:
        self.reports: list[tuple[bytes, bytes, int]] = []

    def __call__(self, address: bytes, data: bytes, rssi_dbm: int) -> None:
        self.reports.append((address, data, rssi_dbm))

    def payloads(self) -> list[bytes]:
        return [payload for _, data, _ in self.reports if (payload := parse_contact(data)) is not None]


def payload(number: int) -> bytes:
    """20 bytes that nothing else sends."""
    return bytes([number]) * 20


async def until(place: Place, condition: Callable[[], object], what: str) -> None:
    """Wait on the loop's clock, simulated or real."""
    loop = asyncio.get_running_loop()
    end = loop.time() + place.patience_seconds
    while not condition():
        assert loop.time() < end, f"{what} did not happen within {place.patience_seconds:.0f} s"
        await asyncio.sleep(0.05)


async def speaks(radio: Radio, number: int, address: bytes) -> None:
    """Advertise a contact frame as the beacon does."""
    await radio.set_address(address)
    await radio.start_advertising(contact_advertisement(payload(number)), 250)


async def hears_what_another_sends(place: Place) -> None:
    """Every report has the address, the data and a strength; both speak and listen at the same time."""
    heard = Heard(), Heard()
    for radio, address, number, ear in ((place.one, FIRST, 1, heard[0]), (place.other, SECOND, 2, heard[1])):
        await radio.open()
        await speaks(radio, number, address)
        await radio.start_scanning(500, 500, ear)
    await until(place, lambda: all(len(ear.payloads()) >= 3 for ear in heard), "hearing each other")
    assert set(heard[0].payloads()) == {payload(2)}, "a radio must not hear itself, nor anything but what is sent"
    assert set(heard[1].payloads()) == {payload(1)}
    for address, _, rssi_dbm in heard[0].reports:
        assert len(address) == 6
        assert -110 <= rssi_dbm <= -20
    assert {kind for _, _, kind in place.sent} == {3}, "only ADV_NONCONN_IND may be sent"


async def changes_address_and_payload_together(place: Place) -> None:
    """After stop, set_address and start nobody sees the old payload with the new address, nor the other way round."""
    await place.one.open()
    await speaks(place.one, 1, FIRST)
    await until(place, lambda: place.sent, "sending")
    await place.one.stop_advertising()
    before = len(place.sent)
    await speaks(place.one, 2, SECOND)
    await until(place, lambda: len(place.sent) > before + 2, "sending again")
    pairs = {(address, parse_contact(data)) for address, data, _ in place.sent}
    assert len(pairs) == len({address for address, _ in pairs}) == len({sent for _, sent in pairs}) == 2
    assert {parse_contact(data) for _, data, _ in place.sent[before:]} == {payload(2)}
    for address, _ in pairs:
        assert address[0] >> 6 in (0, 1), "an address must be private: 00 non-resolvable, 01 resolvable"
    if place.owns_address:
        assert {address for address, _ in pairs} == {FIRST, SECOND}


async def is_silent_after_stop_and_stop_may_be_repeated(place: Place) -> None:
    """Once stop_advertising has returned nothing more is sent."""
    await place.one.open()
    await speaks(place.one, 1, FIRST)
    await until(place, lambda: place.sent, "sending")
    await place.one.stop_advertising()
    sent = len(place.sent)
    await asyncio.sleep(2)
    assert len(place.sent) == sent
    await place.one.stop_advertising()


async def is_deaf_after_stop_and_hears_again(place: Place) -> None:
    """Once stop_scanning has returned nothing more is reported; a new start reports to the new listener only."""
    for radio in (place.one, place.other):
        await radio.open()
    await speaks(place.other, 2, SECOND)
    first, second = Heard(), Heard()
    await place.one.start_scanning(500, 500, first)
    await until(place, first.payloads, "hearing")
    await place.one.stop_scanning()
    told = len(first.reports)
    await asyncio.sleep(2)
    assert len(first.reports) == told
    await place.one.start_scanning(500, 500, second)
    await until(place, second.payloads, "hearing again")
    assert len(first.reports) == told


async def rotates_again_and_again_without_going_deaf(place: Place) -> None:
    """Eight rotations in a row, as fast as a gate or a handed-over key may ask for; each payload is heard."""
    for radio in (place.one, place.other):
        await radio.open()
    heard, ear = Heard(), Heard()
    await place.one.start_scanning(100, 100, heard)
    for number in range(1, 9):
        await place.other.start_scanning(500, 500, ear)
        await place.other.stop_scanning()
        await place.other.stop_advertising()
        await speaks(place.other, number, bytes([10, 0, 0, 0, 1, number]))
        await until(place, lambda number=number: payload(number) in heard.payloads(), f"hearing payload {number}")
    assert list(dict.fromkeys(heard.payloads())) == [payload(number) for number in range(1, 9)]


async def carries_the_frames_of_gates(place: Place) -> None:
    """13 bytes from a gate and 17 from a phone go through as the contact frame does."""
    for radio in (place.one, place.other):
        await radio.open()
    heard = Heard()
    await place.other.start_scanning(100, 100, heard)
    for length in (13, 17):
        await place.one.set_address(FIRST)
        await place.one.start_advertising(advertisement(bytes([length]) * length), 100)
        await until(
            place,
            lambda length=length: any(service_data(data, length) for _, data, _ in heard.reports),
            f"hearing {length} bytes",
        )
        await place.one.stop_advertising()


def frame(number: int) -> bytes:
    """A reciprocity frame that nothing else sends."""
    return b"\x03" + bytes([number]) * 22


async def sends_a_second_set_beside_the_first_or_refuses_and_goes_on(place: Place) -> None:
    """It has an address of its own, keeps it when its data change, and stops while the first set goes on."""

    def sent(wanted: bytes) -> list[tuple[bytes, bytes, int]]:
        return [one for one in place.sent if parse_reciprocity(one[1]) == wanted]

    radio = place.one
    await radio.open()
    await speaks(radio, 1, FIRST)
    if not place.has_second_set:
        try:
            await radio.start_second_set(BESIDE, reciprocity_advertisement(frame(1)), 250)
        except AdvertisingRefused:
            await radio.stop_second_set()
            before = len(place.sent)
            await until(place, lambda: len(place.sent) > before, "going on with the first set")
            return
        raise AssertionError("this radio has one set")
    await radio.start_second_set(BESIDE, reciprocity_advertisement(frame(1)), 250)
    await until(place, lambda: sent(frame(1)), "sending the second set")
    await radio.change_second_set(reciprocity_advertisement(frame(2)))
    await until(place, lambda: sent(frame(2)), "sending other data")
    addresses = {address for wanted in (1, 2) for address, _, _ in sent(frame(wanted))}
    first = {address for address, data, _ in place.sent if parse_contact(data)}
    assert len(addresses) == len(first) == 1
    assert addresses != first, "an address of its own"
    if place.owns_address:
        assert addresses == {BESIDE}
    assert {kind for _, _, kind in place.sent} == {3}
    await radio.stop_second_set()
    before = len(place.sent)
    await asyncio.sleep(2)
    assert len(place.sent) > before, "the first set goes on"
    assert all(parse_contact(data) for _, data, _ in place.sent[before:])
    await radio.stop_second_set()


async def refuses_commands_while_it_is_closed(place: Place) -> None:
    """Before open and after close every command is refused; it may be opened again and closed twice."""
    radio = place.one
    for _ in range(2):
        for command in (
            radio.stop_advertising,
            radio.stop_scanning,
            radio.stop_second_set,
            lambda: speaks(radio, 1, FIRST),
        ):
            try:
                await command()
            except RadioFailed:
                continue
            raise AssertionError("a closed radio must refuse")
        await radio.open()
        assert not radio.lost
        assert radio.model
        await speaks(radio, 1, FIRST)
        if place.has_second_set:
            await radio.start_second_set(BESIDE, reciprocity_advertisement(frame(1)), 250)
        await radio.close()
        await radio.close()
        sent = len(place.sent)
        await asyncio.sleep(1)
        assert len(place.sent) == sent, "a closed radio is silent"


CHECKS: tuple[Callable[[Place], Awaitable[None]], ...] = (
    hears_what_another_sends,
    changes_address_and_payload_together,
    is_silent_after_stop_and_stop_may_be_repeated,
    is_deaf_after_stop_and_hears_again,
    rotates_again_and_again_without_going_deaf,
    carries_the_frames_of_gates,
    sends_a_second_set_beside_the_first_or_refuses_and_goes_on,
    refuses_commands_while_it_is_closed,
)


async def run(check: Callable[[Place], Awaitable[None]], place: Place) -> None:
    """Run one check and close both radios, whatever came of it."""
    try:
        await check(place)
    finally:
        for radio in (place.one, place.other):
            await radio.close()
