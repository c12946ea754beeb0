# SPDX-License-Identifier: Apache-2.0
"""The home of every role: what waits, whose it is, in which order, and that many matters ask no more questions."""

import datetime
import re

import pytest
from django.core.exceptions import PermissionDenied
from django.db.models.sql.compiler import SQLCompiler
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone
from tests.builders.coverage import staff_report
from tests.builders.directives import DAY, approve_letter, person, send_letter
from tests.builders.office import user
from tests.builders.pace import queries

from bluezone.desk.home import all_matters
from bluezone.duties.catalogue import menu
from bluezone.duties.duty import Pile
from bluezone.identity.audiences import ReachNotQueried, audience, reach_of_page_frame
from bluezone.identity.duty import ADMINS
from bluezone.identity.models import Role, RoleGrant, cache_grants
from bluezone.identity.objects import Ownership, touches
from bluezone.rollout.directives.inbox import dispatch_acts
from bluezone.rollout.directives.issuance import approval
from bluezone.rollout.directives.models import Directive, DispatchState, ReportState, TaskParty
from bluezone.rollout.directives.reports import agency_reports
from bluezone.rollout.report_week import Week

HOUR = datetime.timedelta(hours=1)
LETTERS = "directives"


def letters(who, now):
    """(act, pile, address) of what letters wait for, the most urgent first."""
    return [(one.act, one.pile, one.url) for duty, one in all_matters(who, now) if duty == LETTERS]


def acts(who, now):
    return [act for act, _pile, _url in letters(who, now)]


@pytest.fixture(autouse=True)
def _in_english(client):
    from django.utils.translation import override

    client.cookies.load({"bluezone-language": "en"})
    with override("en"):
        yield


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "begins"),
    [
        ("clerk", "/directives/new/"), ("issuer", "/directives/new/"), ("lead", "/inbox/"), ("officer", "/inbox/"),
        ("leader", "/coverage/"), ("health_worker", "/codes/new/"), ("supervisor", "/codes/new/"),
        ("auditor", "/audit/"), ("gatekeeper", "/gates/"), ("teacher", "/schools/mine/"),
        ("editor", "/news/"), ("speaker_operator", "/loudspeakers/"), ("drive_lead", "/drives/"),
        ("venue_owner", "/venues/"),
    ],
)  # fmt: skip
def test_where_nothing_waits_home_says_so_and_offers_what_the_role_begins(client, server, role, begins):
    client.force_login(user(role, role))
    page = client.get("/").text

    assert "Nothing is waiting for you now." in page
    assert re.findall(r'<a class="button" href="([^"]+)"', page) == [begins]


@pytest.mark.long
def test_a_letter_waits_for_one_person_after_the_other(draft, clerk, signer, ward_clerk, officer, ward, now):
    assert acts(clerk, now) == ["Continue writing"]
    assert acts(signer, now) == []

    version = approval.submit(draft, clerk, now)
    assert acts(clerk, now) == []
    assert letters(signer, now) == [("Read and confirm", Pile.MINE, f"/directives/{draft.pk}/approve/")]

    approval.give_back(draft, "Sai số.", signer, now)
    assert acts(clerk, now) == ["Correct it"]
    assert acts(signer, now) == []

    version = approval.submit(draft, clerk, now)
    approval.approve(draft, version.sha256, signer, now, for_another=True)
    assert acts(clerk, now) == ["Send"]

    approval.issue(draft, clerk, now, on_paper=True)
    dispatch = draft.dispatches.get(agency=ward)
    assert letters(ward_clerk, now) == [("Receive", Pile.AGENCY, f"/inbox/{dispatch.pk}/")]

    dispatch_acts.move(dispatch, DispatchState.RECEIVED, ward_clerk, now)
    assert "Assign or begin" in acts(ward_clerk, now)

    dispatch_acts.assign(dispatch, officer, None, timezone.localdate(now), ward_clerk, now)
    assert "Assign or begin" not in acts(ward_clerk, now)
    assert letters(officer, now)[0] == ("Work on it", Pile.MINE, f"/inbox/{dispatch.pk}/")
    assert "Work on it" not in acts(ward_clerk, now), "it was given to another"

    dispatch_acts.move(dispatch, DispatchState.REPORTED, officer, now, note="Đã làm xong.")
    assert acts(officer, now) == []
    assert ("Accept it, or say what is missing", Pile.SENT, f"/directives/{draft.pk}/") in letters(clerk, now)


def test_a_letter_without_number_and_day_waits_for_them_before_it_is_sent(draft, clerk, signer, now):
    draft.number, draft.date = "", None
    draft.save()
    approve_letter(draft, clerk, signer, now)

    assert acts(clerk, now) == ["Set its number and day"]


def test_a_letter_waits_at_no_other_agency_than_those_that_got_it(draft, clerk, signer, committee, now):
    send_letter(draft, clerk, signer, now)
    school = person("school", "clerk", draft.dispatches.exclude(agency=committee).first().agency.parent)

    others = [url for _act, _pile, url in letters(school, now) if "/inbox/" in url]
    assert all(
        draft.dispatches.get(pk=int(url.split("/")[2])).agency_id == school.grants.get().agency_id for url in others
    )


@pytest.mark.long
def test_a_report_is_owed_until_it_is_made_and_again_when_it_is_returned(draft, clerk, signer, ward, ward_clerk, now):
    send_letter(draft, clerk, signer, now)
    dispatch = draft.dispatches.get(agency=ward)
    dispatch_acts.move(dispatch, DispatchState.RECEIVED, ward_clerk, now)
    dispatch_acts.move(dispatch, DispatchState.IN_PROGRESS, ward_clerk, now)
    party = TaskParty.objects.filter(task__directive=draft, agency=ward).order_by("task__position").first()
    period = agency_reports.task_periods(party.task, timezone.localdate(now), party)[0]

    def owed():
        return [url for act, _pile, url in letters(ward_clerk, now) if url.startswith(f"/tasks/{party.pk}/report/")]

    assert owed() == [f"/tasks/{party.pk}/report/?period={period.first}"]
    report = agency_reports.submit(party.task, ward, period.first, {"people": 40}, "Đã làm.", ward_clerk, now)
    assert owed() == []
    assert ("Check the reports", Pile.SENT, f"/directives/{draft.pk}/progress/") in letters(clerk, now)
    agency_reports.give_back(report, "Thiếu số.", clerk, now)
    assert report.state == ReportState.RETURNED
    assert owed() == [f"/tasks/{party.pk}/report/?period={period.first}"]


@pytest.mark.long
def test_a_report_that_is_made_once_is_never_asked_for_again(client, draft, clerk, signer, ward, ward_clerk, now):
    draft.tasks.update(report_every="once", due=None, due_time=None)
    send_letter(draft, clerk, signer, now)
    dispatch = draft.dispatches.get(agency=ward)
    dispatch_acts.move(dispatch, DispatchState.RECEIVED, ward_clerk, now)
    dispatch_acts.move(dispatch, DispatchState.IN_PROGRESS, ward_clerk, now)
    parties = TaskParty.objects.filter(task__directive=draft, agency=ward, role="lead").select_related("task")

    def asked_for(at):
        found = [url for _act, _pile, url in letters(ward_clerk, at)]
        return {one.pk for one in parties if any(url.startswith(f"/tasks/{one.pk}/report/") for url in found)}

    later = now + 130 * DAY
    assert asked_for(later) == {one.pk for one in parties}, "without a deadline it is owed until it is made"
    first = parties[0]
    agency_reports.submit(first.task, ward, first.task.report_from, {"people": 4}, "Xong.", ward_clerk, now)
    assert asked_for(later) == {one.pk for one in parties} - {first.pk}


@pytest.mark.long
def test_who_has_not_received_a_letter_or_is_behind_comes_back_to_the_issuer(draft, clerk, signer, now):
    send_letter(draft, clerk, signer, now)
    call = ("Call them", Pile.SENT, f"/directives/{draft.pk}/late/")
    assert call not in letters(clerk, now + 20 * HOUR)
    assert call in letters(clerk, now + 25 * HOUR)

    past = now + 40 * DAY
    (late,) = [one for duty, one in all_matters(clerk, past) if duty == LETTERS and one.act == "Call them"]
    assert late.stated
    assert late.by <= past
    assert "are not done" in late.what


@pytest.mark.long
def test_at_7_25_with_thirty_matters_one_click_leads_to_the_most_urgent(
    client, draft, clerk, signer, ward_clerk, ward, now
):
    send_letter(draft, clerk, signer, now - 2 * DAY)
    first = draft.dispatches.get(agency=ward)
    copies = []
    for number in range(30):
        copy = Directive.objects.get(pk=draft.pk)
        copy.pk, copy.number, copy._state.adding = None, str(600 + number), True
        copy.save()
        copies.append(copy)
    dispatches = [first]
    for number, copy in enumerate(copies):
        one = draft.dispatches.get(agency=ward)
        one.pk, one.directive, one._state.adding = None, copy, True
        one.arrived_at = now - DAY + number * HOUR
        one.save()
        dispatches.append(one)
    client.force_login(ward_clerk)
    page = client.get("/")

    assert page.context["count"] >= 31
    (urgent,) = re.findall(r'<a class="button" href="([^"]+)"', page.text)
    assert urgent == f"/inbox/{first.pk}/"
    assert client.get(urgent).status_code == 200
    assert client.get("/?all=1").text.count("/inbox/") > page.text.count("/inbox/")


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.AUDITOR, Role.GATEKEEPER, Role.LEADER])
def test_for_roles_that_nothing_waits_for_two_questions_are_asked(role, now, monkeypatch):
    """Nor is any other made up: one that can find nothing reaches no store, and is most of the work of a menu."""
    reader, made, as_sql = user("reader", role), [], SQLCompiler.as_sql

    def noted(compiler, *rest, **more):
        made.append(compiler.query.model.__name__)
        return as_sql(compiler, *rest, **more)

    cache_grants(reader)
    monkeypatch.setattr(SQLCompiler, "as_sql", noted)

    assert all_matters(reader, now) == []
    assert sorted(made) == ["Assignment", "WaitingAct"]


@pytest.mark.long
def test_home_asks_as_many_questions_of_many_matters_as_of_few(client, draft, clerk, signer, ward_clerk, ward, now):
    send_letter(draft, clerk, signer, now)
    asked = {}
    for turn in ("few", "many"):
        for who in (ward_clerk, clerk):
            client.force_login(who)
            asked[who.username, turn] = queries(client, "/")
        for number in range(5):
            copy = Directive.objects.get(pk=draft.pk)
            tasks = list(copy.tasks.all())
            copy.pk, copy.number, copy._state.adding = None, f"{turn}{number}", True
            copy.save()
            for one in draft.dispatches.all():
                one.pk, one.directive, one._state.adding = None, copy, True
                one.save()
            for task in tasks:
                parties = list(task.parties.all())
                task.pk, task.directive, task._state.adding = None, copy, True
                task.save()
                for party in parties:
                    party.pk, party.task, party._state.adding = None, task, True
                    party.save()

    assert asked["clerk", "few"] == asked["clerk", "many"]
    assert asked["ward-clerk", "few"] == asked["ward-clerk", "many"]


@pytest.mark.long
def test_the_menu_shows_how_much_waits_and_counts_anew_after_a_form(
    client, draft, clerk, signer, ward_clerk, ward, now
):
    send_letter(draft, clerk, signer, now)
    client.force_login(ward_clerk)

    def badge():
        found = re.search(
            r'href="/"[^>]*>My work <span class="badge[^>]*><span class="hidden">waiting: </span>(\d+)',
            client.get("/how-to/").text,
        )
        return int(found[1]) if found else 0

    waiting = badge()
    assert waiting >= 1
    dispatch = draft.dispatches.get(agency=ward)
    dispatch_acts.move(dispatch, DispatchState.SENT_BACK, signer, now, note="Nhầm nơi nhận.")
    assert badge() == waiting, "what another does shows a little later, so that no page asks each time"
    client.post("/training/")
    client.post("/training/")
    assert badge() == waiting - 1


@pytest.mark.long
def test_every_page_says_what_is_next_or_that_nothing_waits(client, draft, clerk, signer, ward_clerk, ward, now):
    stranger = person("stranger", "gatekeeper", ward)
    send_letter(draft, clerk, signer, now)
    client.force_login(stranger)
    assert 'data-waits="0"' in client.get("/how-to/").text
    # On a Monday the report of the week before is due today, and would come first.
    staff_report(ward, ward_clerk, running=5, week=Week.of(timezone.localdate(now)).previous)
    client.force_login(ward_clerk)
    page = client.get("/how-to/").text

    dispatch = draft.dispatches.get(agency=ward)
    assert f'<a class="button" href="/inbox/{dispatch.pk}/">Receive</a>' in page


def test_a_clerk_sees_what_a_clerk_uses_and_the_rest_under_other_pages(client, clerk):
    client.force_login(clerk)
    page = client.get("/how-to/").text
    pages = page[page.index('<nav class="pages"') : page.index("</nav>")]
    used, others = pages.split('<details class="others"')

    assert re.findall(r'href="([^"]+)"', used) == ["/", "/inbox/", "/agencies/", "/staff/"]
    named = {reverse(entry.url) for entry in menu() if entry.audience is None}
    assert named <= set(re.findall(r'href="([^"]+)"', pages)), "nothing is taken away"
    assert "/gates/" in others


def test_a_long_menu_has_headings(client, server, db):
    many = user("many", "admin")
    for role in ("officer", "supervisor"):
        RoleGrant.objects.create(
            user=many, role=role, valid_from=datetime.date(2020, 1, 1)
        ) if role != "supervisor" else None
    client.force_login(many)
    page = client.get("/how-to/").text

    assert '<p class="heading soft">In the wards</p>' in page


@pytest.mark.long
def test_what_is_practised_waits_in_training_mode_alone(client, draft, clerk, now):
    client.force_login(clerk)
    assert "Continue writing" in client.get("/").text
    client.post("/training/")

    assert "Continue writing" not in client.get("/").text


@pytest.mark.django_db
def test_what_the_frame_of_a_page_asks_does_not_count_as_asked_by_its_view():
    from django.http import HttpResponse

    from bluezone.directory.scopes import grants_for

    @audience(ADMINS)
    @touches(Ownership.REACHED)
    def forgets(request):
        with reach_of_page_frame():
            grants_for(request.user, [Role.ADMIN])
        return HttpResponse("a secret")

    request = RequestFactory().get("/")
    request.user = user("root", Role.ADMIN)
    with pytest.raises(ReachNotQueried):
        forgets(request)
    request.user = user("guest", Role.TEACHER)
    with pytest.raises(PermissionDenied):
        forgets(request)
