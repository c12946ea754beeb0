# SPDX-License-Identifier: Apache-2.0
"""What a supervisor may see and change: the codes and the workers of their facilities."""

from django.db.models import Q, QuerySet

from bluezone.directory.scopes import agencies_in_reach, has_city_role
from bluezone.healthauthority.duty import HEALTH_SUPERVISORS
from bluezone.healthauthority.facilities import facilities_of, issuers
from bluezone.healthauthority.models import IssuedCode
from bluezone.identity.audiences import admits
from bluezone.identity.models import Role, User


def is_supervisor(user: User) -> bool:
    """Whether the user is a supervisor, who sees others' codes, raises limits and opens declarations."""
    return admits(HEALTH_SUPERVISORS, user)


def visible_codes(user: User) -> QuerySet[IssuedCode]:
    """The codes that a person may see: their own; for a supervisor also those of the facilities they supervise."""
    codes = IssuedCode.objects.select_related("worker")
    if has_city_role(user, [Role.SUPERVISOR]):
        return codes
    return codes.filter(Q(worker=user) | Q(facility__in=agencies_in_reach(user, [Role.SUPERVISOR])))


def issuers_in_reach(user: User) -> list[User]:
    """The issuers in the facilities of a supervisor; all issuers for a supervisor of the whole city."""
    people = list(issuers())
    if has_city_role(user, [Role.SUPERVISOR]):
        return people
    agency_pks = set(agencies_in_reach(user, [Role.SUPERVISOR]).values_list("pk", flat=True))
    facilities = facilities_of(people)
    return [worker for worker in people if worker.pk in facilities and facilities[worker.pk].pk in agency_pks]
