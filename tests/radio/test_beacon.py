# SPDX-License-Identifier: Apache-2.0
import asyncio
import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.radio.handsets import running

from bluezone.radio.air import Pair, Scene, VirtualAir
from bluezone.radio.beacon import private_address
from bluezone.radio.frames import contact_advertisement
from bluezone.radio.interface import AdvertisingRefused, RadioFailed
from bluezone.radio.simulatedtime import run_simulated

ONE_METRE = Scene(default=Pair(1.0))


def radios(air, over_hci, *names):
    return [air.radio(name) if over_hci else air.light_radio(name) for name in names]


@pytest.mark.long
@pytest.mark.parametrize("over_hci", [True, False], ids=["hci", "light"])
@pytest.mark.parametrize(("duty", "period"), [("default", 30.0), ("mains", 4.0), ("saver", 60.0)])
def test_bursts_follow_the_duty_profile_and_hear_the_neighbour(over_hci, duty, period):
    async def main():
        air = VirtualAir(ONE_METRE, random.Random(1))
        async with running(*radios(air, over_hci, "near", "other"), duty=duty) as handsets:
            await asyncio.sleep(301)
            return handsets[0].diary

    diary = run_simulated(main(), start_seconds=50.0)

    gaps = [burst.seconds_since_previous for burst in diary.bursts]
    assert gaps == pytest.approx([period] * len(gaps), abs=0.01)
    assert [burst.number for burst in diary.bursts] == list(range(51, 51 + len(gaps)))
    assert len(gaps) == 300 // period + 1
    starts = {burst.number: burst.boot_seconds for burst in diary.bursts}
    assert all(0 <= heard.boot_seconds - starts[heard.burst] <= 4.01 for heard in diary.sightings)
    assert {heard.burst for heard in diary.sightings} >= set(list(starts)[:-1])


@pytest.mark.long
@pytest.mark.parametrize("over_hci", [True, False], ids=["hci", "light"])
def test_address_and_payload_change_in_one_step_between_ten_and_twenty_minutes(over_hci):
    async def main():
        air = VirtualAir(ONE_METRE, random.Random(1))
        log = []
        witness = air.station("witness")
        loop = asyncio.get_running_loop()
        witness.on_heard = lambda heard, _rssi: log.append((loop.time(), heard.address, heard.data))
        witness.start_scanning(0.1, 0.1)
        async with running(*radios(air, over_hci, "walker")):
            await asyncio.sleep(2 * 3600)
        return log

    log = run_simulated(main())

    changes = [(before, after) for before, after in itertools.pairwise(log) if before[1:] != after[1:]]
    assert len(changes) >= 5
    assert all(before[1] != after[1] and before[2] != after[2] for before, after in changes)
    moments = [log[0][0]] + [after[0] for _, after in changes]
    lives = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert all(599 <= life <= 1201 for life in lives)


def test_a_burst_that_is_cut_by_a_rotation_keeps_its_number_and_length():
    async def main():
        air = VirtualAir(ONE_METRE, random.Random(1))
        async with running(*radios(air, True, "near", "other"), duty="mains") as handsets:
            await asyncio.sleep(42.0)
            handsets[0].beacon.rotate_soon()
            await asyncio.sleep(18.5)
            return handsets

    near, other = run_simulated(main())

    assert near.payload.turns == 2
    assert len(other.diary.identifiers()) == 2
    assert [burst.boot_seconds for burst in near.diary.bursts] == pytest.approx(range(0, 64, 4), abs=0.1)


def test_a_radio_that_breaks_is_opened_again_with_growing_pauses():
    class Breaking:
        """A light radio whose adapter is pulled out between two moments."""

        def __init__(self, radio, gone_from, back_at):
            self._radio, self._gone_from, self._back_at = radio, gone_from, back_at
            self.attempts = []

        def __getattr__(self, name):
            return getattr(self._radio, name)

        @property
        def lost(self):
            return self._gone_from <= asyncio.get_running_loop().time() < self._back_at

        async def open(self):
            self.attempts.append(asyncio.get_running_loop().time())
            if self.lost:
                raise RadioFailed("no such device")
            await self._radio.open()

    async def main():
        air = VirtualAir(ONE_METRE, random.Random(1))
        breaking = Breaking(air.light_radio("near"), 100.0, 400.0)
        async with running(breaking, air.light_radio("other")) as (near, _other):
            await asyncio.sleep(50)
            on = near.beacon.off_since_boot_seconds
            await asyncio.sleep(200)
            off = near.beacon.off_since_boot_seconds, near.beacon.off_reason
            await asyncio.sleep(350)
            return breaking.attempts, on, off, near.beacon.off_since_boot_seconds, near.diary

    attempts, on, off, again, diary = run_simulated(main())

    pauses = [later - earlier for earlier, later in itertools.pairwise(attempts[1:])]
    assert on is None
    assert 100 <= off[0] <= 130
    assert off[1]
    assert pauses[:5] == pytest.approx([2, 4, 8, 16, 32], abs=0.1)
    assert max(pauses) <= 60.1
    assert again is None
    assert diary.sightings[-1].boot_seconds > 500
    longest = max(burst.seconds_since_previous for burst in diary.bursts)
    assert longest == 300.0, "a gap in listening is never counted as more than 300 s of a contact"


def test_an_adapter_that_never_opens_is_told_once(caplog):
    class Absent:
        lost = False

        async def open(self):
            raise RadioFailed("no such device")

        async def close(self):
            pass

    async def main():
        async with running(Absent()):
            await asyncio.sleep(300)

    run_simulated(main())

    assert [record.getMessage() for record in caplog.records] == ["radio off: no such device"]


@pytest.mark.parametrize("rssi_dbm", [127, 0, -111, -19, -10, 20])
def test_what_cannot_be_a_person_nearby_is_not_told_to_the_listener(rssi_dbm):
    async def main():
        air = VirtualAir(ONE_METRE, random.Random(1))
        async with running(air.light_radio("near")) as (near,):
            await asyncio.sleep(1)
            near.beacon._on_report(bytes(6), contact_advertisement(bytes(20)), rssi_dbm)
            near.beacon._on_report(bytes(6), contact_advertisement(bytes(20))[:-1], -60)
            near.beacon._on_report(bytes(6), contact_advertisement(bytes(20)), -60)
            return near.diary.sightings

    assert [sighting.rssi_dbm for sighting in run_simulated(main())] == [-60]


@given(seed=st.integers())
def test_addresses_are_non_resolvable_private(seed):
    address = private_address(random.Random(seed))

    assert len(address) == 6
    assert address[0] >> 6 == 0
    assert address not in (bytes(6), b"\x3f" + b"\xff" * 5)


def test_a_radio_that_will_not_advertise_is_listened_with_and_asked_again_every_minute():
    class Mute:
        """A light radio that refuses to advertise until a moment."""

        def __init__(self, radio, until):
            self._radio, self._until = radio, until
            self.attempts = []

        def __getattr__(self, name):
            return getattr(self._radio, name)

        @property
        def longest_advertising_seconds(self):
            return 300.0

        async def start_advertising(self, data, interval_ms):
            self.attempts.append(asyncio.get_running_loop().time())
            if self.attempts[-1] < self._until:
                raise AdvertisingRefused("too many advertisers")
            await self._radio.start_advertising(data, interval_ms)

    async def main():
        air = VirtualAir(ONE_METRE, random.Random(1))
        mute = Mute(air.light_radio("near"), 150.0)
        async with running(mute, air.light_radio("other")) as (near, _other):
            await asyncio.sleep(140)
            refused = near.beacon.off_code, near.beacon.last_sent_boot_seconds, len(near.diary.sightings)
            await asyncio.sleep(2000)
            return mute.attempts, refused, near.beacon

    attempts, refused, beacon = run_simulated(main())

    assert refused[:2] == ("advertising_refused", None)
    assert refused[2] > 0, "it listens meanwhile"
    assert beacon.off_code is None
    pauses = [later - earlier for earlier, later in itertools.pairwise(attempts)]
    assert pauses[:3] == pytest.approx([60, 60, 60], abs=0.1)
    assert pauses[3:] == pytest.approx([295] * len(pauses[3:]), abs=0.1), "before the radio would fall silent by itself"


@pytest.mark.parametrize("steps", range(6))
def test_a_beacon_that_is_cancelled_in_the_moment_in_which_it_is_woken_ends(steps):
    async def main():
        air = VirtualAir(ONE_METRE, random.Random(1))
        async with running(air.light_radio("near")) as (near,):
            await asyncio.sleep(10)
            near.beacon.look_again()
            for _ in range(steps):
                await asyncio.sleep(0)
            near.task.cancel()
            await asyncio.wait([near.task], timeout=100)
            return near.task.done()

    assert run_simulated(main())
