# SPDX-License-Identifier: Apache-2.0
"""Coming in, going out, and overseeing accounts, through the pages."""

import datetime
import re
import unicodedata

import pytest
from django.contrib.auth.hashers import make_password
from django.urls import reverse
from django.utils import timezone
from tests.builders.office import PASSWORD, app_code, prove_second_factor, user

from bluezone.authority.people import accounts
from bluezone.identity.models import AuditEntry, Role, SignInFailure, User, valid_roles
from bluezone.protocol.upload.puzzle import solve_puzzle

pytestmark = pytest.mark.django_db
ENGLISH = {"bluezone-language": "en"}


@pytest.fixture
def english(client):
    client.cookies.load(ENGLISH)
    return client


def sign_in(client, name="lan", password=PASSWORD, **more):
    return client.post("/sign-in/", {"username": name, "password": password, **more})


def second_step(client):
    return client.post("/sign-in/second/", {"code": app_code()})


@pytest.mark.parametrize("role", [Role.HEALTH_WORKER, Role.SUPERVISOR, Role.ADMIN])
def test_after_sign_in_each_role_is_at_home(client, role, server):
    user("lan", role)

    assert sign_in(client).url == "/sign-in/second/"
    assert second_step(client).url == reverse("first-page")
    assert "Việc của tôi" in client.get("/").text


def test_a_name_and_a_password_are_the_same_from_every_keyboard_and_with_a_blank_that_was_pasted(client):
    lan = user("lan")
    for stored in (unicodedata.normalize("NFC", PASSWORD), unicodedata.normalize("NFD", PASSWORD)):
        lan.set_password(stored)
        lan.save()
        for typed in (stored, unicodedata.normalize("NFD", PASSWORD), f"{PASSWORD} ", f"\u00a0{PASSWORD}\n"):
            assert sign_in(client, "Lan\u200b ", typed).status_code == 302
            client.post("/sign-out/")
    assert sign_in(client, password=PASSWORD.upper()).status_code == 422
    lan.password = make_password(unicodedata.normalize("NFD", PASSWORD))
    lan.save()
    assert sign_in(client, password=unicodedata.normalize("NFD", PASSWORD)).status_code == 302, "stored before"


def test_letters_that_a_vietnamese_keyboard_made_of_a_code_count_as_no_try(english):
    user("lan")
    sign_in(english)
    answer = english.post("/sign-in/second/", {"code": "á3fwk-23456"})

    assert answer.status_code == 422
    assert "Switch it to English" in answer.text
    assert SignInFailure.objects.count() == 0


def test_sign_in_goes_on_to_the_page_that_was_asked_for(client):
    user("lan")
    asked = client.get("/codes/new/")

    assert asked.url == "/sign-in/?next=/codes/new/"
    sign_in(client, next="/codes/new/")
    assert second_step(client).url == "/codes/new/"


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_sign_in_never_leads_to_another_site(client, address):
    user("lan")
    sign_in(client, next=address)

    assert second_step(client).url == "/"


def test_a_wrong_password_says_what_to_do_and_does_not_repeat_it(english):
    user("lan")
    answer = sign_in(english, password="not the password")

    assert answer.status_code == 422
    assert "do not match" in answer.text
    assert "not the password" not in answer.text


def test_in_an_own_browser_too_many_tries_go_on_with_a_puzzle_and_are_told_how(english):
    user("lan", factor=False)
    assert sign_in(english).status_code == 302
    english.post("/sign-out/")
    for _ in range(15):
        assert sign_in(english, password="wrong").status_code == 422
    asked = sign_in(english)
    challenge = re.search(r'data-challenge="([0-9a-f]{64})"', asked.text)[1]

    assert asked.status_code == 429
    assert "your browser has to do some work" in asked.text
    assert PASSWORD not in asked.text
    solved = challenge + solve_puzzle(bytes.fromhex(challenge)).hex()
    assert sign_in(english, puzzle=solved).status_code == 302


def test_signing_out_ends_the_session_and_needs_a_post(client):
    client.force_login(user("lan"))

    assert client.get("/sign-out/").status_code == 405
    client.post("/sign-out/")
    assert client.get("/codes/").status_code == 302


def test_a_one_time_link_leads_into_the_account_and_is_gone_afterwards(english):
    _, token = accounts.create_account_with_link("admin", "lan", "", "Trạm Y tế", Role.HEALTH_WORKER, timezone.now())
    page = f"/start/{token}/"
    assert english.get(page).status_code == 200
    form = {"name": "Nông Thị Lan", "password": PASSWORD, "again": PASSWORD}

    assert english.post(page, {**form, "again": "different one"}).status_code == 422
    assert english.post(page, {**form, "password": "1234567890", "again": "1234567890"}).status_code == 422
    assert english.post(page, form).status_code == 302
    assert english.get("/").url == "/second-factor/", "a health worker needs a second factor first"
    gone = english.get(page)
    assert gone.status_code == 410
    assert "no longer works" in gone.text


def test_an_invitation_past_its_72_hours_is_refused_with_whom_to_ask_and_makes_no_password(client):
    made_at = timezone.now() - datetime.timedelta(hours=72, minutes=1)
    account, token = accounts.create_account_with_link("admin", "lan", "", "Trạm Y tế", Role.HEALTH_WORKER, made_at)
    form = {"name": "Nông Thị Lan", "password": PASSWORD, "again": PASSWORD}

    for answer in (client.get(f"/start/{token}/"), client.post(f"/start/{token}/", form)):
        assert answer.status_code == 410
        assert "quá 72 giờ" in answer.text
        assert "xin quản trị viên" in answer.text
    account.refresh_from_db()
    assert not account.has_usable_password()


def test_a_new_password_signs_other_browsers_out(client, django_user_model):
    from django.test import Client

    lan, elsewhere = user("lan"), Client()
    client.force_login(lan)
    elsewhere.force_login(lan)
    new = "một câu mới thật dài"

    wrong = client.post("/password/", {"present": "wrong", "password": new, "again": new})
    assert wrong.status_code == 422
    assert client.post("/password/", {"present": PASSWORD, "password": new, "again": new}).status_code == 302
    assert client.get("/password/").status_code == 200
    assert elsewhere.get("/password/").status_code == 302
    assert AuditEntry.objects.get().action == "password_set"


@pytest.mark.long
def test_an_administrator_makes_an_account_and_gets_its_link_once(english):
    english.force_login(user("root", Role.ADMIN))
    prove_second_factor(english)
    form = {"name": "Nông Thị Lan", "agency": "Trạm Y tế", "username": "lan", "role": "clerk"}
    made = english.post("/accounts/new/", form)

    assert made.status_code == 201
    link = re.search(r"http://testserver(/start/\S+/)<", made.text)[1]
    assert english.get(link).status_code == 200
    assert "<svg" in made.text.split('class="qr-frame"')[1]
    text = re.search(r'id="text">([^<]+)<', made.text)[1]
    assert link in text
    assert "Clerk" in text
    assert made.headers["Cache-Control"] == "no-store"
    assert "There is already an account" in english.post("/accounts/new/", form).text
    assert english.post("/accounts/new/", {**form, "username": "Nông Lan"}).status_code == 422


def test_a_deactivated_person_is_out_at_once(client):
    from django.test import Client

    root, lan = Client(), user("lan")
    root.force_login(user("root", Role.ADMIN))
    prove_second_factor(root)
    client.force_login(lan)
    assert client.get("/password/").status_code == 200

    changed = root.post(f"/accounts/{lan.pk}/", {"name": lan.name, "agency": lan.agency})

    assert changed.status_code == 302
    assert client.get("/password/").status_code == 302
    assert sign_in(client).status_code == 422


def test_the_last_administrator_is_told_why_nothing_changed(english):
    root = user("root", Role.ADMIN)
    english.force_login(root)
    prove_second_factor(english)
    answer = english.post(f"/accounts/{root.pk}/", {"name": "x", "agency": "y"})

    assert answer.status_code == 409
    assert "last administrator" in answer.text
    ended = english.post(f"/accounts/{root.pk}/roles/{root.grants.get().pk}/end/", follow=True)
    assert "last administrator" in ended.text
    assert list(User.objects.with_roles([Role.ADMIN])) == [root]


def test_a_new_link_for_a_forgotten_password(english):
    english.force_login(user("root", Role.ADMIN))
    prove_second_factor(english)
    lan = user("lan", Role.CLERK)
    made = english.post(f"/accounts/{lan.pk}/link/")

    assert made.status_code == 201
    assert sign_in(english, "lan").status_code == 302, "the old password works until the link is used"


def test_an_account_is_made_for_a_role_in_one_unit_until_a_day(english):
    from tests.builders.agencies import plant_seed

    from bluezone.directory.kinds import UnitKind
    from bluezone.directory.models import AdminUnit, Agency
    from bluezone.directory.scopes import has_role

    plant_seed()
    ward, other = AdminUnit.objects.valid_on(timezone.localdate()).filter(kind=UnitKind.WARD)[:2]
    english.force_login(user("root", Role.ADMIN))
    last_day = timezone.localdate() + datetime.timedelta(days=30)
    form = {"name": "Bàn Văn Ba", "agency": "UBND phường", "username": "ba.ban", "role": "lead"}

    both = english.post("/accounts/new/", {**form, "within_unit": ward.pk, "within_agency": Agency.objects.first().pk})
    assert both.status_code == 422
    assert not User.objects.filter(username="ba.ban").exists()
    made = english.post("/accounts/new/", {**form, "within_unit": ward.pk, "last_day": str(last_day)})
    assert made.status_code == 201, re.findall(r'class="wrong"[^<]*<', made.text)
    assert ward.name in made.text
    account = User.objects.get(username="ba.ban")
    assert has_role(account, [Role.LEAD], unit=ward)
    assert not has_role(account, [Role.LEAD], unit=other)
    assert not has_role(account, [Role.LEAD], unit=ward, day=last_day + datetime.timedelta(days=1))


@pytest.mark.long
def test_an_administrator_gives_and_ends_roles(english):
    english.force_login(user("root", Role.ADMIN))
    prove_second_factor(english)
    lan = user("lan", Role.CLERK)
    page = f"/accounts/{lan.pk}/roles/"

    assert english.post(page, {"role": "emperor"}).status_code == 422
    assert english.post(page, {"role": "officer", "last_day": "2020-08-07"}).status_code == 422
    assert english.post(page, {"role": "officer"}).status_code == 302
    assert english.post(page, {"role": "admin"}).url.startswith("/waiting/")
    other = user("other", Role.ADMIN)
    assert english.post(f"/accounts/{other.pk}/roles/", {"role": "health_worker"}).status_code == 409
    assert valid_roles(lan) == {"clerk", "officer"}
    english.post(f"{page}{lan.grants.get(role='clerk').pk}/end/")
    assert valid_roles(lan) == {"officer"}


@pytest.mark.long
def test_a_holder_delegates_and_takes_back_through_the_page(english):
    issuer, lan = user("issuer", Role.ISSUER), user("lan", Role.CLERK)
    english.force_login(issuer)
    prove_second_factor(english)
    today = timezone.localdate()
    form = {
        "grant": issuer.grants.get().pk,
        "to": "LAN",
        "first_day": str(today),
        "last_day": str(today + datetime.timedelta(days=2)),
    }

    assert english.post("/delegations/", {**form, "to": "nobody"}).status_code == 422
    assert english.post("/delegations/", {**form, "to": "issuer"}).status_code == 422
    assert english.post("/delegations/", {**form, "grant": lan.grants.get().pk}).status_code == 422
    assert english.post("/delegations/", form).status_code == 302
    assert valid_roles(lan) == {"clerk", "issuer"}
    english.force_login(lan)
    prove_second_factor(english)
    assert "delegated by" in english.get("/delegations/").text
    assert english.post("/delegations/", {**form, "grant": lan.grants.get(role="issuer").pk}).status_code == 422
    passed = lan.grants.get(role="issuer").pk
    assert english.post(f"/delegations/{passed}/end/").status_code == 404
    english.force_login(issuer)
    english.post(f"/delegations/{passed}/end/")
    assert valid_roles(lan) == {"clerk"}
