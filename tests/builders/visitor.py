# SPDX-License-Identifier: Apache-2.0
"""A browser profile that takes over an account, sets up an authenticator app, and records forbidden acts of pages."""

import base64
import re
import time

import pytest
from tests.builders import peopling
from tests.builders.commands import bluezone

from bluezone.identity.factors import totp

PASSWORD = "suối chảy qua bản nhỏ"
NARROW = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}


def four_ways(size, narrow, wide):
    """Parameters `language` and `size`: both languages at both widths; two of the four are marked slow."""
    return pytest.mark.parametrize(
        ("language", size),
        [
            pytest.param("vi", narrow, id="vi-phone"),
            pytest.param("en", wide, id="en-desk"),
            pytest.param("en", narrow, id="en-phone", marks=pytest.mark.slow),
            pytest.param("vi", wide, id="vi-desk", marks=pytest.mark.slow),
        ],
    )


def confirmed_link(page, served):
    """The one-time link requested on this page: from the page, or after the operator's confirmation if it waits."""
    waits = re.fullmatch(r".*/waiting/([0-9]+)/", page.url)
    if waits is None:
        return page.text_content("#link").strip()
    done = bluezone("manage", "--data", served.data, "confirm_act", waits[1])
    assert done.returncode == 0, done.stderr
    return served.office + re.search(r"/start/\S+", done.stdout)[0]


class Visitor:
    """One browser profile. trouble: errors in scripts, blocked content, requests to other hosts; must stay empty."""

    def __init__(self, browser, served):
        self.context = browser.new_context(viewport=DESK)
        self.page = self.context.new_page()
        self.served = served
        self.secret = None
        self.paper = []
        self.trouble = []
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        self.page.on("console", lambda message: self._note(message.text))
        self.page.on("request", lambda request: self._follow(request.url))

    def _note(self, text):
        if "Content Security Policy" in text or "Refused" in text:
            self.trouble.append(text)

    def _follow(self, url):
        if not url.startswith((self.served.office, self.served.public)):
            self.trouble.append(f"asked for {url}")

    def open(self, path):
        """Go to a path of the office."""
        self.page.goto(self.served.office + path)

    def send(self, **fields):
        """Fill in the main form of the page and send it."""
        for name, value in fields.items():
            self.page.fill(f"[name={name}]", value)
        self.page.click("main form:not([action]) button[type=submit]")

    def take_account(self, link, **more):
        """Open a one-time link, choose the password, and set up the app if the role needs one."""
        self.page.goto(link)
        self.send(password=PASSWORD, again=PASSWORD, **more)
        if self.page.url.endswith("/second-factor/"):
            self.set_up_app()

    def set_up_app(self):
        """Set up an authenticator app and go to the first page."""
        self.open("/second-factor/app/")
        self.secret = base64.b32decode(self.page.text_content("#secret").replace(" ", ""))
        self.send(code=self.code())
        self.page.wait_for_selector(".paper-codes")
        self.paper = self.page.locator(".paper-codes li").all_text_contents()
        self.open("/")

    def code(self, steps_ahead=0):
        """The code of the app now, or some half minutes later; a code works once."""
        return totp.code_at(self.secret, int(time.time()) // totp.STEP_SECONDS + steps_ahead)

    def come_in(self, person):
        """Sign in as a person of `peopling`, with the second factor if the role needs one."""
        self.open("/sign-in/")
        self.send(username=person.username, password=peopling.PASSWORD)
        if self.page.url.endswith("/sign-in/second/"):
            self.send(code=peopling.app_code())

    def speak(self, language):
        """Switch the language by its link."""
        self.page.click(f"a[hreflang={language}]")

    def leave(self):
        """Sign out by the button, which is in the menu on a narrow screen."""
        if not self.page.is_visible("form.leave button"):
            self.page.click("[data-menu]")
        self.page.click("form.leave button")
