# SPDX-License-Identifier: Apache-2.0
"""Scenario 16: "Tourist opens landing page (<= 60 kB, no third-party request), allows push; local push service decrypts
the notice; unsubscribed endpoint 410 removed."

The page behind the text message's link, then the calls a browser makes; over the wire and in Chromium the page's weight
is held by tests/browser/test_portal.py.
"""

import gzip
import re

import pytest
from aiohttp import TCPConnector
from cryptography.hazmat.primitives.asymmetric import ec
from tests.builders.keyserver import Clock, call, open_server
from tests.builders.office import data_folder, furnished_folder, quick_passwords, server
from tests.builders.pushservice import Browser, push_service
from tests.portal.conftest import public

from bluezone.city_settings import PUSH_SERVICES
from bluezone.keyserver import push
from bluezone.messaging.announcer import MESSAGE, Announcer
from bluezone.messaging.sms.wording import arrival_notice
from bluezone.messaging.webpush import WebPushProvider

__all__ = ["data_folder", "furnished_folder", "public", "quick_passwords", "server"]
LANDING_BYTES = 60_000
HOUR = 3600


@pytest.mark.django_db
def test_the_page_behind_the_link_is_light_and_calls_nobody_else(public, settings):
    link = re.search(r"(\S+/k)\b", arrival_notice(settings.CITY, "en").measured.text)[1]
    assert link == f"{settings.CITY.public_host}/k", "the same for everybody: it identifies nobody"
    page = public.get("/k", headers={"accept-language": "en"})
    html = page.content.decode()
    links = re.findall(r'(?:src|href)="([^"#]+)"', re.sub(r"<a\b[^>]*>", "", html))
    assert links
    assert not [one for one in links if one.startswith(("http:", "https:", "//"))], "no third party"
    packed = len(gzip.compress(page.content))
    for one in {link for link in links if not link.endswith((".xml", ".svg"))}:
        fetched = public.get(one) if one.startswith("/assets/") else None
        content = b"".join(fetched.streaming_content) if fetched and fetched.streaming else fetched and fetched.content
        packed += len(content if one.endswith(".woff2") else gzip.compress(content)) if content else 0

    assert packed <= LANDING_BYTES
    assert "set-cookie" not in {name.lower() for name in page.headers}
    assert 'href="/k/stop"' in html


@pytest.mark.long
def test_who_allows_push_is_told_sealed_and_who_is_gone_is_removed(tmp_path, monkeypatch):
    monkeypatch.delenv("BLUEZONE_DATABASE_URL", raising=False)
    clock = Clock()
    city_server = open_server(tmp_path, clock, push_services=("127.0.0.1", *PUSH_SERVICES))
    with push_service() as service:
        provider = WebPushProvider(ec.generate_private_key(ec.SECP256R1()), "https://bluezone.example", TCPConnector)
        staying, leaving = service.browser("staying"), service.browser("leaving")
        for browser in (staying, leaving):
            city_server.keys_store.write(
                lambda done, b=browser: push.store_subscription(done, b.subscription, push.period_at(clock.now))
            )
        city_server.tick()
        announcer = Announcer(city_server, provider, lambda _: 0.0)
        announcer.send_due(clock.now)
        clock.pass_by(2 * HOUR)
        city_server.tick()
        service.status["/leaving"] = 410
        announcer.send_due(clock.now)
        got = next(one for one in service.received if one.path == "/staying")

        assert staying.opened(got.body) == MESSAGE.encode(), "the push service carried it and could not read it"
        assert MESSAGE.encode() not in got.body
        assert city_server.push.endpoints() == [staying.endpoint]
        # The city takes addresses of https alone; the push service of this test has none.
        real = Browser("https://updates.push.services.mozilla.com/wpush/v2/gAAAA")
        assert call(city_server, "POST", "/v1/push/subscribe", real.body()).status == 200
        assert call(city_server, "POST", "/v1/push/unsubscribe", real.body()).status == 200
        assert city_server.push.endpoints() == [staying.endpoint]
    city_server.close()
