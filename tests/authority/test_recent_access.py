# SPDX-License-Identifier: Apache-2.0
"""Accounts that issue codes, release alerts or administer: asked for by one person, their link taken by another."""

import datetime
import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from tests.authority.test_hostile_insiders import NEW, alert, browser
from tests.builders import drives
from tests.builders.office import user

from bluezone.audit import hash_chain
from bluezone.audit.hash_chain import COMMAND_LINE
from bluezone.authority import recent_access, two_persons
from bluezone.authority.models import WaitingAct
from bluezone.directory.models import AdminUnit, Agency
from bluezone.firstday.city_pack import city_pack
from bluezone.firstday.city_setup import usual_offices
from bluezone.identity.models import AccountLink, AuditEntry, AuthenticatorApp, Role, User, valid_roles

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)
LINK = re.compile(r"/start/[\w-]{43}/")
POWERS = [Role.HEALTH_WORKER, Role.SUPERVISOR, Role.ISSUER, Role.ADMIN]


@pytest.fixture
def ward(server):
    drives.city()
    return Agency.objects.get(key="ubnd-phuong-song-cau")


@pytest.fixture
def top(ward):
    return Agency.objects.get(key="ubnd-tp")


@pytest.fixture
def ward_admin(ward):
    return user("ward.admin", Role.ADMIN, ward)


@pytest.fixture
def root(server):
    return user("root", Role.ADMIN)


def stale(who):
    client = Client()
    client.force_login(who)
    return client


def at_the_server(number):
    said = io.StringIO()
    call_command("confirm_act", str(number), stdout=said)
    return said.getvalue()


# Making an account.


@pytest.mark.parametrize("role", [Role.HEALTH_WORKER, Role.ISSUER, Role.ADMIN])
def test_a_wards_administrator_alone_makes_no_account_that_has_power(ward, ward_admin, role):
    sent = {**NEW, "role": role, "within_agency": ward.pk}
    asked = browser(ward_admin).post("/accounts/new/", sent)

    assert stale(ward_admin).post("/accounts/new/", sent).url.startswith("/confirm/")
    assert asked.url.startswith("/waiting/")
    assert browser(ward_admin).post(asked.url).status_code == 409
    WaitingAct.objects.update(asked_at=timezone.now() - 3 * DAY)
    assert browser(ward_admin).post(asked.url).status_code == 409, "not after days either"
    assert not User.objects.filter(username="nguoi.moi").exists()
    assert not AccountLink.objects.exists()


def test_a_health_supervisor_confirms_a_health_workers_account(ward, ward_admin):
    chief = user("giam.sat", Role.SUPERVISOR)
    other = user("other", Role.ADMIN)
    waits = browser(ward_admin).post(
        "/accounts/new/", {**NEW, "role": "health_worker", "within_agency": ward.pk}
    ).url  # fmt: skip

    assert browser(other).post(waits).status_code == 409, "an administrator is no health supervisor"
    assert "/waiting/" in browser(chief).get("/").text
    assert ward.name in browser(chief).get(waits).text
    made = browser(chief).post(waits)
    assert made.status_code == 201
    assert LINK.search(made.text)
    assert valid_roles(User.objects.get(username="nguoi.moi")) == {"health_worker"}


def test_a_supervisor_of_another_facility_confirms_nothing_here(ward, ward_admin):
    beside = Agency.objects.get(key="ubnd-phuong-duc-xuan")
    theirs, admin = user("theirs", Role.SUPERVISOR, beside), user("other", Role.ADMIN)
    sent = {**NEW, "role": "health_worker", "within_agency": ward.pk}
    waits = browser(ward_admin).post("/accounts/new/", sent).url

    assert browser(theirs).get(waits).status_code == 404
    assert browser(admin).post(waits).status_code == 201, "where no supervisor reaches, an administrator confirms"


@pytest.mark.parametrize("role", [Role.ADMIN, Role.ISSUER])
@pytest.mark.parametrize("where", ["agency", "unit"])
def test_the_citys_own_office_and_the_root_unit_are_the_whole_city(root, top, role, where):
    unit = AdminUnit.objects.get(parent=None)
    sent = {**NEW, "role": role} | ({"within_agency": top.pk} if where == "agency" else {"within_unit": unit.pk})

    assert stale(root).post("/accounts/new/", sent).url.startswith("/confirm/")
    assert browser(root).post("/accounts/new/", sent).url.startswith("/waiting/")
    lead = {**sent, "role": "lead"}
    assert stale(root).post("/accounts/new/", lead).url.startswith("/confirm/"), "every role there takes a fresh proof"


def test_who_signs_for_the_city_is_deactivated_with_a_fresh_proof(root, top):
    signer = user("signer", Role.ISSUER, top)
    page = f"/accounts/{signer.pk}/"

    assert stale(root).post(page, {"name": "x", "agency": "y"}).url.startswith("/confirm/")
    assert User.objects.get(pk=signer.pk).is_active


# Accounts that are there.


@pytest.mark.parametrize("role", POWERS)
def test_link_factor_and_right_to_sign_in_of_such_an_account_take_two(root, ward, role):
    lan = user("lan", role, ward)
    desk = browser(root)
    linked = desk.post(f"/accounts/{lan.pk}/link/")
    freed = desk.post(f"/accounts/{lan.pk}/second-factor/reset/")
    User.objects.filter(pk=lan.pk).update(is_active=False)
    opened = desk.post(f"/accounts/{lan.pk}/", {"name": "x", "agency": "y", "is_active": "on"})

    assert all(answer.url.startswith("/waiting/") for answer in (linked, freed, opened))
    assert AuthenticatorApp.objects.filter(user=lan).exists()
    assert not lan.links.exists()


def test_a_role_that_was_just_ended_still_takes_two(ward, ward_admin):
    lan, desk = user("lan", Role.HEALTH_WORKER, ward), browser(ward_admin)
    assert desk.post(f"/accounts/{lan.pk}/roles/{lan.grants.get().pk}/end/").status_code == 302

    assert desk.post(f"/accounts/{lan.pk}/link/").url.startswith("/waiting/"), "the button Undo brings the role back"
    assert not lan.links.exists()


def test_such_a_role_goes_to_no_account_that_is_still_in_its_makers_hand(ward, ward_admin, monkeypatch):
    desk, chief = browser(ward_admin), browser(user("giam.sat", Role.SUPERVISOR))
    assert desk.post("/accounts/new/", {**NEW, "within_agency": ward.pk}).status_code == 201
    page = f"/accounts/{User.objects.get(username='nguoi.moi').pk}/roles/"
    sent = {"role": "health_worker", "within_agency": ward.pk}

    assert stale(ward_admin).post(page, sent).url.startswith("/confirm/")
    assert desk.post(page, sent).status_code == 409
    monkeypatch.setattr(recent_access, "IN_HAND", datetime.timedelta(0))
    waits = desk.post(page, sent).url
    monkeypatch.undo()
    assert chief.post(waits).status_code == 409, "nor when it is confirmed"
    assert valid_roles(User.objects.get(username="nguoi.moi")) == {"clerk"}


def test_an_account_that_nobody_has_just_handled_gets_such_a_role_from_two(ward, ward_admin):
    lan, chief = user("lan", Role.CLERK, ward), browser(user("giam.sat", Role.SUPERVISOR))
    sent = {"role": "health_worker", "within_agency": ward.pk}
    waits = browser(ward_admin).post(f"/accounts/{lan.pk}/roles/", sent).url

    assert chief.post(waits).status_code == 302
    assert valid_roles(User.objects.get(pk=lan.pk)) == {"clerk", "health_worker"}


# Lists and invitations.


def send(desk, *rows):
    text = "\n".join(",".join(row) for row in (("Họ và tên", "Tên đăng nhập", "Vai trò", "Mã cơ quan"), *rows))
    file = SimpleUploadedFile("l.csv", text.encode())
    return desk.post("/accounts/lists/", {"file": file, "usual_role": "clerk"}, follow=True)


def test_a_list_makes_accounts_of_health_workers_without_a_link_and_gives_nobody_the_role(ward, ward_admin):
    Agency.objects.filter(pk=ward.pk).update(code="SC")
    user("lan", Role.CLERK, ward)
    desk = browser(ward_admin)
    refused = send(desk, ("Nông Thị Lan", "lan", "health_worker", "SC")).context["plan"].refused
    page = send(desk, ("Lý Thị Mảy", "may.ly", "health_worker", "SC"), ("Bàn Văn Ba", "ba.ban", "clerk", "SC"))
    pk, digest = page.context["sent_list"].pk, page.context["preview"].digest
    assert desk.post(f"/accounts/lists/{pk}/apply/", {"digest": digest}).status_code == 302
    may, ba = User.objects.get(username="may.ly"), User.objects.get(username="ba.ban")
    slips = desk.get("/accounts/invitations/").text

    assert [(row.row, row.reason) for row in refused] == [(2, "two")]
    assert not may.links.exists()
    assert "Bàn Văn Ba" in slips
    assert "Lý Thị Mảy" not in slips
    desk.post("/accounts/invitations/make/", {"account": [may.pk, ba.pk]})
    assert not may.links.exists()
    assert desk.post(f"/accounts/{may.pk}/link/").url.startswith("/waiting/")


def test_the_first_days_slips_leave_out_who_signs_and_the_operator_hands_out_that_link(root):
    desk = browser(root)
    place = city_pack().places["01840"]
    page = desk.post("/first-day/places/01840/", {"office": [office.key for office in usual_offices(place)]})
    signer = User.objects.get(grants__role=Role.ISSUER)
    act = WaitingAct.objects.get()

    assert page.status_code == 201
    assert page.text.count('class="slip"') == 33
    assert f"/waiting/{act.pk}/" in page.text
    assert f"bluezone manage confirm_act {act.pk}" in desk.get(f"/waiting/{act.pk}/").text
    assert not signer.links.exists()
    link = LINK.search(at_the_server(act.pk))[0]
    assert Client().get(link).status_code == 200
    again = desk.post("/first-day/invitations/")
    assert signer.username not in LINK.sub("", again.text.split('class="slips"')[1])
    assert Client().get(link).status_code == 200, "the next slips end no link that the operator has handed out"


# The operator's shell.


def test_until_a_city_has_two_administrators_the_operators_shell_is_the_second_hand(root):
    desk = browser(root)
    sent = [{**NEW, "role": "admin"}, {**NEW, "username": "y.te", "role": "supervisor"}]
    acts = [desk.post("/accounts/new/", each).url for each in sent]
    assert not User.objects.filter(username__in=["nguoi.moi", "y.te"]).exists()
    waiting = list(WaitingAct.objects.order_by("pk"))
    links = [LINK.search(at_the_server(act.pk))[0] for act in waiting]
    now = timezone.now()

    assert [f"/waiting/{act.pk}/" for act in waiting] == acts
    assert all(Client().get(link).status_code == 200 for link in links)
    confirmed = AuditEntry.objects.filter(action="act_confirmed")
    assert {(entry.actor, entry.subject) for entry in confirmed} == {(COMMAND_LINE, f"act {act.pk}") for act in waiting}
    assert recent_access.people_with_access(User.objects.get(username="y.te"), now) == {"y.te"}, (
        "the asker never had the link"
    )
    with pytest.raises(CommandError, match="act_gone"):
        at_the_server(waiting[0].pk)


def test_the_operators_shell_lists_what_waits_and_confirms_nothing_that_somebody_of_the_office_could(root):
    other = user("other", Role.ADMIN)
    browser(root).post("/accounts/new/", {**NEW, "role": "admin"})
    act, said = WaitingAct.objects.get(), io.StringIO()
    call_command("confirm_act", stdout=said)

    assert re.search(rf"^{act.pk}\b.*root", said.getvalue(), re.MULTILINE)
    with pytest.raises(CommandError, match="second_person_refused"):
        at_the_server(act.pk)
    other.grants.all().delete()
    assert LINK.search(at_the_server(act.pk))


def test_the_operators_shell_speaks_for_nobody(root, ward):
    wide = alert(ward.unit, Agency.objects.get(key="ubnd-phuong-duc-xuan").unit)
    signer = user("signer", Role.ISSUER)
    type(wide).objects.filter(pk=wide.pk).update(written_by="signer")
    two_persons.request_act("alert-released", signer, {"alert": wide.pk}, timezone.now())
    with pytest.raises(CommandError, match="second_person_refused"):
        at_the_server(WaitingAct.objects.get().pk)
    wide.refresh_from_db()

    assert wide.sent_at is None


# The broken glass, and confirming alone.


def break_glass(who):
    return browser(who).post("/glass/", {"reason": "Vỡ đập, không gọi được ai"})


@pytest.mark.parametrize(
    ("action", "details"), [("account_made", {}), ("link_made", {}), ("factor_removed", {"kind": "all"})]
)
def test_an_account_that_another_has_just_handled_breaks_no_glass(root, top, monkeypatch, action, details):
    signer = user("signer", Role.ISSUER, top)
    hash_chain.record("root", action, "signer", **details)
    refused = break_glass(signer)

    assert refused.status_code == 409
    assert "root" in refused.text
    assert not WaitingAct.objects.exists()
    monkeypatch.setattr(recent_access, "IN_HAND", datetime.timedelta(0))
    assert break_glass(signer).status_code == 302


def test_what_the_operators_shell_has_handled_breaks_the_glass(top):
    signer = user("signer", Role.ISSUER, top)
    hash_chain.record(COMMAND_LINE, "link_made", "signer")

    assert break_glass(signer).status_code == 302


def test_who_signs_is_not_alone_when_the_hands_behind_the_account_shut_the_others_out(root, ward):
    wide = alert(ward.unit, Agency.objects.get(key="ubnd-phuong-duc-xuan").unit, writer="writer")
    user("writer", Role.EDITOR)
    signer, other = user("signer", Role.ISSUER), user("other", Role.ISSUER)
    for username in ("writer", "signer"):
        hash_chain.record("root", "account_made", username)
    assert browser(root).post(f"/accounts/{other.pk}/", {"name": "x", "agency": "y"}).status_code == 302
    waits = browser(signer).post(f"/alerts/{wide.pk}/release/").url
    WaitingAct.objects.update(asked_at=timezone.now() - 2 * DAY)

    assert waits.startswith("/waiting/")
    assert browser(signer).post(waits).status_code == 409
