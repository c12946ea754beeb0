# SPDX-License-Identifier: Apache-2.0
"""Print docs/reference/authority.md: who may do what in the office, as the program declares it."""

import os

import django
from django.utils.translation import override

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluezone.web.settings")
django.setup()

from bluezone.authority.reach import GIVEN_BY_THE_CITY, TAKING_TWO  # noqa: E402
from bluezone.authority.role_grants import NEVER_DELEGATED  # noqa: E402
from bluezone.authority.two_persons import kind_by_name  # noqa: E402
from bluezone.duties.catalogue import shared_acts  # noqa: E402
from bluezone.identity.factors.second_factors import REQUIRING  # noqa: E402
from bluezone.identity.models import Role  # noqa: E402
from bluezone.identity.objects import Ownership, Right, Touch, every_right  # noqa: E402

OPENING = """# Who may do what

Made by `.venv/bin/python tools/authority.py`; a test compares it with the program. The same data is what the office
asks at every call (`bluezone.identity.audiences`), and what `tests/authority/test_objects.py` tries: every role at
every place around a ward and its school, at every address that names or makes something, against real objects.

An act is a role, a reach and, where it says so, a fresh proof of the second factor. A role is held for the whole city,
for an agency (it and those under it) or for a unit (all under it and the agencies that serve it). Addresses that ask
nobody to sign in are not here.
"""


def words(role: str) -> str:
    """A role as the table calls it."""
    return str(role).replace("_", " ")


def reach(way: Touch) -> str:
    """One way to be let in."""
    if way.roles is None:
        return way.ownership.name
    return f"{way.ownership.name} ({', '.join(sorted(map(words, way.roles)))})"


def row(right: Right) -> str:
    """One line of the table."""
    held = right.audience.roles if right.audience else frozenset()
    who = "everybody with a role" if set(Role) <= held else ", ".join(sorted(words(role) for role in held))
    who = "everybody with an account" if "account" in held else who
    ways = "; ".join(reach(way) for way in right.ways)
    proof = "fresh" if right.is_fresh else "yes" if right.releases else ""
    return f"| `{right.address}` | {who} | {ways} | {proof} |"


def main() -> None:
    """Print the page."""
    print(OPENING)
    print("## Reach\n\n| word | who may |\n|---|---|")
    for whose in Ownership:
        print(f"| {whose.name} | {whose.value} |")
    print("\n## Addresses\n")
    print("Proof: *fresh* is the second factor within five minutes; *yes* is an act by which something gets out.\n")
    print("| address | roles | reach | proof |\n|---|---|---|---|")
    for right in sorted(every_right("bluezone.web.urls_office"), key=lambda one: one.address):
        print(row(right))
    print("\n## What takes two people\n")
    print("| act | who may ask and confirm | a broken glass opens it | where nobody in the office could confirm |")
    print("|---|---|---|---|")
    for name in sorted(shared_acts()):
        kind = kind_by_name(name)
        alone = "the operator, at the server" if kind.by_operator else "who asked, after 24 hours"
        roles = ", ".join(sorted(map(words, kind.roles)))
        print(f"| {kind.title} | {roles} | {'yes' if kind.speaks_to_public else 'no'} | {alone} |")
    print("\n## Roles\n")
    print(f"- A second factor is needed for: {', '.join(sorted(map(words, REQUIRING)))}.")
    print(f"- The account takes two people: {', '.join(sorted(map(words, TAKING_TWO)))}. Of a health worker a health")
    print("  supervisor confirms, where one reaches the facility, and administrators otherwise.")
    print(f"- Given by an administrator of the whole city alone: {', '.join(sorted(map(words, GIVEN_BY_THE_CITY)))}.")
    print(f"- Never delegated: {', '.join(sorted(map(words, NEVER_DELEGATED)))}.")


with override("en"):
    main()
