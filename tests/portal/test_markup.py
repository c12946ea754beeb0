# SPDX-License-Identifier: Apache-2.0
"""The markup of editors: what it can say, and that nothing else can be said with it."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.portal import markup

ALLOWED = {"p", "h2", "ul", "ol", "li", "strong", "a", "br"}
PIECES = [
    "**",
    "[x](",
    ")",
    "https://a.vn",
    "javascript:",
    "<",
    ">",
    '"',
    "&",
    "'",
    "- ",
    "## ",
    "1. ",
    "\n",
    "\n\n",
    "onerror=",
    "//evil",
]


class Tags(HTMLParser):
    """Every tag and link of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes.extend(attributes)


def test_paragraphs_lists_headings_bold_and_links():
    html = markup.render_markup(
        "Một **hai**\nba\n\n## Đề mục\n- a\n- b\n1. x\n2. y\n\n[trang](https://moh.gov.vn/a?b=1&c=2)"
    )

    assert html == (
        "<p>Một <strong>hai</strong><br>ba</p>\n<h2>Đề mục</h2>\n<ul><li>a</li><li>b</li></ul>\n"
        '<ol><li>x</li><li>y</li></ol>\n<p><a href="https://moh.gov.vn/a?b=1&amp;c=2">trang</a></p>'
    )


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=12)), max_size=25).map("".join))
def test_no_text_becomes_another_tag_or_leads_elsewhere(text):
    found = Tags(markup.render_markup(text))

    assert found.tags <= ALLOWED
    for name, value in found.attributes:
        assert name == "href"
        assert re.match(r"https://|tel:|/(?!/)", value), value


@pytest.mark.parametrize("link", ["http://a.vn", "javascript:alert", "//evil.vn", "data:text/html,x"])
def test_a_link_that_is_not_https_stays_text_and_is_named_to_the_editor(link):
    text = f"xem [đây]({link})"

    assert "<a" not in markup.render_markup(text)
    assert markup.foreign_links(text) == [f"[đây]({link})"]
    assert markup.foreign_links("[ok](https://a.vn) [trong](/news/)") == []


def test_the_words_alone_for_excerpts():
    assert markup.plain_text("## Tiêu đề\n- **một** [hai](https://a.vn)\n\n1. ba") == "Tiêu đề một hai ba"
