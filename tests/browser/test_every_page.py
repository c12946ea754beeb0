# SPDX-License-Identifier: Apache-2.0
"""Every page of the office, found from its address patterns: narrow and wide, Vietnamese and English, light and dark.

Each page is looked at once, narrow in Vietnamese; the other three ways are run by `make test-slow`.

BLUEZONE_SHOTS names a folder for a picture of each, to look at.
"""

import os
import re
from pathlib import Path

import pytest
from tests.builders.accessibility import serious_findings
from tests.builders.crawling import Crew, Words, find_pages, named_routes, scrolls_sideways
from tests.builders.visitor import DESK, NARROW

# Finding the pages and looking at them takes minutes on two cores.
pytestmark = [pytest.mark.browser, pytest.mark.timeout(3600), pytest.mark.slow]
SHOTS = os.environ.get("BLUEZONE_SHOTS")
# Routes that no page of this city at work leads to now, and where they are looked at instead.
ELSEWHERE = {
    "start": "test_roles.py takes an invitation",
    "sign-in": "test_roles.py signs in",
    "second-factor-proof": "test_roles_at_work.py signs in with the second factor",
    "language": "answers with the page it was asked on",
    "sign-out": "answers with the page of the sign-in",
    "second-factor-passkey-remove": "test_accounts.py",
    "first-day-trial": "where there is a mail server or a recovery key: tests/firstday/test_pages.py",
    "code-state": "a part of the page of a new code, test_office.py",
    "code-declaration-called": "test_health.py opens declarations",
    "canvass-import": "tests/rollout/canvass/test_pages.py sends a list in",
    "class-import": "tests/rollout/schools/test_class_lists.py sends a list in",
    "people-import": "tests/authority/test_people_lists.py sends a list in",
    "school-class-csv": "a file: tests/directory/imports/test_exports_come_back.py",
    "canvass-household-photo": "a picture: tests/rollout/canvass/test_photos.py",
    "airing-photo": "a picture: tests/rollout/bulletins",
    "bulletin-now": "a button of an emergency; what it does: test_19_the_loudspeakers_play.py",
    "schedule-first": "a button where two clash: tests/rollout/bulletins/test_overlaps.py",
    "plan-stop": "a button of a plan under way: tests/rollout/planning/test_plans.py",
    "directive-add-recipient": "a form of an issued letter: tests/rollout/directives/issuance/test_addressees.py",
    "request-withdraw": "a button while a request is open: tests/rollout/directives/inbox/test_duties.py",
    "spoken-words-sound": "a sound: tests/rollout/bulletins/test_spoken_words.py",
    "script-listening": "what the page that plays a text calls: test_bulletins.py",
    "script-sound": "a sound: test_bulletins.py plays it",
    "school-ask": "a form of a locked week: tests/rollout/schools/test_pages.py",
    "visitors-states": "a part of the page of a visitors' desk, tests/rollout/visitors",
}
# Buttons that are there only at some moment; what answers is a page that is looked at, or no page at all.
ACTS = re.compile(
    r"-(end|remove|act|undo|apply|decide|discard|marked|columns|fix|add|answer|check|issue|revoke|reopen|written|pass|delete|tablet|badge|release|cancel)$"
)
# What is pressed has at least 48 px (docs/texts.md, Look).
_BUTTONS = """
() => [...document.querySelectorAll('button, .button, .tabs a, .side nav a, summary, input[type=submit], select')]
  .filter(node => node.offsetParent && !node.closest('.hidden, [aria-hidden=true]'))
  .filter(node => node.getBoundingClientRect().height < 47.5)
  .map(node => `${node.textContent.trim().slice(0, 30)} ${Math.round(node.getBoundingClientRect().height)} px`)
"""


@pytest.fixture(scope="module")
def crew(chromium, peopled):
    crew = Crew(chromium, peopled)
    yield crew
    crew.close()


@pytest.fixture(scope="module")
def found(crew):
    return find_pages(crew)


def test_every_route_of_the_office_is_looked_at_or_answers_no_page(found):
    pages, other = found
    looked_at = {page.route for page in pages}
    left = named_routes() - looked_at - other - set(ELSEWHERE)

    assert len(looked_at) > 50
    unseen = sorted(route for route in left if not ACTS.search(route))
    assert not unseen, "\n".join(unseen)


def look_at(page, visitor, language, size, scheme, words):
    """What is wrong with one page in one language, width and scheme, as lines."""
    visitor.context.add_cookies([{"name": "bluezone-language", "value": language, "url": visitor.served.office}])
    visitor.page.set_viewport_size(size)
    visitor.page.emulate_media(color_scheme=scheme)
    visitor.open(page.path)
    wrong = [f"{text!r} is not {language}" for text in words.left_over(visitor.page, language)]
    if size is NARROW:
        wrong += [f"small: {one}" for one in visitor.page.evaluate(_BUTTONS)]
    where = f"{size['width']} px {scheme}"
    if too_wide := scrolls_sideways(visitor.page):
        wrong.append(f"scrolls sideways at {where}: {too_wide}")
    wrong += [f"axe at {where}: {finding}" for finding in serious_findings(visitor.page)]
    if SHOTS:
        name = f"{page.route}-{page.path.strip('/').replace('/', '.')}-{page.role}-{language}-{size['width']}.png"
        visitor.page.screenshot(path=Path(SHOTS) / name, full_page=True)
    wrong += visitor.trouble
    visitor.trouble.clear()
    return [f"{page.path} ({page.role}, {language}): {line}" for line in wrong]


@pytest.mark.parametrize(
    ("language", "size", "scheme"),
    [
        pytest.param("vi", NARROW, "light", id="vi-narrow"),
        pytest.param("en", DESK, "dark", id="en-wide"),
        pytest.param("en", NARROW, "light", id="en-narrow"),
        pytest.param("vi", DESK, "dark", id="vi-wide"),
    ],
)
def test_every_page_fits_reads_and_troubles_nobody(crew, found, language, size, scheme):
    words, wrong = Words(), []
    for page in found[0]:
        wrong += look_at(page, crew[page.role], language, size, scheme, words)

    assert not wrong, "\n".join(wrong)
