# SPDX-License-Identifier: Apache-2.0
"""Công văn 458 under way in a demo: some agencies have done, some have begun, one sent it back, some do nothing."""

import contextlib
import datetime
from importlib.resources import files

from django.db import transaction
from django.utils import timezone

from bluezone.directory.models import Agency
from bluezone.identity.demo_account import demo_account
from bluezone.identity.models import User
from bluezone.refusal import Refused
from bluezone.rollout.directives.inbox import dispatch_acts
from bluezone.rollout.directives.issuance import approval, intake
from bluezone.rollout.directives.models import Campaign, Directive, Dispatch, DispatchState, Task
from bluezone.rollout.directives.reports import agency_reports
from bluezone.training import practice

_DAY = datetime.timedelta(days=1)


def plant(now: datetime.datetime) -> Directive | None:
    """Plant the letter as issued ten days ago; None without the seeded agencies, or where there are directives."""
    issuer = Agency.objects.filter(key="ubnd-tp").first()
    if issuer is None or Directive.objects.exists():
        return None
    user = demo_account()
    with transaction.atomic():
        began = now - 10 * _DAY
        directive = _issued(issuer, user, began)
        for number, dispatch in enumerate(directive.dispatches.order_by("pk").select_related("agency")):
            _live(number, dispatch, user, began)
        _report(directive, user, began, now)
    return directive


# A letter for an office of today; what is in brackets is filled in.
_PRACTICE_LETTER = """{issuer}
CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM
Độc lập - Tự do - Hạnh phúc

Số: 01/UBND-TH
{place}, ngày {day:%d} tháng {day:%m} năm {day:%Y}
V/v tập huấn: tuyên truyền cài đặt ứng dụng Bluezone

Kính gửi: {group}.

Để thực hành, {issuer} đề nghị các cơ quan, đơn vị thực hiện:
1. {group} vận động cán bộ, công chức cài đặt và bật ứng dụng Bluezone.

Nơi nhận:
- Như trên (t/h);
- Lưu: VT.
TM. ỦY BAN NHÂN DÂN
CHỦ TỊCH
Nguyễn Văn Mẫu
"""


def plant_for_practice(issuer: Agency, group: str, now: datetime.datetime) -> Directive:
    """Plant a letter of training mode that is under way at the members of a recipient group, in different stages.

    It is practice like any other: in no figure, and erased after seven days. Raises what approval refuses.
    """
    user, began = demo_account(), now - 3 * _DAY
    with practice(), transaction.atomic():
        letter = _PRACTICE_LETTER.format(
            issuer=issuer.name, place=issuer.unit.name.partition(" ")[2], group=group, day=timezone.localdate(began)
        )
        directive = intake.take_in(letter.encode(), "tap-huan.txt", issuer, user, began)
        directive.tasks.update(lead_names=group, due=timezone.localdate(now) + 7 * _DAY)
        version = approval.submit(directive, user, began)
        approval.approve(directive, version.sha256, user, began, for_another=True)
        approval.issue(directive, user, began, on_paper=True)
        for number, dispatch in enumerate(directive.dispatches.order_by("pk").select_related("agency")):
            if number % 4 != 2:
                _live(number, dispatch, user, began)
    return directive


def plant_with_campaign(now: datetime.datetime) -> None:
    """Plant the letter within a campaign that has ten days behind it and twenty ahead."""
    directive = plant(now)
    if directive is None:
        return
    today = timezone.localdate(now)
    directive.campaign = Campaign.objects.create(
        name="Toàn thành phố cài và bật Bluezone",
        owner=directive.issuer,
        basis=next(iter(directive.basis.splitlines()), "")[:300],
        begins=today - 10 * _DAY,
        ends=today + 20 * _DAY,
    )
    directive.save(update_fields=["campaign"])


def _issued(issuer: Agency, user: User, began: datetime.datetime) -> Directive:
    letter = (files(__package__) / "seeds" / "cong-van-458.txt").read_bytes()
    directive = intake.take_in(letter, "cong-van-458.txt", issuer, user, began)
    directive.tasks.filter(lead_names="").update(lead_names="UBND các xã, phường")
    # The letter of 2020 is played in the present: days to report are those of the demo.
    people = [{"name": "people", "label": "Số người đã tuyên truyền, hướng dẫn"}]
    directive.tasks.update(due=began.date() + 12 * _DAY, report_every=Task.Every.ONCE, fields=people)
    directive.tasks.filter(label="2").update(report_every=Task.Every.WEEK)
    version = approval.submit(directive, user, began)
    approval.approve(directive, version.sha256, user, began, for_another=True)
    approval.issue(directive, user, began, on_paper=True)
    return directive


def _live(number: int, dispatch: Dispatch, user: User, began: datetime.datetime) -> None:
    """Every sixth agency does nothing, one sends it back, the others get further or less far."""
    at = began + datetime.timedelta(hours=3 + number)
    if number % 6 == 5:
        return
    if number == 7:
        dispatch_acts.move(dispatch, DispatchState.SENT_BACK, user, at, note="Thiếu tệp đính kèm")
        return
    dispatch_acts.move(dispatch, DispatchState.RECEIVED, user, at)
    if number % 3:
        dispatch_acts.move(dispatch, DispatchState.ASSIGNED, user, at + _DAY, assigned_to="Cán bộ phụ trách")
    if number % 4 == 1:
        dispatch_acts.move(dispatch, DispatchState.IN_PROGRESS, user, at + 2 * _DAY)
    if number % 4 == 2:
        _finish(dispatch, user, at + 6 * _DAY)


def _finish(dispatch: Dispatch, user: User, at: datetime.datetime) -> None:
    """What was only to be seen is done; what was to be acted on is reported, and the issuer accepts it."""
    if not dispatch_acts.is_accepted_by_issuer(dispatch):
        dispatch_acts.move(dispatch, DispatchState.DONE, user, at)
        return
    for party in dispatch.directive.tasks.filter(report_every=Task.Every.ONCE, parties__agency=dispatch.agency):
        agency_reports.submit(party, dispatch.agency, party.report_from or at.date(), {"people": 120}, "", user, at)
    dispatch_acts.move(dispatch, DispatchState.REPORTED, user, at, note="Đã cài đặt và hướng dẫn xong.")
    dispatch_acts.accept_completion(dispatch, user, at)


def _report(directive: Directive, user: User, began: datetime.datetime, now: datetime.datetime) -> None:
    """Seven of the eight wards report on clause 2 in time, three for this period too, and one asks for more time."""
    task = directive.tasks.get(label="2")
    parties = list(task.parties.select_related("agency", "task"))
    for number, party in enumerate(parties[:-1]):
        for place, at in ((0, began + 6 * _DAY), (1, now))[: 2 if number < 3 else 1]:
            own = agency_reports.task_periods(task, timezone.localdate(at), party)[place:]
            # What the directory of another city does not name reports nothing.
            with contextlib.suppress(Refused):
                for period in own[:1]:
                    values = {"people": 90 + 37 * number}
                    agency_reports.submit(task, party.agency, period.first, values, "", user, at)
    if parties:
        until = now.date() + 9 * _DAY
        dispatch_acts.ask(
            task, parties[-1].agency, "extension", "Đang thống kê các tổ vùng xa.", user, now - _DAY, until
        )
