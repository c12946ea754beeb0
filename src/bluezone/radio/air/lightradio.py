# SPDX-License-Identifier: Apache-2.0
"""A radio on the virtual air without HCI bytes: the same air and model at a fraction of the cost."""

from bluezone.radio.air.station import Advertisement, Air, Station
from bluezone.radio.interface import OnReport, RadioFailed


class LightRadio:
    """Implements interface.Radio straight on a station of the air."""

    model = "virtual"
    _SECOND = 1  # the handle of the second set

    def __init__(self, air: Air, name: str) -> None:
        self._air = air
        self._name = name
        self._station: Station | None = None
        self._address = bytes(6)
        self._advertising = self._scanning = False

    @property
    def longest_advertising_seconds(self) -> None:
        """It advertises until it is told to stop."""

    @property
    def lost(self) -> bool:
        """Always False: the air does not break."""
        return False

    async def open(self) -> None:
        self._station = self._air.station(self._name)

    async def close(self) -> None:
        if self._station is not None:
            self._station.leave()
            self._station = None
            self._advertising = self._scanning = False

    async def set_address(self, address: bytes) -> None:
        if self._advertising or self._scanning:
            raise RadioFailed("the address is fixed while advertising or scanning")
        self._address = address

    async def start_advertising(self, data: bytes, interval_ms: int) -> None:
        self._on_air().start_advertising(Advertisement(self._address, data), interval_ms / 1000)
        self._advertising = True

    async def stop_advertising(self) -> None:
        self._on_air().stop_advertising()
        self._advertising = False

    async def start_second_set(self, address: bytes, data: bytes, interval_ms: int) -> None:
        self._on_air().start_advertising(Advertisement(address, data), interval_ms / 1000, self._SECOND)

    async def change_second_set(self, data: bytes) -> None:
        self._on_air().change_advertising(data, self._SECOND)

    async def stop_second_set(self) -> None:
        self._on_air().stop_advertising(self._SECOND)

    async def start_scanning(self, interval_ms: int, window_ms: int, on_report: OnReport) -> None:
        station = self._on_air()
        station.on_heard = lambda heard, rssi_dbm: on_report(heard.address, heard.data, rssi_dbm)
        station.start_scanning(interval_ms / 1000, window_ms / 1000)
        self._scanning = True

    async def stop_scanning(self) -> None:
        self._on_air().stop_scanning()
        self._scanning = False

    def _on_air(self) -> Station:
        if self._station is None:
            raise RadioFailed("the radio is not open")
        return self._station
