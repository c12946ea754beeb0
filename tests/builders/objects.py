# SPDX-License-Identifier: Apache-2.0
"""A city with one object of every kind in one ward, and people of every role at every place around it."""

import datetime
import io
from dataclasses import dataclass
from types import SimpleNamespace

from django.test import Client
from django.utils import timezone
from PIL import Image
from tests.builders import bulletins, canvass, coverage, drives, schools, venues
from tests.builders.agencies import write_csv
from tests.builders.directives import DAY, LETTER, NUMBERS, approve_letter, door_to_door, send_letter
from tests.builders.office import prove_second_factor, user
from tests.rollout.directives.exchange.edxml.keys import signer as edxml_signer

from bluezone.authority import role_grants, two_persons
from bluezone.authority.people import people_lists
from bluezone.desk.models import PushBrowser
from bluezone.devices import enrolment
from bluezone.devices.models import DeviceKind
from bluezone.directory.imports import list_imports
from bluezone.directory.models import AdminUnit, Agency, RecipientGroup
from bluezone.healthauthority.codes import issuance as codes
from bluezone.healthauthority.models import OpenedDeclaration
from bluezone.identity.factors.confirmation import SECOND_FACTOR_SECONDS
from bluezone.identity.factors.second_factors import REQUIRING
from bluezone.identity.models import Passkey, Role, RoleGrant, User
from bluezone.identity.objects import Place
from bluezone.messaging.cap.models import Alert
from bluezone.office_keyserver import key_server
from bluezone.planning.people import Ward
from bluezone.planning.plan import Inputs
from bluezone.portal import news
from bluezone.rollout.bulletins.air import air_log, outlets, planner
from bluezone.rollout.bulletins.models import Airing, Bulletin, Sound
from bluezone.rollout.bulletins.texts import approval as bulletins_approval
from bluezone.rollout.bulletins.texts import pronunciation
from bluezone.rollout.canvass.households import decisions as households_decisions
from bluezone.rollout.canvass.households import door_lists
from bluezone.rollout.canvass.models import Aside, Change, DuplicatePair, Household, Photo, Visit
from bluezone.rollout.canvass.visits import intake as visits_intake
from bluezone.rollout.directives.exchange import outgoing, partners, uploads
from bluezone.rollout.directives.exchange.edxml import Business, BusinessKind, Edoc, Organisation, write_message
from bluezone.rollout.directives.inbox import dispatch_acts
from bluezone.rollout.directives.issuance import approval, attachments
from bluezone.rollout.directives.issuance import intake as issuance_intake
from bluezone.rollout.directives.models import (
    Campaign,
    Delivery,
    Directive,
    Dispatch,
    DispatchEvent,
    DispatchState,
)
from bluezone.rollout.directives.reports import agency_reports
from bluezone.rollout.drives import help_queue, help_requests, lifecycle
from bluezone.rollout.drives.models import HelpRequest
from bluezone.rollout.gates import paper_slips, registry
from bluezone.rollout.gates.models import DayPart
from bluezone.rollout.planning.models import CityPlan
from bluezone.rollout.report_week import Week
from bluezone.rollout.schools import school_calendar
from bluezone.rollout.schools.classes import class_lists
from bluezone.rollout.staffing import week_requests
from bluezone.rollout.venues import inspections

WARD_KEY = "ubnd-phuong-song-cau"
BEGINNING = datetime.date(2020, 1, 1)
Scope = Agency | AdminUnit | None
_HOUR = datetime.timedelta(hours=1)


@dataclass(frozen=True)
class Actor:
    """A user with one role at one place, in a signed-in browser."""

    role: str
    place: Place
    scope: Scope
    user: User
    client: Client

    def confirm_again(self) -> None:
        """Prove the second factor again if the proof is old, because the tests before this one may have taken long.

        The changes of a test are rolled back, including this proof; `confirmed_at` keeps the time of the stored one.
        """
        stored = self.client.confirmed_at
        if timezone.now().timestamp() - stored > SECOND_FACTOR_SECONDS / 4:
            prove_second_factor(self.client)
            self.client.confirmed_at = stored

    def __str__(self) -> str:
        return f"{self.role} {self.place.value} ({self.scope.key if self.scope else 'city'})"


class City(SimpleNamespace):
    """The objects by name, each of the ward's People's Committee or of its school; and users at places around them."""

    def __init__(self) -> None:
        super().__init__()
        self.now = timezone.now()
        self.today = timezone.localdate(self.now)
        self._actors: dict[tuple[str, str, Place], list[Actor]] = {}
        self._directory()
        for plant in (
            _accounts, _lists, _health, _devices_and_gates, _letters, _exchange, _staff, _schools, _house_visits,
            _drives, _venues, _bulletins, _public_texts,
        ):  # fmt: skip
            plant(self)
        self._people()
        self._many = user("many", role=None)
        self._many_in = signed_in(self._many)

    def _directory(self) -> None:
        drives.city()
        self.ward = Agency.objects.get(key=WARD_KEY)
        self.unit = self.ward.unit
        self.beside_unit = AdminUnit.objects.get(key="phuong-duc-xuan")
        self.school = coverage.agency("Trường THCS Sông Cầu", self.unit, kind="school", parent=self.ward)
        self.school_beside = coverage.agency("Trường THCS Bắc Kạn", self.unit, kind="school", parent=self.ward)
        self.branch = coverage.agency("Điểm trường Sông Cầu", self.unit, kind="department", parent=self.school)
        self.union = coverage.agency("Đoàn phường Sông Cầu", self.unit, kind="union", parent=self.ward)
        far_unit = coverage.unit("huyện Ba Bể", "district", AdminUnit.objects.get(key="tinh-bac-kan"))
        self.far = coverage.agency("UBND huyện Ba Bể", far_unit, kind="committee")
        # An agency outside all places; some objects need an act of its people.
        self.other = Agency.objects.get(key="ubnd-xa-nong-thuong")
        top, beside = (Agency.objects.get(key=key) for key in ("ubnd-tp", "ubnd-phuong-duc-xuan"))
        self.beside = beside
        elsewhere = [self.beside_unit]
        wide = [self.far]
        self.places: dict[str, dict[Place, list[Scope]]] = {
            "ward": {
                Place.CITY: [None], Place.ABOVE: [top], Place.UNIT: [self.unit], Place.ITSELF: [self.ward],
                Place.BELOW: [self.school], Place.ELSEWHERE: [beside, *elsewhere],
                Place.WIDE: wide,
            },
            "school": {
                Place.CITY: [None], Place.ABOVE: [self.ward], Place.UNIT: [self.unit], Place.ITSELF: [self.school],
                Place.BELOW: [self.branch], Place.ELSEWHERE: [self.school_beside, *elsewhere], Place.WIDE: wide,
            },
        }  # fmt: skip
        self.ward.refresh_from_db()

    def _people(self) -> None:
        """Make all users at once, because users made by a test are rolled back with it."""
        holders: dict[tuple[str, Scope], tuple[User, Client]] = {}
        for centre, around in self.places.items():
            for place, scopes in around.items():
                for role in Role.values:
                    for scope in scopes:
                        if (role, scope) not in holders:
                            name = f"{role}.{scope.key if scope else 'city'}".replace("_", "-")[:40]
                            holder = user(name, role, scope, factor=role in REQUIRING)
                            holders[role, scope] = holder, signed_in(holder)
                        who = Actor(role, place, scope, *holders[role, scope])
                        self._actors.setdefault((centre, role, place), []).append(who)

    def actors(self, role: str, place: Place, centre: str) -> list[Actor]:
        """The users with a role at a place, relative to the ward's committee ("ward") or the school ("school")."""
        return self._actors[centre, role, place]

    def clients(self) -> list[Client]:
        """The browser of each user."""
        clients = {}
        for actors in self._actors.values():
            clients.update({who.user.pk: who.client for who in actors})
        return list(clients.values())

    def at(self, role: str, place: Place = Place.ITSELF, centre: str = "ward") -> Actor:
        """The first user with a role at a place."""
        return self.actors(role, place, centre)[0]

    def astray(self, role: str, others: list[str], centre: str) -> Actor:
        """A user with this role in another agency, and with all other roles in the agency of the object.

        The grants are rolled back with the test.
        """
        here = self.places[centre][Place.ITSELF][0]
        RoleGrant.objects.bulk_create(
            RoleGrant(
                user=self._many, role=held_role, valid_from=BEGINNING, agency=self.beside if held_role == role else here
            )
            for held_role in [role, *others]
        )
        return Actor(f"{role}, all others here,", Place.ELSEWHERE, self.beside, self._many, self._many_in)

    def stranger(self) -> Actor:
        """A user with every role in another agency; rolled back with the test."""
        RoleGrant.objects.bulk_create(
            RoleGrant(user=self._many, role=role, valid_from=BEGINNING, agency=self.beside) for role in Role.values
        )
        return Actor("every role", Place.ELSEWHERE, self.beside, self._many, self._many_in)

    def moved(self, who: User, role: str) -> Actor:
        """This user without the previous roles, and with this role in another agency; rolled back with the test."""
        who.grants.all().delete()
        RoleGrant.objects.create(user=who, role=role, valid_from=BEGINNING, agency=self.beside)
        return Actor(f"{who.username}, now {role}", Place.ELSEWHERE, self.beside, who, signed_in(who))

    def owner(self, who: User) -> Actor:
        """The owner of an object."""
        grant = who.grants.first()
        role, scope = (grant.role, grant.scope) if grant else ("account", None)
        return Actor(role, Place.ELSEWHERE, scope, who, signed_in(who))


def signed_in(who: User) -> Client:
    """A browser in which a user is signed in and has just proved the second factor."""
    client = Client()
    client.force_login(who)
    return prove_second_factor(client)


def png() -> bytes:
    """A small picture."""
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "green").save(out, "PNG")
    return out.getvalue()


def _accounts(city: City) -> None:
    city.account = user("somebody", Role.AUDITOR, city.ward)
    city.grant = city.account.grants.get()
    city.keyholder = user("keyholder", Role.LEADER)
    city.push_browser = PushBrowser.objects.create(
        user=city.keyholder, endpoint="https://updates.push.services.mozilla.com/x", p256dh=b"1", auth=b"1"
    )
    city.passkey = Passkey.objects.create(user=city.keyholder, name="Điện thoại", credential_id=b"1", public_key=b"1")
    city.delegator = user("delegator", Role.LEAD, city.far)
    city.delegation = role_grants.delegate_role(
        city.delegator.grants.get(), user("standin", role=None), city.today, city.today + 5 * DAY, city.today
    )


def people_of(city: City) -> bytes:
    """A list of one clerk of the ward."""
    return write_csv(("Họ và tên", "Cơ quan"), ("Lý Thị Mảy", city.ward.name))


def _lists(city: City) -> None:
    rows = ("Mã đơn vị", "Tên đơn vị", "Loại", "Mã cấp trên"), ("SC-01", "Tổ 1", "tổ dân phố", city.unit.code)
    city.importer = user("importer", Role.ADMIN)
    city.import_list = list_imports.receive_list(city.importer, "units", "to-dan-pho.csv", write_csv(*rows), city.today)
    city.people_importer = user("people-importer", Role.ADMIN)
    city.people_list = people_lists.receive_list(city.people_importer, "p.csv", people_of(city), Role.CLERK)
    city.group = RecipientGroup.objects.get(name="UBND các xã, phường")


def _health(city: City) -> None:
    city.worker = user("worker", Role.HEALTH_WORKER, city.ward)
    made = codes.issue_code(key_server(), city.worker, "confirmed", city.today - 2 * DAY, city.now)
    city.code = made.record
    city.code_ticket = made.ticket
    city.declaration = OpenedDeclaration.objects.create(handle="h1", opened_at=city.now, opened_by=city.worker)


def _devices_and_gates(city: City) -> None:
    city.device, _code = enrolment.create_device("admin", DeviceKind.GATE, "Máy tính bảng 1", city.ward, None, city.now)
    city.tablet, _code = enrolment.create_device("admin", DeviceKind.GATE, "Máy tính bảng 2", city.ward, None, city.now)
    city.gate = registry.open_gate("admin", city.ward, "Cổng chính", city.now)
    badge = registry.nominate("officer", city.gate, "Hoàng Văn Bình", city.today, now=city.now)
    city.gatekeeper = badge.gatekeeper
    city.pin = badge.pin
    counts = dict.fromkeys(paper_slips.COUNTS, 3)
    paper_slips.enter("officer", city.gate, city.today - DAY, DayPart.DAY, counts, city.today)
    city.slip = city.gate.slips.get()


def _letter(city: City, number: int, issuer: Agency, clerk: User) -> Directive:
    text = LETTER.replace("458/UBND-VP", f"{number}/UBND-VP")
    # In a letter of the ward, the names of the city's offices include the level.
    for office in ("Phòng Văn hóa và Thông tin", "Trung tâm Văn hóa, Thể thao và Truyền thông"):
        text = text.replace(office, f"{office} thành phố")
    made = issuance_intake.take_in(text.encode(), "", issuer, clerk, city.now, keep=False)
    made.tasks.filter(lead_names="").update(lead_names="UBND các xã, phường")
    made.tasks.update(due=city.today + 30 * DAY, report_every="week", fields=NUMBERS)
    return made


def _issued(city: City, number: int, issuer: Agency, clerk: User) -> Directive:
    made = _letter(city, number, issuer, clerk)
    send_letter(made, clerk, clerk, city.now)
    # As if it had been sent long ago, so that some weeks are locked.
    made.tasks.update(report_from=city.today - 60 * DAY)
    return Directive.objects.get(pk=made.pk)


def _letters(city: City) -> None:
    """Directives of the ward: a draft with a file, one approved, one sent, with its answers; and one received."""
    clerk = user("clerk", Role.CLERK)
    Agency.objects.filter(pk=city.ward.pk).update(edxml_id="001.22.H03")
    city.ward.refresh_from_db()
    city.draft, city.approved, city.submitted = (_letter(city, number, city.ward, clerk) for number in (470, 471, 473))
    city.seen = approval.submit(city.submitted, clerk, city.now).sha256
    city.file = attachments.add(city.draft, png(), "ban-do.png")
    approve_letter(city.approved, clerk, clerk, city.now)
    city.issued = _issued(city, 472, city.ward, clerk)
    task = door_to_door(city.issued)
    weeks = agency_reports.task_periods(task, city.today)
    city.report = agency_reports.submit(task, city.other, weeks[-1].first, {"people": 9}, "", clerk, city.now)
    city.request = dispatch_acts.ask(task, city.other, "extension", "Mưa lũ", clerk, city.now, city.today + 40 * DAY)
    city.period_request = agency_reports.ask(task, city.other, weeks[0], "Nhập nhầm", clerk, city.now)
    city.sent, city.reported = city.issued.dispatches.filter(purpose="action").exclude(agency=city.other)[:2]
    dispatch_acts.move(city.reported, DispatchState.RECEIVED, clerk, city.now)
    dispatch_acts.move(city.reported, DispatchState.REPORTED, clerk, city.now, note="Đã làm xong")
    got = _issued(city, 458, Agency.objects.get(key="ubnd-tp"), clerk)
    city.dispatch = Dispatch.objects.get(directive=got, agency=city.ward)
    city.party = door_to_door(got).parties.get(agency=city.ward)
    until = city.today + 40 * DAY
    city.own_request = dispatch_acts.ask(door_to_door(got), city.ward, "extension", "Mưa lũ", clerk, city.now, until)
    city.locked = weeks[0].first
    city.campaign = Campaign.objects.create(
        name="Toàn phường cài Bluezone", owner=city.ward, basis="Công văn 472/UBND-VP", aim="Mọi người dân cài.",
        begins=city.today, ends=city.today + 20 * DAY,
    )  # fmt: skip


def _exchange(city: City) -> None:
    """Another office sends files to the ward: a document that was accepted and recalled, and one in preview."""
    admin = user("keeper", Role.ADMIN)
    city.sender = user("exchanger", Role.CLERK, city.ward)
    office = coverage.agency("Sở Y tế", AdminUnit.objects.get(key="tinh-bac-kan"), edxml_id="014.H03")
    theirs = edxml_signer("Sở Y tế", at=city.now)
    city.certificate = partners.pin(office, theirs.certificate, admin, city.now)
    names = Organisation("014.H03", office.name), (Organisation("001.22.H03", city.ward.name),)
    sent = Edoc(*names, "1520", "SYT-NVY", city.today, "V/v hướng dẫn khai báo y tế", signer_name="Tạc Văn Nam")
    recall = Business(BusinessKind.REVOCATION, "Gửi nhầm nơi nhận", sent.document_id)
    recalled = Edoc(*names, "1521", "SYT-NVY", city.today, "V/v thu hồi văn bản", business=recall)
    for document in (sent, recalled):
        waiting = uploads.receive(write_message(document, theirs), "tu-so-y-te.edxml", city.sender, city.now)
        digest = uploads.look(bytes(waiting.content), city.sender, city.now).digest
        uploads.apply(waiting, digest, city.sender, city.now)
    city.from_outside = Dispatch.objects.get(directive__number="1520", agency=city.ward)
    city.event = city.from_outside.events.filter(what="arrived").first()
    city.partner = office
    begun = DispatchEvent.objects.create(dispatch=city.from_outside, what="received", at=city.now, actor=city.sender)
    written = outgoing.write_status(begun, None, city.now)
    city.delivery = Delivery.objects.create(
        file=written.file, dispatch=city.from_outside, partner=office, matter=f"state {begun.pk}",
        content=written.content, next_at=city.now, made_at=city.now,
    )  # fmt: skip
    next_one = Edoc(*names, "1522", "SYT-NVY", city.today, "V/v tập huấn người ghi nhận ra vào")
    city.exchange_file = uploads.receive(write_message(next_one, theirs), "tap-huan.edxml", city.sender, city.now)
    city.to_outside = Dispatch.objects.create(
        directive=city.issued, agency=office, purpose="information", arrived_at=city.now, changed_at=city.now
    )


def _staff(city: City) -> None:
    city.staff_week, city.asked_week = (Week.of(city.today - days * DAY) for days in (21, 28))
    by = user("reporter", Role.OFFICER, city.ward)
    city.week_request = week_requests.request_reopening(city.ward, city.asked_week, "Nộp nhầm", by, city.now)


def _schools(city: City) -> None:
    by = user("head", Role.LEAD, city.school)
    city.teacher = user("teacher", Role.TEACHER, city.school)
    schools.catalogue.add_classes(
        city.school, schools.year_of(schools.this_week()), schools.catalogue.read_list("6A 40\n6B 35"), by, city.now
    )
    city.school_class, city.other_class = (schools.find_class(city.school, name) for name in ("6A", "6B"))
    city.school_class.teacher = city.teacher
    city.school_class.save()
    schools.class_report(city.other_class, 35, 31, 22, 9)
    rows = write_csv(("Lớp", "Sĩ số"), ("6D", "33"))
    city.class_importer = by
    city.class_list = class_lists.receive_list(by, city.school, "lop.csv", rows, city.school_class.year)
    city.opening = school_calendar.request_opening(city.school, city.asked_week, "Nộp nhầm", by, city.now)
    later = Week.of(city.today + 14 * DAY)
    city.school_break = school_calendar.enter_break(city.school, later, later, "Nghỉ Tết", by, city.now)


def _house_visits(city: City) -> None:
    """A list on a phone, with every kind of result."""
    city.turf = canvass.street(city.unit, 6, now=city.now)
    city.free_turf = canvass.street(city.unit, 3, group="Tổ 7", now=city.now)
    for number in range(2):
        canvass.door(city.unit, f"Hộ mới {number}", f"Số {number}", "Tổ 11", made_at=city.now, touched_at=city.now)
    phone = canvass.Phone.leasing(city.turf, city.ward, now=city.now)
    city.phone = phone.device
    city.lease = city.turf.leases.get()
    city.far_phone, _token = canvass.connected_phone(city.far, "Máy 3", city.now)
    city.free_phone, _token = canvass.connected_phone(city.ward, "Máy 2", city.now)
    doors = list(Household.objects.filter(places__turf=city.turf).order_by("places__place"))
    unknown = [f"{int(city.now.timestamp() * 1000) - 5:013d}.0000.x1"]
    entries = [
        phone.entry(doors[0], changes={"head": "Hà Thị Thu"}),
        phone.entry(doors[1], changes={"head": "Nguyễn Văn An"}),
        phone.entry(doors[1], None, changes={"head": "Nguyễn Văn Ân"}),
        phone.entry(doors[2], changes={"head": ("Hà Thị Lan", unknown)}),
        phone.entry(doors[3], at=city.now + 30 * _HOUR),
    ]
    body = phone.push(*entries, last_number=phone.number)
    visits_intake.receive(
        phone.device, visits_intake.Push(body["run"], phone.number, 0, 0, 1, body["entries"]), city.now
    )
    city.household = doors[0]
    city.disputed = doors[1]
    city.disputed.refresh_from_db()
    city.change = Change.objects.get(household=doors[2], field="head", value="Hà Thị Lan")
    city.visit = Visit.objects.filter(household=doors[0]).first()
    Photo.objects.create(visit=city.visit, jpeg=b"\xff\xd8", received_at=city.now)
    city.aside = Aside.objects.get()
    for head in ("Trần Văn Bình", "Tran Van Binh"):
        canvass.door(city.unit, head, "Số 12, ngõ 3", "Tổ 9", made_at=city.now, touched_at=city.now)
    households_decisions.propose(city.unit, city.now)
    city.pair = DuplicatePair.objects.first()
    city.door_importer = user("door-importer", Role.OFFICER, city.ward)
    rows = write_csv(("Chủ hộ", "Địa chỉ", "Tổ dân phố"), ("Lý Văn Páo", "Số 1", "Tổ 20"))
    city.door_list = door_lists.receive(city.door_importer, city.unit, "ho.csv", rows)


def _drives(city: City) -> None:
    """For a team of the ward: a planned drive, a live one with a ticket that waits, and a claimed request."""
    scopes: set[Scope] = set()
    for around in city.places.values():
        scopes.update(*around.values())
    city.teams = {
        agency.pk: lifecycle.create_team("lead", agency, "Tổ công nghệ", 5)
        for agency in scopes
        if isinstance(agency, Agency)
    }
    team = city.teams[city.ward.pk]
    campaign = drives.campaign()
    city.planned, city.live = (
        lifecycle.plan_drive(
            "lead", lifecycle.DriveDetails(campaign, team, city.unit, place, begins, begins + 3 * _HOUR)
        )
        for place, begins in (("Nhà văn hóa", city.now + 48 * _HOUR), ("Chợ", city.now - _HOUR))
    )
    lifecycle.open_drive("lead", city.live, city.now - _HOUR)
    city.ticket = help_requests.join_stall(city.live)
    city.asked, city.held = (drives.help_request(contact=f"0912 000 00{n}", unit=city.unit) for n in range(2))
    help_queue.claim_request("lead", city.held, team, city.now)
    city.held = HelpRequest.objects.get(pk=city.held.pk)


def _venues(city: City) -> None:
    city.applied = venues.applied_venue(city.unit, city.now, name="Quán cà phê Suối Trăng")
    city.venue = venues.approved_venue(city.unit, city.now)
    city.venue_owner = user("owner", Role.VENUE_OWNER, city.far)
    type(city.venue).objects.filter(pk=city.venue.pk).update(owner=city.venue_owner)
    city.venue.refresh_from_db()
    city.inspection = inspections.store_inspection(
        "officer", city.venue, city.today, True, "Treo ở quầy", png(), city.now
    )


def _bulletins(city: City) -> None:
    """Bulletins of the ward: one on air in its zone and at its station, one that waits for approval, an emergency."""
    city.zone = bulletins.zone("Tổ 5", city.ward, by_hand=True)
    device, _token = bulletins.machine(city.zone, now=city.now)
    city.machine = device.speaker
    city.spare, _token = bulletins.connected_device(city.ward, DeviceKind.SPEAKER, "Loa 2", city.now)
    city.bulletin, city.emergency, waits = (_bulletin(city, kind) for kind in ("normal", "emergency", "normal"))
    city.script = waits.scripts.get()
    for bulletin in (city.bulletin, city.emergency):
        approver = bulletins.make_people()[1]
        bulletins.listen_to_end(bulletin.scripts.get(), approver, city.now - 4 * _HOUR)
        bulletins_approval.approve_script(bulletin.scripts.get(), approver, city.now - 3 * _HOUR)
    city.station = bulletins.station(keeper=city.ward)
    city.spoken_word = pronunciation.set_word("Pác Nặm", "pác nậm", bulletins.make_people()[0], city.now)
    local = timezone.localtime(city.now)
    times = sorted({f"{(local - _HOUR).hour:02d}:30", "12:00"})
    for outlet in (city.zone.outlet, city.station):
        outlets.set_quiet_hours("bien", outlet, datetime.time(3), datetime.time(3, 20), city.now - 4 * _HOUR)
        outlet.refresh_from_db()
    first = (local - 2 * _HOUR).date()
    city.schedule = bulletins.schedule_bulletin(
        city.bulletin, city.zone.outlet, city.station, times=times, first=first, now=city.now - 3 * _HOUR
    )
    planner.plan_airings(city.now)
    due = Airing.objects.filter(due_at__lt=city.now).order_by("-due_at")
    city.airing = due.filter(outlet=city.zone.outlet).first()
    city.aired = due.filter(outlet=city.station).first()
    air_log.attest_airing(city.aired, bulletins.make_people()[0], city.now, link="https://example.org/", photo=png())


def _bulletin(city: City, importance: str) -> Bulletin:
    """A bulletin with one version. Its sound is not a playable file, because no test listens to it."""
    writer = bulletins.make_people()[0]
    before = city.now - 5 * _HOUR
    title = f"Cài Bluezone ({importance})"
    made = bulletins.scripts.create_bulletin(writer, city.ward, title, importance, {}, before)
    sound, _made = Sound.objects.get_or_create(
        sha256="0" * 64,
        defaults={"content": b"ID3", "seconds": 2.0, "loudness_lufs": -16.0, "peak_dbtp": -2.0, "is_human": True},
    )
    bulletins.scripts.add_version(made, "vi", bulletins.TEXT, writer, before, machine=None, recording=sound)
    return made


def _public_texts(city: City) -> None:
    texts = {
        "headline_vi": "Phát hiện ca mắc tại chợ", "headline_en": "Case found at the market",
        "description_vi": "Người đến chợ sáng nay có thể đã tiếp xúc.",
        "description_en": "People at the market this morning may have been exposed.",
        "instruction_vi": "Mở Bluezone.", "instruction_en": "Open Bluezone.",
    }  # fmt: skip
    city.alert_texts = texts
    city.alert, city.alert_draft = (
        Alert.objects.create(
            identifier=f"bluezone-{number}", expires_at=city.now + DAY, made_at=city.now, sent_at=sent_at,
            written_by="editor",
            released_by="signer" if sent_at else "", **texts,
        )
        for number, sent_at in enumerate((city.now, None))
    )  # fmt: skip
    for alert in (city.alert, city.alert_draft):
        alert.units.set([city.unit])
    city.plan = CityPlan.objects.create(
        asked_by=user("planner", Role.LEADER), inputs=Inputs((Ward("w", 5000, 0.3),), 5).as_json(), pieces=20
    )
    editor = user("newswriter", Role.EDITOR)
    texts_of_news = news.Texts(
        "Phát loa về Bluezone", "Đài phát lúc 17 giờ.", "Bulletin on the loudspeakers", "On air."
    )
    wide = Alert.objects.create(
        identifier="bluezone-wide", expires_at=city.now + DAY, made_at=city.now, written_by="editor", **texts
    )
    wide.units.set([AdminUnit.objects.get(key="tinh-bac-kan")])
    city.waiting = two_persons.request_act("alert-released", user("asker", Role.ISSUER), {"alert": wide.pk}, city.now)
    city.news_draft, city.news = (news.save_item(texts_of_news, editor, city.now) for _ in range(2))
    news.publish_news_item(city.news, editor, city.now)


def receive(city: City, who: User) -> None:
    """A user acknowledges the directive that the ward received; only the same user can undo it."""
    dispatch_acts.move(city.dispatch, DispatchState.RECEIVED, who, timezone.now())


def hear(city: City, who: User) -> None:
    """A user listens to the whole version that waits."""
    bulletins.listen_to_end(city.script, who, city.now - _HOUR)
