# SPDX-License-Identifier: Apache-2.0
"""The second factor through its pages: set up, asked for, used once, lost."""

import base64
import datetime
import re
import time

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone
from tests.builders.office import APP_SECRET, PASSWORD, app_code, user, wrong_app_code

from bluezone.authority import role_grants
from bluezone.identity import account_links
from bluezone.identity.factors import confirmation, second_factors
from bluezone.identity.models import AuditEntry, AuthenticatorApp, Passkey, RecoveryCode, Role, SignInFailure
from bluezone.office_secrets import SealBroken, unseal

pytestmark = pytest.mark.django_db
NEEDING = [Role.ISSUER, Role.CLERK, Role.LEAD, Role.EDITOR, Role.HEALTH_WORKER, Role.SUPERVISOR, Role.ADMIN]


@pytest.fixture
def english(client):
    client.cookies.load({"bluezone-language": "en"})
    return client


def with_password(client, name="lan"):
    return client.post("/sign-in/", {"username": name, "password": PASSWORD})


def codes_on(page):
    return re.findall(r"[2-9a-z]{5}-[2-9a-z]{5}(?=</li>)", page.text)


@pytest.mark.parametrize("role", list(Role))
def test_roles_that_sign_speak_give_codes_or_make_accounts_cannot_act_before_it_is_set_up(client, role):
    client.force_login(user("lan", role, factor=False))

    led = client.get("/agencies/")
    assert (led.status_code == 302 and led.url == "/second-factor/") == (role in NEEDING)
    assert client.get("/password/").status_code == 200


def test_a_delegated_signing_role_needs_it_too(client):
    today = timezone.localdate()
    lan, issuer = user("lan", Role.OFFICER, factor=False), user("issuer", Role.ISSUER)
    client.force_login(lan)
    assert client.get("/agencies/").status_code == 200
    role_grants.delegate_role(issuer.grants.get(), lan, today, today + datetime.timedelta(days=1), today)

    assert client.get("/agencies/").url == "/second-factor/"


def test_the_password_alone_is_not_a_sign_in(client):
    user("lan")
    with_password(client)

    assert client.get("/codes/").url.startswith("/sign-in/")
    assert client.post("/sign-in/second/", {"code": wrong_app_code()}).status_code == 422
    assert client.get("/codes/").status_code == 302
    assert client.post("/sign-in/second/", {"code": app_code()}).status_code == 302
    assert client.get("/codes/").status_code == 200


def test_without_a_password_there_is_no_second_step(client):
    user("lan")

    assert client.get("/sign-in/second/").url == "/sign-in/"
    assert client.post("/sign-in/second/", {"code": app_code()}).url == "/sign-in/"


def test_a_new_link_replaces_the_password_and_not_the_second_factor(client):

    token = account_links.issue_account_link("root", user("lan"), timezone.now())
    form = {"name": "Lan", "password": PASSWORD, "again": PASSWORD}

    assert client.post(f"/start/{token}/", form).url == "/sign-in/second/"
    assert client.get("/codes/").status_code == 302


def test_a_code_works_once():
    lan = user("lan")
    now, code = timezone.now(), app_code()
    second_factors.verify_second_factor(lan, code, now)

    with pytest.raises(second_factors.SecondFactorRefused):
        second_factors.verify_second_factor(lan, code, now)


def test_the_factor_of_somebody_else_is_none(client):
    """Neither is an app set up because another person has one, nor does one person's app ask for another's code."""
    hoa = user("hoa", Role.CLERK)
    Passkey.objects.create(user=hoa, name="Điện thoại", credential_id=b"1", public_key=b"1")
    lan, minh = user("lan", Role.CLERK, factor=False), user("minh", Role.CLERK)
    with pytest.raises(second_factors.SecondFactorRefused):
        second_factors.verify_second_factor(lan, app_code(), timezone.now())
    second_factors.verify_second_factor(minh, app_code(), timezone.now())
    client.force_login(lan)

    assert not second_factors.is_set_up(lan)
    assert client.get("/agencies/").url == "/second-factor/"
    assert client.get("/second-factor/").context["app"] is None


def test_whoever_gains_or_loses_a_factor_changes_nobody_elses():
    kept, now = user("hoa", Role.CLERK), timezone.now()
    new, leaving, lost = (user(name, role=None) for name in ("lan", "minh", "nga"))
    second_factors.add_app(new, b"another secret of 20", app_code(b"another secret of 20"), now)
    second_factors.remove_app(leaving)
    second_factors.remove_second_factor("root", lost)

    assert set(AuthenticatorApp.objects.values_list("user", flat=True)) == {kept.pk, new.pk}


def test_five_wrong_codes_lock_for_a_quarter_of_an_hour(english):
    user("lan")
    with_password(english)
    for _ in range(5):
        assert english.post("/sign-in/second/", {"code": wrong_app_code()}).status_code == 422

    locked = english.post("/sign-in/second/", {"code": app_code()})
    assert locked.status_code == 429
    assert re.search(r"Try again after \d\d:\d\d", locked.text)
    SignInFailure.objects.update(at=timezone.now() - datetime.timedelta(minutes=16))
    assert english.post("/sign-in/second/", {"code": app_code()}).status_code == 302


def test_setting_up_an_app_shows_its_secret_and_recovery_codes_once(english):
    lan = user("lan", factor=False)
    english.force_login(lan)
    shown = english.get("/second-factor/app/")
    secret = base64.b32decode(re.search(r'id="secret">([A-Z2-7 ]+)<', shown.text)[1].replace(" ", ""))
    assert english.post("/second-factor/app/", {"code": wrong_app_code(secret)}).status_code == 422
    assert not AuthenticatorApp.objects.exists()

    made = english.post("/second-factor/app/", {"code": app_code(secret)})

    codes = codes_on(made)
    assert len(set(codes)) == second_factors.RECOVERY_CODES
    assert english.get("/codes/").status_code == 200
    stored = AuthenticatorApp.objects.get()
    assert secret not in bytes(stored.sealed_secret)
    assert unseal(bytes(stored.sealed_secret), f"authenticator app of {lan.pk}") == secret
    with pytest.raises(SealBroken):
        unseal(bytes(stored.sealed_secret), "authenticator app of 0")
    assert not any(code in str(list(RecoveryCode.objects.values())) for code in codes)


def test_a_recovery_code_works_once_however_it_is_typed(client):
    lan = user("lan")
    code = second_factors.make_recovery_codes(lan)[3]
    with_password(client)
    assert client.post("/sign-in/second/", {"code": code.upper().replace("-", " ")}).status_code == 302

    again = Client()
    with_password(again)
    assert again.post("/sign-in/second/", {"code": code}).status_code == 422
    assert AuditEntry.objects.filter(action="recovery_code_used").get().details == {"left": 9}


def test_new_recovery_codes_replace_the_older_ones():
    lan = user("lan")
    old = second_factors.make_recovery_codes(lan)[0]
    second_factors.make_recovery_codes(lan)

    with pytest.raises(second_factors.SecondFactorRefused):
        second_factors.verify_second_factor(lan, old, timezone.now())


def test_changing_the_second_factor_needs_the_present_one(english):
    english.force_login(user("lan"))

    assert english.get("/second-factor/app/").url == "/confirm/?next=%2Fsecond-factor%2Fapp%2F"
    assert english.post("/second-factor/app/remove/").status_code == 302
    assert AuthenticatorApp.objects.exists()
    assert english.post("/confirm/?next=/second-factor/app/", {"code": app_code()}).url == "/second-factor/app/"
    assert english.get("/second-factor/app/").status_code == 200


def test_the_last_factor_of_a_role_that_needs_one_is_not_removed(english):
    english.force_login(user("lan"))
    english.post("/confirm/", {"code": app_code()})
    answer = english.post("/second-factor/app/remove/", follow=True)

    assert "Set up another one first" in answer.text
    assert AuthenticatorApp.objects.exists()
    english.force_login(user("mai", Role.OFFICER))
    english.post("/confirm/", {"code": app_code()})
    assert "Removed." in english.post("/second-factor/app/remove/", follow=True).text


def test_a_passkey_that_was_removed_is_gone_and_the_others_stay(english):
    lan = user("lan")
    lost, other = (
        Passkey.objects.create(user=lan, name=name, credential_id=name.encode(), public_key=b"1")
        for name in ("Điện thoại", "Khóa")
    )
    english.force_login(lan)
    english.post("/confirm/", {"code": app_code()})
    page = english.post(f"/second-factor/passkeys/{lost.pk}/remove/", follow=True)

    assert "Removed." in page.text
    assert list(lan.passkeys.all()) == [other]


def test_a_passkey_that_is_the_last_factor_of_a_role_that_needs_one_is_not_removed(english):
    lan = user("lan")
    key = Passkey.objects.create(user=lan, name="Khóa", credential_id=b"1", public_key=b"1")
    english.force_login(lan)
    english.post("/confirm/", {"code": app_code()})
    AuthenticatorApp.objects.all().delete()
    page = english.post(f"/second-factor/passkeys/{key.pk}/remove/", follow=True)

    assert "Set up another one first" in page.text
    assert list(lan.passkeys.all()) == [key]


def test_an_administrator_helps_who_has_lost_everything(client):
    # Not a role that takes two people (tests/authority/test_recent_access.py).
    lan = user("lan", Role.CLERK)
    elsewhere = Client()
    elsewhere.force_login(lan)
    client.force_login(user("root", Role.ADMIN))
    assert client.post(f"/accounts/{lan.pk}/second-factor/reset/").url.startswith("/confirm/")
    client.post("/confirm/", {"code": app_code()})
    client.post(f"/accounts/{lan.pk}/second-factor/reset/")

    assert not second_factors.is_set_up(lan)
    assert elsewhere.get("/directives/").url.startswith("/sign-in/")


@pytest.mark.parametrize(("seconds", "recent"), [(0, True), (299, True), (301, False), (-60, False)])
def test_a_confirmation_is_recent_for_five_minutes(seconds, recent, monkeypatch):
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    request = RequestFactory().get("/")
    request.session = {}
    assert not confirmation.is_recently_confirmed(request)
    confirmation.note_confirmed(request)
    at = request.session[confirmation.CONFIRMED_KEY]
    request.session[confirmation.CONFIRMED_KEY] = at - seconds

    assert confirmation.is_recently_confirmed(request) == recent


def test_a_signing_act_without_it_is_not_done_and_leads_back():
    done = []

    @second_factors.confirm_second_factor
    def sign(request):
        done.append(request)
        return HttpResponse("signed")

    request = RequestFactory().post("/letters/7/approve/", headers={"Referer": "http://testserver/letters/7/?page=2"})
    request.session = {}
    answer = sign(request)
    assert (answer.status_code, answer.url) == (302, "/confirm/?next=%2Fletters%2F7%2F%3Fpage%3D2")
    assert done == []
    confirmation.note_confirmed(request)
    assert sign(request).content == b"signed"


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example/"])
def test_confirming_never_leads_to_another_site(client, address):
    client.force_login(user("lan"))

    assert client.post(f"/confirm/?next={address}", {"code": app_code()}).url == "/"


def test_a_passkey_answer_that_was_not_asked_for_is_refused(client):
    client.force_login(user("lan"))

    assert client.post("/confirm/", {"answer": "{}"}).status_code == 422
    assert client.post("/confirm/", {"answer": '{"id":"x","rawId":"eA","type":"public-key"}'}).status_code == 422
    assert APP_SECRET


def test_a_used_code_is_refused_for_as_long_as_it_would_fit_and_its_step_is_forgotten_after_two_minutes():
    lan, now = user("lan"), timezone.now()
    app = lan.authenticator_app
    # The clock of the telephone is half a minute ahead, so that its code fits longest.
    code = app_code(steps_ahead=1)
    second_factors.verify_second_factor(lan, code, now)
    for seconds in range(0, 121, 10):
        later = now + datetime.timedelta(seconds=seconds)
        second_factors.purge_steps(later)
        with pytest.raises(second_factors.SecondFactorRefused):
            second_factors.verify_second_factor(lan, code, later)
        SignInFailure.objects.all().delete()
    app.refresh_from_db()
    second_factors.purge_steps(now + datetime.timedelta(minutes=3, seconds=1))
    after = AuthenticatorApp.objects.get()

    assert app.last_step
    assert after.last_step == 0
    with pytest.raises(second_factors.SecondFactorRefused):
        second_factors.verify_second_factor(lan, code, now + datetime.timedelta(minutes=4))
