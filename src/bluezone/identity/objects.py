# SPDX-License-Identifier: Apache-2.0
"""Whose the object of an address is: every view that takes one declares it, once, beside its audience.

The declaration enforces nothing. The view does, in its own way: it asks `scopes.require`, or looks only among the
objects that the person reaches. tests/authority holds the two together: it sends every role from every place, and
sees the act done, or refused with nothing changed, as declared here.
"""

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.checks import CheckMessage, Error

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
    ELSEWHERE = "in another agency or another unit"


class Whose(enum.Enum):
    """Who, of those whom the audience admits, may touch the object of an address."""

    NOBODYS = "the address names no object: a language, a form of file, a role"
    EVERYBODYS = "everybody admitted, wherever the role is held"
    CITY = "who holds the role for the whole city"
    OWN = "the person whose it is: who made it, runs it, teaches it"
    AGENCY = "who holds the role in its agency, above it, in its unit or in the whole city"
    ITSELF = "who holds the role in its agency itself, not above"
    ABOVE = "who holds the role above its agency, not in it nor in its unit"
    OVER = "who holds the role above its agency or in its unit, not in the agency"
    UNIT = "who holds the role in its unit, above that or in the whole city; a role in an agency reaches no unit"
    WARD = "who holds the role in its unit, in the People's Committee of that or of one above, or in the whole city"
    SERVED = "who holds the role in an agency that serves its unit or one above, in the unit or in the whole city"

    @property
    def places(self) -> frozenset[Place]:
        """Where the role must be held."""
        return _PLACES.get(self, frozenset())

    def by(self, *roles: str) -> "Touch":
        """The same for some of the audience's roles alone."""
        return Touch(self, frozenset(roles))


_OFFICE = frozenset({Place.CITY, Place.ABOVE, Place.UNIT, Place.ITSELF})
_PLACES = {
    Whose.EVERYBODYS: frozenset(Place),
    Whose.CITY: frozenset({Place.CITY}),
    Whose.AGENCY: _OFFICE,
    Whose.ITSELF: frozenset({Place.ITSELF}),
    Whose.ABOVE: frozenset({Place.CITY, Place.ABOVE}),
    Whose.OVER: frozenset({Place.CITY, Place.ABOVE, Place.UNIT}),
    Whose.UNIT: frozenset({Place.CITY, Place.UNIT}),
    Whose.WARD: _OFFICE,
    Whose.SERVED: _OFFICE | {Place.BELOW},
}


@dataclass(frozen=True)
class Touch:
    """One way to be let to an object. roles: None for every role of the audience."""

    whose: Whose
    roles: frozenset[str] | None = None


def touches(*ways: Whose | Touch) -> Callable[[_View], _View]:
    """Declare whose the object of a view is; of several ways one is enough. Put it under @audience."""

    def declare(view: _View) -> _View:
        view.touches = tuple(way if isinstance(way, Touch) else Touch(way) for way in ways)  # type: ignore[attr-defined]
        return view

    return declare


def every_object_route(urlconf: str | None = None) -> Iterator[tuple[str, str, Any, tuple[Touch, ...]]]:
    """Address, name, view and declaration (empty: none) of each route that names an object to somebody signed in."""
    for address, name, view in every_view(urlconf):
        audience = getattr(view, "audience", None)
        if "<" in address and audience not in (EVERYONE, DEVICES):
            yield address, name, view, getattr(view, "touches", ())


def check_every_object(**_: Any) -> list[CheckMessage]:
    """Refuse to start with a page of an object that has not said whose it is."""
    return [
        Error(
            f"the route {address} takes an object and does not say whose it is",
            hint="decorate its view with @touches(...)",
            id="bluezone.E002",
        )
        for address, _name, _view, declared in every_object_route()
        if not declared
    ]
