# SPDX-License-Identifier: Apache-2.0
"""Handsets that reach the air over TCP, in real time."""

import asyncio
import random
import socket

import pytest
from bumble import hci
from tests.radio.handsets import running

from bluezone.radio.adapters import RadioUnavailable, identify, name_packet, open_radio
from bluezone.radio.air import Advertisement, Pair, Scene, VirtualAir
from bluezone.radio.air.server import AirServer, PortTaken
from bluezone.radio.interface import RadioFailed

FAMILY = Scene(
    pairs={("anh", "em"): Pair(0.4), ("anh", "xa"): Pair(30.0, walls=6)}, handsets=("anh", "em"), default=Pair(2.0)
)


async def serve(scene=FAMILY, port=0):
    air = VirtualAir(scene, random.Random(1), origin_seconds=asyncio.get_running_loop().time())
    server = AirServer(air)
    return air, server, await server.start("127.0.0.1", port)


async def until(condition):
    """Wait for something the other side does."""
    while not condition():
        await asyncio.sleep(0.02)


@pytest.mark.long
def test_named_handsets_hear_each_other_as_their_scene_says():
    async def main():
        air, server, port = await serve()
        radios = [open_radio(f"virtual:127.0.0.1:{port}/{name}") for name in ("anh", "em", "xa")]
        async with running(*radios, duty="mains") as (anh, em, _xa):
            await until(lambda: len(em.diary.sightings) > 5 and len(anh.diary.sightings) > 5)
            names, heard = set(air.names()), anh.diary.identifiers()
        await until(lambda: not air.names())
        await server.stop()
        return names, {identifier[1] for identifier in heard}

    names, heard = asyncio.run(main())

    assert names == {"anh", "em", "xa"}
    assert heard == {2}, "xa is behind six walls"


def test_nameless_handsets_take_the_scenes_names_in_turn_and_then_numbers():
    async def main():
        air, server, port = await serve()
        radios = [open_radio(f"tcp-client:127.0.0.1:{port}") for _ in range(3)]
        for radio in radios:
            await radio.open()
        names = air.names()
        for radio in radios:
            await radio.close()
        await server.stop()
        return names

    assert asyncio.run(main()) == ("anh", "em", "handset-1")


def test_a_radio_is_asked_its_model_before_it_is_used():
    async def main():
        air, server, port = await serve()
        named = await identify(open_radio(f"virtual:127.0.0.1:{port}/anh"))
        asked = await identify(open_radio(f"tcp-client:127.0.0.1:{port}"))
        await until(lambda: not air.names())
        await server.stop()
        return named, asked

    assert asyncio.run(main()) == ("virtual", "ffff-0000"), "what bumble's virtual controller says of itself"


@pytest.mark.long
def test_a_handset_comes_back_by_itself_when_the_air_was_restarted():
    async def main():
        _, server, port = await serve()
        radios = [open_radio(f"virtual:127.0.0.1:{port}/{name}") for name in ("anh", "em")]
        async with running(*radios, duty="mains") as (anh, em):
            await until(lambda: anh.diary.sightings and em.diary.sightings)
            await server.stop()
            await until(lambda: anh.beacon.off_since_boot_seconds is not None)
            anh.diary.sightings.clear()
            _, server, _ = await serve(port=port)
            await until(lambda: anh.diary.sightings)
            off = anh.beacon.off_since_boot_seconds
        await server.stop()
        return off

    assert asyncio.run(main()) is None


def test_a_second_handset_with_the_same_name_is_hung_up_on_and_the_first_stays():
    async def main():
        air, server, port = await serve()
        first, second = (open_radio(f"virtual:127.0.0.1:{port}/anh") for _ in range(2))
        await first.open()
        with pytest.raises(RadioFailed, match="the adapter"):
            await second.open()
        names = air.names()
        await first.set_address(bytes(5) + b"\x01")
        await first.close()
        await server.stop()
        return names

    assert asyncio.run(main()) == ("anh",)


@pytest.mark.parametrize("junk", [b"GET / HTTP/1.1\r\n\r\n", b"\x01", b"\xff" * 100, name_packet("x") + b"\x09"])
def test_a_client_that_does_not_speak_hci_harms_nobody(junk):
    async def main():
        air, server, port = await serve()
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(junk)
        await writer.drain()
        radio = open_radio(f"virtual:127.0.0.1:{port}/em")
        await radio.open()
        assert "em" in air.names()
        await radio.close()
        writer.close()
        await until(lambda: not air.names())
        await server.stop()

    asyncio.run(main())


@pytest.mark.long
def test_a_client_that_reads_nothing_is_shed_and_holds_nobody_up():
    async def main():
        air, server, port = await serve(Scene(default=Pair(0.4)))
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", port))
        deaf.sendall(bytes(hci.HCI_LE_Set_Scan_Enable_Command(le_scan_enable=1, filter_duplicates=0)))
        speaker = air.station("speaker")
        for handle in range(50):
            speaker.start_advertising(Advertisement(bytes(6), bytes(31)), 0.02, handle)
        async with asyncio.timeout(60):
            await until(lambda: air.count["shed"] > 0)
        deaf.close()
        await server.stop()

    asyncio.run(main())


def test_a_taken_port_is_refused_by_name():
    async def main():
        _, server, port = await serve()
        with pytest.raises(PortTaken) as refused:
            await serve(port=port)
        await server.stop()
        return refused.value.code

    assert asyncio.run(main()) == "air_port_taken"


def test_without_an_air_the_radio_says_how_to_start_one():
    async def main():
        _, server, port = await serve()
        await server.stop()
        with pytest.raises(RadioUnavailable) as refused:
            await open_radio(f"virtual:127.0.0.1:{port}").open()
        return port, refused.value

    port, unavailable = asyncio.run(main())

    assert unavailable.code == "radio_unavailable"
    assert f"bluezone radio air --listen 127.0.0.1:{port}" in unavailable.remedy
