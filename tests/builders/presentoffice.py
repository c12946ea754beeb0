# SPDX-License-Identifier: Apache-2.0
"""An office of today in addition to the directory of 2020, which has ended: a province with its agencies, and the wards
and communes of July 2025, two of which differ only in a diacritic; and people, each with a signed-in browser.

Run as a program in a separate process, because Django opens one data folder in a process.
"""

import datetime
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

REFORM = datetime.date(2025, 7, 1)
# Key, name of unit, kind. The third and the fourth differ only in a diacritic.
WARDS = (
    ("xa-cho-ray", "xã Chợ Rẫy", "commune"),
    ("xa-ba-be", "xã Ba Bể", "commune"),
    ("xa-yen-thinh", "xã Yên Thịnh", "commune"),
    ("xa-yen-thinh-2", "xã Yên Thỉnh", "commune"),
)
# Sign-in name: full name, role, key of the agency.
PEOPLE = {
    "clerk": ("Hoàng Thị Mai", "clerk", "ubnd-tinh"),
    "second": ("Lý Văn Bảo", "clerk", "ubnd-tinh"),
    "signer": ("Nguyễn Văn Ký", "issuer", "ubnd-tinh"),
    "health": ("Nông Thị Lan", "officer", "so-y-te"),
    "cho-ray": ("Ma Văn Páo", "officer", "ubnd-xa-cho-ray"),
    "ba-be": ("Hà Thị Thu", "officer", "ubnd-xa-ba-be"),
    "keeper": ("Triệu Thị Mùi", "admin", ""),
}


def letter(number: int, recipients: str, clauses: str, day: datetime.date) -> str:
    """The text of a letter as a clerk pastes it."""
    return f"""ỦY BAN NHÂN DÂN
TỈNH BẮC SƠN

CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM
Độc lập - Tự do - Hạnh phúc

Số: {number}/UBND-VX

Bắc Sơn, ngày {day:%d} tháng {day.month} năm {day.year}

V/v kiểm tra trang thiết bị phòng dịch

Kính gửi:

{recipients}

Ủy ban nhân dân tỉnh yêu cầu thực hiện các nhiệm vụ sau:

{clauses}

Nơi nhận:

- Như kính gửi;
- Lưu: VT.

TM. ỦY BAN NHÂN DÂN
KT. CHỦ TỊCH
PHÓ CHỦ TỊCH

Nguyễn Văn Ký"""


def plant(data: Path) -> dict[str, dict[str, Any]]:
    """Run `furnish` in the data folder of a running `serve`; returns its result."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.builders.presentoffice", str(data)],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-4000:]
    planted: dict[str, dict[str, Any]] = json.loads(ran.stdout.splitlines()[-1])
    return planted


def furnish() -> dict[str, dict[str, Any]]:
    """Enter directory, people and letters; returns sessions by sign-in name, and primary keys of letters by purpose."""
    from django.test import Client
    from tests.builders.directives import person

    from bluezone.directory.kinds import AgencyKind, UnitKind
    from bluezone.directory.models import Agency
    from bluezone.directory.records import entries
    from bluezone.directory.records.store import rewrite_directory

    since = entries.Validity(REFORM, None)
    units = [entries.UnitEntry("tinh-bac-son", "tỉnh Bắc Sơn", UnitKind.PROVINCE, "97", validity=since)]
    agencies = [
        entries.AgencyEntry(key, name, AgencyKind(kind), "tinh-bac-son", short_name=short, validity=since)
        for key, name, short, kind in (
            ("ubnd-tinh", "Ủy ban nhân dân tỉnh Bắc Sơn", "UBND tỉnh", "committee"),
            ("so-y-te", "Sở Y tế tỉnh", "Sở Y tế", "department"),
            ("cong-an-tinh", "Công an tỉnh", "", "police"),
        )
    ]
    for key, name, kind in WARDS:
        units.append(entries.UnitEntry(key, name, UnitKind(kind), None, "tinh-bac-son", validity=since))
        committee = f"Ủy ban nhân dân {name}"
        agencies.append(entries.AgencyEntry(f"ubnd-{key}", committee, AgencyKind.COMMITTEE, key, validity=since))
    rewrite_directory(
        lambda known: entries.Directory.build(
            [*known.units.values(), *units], [*known.agencies.values(), *agencies], known.groups.values()
        ),
        lambda *_: None,
    )
    sessions = {}
    for username, (name, role, key) in PEOPLE.items():
        client = Client()
        client.force_login(person(username, role, Agency.objects.get(key=key) if key else None, name=name))
        session = client.session
        session["second_factor_at"] = int(time.time())
        session.save()
        sessions[username] = client.cookies["bluezone-session"].value
    return {"sessions": sessions, "letters": _letters()}


def _letters() -> dict[str, int]:
    from django.utils import timezone

    today = timezone.localdate()
    ten_days_ago = today - datetime.timedelta(days=10)
    later = today + datetime.timedelta(days=20)
    check = "1. {0}: kiểm tra trang thiết bị, bổ sung vật tư.\n\n2. {1}: phối hợp kiểm tra tại cơ sở."
    both = check.format("Sở Y tế tỉnh", "Công an tỉnh")
    plain = "- Sở Y tế tỉnh;\n- Công an tỉnh."
    hour = (
        f"1. Sở Y tế tỉnh: kiểm tra trang thiết bị, báo cáo trước 16 giờ 00 ngày {later:%d/%m/%Y}.\n\n"
        f"2. Công an tỉnh: phối hợp kiểm tra, hoàn thành trước ngày {later:%d/%m/%Y}."
    )
    ward = f"1. UBND xã Chợ Rẫy: kiểm tra chợ, hoàn thành trước ngày {later:%d/%m/%Y}."
    names = "- Công an thành phố;\n- UBND xã Yên Thịnh;\n- UBND xã Yên Thỉnh."
    equipment = f"1. Sở Y tế tỉnh: kiểm tra trang thiết bị, hoàn thành trước ngày {later:%d/%m/%Y}."
    made = {
        "race": draft(letter(1, plain, both, today)),
        "names": draft(letter(2, names, equipment, today)),
        "ended": draft(letter(3, "- Hội Nông dân thành phố;\n- Sở Y tế tỉnh.", both, today)),
        "merged": draft(letter(4, "- UBND xã Chợ Rẫy.", ward, today)),
        "dated": draft(letter(5, plain, both, ten_days_ago)),
        "hour": draft(letter(6, plain, hour, today)),
        "typed": draft(letter(7, plain, both, today)),
        "edited": draft(letter(8, plain, both, today)),
    }
    submitted(made["race"])
    for what in ("merged", "dated", "hour"):
        issued(made[what])
    return made


def draft(text: str, lead: str = "") -> int:
    """Enter a letter of the province; returns its primary key. lead: for tasks without a lead in the letter."""
    from django.utils import timezone

    from bluezone.directory.models import Agency
    from bluezone.identity.models import User
    from bluezone.rollout.directives.issuance import intake

    clerk = User.objects.get(username="clerk")
    issuer = Agency.objects.get(key="ubnd-tinh")
    made = intake.take_in(text.encode(), "", issuer, clerk, timezone.now(), keep=False)
    if lead:
        made.tasks.filter(lead_names="").update(lead_names=lead)
    return made.pk


def submitted(pk: int) -> str:
    """Submit a draft; returns the hash of its version."""
    from django.utils import timezone

    from bluezone.identity.models import User
    from bluezone.rollout.directives.issuance import approval
    from bluezone.rollout.directives.models import Directive

    return approval.submit(Directive.objects.get(pk=pk), User.objects.get(username="clerk"), timezone.now()).sha256


def issued(pk: int) -> None:
    """Submit, approve and send a draft."""
    from django.utils import timezone
    from tests.builders.directives import send_letter

    from bluezone.identity.models import User
    from bluezone.rollout.directives.models import Directive

    clerk, signer = (User.objects.get(username=name) for name in ("clerk", "signer"))
    send_letter(Directive.objects.get(pk=pk), clerk, signer, timezone.now())


def _main(data: Path) -> None:
    from bluezone.server.preparation import open_office

    open_office(data)
    sys.stdout.write(json.dumps(furnish()) + "\n")


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
