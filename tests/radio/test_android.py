# SPDX-License-Identifier: Apache-2.0
"""The Android radio where nothing goes wrong, on the double: gates, what it asks of Android, what it needs to run."""

import asyncio
import contextlib
import os
import random
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.radio.androiddouble import AndroidPhone
from tests.radio.androiddouble.living import a_life
from tests.radio.handsets import running
from tests.radio.test_gateanswer import ALL, AT_THE_GATE, gate_on

from bluezone.edge.gate.check import Finding, GateCheck
from bluezone.edge.gate.main import GateRadio
from bluezone.protocol.gate.passes import PassA, pass_text
from bluezone.radio.air import VirtualAir
from bluezone.radio.android import AndroidClock, AndroidRadio, JavaMissing
from bluezone.radio.android.advertisement import ServiceAdvertisement, service_advertisement, structures, trimmed
from bluezone.radio.android.radio import ScanStarts
from bluezone.radio.frames import advertisement, contact_advertisement
from bluezone.radio.simulatedtime import run_simulated

service_data = st.binary(min_size=1, max_size=24)


def test_an_android_phone_that_shows_its_pass_is_proven_by_an_ordinary_gate_within_two_seconds(android_double):
    async def main():
        async with a_life() as life, gate_on(life.phone.air) as check:
            await asyncio.sleep(20)
            session = os.urandom(16)
            life.beacon.show_pass(session)
            await asyncio.sleep(2)
            found = check.judge(pass_text(PassA(ALL, 1, session))), life.beacon.gate_answered
            life.beacon.hide_pass()
            await asyncio.sleep(60)
            life.check()
            return found, life.beacon.off_code

    assert run_simulated(main()) == ((Finding.PROVEN, True), None)


def test_a_gate_on_an_android_tablet_proves_an_ordinary_phone(android_double):
    async def main():
        air, clock = VirtualAir(AT_THE_GATE, random.Random(1)), asyncio.get_running_loop().time
        check = GateCheck(b"gate", tuple, clock, clock)
        tablet = AndroidPhone(air, "gate", sdk=30)
        gate = asyncio.create_task(GateRadio(AndroidRadio(tablet.start_process()), check, random.Random(9)).run())
        async with running(air.light_radio("phone")) as (phone,):
            session = os.urandom(16)
            phone.beacon.show_pass(session)
            await asyncio.sleep(100)  # challenges change every 30 s, and so does what the tablet advertises
            found = check.judge(pass_text(PassA(ALL, 1, session)))
        gate.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await gate
        return found, tablet.crashes, tablet.scanning.refused

    assert run_simulated(main()) == (Finding.PROVEN, [], 0)


def test_the_clock_is_elapsed_realtime_and_a_start_of_the_phone_has_a_name(android_double):
    async def main():
        phone = AndroidPhone(VirtualAir(AT_THE_GATE, random.Random(1)), "phone")
        clock = AndroidClock(phone.start_process())
        await asyncio.sleep(3600)
        first = clock.boot_seconds(), clock.boot_id()
        phone.boots += 1
        return first, clock.boot_id()

    assert run_simulated(main()) == ((3600.0, "android-7"), "android-8")


def test_outside_an_android_app_the_radio_says_that_there_is_no_bridge():
    for make in (AndroidRadio, AndroidClock):
        with pytest.raises(JavaMissing) as refused:
            make(object())
        assert refused.value.code == "android_missing"


def test_the_android_radio_the_agent_and_the_page_need_no_bumble():
    """Its USB and serial libraries have no wheels for Android."""
    program = (
        "import sys; sys.modules['bumble'] = None\n"
        "import bluezone.radio.android, bluezone.handset.agent, bluezone.handset.page.api, bluezone.handset.phone\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stderr


@given(data=service_data, uuid=st.integers(0, 0xFFFF))
def test_a_frame_of_ours_is_taken_apart_for_android_and_comes_back_from_a_padded_record(data, uuid):
    frame = advertisement(data, uuid)

    assert service_advertisement(frame) == ServiceAdvertisement(uuid, data)
    assert trimmed(frame.ljust(62, b"\0")) == frame


@pytest.mark.parametrize(
    "frame", [b"", b"\x02\x01\x1a", contact_advertisement(bytes(20))[:-1], b"\x03\x03\x56\x4e" * 2]
)
def test_what_android_could_not_send_as_it_stands_is_never_sent(frame):
    with pytest.raises(ValueError, match=r"advertised|service data"):
        service_advertisement(frame)


@given(noise=st.binary(max_size=80))
def test_a_scan_record_of_noise_is_read_to_its_last_whole_structure(noise):
    assert sum(len(contents) + 2 for _, contents in structures(noise)) <= len(noise)
    assert noise.startswith(trimmed(noise))


@given(pauses=st.lists(st.floats(0, 20), min_size=1, max_size=60))
def test_no_sixth_start_falls_into_half_a_minute_whatever_is_asked_for(pauses):
    starts, now, begun = ScanStarts(), 0.0, []
    for pause in pauses:
        now += pause
        now += starts.wait_seconds(now)
        starts.started(now)
        begun.append(now)

    assert all(fifth - first >= 30 for first, fifth in zip(begun, begun[4:], strict=False))


def test_a_start_refused_by_the_system_closes_the_whole_window():
    starts = ScanStarts()
    starts.refused(100.0)

    assert starts.wait_seconds(110.0) == pytest.approx(20.5)
    assert starts.wait_seconds(131.0) == 0.0
