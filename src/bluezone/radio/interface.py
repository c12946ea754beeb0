# SPDX-License-Identifier: Apache-2.0
"""What a radio can do, what it hears, and how often: the contract between adapters, the beacon and a handset."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from bluezone.refusal import Refused

ADDRESS_LENGTH = 6
LONGEST_BURST_GAP_SECONDS = 300.0

OnReport = Callable[[bytes, bytes, int], None]
"""Called with the advertiser's address (6 bytes, most significant first), the advertising data and the RSSI in dBm."""


class RadioFailed(Refused):
    """The adapter refused a command or vanished while in use; the beacon opens it again."""

    code = "radio_failed"


class AdvertisingRefused(RadioFailed):
    """The adapter cannot advertise, now or at all; the beacon goes on listening with it."""

    code = "advertising_refused"


class Sighting(NamedTuple):
    """One contact frame heard once.

    identifier16:  rolling proximity identifier.
    metadata4:     encrypted metadata; only the key can open it.
    rssi_dbm:      -110..-20, as the receiver measured it, before its correction.
    burst:         number of the scan burst it was heard in.
    boot_seconds:  on the clock that runs since start-up and through sleep.
    """

    identifier16: bytes
    metadata4: bytes
    rssi_dbm: int
    burst: int
    boot_seconds: float


@dataclass(frozen=True, slots=True)
class Burst:
    """One stretch of listening; an exposure counts the time since the burst before it.

    number:                  rises with each burst; none comes twice between two starts of the machine.
    seconds_since_previous:  from the start of the burst before to the start of this one, at most 300;
                             the first counts one period of the duty profile.
    """

    number: int
    boot_seconds: float
    seconds_since_previous: float


class Listener(Protocol):
    """Receives what the radio hears."""

    def burst_started(self, burst: Burst) -> None: ...

    def heard(self, sighting: Sighting) -> None: ...


class Reciprocity(Protocol):
    """Writes and keeps reciprocity frames, 23 bytes each, for a beacon that sends and hears them."""

    def reciprocity_frame(self, burst: int, heard: Sequence[tuple[bytes, int]]) -> bytes | None:
        """The frame that tells at most four neighbours how strongly burst `burst` heard them, None to send none.

        heard: identifiers, 16 bytes, and the mean RSSI in dBm, before the receiver's correction.
        """

    def heard_reciprocity(self, frame: bytes) -> None:
        """A frame was heard in the burst that runs."""


@dataclass(frozen=True, slots=True)
class DutyProfile:
    """How much of the time a handset listens and how often it speaks (docs/protocol.md section 2).

    scan_interval_ms equals scan_window_ms and is at most 500, so that each burst of 4 s
    visits all three advertising channels more than twice.
    """

    name: str
    burst_seconds: float
    period_seconds: float
    scan_interval_ms: int
    scan_window_ms: int
    advertising_interval_ms: int

    @property
    def continuous(self) -> bool:
        """True where bursts follow each other without a pause."""
        return self.period_seconds <= self.burst_seconds


PROFILES = {
    "default": DutyProfile("default", 4.0, 30.0, 500, 500, 250),
    "mains": DutyProfile("mains", 4.0, 4.0, 500, 500, 250),
    "saver": DutyProfile("saver", 4.0, 60.0, 500, 500, 250),
    # For a phone whose processor sleeps between bursts: within two hours awake a day, and often enough that 25 minutes
    # at 1 m are high in 95 of 100 meetings (`bluezone bench scenarios`); at 90 s they are not.
    "pocket": DutyProfile("pocket", 4.0, 70.0, 500, 500, 250),
}


class Power(Protocol):
    """Keeps a processor awake that would sleep by itself, and wakes it. Every method may be called from any thread.

    Each piece of work is held under a name of its own; the processor may sleep once none is held.
    """

    def hold(self, name: str, seconds: float) -> None:
        """Keep it awake until `release(name)`, at most so many seconds from now; anew if it is held already."""

    def release(self, name: str) -> None:
        """This piece of work is done; nothing happens if it was not held."""

    def wake_at(self, boot_seconds: float) -> None:
        """Wake it at this moment of the boot clock, in place of the moment asked for before."""


class AlwaysAwake:
    """The Power of a machine whose processor does not sleep under a running program."""

    def hold(self, name: str, seconds: float) -> None: ...

    def release(self, name: str) -> None: ...

    def wake_at(self, boot_seconds: float) -> None: ...


class Radio(Protocol):
    """One Bluetooth LE adapter that may advertise and scan at the same time.

    Every method raises RadioFailed when the adapter does not obey; `start_advertising` raises AdvertisingRefused
    when listening is still possible. `set_address` is only called while neither scanning nor advertising, because
    controllers refuse it otherwise (Bluetooth Core Specification, Vol 4, Part E, 7.8.4). Where the system owns the
    address, `set_address` asks for a fresh one, and the next `start_advertising` has it.

    The second set is sent beside the first under an address of its own. An adapter that has only one set raises
    AdvertisingRefused, and the first goes on.
    """

    @property
    def model(self) -> str:
        """Name under which calibration.py knows the adapter."""
        ...

    @property
    def lost(self) -> bool:
        """True once the adapter has vanished; only `close` and `open` help."""
        ...

    @property
    def longest_advertising_seconds(self) -> float | None:
        """After how long the adapter falls silent by itself, None if never; the beacon rotates before."""
        ...

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def set_address(self, address: bytes) -> None: ...

    async def start_advertising(self, data: bytes, interval_ms: int) -> None: ...

    async def stop_advertising(self) -> None: ...

    async def start_scanning(self, interval_ms: int, window_ms: int, on_report: OnReport) -> None: ...

    async def stop_scanning(self) -> None: ...

    async def start_second_set(self, address: bytes, data: bytes, interval_ms: int) -> None: ...

    async def change_second_set(self, data: bytes) -> None: ...

    async def stop_second_set(self) -> None: ...
