# SPDX-License-Identifier: Apache-2.0
"""What the explorer does with a phone, of this version or of an earlier one.

A phone of an earlier version is a process on its own machine, forked from an interpreter that has the modules of
that version. It imports this module, too, so what is imported from `bluezone` here is there in every version.
"""

import os
import traceback
from contextlib import suppress
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from tests.explore.machine import READY, Channel, Died, Machine, Refusal, Violation

import bluezone
from bluezone.handset import Handset
from bluezone.radio.interface import Burst, Sighting
from bluezone.refusal import Refused

BURST_SECONDS = 30.0
# How strongly a phone near by is heard.
RSSI_DBM = -76
UPTIME_SECONDS = 86_400.0


class Phone:
    """A phone. name: for sentences about it."""

    def __init__(self, handset: Any, name: str) -> None:
        self._handset = handset
        self.name = name
        self._radio = handset.encounters

    def check(self) -> None:
        """Fetch what is new and compare it with what was heard. Raises Refused."""
        self._handset.check()

    def newest(self) -> int:
        """The number of the newest file that it has."""
        return int(self._handset.downloads.position.number)

    def today(self) -> date:
        """The local date."""
        return self._handset.time.today()

    def payload(self) -> bytes:
        """What it broadcasts now."""
        return self._radio.payload()

    def hear(self, payload: bytes, number: int) -> None:
        """In a burst of its radio, which has a number, it hears another phone."""
        burst = Burst(number, self._handset.clock.boot_seconds(), BURST_SECONDS)
        self._radio.burst_started(burst)
        self._radio.heard(Sighting(payload[:16], payload[16:], RSSI_DBM, number, burst.boot_seconds))

    def store_sightings(self) -> None:
        """Write to its disk what it has heard."""
        self._radio.flush()

    def report(self, code: str) -> bool:
        """Report with a code; whether the server has acknowledged it. Raises Refused."""
        return self._handset.report.prepare_and_submit(code, consent=True).state == "sent"

    def warned_days(self) -> set[date]:
        """The local days of which it warns."""
        return {warning.day for warning in self._handset.risk.warnings()}

    def close(self) -> None:
        """Switch it off."""
        self._handset.close()


class _BetweenPhone(Phone):
    def report(self, code: str) -> bool:
        return self._handset.report.prepare_and_send(code, consent=True).state == "sent"


class _FirstPhone(Phone):
    def __init__(self, handset: Any, name: str) -> None:
        self._handset = self._radio = handset
        self.name = name

    def newest(self) -> int:
        return int(self._handset.held_exports.number)

    def today(self) -> date:
        return self._handset.today()

    def report(self, code: str) -> bool:
        return self._handset.report(code, consent=True).state == "sent"

    def warned_days(self) -> set[date]:
        return {warning.day for warning in self._handset.warnings()}


# By commit (tests/releases): the name of the version, and what is done with its phone.
EARLIER = {"7a60e82": ("release 0.1.0", _FirstPhone), "63c4e645": ("63c4e645, before release 0.2.0", _BetweenPhone)}


class EarlierRefused(Refused):
    """What a phone of an earlier version refused."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        # A class has one code elsewhere; here it comes from the phone's process.
        self.code = code  # type: ignore[misc]


class EarlierPhone:
    """A phone of an earlier version, as a process of that version; it does what a `Phone` does.

    machine: its own. number: among all phones. The rest as for Handset.open.
    """

    def __init__(self, machine: Machine, number: int, version: str, server: str, trust: str) -> None:
        self.name = f"phone {number} of {EARLIER[version][0]}"
        machine.control.uptime = UPTIME_SECONDS
        self._process = machine.start(0, run_phone, version, machine.folder, server, trust)
        self._require(self._process.receive)

    def __getattr__(self, name: str) -> Any:
        """As in `Phone`. Raises Refused, and Violation if the process ends or hangs."""
        return partial(self._call, name)

    def _call(self, name: str, *arguments: Any) -> Any:
        return self._require(partial(self._process.call, name, *arguments))

    def _require(self, call: Any) -> Any:
        try:
            answer = call()
        except (Died, TimeoutError) as error:
            raise Violation(f"{self.name} ends or hangs: {type(error).__name__}") from None
        if not isinstance(answer, Refusal):
            return answer
        if answer.code.startswith("crash"):
            raise Violation(f"{self.name} ends with {answer.code}: {answer.message}")
        raise EarlierRefused(answer.code, answer.message)

    def close(self) -> None:
        """End it at once."""
        self._process.kill()


def run_phone(channel: Channel, version: str, folder: Path, server: str, trust: str) -> None:
    """In a process with the modules of a version: a phone of it, until the explorer has gone."""
    assert Path(bluezone.__file__).is_relative_to(os.environ["PYTHONPATH"]), bluezone.__file__
    name, kind = EARLIER[version]
    phone = kind(Handset.open(folder, server, trust=trust), name)
    channel.send(READY)
    with suppress(EOFError):
        while True:
            act, arguments = channel.receive()
            try:
                channel.send(getattr(phone, act)(*arguments))
            except Refused as refused:
                channel.send(Refusal(refused.code, refused.message))
            except Exception as error:
                channel.send(Refusal(f"crash {type(error).__name__}", "".join(traceback.format_exception(error)[-3:])))
                return
