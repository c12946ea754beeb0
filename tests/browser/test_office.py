# SPDX-License-Identifier: Apache-2.0
"""The office in a real browser: from the first administrator's link to a revoked code, at a desk and on a phone."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from tests.builders.office import local_today
from tests.builders.visitor import DESK, NARROW, PASSWORD, Visitor, confirmed_link

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def admin(chromium, served):
    visitor = Visitor(chromium, served)
    visitor.take_account(served.admin_link, name="Hoàng Thị Mai")
    yield visitor
    assert visitor.trouble == []
    visitor.context.close()


@pytest.fixture(scope="module")
def worker(chromium, served, admin):
    admin.open("/accounts/new/")
    admin.page.select_option("[name=within_agency]", label="Trung tâm Y tế thành phố")
    admin.send(name="Nông Thị Lan", agency="Trạm Y tế phường Sông Cầu", username="lan.nong")
    visitor = Visitor(chromium, served)
    visitor.take_account(confirmed_link(admin.page, served))
    yield visitor
    assert visitor.trouble == []
    visitor.context.close()


def issue(visitor):
    visitor.open("/codes/new/")
    visitor.page.check("[value=confirmed]")
    visitor.send(onset=str(local_today() - timedelta(days=2)))
    return visitor.page.text_content("#code")


def fits(page):
    """Whether nothing makes the page scroll sideways."""
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_the_first_link_makes_the_administrator_and_works_once(admin, chromium, served):
    assert admin.page.url == f"{served.office}/"
    assert admin.page.is_visible("main a[href='/first-day/'].button"), "what is left to set up waits"
    other = chromium.new_page()
    assert other.goto(served.admin_link).status == 410
    other.close()


def test_a_worker_takes_the_account_and_signs_in_again_with_the_password(worker, served):
    worker.leave()
    worker.open("/codes/")
    worker.send(username="lan.nong", password=PASSWORD)
    worker.send(code=worker.code(steps_ahead=1))

    assert worker.page.url == f"{served.office}/codes/"


def test_a_code_is_issued_seen_open_and_revoked(worker):
    code = issue(worker)
    assert re.fullmatch(r"\d{4}-\d{4}-\d{4}", code)
    assert "chưa dùng" in worker.page.inner_text("[data-state-of]")

    worker.open("/codes/")
    assert code not in worker.page.content()
    row = worker.page.locator("tbody tr").first
    mark = row.locator("td.num").nth(1).inner_text()
    expect(row).to_contain_text("chưa dùng")
    row.get_by_text("Thu hồi").click()
    expect(worker.page.locator("[data-typed]")).to_be_hidden()
    worker.page.click("main button[type=submit]")
    assert "Đã thu hồi" in worker.page.inner_text("[role=status]")
    row = worker.page.locator("tbody tr", has_text=mark)
    expect(row).to_contain_text("đã thu hồi")
    expect(row.get_by_text("Thu hồi", exact=True)).to_be_hidden()


def test_another_browser_knows_no_state_and_revokes_by_the_code_that_is_read_out(worker):
    code = issue(worker)
    # From a page that stores nothing: that of the code may store it after the code is seen.
    worker.open("/codes/statistics/")
    worker.page.evaluate("() => localStorage.clear()")
    worker.open("/codes/")
    row = worker.page.locator("tbody tr").first
    expect(row).to_contain_text("xem trên máy đã cấp")
    row.get_by_text("Thu hồi").click()
    worker.page.click("main form button[type=submit]")
    expect(worker.page.locator("main [role=alert]")).to_contain_text("Không phải mã")

    worker.page.fill("[name=code]", code)
    worker.page.click("main form button[type=submit]")
    assert "Đã thu hồi" in worker.page.inner_text("[role=status]")


def test_the_page_of_a_new_code_learns_by_itself_that_it_was_used_or_revoked(worker, served):
    from bluezone.keyserver.service import KeyServer

    code = issue(worker)
    server = KeyServer.open(served.data)
    server.codes.revoke_code(code)
    server.close()

    worker.page.wait_for_selector("[data-state-of] >> text=đã thu hồi", timeout=120_000)


def test_the_link_is_copied(worker, served):
    worker.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=served.office)
    issue(worker)
    worker.page.click("[data-copy=link]")
    worker.page.wait_for_selector("text=Đã chép")

    assert worker.page.evaluate("navigator.clipboard.readText()") == worker.page.text_content("#link").strip()


def test_a_second_tap_while_the_form_is_on_its_way_does_nothing(worker):
    worker.open("/codes/")
    before = worker.page.inner_text(".facts")
    worker.open("/codes/new/")
    worker.page.check("[value=clinical]")
    worker.page.fill("[name=onset]", str(local_today()))
    worker.page.dblclick("main form button[type=submit]")
    worker.page.wait_for_selector("#code")
    worker.open("/codes/")
    count = int(re.search(r"(\d+) / \d+", before)[1])

    assert f"{count + 1} / " in worker.page.inner_text(".facts")


def test_the_button_sleeps_once_the_form_is_sent(worker):
    worker.open("/codes/new/")
    worker.page.check("[value=clinical]")
    worker.page.fill("[name=onset]", str(local_today()))
    worker.page.evaluate("addEventListener('submit', event => event.preventDefault())")
    worker.page.click("main form button[type=submit]")

    worker.page.wait_for_selector("main form button[type=submit][disabled]")


def test_the_chosen_day_is_repeated_in_words(worker):
    worker.open("/codes/new/")
    worker.page.fill("[name=onset]", "2026-11-20")

    assert "20 tháng 11" in worker.page.inner_text("output.words")


def test_the_language_switches_and_stays(worker):
    worker.open("/codes/")
    worker.speak("en")
    assert worker.page.inner_text("h1") == "Codes"
    worker.open("/codes/new/")
    assert worker.page.inner_text("h1") == "Issue a code"
    worker.speak("vi")
    assert worker.page.inner_text("h1") == "Cấp mã báo tin"


def test_everything_can_be_done_with_the_keyboard(worker):
    worker.open("/codes/")
    worker.page.keyboard.press("Tab")
    assert worker.page.evaluate("document.activeElement.className") == "skip"
    for _ in range(4):
        worker.page.keyboard.press("Tab")
        shown = worker.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert shown != "none"


@pytest.mark.parametrize(
    ("language", "scheme"),
    [
        ("vi", "light"),
        ("en", "dark"),
        pytest.param("vi", "dark", marks=pytest.mark.slow),
        pytest.param("en", "light", marks=pytest.mark.slow),
    ],
)
def test_no_page_scrolls_sideways_on_a_phone(admin, worker, language, scheme):
    for visitor, paths in (
        (admin, ["/accounts/", "/accounts/new/", "/accounts/1/", "/accounts/2/", "/audit/", "/codes/", "/nothing/"]),
        (worker, ["/codes/", "/codes/new/", "/codes/1/revoke/", "/password/", "/accounts/"]),
    ):
        visitor.page.set_viewport_size(NARROW)
        visitor.page.emulate_media(color_scheme=scheme)
        visitor.open("/password/")
        if visitor.page.get_attribute("html", "lang") != language:
            visitor.speak(language)
        for path in paths:
            visitor.open(path)
            assert fits(visitor.page), path
    admin.open("/accounts/2/")
    admin.page.click("main form[action$='/link/'] button")
    admin.page.wait_for_url("**/waiting/*/")
    assert fits(admin.page), "a link that waits for a second person"
    issue(worker)
    assert fits(worker.page), "issued code"
    worker.page.emulate_media(media="print")
    assert not worker.page.is_visible("header.top")
    worker.page.emulate_media(media="screen", color_scheme="light")
    for visitor in (admin, worker):
        visitor.page.set_viewport_size(DESK)
        visitor.open("/password/")
        if language != "vi":
            visitor.speak("vi")


def test_pages_without_an_account_fit_a_phone(chromium, served):
    page = chromium.new_page(viewport=NARROW)
    for address in (f"{served.public}/", f"{served.office}/sign-in/", served.admin_link, f"{served.public}/nothing"):
        page.goto(address)
        assert fits(page), address
    page.close()


CONTRAST = """
() => {
  const channel = c => { c /= 255; return c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4; };
  const light = rgb => .2126 * channel(rgb[0]) + .7152 * channel(rgb[1]) + .0722 * channel(rgb[2]);
  const numbers = text => text.match(/[\\d.]+/g).map(Number);
  const behind = node => {
    for (; node; node = node.parentElement) {
      const rgb = numbers(getComputedStyle(node).backgroundColor);
      if (rgb.length === 3 || rgb[3] > 0) return rgb;
    }
    return [255, 255, 255];
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !node.offsetParent) continue;
    const [a, b] = [light(numbers(getComputedStyle(node).color)), light(behind(node))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${walker.currentNode.textContent.trim().slice(0, 30)}`);
  }
  return poor;
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast(admin, worker, scheme):
    issue(worker)
    for visitor, paths in (
        (admin, ["/accounts/", "/audit/"]),
        (worker, ["/codes/", "/codes/new/", "/codes/1/revoke/"]),
    ):
        visitor.page.emulate_media(color_scheme=scheme)
        for path in paths:
            visitor.open(path)
            assert visitor.page.evaluate(CONTRAST) == [], path
        visitor.page.emulate_media(color_scheme="light")
