# SPDX-License-Identifier: Apache-2.0
"""What the front may share is one page: no address of ours is unknown, no query that a page reads is lost."""

import inspect
import re

import pytest
from django.test import override_settings
from django.urls import clear_url_caches

from bluezone.portal.urls_public import PAGES, QUERIES
from bluezone.web.wsgi_public import _may_have_page, _page_at, _read_query


@pytest.fixture(autouse=True)
def public_addresses():
    with override_settings(ROOT_URLCONF="bluezone.web.urls_public"):
        clear_url_caches()
        _page_at.cache_clear()
        yield
    clear_url_caches()
    _page_at.cache_clear()


@pytest.mark.parametrize(
    "path",
    ["/", "/k", "/install/", "/install", "/news/7/", "/news/7", "/app/main.js", "/v1/health", "/v1/nothing", "/trust/",
     "/language/en/", "/d/AB12-CD34", "/help/123-ABC/"],
)  # fmt: skip
def test_an_address_with_a_page_or_a_redirect_to_one_is_known(path):
    assert _may_have_page(path)


@pytest.mark.parametrize("path", ["/wp-login.php", "/.env", "/install/x", "/news/seven/", "/not-found/", "//"])
def test_any_other_address_is_unknown(path):
    assert not _may_have_page(path)


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        ("/news/", "page=2", "page=2"),
        ("/news/", "x=1&page=02", ""),
        ("/news/", "page=1000", ""),
        ("/news/", "page=2&page=3&utm_source=zalo", "page=2"),
        ("/", "fbclid=abc", ""),
        # These read what they are given, or a third party's duty might.
        ("/language/en/", "next=/faq/", None),
        ("/v1/devices/update/linux", "from=0", None),
        ("/trust/", "x=1", None),
    ],
)
def test_what_a_page_does_not_read_of_a_query_is_left_out(path, query, expected):
    assert _read_query(path, query) == expected


def test_the_portal_s_pages_read_no_other_part_of_a_query():
    names = {name for names in QUERIES.values() for name in names}
    for view in PAGES:
        source = inspect.getsource(inspect.unwrap(view))
        assert set(re.findall(r'request\.GET(?:\.get\(|\[)"(\w+)"', source)) <= names, view.__name__
        assert len(re.findall(r"request\.GET", source)) == len(re.findall(r'request\.GET(?:\.get\(|\[)"', source))
