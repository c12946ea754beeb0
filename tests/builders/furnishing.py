# SPDX-License-Identifier: Apache-2.0
"""Further data of an office at work: a campaign, news, an office that sends files, requests for locked periods."""

import datetime

from django.utils import timezone
from tests.builders import dutywork, fieldwork
from tests.rollout.directives.exchange.edxml.keys import signer

_DAY = datetime.timedelta(days=1)


def furnish(users, now: datetime.datetime) -> None:
    """Plant all. users: accounts by (role, width)."""
    _campaign(now)
    _news(users["editor", 360], now)
    _another_office(users["clerk", 1280], users["admin", 360], now)
    _locked_periods(users, now)
    _gate(users["admin", 360], users["officer", 1280], now)
    fieldwork.furnish(users, now)
    dutywork.furnish(users, now)
    _alerts(now)
    _visitors(now)
    _second_person(users["admin", 360], now)


def _campaign(now: datetime.datetime) -> None:
    from bluezone.directory.models import Agency
    from bluezone.rollout.directives.models import Campaign, Directive

    today = timezone.localdate(now)
    campaign = Campaign.objects.create(
        name="Toàn thành phố cài Bluezone",
        owner=Agency.objects.get(key="ubnd-tp"),
        basis="Công văn 3933/UBND-VXNV ngày 03/8/2020 của UBND tỉnh",
        aim="Mọi người dân có điện thoại thông minh đều cài và bật Bluezone.",
        begins=today - 10 * _DAY,
        ends=today + 20 * _DAY,
    )
    Directive.objects.filter(number__in=("458", "459")).update(campaign=campaign)


def _news(editor, now: datetime.datetime) -> None:
    from bluezone.portal import news
    from bluezone.portal.news import Texts

    out = Texts("Phát loa về Bluezone", "Đài phát lúc 17 giờ.", "Bulletin on the loudspeakers", "On air at 17:00.")
    news.publish_news_item(news.save_item(out, editor, now), editor, now)
    news.save_item(Texts("Ngày ra quân", "Thứ Bảy, tại nhà văn hóa."), editor, now)


def _another_office(clerk, admin, now: datetime.datetime) -> None:
    """Sở Y tế sends files: one document was accepted and recalled, one is in preview; one document waits for it."""
    from bluezone.directory.models import Agency
    from bluezone.rollout.directives.exchange import partners, uploads
    from bluezone.rollout.directives.exchange.edxml import Business, BusinessKind, Edoc, Organisation, write_message
    from bluezone.rollout.directives.models import Directive, Dispatch

    city = Agency.objects.get(key="ubnd-tp")
    Agency.objects.filter(pk=city.pk).update(edxml_id="001.22.H03")
    office = Agency.objects.create(
        key="so-y-te", name="Sở Y tế", kind=city.kind, unit=city.unit, valid_from=city.valid_from, edxml_id="014.H03"
    )
    theirs = signer("Sở Y tế", at=now)
    partners.pin(office, theirs.certificate, admin, now)
    names = Organisation("014.H03", office.name), (Organisation("001.22.H03", city.name),)
    today = timezone.localdate(now)
    sent = Edoc(*names, "1520", "SYT-NVY", today, "V/v hướng dẫn khai báo y tế", signer_name="Tạc Văn Nam")
    recalled = Business(BusinessKind.REVOCATION, "Gửi nhầm nơi nhận", sent.document_id)
    for document in (sent, Edoc(*names, "1521", "SYT-NVY", today, "V/v thu hồi văn bản", business=recalled)):
        waiting = uploads.receive(write_message(document, theirs), "tu-so-y-te.edxml", clerk, now)
        uploads.apply(waiting, uploads.look(bytes(waiting.content), clerk, now).digest, clerk, now)
    next_one = Edoc(*names, "1522", "SYT-NVY", today, "V/v tập huấn người ghi nhận ra vào")
    uploads.receive(write_message(next_one, theirs), "tap-huan.edxml", clerk, now)
    Dispatch.objects.create(
        directive=Directive.objects.get(number="459"),
        agency=office,
        purpose="information",
        arrived_at=now,
        changed_at=now,
    )


def _locked_periods(users, now: datetime.datetime) -> None:
    """One agency asks the office to open last week's staff report again."""
    from bluezone.directory.models import Agency
    from bluezone.rollout.report_week import Week
    from bluezone.rollout.staffing import week_requests

    week = Week.of(timezone.localdate(now) - 21 * _DAY)
    ward = Agency.objects.get(key="ubnd-xa-duong-quang")
    week_requests.request_reopening(ward, week, "Nộp nhầm số của tuần trước", users["officer", 1280], now)


def _gate(admin, officer, now: datetime.datetime) -> None:
    """A gate of the officer's ward with a gatekeeper."""
    from bluezone.directory.models import Agency
    from bluezone.rollout.gates import registry

    gate = registry.open_gate(admin.username, Agency.objects.get(key="ubnd-xa-duong-quang"), "Cổng chính", now)
    registry.nominate(officer.username, gate, "Hoàng Văn Bình", timezone.localdate(now), now=now)
    registry.open_gate(admin.username, Agency.objects.get(key="van-phong"), "Cổng trụ sở", now)


def _alerts(now: datetime.datetime) -> None:
    """A valid alert and the draft of another, for places that the city's office reaches."""
    from bluezone.directory.models import AdminUnit, Agency
    from bluezone.directory.queries import day_to_show
    from bluezone.messaging.cap.models import Alert

    texts = {
        "headline_vi": "Phát hiện ca mắc tại chợ",
        "headline_en": "Case found at the market",
        "description_vi": "Người đến chợ sáng nay có thể đã tiếp xúc.",
        "description_en": "People at the market this morning may have been exposed.",
        "instruction_vi": "Mở Bluezone. Sốt, ho: gọi trước khi đi khám.",
        "instruction_en": "Open Bluezone. Fever or cough: call first.",
    }
    for sent_at, released_by in ((now, "signer"), (None, "")):
        made = Alert.objects.create(
            identifier=f"bluezone-{'sent' if sent_at else 'draft'}", expires_at=now + _DAY, made_at=now,
            sent_at=sent_at, written_by="editor", released_by=released_by, **texts,
        )  # fmt: skip
        in_force = AdminUnit.objects.valid_on(day_to_show(AdminUnit, timezone.localdate(now)))
        inside = in_force.filter(path__startswith=Agency.objects.get(key="ubnd-tp").unit.path)
        made.units.set(inside.exclude(kind="group").order_by("path")[:2])


def _second_person(admin, now: datetime.datetime) -> None:
    """A third administrator of the city, requested by one administrator; a second person has to confirm."""
    from bluezone.authority import account_acts, two_persons

    third = {"username": "quan.tri.ba", "name": "Lý Thị Ba", "employer": "UBND thành phố"}
    two_persons.request_act("account-made", admin, {**third, **account_acts.role_values("admin", None, None)}, now)


def _visitors(now: datetime.datetime) -> None:
    """A notice that a ward's desk had sent; its message has been purged."""
    from bluezone.directory.models import Agency
    from bluezone.rollout.visitors.models import Notice

    ward = Agency.objects.get(key="ubnd-phuong-song-cau")
    Notice.objects.create(
        house=f"a{ward.pk}", unit=ward.unit, channel="desk", language="en", consent=True, made_at=now,
        day=timezone.localdate(now), made_by="officer",
    )  # fmt: skip
