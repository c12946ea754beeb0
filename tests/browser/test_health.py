# SPDX-License-Identifier: Apache-2.0
"""The health console in a real browser: many codes without a number leaving it, declarations, by keyboard."""

import http.client
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect
from tests.builders.office import today
from tests.builders.visitor import DESK, NARROW, Visitor

from bluezone.protocol.declaration import Declaration, read_public_key, seal_declaration

pytestmark = pytest.mark.browser

PASSPHRASE = "năm con suối chảy về một bản"
NUMBERS = ["0912345670", "0912345671", "0977000113"]


def list_of_cases():
    """Three lines that are right, of yesterday's onset, and one that is wrong."""
    return "\n".join(
        [
            "Số điện thoại;Phân loại;Ngày khởi phát",
            *(f"{number};xác nhận;{today() - timedelta(days=1):%d/%m/%Y}" for number in NUMBERS),
            "abc;xác nhận;01/01/2020",
        ]
    )


@pytest.fixture(scope="module")
def supervisor(chromium, served):
    admin = Visitor(chromium, served)
    admin.take_account(served.admin_link, name="Hoàng Thị Mai")
    admin.open("/accounts/new/")
    admin.page.select_option("[name=role]", "supervisor")
    admin.send(name="Hoàng Văn Bình", agency="Trung tâm Y tế", username="binh.hoang")
    visitor = Visitor(chromium, served)
    visitor.take_account(admin.page.text_content("#link").strip())
    yield visitor
    assert visitor.trouble == []
    visitor.context.close()
    admin.context.close()


def fits(page):
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def choose(supervisor, text=None, name="ca.csv"):
    supervisor.open("/codes/bulk/")
    supervisor.page.set_input_files(
        "#list", [{"name": name, "mimeType": "text/csv", "buffer": (text or list_of_cases()).encode()}]
    )


def test_a_list_gives_codes_by_keyboard_and_no_number_leaves_the_browser(supervisor):
    page, sent = supervisor.page, []
    page.on("request", lambda request: sent.append(request.url + (request.post_data or "")))
    choose(supervisor)
    expect(page.locator("[data-at=read]")).to_have_text("Đã đọc 4 dòng: 3 dùng được, 1 cần sửa. Chưa gửi gì đi.")
    assert not any("/issue/" in one for one in sent)

    page.locator("[data-at=issue]").press("Enter")
    page.wait_for_selector("[data-at=results]:not([hidden])")
    with page.expect_download() as download:
        page.locator("[data-at=save]").press("Enter")
    saved = download.value.path().read_text("utf-8-sig")

    assert all(number in saved for number in NUMBERS)
    assert saved.count("/r#") == 2 * len(NUMBERS), "link and message of each"
    assert sum("/issue/" in one for one in sent) == 1
    assert not any(number.lstrip("0") in one for one in sent for number in NUMBERS)


def test_after_a_broken_connection_the_same_codes_come_and_no_others(supervisor):
    page, answers = supervisor.page, []

    def lose_the_first_answer(route):
        answers.append(route.fetch().json())
        if len(answers) == 1:
            route.abort()
        else:
            route.fulfill(status=201, json=answers[-1])

    page.route("**/codes/bulk/issue/", lose_the_first_answer)
    choose(supervisor)
    page.click("[data-at=issue]")
    page.wait_for_selector("[data-at=failed]:not([hidden])")
    expect(page.locator("[data-at=failure]")).to_contain_text("không mã nào bị cấp hai lần")
    page.locator("[data-at=again]").press("Enter")
    page.wait_for_selector("[data-at=results]:not([hidden])")
    page.unroute("**/codes/bulk/issue/")

    assert [row["code"] for row in answers[0]["rows"]] == [row["code"] for row in answers[1]["rows"]]
    page.click("[data-at=save]")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("PK\x03\x04", "tệp Excel"),
        ("tên;tuổi\nLan;30", "số điện thoại, phân loại, ngày khởi phát"),
        ("phone,class,onset\n", "không có dòng nào"),
        ("phone,class,onset\n" + "0912345678,confirmed,2026-11-20\n" * 2001, "2.000"),
    ],
)
def test_a_file_that_is_no_list_is_refused_with_what_to_do(supervisor, text, said):
    choose(supervisor, text)
    supervisor.page.wait_for_selector("[data-at=file-problem]:not([hidden])")

    expect(supervisor.page.locator("[data-at=file-problem]")).to_contain_text(said)


def declare(served, text):
    key = read_public_key((served.data / "declaration-key.pem").read_text())
    day = (datetime.now(UTC).date() - datetime(1970, 1, 1, tzinfo=UTC).date()).days - 2
    connection = http.client.HTTPConnection(urlsplit(served.public).netloc)
    connection.request("POST", "/v1/declarations", seal_declaration(Declaration(day, "high", "0912345678", text), key))
    assert connection.getresponse().status == 200
    connection.close()


def test_a_declaration_is_opened_by_keyboard_and_noted_as_called(supervisor, served):
    page = supervisor.page
    supervisor.open("/codes/declarations/key/")
    page.fill("[name=new]", PASSPHRASE)
    page.fill("[name=again]", PASSPHRASE)
    page.locator("[name=understood]").press("Space")
    page.locator("main form button[type=submit]").press("Enter")
    page.wait_for_url("**/codes/declarations/")
    declare(served, "Tôi sốt từ hôm qua")

    supervisor.open("/codes/declarations/")
    page.fill("[name=passphrase]", PASSPHRASE)
    page.locator("[name=passphrase]").press("Enter")
    page.wait_for_selector(".declared .phone")
    assert "Tôi sốt từ hôm qua" in page.text_content(".declared")
    page.locator("[data-called] button").press("Enter")
    page.wait_for_selector("[data-called] button[disabled]")

    supervisor.open("/codes/declarations/")
    assert "đã gọi" in page.text_content("tbody")


@pytest.mark.parametrize("size", [NARROW, DESK])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_no_page_scrolls_sideways(supervisor, served, size, language):
    page = supervisor.page
    page.context.add_cookies([{"name": "bluezone-language", "value": language, "url": served.office}])
    page.set_viewport_size(size)
    places = ["", "new/", "bulk/", "limits/", "statistics/", "declarations/", "declarations/key/"]
    for path in [*(f"/codes/{place}" for place in places), "/audit/?actor=x", "/audit/verify/"]:
        supervisor.open(path)
        assert fits(page), f"{path} at {size['width']} px"
