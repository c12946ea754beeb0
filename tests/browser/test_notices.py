# SPDX-License-Identifier: Apache-2.0
"""A notice of new work in a real browser: asked for, sealed, delivered to its service worker, shown, and pressed.

Played are only the browser maker's push service, which cannot be reached from here, and the finger on the notice: the
browser has no window on this machine in which it could be pressed.
"""

import datetime
import json
import sqlite3
from contextlib import closing

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.builders import presentoffice
from tests.builders.chromium import hidden_loop
from tests.builders.pushservice import Browser, push_service
from tests.builders.visitor import DESK

from bluezone.desk import notices
from bluezone.duties.duty import Matter, Pile
from bluezone.keyserver.push import Subscription
from bluezone.messaging.webpush import WebPushProvider

pytestmark = pytest.mark.browser
ENDPOINT = "https://updates.push.services.mozilla.com/wpush/v2/office"
NOW = datetime.datetime(2026, 11, 27, 2, tzinfo=datetime.UTC)
# The push service gives the subscription that the test holds the keys of, and remembers for whom it was made.
SUBSCRIBES = """
PushManager.prototype.subscribe = async (options) => {
    window.name = btoa(String.fromCharCode(...new Uint8Array(options.applicationServerKey)));
    return {toJSON: () => (%s), unsubscribe: async () => true};
};
"""


def sealed_and_opened(browser, text):
    """What the browser opens of a message that the office has sealed for it, after a push service has carried it."""
    with push_service() as service, hidden_loop():
        here = Subscription(f"{service.url}/office", browser.point, browser.auth)
        provider = WebPushProvider(
            ec.generate_private_key(ec.SECP256R1()), "https://office.example", aiohttp.TCPConnector
        )
        provider.send([here], text)
        (received,) = service.received
    return browser.opened(received.body).decode()


def registration(page, devtools, scope):
    """The number by which the browser knows the service worker of the office."""
    found = []
    devtools.on("ServiceWorker.workerRegistrationUpdated", lambda told: found.extend(told["registrations"]))
    devtools.send("ServiceWorker.enable")
    while True:
        for one in found:
            if one["scopeURL"].startswith(scope) and not one["isDeleted"]:
                return one["registrationId"]
        page.wait_for_timeout(100)


def test_a_notice_is_shown_by_a_browser_that_asked_for_it_and_pressing_it_leads_to_what_waits(whole_chromium, served):
    planted, browser = presentoffice.plant(served.data), Browser(ENDPOINT)
    context = whole_chromium.new_context(viewport=DESK, locale="vi")
    context.grant_permissions(["notifications"], origin=served.office)
    session = planted["sessions"]["signer"]
    context.add_cookies([{"name": "bluezone-session", "value": session, "url": served.office}])
    context.add_init_script(SUBSCRIBES % browser.body().decode())
    page = context.new_page()
    page.goto(f"{served.office}/notices/")
    with page.expect_navigation():
        page.click("[data-push-key] button[type=button]")
    wanted = page.get_attribute("[data-push-key]", "data-push-key")
    assert page.evaluate("name").replace("+", "-").replace("/", "_").rstrip("=") == wanted
    assert "Chrome" in page.inner_text("[data-push-key]")
    with closing(sqlite3.connect(served.data / "office.sqlite3", timeout=120)) as store:
        ((stored,),) = store.execute("SELECT endpoint FROM desk_pushbrowser").fetchall()
    assert stored == ENDPOINT

    matters = [Matter(f"letter {n}", "Công văn mật", "Đọc", "/", NOW, Pile.MINE, stated=n == 0) for n in range(3)]
    said = sealed_and_opened(browser, notices.push_body(matters, NOW))
    devtools = context.new_cdp_session(page)
    number = registration(page, devtools, served.office)
    devtools.send("ServiceWorker.deliverPushMessage", {"origin": served.office, "registrationId": number, "data": said})
    page.wait_for_function(
        "async () => (await (await navigator.serviceWorker.getRegistration('/notices/')).getNotifications()).length > 0"
    )
    (worker,) = context.service_workers
    shown = worker.evaluate("async () => (await registration.getNotifications()).map(({title, body}) => [title, body])")
    assert shown == [["Bluezone", "3 việc mới đang chờ. 1 việc đã quá hạn."]]
    assert json.loads(said)["text"] == shown[0][1]

    left = worker.evaluate("""async () => {
        const opened = [];
        clients.openWindow = async (url) => { opened.push(url); };
        const [notification] = await registration.getNotifications();
        dispatchEvent(new NotificationEvent("notificationclick", {notification}));
        return [opened, (await registration.getNotifications()).length];
    }""")
    assert left == [["/"], 0]
    page.goto(f"{served.office}{left[0][0]}")
    assert page.inner_text("main h1") == "Việc của tôi"
    assert page.is_visible("main .urgent a.button")
    context.close()
