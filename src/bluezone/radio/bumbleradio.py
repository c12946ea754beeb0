# SPDX-License-Identifier: Apache-2.0
"""A radio behind any transport that bumble opens: USB dongle, Linux adapter, serial controller, virtual air."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from bumble import hci
from bumble.core import BaseBumbleError
from bumble.device import (
    AdvertisingEventProperties,
    AdvertisingParameters,
    AdvertisingSet,
    AdvertisingType,
    Device,
    DeviceConfiguration,
)
from bumble.host import Host
from bumble.transport.common import Transport

from bluezone.radio.interface import AdvertisingRefused, OnReport, RadioFailed

COMMAND_SECONDS = 5.0  # a controller that answers no command for so long is stuck

OpenTransport = Callable[[], Awaitable[Transport]]


def _ignore(_address: bytes, _data: bytes, _rssi_dbm: int) -> None:
    """Drop reports that arrive while nobody scans."""


class _Device(Device):
    """bumble's device, but with advertising reports passed on as they come.

    bumble would keep an accumulator for every address it ever heard, which grows with each rotation of
    each neighbour; contact frames need no scan response, so none is kept.
    """

    on_report: OnReport = staticmethod(_ignore)

    def on_advertising_report(self, report: Any) -> None:
        self.on_report(bytes(reversed(bytes(report.address))), bytes(report.data), report.rssi)


class BumbleRadio:
    """Implements interface.Radio on a bumble host.

    open_transport:  opens the way to a controller; called again each time the radio is opened.
    model:           name for calibration; None takes the name that the controller reports.
    """

    def __init__(self, open_transport: OpenTransport, model: str | None = None) -> None:
        self._open_transport = open_transport
        self._model = model
        self._transport: Transport | None = None
        self._device: _Device | None = None
        self._second: AdvertisingSet | None = None
        self._lost = False

    @property
    def model(self) -> str:
        """Adapter model, "unknown" before the radio has been opened once."""
        return self._model or "unknown"

    @property
    def longest_advertising_seconds(self) -> None:
        """It advertises until it is told to stop."""

    @property
    def lost(self) -> bool:
        """True once the transport has broken; commands fail and nothing is heard until it is opened again."""
        return self._lost

    async def open(self) -> None:
        """Open the transport and reset the controller. Raises RadioFailed, or what open_transport raises."""
        self._transport = await self._open_transport()
        self._lost = False
        source, sink = self._transport
        host = Host(source, sink)
        self._device = _Device(config=DeviceConfiguration(classic_enabled=False, le_privacy_enabled=False), host=host)
        host.on("flush", self._on_flush)
        try:
            await self._obey(self._device.power_on())
        except RadioFailed:
            await self.close()
            raise
        if self._model is None:
            self._model = _controller_name(host)

    async def close(self) -> None:
        """Hang up; the controller is reset first if it still answers."""
        device, transport = self._device, self._transport
        self._device = self._transport = self._second = None
        if device is not None and not self._lost:
            with contextlib.suppress(RadioFailed):
                await self._obey(device.host.send_sync_command(hci.HCI_Reset_Command()))
        if transport is not None:
            await transport.close()

    async def set_address(self, address: bytes) -> None:
        """Use this random address from the next start of advertising on."""
        device = self._opened()
        new = hci.Address(bytes(reversed(address)), hci.Address.RANDOM_DEVICE_ADDRESS)
        await self._obey(device.send_sync_command(hci.HCI_LE_Set_Random_Address_Command(random_address=new)))
        device.random_address = new

    async def start_advertising(self, data: bytes, interval_ms: int) -> None:
        """Advertise `data` in legacy, non-connectable, undirected packets."""
        await self._obey(
            self._opened().start_advertising(
                advertising_type=AdvertisingType.UNDIRECTED,
                advertising_data=data,
                advertising_interval_min=interval_ms,
                advertising_interval_max=interval_ms,
            )
        )

    async def stop_advertising(self) -> None:
        await self._obey(self._opened().stop_advertising())

    async def start_second_set(self, address: bytes, data: bytes, interval_ms: int) -> None:
        """Advertise in a set of its own. Raises AdvertisingRefused where the controller has no extended advertising.

        Without it there is one advertiser and one address, and the commands of the two kinds cannot be mixed.
        """
        device = self._opened()
        await self.stop_second_set()
        if not device.supports_le_extended_advertising:
            raise AdvertisingRefused("the adapter has one advertising set only")
        properties = AdvertisingEventProperties.from_advertising_type(AdvertisingType.UNDIRECTED)
        parameters = AdvertisingParameters(properties, interval_ms, interval_ms)
        random_address = hci.Address(bytes(reversed(address)), hci.Address.RANDOM_DEVICE_ADDRESS)
        try:
            self._second = await self._obey(device.create_advertising_set(parameters, random_address, data))
        except RadioFailed as failed:
            if self._lost:
                raise
            raise AdvertisingRefused(str(failed)) from failed

    async def change_second_set(self, data: bytes) -> None:
        """Advertise other data in it from the next event on. Raises AdvertisingRefused if there is no second set."""
        self._opened()
        if self._second is None:
            raise AdvertisingRefused("there is no second set")
        await self._obey(self._second.set_advertising_data(data))

    async def stop_second_set(self) -> None:
        self._opened()
        if self._second is not None:
            await self._obey(self._second.stop())
            await self._obey(self._second.remove())
            self._second = None

    async def start_scanning(self, interval_ms: int, window_ms: int, on_report: OnReport) -> None:
        """Scan passively on the 1 M PHY, duplicates included."""
        device = self._opened()
        device.on_report = on_report
        await self._obey(
            device.start_scanning(
                active=False,
                scan_interval=interval_ms,
                scan_window=window_ms,
                filter_duplicates=False,
                scanning_phys=(hci.HCI_LE_1M_PHY,),
            )
        )

    async def stop_scanning(self) -> None:
        device = self._opened()
        await self._obey(device.stop_scanning())
        device.on_report = _ignore

    def _opened(self) -> _Device:
        if self._device is None or self._lost:
            raise RadioFailed("the adapter is not open")
        return self._device

    def _on_flush(self) -> None:
        """Called when the host lost its controller. It also flushes at a reset, when nothing can be lost yet."""
        if self._device is not None and self._transport_ended():
            self._lost = True

    def _transport_ended(self) -> bool:
        terminated = getattr(self._transport and self._transport.source, "terminated", None)
        return isinstance(terminated, asyncio.Future) and terminated.done()

    async def _obey(self, command: Coroutine[Any, Any, Any]) -> Any:
        """Await a command; a cancelled caller still waits for the answer, which would confuse the next command."""
        task = asyncio.ensure_future(command)
        try:
            done, _ = await asyncio.wait({task}, timeout=COMMAND_SECONDS)
        except asyncio.CancelledError:
            await asyncio.wait({task}, timeout=COMMAND_SECONDS)
            raise
        if not done:
            task.cancel()
            raise RadioFailed(f"the adapter did not answer within {COMMAND_SECONDS:.0f} s")
        try:
            return task.result()
        except (BaseBumbleError, OSError, asyncio.CancelledError) as error:
            self._lost = self._lost or self._transport_ended()
            raise RadioFailed(f"the adapter refused: {error}") from error


def _controller_name(host: Host) -> str:
    """Return the maker and revision of the controller, which is all that HCI says about a model."""
    version = host.local_version
    if version is None:
        return "unknown"
    return f"{version.company_identifier:04x}-{version.lmp_subversion:04x}"
