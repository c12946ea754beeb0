# SPDX-License-Identifier: Apache-2.0
"""The health console in a real browser: many codes without a number leaving it, declarations, by keyboard."""

import http.client
import io
import json
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote, urlsplit

import openpyxl
import pypdfium2 as pdfium
import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import expect
from tests.builders.accessibility import serious_findings
from tests.builders.office import local_today
from tests.builders.visitor import DESK, NARROW, PASSWORD, Visitor, confirmed_link

from bluezone.protocol.declaration import Declaration, read_public_key, seal_declaration

pytestmark = pytest.mark.browser

PASSPHRASE = "năm con suối chảy về một bản"
# As if the codes that this browser keeps had been issued on the day before.
AS_OF_YESTERDAY = """for (const [name, kept] of Object.entries(localStorage)) {
  if (name.startsWith("codes|")) localStorage.setItem(name, JSON.stringify({ ...JSON.parse(kept), day: "2020-01-01" }));
}"""
NUMBERS = ["0912345670", "0912345671", "0977000113"]


def list_of_cases():
    """Three lines that are right, of yesterday's onset, and one that is wrong."""
    return "\n".join(
        [
            "Số điện thoại;Phân loại;Ngày khởi phát",
            *(f"{number};xác nhận;{local_today() - timedelta(days=1):%d/%m/%Y}" for number in NUMBERS),
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
    visitor.take_account(confirmed_link(admin.page, served))
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
    assert sum("/issue/" in one for one in sent) == len(NUMBERS)
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


def table(supervisor, call):
    """What a function of csvtable.js returns in this browser."""
    script = "document.querySelector('script[src*=\"health/bulk.js\"]').src.replace('bulk.js', 'csvtable.js')"
    return supervisor.page.evaluate(f"async () => {{ const table = await import({script}); return {call}; }}")


def test_days_and_words_are_read_as_people_write_them(supervisor):
    supervisor.open("/codes/bulk/")
    days = ["26/11/26", "26-11", "26.11.2026", "2026-11-26", "46352", "26/11/2026 08:30", "29/12", "31/2/26", "hôm qua"]
    read = table(supervisor, f"{days}.map((day) => table.dayOf(day, '2026-11-28'))")
    assert read == [*["2026-11-26"] * 6, "2025-12-29", "", ""]

    words = ["Dương tính", "nghi ngờ", "ÂM TÍNH", "không dương tính", "(+)"]
    assert table(supervisor, f"{words}.map(table.classOf)") == ["confirmed", "clinical", "negative", "", "confirmed"]
    # Signs without width surround what is copied from a telephone's list of contacts.
    phones = ["912345678", "+84 912.345.678", "84912345678", "\u202a0912 345\u200b 678\u202c", "+66 81 234 5678"]
    assert table(supervisor, f"{phones}.map(table.phoneOf)") == [*["0912345678"] * 4, "+66812345678"]


@pytest.mark.parametrize(
    "text",
    [
        "TRẠM Y TẾ, BẢNG NGÀY\n\nSTT\tSĐT người nhà\tSĐT liên hệ\tKết quả XN\tNgày lấy mẫu\tNgày khởi phát\n"
        "1\t0911111111\t912345678\tDương tính\t27/11\t26/11",
        "1\t0912345678\tdương tính\t26-11-26",
        "Điện thoại,Chẩn đoán,Khởi phát\n+84912345678,xác nhận,26.11.2026",
    ],
)
def test_columns_are_found_under_titles_by_other_names_and_without_headings(supervisor, text):
    supervisor.open("/codes/bulk/")
    read = table(supervisor, f"table.casesOf(table.cellsOf({json.dumps(text)}), '2026-11-14', '2026-11-28')")

    (case,) = read["cases"]
    assert [case[name] for name in ("phone", "klass", "onset", "problem")] == [
        "0912345678",
        "confirmed",
        "2026-11-26",
        "",
    ]


def paste(supervisor, *rows):
    supervisor.open("/codes/bulk/")
    supervisor.page.fill("[data-at=pasted]", "\n".join(("SĐT\tKết quả\tNgày khởi phát", *rows)))
    supervisor.page.locator("[data-at=pasted]").press("Tab")
    supervisor.page.wait_for_selector("[data-at=preview]:not([hidden])")


def issued(supervisor):
    """Codes by number, as the page shows them once all are there."""
    page = supervisor.page
    page.click("[data-at=issue]")
    page.wait_for_selector("[data-at=sending]", state="hidden")
    page.wait_for_selector("[data-at=results]:not([hidden])")
    return page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('[data-at=rows] tr')]"
        ".map((row) => [row.cells[0].textContent, row.cells[1].textContent]))"
    )


def test_pasted_rows_that_are_wrong_are_put_right_in_place_before_and_after_issuing(supervisor):
    page, yesterday = supervisor.page, local_today() - timedelta(days=1)
    paste(supervisor, f"0913000001\tDương tính\t{yesterday:%d/%m/%y}", "0913000002\tnghi ngờ\t", "0913000003\t?\t1/1")
    expect(page.locator("[data-at=read]")).to_contain_text("1 dùng được, 2 cần sửa")

    onset = page.locator("[data-at=wrong] [data-fix=onset]")
    onset.nth(0).fill(yesterday.isoformat())
    onset.nth(0).press("Tab")
    expect(page.locator("[data-at=read]")).to_contain_text("2 dùng được, 1 cần sửa")
    first = issued(supervisor)
    assert [bool(first[f"091300000{row}"]) for row in (1, 2, 3)] == [True, True, False]

    onset.fill(yesterday.isoformat())
    page.select_option("[data-at=wrong] [data-fix=klass]", "confirmed")
    expect(page.locator("[data-at=issue]")).to_be_enabled()
    then = issued(supervisor)

    assert then["0913000003"]
    assert all(then[number] == code for number, code in first.items() if code)
    page.click("[data-at=save]")


@pytest.mark.parametrize("heading", ["Ngày lấy mẫu", "Ngày xét nghiệm"])
def test_a_day_of_the_sample_is_no_first_day_of_symptoms_until_the_worker_says_so(supervisor, heading):
    page, sample = supervisor.page, local_today() - timedelta(days=2)
    supervisor.open("/codes/bulk/")
    rows = [f"SĐT\tKết quả\t{heading}", *(f"09130000{row}\tDương tính\t{sample:%d/%m/%Y}" for row in (71, 72))]
    page.fill("[data-at=pasted]", "\n".join(rows))
    page.locator("[data-at=pasted]").press("Tab")
    expect(page.locator("[data-at=days]")).to_contain_text(f"“{heading}”")
    expect(page.locator("[data-at=columns-read]")).to_contain_text("số điện thoại: “SĐT”; phân loại: “Kết quả”")
    expect(page.locator("[data-at=read]")).to_contain_text("0 dùng được")
    expect(page.locator("[data-at=issue]")).to_be_disabled()

    page.check("[data-at=days] [value=unknown]")
    expect(page.locator("[data-at=wrong] fieldset")).to_have_count(2)
    expect(page.locator("[data-at=wrong]")).to_contain_text("thiếu ngày khởi phát")
    onset = page.locator("[data-at=wrong] [data-fix=onset]")
    onset.nth(0).fill((sample - timedelta(days=3)).isoformat())
    onset.nth(0).press("Tab")
    expect(page.locator("[data-at=read]")).to_contain_text("1 dùng được")
    page.check("[data-at=days] [value=sample]")
    expect(page.locator("[data-at=read]")).to_contain_text("2 dùng được, 0 cần sửa")
    expect(page.locator("[data-at=columns-read]")).to_contain_text(f"ngày khởi phát: “{heading}”")
    sent = []
    page.on("request", lambda request: sent.append(request.post_data) if "/bulk/issue/" in request.url else None)
    issued(supervisor)
    page.click("[data-at=save]")

    days = [json.loads(body)["rows"][0]["onset"] for body in sent]
    assert days == [(sample - timedelta(days=3)).isoformat(), sample.isoformat()]


def test_the_first_day_of_symptoms_goes_before_the_sample_and_the_page_names_its_columns(supervisor):
    page, onset = supervisor.page, local_today() - timedelta(days=3)
    supervisor.open("/codes/bulk/")
    rows = [
        "Điện thoại,Ngày lấy mẫu,Loại ca,Ngày khởi phát",
        f"0913000081,{local_today():%d/%m/%Y},xác nhận,{onset:%d/%m/%Y}",
    ]
    page.fill("[data-at=pasted]", "\n".join(rows))
    page.locator("[data-at=pasted]").press("Tab")

    expect(page.locator("[data-at=columns-read]")).to_contain_text("ngày khởi phát: “Ngày khởi phát”")
    expect(page.locator("[data-at=days]")).to_be_hidden()
    expect(page.locator("[data-at=read]")).to_contain_text("1 dùng được, 0 cần sửa")


def codes_left(supervisor):
    return int(re.search(r"còn được cấp (\d+) mã", supervisor.page.text_content("[data-at=choose]"))[1])


def test_the_same_list_again_gives_the_same_codes_and_costs_nothing_of_the_limit(supervisor):
    page, onset = supervisor.page, f"{local_today():%d/%m/%Y}"
    rows = [f"09140000{number}\tdương tính\t{onset}" for number in (10, 11)]
    paste(supervisor, *rows)
    first = issued(supervisor)
    page.click("[data-at=save]")
    paste(supervisor, f"0914000012\tdương tính\t{onset}", *rows)
    left = codes_left(supervisor)
    again = issued(supervisor)
    page.click("[data-at=save]")

    assert all(first.values())
    assert {number: again[number] for number in first} == first
    assert again["0914000012"] not in first.values()
    expect(page.locator("[data-at=made]")).to_contain_text("2 mã")
    kept = page.evaluate("JSON.stringify(localStorage)")
    assert not any(number in kept for number in again), "numbers are kept only where somebody asks for it"
    supervisor.open("/codes/bulk/")
    assert codes_left(supervisor) == left - 1, "the new row alone"


def test_a_workbook_is_read_in_the_browser_with_its_days_and_its_numbers(supervisor):
    page, book, onset = supervisor.page, openpyxl.Workbook(), local_today() - timedelta(days=2)
    sheet = book.active
    sheet.append(["DANH SÁCH CA BỆNH"])
    sheet.append([])
    sheet.append(["STT", "Số điện thoại", "Kết quả", "Ngày khởi phát"])
    sheet.append([1, 919000060, "Dương tính", datetime(onset.year, onset.month, onset.day, 8, 30)])  # noqa: DTZ001
    sheet.append([2, "0919 000 061", "Nghi ngờ", f"{onset:%d.%m.%y}"])
    book.create_sheet("Khác").append(["phone"])
    book.save(packed := io.BytesIO())
    supervisor.open("/codes/bulk/")
    page.set_input_files("#list", [{"name": "ca.xlsx", "mimeType": "", "buffer": packed.getvalue()}])
    expect(page.locator("[data-at=read]")).to_contain_text("Đã đọc 2 dòng: 2 dùng được, 0 cần sửa")

    assert sorted(issued(supervisor)) == ["0919000060", "0919000061"]
    page.click("[data-at=save]")


def revoke(supervisor, pk):
    page = supervisor.page
    supervisor.open(f"/codes/{pk}/revoke/")
    if "/second-factor/" in page.url:
        supervisor.send(code=supervisor.code(1))
    page.locator("main form button[type=submit]").press("Enter")
    page.wait_for_url("**/codes/")


def test_a_revoked_code_is_not_given_out_again_by_the_same_list(supervisor):
    page = supervisor.page
    row = f"0914000020\tdương tính\t{local_today():%d/%m/%Y}"
    paste(supervisor, row)
    with page.expect_response("**/codes/bulk/issue/") as answer:
        issued(supervisor)
    pk = answer.value.json()["rows"][0]["pk"]
    page.click("[data-at=save]")
    revoke(supervisor, pk)
    paste(supervisor, row)

    assert issued(supervisor) == {"0914000020": ""}
    expect(page.locator("[data-at=rows]")).to_contain_text("thu hồi")


def revoke_at(supervisor, row):
    """Press what a row of codes offers, which opens the question in a window of itself, and answer it there."""
    mark = row.locator("[data-cell=mark]").text_content()
    with supervisor.page.expect_popup() as opened:
        row.get_by_role("link", name="Thu hồi").press("Enter")
    asked = opened.value
    if "/second-factor/" in asked.url:
        asked.fill("[name=code]", supervisor.paper.pop())
        asked.click("main form:not([action]) button[type=submit]")
    asked.locator("main form button[type=submit]").press("Enter")
    asked.wait_for_url("**/codes/")
    expect(asked.locator("main tbody tr").filter(has_text=mark)).to_contain_text("đã thu hồi")
    said = asked.text_content("main")
    asked.close()
    return said


def row_of(page, place, number):
    return page.locator(f"[data-at={place}] tr").filter(has_text=number)


def test_a_code_sent_to_a_wrong_number_is_revoked_at_its_row_until_signing_out(supervisor):
    page, onset = supervisor.page, f"{local_today():%d/%m/%Y}"
    numbers = [f"09180000{row}" for row in (60, 61, 62)]
    rows = [f"{number}\tdương tính\t{onset}" for number in numbers]
    paste(supervisor, *rows)
    codes = issued(supervisor)
    marks = [row_of(page, "rows", number).locator("[data-cell=mark]").text_content() for number in numbers]
    assert all(re.fullmatch("[0-9A-F]{4}", mark) for mark in marks)
    page.click("[data-at=save]")

    said = revoke_at(supervisor, row_of(page, "rows", numbers[1]))
    assert "Đã thu hồi: cả mã số và liên kết" in said
    page.bring_to_front()
    expect(row_of(page, "rows", numbers[1])).not_to_contain_text(codes[numbers[1]])
    expect(row_of(page, "rows", numbers[1])).to_contain_text("thu hồi")
    expect(row_of(page, "rows", numbers[0])).to_contain_text(codes[numbers[0]])

    # Back in the same sitting: the rows are there, without their codes.
    supervisor.open("/codes/")
    assert all(mark in page.text_content("main table") for mark in marks)
    supervisor.open("/codes/bulk/")
    for number, mark in zip(numbers, marks, strict=True):
        expect(row_of(page, "earlier-rows", number)).to_contain_text(mark)
    assert not any(code and code in page.content() for code in codes.values())
    expect(row_of(page, "earlier-rows", numbers[1])).to_contain_text("đã thu hồi")
    revoke_at(supervisor, row_of(page, "earlier-rows", numbers[2]))
    page.bring_to_front()
    expect(row_of(page, "earlier-rows", numbers[2])).to_contain_text("đã thu hồi")
    stored = page.evaluate("JSON.stringify(localStorage) + JSON.stringify(sessionStorage)")
    assert not any(number[1:] in stored for number in numbers), "sealed, with a key that the browser does not store"
    paste(supervisor, *rows)
    assert issued(supervisor) == {numbers[0]: codes[numbers[0]], numbers[1]: "", numbers[2]: ""}
    page.click("[data-at=save]")

    supervisor.leave()
    supervisor.open("/sign-in/")
    supervisor.send(username="binh.hoang", password=PASSWORD)
    supervisor.send(code=supervisor.paper.pop())
    supervisor.open("/codes/bulk/")
    script = "document.querySelector('script[src*=\"health/bulk.js\"]').src.replace('bulk.js', 'sitting.js')"
    assert page.evaluate(f"async () => (await import({script})).rowsOfSitting()") == []
    assert "code-rows|" not in page.evaluate("Object.keys(localStorage).join()")
    expect(page.locator("[data-at=earlier]")).to_be_hidden()
    assert not any(number in page.content() for number in numbers)


def square_says(page):
    shown = Image.open(io.BytesIO(page.locator("[data-at=square] svg").screenshot()))
    return zxingcpp.read_barcodes(shown)[0].text


def test_each_message_opens_on_the_work_phone_and_names_neither_disease_nor_result(supervisor):
    page, asked = supervisor.page, []
    page.on("request", lambda request: asked.append(request.url + (request.post_data or "")))
    paste(supervisor, *(f"09150000{row}\tdương tính\t{local_today():%d/%m}" for row in (30, 31, 32)))
    codes = issued(supervisor)
    link = page.locator("[data-at=rows] a").first.get_attribute("href")
    number, text = link.removeprefix("sms:").split("?body=")

    assert number == "0915000030"
    assert codes[number] in unquote(text)
    assert "/r#" in unquote(text)
    assert not re.search("dương tính|covid|sars|mắc|bệnh|xét nghiệm|positive", unquote(text), re.IGNORECASE)
    assert square_says(page) == link
    rows = page.locator("[data-at=rows] tr")
    # There is no telephone here that would take the link.
    page.evaluate("document.addEventListener('click', (event) => event.target.href && event.preventDefault())")
    rows.nth(2).get_by_role("link", name="SMS").click()
    expect(rows.nth(2)).to_contain_text("đã chuyển")
    expect(rows.nth(0)).not_to_contain_text("đã chuyển")
    page.locator("[data-at=next]").press("Enter")
    expect(page.locator("[data-at=hand-phone]")).to_have_text("0915000031")
    expect(rows.nth(0)).to_contain_text("đã chuyển")
    page.locator("[data-at=next]").press("Enter")
    expect(page.locator("[data-at=hand]")).to_be_hidden()
    page.click("[data-at=save]")
    assert not any("9150000" in one for one in asked)


def test_slips_print_four_to_a_sheet_of_a4(supervisor):
    page = supervisor.page
    paste(supervisor, *(f"091600004{row}\tdương tính\t{local_today():%d/%m}" for row in range(5)))
    issued(supervisor)
    page.evaluate("window.print = () => {}")
    page.click("[data-at=print]")
    printed = pdfium.PdfDocument(page.pdf(prefer_css_page_size=True))
    slips = [sheet.get_textpage().get_text_range().count("09160000") for sheet in printed]

    assert slips == [4, 1]
    assert [round(side / 72 * 25.4) for side in printed[0].get_size()] == [210, 297]


def test_codes_of_yesterday_that_nobody_used_are_listed_with_labels_of_this_browser(supervisor):
    page, asked = supervisor.page, []
    paste(
        supervisor, f"0917000050\tdương tính\t{local_today():%d/%m}", f"0917000051\tdương tính\t{local_today():%d/%m}"
    )
    with page.expect_response("**/codes/bulk/issue/") as answer:
        issued(supervisor)
    pk = answer.value.json()["rows"][0]["pk"]
    page.check("[data-at=keep]")
    page.click("[data-at=save]")
    supervisor.open("/codes/bulk/")
    expect(page.locator("[data-at=unused]")).to_be_hidden()

    page.evaluate(AS_OF_YESTERDAY)
    revoke(supervisor, pk)
    page.on("request", lambda request: asked.append(request.url + (request.post_data or "")))
    supervisor.open("/codes/bulk/")
    labels = page.locator("[data-at=unused-rows] input")
    page.wait_for_selector("[data-at=unused]:not([hidden], [aria-busy])")
    shown = labels.evaluate_all("fields => fields.map((field) => field.value)")

    assert sorted(label for label in shown if label) == ["0917000051"], "the first was revoked"
    expect(page.locator("[data-at=unused]")).to_contain_text("không gọi lần thứ ba")
    assert not any("9170000" in one for one in asked)
    page.click("[data-at=forget]")
    assert page.evaluate("Object.keys(localStorage).filter((name) => name.startsWith('codes|'))") == []


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


def test_a_chart_has_a_name_a_table_beside_it_and_nothing_that_some_cannot_see(supervisor):
    page = supervisor.page
    paste(supervisor, f"0912345680\tdương tính\t{local_today() - timedelta(days=1):%d/%m/%Y}")
    assert issued(supervisor)
    for colours in ({"color_scheme": "light"}, {"color_scheme": "dark"}, {"forced_colors": "active"}):
        page.emulate_media(
            color_scheme=colours.get("color_scheme", "light"), forced_colors=colours.get("forced_colors")
        )
        supervisor.open("/codes/statistics/")
        charts = page.locator("svg.columns")
        assert charts.count() > 0
        assert all(chart.get_attribute("aria-label") for chart in charts.all())
        assert page.locator("table.counts").count() >= charts.count()
        assert serious_findings(page) == [], colours
    page.emulate_media(color_scheme="light", forced_colors="none")
