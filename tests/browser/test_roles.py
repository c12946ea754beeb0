# SPDX-License-Identifier: Apache-2.0
"""From the invitation to the first page without a mouse, with and without a second factor; axe finds nothing serious.

What each role does then: test_roles_at_work.py. Every page: test_every_page.py.
"""

import base64
import io

import pytest
from pypdf import PdfReader
from tests.builders.accessibility import press_enter_on, serious_findings, tab_to, type_into
from tests.builders.serving import HOTLINE
from tests.builders.visitor import DESK, NARROW, PASSWORD, Visitor, confirmed_link

from bluezone.identity.models import Role

pytestmark = pytest.mark.browser
OFFERED = ".side nav a"


@pytest.fixture(scope="module")
def admin(chromium, served):
    visitor = Visitor(chromium, served)
    visitor.take_account(served.admin_link, name="Hoàng Thị Mai")
    yield visitor
    assert visitor.trouble == []
    visitor.context.close()


@pytest.fixture
def visitor(chromium, served):
    visitor = Visitor(chromium, served)
    yield visitor
    assert visitor.trouble == []
    visitor.context.close()


def invite_by_keyboard(admin, role):
    """Make an account with the keyboard alone; its one-time link."""
    page = admin.page
    admin.open("/accounts/new/")
    type_into(page, "[name=name]", "Nông Thị Lan")
    type_into(page, "[name=agency]", "Trạm Y tế phường Sông Cầu")
    type_into(page, "[name=username]", f"lan.{role.replace('_', '-')}")
    tab_to(page, "[name=role]")
    steps = [option.get_attribute("value") for option in page.locator("[name=role] option").all()]
    page.keyboard.press("Home")
    for _ in range(steps.index(role)):
        page.keyboard.press("ArrowDown")
    assert page.input_value("[name=role]") == role
    press_enter_on(page, "main form:not([action]) button[type=submit]")
    return confirmed_link(page, admin.served)


def take_by_keyboard(visitor, link):
    """Take the account, and the second factor where the role needs one, with the keyboard alone."""
    page = visitor.page
    page.goto(link)
    type_into(page, "[name=password]", PASSWORD)
    type_into(page, "[name=again]", PASSWORD)
    press_enter_on(page, "main form button[type=submit]")
    if page.url.endswith("/second-factor/"):
        press_enter_on(page, "main a[href='/second-factor/app/']")
        visitor.page.wait_for_selector("#secret")
        visitor.secret = base64.b32decode(page.text_content("#secret").replace(" ", ""))
        type_into(page, "[name=code]", visitor.code())
        press_enter_on(page, "main form button[type=submit]")
        press_enter_on(page, ".acts a")


def look_at(visitor):
    """Nothing on this page scrolls sideways or troubles axe."""
    page = visitor.page
    sizes = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    width, room = page.evaluate(sizes)
    assert width <= room, f"{page.url} scrolls sideways: {width} > {room}"
    if page.query_selector(".side"):
        assert page.is_visible("nav.pages") != page.is_visible("[data-menu]"), f"{page.url}: either pages or their menu"
    assert serious_findings(page) == [], page.url


@pytest.mark.parametrize("role", [str(Role.OFFICER), str(Role.SUPERVISOR)])
def test_an_invitation_is_taken_without_a_mouse(admin, visitor, served, role):
    admin.page.set_viewport_size(NARROW if len(role) % 2 else DESK)
    take_by_keyboard(visitor, invite_by_keyboard(admin, role))
    offered = sorted({link.get_attribute("href") for link in visitor.page.locator(OFFERED).all()})
    assert len(offered) > 3
    visitor.open(offered[0])
    look_at(visitor)
    press_enter_on(visitor.page, "form.leave button")
    assert visitor.page.url == f"{served.office}/sign-in/"


@pytest.mark.parametrize("size", [NARROW, DESK], ids=["phone", "desk"])
def test_the_pages_of_a_sign_in_and_of_an_account_trouble_nobody(admin, visitor, size):
    visitor.page.set_viewport_size(size)
    for path in ("/sign-in/", "/start/nothing/"):
        visitor.open(path)
        look_at(visitor)
    admin.page.set_viewport_size(size)
    for path in ("/accounts/1/", "/second-factor/passkeys/", "/second-factor/app/", "/confirm/", "/nothing/"):
        admin.open(path)
        look_at(admin)
    admin.page.emulate_media(color_scheme="dark")
    admin.open("/accounts/1/")
    look_at(admin)
    admin.page.emulate_media(color_scheme="light")


def test_the_first_tab_leads_past_the_navigation(admin):
    admin.page.set_viewport_size(DESK)
    admin.open("/accounts/")
    admin.page.keyboard.press("Tab")
    admin.page.keyboard.press("Enter")

    admin.page.wait_for_url("**#main")


@pytest.mark.parametrize("language", ["vi", pytest.param("en", marks=pytest.mark.slow)])
def test_the_sheet_of_every_role_prints_on_one_page_of_a4(admin, served, language):
    admin.context.add_cookies([{"name": "bluezone-language", "value": language, "url": served.office}])
    for role in Role:
        admin.open(f"/how-to/{role}/")
        printed = PdfReader(io.BytesIO(admin.page.pdf(prefer_css_page_size=True)))
        text = printed.pages[0].extract_text()

        assert len(printed.pages) == 1, role
        assert [round(float(side)) for side in printed.pages[0].mediabox[2:]] in ([595, 842], [596, 842], [594, 841])
        assert HOTLINE in text, role
        assert "Menu" not in text, role
    admin.context.add_cookies([{"name": "bluezone-language", "value": "vi", "url": served.office}])
