# SPDX-License-Identifier: Apache-2.0
"""Registering with a one-time code, and what the ward decides; the code goes through the key server's registrar."""

import datetime
import re

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from tests.builders import venues as build
from tests.builders.mailserver import MailServer, use
from tests.builders.office import user

from bluezone.identity.models import AuditEntry, Role
from bluezone.keyserver.venues.registrar import VenueDescription, list_revoked
from bluezone.messaging.email.delivery import send_due_mail
from bluezone.protocol.venues.codes import VenueForeign
from bluezone.rollout.venues import applications, decisions, posters, retention, tills
from bluezone.rollout.venues.applications import Contact, contact_of
from bluezone.rollout.venues.matters import matters_of
from bluezone.rollout.venues.models import MailCode, PosterCode, ScanCount, Venue, VenueState, VenueStateWrong

pytestmark = pytest.mark.django_db
MINUTE = datetime.timedelta(minutes=1)
DAY = datetime.timedelta(days=1)


@pytest.fixture
def mail(settings):
    with MailServer() as server:
        use(settings, f"smtp://127.0.0.1:{server.port}")
        yield server


def sent_code(mail):
    """The six digits of the newest mail."""
    send_due_mail(timezone.now())
    return re.search(r"\b(\d{6})\b", mail.mails[-1][1].get_content())[1]


def form(ward, **values):
    said = {**build.PHO, "unit": ward.pk, "kind": 4, "stay_minutes": 60, "person": "Hoàng Thị Phở", "phone": ""}
    return {**said, "email": "pho@example.org", **values}


def test_a_venue_is_registered_by_mail_and_seen_by_the_ward_only_then(client, officer, public, mail, wards):
    answer = public("/venues/register/", form(wards[0]))
    venue = Venue.objects.get()
    assert (answer.status_code, answer.url) == (303, f"/venues/register/{venue.handle}/")
    assert build.PHO["name"] not in client.get("/venues/").text

    answer = public(answer.url, {"code": sent_code(mail)})
    assert answer.status_code == 303
    assert Venue.objects.get().state == VenueState.APPLIED
    assert not MailCode.objects.exists()
    assert build.PHO["name"] in client.get("/venues/").text


def test_a_wrong_code_is_refused_and_the_fifth_locks_even_the_right_one_out(public, mail, wards):
    handle = public("/venues/register/", form(wards[0])).url
    right = sent_code(mail)
    wrong = f"{(int(right) + 1) % 10**6:06}"
    assert [public(handle, {"code": wrong}).status_code for _ in range(5)] == [422, 422, 422, 422, 410]
    answer = public(handle, {"code": right})
    assert answer.status_code == 410
    assert "no longer works" in answer.text
    assert Venue.objects.get().state == VenueState.UNCONFIRMED


def test_a_code_works_once_and_for_thirty_minutes(mail, wards, server):
    now = timezone.now()
    venue = applications.submit_application(build.application(wards[0]), now)
    code = sent_code(mail)
    with pytest.raises(applications.MailCodeGone):
        applications.confirm_application(venue, code, now + applications.CODE_LIFE)
    applications.confirm_application(venue, code, now + applications.CODE_LIFE - MINUTE)
    with pytest.raises(applications.MailCodeGone):
        applications.confirm_application(venue, code, now + MINUTE)


def test_an_address_may_have_three_applications_open_and_a_network_ten_an_hour(public, mail, wards):
    tries = [public("/venues/register/", form(wards[0], name=f"Quán {n}")).status_code for n in range(4)]
    assert tries == [303, 303, 303, 429]
    more = [public("/venues/register/", form(wards[0], email=f"a{n}@example.org")).status_code for n in range(7)]
    assert more == [303] * 6 + [429]
    assert Venue.objects.count() == 9


def test_without_a_mail_server_the_site_says_where_to_go_and_stores_nothing(public, wards, settings):
    settings.SMTP = None
    answer = public("/venues/register/", form(wards[0]))
    assert answer.status_code == 503
    assert "People’s Committee of your ward" in answer.text
    assert not Venue.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("name", "Quán‮ơhp", "invisible"),
        ("name", "ỡ" * 27, "too long for the code"),
        ("name", "   ", "required"),
        ("address", "x" * 101, "too long"),
        ("stay_minutes", "100000", "1440"),
        ("kind", "2", "valid choice"),
        ("unit", "999999", "valid choice"),
        ("email", "pho@", "valid email"),
    ],
)
def test_what_no_code_can_carry_is_refused_with_a_sentence(public, mail, wards, field, value, told):
    answer = public("/venues/register/", form(wards[0], **{field: value}))
    assert answer.status_code == 422
    assert told in answer.text
    assert not Venue.objects.exists()


def test_a_name_typed_in_decomposed_letters_is_stored_composed_and_found(client, officer, public, mail, wards):
    import unicodedata

    build.applied_venue(wards[0], timezone.now())
    typed = unicodedata.normalize("NFD", "Nhà hàng Hồ Ba Bể")
    client.post("/venues/new/", form(wards[0], name=typed))
    assert Venue.objects.filter(name="Nhà hàng Hồ Ba Bể").exists()
    page = client.get("/venues/", {"find": "ho ba be"}).text
    assert "Nhà hàng Hồ Ba Bể" in page
    # At the foot stands what waits for the officer, whatever was searched for.
    assert build.PHO["name"] not in page.partition('class="waits')[0]


def test_a_form_from_another_site_registers_nothing(public, mail, wards):
    answer = public("/venues/register/", form(wards[0]), HTTP_ORIGIN="https://elsewhere.example")
    assert answer.status_code == 403
    assert not Venue.objects.exists()


def test_approving_signs_a_code_through_the_registrar_and_renewing_revokes_it(server, wards):
    now = timezone.now()
    venue = build.approved_venue(wards[0], now)
    first = venue.codes.get()
    assert server.registrar.valid_code(posters.registration_of(venue)) == first.sha256
    signed = server.registrar.read_own_code(first.link)
    assert (signed.name, signed.address, signed.type) == (venue.name, venue.address, venue.kind)

    second = posters.replace_code("mai", venue, now + DAY)
    first.refresh_from_db()
    assert (first.ended_why, second.number) == ("renewed", 2)
    assert server.registrar.valid_code(posters.registration_of(venue)) == second.sha256
    assert first.sha256 in list_revoked(server.keys_store, server.clock())

    posters.revoke_code("mai", venue, "Quán chuyển chỗ", now + DAY)
    assert server.registrar.valid_code(posters.registration_of(venue)) is None
    assert posters.replace_code("mai", venue, now + 2 * DAY).number == 3
    decisions.close_venue("mai", venue, now + 3 * DAY)
    assert server.registrar.valid_code(posters.registration_of(venue)) is None


def test_a_code_that_the_registrar_signed_and_the_office_lost_does_not_stand_in_the_way(server, wards):
    venue = build.applied_venue(wards[0], timezone.now())
    lost = VenueDescription(venue.name, venue.address, venue.kind, venue.stay_minutes)
    server.registrar.register_venue(posters.registration_of(venue), lost)
    decisions.approve_venue("mai", venue, timezone.now())

    assert server.registrar.valid_code(posters.registration_of(venue)) == venue.codes.get().sha256


def test_an_application_waits_a_day_for_the_ward_and_no_longer_once_it_is_decided(officer, server, wards):
    now = timezone.now()
    venue = build.applied_venue(wards[0], now)
    build.applied_venue(wards[1], now)
    waiting = [(matter.url, matter.by) for matter in matters_of(officer, now)]
    decisions.approve_venue("mai", venue, now)

    assert waiting == [(f"/venues/{venue.pk}/", now + DAY)]
    assert matters_of(officer, now) == []


def test_a_decision_is_made_once(server, wards):
    venue = build.approved_venue(wards[0], timezone.now())
    with pytest.raises(VenueStateWrong):
        decisions.refuse_venue("hoa", venue, "Trùng", timezone.now())
    with pytest.raises(VenueStateWrong):
        decisions.approve_venue("hoa", venue, timezone.now())
    assert venue.codes.count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        PosterCode.objects.create(venue=venue, number=9, link="x", fingerprint="x", sha256="x", short="x")


def test_the_owner_is_told_by_mail_in_vietnamese_and_gets_one_account_for_all_venues(server, mail, wards, settings):
    now = timezone.now()
    first, second = (build.applied_venue(wards[0], now, name=name) for name in ("Quán A", "Quán B"))
    token = decisions.approve_venue("mai", first, now, account=True)
    assert token
    assert decisions.approve_venue("mai", second, now, account=True) is None
    assert first.owner == second.owner
    assert set(first.owner.grants.values_list("role", flat=True)) == {Role.VENUE_OWNER}

    refused = build.applied_venue(wards[0], now, name="Quán C")
    decisions.refuse_venue("mai", refused, "Không có ở địa chỉ này", now)
    send_due_mail(timezone.now())
    texts = [message.get_content() for _to, message in mail.mails]
    assert sum(token in text for text in texts) == 1
    assert sum("Không có ở địa chỉ này" in text for text in texts) == 1
    assert {to for to, _message in mail.mails} == {"pho@example.org"}


def test_whom_to_reach_is_stored_sealed_and_forgotten_by_its_rule(server, wards, mail):
    now = timezone.now()
    waiting = applications.submit_application(build.application(wards[0], Contact("A", "", "a@example.org")), now)
    refused = build.applied_venue(wards[0], now, name="Quán C")
    decisions.refuse_venue("mai", refused, "Trùng", now)
    closed = build.approved_venue(wards[0], now)
    decisions.close_venue("mai", closed, now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM venues_venue")
        stored = repr(
            [[bytes(one) if isinstance(one, memoryview) else one for one in row] for row in cursor.fetchall()]
        )
    assert "0912 345 678" not in stored
    assert "example.org" not in stored

    retention.purge(now + DAY)
    assert not Venue.objects.filter(pk=waiting.pk).exists()
    retention.purge(now + 29 * DAY)
    assert Venue.objects.filter(pk=refused.pk).exists()
    retention.purge(now + 30 * DAY)
    assert not Venue.objects.filter(pk=refused.pk).exists()
    assert contact_of(Venue.objects.get(pk=closed.pk)).person
    retention.purge(now + 90 * DAY)
    assert contact_of(Venue.objects.get(pk=closed.pk)) == Contact()


def test_a_posters_page_says_whether_it_holds_and_counts_by_day_and_nothing_else(server, public, wards):
    venue = build.approved_venue(wards[0], timezone.now())
    old = venue.codes.get()
    answer = public(f"/p/{old.short}")
    assert "This poster is valid" in answer.text
    assert old.fingerprint in answer.text
    assert not answer.cookies
    new = posters.replace_code("mai", venue, timezone.now())
    assert "was replaced on" in public(f"/p/{old.short}").text
    assert "This poster is valid" in public(f"/p/{new.short}").text
    posters.revoke_code("mai", venue, "Kiểm tra", timezone.now())
    assert "revoked this code" in public(f"/p/{new.short}").text

    rows = list(ScanCount.objects.order_by("pk").values())
    assert [{**row, "id": 0} for row in rows] == [
        {"id": 0, "code_id": old.pk, "day": timezone.localdate(), "count": 2},
        {"id": 0, "code_id": new.pk, "day": timezone.localdate(), "count": 2},
    ]


def test_a_till_counts_absolute_numbers_so_that_a_repeat_counts_once(server, public, wards):
    venue = build.approved_venue(wards[0], timezone.now())
    token = tills.issue_till_token(venue)
    page = public(f"/till/{token}/")
    assert venue.codes.get().fingerprint in page.text
    day = str(timezone.localdate())

    def tell(people, tablet="0123456789abcdef", on=day, address=token):
        body = {"tablet": tablet, "day": on, "people": people}
        return public(f"/till/{address}/count", body, content_type="application/json")

    assert [tell(n).json()["people"] for n in (3, 3, 2, 5)] == [3, 3, 3, 5]
    assert tell(4, "fedcba9876543210").json()["people"] == 9
    for wrong in ((-1,), (10**9,), (1, "x"), (1, "0" * 16, "2020-01-01"), (1, "0" * 16, "9")):
        assert tell(*wrong).status_code == 422
    tills.issue_till_token(venue)
    assert tell(6).status_code == 404
    assert public(f"/till/{token}/").status_code == 404


def test_every_decision_is_in_the_audit_without_anything_of_the_owner(server, wards):
    now = timezone.now()
    venue = build.approved_venue(wards[0], now)
    posters.replace_code("mai", venue, now)
    posters.revoke_code("mai", venue, "Quán chuyển chỗ", now)
    acts = [entry.action for entry in AuditEntry.objects.exclude(action="entry_made").order_by("number")]
    assert acts == ["venue_entered", "venue_approved", "venue_renewed", "venue_suspended"]
    told = repr(list(AuditEntry.objects.values_list("details", "subject")))
    assert "Hoàng" not in told
    assert "example.org" not in told


def test_practice_signs_nothing_and_is_in_no_count(client, officer, server, wards, public):
    client.post("/training/")
    client.post("/venues/new/", form(wards[0]))
    venue = Venue.everything.get(training=True)
    client.post(f"/venues/{venue.pk}/approve/", {"account": "on"})
    code = PosterCode.everything.get()
    assert server.registrar.valid_code(posters.registration_of(venue)) is None
    with pytest.raises(VenueForeign):
        server.registrar.read_own_code(code.link)
    assert "for practice" in public(f"/p/{code.short}").text
    assert not ScanCount.objects.exists()
    client.post("/training/")
    assert client.get(f"/venues/{venue.pk}/").status_code == 404
    assert not Venue.objects.exists()


def test_roles_outside_the_ward_neither_see_nor_decide(client, server, wards):
    venue = build.applied_venue(wards[0], timezone.now())
    for name, role, within in (
        ("a.b", Role.OFFICER, wards[1]),
        ("c.d", Role.VENUE_OWNER, wards[0]),
        ("e.f", Role.TEACHER, None),
    ):
        client.force_login(user(name, role, within=within))
        assert client.get(f"/venues/{venue.pk}/").status_code == 404
        page = client.get("/venues/").text
        assert build.PHO["name"] not in page
        assert ('name="find"' in page) == (role != Role.TEACHER), "of no use to who keeps and owns none"
        answer = client.post(f"/venues/{venue.pk}/approve/")
        assert answer.status_code in (403, 404)
    client.force_login(user("g.h", Role.OFFICER, within=wards[1]))
    assert client.post("/venues/new/", form(wards[0])).status_code == 422, "a venue outside the unit"
    assert Venue.objects.get().state == VenueState.APPLIED


def test_an_owner_sees_and_prints_the_own_venue_and_decides_nothing(client, server, wards):
    now = timezone.now()
    venue, other = (
        build.applied_venue(wards[0], now),
        build.approved_venue(wards[0], now, name="Quán khác", contact=Contact("B")),
    )
    decisions.approve_venue("mai", venue, now, account=True)
    client.force_login(venue.owner)
    page = client.get("/venues/").text
    assert venue.name in page
    assert "Quán khác" not in page
    assert client.get(f"/venues/{venue.pk}/poster.pdf").content.startswith(b"%PDF")
    assert client.get(f"/venues/{other.pk}/poster.pdf").status_code == 404
    assert client.post(f"/venues/{venue.pk}/till/").status_code == 302
    for act in ("renew", "withdraw", "close", "inspect"):
        assert client.post(f"/venues/{venue.pk}/{act}/", {"reason": "x"}).status_code == 403


def test_of_two_who_change_a_venue_neither_loses_what_the_other_stored(client, officer, server, wards):
    venue = build.applied_venue(wards[0], timezone.now())
    address = f"/venues/{venue.pk}/change/"
    fields = client.get(address).context["form"]
    before = {name: fields[name].value() or "" for name in fields.fields}
    shown = re.search(r'name="shown" value="([^"]+)"', client.get(address).text)[1]
    assert client.post(address, {**before, "name": "Quán Hương Quê", "shown": shown}).status_code == 302

    answer = client.post(address, {**before, "address": "Tổ 9", "shown": shown})

    assert answer.status_code == 409
    assert answer.context["form"]["name"].value() == "Quán Hương Quê"
    assert answer.context["form"]["address"].value() == "Tổ 9"
    venue.refresh_from_db()
    assert (venue.name, venue.address) != ("Quán Hương Quê", "Tổ 9"), "nothing of the second is stored yet"
    again = re.search(r'name="shown" value="([^"]+)"', answer.text)[1]
    both = {**before, "name": "Quán Hương Quê", "address": "Tổ 9", "shown": again}
    assert client.post(address, both).status_code == 302
