# SPDX-License-Identifier: Apache-2.0
"""Who may open which page: every view declares its audience, and here is the one list of what there is to declare."""

import enum
import functools
from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.checks import CheckMessage, Error
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from bluezone.identity.factors.second_factors import is_missing
from bluezone.identity.models import Role, User
from bluezone.identity.roles import remember_grants, roles_of

View = Callable[..., HttpResponse]


class Audience(enum.Enum):
    """Who a page is for; the value is the roles that may open it, None for everybody without an account."""

    EVERYONE = None
    # Everybody who holds a role today.
    SIGNED_IN = frozenset(Role)
    # The pages of one's own account, which also somebody opens whose role has ended.
    ACCOUNT_HOLDERS = frozenset({"account", *Role})
    # An administrator makes accounts and issues no codes: the two powers are kept apart.
    CODE_ISSUERS = frozenset({Role.HEALTH_WORKER, Role.SUPERVISOR})
    # Declarations are opened, and limits raised, by supervisors alone.
    HEALTH_SUPERVISORS = frozenset({Role.SUPERVISOR})
    OVERSEERS = frozenset({Role.SUPERVISOR, Role.ADMIN, Role.AUDITOR})
    ADMINS = frozenset({Role.ADMIN})
    # Who keeps the directory of units and agencies, which everybody signed in may read; a clerk within its scope.
    DIRECTORY_EDITORS = frozenset({Role.ADMIN, Role.CLERK})
    # Who enters what agencies say of their staff, each for the agencies the role reaches.
    STAFF_REPORTERS = frozenset({Role.ADMIN, Role.CLERK, Role.LEAD, Role.OFFICER})
    # Who enters the numbers of classes: the same for their schools, and a teacher for the own classes.
    CLASS_REPORTERS = frozenset({Role.ADMIN, Role.CLERK, Role.LEAD, Role.OFFICER, Role.TEACHER})
    # Who takes in and sends directives, and who approves them; scoping says for which agency.
    DIRECTIVE_CLERKS = frozenset({Role.CLERK, Role.ISSUER})
    DIRECTIVE_SIGNERS = frozenset({Role.ISSUER})
    # Whose work begins at the inbox, and who reads how far it has got.
    DIRECTIVE_WORKERS = frozenset({Role.CLERK, Role.LEAD, Role.OFFICER, Role.ISSUER})
    LEADERS = frozenset({Role.LEADER})
    # Who counts at a gate, with a tablet or on paper; the pages of the gates everybody signed in may open.
    GATEKEEPERS = frozenset({Role.GATEKEEPER})
    # Who writes the news of the public site.
    EDITORS = frozenset({Role.EDITOR})
    # Who sees the devices of an agency and can cut one off; administrators enter them and make their codes.
    DEVICE_KEEPERS = frozenset({Role.ADMIN, Role.LEAD, Role.OFFICER})
    # Who releases a bulletin after listening: another editor than its author, or who heads or signs for the agency.
    BULLETIN_APPROVERS = frozenset({Role.EDITOR, Role.LEAD, Role.ISSUER})
    # Who plans what is aired where, sets the loudspeakers, and says what was aired.
    AIRING_KEEPERS = frozenset({Role.EDITOR, Role.SPEAKER_OPERATOR})
    # Who cuts lists of doors, gives them to phones and decides at the desk of the house visits, each within its wards.
    CANVASS_KEEPERS = frozenset({Role.LEAD, Role.OFFICER, Role.DRIVE_LEAD})
    # Who helps people install, and reads whom to call back; who plans drives; who notes a request made by telephone.
    HELPERS = frozenset({Role.DRIVE_LEAD})
    DRIVE_PLANNERS = frozenset({Role.ADMIN, Role.LEAD, Role.OFFICER, Role.DRIVE_LEAD})
    HELP_TAKERS = frozenset({Role.CLERK, Role.LEAD, Role.OFFICER, Role.DRIVE_LEAD})
    # Who registers, approves, suspends and inspects venues of a ward; and whose venues they are.
    VENUE_KEEPERS = frozenset({Role.CLERK, Role.LEAD, Role.OFFICER})
    VENUE_OWNERS = frozenset({Role.VENUE_OWNER})
    # Who has the notice sent to guests that arrive, each for its own house; and who writes alerts for phones.
    VISITOR_DESKS = frozenset({Role.CLERK, Role.LEAD, Role.OFFICER, Role.VENUE_OWNER})
    ALERT_WRITERS = frozenset({Role.EDITOR, Role.ISSUER})
    # Not people: enrolled tablets, canvass phones and speakers, by bearer token (bluezone.devices).
    DEVICES = frozenset({"device"})

    def admits(self, user: User) -> bool:
        """Whether a signed-in person holds one of the roles today, wherever; scoping.py says for what."""
        return self in (Audience.EVERYONE, Audience.ACCOUNT_HOLDERS) or not roles_of(user).isdisjoint(self.value or ())


class OfficeRequest(HttpRequest):
    """A request that an audience has let in: its user is one of ours."""

    user: User


def audience(who: Audience) -> Callable[[View], View]:
    """Let only `who` into a view: others are asked to sign in, or told (403) that the page is for another role."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if who.value is not None:
                if not request.user.is_authenticated:
                    return redirect_to_login(request.get_full_path(), reverse("sign-in"))
                remember_grants(request.user)
                if not who.admits(request.user):
                    raise PermissionDenied
                if who is not Audience.ACCOUNT_HOLDERS and is_missing(request.user):
                    return redirect("second-factor")
            return view(request, *args, **kwargs)

        guarded.audience = who  # type: ignore[attr-defined]
        return guarded

    return decorate


def every_route(urlconf: str | None = None, prefix: str = "/") -> Iterator[tuple[str, Audience | None]]:
    """Each address pattern of an origin with its declared audience, None where it declares none."""
    for address, _name, view in every_view(urlconf, prefix):
        yield address, getattr(view, "audience", None)


def every_view(urlconf: str | None = None, prefix: str = "/") -> Iterator[tuple[str, str, View]]:
    """Each address pattern of an origin with its name and its view."""
    yield from _views(get_resolver(urlconf), prefix)


def _views(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, str, View]]:
    for entry in resolver.url_patterns:
        address = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _views(entry, address)
        elif isinstance(entry, URLPattern):
            yield address, entry.name or "", entry.callback


def check_every_route(**_: Any) -> list[CheckMessage]:
    """Refuse to start with a page that has not said who may open it."""
    return [
        Error(
            f"the route {address} declares no audience",
            hint="decorate its view with @audience(...)",
            id="bluezone.E001",
        )
        for address, who in every_route()
        if who is None
    ]
