# SPDX-License-Identifier: Apache-2.0
"""Context of every template: the city's name in the page's language, its hotline, the menu, and the language switch."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.forms.renderers import DjangoTemplates
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from bluezone.authority.second_person_views import notices_for
from bluezone.city_settings import City
from bluezone.desk.home import menu_counts
from bluezone.duties import catalogue
from bluezone.duties.duty import Audience, Group, MenuEntry, Text
from bluezone.identity import acts
from bluezone.identity.audiences import admits, audience
from bluezone.identity.duty import EVERYONE
from bluezone.identity.models import RoleGrant, User, valid_grants, valid_roles
from bluezone.training import current_training

_HEADINGS: dict[Group, Text] = {
    Group.LETTERS: _("Letters and agencies"),
    Group.FIELD: _("In the wards"),
    Group.PUBLIC: _("To the public"),
    Group.OFFICE: _("Accounts and devices"),
}
# A menu with more lines than this has headings.
_SHORT_MENU = 7


@cache
def audiences() -> dict[str, Audience]:
    """Every audience by its name."""
    return catalogue.audiences()


@dataclass(frozen=True)
class MenuPart:
    """Lines of the menu under one heading, "" for none. Each line has the number of items that wait there."""

    heading: Text
    lines: list[tuple[MenuEntry, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Menu:
    """The menu of one reader. parts: pages that the reader uses, or where something waits; others: all other pages that
    they may open.
    """

    parts: list[MenuPart]
    others: list[MenuPart]


def _reader(request: HttpRequest) -> User | None:
    """The person who is signed in; None on the public site and before signing in."""
    user = getattr(request, "user", None)
    if user and user.is_authenticated:
        return cast(User, user)
    return None


def build_menu(request: HttpRequest) -> Menu:
    """The menu as the reader sees it; empty for readers who are not signed in."""
    user = _reader(request)
    if user is None:
        return Menu([], [])
    counts = dict(menu_counts(request).get("counts", {}))
    roles = valid_roles(user)
    used: list[tuple[MenuEntry, int]] = []
    others: list[tuple[MenuEntry, int]] = []
    for name, entry in catalogue.menu_by_duty():
        if entry.audience is not None and not admits(entry.audience, user):
            continue
        count = counts.pop(name, 0)
        if not entry.used_by or not roles.isdisjoint(entry.used_by) or count:
            used.append((entry, count))
        else:
            others.append((entry, count))
    return Menu(_parts(used), _parts(others))


def _parts(lines: list[tuple[MenuEntry, int]]) -> list[MenuPart]:
    if len(lines) <= _SHORT_MENU:
        parts = [MenuPart("", lines)]
    else:
        parts = [MenuPart("", [line for line in lines if line[0].group is None])]
        for group in Group:
            parts.append(MenuPart(_HEADINGS[group], [line for line in lines if line[0].group is group]))
    return [part for part in parts if part.lines]


def _waits(request: HttpRequest) -> dict[str, Any]:
    """The numbers of items that wait for the reader; empty on the public site and before signing in."""
    if _reader(request) is None:
        return {}
    return menu_counts(request)


def _alarms(request: HttpRequest) -> dict[str, Any]:
    """The alarms at the top of every page of the office; empty on the public site and before signing in."""
    user = _reader(request)
    if user is None:
        return {}
    return notices_for(user, timezone.now())


class _May:
    """`may.ADMINS` in a template: whether the reader belongs to this audience. Looked up only if a page uses it.

    `may.everywhere.ADMINS`: whether the reader belongs to it by a role for the whole city.
    """

    def __init__(self, request: HttpRequest, *, everywhere: bool = False) -> None:
        self._request = request
        self._everywhere = everywhere

    def __getitem__(self, name: str) -> bool:
        user = _reader(self._request)
        group = audiences()[name]
        if user is None or not admits(group, user):
            return False
        if not self._everywhere:
            return True
        return any(grant.scope is None and grant.role in group.roles for grant in self.grants)

    @property
    def everywhere(self) -> "_May":
        """Like `may`, for pages that need a role for the whole city."""
        return _May(self._request, everywhere=True)

    @property
    def grants(self) -> list[RoleGrant]:
        """The grants under which the reader works today."""
        user = _reader(self._request)
        if user is None:
            return []
        return valid_grants(user)


def _page_of(request: HttpRequest) -> str:
    """The address to return to: that of this page, or after POST that of the page with the form.

    The address to which a form is sent may not accept GET.
    """
    if request.method != "POST":
        return request.get_full_path()
    came_from = urlsplit(request.headers.get("Referer", ""))
    return urlunsplit(("", "", came_from.path or "/", came_from.query, ""))


def city(request: HttpRequest) -> dict[str, Any]:
    """The variables of base.html. Before the first `serve` there is no city, and its name and hotline are empty."""
    language = get_language() or settings.LANGUAGE_CODE
    current_city = settings.CITY
    match = request.resolver_match
    return {
        "may": _May(request),
        "menu": SimpleLazyObject(lambda: build_menu(request)),
        "waits": SimpleLazyObject(lambda: _waits(request)),
        "undo": SimpleLazyObject(lambda: acts.is_undo_offered(request, timezone.now())),
        "alarms": SimpleLazyObject(lambda: _alarms(request)),
        "training": SimpleLazyObject(lambda: current_training(request)),
        "city_name": _name_of(current_city, language),
        "hotline": current_city.hotline if current_city else "",
        "section": (match.url_name or "").split("-")[0] if match else "",
        "this_page": _page_of(request),
        "other_languages": [(code, name) for code, name in settings.LANGUAGES if code != language],
    }


def _name_of(current_city: City | None, language: str) -> str:
    if current_city is None:
        return ""
    return current_city.name_en if language == "en" else current_city.name_vi


@require_GET
@audience(EVERYONE)
def choose_language(request: HttpRequest, code: str) -> HttpResponse:
    """Store the language in a cookie, and return to the reader's page; an unknown language changes nothing."""
    back = request.GET.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = "/"
    response = HttpResponseRedirect(back)
    if code in dict([*settings.LANGUAGES, *settings.VISITOR_LANGUAGES]):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            code,
            max_age=settings.LANGUAGE_COOKIE_AGE,
            samesite="Lax",
            secure=settings.LANGUAGE_COOKIE_SECURE,
            # The web edition reads it to continue in the chosen language. It contains nothing else.
            httponly=False,
        )
    return response


class HouseRenderer(DjangoTemplates):
    """Renders fields as blocks that fit 360 px, with help and errors connected to the field for screen readers."""

    field_template_name = "field.html"
