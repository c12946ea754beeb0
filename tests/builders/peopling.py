# SPDX-License-Identifier: Apache-2.0
"""An office at work, as a data folder for `serve`: people of every role, letters at every stage.

Run as a program in a separate process, because Django opens one data folder in a process.
"""

import datetime
import hashlib
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from tests.builders.agencies import write_csv
from tests.builders.furnishing import furnish
from tests.builders.serving import serving
from tests.builders.stores import REPOSITORY, SOURCES, cached, source_state

PASSWORD = "suối chảy qua bản nhỏ"
SECRET = b"a secret of twenty b"
CITY_AGENCY = "ubnd-tp"
# One person of each role for each width, so that a one-time code and a form are never used twice.
WIDTHS = (360, 1280)
_DAY = datetime.timedelta(days=1)
# A list with one good row, and one with an unknown unit above.
_GROUPS = (
    ("Mã đơn vị", "Tên đơn vị", "Loại", "Mã cấp trên"),
    ("DX-01", "Tổ 1", "tổ dân phố", "01840"),
    ("DX-02", "Tổ 2", "tổ dân phố", "99999"),
)
NAMES = ("Nông Thị Lan", "Hoàng Văn Bình", "Hà Thị Thu", "Lý Văn Páo", "Triệu Thị Mùi", "Đặng Văn Sơn", "Ma Thị Hồng")
SIGNED = "458"
LETTER = "459"
DRAFTS = ("460", "461")
APPROVED = ("462", "463")
SUBMITTED = ("465", "466")
# The agency of each role by key, one for each width; a role not listed here is for the whole city.
AGENCIES = {
    "issuer": (CITY_AGENCY, CITY_AGENCY),
    "clerk": (CITY_AGENCY, CITY_AGENCY),
    "leader": (CITY_AGENCY, CITY_AGENCY),
    "lead": ("ubnd-phuong-song-cau", "ubnd-phuong-duc-xuan"),
    "officer": ("ubnd-phuong-huyen-tung", "ubnd-xa-duong-quang"),
    "gatekeeper": ("van-phong", "van-phong"),
    "canvasser": ("ubnd-phuong-song-cau", "ubnd-phuong-duc-xuan"),
    "drive_lead": ("thanh-doan", "hoi-lhpn"),
    "teacher": ("phong-gddt", "phong-gddt"),
    "venue_owner": ("phong-vhtt", "phong-vhtt"),
    "speaker_operator": ("trung-tam-vhtttt", "trung-tam-vhtttt"),
    "editor": ("trung-tam-vhtttt", "trung-tam-vhtttt"),
}


@dataclass(frozen=True)
class Person:
    """A person with one role at one screen width; password and app secret are those of this module."""

    role: str
    width: int

    @property
    def username(self) -> str:
        return f"{self.role.replace('_', '-')}.{self.width}"

    @property
    def name(self) -> str:
        """Full name; several people share one, as in reality."""
        return NAMES[(len(self.role) * 2 + WIDTHS.index(self.width)) % len(NAMES)]

    @property
    def agency(self) -> str | None:
        """Key of the agency, None for a role in the whole city."""
        if self.role not in AGENCIES:
            return None
        return AGENCIES[self.role][WIDTHS.index(self.width)]


def app_code(steps_ahead: int = 0) -> str:
    """The code of everybody's authenticator app now, or some half minutes later."""
    from bluezone.identity.factors import totp

    return totp.code_at(SECRET, int(time.time()) // totp.STEP_SECONDS + steps_ahead)


def letter(number) -> str:
    """Công văn 458 under another number."""
    text = (files("bluezone.rollout.directives") / "seeds" / "cong-van-458.txt").read_text()
    return text.replace("458/UBND-VP", f"{number}/UBND-VP")


def peopled_office(data: Path) -> None:
    """Copy the folder of an office at work to `data`; made once an hour for a state of the sources.

    Every hour, because the planted data depend on the time: letters, shifts, airings.
    """
    hour = f"{datetime.datetime.now(datetime.UTC):%Y%m%d%H}"
    shutil.copytree(cached(f"peopled-{hour}-{_sources()}", _make) / "data", data)
    data.chmod(0o700)


def _make(folder: Path) -> None:
    """Start `serve` once, and plant into its data folder."""
    with serving(folder / "data") as served:
        data = served.data
    subprocess.run([sys.executable, "-m", "tests.builders.peopling", str(data)], check=True, cwd=REPOSITORY)


def _sources() -> str:
    """A name for the state of all code on which the planted data depend."""
    state = hashlib.sha256(source_state().encode())
    for folder in (SOURCES, Path(__file__).parent):
        for path in sorted(folder.rglob("*.py")):
            state.update(path.read_bytes())
    return state.hexdigest()[:16]


def _plant(data: Path) -> None:
    from bluezone.server.preparation import open_office

    open_office(data)
    from django.utils import timezone
    from tests.builders import directives

    from bluezone.directory.models import Agency
    from bluezone.identity.models import Role

    now = timezone.now()
    directives.extend_to_today()
    users = {(role, width): _account(Person(str(role), width)) for role in Role for width in WIDTHS}
    _letters(Agency.objects.get(key=CITY_AGENCY), users["clerk", 360], users["issuer", 360], now)
    _everyday_work(users, now)
    furnish(users, now)


def _account(person: Person):
    """Make the account of a person, with an authenticator app if the role needs one."""
    from bluezone.directory.models import Agency
    from bluezone.identity.factors.second_factors import REQUIRING
    from bluezone.identity.models import AuthenticatorApp, RoleGrant, User
    from bluezone.office_secrets import seal

    agency = Agency.objects.get(key=person.agency) if person.agency else None
    user = User(username=person.username, name=person.name, agency=agency.name if agency else "Trung tâm Y tế")
    user.password = _hashed()
    user.save()
    RoleGrant.objects.create(user=user, role=person.role, agency=agency, valid_from=datetime.date(2020, 1, 1))
    # The officer too, because the lead's role is delegated to that account.
    if person.role in REQUIRING or person == Person("officer", 360):
        AuthenticatorApp.objects.create(user=user, sealed_secret=seal(SECRET, f"authenticator app of {user.pk}"))
    return user


@cache
def _hashed() -> str:
    """The hash of the common password, made once because hashing is slow on purpose."""
    from django.contrib.auth.hashers import make_password

    return make_password(PASSWORD)


def _letters(issuer, clerk, signer, now) -> None:
    """Công văn 458 in progress, one letter just sent, two drafts, two submitted, two approved, one revoked."""
    from tests.builders import directives

    from bluezone.rollout.directives import demo
    from bluezone.rollout.directives.issuance import approval, intake

    demo.plant(now)
    made = {}
    for number in (LETTER, *DRAFTS, *SUBMITTED, *APPROVED, "464"):
        made[number] = intake.take_in(letter(number).encode(), "", issuer, clerk, now, keep=False)
        made[number].tasks.filter(lead_names="").update(lead_names="UBND các xã, phường")
        made[number].tasks.update(report_every="week", fields=directives.NUMBERS)
    for number in SUBMITTED:
        approval.submit(made[number], clerk, now)
    for number in (LETTER, *APPROVED, "464"):
        directives.approve_letter(made[number], clerk, signer, now)
    for number in (LETTER, "464"):
        approval.issue(made[number], clerk, now, on_paper=True)
    approval.revoke(made["464"], "Ban hành nhầm số", clerk, now)


def _everyday_work(users, now) -> None:
    """Staff reports of this week and the one before, devices, a group, codes, a delegation, an import, a plan."""
    from django.utils import timezone

    from bluezone.authority import role_grants
    from bluezone.devices import enrolment
    from bluezone.devices.models import DeviceKind
    from bluezone.directory.imports import list_imports
    from bluezone.directory.models import Agency
    from bluezone.healthauthority.codes import issuance as codes
    from bluezone.office_keyserver import key_server
    from bluezone.planning.people import Ward
    from bluezone.planning.plan import Inputs
    from bluezone.rollout.planning import plans
    from bluezone.rollout.report_week import Week
    from bluezone.rollout.staffing import staff_reports
    from bluezone.rollout.staffing.counts import StaffCounts

    today = timezone.localdate(now)
    officer = users["officer", 360]
    keeper = Agency.objects.get(key="ubnd-phuong-song-cau")
    _device, code = enrolment.create_device("admin.360", DeviceKind.GATE, "Cổng chính", keeper, None, now)
    enrolment.enrol_device(code, "192.0.2.7", now)
    enrolment.create_device("admin.360", DeviceKind.CANVASS, "Máy đi từng nhà số 2", keeper, None, now)
    for days in (2, 5):
        codes.issue_code(key_server(), users["health_worker", 360], "confirmed", today - days * _DAY, now)
    role_grants.delegate_role(users["lead", 360].grants.get(), officer, today, today + 5 * _DAY, today)
    list_imports.receive_list(users["admin", 1280], "units", "to-dan-pho.csv", write_csv(*_GROUPS), today)
    for number, agency in enumerate(Agency.objects.order_by("pk")[:20]):
        counts = StaffCounts(staff=40 + number, with_smartphone=36, running=9 + number, web_edition=4, reminded=3)
        for week in (Week.of(today - 7 * _DAY), Week.of(today)):
            if number % 5 and not (week.locks_on <= today):
                staff_reports.submit_staff_report(agency, week, counts, officer, now)
    inputs = Inputs((Ward("phường Sông Cầu", 900, 0.4), Ward("xã Dương Quang", 600, 0.1)), 20, days=20, seeds=3)
    plans.run_plan(plans.queue_plan(users["leader", 360], inputs))


if __name__ == "__main__":
    _plant(Path(sys.argv[1]))
