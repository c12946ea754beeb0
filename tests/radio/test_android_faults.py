# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with Bluetooth on phones, played on the double (tests/radio/androiddouble): not on a phone."""

import asyncio
import itertools
import random

import pytest
from tests.radio.androiddouble import AndroidPhone
from tests.radio.androiddouble.living import a_life

from bluezone.radio.air import Scene, VirtualAir
from bluezone.radio.frames import contact_advertisement, reciprocity_advertisement
from bluezone.radio.interface import AdvertisingRefused, RadioFailed
from bluezone.radio.simulatedtime import run_simulated

FINE = "android.permission.ACCESS_FINE_LOCATION"
pytestmark = pytest.mark.usefixtures("android_double")


def lived(story, **how):
    """Let `story` happen to a phone, then see that what must always hold has held."""

    async def main():
        async with a_life(**how) as life:
            await story(life)
        life.check()
        return life

    return run_simulated(main())


def told(life):
    return life.beacon.off_code


async def works_again(life, seconds=70):
    """Within a little more than the longest pause and a burst the phone sends and hears, and nothing is wrong."""
    now = asyncio.get_running_loop().time()
    await asyncio.sleep(seconds)
    assert told(life) is None
    assert life.sent[-1][0] > now
    assert life.heard_by_phone(now) > 0


@pytest.mark.long
def test_each_rotation_is_a_new_set_with_a_new_address_well_before_the_system_would_end_it():
    async def story(life):
        life.watch(every_seconds=1.05)
        await asyncio.sleep(4500)

    life = lived(story)

    firsts = [next(moment for moment, _, sent in life.sent if sent == turn) for turn in life.turns()]
    lives = [later - earlier for earlier, later in itertools.pairwise(firsts)]
    assert len(lives) >= 5
    assert all(597 <= one <= 653 for one in lives)
    addresses = len({address for _, address, _ in life.sent})
    assert addresses > len(life.turns()), "the double must renew addresses by itself, or this proves nothing"
    assert life.phone.advertising.starts == len(life.turns())
    assert {sighting.metadata4 for sighting in life.neighbour.diary.sightings} == {b"meta"}


@pytest.mark.parametrize("status", [1, 2, 3, 4, 5])
def test_a_phone_whose_advertising_is_refused_listens_on_and_tries_again_every_minute(status):
    async def story(life):
        life.phone.advertising.statuses = [status] * 3
        await asyncio.sleep(100)
        assert told(life) == "advertising_refused"
        assert life.sent == []
        assert life.heard_by_phone(60) > 0
        await asyncio.sleep(30)
        await works_again(life)

    assert lived(story).phone.advertising.starts == 4


@pytest.mark.parametrize("lacks", ["advertises", "has_advertiser"])
def test_a_phone_that_cannot_advertise_listens_all_the_same(lacks):
    async def story(life):
        setattr(life.phone, lacks, False)
        await asyncio.sleep(900)
        assert told(life) == "advertising_unsupported"
        assert life.heard_by_phone(850) > 0

    assert lived(story).sent == []


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("times", [1, 3])
def test_a_scan_that_android_refuses_is_told_and_tried_again(code, times):
    async def story(life):
        life.phone.scanning.failures = [code] * times
        await asyncio.sleep(0.9)
        assert told(life) == "scan_refused"
        await works_again(life)

    assert len(lived(story).turns()) <= times + 1


@pytest.mark.parametrize("code", [2, 3, 5])
def test_a_scan_that_ends_by_itself_is_started_again(code):
    async def story(life):
        await asyncio.sleep(31)
        life.phone.scanning.fail(code)
        await works_again(life)

    lived(story)


def test_a_phone_told_that_it_scans_too_often_waits_out_the_window():
    async def story(life):
        life.phone.scanning.failures = [6]
        await works_again(life, 100)
        starts = life.phone.scanning.starts
        assert starts[1] - starts[0] >= 30

    lived(story)


@pytest.mark.parametrize("sdk", [26, 29, 34])
def test_passes_and_rotations_in_a_hurry_never_start_a_sixth_scan_in_half_a_minute(sdk):
    async def story(life):
        for number in range(30):
            await asyncio.sleep(1)
            life.beacon.rotate_soon()
            if number % 5 == 0:
                life.beacon.show_pass(bytes(16))
                await asyncio.sleep(0.5)
                life.beacon.hide_pass()
        await works_again(life)

    life = lived(story, sdk=sdk, duty="mains")
    assert len(life.turns()) > 20
    starts = life.phone.scanning.starts
    assert all(sixth - first >= 30 for first, sixth in zip(starts, starts[5:], strict=False))


@pytest.mark.parametrize("moment", [0.001, 0.006, 0.015, 0.03, 2.0])
def test_bluetooth_switched_off_in_the_middle_of_a_rotation_leaves_no_old_payload_behind(moment):
    async def story(life):
        await asyncio.sleep(35)
        life.phone.advertising.start_seconds = 0.01
        life.beacon.rotate_soon()
        await asyncio.sleep(moment)
        life.phone.switch_off()
        await asyncio.sleep(31)  # a burst begins
        assert told(life) == "bluetooth_off"
        silent = len(life.sent)
        await asyncio.sleep(300)
        assert len(life.sent) == silent
        assert life.phone.receivers == [], "a closed radio watches nothing"
        life.phone.switch_on()
        await works_again(life)

    lived(story)


def test_bluetooth_that_is_off_at_the_start_is_told_and_waited_for():
    async def story(life):
        life.phone.switch_off()
        await asyncio.sleep(100)
        assert told(life) == "bluetooth_off"
        life.phone.switch_on()
        await works_again(life)

    lived(story)


@pytest.mark.parametrize("lacks", ["BLUETOOTH_SCAN", "BLUETOOTH_ADVERTISE"])
def test_a_permission_taken_back_while_it_runs_is_told_and_its_return_mends_it(lacks):
    async def story(life):
        await asyncio.sleep(40)
        life.phone.revoke(f"android.permission.{lacks}")
        life.beacon.rotate_soon()
        await asyncio.sleep(31)
        assert told(life) == "bluetooth_permission_missing"
        life.phone.granted.add(f"android.permission.{lacks}")
        await works_again(life)

    lived(story)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda phone, on: setattr(phone, "location_on", on), "location_off"),
        (lambda phone, on: phone.granted.add(FINE) if on else phone.revoke(FINE), "location_permission_missing"),
    ],
)
@pytest.mark.parametrize("sdk", [26, 30])
def test_before_android_12_a_phone_without_location_says_that_it_hears_nothing(sdk, change, code):
    async def story(life):
        await asyncio.sleep(40)
        change(life.phone, False)
        await asyncio.sleep(31)
        assert told(life) == code
        change(life.phone, True)
        await works_again(life)

    lived(story, sdk=sdk)


def test_a_stack_that_answers_nothing_is_given_up_after_five_seconds_and_asked_again():
    async def story(life):
        await asyncio.sleep(40)
        life.phone.advertising.silent = True
        life.beacon.rotate_soon()
        await asyncio.sleep(20)
        assert told(life) == "radio_failed"
        life.phone.advertising.silent = False
        await works_again(life, 100)

    lived(story)


def test_a_set_that_starts_after_it_was_given_up_is_ended_at_once():
    async def story(life):
        life.phone.advertising.start_seconds = 8.0
        await asyncio.sleep(7)
        assert told(life) == "radio_failed"
        life.phone.advertising.start_seconds = 0.02
        await works_again(life)
        assert len(life.phone.advertising.on_air) == 1

    lived(story)


def test_a_killed_service_leaves_nothing_on_the_air_and_starts_anew():
    async def story(life):
        await asyncio.sleep(700)
        life.phone.kill()
        silent, heard = len(life.sent), life.heard_by_phone()
        await asyncio.sleep(600)
        assert len(life.sent) == silent
        assert life.heard_by_phone() == heard
        life.start()
        await works_again(life)

    lived(story)


@pytest.mark.long
def test_twelve_hours_of_doze_never_send_an_identifier_for_longer_than_the_system_was_told_to():
    async def story(life):
        await asyncio.sleep(100)
        asleep_at = asyncio.get_running_loop().time()
        life.phone.sleep()
        await asyncio.sleep(3600)
        life.witness.stop_scanning()
        await asyncio.sleep(11 * 3600)
        life.watch()
        await asyncio.sleep(60)
        assert life.sent[-1][0] - asleep_at < 656, "the chip fell silent by itself"
        woken_at = asyncio.get_running_loop().time()
        life.phone.wake()
        await works_again(life)
        assert not [one for one in life.diary.sightings if asleep_at + 10 < one.boot_seconds < woken_at]
        gaps = [burst.seconds_since_previous for burst in life.diary.bursts]
        assert max(gaps) == 300

    lived(story)


def test_what_was_heard_before_the_processor_slept_is_not_taken_for_a_meeting_after_it_woke():
    async def story(life):
        await asyncio.sleep(31)  # within a burst, so results come while nobody can take them
        life.phone.sleep()
        await asyncio.sleep(120)
        life.neighbour.task.cancel()
        await asyncio.sleep(20)
        before = life.heard_by_phone()
        life.phone.wake()
        await asyncio.sleep(60)
        assert life.heard_by_phone() == before

    lived(story)


@pytest.mark.long
def test_short_naps_of_the_processor_do_no_harm():
    async def story(life):
        for seconds in (3, 17, 45, 200, 640, 660, 1000):
            life.phone.sleep()
            await asyncio.sleep(seconds)
            life.phone.wake()
            await works_again(life)

    lived(story)


def test_a_second_set_that_the_system_ended_or_does_not_change_is_refused_and_the_radio_goes_on(android_double):
    async def main():
        from bluezone.radio.android import AndroidRadio

        phone = AndroidPhone(VirtualAir(Scene(), random.Random(1)), "one", sdk=34)
        radio = AndroidRadio(phone.start_process())
        await radio.open()
        await radio.start_advertising(contact_advertisement(bytes(20)), 250)
        frame = reciprocity_advertisement(b"\x03" + bytes(22))
        await radio.start_second_set(bytes(6), frame, 1000)
        _, second = phone.advertising.on_air
        phone.advertising._time_out(second)
        await asyncio.sleep(0.1)
        assert not radio.lost
        with pytest.raises(AdvertisingRefused):
            await radio.change_second_set(frame)
        await radio.stop_second_set()
        await radio.start_second_set(bytes(6), frame, 1000)
        phone.advertising.silent = True
        with pytest.raises(RadioFailed):
            await radio.change_second_set(frame)
        assert len(phone.advertising.on_air) == 2
        phone.advertising.silent = False
        await radio.close()
        assert phone.advertising.on_air == []

    run_simulated(main())
