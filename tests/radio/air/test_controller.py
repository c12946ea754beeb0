# SPDX-License-Identifier: Apache-2.0
"""bumble's own device on the corrected controller: what a stock host sees of the virtual air."""

import asyncio
import random

import pytest
from bumble import hci
from bumble.device import AdvertisingType, Device, DeviceConfiguration
from bumble.host import Host
from bumble.transport.common import AsyncPipeSink

from bluezone.radio.air import Pair, Scene, VirtualAir
from bluezone.radio.air.controller import AirController
from bluezone.radio.simulatedtime import run_simulated


async def device(air, name, *, extended=True):
    """A powered stock bumble device on the air."""
    controller = AirController(air.station(name))
    if not extended:
        controller.le_features &= ~hci.LeFeatureMask.LE_EXTENDED_ADVERTISING
    host = Host(controller, AsyncPipeSink(controller))
    made = Device(config=DeviceConfiguration(classic_enabled=False), host=host)
    await made.power_on()
    return made


async def heard_in_ten_seconds(kind, *, extended=True, active=False, **scan):
    """Advertise every 250 ms with one stock device, listen for ten seconds with another."""
    air = VirtualAir(Scene(default=Pair(1.0)), random.Random(1))
    speaker = await device(air, "speaker", extended=extended)
    listener = await device(air, "listener", extended=extended)
    heard = []
    listener.on("advertisement", heard.append)
    await listener.start_scanning(active=active, scan_interval=100, scan_window=100, **scan)
    await speaker.start_advertising(
        advertising_type=kind,
        advertising_data=b"\x02\x01\x1a",
        advertising_interval_min=250,
        advertising_interval_max=250,
    )
    await asyncio.sleep(10)
    await speaker.stop_advertising()
    count = len(heard)
    await asyncio.sleep(10)
    assert len(heard) == count, "silent after stop"
    return heard


@pytest.mark.parametrize("extended", [True, False])
@pytest.mark.parametrize(
    ("kind", "connectable", "scannable"),
    [
        (AdvertisingType.UNDIRECTED, False, False),
        (AdvertisingType.UNDIRECTED_SCANNABLE, False, True),
        (AdvertisingType.UNDIRECTED_CONNECTABLE_SCANNABLE, True, True),
    ],
)
def test_each_kind_is_sent_at_its_interval_and_reported_once_as_what_it_is(extended, kind, connectable, scannable):
    heard = run_simulated(heard_in_ten_seconds(kind, extended=extended))

    assert 37 <= len(heard) <= 41, "every 250 ms and up to 10 ms more"
    assert {bool(packet.is_connectable) for packet in heard} == {connectable}
    assert {bool(packet.is_scannable) for packet in heard} == {scannable}
    assert len({packet.rssi for packet in heard}) > 3, "the strength is drawn, not a constant"


@pytest.mark.parametrize("extended", [True, False])
def test_an_active_scan_sees_no_second_packet(extended):
    heard = run_simulated(heard_in_ten_seconds(AdvertisingType.UNDIRECTED, extended=extended, active=True))

    assert 37 <= len(heard) <= 41


@pytest.mark.parametrize("extended", [True, False])
def test_the_duplicate_filter_reports_a_packet_once(extended):
    heard = run_simulated(heard_in_ten_seconds(AdvertisingType.UNDIRECTED, extended=extended, filter_duplicates=True))

    assert len(heard) == 1


def test_a_scan_window_hears_its_share_of_the_packets():
    async def main():
        air = VirtualAir(Scene(default=Pair(1.0)), random.Random(1))
        speaker, listener = await device(air, "speaker"), await device(air, "listener")
        heard = []
        listener.on("advertisement", heard.append)
        await listener.start_scanning(active=False, scan_interval=1000, scan_window=250)
        await speaker.start_advertising(
            advertising_type=AdvertisingType.UNDIRECTED, advertising_interval_min=100, advertising_interval_max=100
        )
        await asyncio.sleep(100)
        return len(heard)

    assert run_simulated(main()) == pytest.approx(0.25 * 950, rel=0.15)


@pytest.mark.parametrize("extended", [True, False])
def test_the_address_is_refused_while_scanning_as_a_real_controller_refuses_it(extended):
    async def main():
        air = VirtualAir(Scene(), random.Random(1))
        phone = await device(air, "phone", extended=extended)
        command = hci.HCI_LE_Set_Random_Address_Command(random_address=hci.Address.generate_private_address())
        await phone.start_scanning(active=False)
        with pytest.raises(hci.HCI_Error):
            await phone.send_sync_command(command)
        await phone.stop_scanning()
        await phone.send_sync_command(command)

    run_simulated(main())
