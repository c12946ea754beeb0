# SPDX-License-Identifier: Apache-2.0
"""A city that issues Công văn 458: its directory, people with roles, and the letter at any stage."""

import datetime
from importlib.resources import files

from tests.builders.agencies import planted
from tests.builders.office import user

from bluezone.directory.models import Agency
from bluezone.identity.models import RoleGrant
from bluezone.rollout.directives.issuance import approval, intake
from bluezone.rollout.directives.models import Directive, Task

NOW = datetime.datetime(2020, 8, 7, 2, 0, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
LETTER = (files("bluezone.rollout.directives") / "seeds" / "cong-van-458.txt").read_text()
WARD_KEYS = [
    "ubnd-phuong-nguyen-thi-minh-khai",
    "ubnd-phuong-song-cau",
    "ubnd-phuong-duc-xuan",
    "ubnd-phuong-phung-chi-kien",
    "ubnd-phuong-huyen-tung",
    "ubnd-xa-duong-quang",
    "ubnd-xa-nong-thuong",
    "ubnd-phuong-xuat-hoa",
]


def city():
    """Store the directory; gives the issuing People's Committee."""
    planted()
    return Agency.objects.get(key="ubnd-tp")


def person(username, role, agency=None, **values):
    """An account with one role, for the whole city or for an agency."""
    made = user(username, **values)
    made.grants.all().delete()
    RoleGrant.objects.create(user=made, role=role, agency=agency, valid_from=datetime.date(2020, 1, 1))
    return made


def taken_in(issuer, clerk, now=NOW, text=LETTER):
    """The letter as a draft that the clerk has completed: clause 2 names nobody by name."""
    directive = intake.take_in(text.encode(), "", issuer, clerk, now, keep=False)
    directive.tasks.filter(lead_names="").update(lead_names="UBND các xã, phường")
    directive.tasks.update(due=now.date() + 30 * DAY)
    return directive


def issued(issuer, clerk, signer, now=NOW):
    """The letter, sent."""
    directive = taken_in(issuer, clerk, now)
    approval.approve(directive, signer, now)
    approval.issue(directive, clerk, now)
    return Directive.objects.get(pk=directive.pk)


def door_to_door(directive) -> Task:
    """Clause 2, which the eight wards report on each week."""
    return directive.tasks.get(label="2")
