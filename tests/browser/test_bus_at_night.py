# SPDX-License-Identifier: Apache-2.0
"""A bus brings 45 guests to a hotel at night: its desk gives the list from a telephone, and each of them is told once,
in the quiet hours in which no reminder goes out. With the stopwatch printed (`make test-field`).
"""

import io
import time

import openpyxl
import pytest
from playwright.sync_api import expect
from tests.builders.canvassing import ask
from tests.builders.crawling import scrolls_sideways
from tests.builders.office import write_city
from tests.builders.serving import serving
from tests.builders.smsc import Centre
from tests.builders.visitor import NARROW
from tests.builders.visitordesk import PASSWORD, furnish

pytestmark = [pytest.mark.browser, pytest.mark.field, pytest.mark.slow, pytest.mark.timeout(900)]
GUESTS = 45
WORDS = {
    "vi": ("Đọc danh sách", "Gửi thông báo", "thông báo đang được gửi"),
    "en": ("Read the list", "Send the notices", "notices are on their way"),
}


def sheet(first):
    """As a tour guide keeps it: two lines of title, numbers as numbers, whose leading 0 is lost."""
    book = openpyxl.Workbook()
    for row in (["CÔNG TY DU LỊCH"], ["Danh sách đoàn"], ["STT", "Họ tên", "Số điện thoại", "Đồng ý"]):
        book.active.append(row)
    for n in range(GUESTS):
        book.active.append([n + 1, f"Khách {n + 1}", 900_000_000 + first + n, "x"])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """A served city in its quiet hours, at whatever hour this runs, its message centre, and the desk of a hotel."""
    folder = tmp_path_factory.mktemp("bus")
    hour = time.gmtime(time.time() + 7 * 3600).tm_hour
    write_city(folder / "data", sms_quiet_from_hour=(hour - 1) % 24, sms_quiet_until_hour=(hour + 6) % 24)
    with (
        Centre(folder) as centre,
        serving(folder / "data", environment={"BLUEZONE_SMS_URL": centre.address(references=1)}) as served,
    ):
        furnish(folder / "data")
        yield served, centre


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_bus_of_45_at_night_is_told_from_a_telephone_each_guest_once(night, chromium, language):
    served, centre = night
    first = 1000 * (1 + list(WORDS).index(language))
    expected = {f"84{900_000_000 + first + n}" for n in range(GUESTS)}
    context = chromium.new_context(viewport=NARROW)
    page = context.new_page()
    page.goto(f"{served.office}/language/{language}/?next=/sign-in/")
    page.fill("[name=username]", "desk")
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    read, send, told = WORDS[language]
    expect(page.locator(f"html[lang={language}] main")).to_be_visible()
    began = time.monotonic()
    page.goto(f"{served.office}/visitors/list/")
    page.set_input_files(
        "input[type=file]",
        {"name": "doan.xlsx", "mimeType": "application/octet-stream", "buffer": sheet(first)},
    )
    page.get_by_role("button", name=read).click()
    expect(page.get_by_role("button", name=send)).to_be_visible(timeout=60_000)
    assert page.locator("main tbody tr").count() == GUESTS
    assert scrolls_sideways(page) == ""
    page.get_by_role("button", name=send).click()
    expect(page.locator("main")).to_contain_text(told, timeout=60_000)
    assert scrolls_sideways(page) == ""
    asked = time.monotonic() - began
    while not expected <= {one["to"] for one in centre.taken}:
        assert time.monotonic() < began + 300, "they were not told"
        page.wait_for_timeout(200)
    print(f"\n{language}: 45 guests asked for in {asked:.1f} s, all at the message centre after "  # noqa: T201
          f"{time.monotonic() - began:.1f} s")  # fmt: skip
    assert ask(served.data, "select count(*) from sms_message") == [(GUESTS * (1 + list(WORDS).index(language)),)]
    context.close()
