# SPDX-License-Identifier: Apache-2.0
"""To whom the digest of an agency goes: to whoever works there, at the own address when given, else at the agency's."""

import datetime
from collections import defaultdict
from collections.abc import Mapping

from bluezone.accounts.models import RoleGrant
from bluezone.agencies.models import Agency
from bluezone.rollout.directives.duties import HANDLERS, SIGNERS
from bluezone.rollout.directives.models import Directive, DirectiveState

Sections = list[tuple[str, list[str]]]


def sections(lines: Mapping[int, list[str]], day: datetime.date) -> dict[str, Sections]:
    """For each address the name and the lines of every agency it is for, in a constant number of queries.

    lines: by primary key of the agency.
    """
    agencies = list(Agency.objects.filter(pk__in=[pk for pk, own in lines.items() if own]).order_by("path"))
    found: dict[str, Sections] = defaultdict(list)
    people = _people(agencies, day)
    for agency in agencies:
        own = people.get(agency.pk, {})
        addresses = {address for address in own.values() if address}
        if not own or not all(own.values()):
            addresses.add(agency.email)
        for address in sorted(addresses - {""}):
            found[address].append((agency.name, lines[agency.pk]))
    return found


def _people(agencies: list[Agency], day: datetime.date) -> dict[int, dict[int, str]]:
    """By agency: who works there, by account, with the own address or "".

    A role given for an agency counts for that one, a role in a unit for the agencies that serve just that unit, and a
    role in the whole city for the agencies that issue directives.
    """
    issuers = set(Directive.objects.filter(state=DirectiveState.ISSUED).values_list("issuer", flat=True))
    grants = RoleGrant.objects.in_force(day).filter(role__in=[*HANDLERS, *SIGNERS], user__is_active=True)
    by_agency: dict[int, dict[int, str]] = defaultdict(dict)
    by_unit: dict[int, dict[int, str]] = defaultdict(dict)
    everywhere: dict[int, str] = {}
    for grant in grants.select_related("user"):
        if grant.agency_id:
            held = by_agency[grant.agency_id]
        elif grant.unit_id:
            held = by_unit[grant.unit_id]
        else:
            held = everywhere
        held[grant.user_id] = grant.user.email.lower()
    return {
        one.pk: {
            **by_agency.get(one.pk, {}),
            **by_unit.get(one.unit_id, {}),
            **(everywhere if one.pk in issuers else {}),
        }
        for one in agencies
    }
