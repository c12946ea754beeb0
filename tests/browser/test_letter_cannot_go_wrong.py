# SPDX-License-Identifier: Apache-2.0
"""A letter cannot go wrong unseen: signed as it was seen, sent to whom it names, due when it says, typed once.

In Chromium against a running `serve`, as several people at once; each was seen to go wrong before.
"""

import datetime
import re
import sqlite3
from contextlib import closing

import pytest
from tests.builders import presentoffice
from tests.builders.office import app_code
from tests.builders.serving import serving
from tests.builders.visitor import DESK

pytestmark = pytest.mark.browser
TWENTY_DAYS = datetime.date.today() + datetime.timedelta(days=20)  # noqa: DTZ011 - twenty days ahead, whatever the zone


class Office:
    """A running office, who is signed in to it, and its letters by what they are for."""

    def __init__(self, served, chromium):
        self.served, self._chromium = served, chromium
        planted = presentoffice.plant(served.data)
        self._sessions, self._letters = planted["sessions"], planted["letters"]
        self._contexts = []

    def at(self, who, what, page=""):
        """Somebody's browser at a page of a letter."""
        context = self._chromium.new_context(viewport=DESK, locale="vi")
        self._contexts.append(context)
        self.sign_in(context, who)
        shown = context.new_page()
        shown.goto(f"{self.served.office}/directives/{self._letters[what]}/{page}")
        return shown

    def sign_in(self, context, who):
        """Give a browser the session of somebody."""
        session = {"name": "bluezone-session", "value": self._sessions[who], "url": self.served.office}
        context.add_cookies([session])

    def asked(self, sql, *values):
        """What the store says."""
        with closing(sqlite3.connect(self.served.data / "office.sqlite3", timeout=120)) as store:
            return store.execute(sql, values).fetchall()

    def letter(self, what):
        return self._letters[what]

    def close_all(self):
        # One by one, so that a page that cannot be closed does not stop the tests after it as well.
        while self._contexts:
            self._contexts.pop().close()


@pytest.fixture(scope="module")
def running(tmp_path_factory, chromium):
    with serving(tmp_path_factory.mktemp("present") / "data") as served:
        yield Office(served, chromium)


@pytest.fixture
def office(running):
    yield running
    running.close_all()


def confirmed_first(page):
    """The second factor, where the page asks for it again before it lets a letter be confirmed."""
    if page.locator("main a.button[href^='/confirm/']").count():
        page.click("main a.button[href^='/confirm/']")
    if "/confirm/" in page.url:
        page.fill("[name=code]", app_code())
        page.click("main form:not([action]) button[type=submit]")


def store(page):
    page.click("#draft .acts button.quiet:not([name])")


def submit(page):
    """Hand a draft in, and wait until that is done: others look at it then."""
    page.click("button[value=submit]")
    page.wait_for_url(re.compile(r"/directives/\d+/(?:#|$)"))


def test_what_the_signer_saw_is_what_is_confirmed(office):
    """The clerk takes the letter back and changes it while the signer's page is open."""
    signer = office.at("signer", "race", "approve/")
    confirmed_first(signer)
    assert "Sở Y tế tỉnh" in signer.inner_text("main")
    clerk = office.at("clerk", "race")
    clerk.click("form[action$='/reopen/'] button")
    clerk.goto(f"{office.served.office}/directives/{office.letter('race')}/change/")
    clerk.fill("#id_task-0-text", "Mua thêm vật tư không qua đấu thầu")
    clerk.fill("#id_task-0-lead_names", "Công an tỉnh")
    submit(clerk)

    signer.click("form:not([action]) button[type=submit]")

    (state, by), *_ = office.asked(
        "SELECT state, approved_by_id FROM directives_directive WHERE id=?", office.letter("race")
    )
    assert (state, by) == ("submitted", None)
    changed = signer.inner_text("#changed")
    assert "không qua đấu thầu" in changed
    assert "bổ sung vật tư" in changed
    signer.click("form:not([action]) button[type=submit]")
    (confirmed,), *_ = office.asked(
        "SELECT version.number FROM directives_directive JOIN directives_directiveversion version"
        " ON version.id = approved_version_id WHERE directives_directive.id=?",
        office.letter("race"),
    )
    assert confirmed == 2


def test_a_name_that_fits_only_without_its_level_is_asked_about_and_diacritics_count(office):
    clerk = office.at("clerk", "names", "change/")
    clerk.click("button[value=submit]")
    assert "Không còn tồn tại: Công an thành phố" in clerk.inner_text("main")
    asked = clerk.locator("#whom")
    assert "Yên Th" not in asked.inner_text()
    assert asked.locator("option").all_inner_texts()[1:] == ["Công an tỉnh · tỉnh Bắc Sơn"]

    clerk.select_option("#choose-0", label="Công an tỉnh · tỉnh Bắc Sơn")
    clerk.click("button[value=choose]")
    assert "Bên dưới là những cơ quan mà các tên đang chỉ." in clerk.inner_text("#draft [role=status]")
    submit(clerk)
    signer = office.at("signer", "names", "approve/")
    confirmed_first(signer)
    shown = signer.inner_text("main")
    assert all(name in shown for name in ("Công an tỉnh", "xã Yên Thịnh", "xã Yên Thỉnh", "4 cơ quan nhận"))
    signer.click("form:not([action]) button[type=submit]")
    clerk.reload()
    assert "Gửi 4 cơ quan" in clerk.inner_text("main")
    clerk.check("[name=on_paper]")
    clerk.click("form[action$='/issue/'] button")

    sent = office.asked(
        "SELECT agency.name, dispatch.channel FROM directives_dispatch dispatch"
        " JOIN agencies_agency agency ON agency.id = agency_id WHERE directive_id=?",
        office.letter("names"),
    )
    assert dict(sent) == {
        "Công an tỉnh": "paper",
        "Ủy ban nhân dân xã Yên Thịnh": "paper",
        "Ủy ban nhân dân xã Yên Thỉnh": "paper",
        "Sở Y tế tỉnh": "account",
    }


def test_an_agency_that_has_ended_gets_nothing_and_the_draft_says_so(office):
    clerk = office.at("clerk", "ended", "change/")
    assert "không còn tồn tại" in clerk.inner_text("#whom")
    clerk.click("button[value=submit]")

    assert "Không còn tồn tại: Hội Nông dân thành phố" in clerk.inner_text("main")
    assert office.asked("SELECT state FROM directives_directive WHERE id=?", office.letter("ended")) == [("draft",)]


def test_the_open_letter_of_an_agency_that_is_merged_goes_to_its_successor(office):
    heir = office.at("ba-be", "merged")
    heir.goto(f"{office.served.office}/inbox/")
    assert "4/UBND-VX" not in heir.inner_text("main")
    (pk,), *_ = office.asked("SELECT id FROM agencies_agency WHERE key='ubnd-xa-cho-ray'")
    admin = office.at("keeper", "merged")
    admin.goto(f"{office.served.office}/agencies/{pk}/change/")
    confirmed_first(admin)
    admin.fill("#id_valid_to", f"{datetime.date.today()}")  # noqa: DTZ011 - the day of the browser
    admin.fill("#id_successors", "Ủy ban nhân dân xã Ba Bể")
    admin.click("main form button[type=submit]")
    asked = admin.inner_text("main")
    assert "1 văn bản chưa hoàn thành." in asked
    assert "Ủy ban nhân dân xã Ba Bể" in asked
    admin.click("main form button[type=submit]")

    heir.reload()
    heir.click("text=4/UBND-VX")
    told = heir.inner_text("main")
    assert "Tiếp nhận từ Ủy ban nhân dân xã Chợ Rẫy" in told
    assert "kiểm tra chợ" in told
    states = office.asked("SELECT state FROM directives_dispatch WHERE directive_id=?", office.letter("merged"))
    assert sorted(states) == [("arrived",), ("handed_on",)]


def test_nobody_is_late_because_a_letter_is_dated_ten_days_ago(office):
    clerk = office.at("clerk", "dated", "late/")

    assert "Không đơn vị nào chậm" in clerk.inner_text("main")
    ordered = office.asked("SELECT report_every FROM directives_task WHERE directive_id=?", office.letter("dated"))
    assert set(ordered) == {("",)}


def test_the_hour_of_a_deadline_holds_and_before_a_day_is_before_it(office):
    officer = office.at("health", "hour")
    officer.goto(f"{office.served.office}/inbox/")
    officer.click("text=6/UBND-VX")
    day = f"{TWENTY_DAYS.day}/{TWENTY_DAYS.month}/{TWENTY_DAYS.year}"
    assert "16:00" in officer.inner_text("main")
    officer.click("button[value=received]")
    officer.click("a[href*='/report/']")
    said = officer.inner_text("main form[enctype]")
    assert "16:00" in said
    assert day in said
    dues = office.asked(
        "SELECT due, due_time FROM directives_task WHERE directive_id=? ORDER BY position", office.letter("hour")
    )
    day_before = TWENTY_DAYS - datetime.timedelta(days=1)
    assert dues == [(str(TWENTY_DAYS), "16:00:00"), (str(day_before), None)]


def test_what_was_typed_survives_a_lost_session(office):
    clerk = office.at("clerk", "typed", "change/")
    clerk.fill("#id_subject", "V/v phòng dịch trong mùa mưa")
    clerk.click("button[value=add-task]")
    clerk.fill("#id_task-2-text", "Nhiệm vụ gõ thêm")
    clerk.context.clear_cookies()
    store(clerk)
    office.sign_in(clerk.context, "clerk")
    clerk.goto(f"{office.served.office}/directives/{office.letter('typed')}/change/")

    clerk.click("[data-restore]")
    clerk.wait_for_selector("#id_task-2-text")
    assert clerk.input_value("#id_subject") == "V/v phòng dịch trong mùa mưa"
    assert clerk.input_value("#id_task-2-text") == "Nhiệm vụ gõ thêm"
    clerk.fill("#id_task-2-lead_names", "Sở Y tế tỉnh")
    store(clerk)
    clerk.goto(f"{office.served.office}/directives/{office.letter('typed')}/change/")
    assert clerk.input_value("#id_task-2-text") == "Nhiệm vụ gõ thêm"
    assert clerk.locator("[data-restore]").count() == 0
    assert clerk.evaluate("Object.keys(localStorage)") == []


def test_two_who_edit_one_draft_lose_nothing_of_each_other(office):
    first, second = (office.at(who, "edited", "change/") for who in ("clerk", "second"))
    first.fill("#id_subject", "V/v chủ đề của người thứ nhất")
    first.fill("#id_signer_name", "Nguyễn Văn Một")
    store(first)
    second.fill("#id_signer_position", "CHỦ TỊCH")
    second.fill("#id_signer_name", "Nguyễn Văn Hai")
    store(second)

    assert "người khác đã lưu thay đổi" in second.inner_text("main")
    assert second.input_value("#id_subject") == "V/v chủ đề của người thứ nhất"
    assert second.input_value("#id_signer_name") == "Nguyễn Văn Hai"
    assert "Nguyễn Văn Một" in second.inner_text(".clashes")
    second.check("[name=take-signer_name]")
    store(second)
    kept = office.asked(
        "SELECT subject, signer_name, signer_position FROM directives_directive WHERE id=?", office.letter("edited")
    )
    assert kept == [("V/v chủ đề của người thứ nhất", "Nguyễn Văn Một", "CHỦ TỊCH")]
