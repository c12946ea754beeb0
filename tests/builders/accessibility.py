# SPDX-License-Identifier: Apache-2.0
"""Check a page with axe, and use it without a mouse."""

from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

AXE = Path(__file__).parents[1] / "browser" / "vendor" / "axe.min.js"
MOST_TABS = 120
HAS_AXE = "typeof axe === 'object'"
# Slow rules that are moderate at most.
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
    """The serious and critical findings of axe, one line each. The first call loads axe into the page."""
    if not page.evaluate(HAS_AXE):
        page.evaluate(_axe())
    return page.evaluate(RUN, SLIGHT)


# Boxes of every visible text, icon and field, in pixels of the whole page. Disabled elements may be grey.
SHOWN = """
() => {
  const boxes = [];
  const box = (rect, name) => {
    if (rect.width < 3 || rect.height < 3) return;
    boxes.push([rect.left + scrollX, rect.top + scrollY, rect.width, rect.height, name]);
  };
  // A machine without a Chinese font draws thin boxes.
  const apart = '.sr, .skip, [hidden], .hidden, :disabled, option, noscript, script, title, [lang=zh]';
  const seen = (element) => element.checkVisibility({ checkVisibilityCSS: true });
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { currentNode: node } = texts;
    const text = node.textContent.trim();
    if (!text || !seen(node.parentElement) || node.parentElement.closest(apart)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const rect of range.getClientRects()) box(rect, text.slice(0, 40));
  }
  for (const element of document.querySelectorAll('svg, input, select, textarea, button')) {
    if (seen(element) && !element.closest(apart)) box(element.getBoundingClientRect(), element.outerHTML.slice(0, 60));
  }
  return boxes;
}
"""
# Thin strokes cover less than a pixel, so the measured contrast is lower than that of the colours.
LEAST_MEASURED_CONTRAST = 3.0
FOCUS = """
() => [...document.querySelectorAll('a[href], button, input, select, textarea, summary')]
  .filter(element => element.getClientRects().length && !element.disabled && !element.closest('.skip, .sr'))
  .filter(element => {
    element.focus({ preventScroll: true, focusVisible: true });
    if (document.activeElement !== element) return false;
    const rings = [element, ...document.querySelectorAll(':has(> :focus-visible)')].map((one) => getComputedStyle(one));
    return !rings.some((style) => style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2);
  })
  .map(element => element.outerHTML.slice(0, 80))
"""


def low_contrast_texts(page):
    """Texts and icons that do not contrast with their background, by the pixels of a screenshot."""
    boxes = page.evaluate(SHOWN)
    picture = np.asarray(Image.open(BytesIO(page.screenshot(full_page=True, animations="disabled"))).convert("RGB"))
    light = _luminance(picture)
    unseen_boxes = []
    for left, top, width, height, name in boxes:
        part = light[max(0, int(top)) : int(top + height) + 1, max(0, int(left)) : int(left + width) + 1]
        if part.size and (part.max() + 0.05) / (part.min() + 0.05) < LEAST_MEASURED_CONTRAST:
            unseen_boxes.append(name)
    return unseen_boxes


def elements_without_focus_ring(page):
    """Focusable elements that do not show the focus by an outline, the only sign that forced colours keep."""
    return page.evaluate(FOCUS)


def _luminance(picture):
    """Relative luminance of each pixel. Source: WCAG 2.2, "relative luminance"."""
    shares = picture / 255.0
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


def tab_to(page, selector):
    """Press Tab until the element has the focus. Asserts that it is visible and shows the focus."""
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
    tab_to(page, selector)
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


def press_enter_on(page, selector):
    """Reach a link or button with the keyboard, press Enter, and wait for the next page."""
    tab_to(page, selector)
    with page.expect_navigation():
        page.keyboard.press("Enter")
