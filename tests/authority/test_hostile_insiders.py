# SPDX-License-Identifier: Apache-2.0
"""Somebody of one ward tries to become somebody of the city, or to speak for it, through the pages."""

import datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from tests.builders import bulletins, coverage, drives
from tests.builders.office import prove_second_factor, user

from bluezone.audit import hash_chain
from bluezone.audit.models import AuditEntry
from bluezone.authority import reach, recent_access
from bluezone.directory.models import AdminUnit, Agency
from bluezone.identity.models import AccountLink, AuthenticatorApp, Role, RoleGrant, User, valid_roles
from bluezone.messaging.cap.models import Alert
from bluezone.portal import news
from bluezone.portal.models import NewsItem, NewsState
from bluezone.rollout.bulletins.models import Airing, Schedule, SpokenWord
from bluezone.rollout.canvass.scope import wards_of
from bluezone.rollout.loudspeakers import live
from bluezone.rollout.loudspeakers.models import Address

pytestmark = pytest.mark.django_db
NOW = timezone.now()
DAY = datetime.timedelta(days=1)
LONG_AGO = datetime.date(2020, 1, 1)
NEW = {"username": "nguoi.moi", "name": "Hà Văn Mới", "agency": "UBND phường", "role": "clerk"}


@pytest.fixture
def ward(server):
    drives.city()
    return Agency.objects.get(key="ubnd-phuong-song-cau")


@pytest.fixture
def beside(ward):
    return Agency.objects.get(key="ubnd-phuong-duc-xuan")


def browser(who):
    """Signed in, with the second factor just proved: what an insider has of their own."""
    client = Client()
    client.force_login(who)
    return prove_second_factor(client)


@pytest.fixture(params=["agency", "unit"])
def ward_admin(ward, request):
    """An administrator of the ward's committee, or of the ward itself."""
    return browser(user("ward.admin", Role.ADMIN, ward if request.param == "agency" else ward.unit))


def names(page):
    return {account.username for account in page.context["page"].object_list}


# Accounts.


def test_a_wards_administrator_sees_the_accounts_of_the_ward_alone(ward_admin, ward, beside):
    user("ours", Role.CLERK, ward)
    user("theirs", Role.CLERK, beside)
    user("city", Role.LEADER)
    both = user("both", Role.CLERK, ward)
    RoleGrant.objects.create(user=both, role=Role.CLERK, agency=beside, valid_from=LONG_AGO)

    assert names(ward_admin.get("/accounts/")) == {"ours", "ward.admin"}
    assert names(ward_admin.get("/accounts/?q=nong")) == {"ours", "ward.admin"}


@pytest.mark.long
@pytest.mark.parametrize(
    "wanted",
    [
        {"role": "supervisor"},
        {"role": "admin"},
        {"role": "editor", "within_unit": "tinh-bac-kan"},
        {"role": "lead", "within_agency": "ubnd-tp"},
        {"role": "lead", "within_agency": "ubnd-phuong-duc-xuan"},
        {"role": "supervisor", "within_agency": "ubnd-phuong-song-cau"},
    ],
)
def test_a_wards_administrator_gives_nothing_beyond_the_ward(ward_admin, ward, wanted):
    own = user("ours", Role.CLERK, ward)
    sent = dict(wanted)
    if "within_agency" in sent:
        sent["within_agency"] = Agency.objects.get(key=sent["within_agency"]).pk
    if "within_unit" in sent:
        sent["within_unit"] = AdminUnit.objects.get(key=sent["within_unit"]).pk
    made = ward_admin.post("/accounts/new/", {**NEW, **sent})
    given = ward_admin.post(f"/accounts/{own.pk}/roles/", sent)
    to_self = ward_admin.post(f"/accounts/{User.objects.get(username='ward.admin').pk}/roles/", sent)

    assert [one.status_code for one in (made, given, to_self)] == [422, 422, 422]
    assert not User.objects.filter(username="nguoi.moi").exists()
    assert not AccountLink.objects.exists()
    assert RoleGrant.objects.count() == 2
    assert not reach.may_grant(User.objects.get(username="ward.admin"), Role.SUPERVISOR, ward)


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.ADMIN, Role.CLERK])
def test_a_wards_administrator_takes_over_no_account_of_the_city(ward_admin, role):
    other = user("other", role)
    page = f"/accounts/{other.pk}/"
    answers = [
        ward_admin.get(page),
        ward_admin.post(page, {"name": "x", "agency": "y"}),
        ward_admin.post(f"{page}link/"),
        ward_admin.post(f"{page}second-factor/reset/"),
        ward_admin.post(f"{page}roles/{other.grants.get().pk}/end/"),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert AuthenticatorApp.objects.filter(user=other).exists()
    assert User.objects.get(pk=other.pk).is_active
    assert not AccountLink.objects.exists()


@pytest.mark.long
def test_a_wards_administrator_works_in_the_ward(ward_admin, ward):
    made = ward_admin.post("/accounts/new/", {**NEW, "within_agency": ward.pk})
    account = User.objects.get(username="nguoi.moi")
    page = f"/accounts/{account.pk}/"

    assert made.status_code == 201
    assert ward_admin.post(f"{page}roles/", {"role": "officer", "within_agency": ward.pk}).status_code == 302
    assert ward_admin.post(f"{page}link/").status_code == 201
    assert ward_admin.post(f"{page}second-factor/reset/").status_code == 302
    assert ward_admin.post(page, {"name": "x", "agency": "y"}).status_code == 302
    assert valid_roles(account) == {"clerk", "officer"}


def test_an_account_that_moves_to_another_agency_is_no_longer_the_wards(ward_admin, ward, beside):
    moved = user("moved", Role.CLERK, ward)
    moved.grants.update(valid_to=timezone.localdate())
    RoleGrant.objects.create(user=moved, role=Role.CLERK, agency=beside)

    assert ward_admin.get(f"/accounts/{moved.pk}/").status_code == 404
    moved.agency = "UBND phường Sông Cầu"
    moved.save()
    assert ward_admin.get(f"/accounts/{moved.pk}/").status_code == 404, "what an account says of itself is no reach"


@pytest.mark.long
def test_an_account_made_in_the_ward_does_not_grow_into_one_of_the_city(ward_admin, ward, monkeypatch):
    ward_admin.post("/accounts/new/", {**NEW, "within_agency": ward.pk})
    account = User.objects.get(username="nguoi.moi")
    city, issuer = browser(user("city.admin", Role.ADMIN)), user("issuer", Role.ISSUER)
    days = {"first_day": str(timezone.localdate()), "last_day": str(timezone.localdate() + 2 * DAY)}
    given = city.post(f"/accounts/{account.pk}/roles/", {"role": "leader"})
    delegated = browser(issuer).post("/delegations/", {"grant": issuer.grants.get().pk, "to": "nguoi.moi", **days})

    assert (given.status_code, delegated.status_code) == (409, 422)
    assert "ward.admin" in given.text
    monkeypatch.setattr(recent_access, "IN_HAND", datetime.timedelta(0))
    assert city.post(f"/accounts/{account.pk}/roles/", {"role": "leader"}).status_code == 302
    assert ward_admin.post(f"/accounts/{account.pk}/link/").status_code == 404


def test_nobody_is_invited_into_an_agency_that_is_dissolved(ward, ward_admin):
    gone = Agency.objects.create(
        key="tram-cu", name="Trạm cũ", kind="department", unit=ward.unit, parent=ward, path=f"{ward.path}tram-cu/",
        valid_from=LONG_AGO, valid_to=LONG_AGO + DAY,
    )  # fmt: skip
    Agency.objects.filter(pk=ward.pk).update(valid_to=None)

    assert ward_admin.post("/accounts/new/", {**NEW, "within_agency": gone.pk}).status_code == 422
    assert ward_admin.post("/accounts/new/", {**NEW, "within_agency": ward.pk}).status_code == 201


def test_an_administrator_of_the_city_proves_the_factor_again_for_accounts_of_the_city(ward):
    root = Client()
    root.force_login(user("root", Role.ADMIN))
    own = user("ours", Role.CLERK, ward)
    asked = root.post("/accounts/new/", {**NEW, "role": "leader"})

    assert asked.url.startswith("/confirm/")
    back = parse_qs(urlsplit(asked.url).query)["next"][0]
    assert 'value="nguoi.moi"' in root.get(back).text, "what was filled in is there again"
    assert root.post(f"/accounts/{own.pk}/roles/", {"role": "leader"}).url.startswith("/confirm/")
    assert root.post(f"/accounts/{own.pk}/link/").url.startswith("/confirm/")
    assert root.post("/accounts/new/", {**NEW, "within_agency": ward.pk}).status_code == 201


# The audit, devices, certificates, the directory, households.


def test_an_administrator_of_a_school_does_not_make_it_a_committee_of_the_ward(ward):
    school = coverage.agency("Trường THCS Sông Cầu", ward.unit, kind="school", parent=ward)
    desk = browser(user("school.admin", Role.ADMIN, school))
    sent = {
        "name": school.name, "kind": "committee", "unit": ward.unit_id, "parent": ward.name, "confirmed": "on",
        "valid_from": str(school.valid_from or ""), "short_name": "", "edxml_id": "",
    }  # fmt: skip

    assert desk.post(f"/agencies/{school.pk}/change/", sent).status_code == 422
    assert desk.post(f"/agencies/{school.pk}/change/", {**sent, "kind": "union"}).status_code == 422
    assert desk.post("/agencies/new/", {**sent, "name": "Ban mới", "parent": school.name}).status_code == 422
    assert desk.post(f"/agencies/{school.pk}/change/", {**sent, "kind": "school"}).status_code == 302
    school.refresh_from_db()
    assert school.kind == "school"


def test_a_wards_auditor_reads_what_the_wards_people_did(ward, beside):
    auditor = browser(user("auditor", Role.AUDITOR, ward))
    user("ours", Role.CLERK, ward)
    user("theirs", Role.CLERK, beside)
    hash_chain.record("ours", "link_made", "x")
    hash_chain.record("theirs", "link_made", "y")
    hash_chain.record("root", "link_made", "ours")
    hash_chain.record("root", "link_made", "theirs")
    whole = browser(user("overseer", Role.AUDITOR))

    def seen(client):
        rows = {(entry.actor, entry.subject) for entry in client.get("/audit/").context["page"].object_list}
        copied = client.post("/audit/export/").content.decode()
        return rows, sum(line.count("link_made") for line in copied.splitlines())

    assert seen(auditor) == ({("ours", "x"), ("root", "ours")}, 2)
    assert len(seen(whole)[0]) >= 4


def test_a_wards_administrator_enters_no_device_that_works_in_another_ward(ward, beside, ward_admin):
    sent = {"kind": "canvass", "name": "Máy 1", "agency": ward.pk, "unit": beside.unit_id}

    assert ward_admin.post("/devices/new/", sent).status_code == 422
    assert ward_admin.post("/devices/new/", {**sent, "unit": ward.unit_id}).status_code == 201


def test_a_leader_of_drives_of_the_city_reads_the_households_of_the_drives_alone(ward):
    team = drives.team()
    leader = user("leader", Role.DRIVE_LEAD, team.agency)
    assert not wards_of(leader).exists()
    drives.drive(team, ward.unit, NOW)

    assert list(wards_of(leader)) == [ward.unit]


# The voice.


def emergency(agency, *outlets):
    """An approved emergency of an agency, and who wrote it."""
    writer = user("viet", Role.EDITOR, agency)
    return bulletins.approved_bulletin("emergency", keeper=agency, seconds=2.0), writer


@pytest.mark.long
def test_a_wards_editor_does_not_speak_over_anothers_loudspeakers(ward, beside):
    theirs, radio = bulletins.zone("Tổ 1", beside, by_hand=True).outlet, bulletins.station(keeper=beside)
    bulletin, writer = emergency(ward)
    desk = browser(writer)
    at_once = desk.post(f"/bulletins/{bulletin.pk}/now/", {"outlets": [theirs.pk, radio.pk]})
    planned = desk.post(f"/bulletins/{bulletin.pk}/schedules/new/", {
        "outlets": [theirs.pk], "languages": ["vi"], "first": str(timezone.localdate() + DAY), "times": "9:00",
        "store": "1",
    })  # fmt: skip

    assert (at_once.status_code, planned.status_code) == (422, 422)
    assert not Schedule.objects.exists()
    theirs.lent_to.add(ward)
    lent = desk.post(f"/bulletins/{bulletin.pk}/now/", {"outlets": [theirs.pk]})
    assert lent.url.startswith("/waiting/"), "what is lent is heard beyond the ward and takes a second person"
    lender = browser(user("ben.kia", Role.LEAD, beside))
    assert lender.post(lent.url).status_code == 404, "who lends the loudspeakers releases no other's words"
    assert not Airing.objects.exists()


@pytest.mark.long
def test_a_wards_editor_speaks_in_the_ward_alone_and_with_a_fresh_proof(ward):
    ours = bulletins.zone("Tổ 5", ward, by_hand=True).outlet
    bulletin, writer = emergency(ward)
    stale = Client()
    stale.force_login(writer)

    assert stale.post(f"/bulletins/{bulletin.pk}/now/", {"outlets": [ours.pk]}).url.startswith("/confirm/")
    assert not Schedule.objects.exists()
    assert browser(writer).post(f"/bulletins/{bulletin.pk}/now/", {"outlets": [ours.pk]}).url == "/air-log/"
    assert Schedule.objects.get().at_once is not None
    radio = bulletins.station(keeper=ward)
    heard_further = browser(writer).post(f"/bulletins/{bulletin.pk}/now/", {"outlets": [radio.pk]}).url
    assert heard_further.startswith("/waiting/"), "a station is heard beyond the ward, whoever keeps it"
    browser(writer).post("/glass/", {"reason": "Vỡ đập, không gọi được ai"})
    assert browser(writer).post(f"/bulletins/{bulletin.pk}/now/", {"outlets": [radio.pk]}).url == "/air-log/"
    assert Schedule.objects.count() == 2


def test_an_editor_of_the_city_speaks_live_beyond_a_ward_only_behind_a_broken_glass_and_in_one_place(ward):
    top = Agency.objects.get(key="ubnd-tp")
    pages = [f"/loudspeakers/{bulletins.zone(name, top).pk}/live/" for name in ("Tổ 5", "Tổ 6")]
    desk = browser(user("viet", Role.EDITOR, top))

    def begin(page):
        sound = SimpleUploadedFile("piece.webm", b"sound", "audio/webm")
        return desk.post(page, {"number": 0, "sound": sound})

    assert [desk.get(page).url for page in pages] == ["/glass/", "/glass/"]
    assert [begin(page).status_code for page in pages] == [409, 409]
    assert not Address.objects.exists()
    desk.post("/glass/", {"reason": "Vỡ đập, không gọi được ai"})
    assert desk.get(pages[0]).status_code == 200
    assert [begin(page).status_code for page in pages] == [200, 409]
    assert Address.objects.count() == 1
    assert AuditEntry.objects.filter(action="glass_used", actor="viet").count() == 1


def test_one_person_speaks_at_one_place_at_a_time(ward):
    zones = [bulletins.zone(name, ward) for name in ("Tổ 5", "Tổ 6")]
    head, now = user("truong.thon", Role.SPEAKER_OPERATOR, ward), timezone.now()
    live.accept_piece(head, zones[0], 0, b"one", now, is_last=False)

    with pytest.raises(live.AddressOpen):
        live.accept_piece(head, zones[1], 0, b"one", now, is_last=False)
    live.accept_piece(head, zones[0], 1, b"two", now, is_last=True)
    assert live.accept_piece(head, zones[1], 0, b"one", now, is_last=True).zone == zones[1]


@pytest.mark.long
def test_an_emergency_of_the_city_takes_two_at_once_and_by_a_schedule(ward):
    top = Agency.objects.get(key="ubnd-tp")
    outlet = bulletins.zone("Tổ 5", ward, by_hand=True).outlet
    bulletin, writer = emergency(top)
    desk, second = browser(writer), browser(user("duyet.hai", Role.LEAD, top))
    sent = {"outlets": [outlet.pk], "languages": ["vi"], "first": str(timezone.localdate() + DAY), "times": "9:00"}
    once = desk.post(f"/bulletins/{bulletin.pk}/now/", {"outlets": [outlet.pk]}).url
    rule = desk.post(f"/bulletins/{bulletin.pk}/schedules/new/", {**sent, "store": "1"}).url

    assert once.startswith("/waiting/")
    assert rule.startswith("/waiting/")
    assert not Schedule.objects.exists()
    assert desk.post(once).status_code == 409, "who asks does not confirm"
    shown = second.get(once).text
    assert bulletin.title in shown
    assert outlet.name in shown
    assert second.post(once).status_code == 302
    assert second.post(once).status_code == 409, "once"
    assert Schedule.objects.count() == 1
    assert second.post(rule).status_code == 302
    assert Schedule.objects.count() == 2


def alert(*units, writer="nobody"):
    made = Alert.objects.create(
        identifier=f"bluezone-{Alert.objects.count()}", expires_at=NOW + DAY, made_at=NOW, written_by=writer,
        headline_vi="Ca mắc", headline_en="Case", description_vi="Ở chợ", description_en="At the market",
        instruction_vi="Mở Bluezone", instruction_en="Open Bluezone",
    )  # fmt: skip
    made.units.set(units)
    return made


def test_a_wards_editor_and_signatory_touch_no_alert_of_the_city(ward, beside):
    editor, signer = (browser(user(role.value, role, ward)) for role in (Role.EDITOR, Role.ISSUER))
    wide = alert(ward.unit, beside.unit)
    sent = alert(ward.unit, beside.unit)
    Alert.objects.filter(pk=sent.pk).update(sent_at=NOW, released_by="x")

    assert editor.post(f"/alerts/{sent.pk}/cancel/").status_code == 403
    assert signer.post(f"/alerts/{wide.pk}/release/").status_code == 403
    assert editor.post(f"/alerts/{wide.pk}/edit/", {}).status_code == 403
    assert editor.post(f"/alerts/{sent.pk}/update/", {}).status_code == 403
    assert not Alert.objects.filter(kind="Cancel").exists()
    own = alert(ward.unit)
    assert signer.post(f"/alerts/{own.pk}/release/").url == f"/alerts/{own.pk}/"


def test_an_alert_to_the_city_is_released_by_two_who_are_two(ward, beside, monkeypatch):
    user("writer", Role.EDITOR)
    signer, third = user("signer", Role.ISSUER), user("third", Role.ISSUER)
    hash_chain.record("root", "account_made", "writer")
    hash_chain.record("root", "link_made", "signer")
    wide = alert(ward.unit, beside.unit, writer="writer")
    waits = browser(signer).post(f"/alerts/{wide.pk}/release/").url

    assert waits.startswith("/waiting/"), "one administrator is behind both accounts"
    assert browser(third).post(waits).status_code == 302
    wide.refresh_from_db()
    assert wide.sent_at is not None
    monkeypatch.setattr(recent_access, "IN_HAND", datetime.timedelta(0))
    later = alert(ward.unit, beside.unit, writer="writer")
    assert browser(signer).post(f"/alerts/{later.pk}/release/").url == f"/alerts/{later.pk}/"


def test_a_wards_editor_does_not_say_how_the_whole_city_pronounces_a_word(ward):
    desk, wide = browser(user("ward.editor", Role.EDITOR, ward)), browser(user("city.editor", Role.EDITOR))
    sent = {"written": "Bluezone", "said": "phần mềm gián điệp"}

    assert desk.post("/bulletins/words/", sent).status_code == 403
    assert not SpokenWord.objects.exists()
    assert wide.post("/bulletins/words/", {**sent, "said": "blu dôn"}).status_code == 302
    word = SpokenWord.objects.get()
    assert desk.post(f"/bulletins/words/{word.pk}/remove/").status_code == 403
    assert SpokenWord.objects.get().pronunciation == "blu dôn"
    assert "/bulletins/words/" not in desk.get("/bulletins/").text
    assert "/bulletins/words/" in wide.get("/bulletins/").text


def test_only_editors_of_the_citys_level_publish_news(ward):
    writer = user("ward.editor", Role.EDITOR, ward)
    theirs = news.save_item(news.Texts("Tin", "Mới"), user("city.editor", Role.EDITOR), NOW)
    desk = browser(writer)
    own = desk.post("/news/new/", {"title_vi": "Tin", "body_vi": "Mới"}).url

    assert desk.get(own).status_code == 200
    assert desk.post(own).status_code == 403
    assert desk.get(f"/news/{theirs.pk}/").status_code == 403
    assert desk.post(f"/news/{theirs.pk}/edit/", {"title_vi": "Khác", "body_vi": "Khác"}).status_code == 403
    stale = Client()
    stale.force_login(User.objects.get(username="city.editor"))
    assert stale.post(f"/news/{theirs.pk}/").url.startswith("/confirm/")
    assert not NewsItem.objects.filter(state=NewsState.PUBLISHED).exists()


def test_a_supervisor_of_a_facility_neither_makes_the_key_nor_opens_declarations(ward):
    desk = browser(user("sup", Role.SUPERVISOR, ward))

    for page in ("/codes/declarations/", "/codes/declarations/key/", "/codes/declarations/passphrase/"):
        assert desk.get(page).status_code == 403
        assert desk.post(page, {}).status_code == 403


def test_a_supervisor_of_a_facility_raises_the_limits_of_its_people_alone(ward, beside):
    ours, theirs = user("ours", Role.HEALTH_WORKER, ward), user("theirs", Role.HEALTH_WORKER, beside)
    desk = browser(user("sup", Role.SUPERVISOR, ward))
    sent = {"more": 50, "reason": "absent"}

    assert desk.post("/codes/limits/", {**sent, "limit_of": f"worker:{theirs.pk}"}).status_code == 422
    assert desk.post("/codes/limits/", {**sent, "limit_of": f"facility:{beside.pk}"}).status_code == 422
    assert desk.post("/codes/limits/", {**sent, "limit_of": f"worker:{ours.pk}"}).status_code == 302
