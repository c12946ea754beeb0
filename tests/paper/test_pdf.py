# SPDX-License-Identifier: Apache-2.0
"""What a page may fetch while it is drawn as PDF."""

import importlib.util

import pytest

from bluezone.paper import pdf

pytestmark = pytest.mark.skipif(importlib.util.find_spec("weasyprint") is None, reason="needs WeasyPrint")


@pytest.mark.long
@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/hostname",
        "https://example.org/x.css",
        "font:../official/document.py",
        "font:x",
        "be-vietnam-pro-400",
    ],
)
def test_a_page_may_fetch_its_own_fonts_and_nothing_else(url):
    with pytest.raises(ValueError, match="nothing but its fonts"):
        pdf._fonts_only(url)


@pytest.mark.parametrize("name", [*pdf.PUBLIC_FONTS, *pdf.DOCUMENT_FONTS])
def test_every_font_that_a_page_may_name_is_there(name):
    assert pdf.font_file(name).read_bytes()[:4] == b"wOF2"
