# SPDX-License-Identifier: Apache-2.0
"""A tablet at a gate whose clock was wrong for a while, and over midnight: no passage is lost or holds up another."""

import pytest
from playwright.sync_api import expect
from tests.builders.canvassing import ask
from tests.builders.gatephone import GatePhone, plant, sums

pytestmark = [pytest.mark.browser, pytest.mark.field, pytest.mark.timeout(600)]
MINUTE, HOUR, DAY = 60, 3_600, 86_400
YEAR = 365 * DAY
NO_SMARTPHONE = "Không có điện thoại thông minh"


@pytest.fixture
def planted(standing, request):
    """A new gate with a keeper."""
    return plant(standing.data, 1, f"Cổng {request.node.name}"[:80])


@pytest.fixture
def tablet(chromium, standing, planted):
    """A connected tablet of the gate that has just lost its network, and the gate's primary key."""
    phone = GatePhone(chromium, standing.public).connect(planted.codes[0])
    # Not in the middle of its first exchange.
    phone.send()
    phone.context.set_offline(True)
    yield phone, planted.gate
    phone.close()


def come_in(phone, people):
    for _ in range(people):
        phone.tap(NO_SMARTPHONE, "no_smartphone")
    phone.live(11)


def undated(data, gate):
    """Passages that the office keeps of a gate without a day."""
    ((total,),) = ask(data, "SELECT coalesce(sum(count), 0) FROM gates_undatedcounter WHERE gate_id = ?", gate)
    return total


def find_network(phone):
    phone.context.set_offline(False)
    phone.send()
    expect(phone.page.locator("header")).to_contain_text("đã gửi đủ")


def test_a_clock_that_fell_back_two_years_until_the_network_set_it_loses_nobody(tablet, standing):
    phone, gate = tablet
    phone.live(-2 * YEAR)
    phone.reload()
    come_in(phone, 2)
    phone.live(2 * YEAR)
    phone.reload()
    come_in(phone, 1)
    find_network(phone)

    assert sums(standing.data, gate) == {"no_smartphone": 1}
    assert undated(standing.data, gate) == 2
    expect(phone.page.locator(".troubles")).to_contain_text("2 lượt không rõ ngày")


@pytest.mark.parametrize("ahead", [YEAR, 3 * HOUR, 20 * MINUTE])
def test_a_clock_that_was_ahead_for_a_while_holds_up_no_right_passage(tablet, standing, ahead):
    phone, gate = tablet
    phone.live(ahead)
    come_in(phone, 2)
    phone.live(-ahead)
    come_in(phone, 3)
    find_network(phone)

    assert sums(standing.data, gate) == {"no_smartphone": 3}
    assert undated(standing.data, gate) == 2
    phone.inside(3)
    if ahead < DAY:
        # The hour comes that the clock showed then, today or tomorrow.
        phone.context.set_offline(True)
        phone.live(ahead + HOUR)
        phone.reload()
        phone.inside(3)


def test_a_shift_that_began_while_the_clock_was_ahead_counts_its_own_passages(tablet, planted):
    phone, _gate = tablet
    phone.live(20 * MINUTE)
    come_in(phone, 2)
    phone.desk(f"await desk.signIn({{badge: {planted.badge!r}, pin: {planted.pin!r}}})")
    phone.live(-20 * MINUTE)
    come_in(phone, 1)

    totals = phone.desk("return (await desk.shifts.told(await desk.shifts.onDuty())).totals")
    assert totals == {"no_smartphone": 1}


def test_right_passages_stay_where_they_are_when_the_clock_jumps_before_they_are_sent(tablet, standing):
    phone, gate = tablet
    come_in(phone, 2)
    phone.live(YEAR)
    find_network(phone)

    assert sums(standing.data, gate) == {"no_smartphone": 2}
    assert undated(standing.data, gate) == 0
    expect(phone.page.locator(".troubles")).to_contain_text("Giờ của máy này sai")


def test_an_office_that_takes_nothing_is_not_called_a_missing_network(tablet, standing):
    phone, _gate = tablet
    phone.context.set_offline(False)
    refused = {"error": {"code": "server_busy", "message": "later"}}
    phone.context.route("**/v1/gates/counters", lambda route: route.fulfill(status=503, json=refused))
    come_in(phone, 1)
    phone.send()

    expect(phone.page.locator("header")).to_contain_text("văn phòng chưa nhận")
    expect(phone.page.locator("header")).not_to_contain_text("mất mạng")
    phone.context.unroute("**/v1/gates/counters")
    find_network(phone)


def test_who_is_inside_at_midnight_is_inside_after_it(tablet):
    phone, _gate = tablet
    come_in(phone, 5)
    phone.inside(5)
    for _ in range(2):
        phone.live(DAY)
        phone.reload()
        phone.inside(5)
    phone.tap("RA", "out")
    phone.inside(4)
    come_in(phone, 1)
    phone.inside(5)


def test_a_tablet_that_was_off_for_forty_days_loses_nobody(tablet, standing):
    phone, gate = tablet
    # As it was forty days ago, when it last had a network.
    phone.live(-40 * DAY)
    phone.desk("await desk.book.noteContact(desk.book.now())")
    come_in(phone, 2)
    phone.live(40 * DAY)
    come_in(phone, 1)
    phone.desk("await desk.book.purge()")
    find_network(phone)

    assert sums(standing.data, gate) == {"no_smartphone": 1}
    assert undated(standing.data, gate) == 2
