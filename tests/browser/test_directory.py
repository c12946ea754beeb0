# SPDX-License-Identifier: Apache-2.0
"""The directory in a real browser: at a desk and on a phone, in both languages, from a list to its units."""

import unicodedata

import pytest
from tests.builders.agencies import write_csv
from tests.builders.visitor import Visitor

pytestmark = pytest.mark.browser

LIST = write_csv(
    ("Mã đơn vị", "Tên đơn vị", "Loại", "Mã cấp trên"),
    ("DX-01", "Tổ 1 rất dài để xem trang có vừa màn hình hẹp hay không", "tổ dân phố", "01840"),
)
PAGES = ["/agencies/", "/agencies/new/", "/units/?on=2020-08-07", "/units/new/", "/recipients/", "/imports/"]


@pytest.fixture(scope="module")
def page(chromium, served):
    """The first administrator's window, which may not see an error of a script or of the content policy."""
    visitor = Visitor(chromium, served)
    visitor.take_account(served.admin_link, name="Hoàng Thị Mai")
    yield visitor.page
    assert visitor.trouble == []
    visitor.context.close()


def speak(page, served, language):
    page.context.add_cookies([{"name": "bluezone-language", "value": language, "url": served.office}])


def fits(page):
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize(("language", "word"), [("vi", "Danh bạ"), ("en", "Directory")])
def test_every_page_fits_and_speaks(page, served, width, language, word):
    speak(page, served, language)
    page.set_viewport_size({"width": width, "height": 740})
    for path in PAGES:
        page.goto(served.office + path)
        assert fits(page), f"{path} scrolls sideways at {width} px"
        assert page.text_content("nav.pages [aria-current]") == word


def test_a_list_becomes_units_by_keyboard(page, served):
    speak(page, served, "en")
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(served.office + "/imports/")
    page.check("[value=units]")
    page.set_input_files("[name=file]", [{"name": "to.csv", "mimeType": "text/csv", "buffer": LIST}])
    page.locator("main form button[type=submit]").press("Enter")
    page.wait_for_url("**/imports/*/")
    assert fits(page)
    page.get_by_role("button", name="Accept and store").press("Enter")
    page.wait_for_url("**/units/")

    assert "1 added, 0 changed" in page.text_content(".notes")


@pytest.mark.parametrize(
    "typed", ["giao duc", unicodedata.normalize("NFD", "phòng Giáo dục và Đào")], ids=["bare", "NFD"]
)
def test_an_agency_is_found_without_diacritics_and_as_a_mac_types_them(page, served, typed):
    speak(page, served, "vi")
    page.goto(served.office + "/agencies/?on=2020-08-07")
    page.locator("main [name=q]").press_sequentially(typed)
    assert page.input_value("main [name=q]") == typed
    page.press("main [name=q]", "Enter")
    page.wait_for_url("**q=**")

    assert page.locator(".rows tbody tr").count() == 1
    assert "Phòng Giáo dục và Đào tạo" in page.text_content(".rows")
