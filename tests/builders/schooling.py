# SPDX-License-Identifier: Apache-2.0
"""Two schools of Bắc Kạn with their heads, and a leader of the city, planted into the data folder of a running `serve`.

Run as a program in a separate process, because Django opens one data folder in a process.
"""

import datetime
import json
import subprocess
import sys
from pathlib import Path

PASSWORD = "suối chảy qua bản nhỏ"
FIRST, SECOND = "Trường THCS Đức Xuân", "Trường THCS Sông Cầu"


def plant(data: Path) -> None:
    """Plant into the folder of a `serve` that has been started once."""
    subprocess.run(
        [sys.executable, "-m", "tests.builders.schooling", str(data)], check=True, cwd=Path(__file__).parents[2]
    )


def links(data: Path) -> dict[str, list[str]]:
    """Make links for the classes of the first school; returns [address, PIN] by class. Call after `plant`."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.builders.schooling", str(data), "links"],
        check=True, cwd=Path(__file__).parents[2], capture_output=True, text=True,
    )  # fmt: skip
    return json.loads(ran.stdout)


def reports(data: Path) -> list[list[int]]:
    """The current reports of the first school: [pupils, with smartphone, running, relatives] of each."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.builders.schooling", str(data), "reports"],
        check=True, cwd=Path(__file__).parents[2], capture_output=True, text=True,
    )  # fmt: skip
    return json.loads(ran.stdout)


def _ask(data: Path, what: str):
    from bluezone.server.preparation import open_office

    open_office(data)
    from django.utils import timezone

    from bluezone.identity.models import User
    from bluezone.rollout.schools.classes import class_links
    from bluezone.rollout.schools.models import ClassReport, SchoolClass

    if what == "reports":
        reports = ClassReport.objects.filter(school_class__school__name=FIRST, is_current=True).order_by("pk")
        return [[report.pupils, report.with_smartphone, report.running, report.relatives] for report in reports]
    classes = list(SchoolClass.objects.filter(school__name=FIRST))
    links = class_links.issue_class_links(
        classes[0].school, classes, User.objects.get(username="hieu-truong"), timezone.now()
    )
    return {link.school_class.name: [link.address, link.pin] for link in links}


def _plant(data: Path) -> None:
    from bluezone.server.preparation import open_office

    open_office(data)
    from tests.builders.directives import extend_to_today
    from tests.builders.schools import school

    from bluezone.directory.models import AdminUnit

    extend_to_today()
    leader = _account("lanh-dao", "leader", None)
    for name, ward, head, classes in (
        (FIRST, "phuong-duc-xuan", "hieu-truong", "6A 40\n6B 35"),
        (SECOND, "phuong-song-cau", "hieu-truong-2", "7A 38\n7B 36"),
    ):
        made = school(name, AdminUnit.objects.get(key=ward), leader, classes)
        _account(head, "officer", made)


def _account(username: str, role: str, agency):
    from bluezone.identity.models import RoleGrant, User

    user = User(username=username, name="Nông Thị Lan")
    user.set_password(PASSWORD)
    user.save()
    RoleGrant.objects.create(user=user, role=role, agency=agency, valid_from=datetime.date(2020, 1, 1))
    return user


if __name__ == "__main__":
    if len(sys.argv) > 2:
        json.dump(_ask(Path(sys.argv[1]), sys.argv[2]), sys.stdout)
    else:
        _plant(Path(sys.argv[1]))
