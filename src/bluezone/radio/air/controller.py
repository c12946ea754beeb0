# SPDX-License-Identifier: Apache-2.0
"""bumble's virtual controller on the virtual air, with the defects of bumble 0.0.236 corrected.

Corrected here: only ADV_IND was ever sent by legacy advertisers; their interval was taken for milliseconds
(it counts 0.625 ms); each packet was reported twice, the second time as a scan response; reports were
always connectable with -50 dBm; scan interval, window and duplicate filter had no effect; the random
address could be changed under a running advertiser or scanner. Connections are not carried.
"""

from typing import Any

from bumble import hci
from bumble.controller import AdvertisingSet, Controller
from bumble.transport.common import AsyncPipeSink, Transport

from bluezone.radio.air.station import ADV_IND, ADV_NONCONN_IND, ADV_SCAN_IND, Advertisement, Air, Station
from bluezone.radio.bumbleradio import BumbleRadio

UNIT_SECONDS = 0.000625  # intervals and windows, Core Specification Vol 4, Part E, 7.8
LEGACY_HANDLE = -1  # the advertiser of the legacy commands; extended sets are 0..239

Report = hci.HCI_LE_Advertising_Report_Event.Report
ExtendedReport = hci.HCI_LE_Extended_Advertising_Report_Event.Report
EventType = hci.HCI_LE_Extended_Advertising_Report_Event.EventType
_EXTENDED_EVENT_TYPES = {
    ADV_IND: EventType.CONNECTABLE_ADVERTISING
    | EventType.SCANNABLE_ADVERTISING
    | EventType.LEGACY_ADVERTISING_PDU_USED,
    ADV_SCAN_IND: EventType.SCANNABLE_ADVERTISING | EventType.LEGACY_ADVERTISING_PDU_USED,
    ADV_NONCONN_IND: EventType.LEGACY_ADVERTISING_PDU_USED,
}
SUCCESS = hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)
DISALLOWED = hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)


def virtual_radio(
    air: Air, name: str, model: str | None = "virtual", kind: "type[AirController] | None" = None
) -> BumbleRadio:
    """A radio over HCI bytes on `air`; model None takes the one its controller reports, as with a real adapter.

    kind: of controller, AirController unless given.
    """

    async def open_transport() -> Transport:
        controller = (kind or AirController)(air.station(name))
        return Transport(controller, _Wire(controller))

    return BumbleRadio(open_transport, model)


class _Wire(AsyncPipeSink):
    """Carries the host's packets to the controller and takes it off the air when the host hangs up."""

    def __init__(self, controller: "AirController") -> None:
        super().__init__(controller)
        self._station = controller.station

    def close(self) -> None:
        self._station.leave()


def _address(address: hci.Address) -> bytes:
    return bytes(reversed(bytes(address)))


class AirController(Controller):
    """Virtual controller of one station of the air."""

    # bumble's defaults for a 1 M scan until the host sets its own
    scan_interval_seconds = scan_window_seconds = 0.010

    def __init__(self, station: Station) -> None:
        super().__init__(station.name)
        self.station = station
        self._reported: set[tuple[bytes, bytes]] = set()
        station.on_heard = self.report

    def report(self, heard: Advertisement, rssi_dbm: int) -> None:
        """Send the host an advertising report, in the form of the commands it scans with."""
        if self.filter_duplicates:
            if (heard.address, heard.data) in self._reported:
                return
            self._reported.add((heard.address, heard.data))
        address = hci.Address(bytes(reversed(heard.address)), hci.Address.RANDOM_DEVICE_ADDRESS)
        event: hci.HCI_Packet
        if self._extended_scan:
            event = hci.HCI_LE_Extended_Advertising_Report_Event(
                [
                    ExtendedReport(
                        event_type=_EXTENDED_EVENT_TYPES[heard.kind],
                        address_type=address.address_type,
                        address=address,
                        primary_phy=hci.Phy.LE_1M,
                        secondary_phy=0,
                        advertising_sid=0xFF,
                        tx_power=127,
                        rssi=rssi_dbm,
                        periodic_advertising_interval=0,
                        direct_address_type=0,
                        direct_address=hci.Address.ANY,
                        data=heard.data,
                    )
                ]
            )
        else:
            event = hci.HCI_LE_Advertising_Report_Event(
                [Report(heard.kind, address.address_type, address, heard.data, rssi_dbm)]
            )
        self.send_hci_packet(event)

    _extended_scan = False

    @property
    def _busy(self) -> bool:
        return bool(self.le_legacy_advertiser.enabled or self.le_scan_enable)

    def on_hci_reset_command(self, command: Any) -> Any:
        self._stop_all()
        return super().on_hci_reset_command(command)

    def on_hci_le_set_random_address_command(self, command: Any) -> Any:
        if self._busy:
            return DISALLOWED
        return super().on_hci_le_set_random_address_command(command)

    # --- advertising, legacy commands

    def on_hci_le_set_advertising_enable_command(self, command: Any) -> Any:
        advertiser = self.le_legacy_advertiser
        if not command.advertising_enable:
            advertiser.enabled = False
            self.station.stop_advertising(LEGACY_HANDLE)
            return SUCCESS
        advertiser.enabled = True
        self.station.start_advertising(
            Advertisement(
                _address(advertiser.address), bytes(advertiser.advertising_data), advertiser.advertising_type
            ),
            advertiser.advertising_interval_min * UNIT_SECONDS,
            LEGACY_HANDLE,
        )
        return SUCCESS

    # --- advertising, extended commands

    def on_hci_le_set_extended_advertising_enable_command(self, command: Any) -> Any:
        for handle in command.advertising_handles or list(self.advertising_sets):
            advertising_set = self.advertising_sets.get(handle)
            if advertising_set is None or advertising_set.parameters is None:
                return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.UNKNOWN_ADVERTISING_IDENTIFIER_ERROR)
            advertising_set.enabled = bool(command.enable)
            if command.enable:
                self._start_set(advertising_set)
            else:
                self.station.stop_advertising(handle)
        return SUCCESS

    def _start_set(self, advertising_set: AdvertisingSet) -> None:
        parameters = advertising_set.parameters
        assert parameters is not None
        assert advertising_set.address is not None
        properties = parameters.advertising_event_properties
        kind = ADV_IND if properties & 1 else ADV_SCAN_IND if properties & 2 else ADV_NONCONN_IND
        self.station.start_advertising(
            Advertisement(_address(advertising_set.address), bytes(advertising_set.data), kind),
            parameters.primary_advertising_interval_min * UNIT_SECONDS,
            advertising_set.handle,
        )

    def on_hci_le_set_extended_advertising_data_command(self, command: Any) -> Any:
        result = super().on_hci_le_set_extended_advertising_data_command(command)
        advertising_set = self.advertising_sets.get(command.advertising_handle)
        if advertising_set is not None and advertising_set.enabled:
            self.station.change_advertising(bytes(advertising_set.data), command.advertising_handle)
        return result

    def on_hci_le_remove_advertising_set_command(self, command: Any) -> Any:
        self.station.stop_advertising(command.advertising_handle)
        return super().on_hci_le_remove_advertising_set_command(command)

    def on_hci_le_clear_advertising_sets_command(self, command: Any) -> Any:
        for handle in self.advertising_sets:
            self.station.stop_advertising(handle)
        return super().on_hci_le_clear_advertising_sets_command(command)

    # --- scanning

    def on_hci_le_set_scan_parameters_command(self, command: Any) -> Any:
        self.scan_interval_seconds = command.le_scan_interval * UNIT_SECONDS
        self.scan_window_seconds = command.le_scan_window * UNIT_SECONDS
        return super().on_hci_le_set_scan_parameters_command(command)

    def on_hci_le_set_extended_scan_parameters_command(self, command: Any) -> Any:
        self.scan_interval_seconds = command.scan_intervals[0] * UNIT_SECONDS
        self.scan_window_seconds = command.scan_windows[0] * UNIT_SECONDS
        return super().on_hci_le_set_extended_scan_parameters_command(command)

    def on_hci_le_set_scan_enable_command(self, command: Any) -> Any:
        result = super().on_hci_le_set_scan_enable_command(command)
        self._scan(extended=False)
        return result

    def on_hci_le_set_extended_scan_enable_command(self, command: Any) -> Any:
        result = super().on_hci_le_set_extended_scan_enable_command(command)
        self._scan(extended=True)
        return result

    def _scan(self, *, extended: bool) -> None:
        self._extended_scan = extended
        self._reported.clear()
        if self.le_scan_enable:
            self.station.start_scanning(self.scan_interval_seconds, self.scan_window_seconds)
        else:
            self.station.stop_scanning()

    def _stop_all(self) -> None:
        self.station.stop_scanning()
        self.station.stop_advertising(LEGACY_HANDLE)
        for handle in self.advertising_sets:
            self.station.stop_advertising(handle)
        self.advertising_sets.clear()
        self.le_legacy_advertiser.enabled = False
        self.le_scan_enable = False
