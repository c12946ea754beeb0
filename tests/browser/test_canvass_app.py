# SPDX-License-Identifier: Apache-2.0
"""The canvassers' app at phone size: doors set aside, the city's own outcomes, a map, and where the phone is."""

import json
import re
from uuid import UUID

import pytest
from playwright.sync_api import expect
from tests.builders.accessibility import serious_findings
from tests.builders.canvassapp import CanvassApp
from tests.builders.canvassing import ask, canvassing
from tests.builders.outlines import SOUTH, WEST, grid

from bluezone.rollout.canvass.visits.endpoints import HERE as APP

pytestmark = [pytest.mark.browser, pytest.mark.field, pytest.mark.timeout(600)]
SHIPPED = APP / "script.json"


@pytest.fixture
def phones(chromium, served):
    """Makes a connected phone with a list of its own: (phone, what was planted)."""
    opened = []

    def make(group, doors, language="vi", context=None, **wanted):
        planted = canvassing(served.data, doors=doors, group=group, phones=[f"Máy {group}"], **wanted)
        opened.append(CanvassApp(chromium, served.public, language, **(context or {})))
        return opened[-1].connect(planted["phones"][0]["code"]), planted

    yield make
    for one in opened:
        one.close()


def test_forty_visits_that_always_take_the_first_door_fall_on_forty_doors(phones):
    """Without a network, and nobody at home at every second door."""
    phone, planted = phones("Tổ 40", 40)
    phone.context.set_offline(True)
    seen = []
    for number in range(40):
        seen.append(phone.first())
        phone.pick("outcome", ("refused", "not_home", "moved", "locked")[number % 4])
        phone.save()

    assert sorted(seen) == sorted(planted["doors"])
    assert "Đã đến hết" in phone.page.inner_text("#doors")
    assert len(phone.filter("Ghé lại")) == 20
    assert len(phone.filter("Xong")) == 20


def test_a_door_with_nobody_at_home_is_set_aside_by_one_tap_and_comes_up_when_it_is_due(phones, served):
    phone, _planted = phones("Tổ 3", 3, "en")
    phone.context.set_offline(True)
    set_aside = phone.first()
    phone.pick("outcome", "not_home")
    assert phone.page.locator("#aside label").count() == 3
    phone.pick("aside", "tomorrow")
    phone.save()

    assert "Come back tomorrow 08:00" in phone.page.inner_text("#saying")
    assert len(phone.doors()) == 2
    (aside,) = phone.filter("Again")
    assert "Not at home" in aside
    assert "tomorrow 08:00" in aside
    assert [one["visit"]["revisit"] for one in phone.waiting()] == ["tomorrow"]

    # The next day at nine it stands first among those that are left, and is in no other list.
    phone.live(33)
    due = phone.filter("Left")
    assert len(due) == 3
    assert "Time to come back" in due[0]
    assert phone.filter("Again") == []
    phone.filter("Left")
    assert phone.first() == set_aside
    phone.pick("outcome", "refused")
    phone.save()
    assert len(phone.doors()) == 2
    assert len(phone.filter("Done")) == 1


DUE = """async (cases) => {
  const { dueAt, usualReturn } = await import('/canvass/returning.js');
  const local = (text) => new Date(text).getTime() / 1000;
  const said = (seconds) => new Date(seconds * 1000).toString().slice(0, 21);
  return cases.map(([revisit, at]) => revisit === 'usual' ? usualReturn(local(at)) : said(dueAt(revisit, local(at))));
}"""


def test_when_a_door_is_due_for_every_hour_and_weekday(phones):
    phone, _planted = phones("Tổ 1", 1)
    cases = {
        ("after_17", "2020-08-14T09:00"): "Fri Aug 14 2020 17:00",
        ("after_17", "2020-08-14T16:50"): "Fri Aug 14 2020 17:50",
        ("after_17", "2020-08-14T18:30"): "Fri Aug 14 2020 19:30",
        ("after_17", "2020-08-14T19:30"): "Sat Aug 15 2020 17:00",
        ("tomorrow", "2020-08-14T23:59"): "Sat Aug 15 2020 08:00",
        ("other_day", "2020-08-31T10:00"): "Tue Sep 01 2020 08:00",
        ("", "2020-08-14T10:00"): "Sat Aug 15 2020 08:00",
        ("weekend", "2020-08-10T10:00"): "Sat Aug 15 2020 08:00",
        ("weekend", "2020-08-14T23:59"): "Sat Aug 15 2020 08:00",
        ("weekend", "2020-08-15T10:00"): "Sun Aug 16 2020 08:00",
        ("weekend", "2020-08-16T10:00"): "Sat Aug 22 2020 08:00",
        ("usual", "2020-08-14T09:00"): "after_17",
        ("usual", "2020-08-14T17:00"): "tomorrow",
    }

    assert phone.page.evaluate(DUE, [list(case) for case in cases]) == list(cases.values())


@pytest.fixture
def own_script(served):
    """The city's file, gone again afterwards."""
    path = served.data / "canvass" / "script.json"
    path.parent.mkdir(exist_ok=True)
    yield path
    path.unlink(missing_ok=True)


def stored(served, planted):
    """What the office knows of the visits at these doors; phones of other tests may send theirs late."""
    rows = ask(served.data, "select door, outcome, answer, offered from canvass_visit where answer <> ''")
    return [row for door, *row in rows if str(UUID(door)) in planted["doors"]]


def test_outcomes_and_what_to_say_are_the_citys_and_change_at_the_next_contact(phones, served, own_script):
    phone, planted = phones("Tổ 2", 2)
    phone.first()
    phone.page.click("#talk summary")
    assert "Bluezone báo cho cô bác" in phone.page.inner_text("#talk")
    phone.pick("outcome", "no_smartphone")
    assert "thẻ giấy có số gọi" in phone.page.inner_text("#offers")
    phone.page.click("#save")
    assert "Chưa chọn đã giúp bằng cách nào" in phone.page.inner_text("#refused")
    phone.page.click("label[for=offer-paper_card]")
    phone.page.click("label[for=offer-relative]")
    phone.save()
    phone.page.wait_for_selector(".sync.ok")
    assert stored(served, planted) == [["no_smartphone", "no_smartphone", '["paper_card", "relative"]']]

    said = json.loads(SHIPPED.read_text(encoding="utf-8"))
    said["steps"] = []
    tonight = {"key": "tonight", "counts_as": "leaflet", "label": {"vi": "Tối nay tự cài", "en": "Tonight"}}
    said["outcomes"].insert(0, tonight)
    own_script.write_text(json.dumps(said), encoding="utf-8")
    for _ in range(30):
        # Opened anew, the app shows what it had before the office has answered.
        phone.live(0)
        phone.page.wait_for_selector(".sync.ok")
        phone.first()
        phone.page.wait_for_selector("#save")
        if phone.page.locator("label[for=outcome-tonight]").count():
            break
        phone.page.go_back()
        phone.page.wait_for_selector("#doors")
    assert phone.page.locator("label[for=outcome-tonight]").count() == 1
    assert phone.page.locator("#talk").count() == 0
    phone.pick("outcome", "tonight")
    phone.page.fill("#lot", "L7")
    phone.save()
    phone.page.wait_for_selector(".sync.ok")
    assert ["leaflet", "tonight", "[]"] in stored(served, planted)
    assert len(phone.filter("Xong")) == 2


@pytest.fixture(scope="module")
def own_maps(served):
    """The city's own files of outlines and streets."""
    folder = served.data / "maps"
    folder.mkdir(exist_ok=True)
    (folder / "units.geojson").write_text(json.dumps(grid(["phường Đức Xuân", "phường Sông Cầu"])), encoding="utf-8")
    streets = [
        {"type": "Feature", "properties": {"name": f"Phố {n}"}, "geometry": {"type": "LineString", "coordinates": [
            [WEST + 0.005, SOUTH + 0.0149 + n / 1000], [WEST + 0.03, SOUTH + 0.0149 + n / 1000]]}}
        for n in range(3)
    ]  # fmt: skip
    (folder / "streets.geojson").write_text(json.dumps({"features": streets}), encoding="utf-8")


HERE = {"latitude": SOUTH + 0.0151234, "longitude": WEST + 0.0154321}


@pytest.mark.parametrize("language", ["vi", "en"])
def test_doors_lie_on_a_map_without_a_network_and_lead_to_their_visit(phones, own_maps, language):
    phone, planted = phones(f"Tổ 60 {language}", 41, language, lying=True)
    phone.context.set_offline(True)
    phone.page.click("#map")
    pins = phone.page.locator(".map g.pin")
    expect(pins.first).to_be_visible()
    assert phone.on_map() == 40
    few = pins.count()
    assert phone.page.locator(".map path.street").count() == 3
    assert phone.page.locator(".map path.outline").count() == 1
    assert re.search("1 (door|hộ)", phone.page.inner_text("main")), "the one without coordinates is told"
    sizes = [pins.first.bounding_box()["width"]]
    for _ in range(5):
        phone.page.click("#closer")
    assert few < pins.count() == phone.on_map() == 40, "doors too near for a thumb are told apart when one looks closer"
    sizes.append(pins.first.bounding_box()["width"])
    assert sizes[1] == pytest.approx(sizes[0], abs=1), "a pin stays as large as a thumb needs it"
    assert phone.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    key = planted["doors"][21]
    pin = phone.page.locator("g.pin[aria-label^='22: Số 022,']")
    pin.focus()
    phone.page.keyboard.press("Enter")
    phone.page.click(f"#chosen a[href='#/door/{key}']")
    phone.pick("outcome", "refused")
    phone.save()
    phone.page.click("#map")
    for _ in range(5):
        phone.page.click("#closer")
    expect(phone.page.locator("g.pin.done")).to_have_count(1)
    assert serious_findings(phone.page) == []


def test_where_the_phone_is_is_shown_if_asked_and_neither_kept_nor_sent(phones, own_maps):
    phone, _planted = phones("Tổ 70", 5, lying=True, context={"geolocation": HERE, "permissions": ["geolocation"]})
    phone.page.click("#map")
    expect(phone.page.locator(".map g.pin").first).to_be_visible()
    assert phone.page.locator("circle.here").count() == 0, "not asked for yet"
    phone.page.click("#here")
    phone.page.wait_for_selector("circle.here")
    assert "gần nhất" in phone.page.inner_text("#chosen")
    # A visit is entered and sent while it is shown.
    phone.page.locator("g.pin").first.click()
    phone.page.locator("#chosen a").first.click()
    phone.pick("outcome", "refused")
    phone.save()
    phone.page.wait_for_selector(".sync.ok")
    phone.page.click("#map")
    expect(phone.page.locator(".map g.pin").first).to_be_visible()
    assert phone.page.locator("circle.here").count() == 0, "forgotten with the screen"
    kept, sent = phone.kept(), "\n".join(phone.sent)

    assert '"map/' in kept, "what is kept is read unsealed"
    assert '"outcome":"refused"' in sent
    for degrees in (f"{HERE['latitude']:.5f}", f"{HERE['longitude']:.5f}"):
        assert degrees not in kept
        assert degrees not in sent


def test_where_the_browser_says_no_the_map_goes_on(phones, own_maps):
    phone, _planted = phones("Tổ 80", 3, lying=True)
    phone.page.click("#map")
    phone.page.click("#here")
    expect(phone.page.locator("#chosen")).to_contain_text("Bản đồ vẫn dùng được")
    assert phone.on_map() == 2
