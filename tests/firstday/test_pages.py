# SPDX-License-Identifier: Apache-2.0
"""The list and its pages: each step turns green by what is stored, and by nothing else."""

import datetime
import json
import os
import re

import pytest
from click.testing import CliRunner
from django.test import Client
from django.utils import timezone
from tests.builders.office import prove_second_factor, user

from bluezone.cli.main import root
from bluezone.directory.models import Agency
from bluezone.firstday import trials
from bluezone.firstday.checklist import build_checklist
from bluezone.identity.factors.confirmation import CONFIRMED_KEY
from bluezone.identity.models import Role, User
from bluezone.messaging.email.models import Mail
from bluezone.messaging.email.smtp_url import read_smtp_url
from bluezone.rollout.directives.models import Directive
from bluezone.training import practice
from bluezone.web import settings_public

pytestmark = pytest.mark.django_db
SETUP = "/first-day/places/01840/"
STATIONS = "/first-day/stations/"


@pytest.fixture
def admin(client):
    client.force_login(user("quan", Role.ADMIN))
    client.cookies.load({"bluezone-language": "en"})
    return prove_second_factor(client)


def done():
    return {step.name for step in build_checklist(timezone.now()).steps if step.is_done}


def ticked(client):
    page = client.get(SETUP).content.decode()
    return {"office": re.findall(r'name="office" value="([^"]+)"', page)}


def test_an_empty_city_names_what_would_fail_and_the_first_act(admin):
    page = admin.get("/first-day/").content.decode()

    assert done() == set()
    assert 'id="next" href="/first-day/places/"' in page
    assert "no agency is valid today" in page
    assert "there is no HTTPS" in page


def test_what_is_left_to_set_up_waits_for_an_administrator_at_home(admin):
    home = admin.get("/").text

    assert "If you went live now" in home
    assert 'href="/first-day/"' in home


@pytest.mark.long
def test_one_form_sets_up_a_ward_and_shows_a_slip_for_every_account(admin):
    page = admin.post(SETUP, ticked(admin))

    assert page.status_code == 201
    shown = page.content.decode()
    assert shown.count('class="slip"') == 33
    assert len(set(re.findall(r"/start/[\w-]{43}/", shown))) == 33
    assert {"directory", "accounts"} <= done()
    assert User.objects.filter(grants__role=Role.CLERK).count() == 33


@pytest.mark.long
def test_where_the_units_are_there_already_only_the_agencies_are_counted(admin):
    first, second, *_others = ticked(admin)["office"]
    admin.post(SETUP, {"office": [first]})
    page = admin.post(SETUP, {"office": [first, second]})

    assert "1 agencies have been entered" in page.text
    assert "0 units" not in page.text


def test_what_is_unticked_is_not_entered(admin):
    admin.post(SETUP, {"office": ["tram-y-te"]})

    assert set(Agency.objects.valid_on(timezone.localdate()).values_list("name", flat=True)) == {
        "Ủy ban nhân dân phường Đức Xuân", "Trạm Y tế phường Đức Xuân"
    }  # fmt: skip


@pytest.mark.long
def test_an_unknown_place_is_not_found_and_an_administrator_of_one_agency_sets_up_nothing(admin, client):
    assert admin.get("/first-day/places/99999/").status_code == 404
    admin.post(SETUP, ticked(admin))
    inner = Client()
    inner.force_login(user("trong", Role.ADMIN, Agency.objects.get(key="01840-ubnd")))

    assert inner.post(SETUP).status_code == 403
    assert inner.get("/first-day/").url == "/accounts/"


@pytest.mark.long
def test_telephone_and_hours_of_every_station_finish_their_step(admin):
    admin.post(SETUP, ticked(admin))
    station = Agency.objects.get(key="01840-tram-y-te")
    assert "stations" not in done()
    answer = admin.post(STATIONS, {f"{station.pk}-phone": "0209 3870 111", f"{station.pk}-hours": "7:00–17:00"})

    assert answer.status_code == 302
    assert "stations" in done()
    station.refresh_from_db()
    assert station.hours == "7:00–17:00"


@pytest.mark.long
def test_of_two_who_fill_in_the_stations_neither_loses_what_the_other_stored(admin):
    admin.post(SETUP, ticked(admin))
    one = Agency.objects.get(key="01840-tram-y-te")
    phone, hours = f"{one.pk}-phone", f"{one.pk}-hours"
    shown = sealed(admin.get(STATIONS))
    first = admin.post(STATIONS, {phone: "0209 3870 111", hours: "7:00–17:00", "shown-rows": shown})
    second = admin.post(STATIONS, {phone: "0209 3870 222", hours: "", "shown-rows": shown})

    assert (first.status_code, second.status_code) == (302, 409)
    assert [(clash.label, clash.stored) for clash in second.context["table"].clashes] == [
        (f"{one.name}: Telephone of the agency", "0209 3870 111")
    ]
    assert 'value="7:00–17:00"' in second.text, "the hours that only the first typed are brought in"
    assert second.text.count("Someone else has stored a change") == 1
    one.refresh_from_db()
    assert (one.phone, one.hours) == ("0209 3870 111", "7:00–17:00"), "nothing of the second is stored yet"

    both = {phone: "0209 3870 222", hours: "7:00–17:00", "shown-rows": sealed(second)}
    assert admin.post(STATIONS, both).status_code == 302
    one.refresh_from_db()
    assert (one.phone, one.hours) == ("0209 3870 222", "7:00–17:00")


def sealed(page):
    return re.search(r'name="shown-rows" value="([^"]+)"', page.text)[1]


def test_a_telephone_turns_its_step_green_and_a_messenger_s_look_does_not(admin, settings, server):
    page = admin.get("/first-day/phone/").content.decode()
    path = re.search(r"/try/[\w:.-]+/", page)[0]
    assert "X-Code-State" in admin.get("/first-day/phone/state/").headers
    for name in ("ROOT_URLCONF", "MIDDLEWARE", "TEMPLATES"):
        setattr(settings, name, getattr(settings_public, name))
    phone = Client()
    phone.head(path)
    assert trials.passed_trials() == {}

    assert phone.get(path).status_code == 200
    assert list(trials.passed_trials()) == ["phone"]
    assert phone.get(path).status_code == 302


@pytest.mark.long
def test_new_links_ask_for_the_second_factor_and_replace_the_old_ones(admin):
    first = admin.post(SETUP, ticked(admin)).content.decode()
    session = admin.session
    del session[CONFIRMED_KEY]
    session.save()
    assert admin.post("/first-day/invitations/").url.startswith("/confirm/")
    again = prove_second_factor(admin).post("/first-day/invitations/")

    assert again.status_code == 201
    old, new = (set(re.findall(r"/start/[\w-]{43}/", shown)) for shown in (first, again.content.decode()))
    assert len(old) == len(new) == 33
    assert not old & new


def test_a_backup_older_than_two_days_is_none(admin, data_folder):
    folder = data_folder / "backups"
    folder.mkdir()
    path = folder / "bluezone-1.bzbackup"
    path.write_bytes(b"")

    def is_made(hours_ago):
        moment = (timezone.now() - datetime.timedelta(hours=hours_ago)).timestamp()
        os.utime(path, (moment, moment))
        return "backup" in done()

    assert is_made(hours_ago=47)
    assert not is_made(hours_ago=49)


@pytest.mark.long
def test_practice_is_remembered_after_it_was_erased(admin):
    trials.note_practice(timezone.now())
    assert "practice" not in done()
    admin.post(SETUP, ticked(admin))
    ward = Agency.objects.get(key="01840-ubnd")
    with practice():
        Directive.objects.create(issuer=ward, made_by=user("thu", Role.CLERK, ward), subject="Thử")
    trials.note_practice(timezone.now())
    trials.remove_demo("quan", timezone.now())

    assert not trials.is_practised()
    assert "practice" in done()


def test_the_end_of_the_recovery_key_is_typed_on_its_page_and_a_wrong_one_is_said(admin, data_folder):
    assert "recovery-key new" in admin.get("/first-day/").content.decode()
    made = CliRunner().invoke(root, ["recovery-key", "new", "--data", str(data_folder), "--json"])
    assert "last four characters" in admin.get("/first-day/trials/key/").content.decode()
    assert admin.post("/first-day/trials/key/", {"code": "----"}).status_code == 422

    answer = admin.post("/first-day/trials/key/", {"code": json.loads(made.stdout)["recovery_key"][-4:]})
    assert answer.url == "/first-day/"
    assert "key" in done()
    assert admin.get("/first-day/trials/other/").status_code == 404


def test_a_code_sent_to_oneself_is_typed_on_the_same_page(admin, settings):
    settings.SMTP = read_smtp_url("smtp://localhost:25", "bluezone@localhost")
    assert admin.post("/first-day/trials/mail/", {"to": "no address"}).status_code == 422
    page = admin.post("/first-day/trials/mail/", {"to": "quan@example.org"})
    assert 'name="code"' in page.content.decode()
    code = re.search(r"\d{6}", Mail.objects.get().text)[0]

    assert admin.post("/first-day/trials/mail/", {"code": code}).status_code == 302
    assert "mail" in done()


@pytest.mark.long
def test_without_a_word_the_provinces_are_shown_and_with_one_what_took_over(admin):
    assert admin.get("/first-day/places/").content.decode().count("/first-day/places/") >= 34
    page = admin.get("/first-day/places/", {"q": "nong thuong"}).content.decode()

    assert "successor of xã Nông Thượng, thành phố Bắc Kạn, tỉnh Bắc Kạn" in page


@pytest.mark.parametrize("kind", ["mail", "sms", "push", "key"])
def test_the_page_of_a_trial_has_one_form_and_no_part_of_it_in_the_search_box(admin, kind):
    page = admin.get(f"/first-day/trials/{kind}/").text

    assert page.count('name="to"') == (kind in ("mail", "sms"))
    assert re.search(r'id="find"[^>]* value=""', page)


def test_a_notice_that_cannot_be_sent_says_what_to_do_first(admin):
    answer = admin.post("/first-day/trials/push/", {})

    assert answer.status_code == 422
    assert "Allow notices in this browser first" in answer.text
