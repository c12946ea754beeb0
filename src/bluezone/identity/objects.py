# SPDX-License-Identifier: Apache-2.0
"""What a view touches: who owns its object, or the object that it makes. Each view declares it once, with its audience.

Role, reach and freshness of the second factor (@confirm_second_factor) are data on the view; `every_right` reads them,
and docs/reference/authority.md is generated from it. Access control (bluezone.identity.audiences) makes sure that a
view queries its reach before it stores or shows anything. tests/authority tries the answers: for every role from every
place, the act is done, or refused with nothing changed, as declared here.
"""

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.checks import CheckMessage, Error

from bluezone.duties.duty import Audience
from bluezone.identity.audiences import every_view
from bluezone.identity.duty import DEVICES, EVERYONE

_View = TypeVar("_View", bound=Callable[..., Any])


class Place(enum.Enum):
    """Where a role is held, seen from the agency or the unit that an object belongs to."""

    CITY = "in the whole city"
    ABOVE = "in an agency above the object's agency"
    UNIT = "in the unit that the object's agency serves, or one above it"
    ITSELF = "in the object's agency"
    BELOW = "in an agency that answers to the object's agency and serves the same unit"
    WIDE = "in another agency that serves more than one ward"
    ELSEWHERE = "in another agency or another unit, of one ward"


class Ownership(enum.Enum):
    """Which of the people that the audience admits may touch the object of an address."""

    NOTHING = "nothing that belongs to anybody: a language, a form of file, a role, a figure that all may see"
    REACHED = "everybody admitted, who sees what their role reaches and nothing else"
    CREATED = "who holds the role where what is made will belong: its agency, one above, its unit, the whole city"
    EVERYBODY = "everybody admitted, wherever the role is held"
    CITY = "who holds the role for the whole city"
    WIDE = "who holds the role for more than one ward: in the whole city, or at an agency or a unit of the city's level"
    OWN = "the person whose it is: who made it, runs it, teaches it"
    SHARED = "who asked for it, and who may do it as a second person, by the role and reach of that kind of act"
    AGENCY = "who holds the role in its agency, above it, in its unit or in the whole city"
    ITSELF = "who holds the role in its agency itself, not above"
    DESK = "who holds the role in its agency itself or in the unit that this serves, not above nor in the whole city"
    ABOVE = "who holds the role above its agency, not in it nor in its unit"
    OVER = "who holds the role above its agency or in its unit, not in the agency"
    UNIT = "who holds the role in its unit, above that or in the whole city; a role in an agency reaches no unit"
    WARD = "who holds the role in its unit, in the People's Committee of that or of one above, or in the whole city"
    SERVED = "who holds the role in an agency that serves its unit or one above, in the unit or in the whole city"

    @property
    def places(self) -> frozenset[Place]:
        """Where the role must be held."""
        return _PLACES.get(self, frozenset())

    @property
    def needs_reach(self) -> bool:
        """Whether a view has to query the reach of the person's roles."""
        return self not in (Ownership.NOTHING, Ownership.EVERYBODY, Ownership.OWN, Ownership.SHARED)

    @property
    def is_listed(self) -> bool:
        """Whether a page lists what is within reach without an argument in its address."""
        return self in (Ownership.REACHED, Ownership.CITY)

    def for_roles(self, *roles: str) -> "Touch":
        """The same for only some of the audience's roles."""
        return Touch(self, frozenset(roles))


_OFFICE = frozenset({Place.CITY, Place.ABOVE, Place.UNIT, Place.ITSELF})
_PLACES = {
    Ownership.EVERYBODY: frozenset(Place),
    Ownership.REACHED: frozenset(Place),
    Ownership.CITY: frozenset({Place.CITY}),
    Ownership.WIDE: frozenset({Place.CITY, Place.ABOVE, Place.WIDE}),
    Ownership.SHARED: frozenset({Place.CITY}),
    Ownership.CREATED: _OFFICE,
    Ownership.AGENCY: _OFFICE,
    Ownership.ITSELF: frozenset({Place.ITSELF}),
    Ownership.DESK: frozenset({Place.ITSELF, Place.UNIT}),
    Ownership.ABOVE: frozenset({Place.CITY, Place.ABOVE}),
    Ownership.OVER: frozenset({Place.CITY, Place.ABOVE, Place.UNIT}),
    Ownership.UNIT: frozenset({Place.CITY, Place.UNIT}),
    Ownership.WARD: _OFFICE,
    Ownership.SERVED: _OFFICE | {Place.BELOW},
}


@dataclass(frozen=True)
class Touch:
    """One condition under which a person may touch an object. roles: None for every role of the audience."""

    ownership: Ownership
    roles: frozenset[str] | None = None


def touches(*ways: Ownership | Touch) -> Callable[[_View], _View]:
    """Declare who may touch the object of a view; of several ways one is enough. Put it under @audience."""

    def declare(view: _View) -> _View:
        view.touches = tuple(way if isinstance(way, Touch) else Touch(way) for way in ways)  # type: ignore[attr-defined]
        return view

    return declare


@dataclass(frozen=True)
class Right:
    """Who may call the view of one address.

    name, address: of the route. audience: roles, None if the view declares none. ways: what it touches, empty if it
    declares nothing. is_fresh: whether it needs a second factor within five minutes.
    """

    name: str
    address: str
    view: Any
    audience: Audience | None
    ways: tuple[Touch, ...]
    is_fresh: bool

    @property
    def releases(self) -> bool:
        """Whether it speaks to the public or releases something."""
        return self.is_fresh or getattr(self.view, "releases", False)


def every_right(urlconf: str | None = None) -> Iterator[Right]:
    """The right of each address that needs a sign-in."""
    for address, name, view in every_view(urlconf):
        audience = getattr(view, "audience", None)
        if audience not in (EVERYONE, DEVICES):
            ways = getattr(view, "touches", ())
            is_fresh = getattr(view, "asks_again", False)
            yield Right(name, address, view, audience, ways, is_fresh)


def check_every_object(**_: Any) -> list[CheckMessage]:
    """Refuse to start with a page that does not declare what it touches."""
    return [
        Error(
            f"the route {right.address} does not say what it touches",
            hint="decorate its view with @touches(...), under @audience(...)",
            id="bluezone.E002",
        )
        for right in every_right()
        if not right.ways
    ]
