# SPDX-License-Identifier: Apache-2.0
"""Passkeys, sessions and training in a real Chromium, with its virtual authenticator (WebAuthn over CDP)."""

import pytest
from tests.browser.authenticators import authenticator
from tests.builders.visitor import DESK, NARROW, PASSWORD, Visitor, confirmed_link

pytestmark = pytest.mark.browser


@pytest.fixture
def visitor(chromium, served):
    visitor = Visitor(chromium, served)
    yield visitor
    assert visitor.trouble == []
    visitor.context.close()


@pytest.fixture(scope="module")
def admin(chromium, served):
    visitor = Visitor(chromium, served)
    visitor.take_account(served.admin_link, name="Hoàng Thị Mai")
    yield visitor
    assert visitor.trouble == []
    visitor.context.close()


def invite(admin, username, role):
    admin.page.set_viewport_size(DESK)
    admin.open("/accounts/new/")
    admin.page.select_option("[name=role]", role)
    if role == "health_worker":
        admin.page.select_option("[name=within_agency]", label="Trung tâm Y tế thành phố")
    admin.send(name="Nông Thị Lan", agency="Trạm Y tế", username=username)
    return confirmed_link(admin.page, admin.served)


def with_passkey(visitor, link, width=NARROW):
    """Take an account whose role needs a second factor, and make a passkey."""
    visitor.page.set_viewport_size(width)
    key = authenticator(visitor.page)
    visitor.page.goto(link)
    visitor.send(name="Nông Thị Lan", password=PASSWORD, again=PASSWORD)
    assert visitor.page.url.endswith("/second-factor/")
    visitor.open("/second-factor/passkeys/")
    visitor.page.fill("[name=name]", "điện thoại của tôi")
    visitor.page.click("[data-passkey-start]")
    visitor.page.wait_for_selector(".paper-codes")
    return key


def test_a_passkey_is_made_and_signs_in_again(visitor, admin, served):
    with_passkey(visitor, invite(admin, "lan.khoa", "health_worker"))
    visitor.open("/codes/")
    assert visitor.page.url == f"{served.office}/codes/"

    visitor.leave()
    visitor.send(username="lan.khoa", password=PASSWORD)
    assert visitor.page.url.endswith("/sign-in/second/")
    visitor.page.click("[data-passkey-start]")
    visitor.page.wait_for_url(f"{served.office}/")


def test_a_passkey_of_somebody_else_does_not_sign_in(visitor, admin, served):
    cdp, key = with_passkey(visitor, invite(admin, "lan.hai", "health_worker"))
    visitor.leave()
    visitor.send(username="lan.hai", password=PASSWORD)
    cdp.send("WebAuthn.clearCredentials", {"authenticatorId": key})
    visitor.page.click("[data-passkey-start]")
    visitor.page.wait_for_selector("[data-passkey-failed]:visible", timeout=120_000)
    visitor.open("/codes/")

    assert "/sign-in/" in visitor.page.url


def test_a_passkey_whose_counter_runs_backwards_is_refused(visitor, admin):
    cdp, key = with_passkey(visitor, invite(admin, "lan.ba", "health_worker"))
    credential = cdp.send("WebAuthn.getCredentials", {"authenticatorId": key})["credentials"][0]
    visitor.leave()
    visitor.send(username="lan.ba", password=PASSWORD)
    visitor.page.click("[data-passkey-start]")
    visitor.page.wait_for_url(f"{visitor.served.office}/")
    cdp.send("WebAuthn.clearCredentials", {"authenticatorId": key})
    cdp.send("WebAuthn.addCredential", {"authenticatorId": key, "credential": {**credential, "signCount": 0}})
    visitor.leave()
    visitor.send(username="lan.ba", password=PASSWORD)
    with visitor.page.expect_navigation():
        visitor.page.click("[data-passkey-start]")

    assert "Chưa đúng" in visitor.page.inner_text("[role=alert] >> visible=true")


def test_sessions_and_training_on_a_phone(admin):
    admin.page.set_viewport_size(NARROW)
    admin.open("/sessions/")
    assert "trình duyệt này" in admin.page.inner_text("main")
    admin.open("/training/")
    admin.page.click("main button")
    assert "Tập huấn" in admin.page.inner_text(".training")
    admin.open("/training/")
    admin.page.click("main button")
    assert admin.page.query_selector(".training") is None


# The last one: afterwards this address owes a puzzle for each sign-in with another browser.
def test_after_many_wrong_passwords_from_its_address_an_unknown_browser_works_for_some_seconds_and_comes_on(
    visitor, served
):
    visitor.open("/sign-in/")
    visitor.page.evaluate(
        """async () => {
          const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
          for (let n = 0; n < 10; n += 1) {
            const body = new URLSearchParams({csrfmiddlewaretoken: token, username: `somebody${n}`, password: "guess"});
            await fetch("/sign-in/", {method: "POST", body});
          }
        }"""
    )
    visitor.send(username="somebody", password="my own")
    visitor.page.wait_for_selector("[data-ready]:visible")
    assert visitor.page.is_enabled("main button[type=submit]")
    assert visitor.page.input_value("[name=username]") == "somebody"
    visitor.send(password="my own again")

    assert "không khớp" in visitor.page.text_content("main")
    # The browser notes each answer that is no success.
    visitor.trouble.clear()
