# SPDX-License-Identifier: Apache-2.0
"""What the air does grows with who can hear whom, and with nothing else."""

import asyncio
import random

import pytest
from tests.builders.tracing import work_of

from bluezone.radio.air import Advertisement, Pair, Scene, VirtualAir
from bluezone.radio.simulatedtime import run_simulated

NEAR = Pair(1.0)
SLOWLY_SECONDS = 50.0  # four arrivals a second of 200: whoever sends four times a second has sent between two of them


async def come_and_go(scene: Scene, count: int, seconds: float) -> VirtualAir:
    """Let handsets arrive one after the other and leave; all send, and every tenth listens."""
    air = VirtualAir(scene, random.Random(1))
    stations = []
    for number in range(count):
        station = air.station(str(number))
        station.start_advertising(Advertisement(bytes(6), b"x"), 0.25)
        if number % 10 == 0:
            station.start_scanning(0.5, 0.5)
        stations.append(station)
        await asyncio.sleep(seconds / count)
    for station in stations:
        station.leave()
    return air


def calls(scene: Scene, count: int, seconds: float = 2.0) -> int:
    """How many functions are called while so many handsets come and go."""
    air, called = work_of(lambda: run_simulated(come_and_go(scene, count, seconds)))
    assert air.count["heard"] > count
    assert air.names() == ()
    return called.total()


def town(places: int) -> Scene:
    """Ten handsets in each place."""
    return Scene(default=NEAR, places={str(number): f"place {number // 10}" for number in range(10 * places)})


def named_town(places: int) -> Scene:
    """The same with every pair named, and everybody else apart."""
    rooms = [[str(10 * place + number) for number in range(10)] for place in range(places)]
    return Scene(pairs={(one, other): NEAR for room in rooms for one in room for other in room if one < other})


@pytest.mark.long
def test_four_times_as_many_in_a_room_cost_at_most_sixteen_times_as_much():
    room = Scene(default=NEAR)
    assert calls(room, 200, SLOWLY_SECONDS) < 16 * calls(room, 50, SLOWLY_SECONDS)


@pytest.mark.long
@pytest.mark.parametrize("scene", [town, named_town])
def test_ten_times_as_many_places_cost_at_most_eleven_times_as_much(scene):
    assert calls(scene(200), 2000) < 11 * calls(scene(20), 200)


def test_a_scene_falls_into_groups_of_which_none_can_hear_another():
    places = {"a": "bus", "b": "bus", "c": "shop", "e": "home", "f": "home"}
    scene = Scene(pairs={("c", "d"): NEAR, ("f", "b"): NEAR}, default=NEAR, places=places)
    only_pairs = Scene(pairs={("a", "b"): NEAR, ("b", "c"): NEAR, ("d", "e"): Pair(200.0, walls=9)})

    assert scene.apart("abcdefg") == [["a", "b", "e", "f"], ["c", "d", "g"]]
    assert only_pairs.apart("abcde") == [["a", "b", "c"], ["d"], ["e"]]


def test_a_group_by_itself_hears_as_many_as_beside_the_others():
    async def heard(numbers):
        air = VirtualAir(town(3), random.Random(1))
        stations = [air.station(number) for number in numbers]
        for station in stations:
            station.start_advertising(Advertisement(bytes(6), station.name.encode()), 0.25)
            station.start_scanning(0.5, 0.5)
        await asyncio.sleep(10)
        return air.count["heard"]

    together = run_simulated(heard([str(number) for number in range(30)]))
    groups = town(3).apart(map(str, range(30)))
    by_itself = [run_simulated(heard(group)) for group in groups]

    assert [len(group) for group in groups] == [10, 10, 10]
    assert sum(by_itself) == pytest.approx(together, rel=0.05)


async def spoken(scene: Scene, *names: str) -> tuple[VirtualAir, list]:
    """An air on which everybody has sent and listened for a second; and their stations."""
    air = VirtualAir(scene, random.Random(1))
    stations = [air.station(name) for name in names]
    for station in stations:
        station.start_advertising(Advertisement(bytes(6), station.name.encode()), 0.25)
        station.start_scanning(0.5, 0.5)
    await asyncio.sleep(1)
    return air, stations


def reached(station) -> set[str]:
    return {other.name for other in station.links}


def test_an_arrival_a_departure_and_a_move_leave_the_links_of_others_as_they_are():
    async def main():
        scene = Scene(default=NEAR, places={"c": "bus", "d": "bus"})
        air, (a, b, c, d) = await spoken(scene, "a", "b", "c", "d")
        kept = [a.links[b], b.links[a], c.links[d], d.links[c]]
        e = air.station("e")
        assert (reached(a), reached(b), reached(c)) == ({"b", "e"}, {"a", "e"}, {"d"})
        air.move("e", "bus")
        assert (reached(a), reached(b), reached(c)) == ({"b"}, {"a"}, {"d", "e"})
        e.leave()
        assert (reached(a), reached(c), reached(d)) == ({"b"}, {"d"}, {"c"})
        assert all(
            now is before for now, before in zip([a.links[b], b.links[a], c.links[d], d.links[c]], kept, strict=True)
        )

    run_simulated(main())


def test_a_sender_visits_those_alone_who_listen_now_wherever_they_have_come_from():
    async def main():
        air, (a, b, c) = await spoken(Scene(default=NEAR, places={"c": "bus"}), "a", "b", "c")

        def visited():
            return [{other.name for other in station.ears} for station in (a, b, c)]

        at_first = visited()
        b.stop_scanning()
        paused = visited()
        b.start_scanning(0.5, 0.5)
        air.move("b", "bus")
        await asyncio.sleep(1)
        moved = visited()
        b.leave()
        return at_first, paused, moved, visited()

    at_first, paused, moved, left = run_simulated(main())
    assert at_first == [{"b"}, {"a"}, set()]
    assert paused == [set(), {"a"}, set()]
    assert moved == [set(), {"c"}, {"b"}]
    assert left == [set(), set(), set()]


def test_who_moves_is_heard_where_it_came_to_and_no_longer_where_it_was():
    async def main():
        air, (a, b, c) = await spoken(Scene(default=NEAR, places={"c": "bus"}), "a", "b", "c")
        heard: dict[str, set[bytes]] = {"a": set(), "c": set()}
        a.on_heard = lambda packet, _rssi: heard["a"].add(packet.data)
        c.on_heard = lambda packet, _rssi: heard["c"].add(packet.data)
        await asyncio.sleep(2)
        before = {name: set(packets) for name, packets in heard.items()}
        air.move("b", "bus")
        for packets in heard.values():
            packets.clear()
        b_heard = set()
        b.on_heard = lambda packet, _rssi: b_heard.add(packet.data)
        await asyncio.sleep(2)
        return before, heard, b_heard

    before, after, b_heard = run_simulated(main())
    assert before == {"a": {b"b"}, "c": set()}
    assert after == {"a": set(), "c": {b"b"}}
    assert b_heard == {b"c"}


def test_a_named_pair_hears_each_other_wherever_both_are():
    async def main():
        scene = Scene(
            pairs={("a", "b"): Pair(4.0), ("a", "d"): Pair(100.0, walls=6)}, default=NEAR, places={"b": "bus"}
        )
        air, (a, b, c, d) = await spoken(scene, "a", "b", "c", "d")
        at_first = [reached(station) for station in (a, b, c, d)]
        air.move("a", "train")
        await asyncio.sleep(1)
        return at_first, [reached(station) for station in (a, b, c, d)]

    at_first, later = run_simulated(main())
    assert at_first == [{"b", "c"}, {"a"}, {"a", "d"}, {"c"}]
    assert later == [{"b"}, {"a"}, {"d"}, {"c"}]


def test_a_radio_that_leaves_twice_does_not_take_its_successor_off_the_air():
    async def main():
        air = VirtualAir(Scene(default=NEAR), random.Random(1))
        first = air.station("a")
        first.leave()
        air.station("a")
        first.leave()
        return air.names()

    assert run_simulated(main()) == ("a",)


def test_whoever_hears_a_packet_may_leave_or_bring_somebody_at_once():
    async def main():
        air, (_, b, c) = await spoken(Scene(default=NEAR), "a", "b", "c")
        arrived = []

        def leave(_packet, _rssi):
            b.leave()
            arrived.append(air.station(f"new {len(arrived)}"))

        b.on_heard = leave
        heard = []
        c.on_heard = lambda packet, _rssi: heard.append(packet.data)
        await asyncio.sleep(1)
        return air.names(), heard

    names, heard = run_simulated(main())
    assert names == ("a", "c", "new 0")
    assert heard.count(b"a") >= 3
