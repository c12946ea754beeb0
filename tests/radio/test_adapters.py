# SPDX-License-Identifier: Apache-2.0
import asyncio
import errno
import os
import random
import socket

import pytest
from tests.radio.androiddouble import AndroidPhone
from tests.radio.androiddouble.modules import application

from bluezone.radio import adapters
from bluezone.radio.adapters import InvalidRadio, RadioUnavailable, diagnose, identify, open_radio
from bluezone.radio.air import Scene, VirtualAir
from bluezone.radio.android import JavaMissing
from bluezone.radio.simulatedtime import run_simulated


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "usb",
        ":0",
        "virtual:",
        "virtual:9000",
        "virtual:host:port",
        "virtual:host:0",
        "virtual:h:1/" + "n" * 101,
        "android:0",
    ],
)
def test_what_is_not_the_name_of_a_radio_is_refused_at_once(spec):
    with pytest.raises(InvalidRadio) as refused:
        open_radio(spec)
    assert refused.value.code == "radio_invalid"


@pytest.mark.parametrize("spec", ["nosuch:0", "serial:/dev/there-is-none,115200", "hci-socket:77", "usb:77", "file:/x"])
def test_a_radio_that_is_not_there_says_why_and_what_to_do(spec):
    unavailable = asyncio.run(diagnose(spec))

    assert isinstance(unavailable, RadioUnavailable)
    assert unavailable.code == "radio_unavailable"
    assert unavailable.cause
    assert unavailable.remedy


def test_an_android_radio_outside_an_android_app_says_so():
    with pytest.raises(JavaMissing) as refused:
        open_radio("android:")
    unavailable = asyncio.run(diagnose("android:"))

    assert refused.value.code == "android_missing"
    assert "packaged app" in unavailable.cause


def test_inside_an_android_app_the_radio_is_the_phones(android_double):
    async def main():
        air = VirtualAir(Scene(), random.Random(1))
        application.context = AndroidPhone(air, "phone", model="SM-A515F").start_process()
        return await identify(open_radio("android:"))

    assert run_simulated(main()) == "samsung SM-A515F"


def test_a_python_without_bluetooth_sockets_is_named_as_the_cause(monkeypatch):
    monkeypatch.delattr(socket, "AF_BLUETOOTH", raising=False)

    unavailable = asyncio.run(diagnose("hci-socket:0"))

    assert "AF_BLUETOOTH" in unavailable.cause
    assert "python3" in unavailable.remedy


@pytest.mark.parametrize(
    ("number", "spec", "words"),
    [
        (errno.EAFNOSUPPORT, "hci-socket:0", "kernel"),
        (errno.EPERM, "hci-socket:0", "CAP_NET_ADMIN"),
        (errno.EACCES, "serial:/dev/ttyACM0", "dialout"),
        (errno.EACCES, "usb:0", "udev"),
        (errno.EBUSY, "hci-socket:1", "hciconfig hci1 down"),
        (errno.ENODEV, "hci-socket:0", "plug the adapter in"),
        (errno.EIO, "hci-socket:0", "docs/radio.md"),
    ],
)
def test_each_cause_has_its_remedy(number, spec, words):
    unavailable = adapters._explanation(spec, OSError(number, os.strerror(number)))

    assert words in unavailable.message
