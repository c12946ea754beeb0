# SPDX-License-Identifier: Apache-2.0
"""Bad days in the field, each whole, with the stopwatch printed (`make test-field`): the server away for a week, a
scanner that stutters, two gates of one agency, the longest names, a stall without a network, 10,000 households.

A full disk and two tablets of one gate: test_gate_app.py. Loudspeakers: tests/edge/speaker, tests/rollout/loudspeakers.
"""

import random
import time
from collections import Counter
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect
from tests.builders import schooling
from tests.builders.accessibility import serious_findings
from tests.builders.bulkwork import bulkwork
from tests.builders.canvassing import ask, canvassing
from tests.builders.canvassphone import KillablePhone
from tests.builders.crawling import scrolls_sideways
from tests.builders.gatepage import browser_pass, week_key
from tests.builders.gatephone import GatePhone, WebEdition, plant, sums
from tests.builders.pagecosts import scan
from tests.builders.peopling import Person
from tests.builders.serving import RestartableServer
from tests.builders.stores import prepared_store
from tests.builders.visitor import NARROW, Visitor

from bluezone.protocol.gate.passes import read_screen

pytestmark = [pytest.mark.browser, pytest.mark.field, pytest.mark.timeout(900)]
DAY = 86_400
NO_SMARTPHONE = {"vi": "Không có điện thoại thông minh", "en": "No smartphone"}
BOTH = pytest.mark.parametrize("language", ["vi", "en"])
KEPT = {"vi": ("không có mạng", "đã gửi"), "en": ("no network", "have been sent")}
LONGEST_GATE = "Cổng phụ phía sau trụ sở Trung tâm Phục vụ hành chính công và Bộ phận Một cửa B"
LONGEST_WORD = "Nhàvănhóatổdânphố" * 5
# What later.js tells of the form it keeps.
TOLD = "[data-later-told]"


@pytest.fixture
def watch(request):
    """Prints how long each leg of the journey took."""
    began = last = time.monotonic()

    def leg(name):
        nonlocal last
        now = time.monotonic()
        print(f"\n  {now - last:6.1f} s  {name}", end="")  # noqa: T201 - a stopwatch
        last = now

    yield leg
    print(f"\n  {time.monotonic() - began:6.1f} s  {request.node.name} in all")  # noqa: T201 - a stopwatch


@pytest.fixture
def tablets(chromium, served):
    """Makes connected tablets of a new gate: (tablets, what was planted)."""
    opened = []

    def make(number, name):
        planted = plant(served.data, number, name)
        opened.extend(GatePhone(chromium, served.public).connect(code) for code in planted.codes)
        return opened[-number:], planted

    yield make
    for one in opened:
        one.close()


@pytest.mark.slow
@BOTH
def test_the_server_is_away_for_a_week_and_gate_and_class_lose_nothing(chromium, tmp_path, watch, language):
    server = RestartableServer(tmp_path / "served")
    server.begin()
    try:
        planted = plant(server.data, 1, "Cổng xã vùng cao")
        schooling.plant(server.data)
        address, pin = schooling.links(server.data)["6A"]
        gate = GatePhone(chromium, server.origin, language).connect(planted.codes[0])
        gate.live(-7 * DAY)
        head = chromium.new_context(viewport=NARROW, locale={"vi": "vi-VN", "en": "en-GB"}[language])
        page = head.new_page()
        page.goto(server.origin + address[address.index("/c/") :], wait_until="networkidle")
        watch("an office, a gate, the head of a class")
        server.end()

        for day in range(1, 8):
            gate.reload()
            for _ in range(day):
                gate.tap(NO_SMARTPHONE[language], "no_smartphone")
            gate.inside(day)
            gate.live(DAY)
        for name, number in {"pupils": 40, "with_smartphone": 4, "running": 3, "relatives": 9, "pin": pin}.items():
            page.fill(f"input[name={name}]", str(number))
        page.click("main button[type=submit]")
        kept, sent = KEPT[language]
        expect(page.locator(TOLD)).to_contain_text(kept, ignore_case=True, timeout=60_000)
        watch("seven days without it: 28 passages, four numbers")

        server.begin()
        gate.send()
        page.reload()
        expect(page.locator(TOLD)).to_contain_text(sent, ignore_case=True, timeout=60_000)
        assert sums(server.data, planted.gate) == {"no_smartphone": 28}
        assert schooling.reports(server.data) == [[40, 4, 3, 9]]
        watch("it is back, and has all")
        gate.close()
        head.close()
    finally:
        server.end()


@pytest.mark.slow
@BOTH
def test_forty_doors_without_a_network_and_a_telephone_that_dies_after_twenty(chromium, tmp_path, watch, language):
    server = RestartableServer(tmp_path / "served")
    server.begin()
    phone = KillablePhone(SimpleNamespace(chromium=chromium.browser_type), tmp_path / "profile", server.origin).open()
    try:
        planted = canvassing(server.data, doors=40, phones=["Máy 1"])
        phone.connect(planted["phones"][0]["code"])
        phone.speak(language)
        watch("an office, a telephone with a list of forty doors")
        server.end()
        # Nobody is at home at every second one; whoever goes round always takes the first that is shown.
        for number, outcome in enumerate(("refused", "not_home", "moved", "locked") * 10):
            if number == 20:
                watch("twenty visits without a network")
                phone.kill()
                phone.open().show()
                phone.page.wait_for_selector(f"html[lang={language}] #doors a")
                assert len(phone.waiting()) == 20
                watch("its browser is killed and opened again, twenty of twenty are there")
            phone.page.locator("#doors a").first.click()
            phone.page.click(f"label[for=outcome-{outcome}]")
            phone.page.click("#save")
            phone.page.wait_for_selector("#doors")
        assert phone.page.locator("#doors a").count() == 0, "nothing is left"
        assert phone.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        watch("twenty more")
        server.begin()
        phone.show("/backlog")
        phone.page.click("#send")
        phone.page.wait_for_selector("#sync .ok", timeout=120_000)
        found = ask(server.data, "select door from canvass_visit")
        assert sorted(door for (door,) in found) == sorted(door.replace("-", "") for door in planted["doors"])
        watch("the network is back, all forty are at the office, one for each door")
    finally:
        phone.close()
        server.end()


def test_a_scanner_that_stutters_is_read_at_the_browser_s_gate_every_time(tablets, watch):
    (phone,), _ = tablets(1, "Cổng máy quét cũ")
    phone.trust(week_key())
    some = random.Random(8)
    pauses = [0, *(some.randrange(4_500) for _ in range(8))]
    for pause in pauses:
        phone._forget_verdict()
        scan(phone.page, browser_pass(read_screen(phone.screen).value), stall_ms=pause)
        phone.saw("valid_code")
    phone.inside(len(pauses))
    watch(f"{len(pauses)} scans, pauses of up to {max(pauses) / 1000:.1f} s in the middle of one")


def test_two_gates_of_an_agency_keep_their_keepers_codes_and_numbers_apart(tablets, chromium, served, watch):
    (front,), one = tablets(1, "Cổng trước")
    (back,), other = tablets(1, "Cổng sau")
    back.scan(one.badge, "idle")
    back.page.keyboard.type(one.pin)
    back.page.keyboard.press("Enter")
    expect(back.page.locator(".told")).to_be_visible(timeout=60_000)
    assert "Ca của" not in back.page.inner_text("header")
    back.reload()
    visitor = WebEdition(chromium, served.public)
    text = visitor.show(front.screen)
    back.scan(text, "pass_expired")
    front.scan(text, "valid_code")
    back.scan(visitor.show(back.screen), "valid_code")
    visitor.close()
    front.tap("RA", "out")
    for tablet, inside in ((front, 0), (back, 1)):
        tablet.inside(inside)
        tablet.live(11)
        tablet.send()
    assert sums(served.data, one.gate) == {"valid_code": 1, "out": 1}
    assert sums(served.data, other.gate) == {"valid_code": 1}
    watch("one visitor through two gates")


@pytest.mark.slow
def test_the_longest_names_fit_the_pages_that_the_field_opens(tablets, served, peopled, chromium, watch):
    (phone,), _ = tablets(1, LONGEST_GATE[:80])
    assert phone.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    lead = Visitor(chromium, peopled)
    lead.page.set_viewport_size(NARROW)
    lead.come_in(Person("drive_lead", 1280))
    lead.open("/drives/new/")
    lead.page.select_option("[name=campaign]", index=1)
    lead.page.select_option("[name=team]", index=1)
    lead.page.select_option("[name=unit]", label="phường Sông Cầu")
    lead.send(place=LONGEST_WORD[:80], begins="00:01", ends="23:59")
    lead.page.wait_for_selector(f"h1:has-text('{LONGEST_WORD[:20]}')")
    assert scrolls_sideways(lead.page) == ""
    lead.page.get_by_role("button", name="Bắt đầu").click()
    lead.page.wait_for_selector("#who-waits")
    assert scrolls_sideways(lead.page) == ""
    ((code,),) = ask(peopled.data, "select code from drives_drive where place = ?", LONGEST_WORD[:80])
    lead.page.goto(f"{peopled.public}/d/{code}")
    assert scrolls_sideways(lead.page) == ""
    lead.page.get_by_role("button", name="Lấy số").click()
    lead.page.wait_for_selector("main .ticket")
    assert scrolls_sideways(lead.page) == ""
    lead.context.close()
    watch("a gate and a stall with the longest names, at 360 px")


def test_a_stall_without_a_network_gives_the_number_when_it_is_back(peopled, chromium, watch):
    ((code, place),) = ask(
        peopled.data, "select code, place from drives_drive where state = 'live' and place = 'Chợ Bắc Kạn'"
    )
    context = chromium.new_context(viewport=NARROW, locale="vi-VN")
    page = context.new_page()
    page.goto(f"{peopled.public}/d/{code}", wait_until="networkidle")
    before = ask(peopled.data, "select count(*) from drives_helprequest")
    context.set_offline(True)
    for _ in range(2):
        page.get_by_role("button", name="Lấy số").click()
        expect(page.locator(TOLD)).to_contain_text("không có mạng", ignore_case=True)
    assert serious_findings(page) == []
    assert scrolls_sideways(page) == ""
    watch("no network: the page says so and keeps what was asked for")
    context.set_offline(False)
    page.wait_for_selector("main .ticket")
    assert place in page.inner_text("main")
    assert ask(peopled.data, "select count(*) from drives_helprequest") == [(before[0][0] + 1,)]
    context.close()
    watch("the number")


def test_what_was_typed_of_a_tally_sheet_without_a_network_is_offered_again(peopled, chromium, watch):
    lead = Visitor(chromium, peopled)
    lead.page.set_viewport_size(NARROW)
    lead.come_in(Person("drive_lead", 1280))
    ((drive,),) = ask(peopled.data, "select id from drives_drive where place = 'Chợ Bắc Kạn'")
    lead.open(f"/drives/{drive}/tally/")
    typed = {"running": "17", "other_help": "4", "no_smartphone": "6", "could_not": "2"}
    lead.context.set_offline(True)
    for name, number in typed.items():
        lead.page.fill(f"[name={name}]", number)
    lead.page.click("main form:not([action]) button[type=submit]", no_wait_after=True)
    lead.page.wait_for_event("requestfailed")
    watch("four numbers typed, the network cut")
    lead.context.set_offline(False)
    lead.open(f"/drives/{drive}/tally/")
    lead.page.click("[data-restore]")
    assert {name: lead.page.input_value(f"[name={name}]") for name in typed} == typed
    lead.page.click("main form:not([action]) button[type=submit]")
    expect(lead.page.locator(".notes")).to_contain_text("Đã ghi")
    assert lead.page.locator("[data-restore]").count() == 0, "what is stored is offered no more"
    lead.context.close()
    watch("offered again, and stored")


@pytest.mark.slow
def test_a_ward_of_ten_thousand_households_goes_in_while_gates_and_loudspeakers_write(tmp_path, watch):
    data = tmp_path / "data"
    prepared_store(data)
    found = bulkwork(data, "import", rows=10_000, changed=400, groups=24, taken_back=600)
    watch(f"10,000 households; meanwhile written by others: {found['wrote']}")

    assert Counter(found["refused"]) == {}
    assert all(found["wrote"].values())
    assert found["passed"] < len(found["held"]) / 2
