# SPDX-License-Identifier: Apache-2.0
"""The beacon's second set: what neighbours are told, how often, and that it never outlives the identifier it names."""

import asyncio
import itertools
import random

import pytest
from tests.radio.androiddouble import AndroidPhone
from tests.radio.handsets import running
from tests.radio.test_contract import OneSetController

from bluezone.radio.air import Pair, Scene, VirtualAir
from bluezone.radio.air.controller import virtual_radio
from bluezone.radio.frames import parse_contact, parse_reciprocity
from bluezone.radio.simulatedtime import run_simulated

ONE_METRE = Scene(default=Pair(1.0))


def android(air, name):
    from bluezone.radio.android import AndroidRadio

    return AndroidRadio(AndroidPhone(air, name, sdk=34).start_process())


RADIOS = {
    "light": lambda air, name: air.light_radio(name),
    "hci": lambda air, name: air.radio(name),
    "android": android,
}


def witnessed(air):
    """(time, address, data) of all that is on the air."""
    log, loop = [], asyncio.get_running_loop()
    witness = air.station("witness")
    witness.on_heard = lambda heard, _rssi: log.append((loop.time(), heard.address, heard.data))
    witness.start_scanning(0.1, 0.1)
    return log


@pytest.mark.long
@pytest.mark.parametrize("make", RADIOS.values(), ids=RADIOS)
def test_neither_set_outlives_a_rotation_and_the_two_never_share_an_address(make, android_double):
    async def main():
        air = VirtualAir(ONE_METRE, random.Random(1))
        log = witnessed(air)
        async with running(make(air, "one"), make(air, "other"), duty="mains", tell=True) as handsets:
            for _ in range(3):
                await asyncio.sleep(150)
                handsets[0].beacon.rotate_soon()
            await asyncio.sleep(20)
            return log, handsets[0].payload.turns

    log, turns = run_simulated(main())

    mine = [one for one in log if (parse_contact(one[2]) or parse_reciprocity(one[2])[1:])[:2] == b"\x00\x01"]
    assert turns == 4
    on_air, contact_of, frame_of, frames = [], {}, {}, 0
    for _, address, data in mine:
        contact = parse_contact(data)
        named = contact[:4] if contact else parse_reciprocity(data)[1:5]
        if named != (on_air[-1] if on_air else None):
            # Either set may be the first to send after a rotation; neither sends the identifier before it any more.
            assert named not in on_air, "a set outlived a rotation"
            on_air.append(named)
        frames += not contact
        of_its_kind = contact_of if contact else frame_of
        assert of_its_kind.setdefault(address, named) == named
    assert frames > 300
    assert not contact_of.keys() & frame_of.keys()
    assert len(set(frame_of.values())) == len(frame_of) == turns, "the second set has a new address each time too"


@pytest.mark.parametrize("make", RADIOS.values(), ids=RADIOS)
def test_frames_go_out_about_once_a_second_from_the_end_of_the_first_burst_on(make, android_double):
    async def main():
        air = VirtualAir(ONE_METRE, random.Random(1))
        log = witnessed(air)
        async with running(make(air, "one"), make(air, "other"), tell=True) as handsets:
            await asyncio.sleep(125)
            return log, handsets

    log, (one, other) = run_simulated(main())

    mine = [at for at, _, data in log if (frame := parse_reciprocity(data)) and frame[1:3] == b"\x00\x01"]
    assert 4 <= mine[0] <= 6
    gaps = [later - earlier for earlier, later in itertools.pairwise(mine)]
    assert sum(gaps) / len(gaps) == pytest.approx(1.005, abs=0.03)
    # A frame for one neighbour changes with the bursts only, so the processor sleeps between them.
    bursts = [burst for burst, _ in one.teller.told]
    assert bursts == [burst.number for burst in one.diary.bursts[: len(bursts)]]
    assert all(told == [other.payload.current[:16]] for _, told in one.teller.told)
    assert other.teller.frames


def test_with_more_than_four_neighbours_another_four_are_told_each_second():
    async def main():
        air = VirtualAir(ONE_METRE, random.Random(1))
        radios = [air.light_radio(str(number)) for number in range(10)]
        async with running(*radios, tell=True) as handsets:
            await asyncio.sleep(33)
            return handsets[0].teller.told

    told = run_simulated(main())

    assert 28 <= len(told) <= 30
    assert len({tuple(names) for _, names in told}) > 4
    assert {name[:2] for _, names in told for name in names} == {bytes([0, number]) for number in range(2, 11)}


@pytest.mark.long
@pytest.mark.parametrize("what", ["a controller with one set", "an Android phone whose chip is full"])
def test_a_second_set_that_is_refused_is_not_asked_for_again_and_contacts_go_on(what, android_double):
    async def main():
        air = VirtualAir(ONE_METRE, random.Random(1))
        log = witnessed(air)
        if what.startswith("a controller"):
            radio = virtual_radio(air, "one", kind=OneSetController)
        else:
            from bluezone.radio.android import AndroidRadio

            phone = AndroidPhone(air, "one", sdk=34)
            phone.advertising.slots = 1
            radio = AndroidRadio(phone.start_process())
        async with running(radio, air.light_radio("other"), tell=True) as (one, other):
            await asyncio.sleep(1300)
            return log, one, other

    log, one, other = run_simulated(main())

    mine = [(at, data) for at, _, data in log if (contact := parse_contact(data)) and contact[:2] == b"\x00\x01"]
    assert max(later[0] - earlier[0] for earlier, later in itertools.pairwise(mine)) < 2
    assert len({data for _, data in mine}) == one.payload.turns >= 2
    assert len(one.teller.told) == 1, "after the first refusal nothing is asked"
    assert not other.teller.frames
    assert one.teller.frames, "it still keeps what others tell"
    assert one.beacon.off_code is None


def test_what_the_city_does_not_want_is_not_sent_and_stops_with_the_next_burst():
    async def main():
        air = VirtualAir(ONE_METRE, random.Random(1))
        log = witnessed(air)
        async with running(air.light_radio("one"), air.light_radio("other"), tell=True) as (one, other):
            await asyncio.sleep(60)
            one.teller.wanted = other.teller.wanted = False
            await asyncio.sleep(60)
            return log

    frames = [at for at, _, data in run_simulated(main()) if parse_reciprocity(data)]

    assert 100 < len(frames) < 150
    assert 60 < max(frames) < 96


def test_nothing_is_told_while_a_pass_is_shown_nor_of_what_was_heard_before_it():
    async def main():
        air = VirtualAir(ONE_METRE, random.Random(1))
        log = witnessed(air)
        async with running(air.light_radio("one"), air.light_radio("other"), tell=True) as (one, _other):
            await asyncio.sleep(20)
            one.beacon.show_pass(bytes(16))
            await asyncio.sleep(40)
            one.beacon.hide_pass()
            await asyncio.sleep(2)
            return log

    log = run_simulated(main())

    mine = [at for at, _, data in log if (frame := parse_reciprocity(data)) and frame[1:3] == b"\x00\x01"]
    assert 10 < max(mine) < 20.1


def test_a_phone_alone_sends_no_second_set():
    async def main():
        air = VirtualAir(ONE_METRE, random.Random(1))
        log = witnessed(air)
        async with running(air.light_radio("one"), tell=True):
            await asyncio.sleep(100)
            return log

    assert all(parse_contact(data) for _, _, data in run_simulated(main()))
