# SPDX-License-Identifier: Apache-2.0
"""The pages of drives and of the queue: whose they are, what they show, what they refuse."""

import datetime
import re

import pytest
from django.test import override_settings
from django.utils import timezone
from tests.builders import drives as build
from tests.builders.office import user
from tests.rollout.drives.test_queue import youth

from bluezone.directory.models import Agency
from bluezone.identity.models import Role
from bluezone.rollout.drives import help_queue, help_requests, lifecycle
from bluezone.rollout.drives.models import Drive, HelpOutcome, HelpProof, HelpRequest, Hindrance, Team

__all__ = ["youth"]
pytestmark = pytest.mark.django_db
PHONE = "0912 345 678"


@pytest.fixture
def wards():
    return build.city()


@pytest.fixture
def lead(client, youth):
    """Leader of drives of the Youth Union of the city."""
    client.cookies.load({"bluezone-language": "en"})
    made = user("minh", Role.DRIVE_LEAD, within=youth.agency)
    client.force_login(made)
    return made


@pytest.fixture
def live(youth, wards):
    drive = build.drive(youth, wards[0], timezone.now())
    lifecycle.open_drive("lan", drive, timezone.now())
    return drive


def public(path, data=None, **headers):
    """The public origin's answer; `data` sends a form."""
    from django.test import Client

    with override_settings(ROOT_URLCONF="bluezone.web.urls_public"):
        client = Client()
        return client.get(path, **headers) if data is None else client.post(path, data, **headers)


@pytest.mark.long
def test_a_drive_is_planned_under_a_campaign_begun_and_ended(client, lead, youth, wards):
    campaign = build.campaign()
    form = {
        "campaign": campaign.pk,
        "team": youth.pk,
        "unit": wards[0].pk,
        "place": "Chợ  Đức Xuân",
        "day": "2020-08-15",
    }
    answer = client.post("/drives/new/", {**form, "begins": "08:00", "ends": "07:00"})
    assert answer.status_code == 422
    assert "end before it starts" in answer.text
    unread = client.post("/drives/new/", {**form, "begins": "sáng", "ends": "11:00"})
    assert "Write a time like 7:30 or 19:30." in unread.text
    assert 'value="sáng"' in unread.text, "what was typed is still there"
    answer = client.post("/drives/new/", {**form, "day": "15/8/2020", "begins": "8h", "ends": "1 giờ 30 chiều"})
    assert answer.status_code == 302, answer.text
    drive = Drive.objects.get()
    assert (answer.status_code, drive.place) == (302, "Chợ Đức Xuân")
    hours = [f"{timezone.localtime(moment):%d/%m %H:%M}" for moment in (drive.begins, drive.ends)]
    assert hours == ["15/08 08:00", "15/08 13:30"]
    page = client.get(f"/drives/{drive.pk}/").text
    assert campaign.basis in page
    assert public(f"/d/{drive.code}").status_code == 410

    client.post(f"/drives/{drive.pk}/open/", {"radio": ""})
    assert public(f"/d/{drive.code}").status_code == 200
    client.post(f"/drives/{drive.pk}/close/")
    drive.refresh_from_db()
    assert drive.state == "closed"
    assert public(f"/d/{drive.code}").status_code == 410


@pytest.mark.long
def test_a_stall_takes_somebody_through_from_the_code_to_done(client, lead, live):
    joined = public(f"/d/{live.code}", {"key": "one-press-of-it"})
    assert joined.status_code == 303
    assert public(f"/d/{live.code}", {"key": "one-press-of-it"}).url == joined.url, "pressed twice, one ticket"
    ticket = HelpRequest.objects.get()
    assert ticket.ticket in public(joined.url).text
    assert ticket.ticket in client.get(f"/drives/{live.pk}/").text

    client.post(f"/help-queue/{ticket.pk}/claim/", {"drive": live.pk, "next": f"/drives/{live.pk}/"})
    page = client.get(f"/drives/{live.pk}/").text
    assert "Done: I saw it running" in page
    assert "running, proven" not in page, "no radio, no proof to give"
    client.post(f"/help-queue/{ticket.pk}/done/", {"drive": live.pk, "proof": "attested"})
    outcome = HelpOutcome.objects.get()
    assert (outcome.result, outcome.proof, outcome.drive) == ("running", "attested", live)


def test_a_tap_is_taken_back_within_ten_seconds(client, lead, live):
    client.post(f"/drives/{live.pk}/walk-in/")
    ticket = HelpRequest.objects.get()
    client.post(f"/help-queue/{ticket.pk}/done/", {"proof": "attested", "drive": live.pk})
    client.post("/undo/", {"next": f"/drives/{live.pk}/"})
    ticket.refresh_from_db()

    assert (ticket.state, ticket.counted) == ("claimed", False)
    assert not HelpOutcome.objects.exists()


def test_whoever_works_for_the_team_no_longer_takes_nothing_back(client, lead, live):
    client.post(f"/drives/{live.pk}/walk-in/")
    client.post(f"/help-queue/{HelpRequest.objects.get().pk}/done/", {"proof": "attested", "drive": live.pk})
    lead.grants.update(role=Role.CLERK)
    client.post("/undo/", {"next": f"/drives/{live.pk}/"})

    assert HelpOutcome.objects.exists()
    assert HelpRequest.objects.get().state == "done"


def test_a_proof_that_the_radio_does_not_have_is_not_booked(client, lead, live):
    client.post(f"/drives/{live.pk}/walk-in/")
    ticket = HelpRequest.objects.get()
    client.post(f"/help-queue/{ticket.pk}/done/", {"proof": "proven", "drive": live.pk})

    assert HelpRequest.objects.get().state == "claimed"
    assert "the radio has heard no running phone" in client.get(f"/drives/{live.pk}/").text


@pytest.mark.long
def test_whom_to_call_is_shown_to_the_team_that_took_the_request_on_and_to_nobody_else(client, lead, youth, wards):
    asked = build.help_request(PHONE, unit=wards[0])
    assert PHONE not in client.get("/help-queue/").text
    client.post(f"/help-queue/{asked.pk}/claim/", {"team": youth.pk})
    assert PHONE in client.get("/help-queue/").text

    other = user("hoa", Role.DRIVE_LEAD, within=wards[1])
    client.force_login(other)
    assert PHONE not in client.get("/help-queue/").text
    for act, form in {"done": {"proof": "attested"}, "cannot": {"hindrance": "declined"}, "release": {}}.items():
        assert client.post(f"/help-queue/{asked.pk}/{act}/", form).status_code == 404
    assert HelpRequest.objects.get().team == youth


def test_a_leader_of_drives_reaches_the_requests_and_drives_of_the_own_area_alone(client, youth, wards, live):
    song_cau, duc_xuan = wards
    here, there, nowhere = (
        build.help_request("a", unit=duc_xuan),
        build.help_request("b", unit=song_cau),
        build.help_request("c"),
    )
    client.force_login(user("tuyet", Role.DRIVE_LEAD, within=duc_xuan))
    chapter = Agency.objects.create(key="doan-dx", name="Đoàn phường Đức Xuân", kind="union", unit=duc_xuan, path="x/")
    team = Team.objects.create(agency=chapter, name="Đội Đức Xuân")
    answer = client.get("/help-queue/")
    page = answer.text
    assert list(answer.context["teams"]) == [team]
    assert here.ticket in page
    assert there.ticket not in page
    assert nowhere.ticket not in page, "whoever said no ward is for those who serve the whole city"

    assert client.post(f"/help-queue/{there.pk}/claim/", {"team": team.pk}).status_code == 404
    assert client.post(f"/help-queue/{here.pk}/claim/", {"team": youth.pk}).status_code == 404, "not a team of theirs"
    assert client.get(f"/drives/{live.pk}/").context["numbers"] is None
    assert client.post(f"/drives/{live.pk}/walk-in/").status_code == 403
    assert client.post(f"/drives/{live.pk}/close/").status_code == 403
    assert client.get(f"/drives/{live.pk}/tally/").status_code == 403


@pytest.mark.parametrize("role", [Role.CANVASSER, Role.GATEKEEPER, Role.LEADER, Role.ADMIN, Role.TEACHER])
def test_other_roles_do_not_read_the_queue(client, wards, role):
    client.force_login(user("x.y", role))
    assert client.get("/help-queue/").status_code == 403


def test_an_officer_notes_what_somebody_says_on_the_telephone(client, wards):
    client.force_login(user("binh", Role.OFFICER))
    client.cookies.load({"bluezone-language": "en"})
    answer = client.post("/help-queue/new/", {"contact": PHONE, "unit": "", "place": "tổ 5", "note": ""})
    one = HelpRequest.objects.get()
    assert (answer.status_code, one.channel) == (201, "phone")
    assert one.ticket in answer.text
    hidden = "0912‮345"
    refused = client.post("/help-queue/new/", {"contact": hidden, "unit": "", "place": "", "note": ""})
    assert refused.status_code == 422
    assert "invisible" in refused.text


def test_what_is_typed_in_an_old_font_is_converted_and_shown_before_it_is_stored(client, lead, youth, wards):
    legacy = "Tr¹m y tÕ ph­êng S«ng CÇu"
    form = {"campaign": build.campaign().pk, "team": youth.pk, "unit": wards[0].pk, "day": "2020-08-15"}
    answer = client.post("/drives/new/", {**form, "place": legacy, "begins": "08:00", "ends": "11:00"})
    assert answer.status_code == 422
    assert 'value="Trạm y tế phường Sông Cầu"' in answer.text
    assert not Drive.objects.exists()


def test_a_sheet_is_entered_once_and_counts_as_seen(client, lead, live):
    sheet = {"sheet": 1, "running": 12, "other_help": 3, "no_smartphone": 4, "could_not": 1}
    assert client.post(f"/drives/{live.pk}/tally/", sheet).status_code == 302
    assert client.post(f"/drives/{live.pk}/tally/", sheet).status_code == 422
    page = re.sub(r"\s+", " ", client.get(f"/drives/{live.pk}/").text)
    assert 'Running, seen</small><b class="num">12' in page
    assert 'Running, proven</small><b class="num">0' in page


@pytest.mark.long
def test_the_board_names_both_denominators_and_keeps_small_numbers_from_strangers(client, lead, live, wards):
    for kind, value in (("population", 4812), ("smartphones", 3100)):
        wards[0].denominators.create(kind=kind, value=value, source="Chi cục Thống kê", as_of=datetime.date(2020, 1, 1))
    for sheet, running in ((1, 3), (2, 40)):
        drive = live if sheet == 1 else build.drive(live.team, wards[1], timezone.now())
        lifecycle.enter_tally(
            "lan", drive, sheet, {"running": running, "other_help": 0, "no_smartphone": 0, "could_not": 0}
        )
    page = client.get("/drives/").text
    assert "4,812" in page
    assert "3,100" in page
    assert "Chi cục Thống kê" in page
    assert "Withheld" in page

    client.force_login(user("an", Role.CLERK))
    assert "Withheld" not in client.get("/drives/").text, "the whole city is the reader's own"


def test_a_team_s_small_numbers_are_shown_to_its_agency_and_kept_from_others(client, live):
    lifecycle.enter_tally("lan", live, 1, {"running": 3, "other_help": 0, "no_smartphone": 0, "could_not": 0})

    def hides(within):
        client.force_login(user(f"of.{within.pk}", Role.CLERK, within=within))
        return [row.numbers.suppresses_something for row in client.get("/drives/").context["teams"]]

    assert hides(live.team.agency) == [False]
    assert hides(Agency.objects.get(key="ubnd-phuong-duc-xuan")) == [True]


def test_practice_is_a_queue_of_its_own_and_in_no_figure(client, lead, live, youth):
    from bluezone.rollout.drives.help_requests import help_by_unit

    asked = build.help_request()
    client.post("/training/")
    assert asked.ticket not in client.get("/help-queue/").text
    assert client.get(f"/drives/{live.pk}/").status_code == 404
    client.post("/help-queue/new/", {"contact": PHONE, "unit": "", "place": "", "note": ""})
    made = client.post("/drives/teams/new/", {"agency": youth.agency_id, "name": "Đội tập", "people": 3})
    assert made.status_code == 302
    practised = HelpRequest.everything.get(training=True)
    team = Team.everything.get(training=True)
    client.post(f"/help-queue/{practised.pk}/claim/", {"team": team.pk})
    client.post(f"/help-queue/{practised.pk}/done/", {"proof": "attested"})

    assert HelpOutcome.everything.get().training
    assert not HelpOutcome.objects.exists()
    today = timezone.localdate()
    assert all(one.done == 0 for one in help_by_unit(today, today).values())


def test_the_weeks_indicators_count_proven_and_seen_apart(youth, wards):
    from bluezone.rollout.drives.boards import ProvenWithHelp, SeenWithHelp
    from bluezone.rollout.report_week import Week

    now = timezone.now()
    device, _token = build.radio(youth.agency)
    drive = build.drive(youth, wards[0], now)
    lifecycle.open_drive("lan", drive, now, device)
    build.running_phones(drive, device, 1, now)
    for proof in (HelpProof.PROVEN, HelpProof.ATTESTED, HelpProof.NONE):
        one = help_requests.join_stall(drive)
        help_queue.claim_request("lan", one, youth, now)
        help_queue.close_as_helped("lan", one, [youth.pk], proof, now)
    old = help_requests.join_stall(drive)
    help_queue.claim_request("lan", old, youth, now)
    help_queue.close_as_not_helped("lan", old, [youth.pk], Hindrance.NO_SMARTPHONE, now)
    lifecycle.enter_tally("lan", drive, 1, {"running": 5, "other_help": 1, "no_smartphone": 9, "could_not": 0})

    week = Week.of(timezone.localdate(now))
    proven, seen = (list(one.figures(week)) for one in (ProvenWithHelp(), SeenWithHelp()))
    assert [(one.count, one.base, one.unit_path) for one in proven] == [(1, 9, wards[0].path)]
    assert [(one.count, one.base) for one in seen] == [(6, 9)]


@pytest.mark.long
def test_the_sheets_are_printed_with_a_code_that_leads_to_the_stall(client, lead, live):
    import pypdfium2
    import zxingcpp

    from bluezone.rollout.drives.views import stall_link

    answer = client.get(f"/drives/{live.pk}/stall.pdf")
    image = pypdfium2.PdfDocument(answer.content)[0].render(scale=2).to_pil()
    code = zxingcpp.read_barcode(image)
    assert code.text == stall_link(live)
    width = code.position.top_right.x - code.position.top_left.x
    assert width / 2 / 72 * 25.4 >= 149
    assert client.get(f"/drives/{live.pk}/tally.pdf").content.startswith(b"%PDF")
