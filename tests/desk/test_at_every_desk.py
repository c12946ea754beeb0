# SPDX-License-Identifier: Apache-2.0
"""Every role at every place around one ward: what waits opens, what is found may be seen, and every page leads on."""

import re
from collections.abc import Iterator

import lxml.html
import pytest
from django.urls import resolve
from tests.authority.test_objects import taken_back
from tests.builders.objects import City
from tests.builders.office import furnished_folder, open_office

from bluezone.desk.home import all_matters
from bluezone.duties.catalogue import DUTIES
from bluezone.duties.duty import load
from bluezone.identity.models import Role
from bluezone.identity.objects import Place

__all__ = ["furnished_folder"]
pytestmark = pytest.mark.long

OFFICE = "bluezone.web.urls_office"
# Words that some object of every kind in the ward, beside it and far away holds.
WORDS = ("song cau", "bluezone", "ba be", "duc xuan", "458", "a")
_HREF = re.compile(r'href="(/[^"#?]*)')
# Pages that end what they are reached for: a printed sheet, a form of the account itself.
_LEFT_ALONE = {None, "language", "sign-out"}
# Whose one act is another one at each step, shown by a script (tests/browser/test_health.py).
_STEP_BY_STEP = {"code-bulk"}


@pytest.fixture(scope="module")
def city(django_db_setup, django_db_blocker, furnished_folder, tmp_path_factory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("desk") / "data"
    with django_db_blocker.unblock(), open_office(furnished_folder, folder), taken_back():
        yield City()


@pytest.fixture
def data_folder(city: City) -> None:
    """What the planted city sealed opens under its own key alone."""


def everybody(city, places):
    """Each person at some places around the ward's committee once."""
    seen = {}
    for place in places:
        for role in Role.values:
            for who in city.actors(role, place, "ward"):
                seen.setdefault(who.user.pk, who)
    return list(seen.values())


SOME = (Place.ITSELF, Place.ELSEWHERE)
SIZES = pytest.mark.parametrize(
    ("places", "words"),
    [(SOME, WORDS[:2]), pytest.param(tuple(Place), WORDS, marks=pytest.mark.slow)],
    ids=["in the ward and beside it", "everywhere"],
)


def route_of(url):
    return resolve(url.partition("?")[0], OFFICE).url_name


@SIZES
@pytest.mark.django_db
def test_what_waits_for_somebody_can_be_opened_by_them(city, places, words):
    wrong, tried = [], set()
    for who in everybody(city, places):
        for _duty, one in all_matters(who.user, city.now):
            case = (who.role, who.place, route_of(one.url))
            if case not in tried:
                tried.add(case)
                answer = who.client.get(one.url)
                if answer.status_code != 200:
                    wrong.append((str(who), one.act, one.url, answer.status_code))

    assert wrong == []
    assert len({route for _role, _place, route in tried}) > 5


@SIZES
@pytest.mark.django_db
def test_nothing_is_found_that_may_not_be_opened(city, places, words):
    wrong, tried, kinds = [], set(), set()
    searches = [load(duty.search) for duty in DUTIES if duty.search]
    for who in everybody(city, places):
        for asked in words:
            for hit in (hit for search in searches for hit in search(who.user, asked)):
                kinds.add(route_of(hit.url))
                case = (
                    (who.user.pk, hit.url)
                    if "/directives/" in hit.url or "/inbox/" in hit.url
                    else (who.role, who.place, route_of(hit.url))
                )
                if case not in tried:
                    tried.add(case)
                    answer = who.client.get(hit.url)
                    if answer.status_code != 200:
                        wrong.append((str(who), hit.kind, hit.title, hit.url, answer.status_code))

    assert wrong == []
    assert kinds >= {"directive", "inbox-one", "agency", "unit", "account", "drive", "gate", "bulletin"}


def pages_of(who):
    """(address, text) of the pages that links lead this person to, one of each route."""
    waiting, seen = ["/"], set()
    while waiting:
        path = waiting.pop(0)
        try:
            route = route_of(path)
        except Exception:  # a file, or the public site
            continue
        if route in _LEFT_ALONE or route in seen:
            continue
        seen.add(route)
        answer = who.client.get(path)
        if answer.status_code != 200 or "text/html" not in answer.headers["Content-Type"]:
            continue
        text = answer.text
        yield path, text
        waiting += dict.fromkeys(_HREF.findall(text))


def has(name):
    """The part of an XPath that finds a class."""
    return f"contains(concat(' ', normalize-space(@class), ' '), ' {name} ')"


# Shown from the start: not folded away, and hidden only where a script shows it at once.
_SHOWN = "not(ancestor::details[not(@open)]) and not(ancestor::template) and not(ancestor::*[@hidden])"
_PRIMARY = f"//main//*[{has('button')} and not({has('quiet')}) and {_SHOWN} and (not(@hidden) or @data-print)]"
_SAID = f"//main//*[({has('empty')} or @data-nothing) and {_SHOWN}]"


# A page with forms that go to the page itself, none with a button that looks like the page's act. Where a page offers
# no act of its own the next one that waits stands there, and would hide that.
_OWN = f"form[@method='post' and not(@action) and {_SHOWN}]"
_WITHOUT_ACT = f"//main[.//{_OWN} and not(.//{_OWN}//button[{has('button')} and not({has('quiet')})])]"


def primary_acts(text):
    """Words of what the main part of a page offers as its primary act."""
    return [" ".join(one.text_content().split()) for one in lxml.html.fromstring(text).xpath(_PRIMARY)]


def says_that_nothing_waits(text):
    """Whether the main part has a sentence for that; the line at the foot of every page does not count."""
    return bool(lxml.html.fromstring(text).xpath(_SAID))


@pytest.mark.django_db
@pytest.mark.parametrize("role", [
    pytest.param(role, marks=() if role == "clerk" else pytest.mark.slow)
    for role in Role.values
])  # fmt: skip
def test_every_page_of_every_role_has_one_primary_act_or_says_that_nothing_waits(city, role):
    pages = list(pages_of(city.at(role)))
    acts = {path: primary_acts(text) for path, text in pages}
    wrong = {
        path: acts[path]
        for path, text in pages
        if len(acts[path]) > 1 or (not acts[path] and not says_that_nothing_waits(text))
        if route_of(path) not in _STEP_BY_STEP
    }

    assert len(pages) > 5
    assert wrong == {}
    assert [path for path, text in pages if lxml.html.fromstring(text).xpath(_WITHOUT_ACT)] == []
