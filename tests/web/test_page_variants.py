# SPDX-License-Identifier: Apache-2.0
"""What the front may share is one page: no address of ours is unknown, no query that a page reads is lost."""

import inspect
import json
import re

import pytest
from django.test import override_settings
from django.urls import clear_url_caches

from bluezone.portal.urls_public import PAGES, QUERIES
from bluezone.web.page_variants import PageAddresses, PageLanguages, PageVariants, read_description
from bluezone.web.wsgi_public import page_addresses


@pytest.fixture(scope="module")
def addresses():
    with override_settings(ROOT_URLCONF="bluezone.web.urls_public"):
        clear_url_caches()
        yield page_addresses()
    clear_url_caches()


@pytest.mark.parametrize(
    "path",
    ["/", "/k", "/install/", "/install", "/news/7/", "/news/7", "/app/main.js", "/v1/health", "/v1/nothing", "/trust/",
     "/language/en/", "/d/AB12-CD34", "/help/123-ABC/"],
)  # fmt: skip
def test_an_address_with_a_page_or_a_redirect_to_one_is_known(addresses, path):
    assert addresses.is_known(path)


@pytest.mark.parametrize("path", ["/wp-login.php", "/.env", "/install/x", "/news/seven/", "/not-found/", "//"])
def test_any_other_address_is_unknown(addresses, path):
    assert not addresses.is_known(path)


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
def test_what_a_page_does_not_read_of_a_query_is_left_out(addresses, path, query, expected):
    assert addresses.read_query(path, query) == expected


def test_the_portal_s_pages_read_no_other_part_of_a_query():
    names = {name for names in QUERIES.values() for name in names}
    for view in PAGES:
        source = inspect.getsource(inspect.unwrap(view))
        assert set(re.findall(r'request\.GET(?:\.get\(|\[)"(\w+)"', source)) <= names, view.__name__
        assert len(re.findall(r"request\.GET", source)) == len(re.findall(r'request\.GET(?:\.get\(|\[)"', source))


def test_another_process_reads_the_same_in_a_description(addresses):
    variants = PageVariants("language", lambda: 1, addresses, PageLanguages(frozenset({"vi", "en", "zh"}), "vi"))
    read = read_description(variants.describe(), "language", lambda: None)

    assert not read.addresses.is_known("/wp-login.php")
    assert read.addresses.read_query("/news/", "page=2&x=1") == "page=2"
    assert read.addresses.read_query("/language/en/", "next=/faq/") is None
    assert [read.languages.language_for(text) for text in ("en-GB", "en,vi;q=0.1", "zh", "fr")] == [
        "en", "vi", "en", "vi",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "description",
    [b"", b"[]", b"{}", b'{"routes": {"<path:a><path:b>x": null}, "offered": [], "first": "vi"}',
     json.dumps({"routes": {str(number): None for number in range(2000)}, "offered": [], "first": "vi"}).encode()],
)  # fmt: skip
def test_a_description_that_would_make_the_front_search_for_long_is_refused(description):
    with pytest.raises(ValueError):
        read_description(description, "language", lambda: None)


def test_a_route_is_no_pattern_of_its_own():
    addresses = PageAddresses({"(a+)+$": (), "x.y": ()})

    assert addresses.is_known("/(a+)+$")
    assert not addresses.is_known("/aaa")
    assert not addresses.is_known("/xzy")
