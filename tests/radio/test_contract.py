# SPDX-License-Identifier: Apache-2.0
"""The same checks for every radio that runs in one process; tests/radio/kernel runs them on hci-socket."""

import random

import pytest
from bumble.hci import LeFeatureMask
from tests.radio import contract
from tests.radio.androiddouble import AndroidPhone

from bluezone.radio.air import Pair, Scene, VirtualAir
from bluezone.radio.air.controller import AirController, virtual_radio
from bluezone.radio.simulatedtime import run_simulated


def light(air, name):
    return air.light_radio(name)


def hci(air, name):
    return air.radio(name)


class OneSetController(AirController):
    """A controller of before Bluetooth 5: no extended advertising, one advertiser, one address."""

    le_features = AirController.le_features & ~LeFeatureMask.LE_EXTENDED_ADVERTISING


def hci_4(air, name):
    return virtual_radio(air, name, kind=OneSetController)


def android(sdk, **how):
    def made(air, name):
        from bluezone.radio.android import AndroidRadio

        phone = AndroidPhone(air, name, sdk=sdk)
        phone.batches = bool(how)
        return AndroidRadio(phone.start_process(), **how)

    return made


RADIOS = {
    "light": light,
    "hci": hci,
    "hci of Bluetooth 4": hci_4,
    "android 14": android(34),
    "android 8": android(26),
    "android 14, batches": android(34, batch=True),
}


@pytest.mark.parametrize("make", RADIOS.values(), ids=RADIOS)
@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__)
def test_a_radio_keeps_the_contract(check, make, android_double):
    async def main():
        air = VirtualAir(Scene(default=Pair(0.5)), random.Random(1))
        owns = make in (light, hci, hci_4)
        place = contract.Place(
            make(air, "one"), make(air, "other"), owns_address=owns, has_second_set=make is not hci_4
        )
        witness = air.station("witness")
        witness.on_heard = lambda heard, _rssi: place.sent.append((heard.address, heard.data, heard.kind))
        witness.start_scanning(0.1, 0.1)
        await contract.run(check, place)

    run_simulated(main())
