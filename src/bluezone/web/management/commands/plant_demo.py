# SPDX-License-Identifier: Apache-2.0
"""`bluezone manage plant_demo`: fill the office of a demo with people, directives and devices.

The city of 2020 is shown as today's. Only for the data folder of a demo: the dates of the directory's entries are
changed, which no real office may do.
"""

import datetime
from dataclasses import dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from bluezone.audit.hash_chain import COMMAND_LINE
from bluezone.authority import role_grants
from bluezone.authority.people import accounts
from bluezone.devices import enrolment
from bluezone.devices.models import DeviceKind
from bluezone.directory.models import AdminUnit, Agency
from bluezone.duties.catalogue import DUTIES
from bluezone.duties.duty import load
from bluezone.healthauthority.codes import issuance
from bluezone.identity.demo_account import demo_account
from bluezone.identity.models import Role, User
from bluezone.office_keyserver import key_server
from bluezone.refusal import Refused
from bluezone.rollout.directives.api import Directive

CITY = "ubnd-tp"
HEALTH_NAME = "y-te"
# The roles in which an administrator may look around: role, and its agency, "" for the whole city.
_ROLES = (
    (Role.LEADER, ""),
    (Role.CLERK, CITY),
    (Role.ISSUER, CITY),
    (Role.LEAD, "ubnd-phuong-song-cau"),
    (Role.EDITOR, ""),
    (Role.AUDITOR, ""),
)
_DAY = datetime.timedelta(days=1)


class DemoRefused(Refused):
    """The office has a directive or a person who works in it; a demo is planted only into a new data folder."""

    code = "demo_refused"


@dataclass(frozen=True)
class Planted:
    """What the demo prints. document: the code of a directive. health_token: that of the health worker's link."""

    document: str
    health_token: str


def plant(now: datetime.datetime) -> Planted:
    """Plant everything or nothing. Raises DemoRefused."""
    if Directive.objects.exists() or any(person.has_usable_password() for person in User.objects.all()):
        raise DemoRefused("the office is at work already")
    with transaction.atomic():
        _undo_reform()
        for duty in DUTIES:
            if duty.demo:
                load(duty.demo)(now)
        directive = Directive.objects.first()
        if directive is None:
            raise DemoRefused("the agencies that the letter names are not in the directory")
        office = demo_account()
        enrolment.create_device(office.username, DeviceKind.GATE, "Cổng chính", Agency.objects.get(key=CITY), None, now)
        token = _plant_people(now)
    return Planted(directive.code, token)


def _undo_reform() -> None:
    """Undo the reform of 2025: delete the units that began with it, and let those that ended with it continue."""
    reform_day = (
        AdminUnit.objects.exclude(valid_to=None).order_by("-valid_to").values_list("valid_to", flat=True).first()
    )
    if reform_day is None:
        return
    new_units = AdminUnit.objects.filter(valid_from=reform_day)
    new_units.exclude(parent=None).delete()
    new_units.delete()
    for model in (AdminUnit, Agency):
        model._default_manager.filter(valid_to=reform_day).update(valid_to=None)


def _plant_people(now: datetime.datetime) -> str:
    """Grant roles to the first administrator; make a separate account for the person who issues codes."""
    today = timezone.localdate(now)
    admin = User.objects.with_roles([Role.ADMIN], today).first()
    if admin is not None:
        for role, key in _ROLES:
            role_grants.grant_role(COMMAND_LINE, admin, role, Agency.objects.get(key=key) if key else None, today)
    nurse, token = accounts.create_account_with_link(
        COMMAND_LINE, HEALTH_NAME, "", "Trung tâm Y tế thành phố", Role.HEALTH_WORKER, now
    )
    role_grants.grant_role(COMMAND_LINE, nurse, Role.SUPERVISOR, None, today)
    for days in (1, 2, 4):
        issuance.issue_code(key_server(), nurse, "confirmed", today - days * _DAY, now)
    return token


class Command(BaseCommand):
    """Plant the demo's office."""

    help = "Plant an office at work into the new data folder of a demo; refused where anyone works."

    def handle(self, *_: Any, **__: Any) -> None:
        """Print the document and the token of the health workers' link, one a line."""
        try:
            planted = plant(datetime.datetime.now(datetime.UTC))
        except DemoRefused as refused:
            raise CommandError(f"nothing planted: {refused}") from None
        self.stdout.write(f"{planted.document}\n{planted.health_token}")
