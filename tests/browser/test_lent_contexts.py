# SPDX-License-Identifier: Apache-2.0
"""Tests share one Chromium: what one of them leaves in a context, the next does not find."""

import pytest
from tests.builders import chromium as builder
from tests.builders.chromium import LentContext
from tests.builders.webedition import web_city

pytestmark = pytest.mark.browser
LEAVE = """async () => {
  document.cookie = 'left=1; max-age=1000';
  localStorage.setItem('left', '1');
  await (await caches.open('left')).put('/left', new Response('1'));
  await new Promise((done) => { const asked = indexedDB.open('left'); asked.onsuccess = done; });
}"""
LOOK = """async () => [
  document.cookie, localStorage.length, await caches.keys(), await indexedDB.databases(), navigator.onLine,
  (await navigator.permissions.query({name: 'notifications'})).state,
]"""
# An option of its own, so that no context of another test is among those that are lent.
OPTIONS = {"viewport": {"width": 361, "height": 741}}


@pytest.fixture
def city(tmp_path):
    with web_city(tmp_path) as server:
        yield server


def looked(context, city):
    page = context.new_page()
    page.goto(city.url + "/blank")
    return page.evaluate(LOOK)


def test_a_context_that_is_lent_again_is_as_empty_as_a_new_one(chromium, city):
    first = chromium.new_context(**OPTIONS)
    new = looked(first, city)
    first.grant_permissions(["notifications"], origin=city.url)
    first.pages[0].evaluate(LEAVE)
    assert looked(first, city) != new
    first.set_offline(True)
    first.close()
    again = chromium.new_context(**OPTIONS)

    assert again is first
    assert again.pages == []
    assert looked(again, city) == new
    again.close()


def test_a_context_with_something_that_lasts_is_not_lent_again(chromium, city):
    first = chromium.new_context(**OPTIONS)
    first.add_init_script("window.left = true")
    first.close()
    again = chromium.new_context(**OPTIONS)

    assert isinstance(again, LentContext)
    assert again is not first
    page = again.new_page()
    page.goto(city.url + "/blank")
    assert page.evaluate("window.left") is None
    again.close()


def test_a_page_that_does_not_close_in_time_ends_nothing_but_its_context(chromium, city, monkeypatch):
    first = chromium.new_context(**OPTIONS)
    first.new_page().goto(city.url + "/blank")
    with monkeypatch.context() as patched:
        patched.setattr(builder, "CLOSE_SECONDS", 0)
        with pytest.warns(UserWarning, match="has not closed"):
            first.close()
    again = chromium.new_context(**OPTIONS)

    assert again is not first
    again.new_page().goto(city.url + "/blank")
    again.close()
