# SPDX-License-Identifier: Apache-2.0
"""Looking at a page as axe does, and using it without a mouse."""

from functools import cache
from pathlib import Path

AXE = Path(__file__).parents[1] / "browser" / "vendor" / "axe.min.js"
MOST_TABS = 120
HAS_AXE = "typeof axe === 'object'"
# What axe never finds more than moderate, and works long for.
SLIGHT = (
    "heading-order", "identical-links-same-purpose", "landmark-banner-is-top-level",
    "landmark-complementary-is-top-level", "landmark-contentinfo-is-top-level", "landmark-main-is-top-level",
    "landmark-no-duplicate-banner", "landmark-no-duplicate-contentinfo", "landmark-no-duplicate-main",
    "landmark-one-main", "landmark-unique", "no-autoplay-audio", "page-has-heading-one", "region", "skip-link",
)  # fmt: skip
RUN = """
async slight => (await axe.run(document, {
  resultTypes: ['violations'], rules: Object.fromEntries(slight.map(rule => [rule, { enabled: false }])),
})).violations
  .filter(found => ['serious', 'critical'].includes(found.impact))
  .map(found => `${found.id}: ${found.nodes.map(node => node.html.slice(0, 120)).join(' | ')}`)
"""


@cache
def _axe():
    return AXE.read_text()


def serious_findings(page):
    """What axe finds serious or critical, as one line each; axe is put into the page when it is first asked."""
    if not page.evaluate(HAS_AXE):
        page.evaluate(_axe())
    return page.evaluate(RUN, SLIGHT)


def reach(page, selector):
    """Press Tab until the element has the focus; it must be visible and show that it has it."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement?.matches(selector) ?? false", selector):
            style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert page.locator(selector).first.is_visible(), selector
            assert style != "none", f"{selector} does not show that it has the focus"
            return
    raise AssertionError(f"the keyboard does not reach {selector}")


def type_into(page, selector, text):
    """Reach a field with the keyboard and type."""
    reach(page, selector)
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


def press(page, selector):
    """Reach a link or button with the keyboard and press Enter, and wait for the page that comes."""
    reach(page, selector)
    with page.expect_navigation():
        page.keyboard.press("Enter")
