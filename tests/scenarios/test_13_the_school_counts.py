# SPDX-License-Identifier: Apache-2.0
"""Scenario 13: "Teacher enters class counts on a phone; school total; k<5 hidden for the city; school that did not
report is listed by name." In a real Chromium against a real `serve`, the teacher on the public origin at 360 px.
"""

import re

import pytest
from tests.builders import schooling
from tests.builders.accessibility import serious_findings
from tests.builders.serving import serving

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("schools") / "data") as running:
        schooling.plant(running.data)
        yield running


def window(chromium, width, origin, language="en"):
    context = chromium.new_context(viewport={"width": width, "height": 800}, locale="vi-VN")
    context.add_cookies([{"name": "bluezone-language", "value": language, "url": origin}])
    return context.new_page()


def fits(page):
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")


def sign_in(page, served, name):
    page.goto(f"{served.office}/sign-in/")
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", schooling.PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_load_state()


def slips_of(page, served, school):
    """The school's head makes the links; what the slips say: (address, PIN) by class."""
    page.goto(f"{served.office}/schools/")
    page.click(f"main a:has-text('{school}')")
    page.click("main a:has-text('Classes, links and PINs')")
    page.click("button:has-text('Create links and PINs')")
    page.wait_for_selector(".slip")
    found = {}
    for slip in page.locator(".slip").all():
        name = re.search(r"Class (\S+)", slip.inner_text())[1]
        found[name] = (slip.locator(".hash").inner_text(), slip.locator(".pin").inner_text())
    return found


def test_a_teacher_counts_on_a_phone_and_the_city_sees_sums_and_who_is_missing(chromium, served):
    office = window(chromium, 1280, served.office)
    sign_in(office, served, "hieu-truong")
    slips = slips_of(office, served, schooling.FIRST)
    assert set(slips) == {"6A", "6B"}

    phone = window(chromium, 360, served.public, language="vi")
    for name, numbers in (("6A", (40, 3, 2, 9)), ("6B", (35, 1, 1, 4))):
        address, pin = slips[name]
        pages = []
        phone.on("framenavigated", lambda frame, pages=pages: pages.append(frame.url))
        phone.goto(served.public + address[address.index("/c/") :])
        assert fits(phone)
        assert serious_findings(phone) == []
        for field, number in zip(("pupils", "with_smartphone", "running", "relatives"), numbers, strict=True):
            phone.fill(f"input[name={field}]", str(number))
        phone.fill("input[name=pin]", pin)
        phone.click("main button[type=submit]")
        phone.wait_for_selector("text=Đã ghi")
        assert len(pages) <= 2, "a page, five fields and a button"
        assert fits(phone)
    assert phone.context.cookies(served.public) == [
        each for each in phone.context.cookies(served.public) if each["name"] == "bluezone-language"
    ]

    office.goto(f"{served.office}/schools/")
    office.click(f"main a:has-text('{schooling.FIRST}')")
    school = office.inner_text("main")
    assert "2/2" in school
    assert re.search(r"75", school), "the school's total"
    assert "3 / 4" in school or re.search(r"3\s*/\s*4", school)

    city = window(chromium, 1280, served.office)
    sign_in(city, served, "lanh-dao")
    city.goto(f"{served.office}/schools/")
    shown = city.inner_text("main")
    row = next(line for line in re.split(r"(?=Trường THCS)", shown) if line.startswith(schooling.FIRST))
    assert "withheld" in row
    assert not re.search(r"\b(3|4)\b", row.replace("2/2", ""))
    city.goto(f"{served.office}/schools/?show=missing")
    missing = city.inner_text("main")
    assert schooling.SECOND in missing
    assert "7A, 7B" in missing
    assert schooling.FIRST not in missing
    assert serious_findings(city) == []


def test_a_wrong_pin_locks_and_a_list_of_pupils_is_refused(chromium, served):
    office = window(chromium, 360, served.office)
    sign_in(office, served, "hieu-truong-2")
    slips = slips_of(office, served, schooling.SECOND)
    address, pin = slips["7A"]
    wrong = f"{(int(pin.replace(' ', '')) + 1) % 10**6:06}"
    phone = window(chromium, 360, served.public)
    said = ""
    for _ in range(6):
        phone.goto(served.public + address[address.index("/c/") :])
        for field in ("pupils", "with_smartphone", "running", "relatives"):
            phone.fill(f"input[name={field}]", "5")
        phone.fill("input[name=pin]", wrong)
        phone.click("main button[type=submit]")
        phone.wait_for_selector("[role=alert]")
        said = phone.inner_text("[role=alert]")
    assert "Try again after" in said

    office.goto(f"{served.office}/schools/")
    office.click(f"main a:has-text('{schooling.SECOND}')")
    office.click("main a:has-text('Paste from a spreadsheet')")
    office.fill("textarea[name=rows]", "STT\tHọ và tên\tLớp\n1\tNguyễn Văn An\t7A")
    office.click("main form button[type=submit]")
    office.wait_for_selector("[role=alert]")
    assert "looks like a list of pupils" in office.inner_text("main")
    assert "Nguyễn Văn An" not in office.content()
    assert fits(office)
