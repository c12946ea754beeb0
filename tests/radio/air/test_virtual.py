# SPDX-License-Identifier: Apache-2.0
import asyncio
import collections
import random
import statistics
import time

import pytest
from tests.radio.handsets import running

from bluezone.radio.air import Advertisement, Pair, Scene, VirtualAir
from bluezone.radio.simulatedtime import run_simulated

pytestmark = pytest.mark.long


async def meeting(scene, minutes, *names, over_hci=False, seed=1, duty="default"):
    """Run handsets of a scene for some minutes; returns the air and each one's diary."""
    air = VirtualAir(scene, random.Random(seed))
    make = air.radio if over_hci else air.light_radio
    async with running(*map(make, names), duty=duty) as handsets:
        await asyncio.sleep(60 * minutes)
        return air, [handset.diary for handset in handsets]


def test_the_same_seed_gives_the_same_air_and_hci_bytes_change_nothing():
    def sightings(**how):
        _, diaries = run_simulated(meeting(Scene(default=Pair(1.0), loss=0.3), 10, "a", "b", "c", **how))
        return [[(s.identifier16, s.rssi_dbm, round(s.boot_seconds, 6)) for s in d.sightings] for d in diaries]

    assert sightings() == sightings() == sightings(over_hci=True)
    assert sightings() != sightings(seed=2)


def test_who_is_near_is_heard_stronger_and_who_is_apart_not_at_all():
    scene = Scene(pairs={("me", "near"): Pair(1.0), ("far", "me"): Pair(4.0)})
    _, (me, *_) = run_simulated(meeting(scene, 30, "me", "near", "far", "elsewhere"))

    strengths = collections.defaultdict(list)
    for sighting in me.sightings:
        strengths[int.from_bytes(sighting.identifier16[:2], "big")].append(sighting.rssi_dbm)
    means = {number: sum(values) / len(values) for number, values in strengths.items()}
    assert set(means) == {2, 3}
    assert means[2] > means[3] + 5


def test_a_pair_that_changes_with_time_meets_only_then():
    scene = Scene(default=Pair(lambda seconds: 1.0 if 600 <= seconds < 1200 else float("inf")))
    _, diaries = run_simulated(meeting(scene, 30, "a", "b"))

    for diary in diaries:
        assert diary.sightings
        assert all(600 <= sighting.boot_seconds < 1200 for sighting in diary.sightings)


@pytest.mark.parametrize("loss", [0.0, 0.2, 0.5, 1.0])
def test_the_scenes_loss_is_the_share_of_packets_lost(loss):
    air, _ = run_simulated(meeting(Scene(default=Pair(0.4), loss=loss), 120, "a", "b"))

    reached = air.count["heard"] + air.count["lost"]
    assert air.count["lost"] / reached == pytest.approx(loss, abs=0.02)


def test_a_burst_visits_all_three_channels_and_a_scan_window_only_its_share():
    async def shares():
        air = VirtualAir(Scene(), random.Random(1))
        station = air.station("a")
        station.start_scanning(0.5, 0.1)
        moments = [start / 100 for start in range(400)]
        return [station.channel_at(moment) for moment in moments]

    heard = run_simulated(shares())

    assert {channel for channel in heard if channel is not None} == {0, 1, 2}
    assert sum(channel is not None for channel in heard) / len(heard) == pytest.approx(0.2, abs=0.01)


def test_nobody_speaks_while_nobody_listens_and_the_first_listener_wakes_them():
    async def main():
        air = VirtualAir(Scene(default=Pair(1.0)), random.Random(1))
        speaker, listener = air.station("speaker"), air.station("listener")
        speaker.start_advertising(Advertisement(bytes(6), b"x"), 0.25)
        await asyncio.sleep(3600)
        slept = air.count["sent"]
        heard = []
        listener.on_heard = lambda _packet, _rssi: heard.append(asyncio.get_running_loop().time())
        listener.start_scanning(0.5, 0.5)
        await asyncio.sleep(1.0)
        return slept, heard

    slept, heard = run_simulated(main())

    assert slept == 0
    assert 3 <= len(heard) <= 4
    assert heard[0] <= 3600.26


def test_links_that_can_never_be_heard_are_not_visited():
    async def main():
        names = [f"n{number}" for number in range(40)]
        pairs = {(one, other): Pair(1.0) for one, other in zip(names[::2], names[1::2], strict=True)}
        air = VirtualAir(Scene(pairs=pairs, default=Pair(30.0, walls=6)), random.Random(1))
        stations = [air.station(name) for name in names]
        for station in stations:
            station.start_advertising(Advertisement(station.name.encode(), b"x"), 1.0)
            station.start_scanning(0.5, 0.5)
        await asyncio.sleep(10)
        return stations

    assert {len(station.links) for station in run_simulated(main())} == {1}


def test_an_air_that_cannot_keep_up_sheds_packets_and_keeps_its_loop_alive():
    async def main():
        air = VirtualAir(Scene(default=Pair(0.4)), random.Random(1))
        for number in range(150):
            station = air.station(f"n{number}")
            station.start_advertising(Advertisement(station.name.encode(), b"x"), 0.01)
            station.start_scanning(0.5, 0.5)
        turns = []
        await asyncio.sleep(1)
        for _ in range(10):
            before = time.process_time()
            await asyncio.sleep(0.1)
            turns.append(time.process_time() - before)
        return air.count, turns

    count, turns = asyncio.run(main())

    assert count["shed"] > 0, "150 x 149 x 100 packets a second are more than one core draws"
    assert count["heard"] > 0
    assert statistics.median(turns) < 1.1, "seconds of a core until who slept for a tenth is called"


def test_hosts_still_get_their_answers_while_the_air_is_far_beyond_what_it_can_carry():
    async def main():
        air = VirtualAir(Scene(default=Pair(0.4)), random.Random(1))
        radios = [air.radio(f"n{number}") for number in range(25)]
        heard = collections.Counter()
        for number, radio in enumerate(radios):
            await radio.open()
            await radio.set_address(bytes([0, 0, 0, 0, 1, number]))
        for radio in radios:
            await radio.start_advertising(bytes(31), 20)
            await radio.start_scanning(100, 100, lambda address, _data, _rssi: heard.update([address]))
        for _ in range(600):
            await asyncio.sleep(0.2)
            if len(heard) == 25:
                break
        for radio in radios:
            await radio.stop_scanning()
            await radio.close()
        return heard

    heard = asyncio.run(main())

    assert len(heard) == 25, "25 x 24 x 50 packets a second are three times what a core encodes, yet all are heard"


def test_two_radios_cannot_have_one_name_and_a_closed_one_gives_it_back():
    async def main():
        air = VirtualAir(Scene(), random.Random(1))
        first, second = air.radio("phone"), air.radio("phone")
        await first.open()
        with pytest.raises(ValueError, match="already on the air"):
            await second.open()
        await first.close()
        await second.open()
        await second.close()
        return air.names()

    assert run_simulated(main()) == ()
