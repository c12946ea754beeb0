# SPDX-License-Identifier: Apache-2.0
"""A city that issues Công văn 458: its directory, people with roles, and the letter at any stage."""

import datetime
from importlib.resources import files

from tests.builders.agencies import plant_seed
from tests.builders.office import user

from bluezone.directory.models import AdminUnit, Agency
from bluezone.identity.models import RoleGrant
from bluezone.rollout.directives.inbox import dispatch_acts
from bluezone.rollout.directives.issuance import approval, intake
from bluezone.rollout.directives.models import Directive, DispatchState, Task

NOW = datetime.datetime(2020, 8, 7, 2, 0, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
# The day on which the units and agencies of 2020 ended.
ENDED = datetime.date(2025, 7, 1)
# The numbers in the reports of the tests.
NUMBERS = [{"name": "people", "label": "Số người đã tuyên truyền, hướng dẫn"}]
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
    """Store the directory, valid until today; returns the issuing People's Committee."""
    plant_seed()
    extend_to_today()
    return Agency.objects.get(key="ubnd-tp")


def extend_to_today():
    """Make the units and agencies of 2020, which ended in 2025, valid today, because the tests issue the letter now."""
    successors = AdminUnit.objects.filter(valid_from=ENDED)
    successors.exclude(parent=None).delete()
    successors.delete()
    AdminUnit.objects.filter(valid_to=ENDED).update(valid_to=None)
    Agency.objects.filter(valid_to=ENDED).update(valid_to=None)


def person(username, role, agency=None, **values):
    """An account with one role, for the whole city or for an agency."""
    made = user(username, **values)
    made.grants.all().delete()
    RoleGrant.objects.create(user=made, role=role, agency=agency, valid_from=datetime.date(2020, 1, 1))
    return made


def enter_letter(issuer, clerk, now=NOW, text=LETTER):
    """The letter as a draft that the clerk has completed: clause 2 names no lead, and the letter orders no report."""
    directive = intake.take_in(text.encode(), "", issuer, clerk, now, keep=False)
    directive.tasks.filter(lead_names="").update(lead_names="UBND các xã, phường")
    directive.tasks.update(due=now.date() + 30 * DAY, report_every="week", fields=NUMBERS)
    return directive


def approve_letter(directive, clerk, signer, now=NOW):
    """Submit the draft and approve it by a signer whom the letter does not name; returns the version."""
    version = approval.submit(directive, clerk, now)
    approval.approve(directive, version.sha256, signer, now, for_another=True)
    return version


def send_letter(directive, clerk, signer, now=NOW):
    """Approve the draft and send it, on paper to recipients without an account."""
    approve_letter(directive, clerk, signer, now)
    approval.issue(directive, clerk, now, on_paper=True)


def confirm_as_seen(client, pk):
    """Approve the version that the page shows, as a signer who has just proved the second factor."""
    address = f"/directives/{pk}/approve/"
    seen = client.get(address).context["version"].sha256
    return client.post(address, {"seen": seen, "for_another": "on"})


def complete_dispatch(dispatch, clerk, now=NOW):
    """Complete a dispatch: the agency reports and the issuer accepts; without a task, the agency has only seen it."""
    if dispatch_acts.is_accepted_by_issuer(dispatch):
        dispatch_acts.move(dispatch, DispatchState.REPORTED, clerk, now, note="Đã làm xong.")
        dispatch_acts.accept_completion(dispatch, clerk, now)
    else:
        dispatch_acts.move(dispatch, DispatchState.DONE, clerk, now)


def issue_letter(issuer, clerk, signer, now=NOW):
    """The letter, issued and sent."""
    directive = enter_letter(issuer, clerk, now)
    send_letter(directive, clerk, signer, now)
    return Directive.objects.get(pk=directive.pk)


def door_to_door(directive) -> Task:
    """Clause 2, on which the eight wards report each week."""
    return directive.tasks.get(label="2")
