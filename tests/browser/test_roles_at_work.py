# SPDX-License-Identifier: Apache-2.0
"""Scenario 22 of docs/rollout.md: every role does its main work in Vietnamese, with the keyboard alone.

On a telephone (360 px) and at a desk (1280 px); who needs a second factor gives it, and one gives a passkey.
"""

import datetime

import pytest
from tests.browser.authenticators import authenticator
from tests.builders import peopling
from tests.builders.accessibility import serious_findings
from tests.builders.crawling import scrolls_sideways
from tests.builders.keyboard import Keyboard
from tests.builders.office import local_today
from tests.builders.peopling import Person
from tests.builders.visitor import DESK, NARROW, Visitor

from bluezone.identity.models import Role

pytestmark = pytest.mark.browser
SIZES = {360: NARROW, 1280: DESK}


# What a role presses at home to begin its usual work, where that is not an act of its own below.
BEGINS = {
    **dict.fromkeys(("issuer", "clerk", "lead", "officer"), "Mở văn bản đến"),
    **dict.fromkeys(("health_worker", "supervisor"), "Cấp mã"),
    "auditor": "Đọc nhật ký",
    "leader": "Xem tỷ lệ đang chạy",
    "gatekeeper": "Xem các cổng",
    "teacher": "Báo cáo lớp của tôi",
    "canvasser": "Hướng dẫn",
    "speaker_operator": "Xem các loa",
    "drive_lead": "Xem các đợt ra quân",
    "venue_owner": "Xem các điểm của tôi",
}


class Desk:
    """Somebody at a browser window of one width, with nothing but a keyboard."""

    def __init__(self, browser, served, person):
        self.person = person
        self.visitor = Visitor(browser, served)
        self.page = self.visitor.page
        self.page.set_viewport_size(SIZES[person.width])
        self.keys = Keyboard(self.page)

    @property
    def text(self):
        return self.page.inner_text("main")

    def sign_in(self):
        self.visitor.open("/sign-in/")
        self.keys.write("Tên đăng nhập", self.person.username)
        self.keys.write("Mật khẩu", peopling.PASSWORD)
        self.keys.press("Đăng nhập", "button")
        if self.page.url.endswith("/sign-in/second/"):
            self.keys.write("Mã", peopling.app_code())
            self.keys.press("Đăng nhập", "button")
        assert "Việc của tôi" in self.text
        if self.person.role in BEGINS:
            self.keys.press(BEGINS[self.person.role], "link")

    def leave(self):
        """Sign out; the last page of the work pleases axe and does not scroll sideways."""
        assert serious_findings(self.page) == []
        assert scrolls_sideways(self.page) == ""
        self.visitor.open("/how-to/")
        if self.page.is_visible("[data-menu]"):
            self.keys.unfold("Menu")
        self.keys.press("Đăng xuất", "button")
        assert self.page.url.endswith("/sign-in/")
        assert self.visitor.trouble == []


def approve(desk):
    """Signatory: read what was submitted and confirm it, though it names another signer."""
    keys = desk.keys
    keys.press("Văn bản đi", "link")
    keys.press(f"{peopling.SUBMITTED[desk.person.width != 360]}/", "link")
    keys.press("Xem và xác nhận", "link")
    keys.to("Văn bản ghi người ký là")
    desk.page.keyboard.press("Space")
    keys.press("Xác nhận trong hệ thống", "button")
    assert "đã duyệt" in desk.text


def take_in_and_send(desk):
    """Clerk: take a letter in as text, store its draft, and send what the signatory has approved."""
    keys, number = desk.keys, 470 + (desk.person.width != 360)
    keys.press("Văn bản đi", "link")
    keys.press("Nhập văn bản", "link")
    keys.write("Toàn văn văn bản", peopling.letter(number))
    keys.press("Đọc văn bản", "button")
    assert str(number) in desk.page.input_value("[name=number]")
    keys.press("Lưu dự thảo", "button")
    assert "dự thảo" in desk.text
    desk.visitor.open("/inbox/")
    keys.press("Văn bản đi", "link")
    keys.press(f"{peopling.APPROVED[desk.person.width != 360]}/", "link")
    keys.to(r"\d+ cơ quan chưa có ai nhận")
    desk.page.keyboard.press("Space")
    keys.press("Gửi 32 cơ quan", "button")
    assert "đã ban hành" in desk.text


def receive_and_assign(desk):
    """Head of the agency: receive the letter in one tap, take the tap back, receive it again and assign it."""
    keys = desk.keys
    keys.press(f"{peopling.LETTER}/", "link")
    keys.press("Tiếp nhận", "button")
    assert "đã tiếp nhận" in desk.text
    keys.press("Hoàn tác", "button")
    assert "chưa tiếp nhận" in desk.text
    keys.press("Tiếp nhận", "button")
    keys.unfold("Phân công")
    keys.write("Hoặc người chưa có tài khoản", "Tổ công nghệ")
    keys.press("Phân công", "button")
    assert "Tổ công nghệ" in desk.text


def report(desk):
    """Officer: report on a task, and what the agency's staff has on their telephones."""
    keys = desk.keys
    keys.press(f"{peopling.SIGNED}/", "link")
    keys.press("Báo cáo$", "link")
    keys.write("Số người đã tuyên truyền", "125")
    keys.press("Gửi báo cáo", "button")
    assert "Đã gửi báo cáo" in desk.text
    keys.go("Báo cáo cán bộ")
    keys.press("Ủy ban nhân dân", "link")
    keys.write("Cán bộ, người lao động", "40")
    keys.write("Có điện thoại", "36")
    keys.write("Bluezone đang chạy", "21")
    keys.write("Chỉ dùng bản web", "5")
    keys.write("Chưa chạy, đã nhắc", "6")
    keys.press("Lưu", "button")
    assert "21" in desk.text


def issue_a_code(desk):
    """Health worker: a code for a confirmed case."""
    keys = desk.keys
    if not desk.page.url.endswith("/codes/new/"):
        keys.press("Cấp mã báo tin", "link")
    keys.mark("Xét nghiệm khẳng định")
    keys.date("Ngày có triệu chứng đầu tiên", local_today() - datetime.timedelta(days=2))
    keys.press("Cấp mã", "button")
    assert "chưa dùng" in desk.text
    assert desk.page.text_content("#code")


def raise_a_limit(desk):
    """Health supervisor: let a worker issue more codes today."""
    keys = desk.keys
    keys.press("Hạn mức", "link")
    keys.choose("Hạn mức của ai", peopling.Person("health_worker", desk.person.width).name)
    keys.write("Thêm bao nhiêu mã", "20")
    keys.mark("Hôm nay nhiều ca bệnh")
    keys.press("Nâng", "button")
    assert "70" in desk.text


def verify_the_audit(desk):
    """Auditor: verify the whole chain."""
    desk.keys.press("Kiểm tra nhật ký")
    assert "đều khớp" in desk.text


def read_the_share(desk):
    """Leader: from the city's number to a ward, and on to its report."""
    keys = desk.keys
    keys.press("phường Sông Cầu", "link")
    keys.press("Lập báo cáo", "link")
    keys.to("Tải DOCX", "button")
    with desk.page.expect_download() as download:
        desk.page.keyboard.press("Enter")
    assert download.value.suggested_filename.endswith(".docx")


def make_an_account(desk):
    """Administrator: an account with a role in one agency, and its one-time link."""
    keys = desk.keys
    keys.press("Tạo tài khoản", "link")
    keys.write("Họ và tên", "Lường Thị Hoa")
    keys.write("Đơn vị", "UBND phường Sông Cầu")
    keys.write("Tên đăng nhập", f"hoa.{desk.person.width}")
    keys.choose("Vai trò", "Cán bộ phụ trách")
    keys.choose("Thuộc cơ quan này", "Ủy ban nhân dân phường Sông Cầu")
    keys.press("Tạo tài khoản", "button")
    assert "/start/" in desk.page.text_content("#link")


def publish_news(desk):
    """Editor: write news, see it as readers will, publish it."""
    keys = desk.keys
    desk.visitor.open("/news/")
    keys.press("Soạn tin", "link")
    keys.write("Tiêu đề", f"Ngày ra quân {desk.person.width}")
    keys.write("Nội dung", "Thứ Bảy, tại nhà văn hóa tổ.")
    keys.press("Lưu và xem trước", "button")
    keys.press("Đăng$", "button")
    assert "Đã đăng. Bạn đọc thấy trong vòng một phút." in desk.text


def learn_to_walk(desk):
    """Canvasser: the sheet says that the work is on the phone; how far the wards are is one step away."""
    assert "/canvass/" in desk.text
    if desk.page.is_visible("[data-menu]"):
        desk.keys.unfold("Menu")
    desk.keys.press("Đi từng nhà", "link")
    assert "Tiến độ" in desk.text


def keep_the_gate(desk):
    """Gatekeeper: from the first page to the own gate, what it counted, and the tally sheet to print."""
    keys = desk.keys
    assert "/gates/" in desk.page.url
    keys.press(".*Cổng trụ sở", "link")
    assert "Số người đang ở trong" in desk.text
    keys.to("Phiếu đếm", "link")
    # Fetched, not opened: the browser's own viewer of PDFs is no page of ours.
    sheet = desk.page.request.get(desk.page.evaluate("document.activeElement.href"))
    assert sheet.headers["content-type"] == "application/pdf"


def enter_a_zone(desk):
    """Loudspeaker operator: a new zone, played by hand, and what it airs today."""
    keys = desk.keys
    assert "/loudspeakers/" in desk.page.url
    keys.press("Nhập cụm loa", "link")
    keys.choose("Đơn vị", "Trung tâm Văn hóa, Thể thao và Truyền thông thành phố")
    keys.write("Tên cụm loa", f"Tổ {desk.person.width}")
    keys.press("Nhập$", "button")
    assert "Chép vào USB" in desk.text


def look_for_own_classes(desk):
    """Teacher: no class is named yet; the page says who names it, and the sheet how to report until then.

    Counting a class, by its link and PIN: tests/scenarios/test_13_the_school_counts.py.
    """
    keys = desk.keys
    assert "/schools/mine/" in desk.page.url
    keys.press("Hướng dẫn", "link")
    assert str(Role.TEACHER.label) in desk.text


def note_a_request(desk):
    """Leader of drives: note what somebody asks on the telephone, then see that it waits in the queue."""
    keys = desk.keys
    keys.press("Ghi yêu cầu qua điện thoại", "link")
    keys.write("Số điện thoại của người cần giúp", f"0912 000 {desk.person.width}")
    keys.write("Địa chỉ", "Tổ 5")
    keys.press("Ghi yêu cầu", "button")
    ticket = desk.page.inner_text(".code")
    keys.press("Đợt ra quân", "link")
    keys.press("Yêu cầu hỗ trợ", "link")
    assert ticket in desk.text


def look_after_the_venue(desk):
    """Venue owner: from the first page to the own venue, and a page for the till."""
    keys = desk.keys
    keys.press("Quán phở Bắc Hồ|Nhà hàng Núi Hoa", "link")
    keys.press("Trang cho quầy|Địa chỉ mới cho quầy", "button")
    assert "/till/" in desk.text


WORK = {
    Role.ISSUER: approve,
    Role.CLERK: take_in_and_send,
    Role.LEAD: receive_and_assign,
    Role.OFFICER: report,
    Role.HEALTH_WORKER: issue_a_code,
    Role.SUPERVISOR: raise_a_limit,
    Role.AUDITOR: verify_the_audit,
    Role.LEADER: read_the_share,
    Role.ADMIN: make_an_account,
    Role.EDITOR: publish_news,
    Role.GATEKEEPER: keep_the_gate,
    Role.TEACHER: look_for_own_classes,
    Role.CANVASSER: learn_to_walk,
    Role.SPEAKER_OPERATOR: enter_a_zone,
    Role.DRIVE_LEAD: note_a_request,
    Role.VENUE_OWNER: look_after_the_venue,
}


def test_every_role_has_work_here():
    assert set(WORK) == set(Role)


@pytest.mark.parametrize("width", [360, pytest.param(1280, marks=pytest.mark.slow)])
@pytest.mark.parametrize("role", [str(role) for role in Role])
def test_a_role_does_its_work_with_the_keyboard_alone(chromium, peopled, role, width):
    desk = Desk(chromium, peopled, Person(role, width))
    desk.sign_in()
    WORK[Role(role)](desk)
    desk.leave()
    desk.visitor.context.close()


def test_a_passkey_is_made_and_used_with_the_keyboard_alone(chromium, peopled):
    desk = Desk(chromium, peopled, Person("lead", 360))
    authenticator(desk.page)
    desk.sign_in()
    keys = desk.keys
    keys.unfold("Menu")
    keys.unfold(desk.person.name)
    keys.press("Xác thực lớp hai", "link")
    keys.press("Thêm khóa truy cập", "link")
    assert not desk.page.is_visible("[role=alert]")
    keys.write("Đây là thiết bị gì", "điện thoại của tôi")
    keys.press("Tạo khóa truy cập", "button")
    assert desk.page.locator(".paper-codes li").count() == 10
    desk.leave()
    keys.write("Tên đăng nhập", desk.person.username)
    keys.write("Mật khẩu", peopling.PASSWORD)
    keys.press("Đăng nhập", "button")
    keys.press("Dùng khóa truy cập", "button")
    assert "Việc của tôi" in desk.text
    desk.visitor.context.close()
