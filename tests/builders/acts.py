# SPDX-License-Identifier: Apache-2.0
"""For each page of an object: the object in the city of `objects`, and the form that a person with permission sends."""

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from tests.builders.agencies import write_csv
from tests.builders.bulletins import TEXT
from tests.builders.directives import DAY, LETTER
from tests.builders.objects import Actor, City, hear, png, receive
from tests.letters.signedpdfs import letter as signed_letter
from tests.letters.signedpdfs import signed as signed_pdf

from bluezone.authority.people import people_lists
from bluezone.directory.imports import list_imports
from bluezone.identity.objects import Ownership, Place
from bluezone.rollout.canvass import sheets as leaflets
from bluezone.rollout.canvass.households import door_lists
from bluezone.rollout.directives.exchange import uploads
from bluezone.rollout.directives.permissions import HANDLERS
from bluezone.rollout.schools.classes import class_lists

Body = Callable[[City, Actor], dict[str, Any]]


@dataclass(frozen=True)
class Act:
    """One page and the act behind its button.

    arguments: returns the arguments of the address. query: returns its query string.
    body:      returns the body of the POST that succeeds with permission; None for a page without a form.
    page_status: status of the page, None for a button without a page. done_status: status of the answer to the POST.
    changes:   whether the act changes the database; False if it only redirects or returns a file.
    prepare:   does what must have happened before the act; also called for people without permission.
    reading_recorded_for: roles at the places `reading_recorded_at` for which the office records that they have read
        the page.
    foreign_body: as `body`, for an object that the same person may not reach; it must have no effect.
    related_person: returns a person who has to do with the object, and has no permission by that alone.
    ways:      the declared ways of access that apply to this kind of object, None for all.
    roles:     the roles of the audience that may do this kind of act, None for all that the ways name.
    owner:     returns the owner of the object. around: what the places of users are relative to, "ward" or "school".
    is_slow:   whether the answer is slow to make (a PDF), so that only one person with permission is tried.
    refusal_statuses: the statuses of a refusal.
    """

    arguments: Callable[[City], list[Any]]
    body: Body | None = None
    query: Callable[[City], str] = lambda city: ""
    page_status: int | None = 200
    done_status: int = 302
    changes: bool = True
    prepare: Callable[[City, Actor], None] = lambda city, actor: None
    reading_recorded_for: frozenset[str] = frozenset()
    reading_recorded_at: frozenset[Place] = frozenset(Place)
    foreign_body: Body | None = None
    related_person: Callable[[City], Any] | None = None
    ways: tuple[Ownership, ...] | None = None
    roles: frozenset[str] | None = None
    owner: Callable[[City], Any] | None = None
    around: str = "ward"
    is_slow: bool = False
    refusal_statuses: tuple[int, ...] = (403, 404)


def _sound_piece() -> SimpleUploadedFile:
    return SimpleUploadedFile("piece.webm", b"\x1aE\xdf\xa3", "audio/webm")


def of(name: str, attribute: str = "pk") -> Callable[[City], list[Any]]:
    """For `Act.arguments`: the attribute of the city's object with this name."""
    return lambda city: [getattr(getattr(city, name), attribute)]


def read(arguments: Callable[[City], list[Any]], **more: Any) -> Act:
    """The act of a page without a form. more: further values of Act."""
    return Act(arguments, **more)


def press(arguments: Callable[[City], list[Any]], body: Body | dict[str, Any] | None = None, **more: Any) -> Act:
    """The act of a button without a page. more: further values of Act."""
    return form(arguments, body, page_status=None, **more)


def form(arguments: Callable[[City], list[Any]], body: Body | dict[str, Any] | None = None, **more: Any) -> Act:
    """The act of a page with a form. more: further values of Act."""
    return Act(arguments, body if callable(body) else (lambda city, actor: dict(body or {})), **more)


def _figure(kind: str) -> Body:
    return lambda city, actor: {"kind": kind, "value": "40", "source": "Công an", "as_of": str(city.today)}


def _ticket(city: City, actor: Actor) -> dict[str, Any]:
    return {"ticket": city.code_ticket}


def _unit(city: City, actor: Actor) -> dict[str, Any]:
    unit = city.unit
    return {
        "name": "phường Sông Cầu mới", "kind": unit.kind, "parent": unit.parent_id, "code": unit.code,
        "valid_from": str(unit.valid_from), "confirmed": "on",
    }  # fmt: skip


def _agency(city: City, actor: Actor) -> dict[str, Any]:
    ward = city.ward
    return {
        "name": "Ủy ban nhân dân phường Sông Cầu mới", "kind": ward.kind, "unit": ward.unit_id, "short_name": "UBND",
        "parent": "Ủy ban nhân dân thành phố Bắc Kạn", "confirmed": "on", "edxml_id": ward.edxml_id,
        "valid_from": str(ward.valid_from or ""),
    }  # fmt: skip


def _session_of(city: City) -> list[Any]:
    """The handle of another browser session of the key holder, from the key holder's own page."""
    client = Client()
    client.force_login(city.keyholder)
    return [re.findall(r"/sessions/([^/]+)/end/", client.get("/sessions/").text)[-1]]


def _alert(city: City, actor: Actor) -> dict[str, Any]:
    until = timezone.localtime(city.now + DAY).strftime("%Y-%m-%dT%H:%M")
    codes = {"severity": "Severe", "urgency": "Immediate", "certainty": "Observed", "status": "Actual"}
    return {**city.alert_texts, **codes, "units": [city.unit.pk], "expires_at": until}


def _draft(city: City, actor: Actor) -> dict[str, Any]:
    """The values of the draft's form, with another subject."""
    page = city.at("clerk").client.get(f"/directives/{city.draft.pk}/change/")
    sent: dict[str, Any] = dict(_values(page.context["form"]))
    for task in page.context["tasks"]:
        sent.update(_values(task))
    sent.update(_values(page.context["tasks"].management_form))
    return {**sent, "subject": "V/v cài đặt lại Bluezone"}


def _values(form: Any) -> list[tuple[str, Any]]:
    values = []
    for field in form:
        value = field.value()
        if isinstance(value, datetime.date):
            value = value.isoformat()
        if value not in (None, False):
            values.append((field.html_name, value))
    return values


def _campaign(city: City, actor: Actor) -> dict[str, Any]:
    begins = str(city.today)
    ends = str(city.today + 9 * DAY)
    return {"owner": city.ward.pk, "name": "Cài lại", "basis": "CV 472", "aim": "Cài.", "begins": begins, "ends": ends}


def _claim(city: City, actor: Actor) -> dict[str, Any]:
    """The form that claims a request for a team of the actor's agency, else for the ward's team."""
    team = city.teams[city.ward.pk]
    if actor.place.name in ("BELOW", "ELSEWHERE", "WIDE"):
        team = city.teams.get(getattr(actor.scope, "pk", None), team)
    return {"team": team.pk}


def _venue(city: City, actor: Actor) -> dict[str, Any]:
    return {
        "name": "Quán phở Bắc Hồ 2", "address": "Tổ 5", "unit": city.unit.pk, "kind": 4, "stay_minutes": 60,
        "person": "Hoàng Thị Phở", "phone": "0912 345 678",
    }  # fmt: skip


def _classes(city: City, actor: Actor) -> dict[str, Any]:
    pk = city.school_class.pk
    return {f"{pk}-pupils": 40, f"{pk}-with_smartphone": 30, f"{pk}-running": 20, f"{pk}-relatives": 5}


def _schedule(city: City, actor: Actor) -> dict[str, Any]:
    first = str(city.today + DAY)
    # Not at half past: the existing schedule has an airing at half past some hour, depending on the time of the test.
    return {"outlets": [city.station.pk], "languages": ["vi"], "first": first, "times": "18:15", "store": "1"}


def _recording(city: City, actor: Actor) -> dict[str, Any]:
    """A file without sound: these tests check only whether the office reads it at all."""
    return {"language": "vi", "text": TEXT, "file": SimpleUploadedFile("loi.wav", b"no sound", "audio/wav")}


def _picture(city: City, actor: Actor) -> dict[str, Any]:
    return {"file": SimpleUploadedFile("so-do.png", png(), "image/png")}


def _week(name: str) -> Callable[[City], str]:
    return lambda city: f"week={getattr(city, name)}"


def _period(city: City) -> str:
    return f"period={city.locked}"


def make(body: Body | dict[str, Any] | None = None, **more: Any) -> Act:
    """The act of a form that creates an object. The whole audience may open it; the body names the object's agency."""
    return press(lambda city: [], body, **{"refusal_statuses": (403, 404, 422), **more})


def _account(city: City, actor: Actor) -> dict[str, Any]:
    return {
        "username": "nguoi.moi", "name": "Hà Văn Mới", "agency": "UBND phường", "role": "editor",
        "within_agency": city.ward.pk,
    }  # fmt: skip


def _new_unit(city: City, actor: Actor) -> dict[str, Any]:
    return {"name": "Tổ 77", "kind": "group", "parent": city.unit.pk, "confirmed": "on", "valid_from": str(city.today)}


def _new_agency(city: City, actor: Actor) -> dict[str, Any]:
    return {
        "name": "Hội Chữ thập đỏ Sông Cầu", "kind": "union", "unit": city.unit.pk, "parent": city.ward.name,
        "confirmed": "on",
    }  # fmt: skip


def _list(city: City, actor: Actor) -> dict[str, Any]:
    rows = write_csv(
        ("Mã đơn vị", "Tên đơn vị", "Loại", "Mã cấp trên"), ("SC-02", "Tổ 2", "tổ dân phố", city.unit.code)
    )
    return {"about": "units", "file": SimpleUploadedFile("to.csv", rows, "text/csv")}


def _door_file(city: City, actor: Actor) -> dict[str, Any]:
    rows = write_csv(("Chủ hộ", "Địa chỉ", "Tổ dân phố"), ("Lý Văn Páo", "Số 1", "Tổ 21"))
    return {"unit": city.unit.pk, "file": SimpleUploadedFile("ho.csv", rows, "text/csv")}


def _class_file(city: City, actor: Actor) -> dict[str, Any]:
    rows = write_csv(("Lớp", "Sĩ số"), ("6E", "34"))
    return {"school": city.school.pk, "file": SimpleUploadedFile("lop.csv", rows, "text/csv")}


def _printed(city: City, actor: Actor) -> None:
    leaflets.move("lead", "printed", "L1", 100, city.now, None, "")


def _new_drive(city: City, actor: Actor) -> dict[str, Any]:
    return {
        "campaign": city.campaign.pk, "team": city.teams[city.ward.pk].pk, "unit": city.unit.pk, "place": "Chợ",
        "day": str(city.today + DAY), "begins": "08:00", "ends": "11:00",
    }  # fmt: skip


def _bulletin_text(city: City, actor: Actor) -> dict[str, Any]:
    """A form with a text without words: with words, the speech program would need most of a second each time."""
    return {"title": "Cài Bluezone", "importance": "normal", "agency": city.ward.pk, "text_vi": "…", "text_en": ""}


def _break(holder: Callable[[City], str]) -> Body:
    def body(city: City, actor: Actor) -> dict[str, Any]:
        day = str(city.today + 28 * DAY)
        return {"holder": holder(city), "first": day, "last": day, "reason": "Nghỉ lễ"}

    return body


def _at_the_ward(**more: Any) -> Body:
    return lambda city, actor: {"agency": city.ward.pk, **more}


_SIGNERS = frozenset({"issuer"})
_COUNTS = {"pupils": 40, "with_smartphone": 30, "running": 20, "relatives": 5}
_WHY = {"reason": "Nhập nhầm số"}
_school = {"around": "school"}
_class_list = {"owner": lambda city: city.class_importer, "related_person": lambda city: city.class_importer, **_school}


def _house(city: City) -> list[Any]:
    return [f"a{city.ward.pk}"]


_imported = {"owner": lambda city: city.importer, "related_person": lambda city: city.importer}
_people = {"owner": lambda city: city.people_importer}
_COLUMNS = {"column-0": "code", "column-1": "name", "column-2": "kind", "column-3": "parent"}
_DOOR_COLUMNS = {"column-0": "head", "column-1": "group"}
_doors = {"owner": lambda city: city.door_importer, "related_person": lambda city: city.door_importer}
_near_the_venue = {"related_person": lambda city: city.venue_owner}
_sender = {"owner": lambda city: city.sender}
_keyholder = {"owner": lambda city: city.keyholder}

ACTS: dict[str, Act] = {
    # Accounts.
    "second-factor-passkey-remove": press(of("passkey"), **_keyholder),
    "notices-browser-remove": press(of("push_browser"), **_keyholder),
    "session-end": press(_session_of, **_keyholder, changes=False, refusal_statuses=(302,)),
    "account": form(of("account"), {"name": "Ma Thị Hồng", "agency": "Sở Y tế", "is_active": "on"}),
    "account-link": press(of("account"), done_status=201),
    "account-factor-reset": press(of("account")),
    "account-new": make(
        _account,
        done_status=201,
        foreign_body=lambda city, actor: {**_account(city, actor), "within_agency": city.far.pk},
    ),
    "account-role": press(
        of("account"),
        lambda city, actor: {"role": "leader", "within_agency": city.ward.pk},
        foreign_body=lambda city, actor: {"role": "leader", "within_agency": city.far.pk},
    ),
    "waiting-act": form(of("waiting"), roles=_SIGNERS),
    "waiting-withdraw": press(of("waiting"), roles=_SIGNERS),
    "account-role-end": press(lambda city: [city.account.pk, city.grant.pk]),
    "delegation-end": press(of("delegation"), owner=lambda city: city.delegator),
    # Many accounts at once.
    "people-import": read(of("people_list"), **_people),
    "people-import-decide": press(of("people_list"), {"conversion": "keep"}, **_people),
    "people-import-columns": form(
        of("people_list"), {"sheet": "0", "header_row": "1", "column-0": "name", "column-1": "agency"}, **_people
    ),
    "people-import-fix": press(of("people_list"), {"fix-2-name": "Nông Thị Lan"}, **_people),
    "people-import-apply": press(
        of("people_list"), lambda city, actor: {"digest": people_lists.preview_list(city.people_list).digest}, **_people
    ),
    "people-import-discard": press(of("people_list"), **_people),
    "people-import-marked": read(of("people_list"), **_people),
    # The directory.
    "unit-new": make(_new_unit),
    "agency-new": make(
        _new_agency,
        foreign_body=lambda city, actor: {**_new_agency(city, actor), "unit": city.far.unit_id},
    ),
    "recipients-new": make({"name": "Các trường", "purpose": "information"}),
    "imports": make(_list),
    "unit": read(of("unit")),
    "unit-change": form(
        of("unit"), _unit, foreign_body=lambda city, actor: {**_unit(city, actor), "parent": city.far.unit_id}
    ),
    "unit-figure": press(of("unit"), _figure("population")),
    "agency": read(of("ward")),
    "agency-change": form(
        of("ward"), _agency, foreign_body=lambda city, actor: {**_agency(city, actor), "parent": city.far.name}
    ),
    "agency-figure": press(of("ward"), _figure("staff")),
    "recipients": read(of("group")),
    "recipients-change": form(of("group"), {"name": "UBND xã, phường", "purpose": "action"}),
    "recipients-add": press(of("group"), lambda city, actor: {"agency": city.far.pk}),
    "recipients-remove": press(lambda city: [city.group.pk, city.ward.pk]),
    "import": read(of("import_list"), **_imported),
    "import-decide": press(of("import_list"), {"conversion": "keep"}, **_imported),
    "import-apply": press(
        of("import_list"),
        lambda city, actor: {"digest": list_imports.preview_list(city.import_list).digest},
        **_imported,
    ),
    "import-discard": press(of("import_list"), **_imported),
    "import-marked": read(of("import_list"), **_imported),
    "import-columns": form(of("import_list"), {"sheet": "0", "header_row": "1", **_COLUMNS}, **_imported),
    "import-fix": press(of("import_list"), {"fix-2-name": "Tổ 9"}, **_imported),
    # The first day.
    "first-day-places": read(lambda city: []),
    "first-day-place": form(lambda city: ["26732"], {"office": ["tram-y-te"]}, done_status=201, is_slow=True),
    "first-day-invitations": form(lambda city: [], {}, done_status=201, is_slow=True),
    "first-day-stations": form(lambda city: [], {}, changes=False),
    "first-day-demo": form(lambda city: [], {"remove": "1"}),
    "first-day-phone": read(lambda city: []),
    "first-day-phone-state": read(lambda city: []),
    "first-day-trial": form(lambda city: ["key"], {"code": "0000"}, done_status=422, changes=False),
    # The health authority.
    "code-state": press(of("code"), _ticket, owner=lambda city: city.worker, done_status=200, changes=False),
    "code-revoke": form(of("code"), _ticket, owner=lambda city: city.worker, changes=False),
    "code-declaration-called": press(of("declaration", "handle"), done_status=204),
    "code-declarations": form(lambda city: [], {"store": "1"}, done_status=422, changes=False),
    "code-declaration-key": form(lambda city: [], {"store": "1"}, done_status=422, changes=False),
    "code-declaration-phrase": form(lambda city: [], {"store": "1"}, done_status=422, changes=False),
    # Devices.
    "device-new": make(
        _at_the_ward(kind="gate", name="Máy 9"),
        done_status=201,
        foreign_body=lambda city, actor: {"kind": "gate", "name": "Máy 9", "agency": city.far.pk},
    ),
    "device": read(of("device")),
    "device-code": press(of("device"), done_status=201),
    "device-revoke": form(of("device")),
    # Alerts.
    "alert-new": make(_alert, foreign_body=lambda city, actor: {**_alert(city, actor), "units": [city.far.unit_id]}),
    "alert": read(of("alert")),
    "alert-edit": form(of("alert_draft"), _alert),
    "alert-update": form(of("alert"), _alert),
    "alert-release": press(of("alert_draft")),
    "alert-cancel": press(of("alert")),
    "alert-file": read(of("alert")),
    # Coverage.
    "coverage-unit": read(of("unit")),
    "coverage-numbers": read(of("unit")),
    "coverage-priority": read(of("unit")),
    "coverage-league": read(of("unit")),
    "coverage-trend": read(of("unit")),
    "coverage-report": read(of("unit")),
    "coverage-written": read(
        lambda city: [city.unit.pk, "xlsx"],
        query=lambda city: "issuer=UBND&place=Bắc Kạn&signer_position=CT&signer_name=Ký&number=1&notation=BC",
    ),
    # The staff report.
    "staff-paste": make(lambda city, actor: {"rows": f"{city.ward.name}\t40\t36\t9\t4\t3", "store": "1"}),
    "staff-report": form(
        of("ward"), {"staff": 40, "with_smartphone": 36, "running": 9, "web_edition": 4, "reminded": 3}
    ),
    "staff-ask": press(of("ward"), _WHY, query=_week("staff_week")),
    "staff-answer": press(of("week_request"), {"granted": "1"}),
    "staff-reopen": press(of("ward"), _WHY, query=_week("staff_week")),
    # Directives of the ward.
    "directive-new": make(
        lambda city, actor: {"issuer": city.ward.pk, "text": LETTER.replace("458/UBND-VP", "499/UBND-VP")}
    ),
    "campaign-new": make(_campaign),
    "directive": read(of("issued")),
    "directive-change": form(of("draft"), _draft),
    "directive-submit": press(of("draft")),
    "directive-approve": form(
        of("submitted"),
        lambda city, actor: {"seen": city.seen, "for_another": "on"},
        reading_recorded_for=frozenset({"issuer"}),
    ),
    "directive-return": press(of("submitted"), _WHY),
    "directive-remark": press(of("draft"), {"text": "Xem lại nhiệm vụ 2"}),
    "directive-delete": press(of("draft")),
    "directive-signed-copy": press(
        of("approved"), lambda city, actor: {"file": SimpleUploadedFile("ky.pdf", signed_pdf(signed_letter("Ký")))}
    ),
    "directive-number": press(of("approved"), lambda city, actor: {"number": "481", "date": str(city.today)}),
    "directive-add-recipient": press(
        of("issued"), lambda city, actor: {"name": city.branch.name, "purpose": "information", "on_paper": "on"}
    ),
    "dispatch-recall": press(of("sent"), _WHY),
    "dispatch-hand-over": press(of("sent"), {"note": "Giao tại bộ phận một cửa"}),
    "dispatch-completion": press(of("reported"), {"accept": "1"}),
    "directive-reopen": press(of("approved")),
    "directive-issue": press(of("approved"), {"on_paper": "on"}),
    "directive-revoke": press(of("issued"), _WHY),
    "directive-progress": read(of("issued")),
    "directive-file": read(lambda city: [city.issued.pk, "xlsx"]),
    "directive-late": read(of("issued")),
    "directive-seal": read(of("issued")),
    "directive-attachments": form(of("draft"), _picture),
    "directive-attachment-delete": press(of("draft"), lambda city, actor: {"token": city.file.token}),
    "file": read(of("file", "token")),
    "file-page": read(lambda city: [city.file.token, 0]),
    "campaign": read(of("campaign")),
    "campaign-change": form(
        of("campaign"), _campaign, foreign_body=lambda city, actor: {**_campaign(city, actor), "owner": city.far.pk}
    ),
    "report-check": press(of("report"), {"accept": "1"}),
    "request-answer": press(of("request"), {"granted": "1", "answer": "Được"}),
    "period-answer": press(of("period_request"), {"granted": "1"}),
    # Directives that the ward received.
    "inbox-one": read(
        of("dispatch"), reading_recorded_for=frozenset(HANDLERS), reading_recorded_at=Ownership.DESK.places
    ),
    "request-withdraw": press(of("own_request")),
    "inbox-seal": read(of("dispatch")),
    "inbox-act": press(of("dispatch"), {"to": "received"}),
    "inbox-undo": press(of("dispatch"), prepare=lambda city, actor: receive(city, actor.user)),
    "inbox-pass": press(
        of("dispatch"),
        lambda city, actor: {"agency": [city.school.pk]},
        prepare=lambda city, actor: receive(city, actor.user),
    ),
    "task-ask": form(of("party"), lambda city, actor: {"kind": "change", "reason": "Không có người", "until": ""}),
    "task-report": form(of("party"), lambda city, actor: {"people": 3, "text": "Đã làm"}),
    "task-reopen": press(of("party"), _WHY, query=_period),
    # Exchange by files.
    "directive-exchange-look": read(of("exchange_file"), **_sender),
    "directive-exchange-apply": press(
        of("exchange_file"),
        lambda city, actor: {"digest": uploads.look(bytes(city.exchange_file.content), city.sender, city.now).digest},
        **_sender,
    ),
    "directive-exchange-discard": press(of("exchange_file"), **_sender),
    "directive-edxml": press(of("to_outside"), done_status=200),
    "directive-status-file": press(of("event"), done_status=200),
    "directive-certificates": read(lambda city: []),
    "directive-certificate-new": form(lambda city: [], {"store": "1"}, done_status=422, changes=False),
    "directive-certificate-remove": press(of("certificate")),
    "directive-partner-address": form(of("partner"), {"url": "https://vanthu.example"}),
    "directive-delivery-again": press(of("delivery")),
    "inbox-answer-recall": press(of("from_outside"), {"agree": "1"}),
    # Gates.
    "gate-new": make(_at_the_ward(name="Cổng sau")),
    "gate": read(of("gate")),
    "gate-close": form(of("gate")),
    "gate-tablet": press(of("gate"), lambda city, actor: {"device": city.tablet.pk}),
    "gate-inside": press(of("gate"), {"number": 5}),
    "gate-sign": read(of("gate")),
    "gate-book": read(of("gate")),
    "gate-tally": read(of("gate")),
    "gate-paper": form(of("gate"), lambda city, actor: {"day": str(city.today), "part": "day", "told": 4}),
    "gate-paper-remove": press(of("gate"), query=lambda city: f"slip={city.slip.pk}"),
    "gatekeeper-new": form(
        of("gate"), lambda city, actor: {"name": "Lý Văn Páo", "since": str(city.today)}, done_status=201
    ),
    "gatekeeper-renew": press(of("gatekeeper"), done_status=201),
    "gatekeeper-badge": press(
        of("gatekeeper"), lambda city, actor: {"pin": city.pin}, done_status=200, changes=False, is_slow=True
    ),
    "gatekeeper-end": form(of("gatekeeper"), lambda city, actor: {"until": str(city.today)}),
    # House visits.
    "canvass-household": form(
        of("household"),
        {"address": "Số 9", "head": "Lý Văn Páo", "group": "Tổ 5", "smartphones": 1, "note": ""},
    ),
    "canvass-household-photo": read(lambda city: [city.household.pk, city.visit.pk]),
    "canvass-choose": press(of("disputed"), {"field": "head", "value": "Nguyễn Văn An"}),
    "canvass-import": read(of("door_list"), **_doors),
    "canvass-import-decide": press(of("door_list"), {"conversion": "keep"}, **_doors),
    "canvass-import-apply": press(
        of("door_list"), lambda city, actor: {"digest": door_lists.preview(city.door_list).digest}, **_doors
    ),
    "canvass-import-discard": press(of("door_list"), **_doors),
    "canvass-import-marked": read(of("door_list"), **_doors),
    "canvass-import-columns": form(of("door_list"), {"sheet": "0", "header_row": "1", **_DOOR_COLUMNS}, **_doors),
    "canvass-import-fix": press(of("door_list"), {"fix-2-note": "cổng sau"}, **_doors),
    "canvass-household-file": read(of("unit")),
    "canvass-household-csv": read(of("unit")),
    "canvass-imports": make(_door_file),
    "canvass-leaflets": make(
        lambda city, actor: {"kind": "ward", "lot": "L1", "unit": city.unit.pk, "count": 5}, prepare=_printed
    ),
    "canvass-turf-new": form(of("unit"), {"group": "Tổ 11"}),
    "canvass-turf": read(of("turf")),
    "canvass-turf-give": press(
        of("free_turf"),
        lambda city, actor: {"device": city.free_phone.pk, "days": 3},
        foreign_body=lambda city, actor: {"device": city.far_phone.pk, "days": 3},
    ),
    "canvass-turf-close": press(of("free_turf")),
    "canvass-sheet": read(of("turf"), is_slow=True),
    "canvass-sheet-enter": form(
        lambda city: [city.free_turf.pk, 1], lambda city, actor: {"day": str(city.today), "outcome-1": "3"}
    ),
    "canvass-lease-end": press(of("lease")),
    "canvass-phone-lost": press(of("phone")),
    "canvass-force": press(of("change")),
    "canvass-pairs-look": press(of("unit"), changes=False),
    "canvass-pair": press(of("pair"), {"decision": "apart"}),
    "canvass-aside": press(of("aside"), {"decision": "dismiss"}),
    # Visitors.
    "visitors-states": read(_house),
    "visitors-states:of a venue": read(
        lambda city: [f"v{city.venue.pk}"], ways=(Ownership.OWN,), owner=lambda city: city.venue_owner
    ),
    # Drives and help.
    "drive-new": make(_new_drive),
    "team-new": make(lambda city, actor: {"agency": city.union.pk, "name": "Tổ 9", "people": 4}),
    "drive": read(of("live")),
    "drive-open": press(of("planned")),
    "drive-close": form(of("live")),
    "drive-walk-in": press(of("live")),
    "drive-tally": form(of("live"), {"sheet": 1, "running": 2, "other_help": 1, "no_smartphone": 0, "could_not": 0}),
    "drive-tally-sheet": read(of("live")),
    "drive-stall-sheet": read(of("live")),
    "help-claim": press(
        of("asked"),
        _claim,
        ways=(Ownership.SERVED,),
        foreign_body=lambda city, actor: {"team": city.teams[city.far.pk].pk},
    ),
    "help-claim:at a stall": press(
        of("ticket"),
        lambda city, actor: {**_claim(city, actor), "drive": city.live.pk},
        ways=(Ownership.AGENCY,),
    ),
    "help-release": press(of("held")),
    "help-done": press(of("held"), {"proof": "none"}),
    "help-cannot": press(of("held"), {"hindrance": "no_smartphone"}),
    # Venues.
    "venue-new": make(_venue, foreign_body=lambda city, actor: {**_venue(city, actor), "unit": city.beside_unit.pk}),
    "venue": read(of("venue"), owner=lambda city: city.venue_owner),
    "venue-change": form(
        of("venue"),
        _venue,
        foreign_body=lambda city, actor: {**_venue(city, actor), "unit": city.beside_unit.pk},
        **_near_the_venue,
    ),
    "venue-approve": press(of("applied")),
    "venue-refuse": press(of("applied"), _WHY),
    "venue-renew": form(of("venue"), **_near_the_venue),
    "venue-suspend": press(of("venue"), _WHY, **_near_the_venue),
    "venue-close": form(of("venue"), **_near_the_venue),
    "venue-till": press(of("venue"), owner=lambda city: city.venue_owner),
    "venue-inspect": form(of("venue"), lambda city, actor: {"day": str(city.today), "poster_seen": "on"}),
    "venue-photo": read(lambda city: [city.venue.pk, city.inspection.pk]),
    "venue-poster": read(of("venue"), owner=lambda city: city.venue_owner, is_slow=True),
    "venue-card": read(of("venue"), owner=lambda city: city.venue_owner, is_slow=True),
    # Schools.
    "school": read(of("school"), **_school),
    "school-enter": form(of("school"), _classes, **_school),
    "school-paste": form(of("school"), {"rows": "6A\t40\t30\t20\t5", "store": "1"}, **_school),
    "school-classes": form(of("school"), {"classes": "6C 30"}, **_school),
    "school-class-file": read(of("school"), **_school),
    "school-class-csv": read(of("school"), **_school),
    "class-imports": make(_class_file, ways=(Ownership.ITSELF,), **_school),
    "class-import": read(of("class_list"), **_class_list),
    "class-import-decide": press(of("class_list"), {"conversion": "keep"}, **_class_list),
    "class-import-columns": form(
        of("class_list"), {"sheet": "0", "header_row": "1", "column-0": "name", "column-1": "pupils"}, **_class_list
    ),
    "class-import-fix": press(of("class_list"), {"fix-2-pupils": "34"}, **_class_list),
    "class-import-apply": press(
        of("class_list"),
        lambda city, actor: {"digest": class_lists.preview_list(city.class_list).digest},
        **_class_list,
    ),
    "class-import-discard": press(of("class_list"), **_class_list),
    "class-import-marked": read(of("class_list"), **_class_list),
    "school-links": press(of("school"), done_status=200, **_school),
    "school-back": press(of("school"), _WHY, **_school),
    "school-ask": press(of("school"), _WHY, query=_week("staff_week"), **_school),
    "school-answer": press(of("opening"), {"granted": "1"}, **_school),
    "school-break-cancel": press(of("school_break"), **_school),
    "school-breaks": make(_break(lambda city: f"s{city.school.pk}"), ways=(Ownership.ITSELF,), **_school),
    "school-breaks:of a unit": make(_break(lambda city: f"u{city.unit.pk}"), ways=(Ownership.OVER,), **_school),
    "school-letter": read(of("school"), **_school),
    "school-form": read(of("school"), **_school),
    "school-class": form(of("school_class"), _COUNTS, owner=lambda city: city.teacher, **_school),
    "school-class-correct": press(
        of("school_class"), {"name": "6A1", "pupils": 41}, **_school, related_person=lambda city: city.teacher
    ),
    # Bulletins and their airing.
    "bulletin-new": make(_bulletin_text),
    "spoken-words": form(lambda city: [], {"written": "ABK", "said": "a bê ca"}),
    "spoken-word-remove": press(of("spoken_word")),
    "outlet-new": make(_at_the_ward(kind="radio", name="Đài phường")),
    "outlet-lend": form(of("station"), lambda city, actor: {"lent_to": [city.far.pk]}),
    "zone-new": make(_at_the_ward(name="Tổ 6")),
    "bulletin": read(of("bulletin")),
    "bulletin:that waits": read(lambda city: [city.script.bulletin_id]),
    "bulletin-write": form(of("bulletin"), {"language": "tay", "text": TEXT}),
    "bulletin-record": form(of("bulletin"), _recording, done_status=422, changes=False),
    "bulletin-withdraw": form(of("bulletin"), _WHY),
    "bulletin-now": form(of("emergency"), lambda city, actor: {"outlets": [city.station.pk]}),
    "schedule-new": form(of("bulletin"), _schedule),
    "schedule": read(of("schedule")),
    "schedule-stop": press(of("schedule")),
    "schedule-leave-out": press(of("schedule"), lambda city, actor: {"day": str(city.today + DAY)}),
    "schedule-first": press(of("schedule")),
    "script-sound": read(of("script")),
    "script-listening": press(of("script"), {"stage": "begun"}, done_status=200),
    "script-approve": press(of("script"), prepare=lambda city, actor: hear(city, actor.user)),
    "airing-aired": press(of("airing")),
    "airing-attest": form(of("airing"), {"was_aired": "1"}),
    "airing-photo": read(of("aired")),
    # Loudspeakers.
    "zone": read(of("zone")),
    "zone-set": press(of("zone"), {"volume": 55, "quiet_from": "21:00", "quiet_to": "05:00"}),
    "zone-stop": press(of("zone"), query=lambda city: f"schedule={city.schedule.pk}"),
    "zone-machine": press(of("zone"), lambda city, actor: {"device": city.spare.pk}),
    "zone-live": form(
        of("zone"), lambda city, actor: {"number": 0, "sound": _sound_piece(), "last": "1"}, done_status=200
    ),
    "zone-stick": read(of("zone")),
    "zone-paper": read(of("zone")),
    "machine-volume": press(of("machine"), {"volume": 40}),
    # News.
    "plan": read(of("plan")),
    "plan-stop": press(of("plan")),
    "news-preview": form(of("news_draft")),
    "news-edit": form(of("news_draft"), {"title_vi": "Tin", "body_vi": "Mới", "title_en": "News", "body_en": "New"}),
    "news-withdraw": form(of("news"), {"note": "Đăng nhầm"}),
}
