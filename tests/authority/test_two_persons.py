# SPDX-License-Identifier: Apache-2.0
"""What takes two people: asked for by one, confirmed by another; alone after a day; by a broken glass for an hour."""

import datetime
import re

import pytest
from django.core import mail
from django.utils import timezone
from tests.authority.test_hostile_insiders import NEW, alert, browser
from tests.builders import drives
from tests.builders.office import user

from bluezone.audit import hash_chain
from bluezone.authority import recent_access, second_person_views, two_persons
from bluezone.authority.matters import matters_of
from bluezone.authority.models import ActState, WaitingAct
from bluezone.directory.models import Agency
from bluezone.identity.models import AuditEntry, AuthenticatorApp, Role, User, valid_roles
from bluezone.messaging.cap.models import Alert
from bluezone.messaging.email import glass_notices
from bluezone.messaging.email.models import Mail

pytestmark = pytest.mark.django_db
HOUR = datetime.timedelta(hours=1)
DAY = datetime.timedelta(days=1)


@pytest.fixture
def ward(server):
    drives.city()
    return Agency.objects.get(key="ubnd-phuong-song-cau")


@pytest.fixture
def root(server):
    """The first administrator, long after the city was set up."""
    made = user("root", Role.ADMIN)
    User.objects.update(created_at=timezone.now() - 30 * DAY)
    return made


@pytest.fixture
def second(root):
    return user("second", Role.ADMIN)


def later(act, hours):
    WaitingAct.objects.filter(pk=act.pk).update(asked_at=act.asked_at - hours * HOUR)


def test_an_administrator_of_the_city_is_made_by_two(root, second):
    waits = browser(root).post("/accounts/new/", {**NEW, "role": "admin"}).url
    assert not User.objects.filter(username="nguoi.moi").exists()
    shown = browser(second).get(waits).text
    made = browser(second).post(waits)

    assert "nguoi.moi" in shown
    assert made.status_code == 201
    assert re.search(r"/start/\S+/", made.text), "the link is shown to who confirms"
    assert valid_roles(User.objects.get(username="nguoi.moi")) == {"admin"}
    assert recent_access.people_with_access(User.objects.get(username="nguoi.moi"), timezone.now()) >= {
        "root",
        "second",
    }


@pytest.mark.long
@pytest.mark.parametrize("role", [Role.ADMIN, Role.SUPERVISOR])
def test_whoever_makes_accounts_takes_over_no_administrator_and_no_supervisor_alone(root, second, role):
    lan = user("lan", role)
    desk = browser(root)
    linked = desk.post(f"/accounts/{lan.pk}/link/")
    freed = desk.post(f"/accounts/{lan.pk}/second-factor/reset/")
    User.objects.filter(pk=lan.pk).update(is_active=False)
    opened = desk.post(f"/accounts/{lan.pk}/", {"name": "x", "agency": "y", "is_active": "on"})

    assert all(one.url.startswith("/waiting/") for one in (linked, freed, opened))
    assert AuthenticatorApp.objects.filter(user=lan).exists()
    assert not User.objects.get(pk=lan.pk).is_active
    assert not lan.links.exists()
    assert desk.post(freed.url).status_code == 409
    assert browser(second).post(freed.url).status_code == 302
    assert not AuthenticatorApp.objects.filter(user=lan).exists()


@pytest.mark.long
def test_two_accounts_in_one_hand_are_not_two_people(root, second):
    hash_chain.record("root", "link_made", "second")
    waits = browser(root).post("/accounts/new/", {**NEW, "role": "admin"}).url
    assert browser(second).post(waits).status_code == 409
    third = user("third", Role.ADMIN)
    hash_chain.record("mallory", "account_made", "helper")
    hash_chain.record("helper", "factor_removed", "root", kind="all")
    hash_chain.record("mallory", "link_made", "third")

    assert browser(third).post(waits).status_code == 409, "somebody is behind both"
    assert not User.objects.filter(username="nguoi.moi").exists()
    assert browser(user("fourth", Role.ADMIN)).post(waits).status_code == 201


def test_whoever_may_not_do_it_neither_sees_nor_confirms_it(root, second, ward):
    waits = browser(root).post("/accounts/new/", {**NEW, "role": "supervisor"}).url

    for other in (user("ward.admin", Role.ADMIN, ward), user("lead", Role.LEAD), user("sup", Role.SUPERVISOR)):
        assert browser(other).get(waits).status_code == 404
        assert browser(other).post(waits).status_code == 404
        assert browser(other).post(f"{waits}withdraw/").status_code == 404


def test_whoever_reaches_an_account_and_may_not_give_it_the_role_does_not_confirm_it(root, second, ward):
    lan, narrow = user("lan", Role.CLERK, ward), browser(user("ward.admin", Role.ADMIN, ward))
    waits = browser(root).post(f"/accounts/{lan.pk}/roles/", {"role": "admin"}).url

    assert [narrow.get(waits).status_code, narrow.post(waits).status_code] == [404, 404]
    assert browser(second).get(waits).context["may_now"]
    assert valid_roles(User.objects.get(pk=lan.pk)) == {"clerk"}


def asks_to_release(signer, wide):
    """What a signatory asks for who wrote the alert; nobody else released it."""
    return two_persons.request_act("alert-released", signer, {"alert": wide.pk}, timezone.now())


@pytest.mark.long
def test_one_signatory_alone_waits_a_day_and_everybody_sees_it(root, ward, wide):
    signer, bystander = user("signer", Role.ISSUER), browser(user("lan", Role.CLERK, ward))
    desk, act = browser(signer), asks_to_release(signer, wide)
    waits = f"/waiting/{act.pk}/"

    assert desk.post(waits).status_code == 409
    assert "không có ai để xác nhận" in bystander.get("/agencies/").text
    later(act, 23)
    assert desk.post(waits).status_code == 409
    later(act, 24)
    assert desk.post(waits).status_code == 302
    assert AuditEntry.objects.get(action="act_confirmed").details["alone"] is True


def test_an_act_that_its_asker_may_confirm_alone_waits_for_the_asker_after_a_day_and_for_nobody_else(root, wide):
    signer, lead = user("signer", Role.ISSUER), user("lead", Role.LEAD)
    act = asks_to_release(signer, wide)
    waiting = [
        [len(matters_of(person, act.asked_at + hours * HOUR)) for person in (signer, lead, root)] for hours in (23, 24)
    ]

    assert waiting == [[0, 0, 0], [1, 0, 0]]


@pytest.mark.long
def test_nobody_goes_alone_while_another_could_confirm(root, second):
    desk = browser(root)
    waits = desk.post("/accounts/new/", {**NEW, "role": "admin"}).url
    later(WaitingAct.objects.get(), 40)

    assert desk.post(waits).status_code == 409
    assert "/waiting/" in browser(second).get("/accounts/").text, "it stands on the pages of who may confirm"
    assert 'href="/waiting/"' not in desk.get("/accounts/").text


def test_whoever_has_just_shut_the_other_out_is_not_alone(root, wide, monkeypatch):
    signer, other = user("signer", Role.ISSUER), user("other", Role.ISSUER)
    hash_chain.record("signer", "account_changed", "other", active=False)
    User.objects.filter(pk=other.pk).update(is_active=False)
    desk, act = browser(signer), asks_to_release(signer, wide)
    later(act, 40)

    assert desk.post(f"/waiting/{act.pk}/").status_code == 409
    monkeypatch.setattr(recent_access, "IN_HAND", datetime.timedelta(0))
    assert desk.post(f"/waiting/{act.pk}/").status_code == 302


@pytest.mark.long
def test_an_act_waits_for_those_who_may_confirm_it_and_for_nobody_else(root, second, ward):
    waits, now = browser(root).post("/accounts/new/", {**NEW, "role": "supervisor"}).url, timezone.now()
    third = user("ward.admin", Role.ADMIN, ward)

    assert [browser(one).get(waits).context["may_now"] for one in (root, second)] == [False, True]
    assert [len(matters_of(one, now)) for one in (root, second, third)] == [0, 1, 0]
    assert [second_person_views.notices_for(one, now)["to_confirm"] for one in (root, second, third)] == [0, 1, 0]
    listed = [second_person_views.visible_acts(one, [WaitingAct.objects.get()]) for one in (root, second, third)]
    assert [[row["mine"] for row in rows] for rows in listed] == [[True], [False], []]


def test_two_who_ask_for_the_same_ask_apart(root, second):
    lan, now = user("lan", Role.SUPERVISOR), timezone.now()
    asked = [two_persons.request_act("account-linked", one, {"account": lan.pk}, now) for one in (root, second, root)]

    assert [one.asked_by for one in asked] == [root, second, root]
    assert asked[2] == asked[0] != asked[1]


def test_what_was_withdrawn_is_over_or_has_changed_is_not_done(root, second):
    desk = browser(root)
    lan = user("lan", Role.SUPERVISOR)
    withdrawn = desk.post("/accounts/new/", {**NEW, "role": "admin"}).url
    assert browser(second).post(f"{withdrawn}withdraw/").status_code == 302
    assert browser(second).post(withdrawn).status_code == 409
    over = desk.post(f"/accounts/{lan.pk}/link/").url
    WaitingAct.objects.filter(state=ActState.WAITING).update(expires_at=timezone.now())
    assert browser(second).post(over).status_code == 409
    changed = desk.post(f"/accounts/{lan.pk}/second-factor/reset/").url
    User.objects.filter(pk=lan.pk).update(name="Người Khác")
    assert browser(second).post(changed).status_code == 409
    assert AuthenticatorApp.objects.filter(user=lan).exists()


def test_what_was_asked_for_is_not_done_once_the_asker_may_not(root, second):
    lan = user("lan", Role.SUPERVISOR)
    waits = browser(root).post(f"/accounts/{lan.pk}/second-factor/reset/").url
    root.grants.all().delete()

    assert browser(second).post(waits).status_code == 409
    assert AuthenticatorApp.objects.filter(user=lan).exists()


def test_what_two_give_goes_to_no_account_that_a_narrower_hand_has_opened_meanwhile(root, second, ward):
    lan = user("lan", Role.CLERK, ward)
    user("ward.admin", Role.ADMIN, ward)
    waits = browser(root).post(f"/accounts/{lan.pk}/roles/", {"role": "admin"}).url
    hash_chain.record("ward.admin", "link_made", "lan")

    assert browser(second).post(waits).status_code == 409
    assert valid_roles(User.objects.get(pk=lan.pk)) == {"clerk"}


# The broken glass.


@pytest.fixture
def wide(ward):
    return alert(ward.unit, Agency.objects.get(key="ubnd-phuong-duc-xuan").unit)


def break_glass(who):
    return browser(who).post("/glass/", {"reason": "Vỡ đập, không gọi được ai"})


def test_behind_a_broken_glass_one_person_speaks_for_an_hour(root, wide):
    signer = user("signer", Role.ISSUER)
    Alert.objects.filter(pk=wide.pk).update(written_by="signer")
    desk = browser(signer)
    assert desk.post(f"/alerts/{wide.pk}/release/").status_code == 409
    assert desk.post("/glass/", {"reason": "x"}).status_code == 422
    assert break_glass(signer).status_code == 302
    assert desk.post(f"/alerts/{wide.pk}/release/").url == f"/alerts/{wide.pk}/"
    WaitingAct.objects.update(expires_at=timezone.now())
    cancelled = desk.post(f"/alerts/{wide.pk}/cancel/").url

    assert cancelled.startswith("/waiting/"), "the hour is over"
    assert [entry.action for entry in AuditEntry.objects.filter(actor="signer")][:2] == ["glass_broken", "glass_used"]


def test_a_broken_glass_opens_nothing_to_anybody_else(root, wide):
    signer, now = user("signer", Role.ISSUER), timezone.now()
    break_glass(user("other", Role.ISSUER))

    assert two_persons.broken_glass(signer, now) is None
    assert browser(signer).post(f"/alerts/{wide.pk}/release/").url.startswith("/waiting/")


def test_a_broken_glass_is_seen_on_every_page_and_written_to_every_administrator(root, wide, settings):
    settings.SMTP = "smtp://localhost"
    User.objects.filter(pk=root.pk).update(email="root@example.org")
    signer = user("signer", Role.ISSUER)
    break_glass(signer)
    page = browser(user("can", Role.OFFICER)).get("/agencies/").text
    now = timezone.now()

    assert "Vỡ đập" in page
    assert signer.name in page
    assert glass_notices.queue_break_glass_notice(now) == 1
    assert glass_notices.queue_break_glass_notice(now) == 0, "once"
    assert [one.to for one in Mail.objects.all()] == ["root@example.org"]
    assert "Vỡ đập" in Mail.objects.get().text
    assert mail.outbox == []


def test_a_broken_glass_opens_no_account_and_no_other_reach(root, second, ward, wide):
    lan = user("lan", Role.SUPERVISOR)
    both = user("both", Role.ADMIN)
    both.grants.create(role=Role.ISSUER, agency=ward, valid_from=datetime.date(2020, 1, 1))
    assert break_glass(both).status_code == 302
    desk = browser(both)

    assert desk.post(f"/accounts/{lan.pk}/second-factor/reset/").url.startswith("/waiting/")
    assert desk.post("/accounts/new/", {**NEW, "role": "admin"}).url.startswith("/waiting/")
    assert desk.post(f"/alerts/{wide.pk}/release/").status_code == 403, "the ward's signatory stays in the ward"
    assert two_persons.perform_or_request("account-linked", both, {"account": lan.pk}, timezone.now())[0] is not None
    assert AuthenticatorApp.objects.filter(user=lan).exists()


def test_whoever_does_not_speak_breaks_no_glass(root):
    assert break_glass(root).status_code == 409
    assert break_glass(user("can", Role.OFFICER)).status_code == 409
    with pytest.raises(two_persons.GlassRefused):
        two_persons.break_glass(root, "Vỡ đập", timezone.now())
    assert not WaitingAct.objects.exists()


def test_what_is_over_is_forgotten_after_thirty_days(root, second):
    browser(root).post("/accounts/new/", {**NEW, "role": "admin"})
    now = timezone.now()
    two_persons.purge(now + 33 * DAY)
    assert WaitingAct.objects.exists()
    two_persons.purge(now + 35 * DAY)

    assert not WaitingAct.objects.exists()
