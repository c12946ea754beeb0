# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E501 (lines of JavaScript)
"""The web edition's other calls: a declaration by a warned person, and a push subscription that stands beside nothing."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.builders.webedition import browsers, issue_code, publish_venue, web_city

from bluezone.keyserver import declarations
from bluezone.protocol.declarationkey import new_private_key, open_declaration, public_key_pem

pytestmark = pytest.mark.browser
HOUR = 3600
REPORT = """
    const draft = await engine.prepareReport(x);
    await engine.sendReport({visits: draft.visits.map(({id}) => id), consent: true});
"""


@pytest.fixture
def city(tmp_path):
    with web_city(tmp_path) as server:
        server.key_server.tick()
        yield server


def refusal(browser, script, argument=None):
    return browser.run(f"return refused(async () => {{ {script} }})", argument).get("refused")


def test_a_warned_person_declares_and_only_the_health_authority_reads_it(chromium, city):
    key, poster = new_private_key(), publish_venue(city)
    with browsers(chromium, city, "patient", "near") as (patient, near):
        for browser in (patient, near):
            browser.run("await engine.checkIn(x, {})", poster.link)
        near.run("await passBy(x)", 3 * HOUR)
        patient.live(3 * HOUR)
        patient.run(REPORT, issue_code(city))
        city.world.pass_by(HOUR)
        city.key_server.tick()
        near.run("sim.now = x; await engine.check()", city.world.now)
        declare = "await engine.declare({warningId: (await engine.state()).warnings[0].id, phone: x, text: 'Tôi ngồi gần cửa.'})"
        assert refusal(near, declare, "0912345678") == "declarations_closed"

        declarations.publish_declaration_key(city.key_server.data_dir, public_key_pem(key))
        city.world.pass_by(60)
        city.key_server.tick()
        near.run("sim.now = x; await engine.check()", city.world.now)
        assert refusal(near, declare, "không có số") == "declaration_invalid"
        assert (
            refusal(near, "await engine.declare({warningId: 'venue/2020-01-01/high', phone: '0912345678'})")
            == "warning_missing"
        )
        near.run(declare, "0912345678")
        log = near.run("return (await engine.sentLog()).own")
    ((handle, _),) = city.key_server.declarations.list_declarations()
    opened = open_declaration(city.key_server.declarations.read_declaration(handle).message, key)

    assert (opened.level, opened.phone, opened.text) == ("high", "0912345678", "Tôi ngồi gần cửa.")
    assert [(entry["what"], entry["bytes"], entry["outcome"]) for entry in log] == [("declared", 1024, "accepted")]


def subscription(rng_seed=1):
    """What a browser's push service gives; it cannot be reached from here."""
    point = (
        ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    )
    text = [base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (point, bytes([rng_seed]) * 16)]
    return {
        "endpoint": f"https://updates.push.services.mozilla.com/{rng_seed}",
        "keys": {"p256dh": text[0], "auth": text[1]},
    }


def test_row_41_a_subscription_is_told_minutes_later_alone_and_with_nothing_of_the_owner(whole_chromium, city):
    with browsers(whole_chromium, city, "visitor") as (visitor,):
        visitor.rehearse_later()
        body = subscription()
        visitor.run(
            """
            const {push, store} = engine.parts;
            window.delay = push.later() - sim.now;
            await store.write({push: {body: x, sent: false, leaving: false, sendAt: sim.now + delay}});
            await engine.errands.tick();
            """,
            body,
        )
        assert 60 <= visitor.run("return delay") <= 600
        assert visitor.run("return engine.parts.push.nextAt()") is not None
        city.requests.clear()
        visitor.live(59)
        assert city.requests == []
        visitor.live(600)
        assert [path for path, _ in city.requests] == ["/v1/push/subscribe"], "in no company"
        assert city.key_server.push.endpoints() == [body["endpoint"]]
        columns = [row[1] for row in city.key_server.keys_store.read("PRAGMA table_info(push_subscription)")]
        assert sorted(columns) == ["auth", "endpoint", "p256dh", "period", "proven"]

        visitor.run("await engine.turnOffNotifications()")
        assert visitor.run("return (await engine.notifications()).state") == "off"
        assert city.key_server.push.endpoints() == [body["endpoint"]], "not at once either"
        visitor.live(601)
        assert city.key_server.push.endpoints() == []
        log = visitor.run("return (await engine.sentLog()).own.map(({what, outcome}) => [what, outcome])")
    assert log == [["notifications_on", "accepted"], ["notifications_off", "accepted"]]


def test_where_a_browser_has_no_push_it_says_so(chromium, city):
    with browsers(chromium, city, "visitor") as (visitor,):
        # Headless Chromium has no push service behind it.
        code = refusal(visitor, "await engine.allowNotifications()")
        state = visitor.run("return engine.notifications()")
    assert code in ("push_unavailable", None)
    assert state["state"] in ("off", "denied")


def test_news_are_in_the_inbox_and_an_address_elsewhere_is_not_offered(chromium, city):
    items = [
        {"id": 1, "title_vi": "Tiêm chủng", "title_en": "Vaccination", "body_vi": "Từ thứ Hai", "body_en": "From Monday", "published_at": "2026-11-24T08:00:00Z", "url": "/news/1/"},
        {"id": 2, "title_vi": "Khác", "title_en": "Other", "body_vi": "", "body_en": "", "published_at": "2026-11-25T08:00:00Z", "url": "https://evil.example/"},
        {"id": 3, "title_vi": 5},
        None,
    ]  # fmt: skip
    import json

    city.more["/news/feed.json"] = (200, "application/json", json.dumps({"items": items}).encode())
    with browsers(chromium, city, "visitor") as (visitor,):
        seen = visitor.run("return engine.inbox()")
        assert [(item["id"], item["title"], item["url"], item["read"]) for item in seen] == [
            ("news/2", "Khác", None, False), ("news/1", "Tiêm chủng", "/news/1/", False),
        ]  # fmt: skip
        visitor.run("await engine.markRead('news/1'); await engine.setLanguage('en')")
        assert [(item["title"], item["read"]) for item in visitor.run("return engine.inbox()")] == [
            ("Other", False),
            ("Vaccination", True),
        ]
        assert visitor.run("return (await engine.state()).unread") == 1
        city.more["/news/feed.json"] = (200, "application/json", b"<html>")
        visitor.run("await engine.check()")
        assert len(visitor.run("return engine.inbox()")) == 2
