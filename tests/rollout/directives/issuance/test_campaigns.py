# SPDX-License-Identifier: Apache-2.0
"""Campaigns: called under a basis document, with directives, tasks and figures; each agency keeps its own."""

import datetime

import pytest
from tests.builders.directives import LETTER, NOW, WARD_KEYS, door_to_door, enter_letter, person, send_letter

from bluezone.directory.models import Agency
from bluezone.identity.models import RoleGrant
from bluezone.rollout.directives.inbox import dispatch_acts
from bluezone.rollout.directives.issuance import approval, campaigns
from bluezone.rollout.directives.models import Campaign, Directive, DispatchState
from bluezone.rollout.directives.reports import agency_reports


@pytest.fixture
def office(client, clerk):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(clerk)
    return client


def called(office, committee, **changed):
    sent = {"owner": committee.pk, "name": "Ra quân tháng 8", "basis": "Kế hoạch 12/KH-TĐ", "aim": "", "rests_on": ""}
    sent |= {"begins": "2020-08-10", "ends": "2020-08-31"} | changed
    return office.post("/campaigns/new/", sent)


@pytest.mark.long
def test_a_campaign_is_called_and_shows_what_its_directives_have_come_to(office, committee, directive, clerk):
    answer = called(office, committee, rests_on=directive.pk, aim="Mỗi nhà một máy đang chạy")
    campaign = Campaign.objects.get()
    Directive.objects.filter(pk=directive.pk).update(campaign=campaign)
    dispatch_acts.move(directive.dispatches.first(), DispatchState.RECEIVED, clerk, NOW)
    page = office.get(f"/campaigns/{campaign.pk}/")
    figures = campaigns.figures([campaign.pk])[campaign.pk]

    assert (answer.status_code, campaign.owner, campaign.rests_on) == (302, committee, directive)
    assert (figures.directives, figures.sent, figures.received, figures.done) == (1, directive.dispatches.count(), 1, 0)
    assert "Mỗi nhà một máy" in page.text
    assert "458/UBND-VP" in page.text
    assert len(page.context["tasks"]) == 6
    assert "Ra quân tháng 8" in office.get("/campaigns/").text


@pytest.mark.long
def test_a_task_of_a_campaign_has_the_reports_made_on_it_and_no_others(committee, directive, clerk, signer):
    campaign = Campaign.objects.create(name="Ra quân tháng 8", owner=committee, basis="Kế hoạch 12/KH-TĐ")
    Directive.objects.filter(pk=directive.pk).update(campaign=campaign)
    elsewhere = enter_letter(committee, clerk, text=LETTER.replace("458/UBND-VP", "460/UBND-VP"))
    send_letter(elsewhere, clerk, signer)
    wards = Agency.objects.filter(key__in=WARD_KEYS)
    for one, ward in [(directive, wards[0]), (elsewhere, wards[1]), (elsewhere, wards[2])]:
        task = door_to_door(one)
        first = agency_reports.task_periods(task, NOW.date())[0].first
        agency_reports.submit(task, ward, first, {"people": 9}, "", clerk, NOW)
    made = {row.task.label: (row.reports, row.on_time) for row in campaigns.tasks_of(campaign, NOW.date())}

    assert made.pop("2") == (1, 1)
    assert set(made.values()) == {(0, 0)}


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"basis": ""}, {"ends": "2020-08-01"}, {"begins": "mai"}, {"rests_on": "99"}, {"owner": ""}]
)
def test_a_form_that_does_not_fit_is_refused_and_kept(office, committee, wrong):
    answer = called(office, committee, **wrong)

    assert answer.status_code == 422
    assert Campaign.objects.count() == 0
    assert wrong.get("name") == "" or "Ra quân tháng 8" in answer.text


def test_campaigns_past_and_under_way(office, committee):
    called(office, committee)
    today = datetime.date(2020, 9, 1)
    everyone = Agency.objects.all()

    assert campaigns.campaigns(everyone, today, "past").count() == 1
    assert campaigns.campaigns(everyone, today, "now").count() == 0
    assert campaigns.campaigns(everyone, datetime.date(2020, 8, 31), "now").count() == 1


def test_another_agency_neither_reads_nor_changes_it(office, committee):
    called(office, committee)
    campaign = Campaign.objects.get()
    ward = Agency.objects.get(key="ubnd-phuong-song-cau")
    office.force_login(person("other", "clerk", ward))

    assert office.get(f"/campaigns/{campaign.pk}/").status_code == 403
    assert office.post(f"/campaigns/{campaign.pk}/change/", {"name": "x"}).status_code == 403
    assert "Ra quân" not in office.get("/campaigns/").text
    assert called(office, committee, name="Của người khác").status_code == 422


def test_a_campaign_is_changed(office, committee):
    called(office, committee)
    campaign = Campaign.objects.get()
    sent = {"owner": committee.pk, "name": "Ra quân tháng 9", "basis": "Kế hoạch 13"}

    assert office.post(f"/campaigns/{campaign.pk}/change/", sent).status_code == 302
    campaign.refresh_from_db()
    assert (campaign.name, campaign.begins) == ("Ra quân tháng 9", None)


def test_a_campaign_is_under_way_on_its_last_day_and_past_on_the_next(office, committee):
    called(office, committee)
    everyone, last = Agency.objects.all(), datetime.date(2020, 8, 31)

    for day, now, past in ((last, 1, 0), (last + datetime.timedelta(days=1), 0, 1)):
        counts = [campaigns.campaigns(everyone, day, show).count() for show in ("now", "past", "")]
        assert counts == [now, past, 1]


@pytest.mark.long
def test_what_was_recalled_counts_nowhere_on_the_page_as_in_the_list(office, committee, directive, clerk):
    campaign = Campaign.objects.create(name="Ra quân tháng 8", owner=committee, basis="Kế hoạch 12/KH-TĐ")
    Directive.objects.filter(pk=directive.pk).update(campaign=campaign)
    first, second = directive.dispatches.all()[:2]
    for one, states in ((first, ("received", "done")), (second, ("received",))):
        for state in states:
            dispatch_acts.move(one, DispatchState(state), clerk, NOW)
    sent = directive.dispatches.count()
    listed = [office.get("/campaigns/").context["rows"][0][1]]
    shown = [office.get(f"/campaigns/{campaign.pk}/").context["figures"]]
    approval.revoke(Directive.objects.get(pk=directive.pk), "Nhầm", clerk, NOW)
    listed.append(office.get("/campaigns/").context["rows"][0][1])
    shown.append(office.get(f"/campaigns/{campaign.pk}/").context["figures"])

    assert listed == shown == [campaigns.Figures(1, sent, 2, 1), campaigns.Figures()]
    assert campaigns.tasks_of(campaign, NOW.date()) == []


def test_a_task_is_overdue_from_the_day_after_its_own(committee, directive):
    campaign = Campaign.objects.create(name="Ra quân tháng 8", owner=committee, basis="Kế hoạch 12/KH-TĐ")
    Directive.objects.filter(pk=directive.pk).update(campaign=campaign)
    task = door_to_door(directive)
    directive.tasks.exclude(pk=task.pk).update(due=None)
    days = [task.due, task.due + datetime.timedelta(days=1)]
    rows = [{row.task.label: row for row in campaigns.tasks_of(campaign, day)} for day in days]

    assert [found["2"].overdue for found in rows] == [False, True]
    assert rows[0]["2"].agencies == task.parties.count() == 8
    assert not any(row.overdue for label, row in rows[1].items() if label != "2")


def test_who_may_call_or_change_a_campaign_is_offered_it_and_a_reader_is_not(client, committee, clerk):
    own = Campaign.objects.create(name="Ra quân", owner=committee, basis="x")
    nobodys = Campaign.objects.create(name="Chung", basis="x")
    offered = []
    for user in (clerk, person("reader", "auditor")):
        client.force_login(user)
        pages = [client.get(f"/campaigns/{one.pk}/").context["may_change"] for one in (own, nobodys)]
        offered.append([client.get("/campaigns/").context["may_call"], *pages])

    assert offered == [[True] * 3, [False] * 3]


def test_a_clerk_of_another_agency_who_may_read_a_campaign_does_not_take_it_over(client, committee, directive):
    own = Campaign.objects.create(name="Ra quân", owner=committee, basis="x")
    elsewhere = Agency.objects.get(key=WARD_KEYS[0])
    both = person("both", "auditor")
    RoleGrant.objects.create(user=both, role="clerk", agency=elsewhere, valid_from=datetime.date(2020, 1, 1))
    client.force_login(both)
    read = client.get(f"/campaigns/{own.pk}/")
    refused = client.post(
        f"/campaigns/{own.pk}/change/",
        {"owner": elsewhere.pk, "name": "Của tôi", "basis": "x", "begins": "2020-08-10", "ends": "2020-08-31"},
    )

    own.refresh_from_db()
    assert (read.status_code, refused.status_code) == (200, 403)
    assert (own.name, own.owner) == ("Ra quân", committee)
