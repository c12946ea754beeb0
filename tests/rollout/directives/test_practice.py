# SPDX-License-Identifier: Apache-2.0
"""Directives in training mode: the same pages with data of their own, in no figure, erased after seven days."""

import datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.db.utils import DatabaseError
from tests.builders.directives import DAY, LETTER, NOW, confirm_as_seen, door_to_door, person
from tests.builders.office import local_today
from tests.rollout.directives.test_views import confirmed, form_of

from bluezone import training
from bluezone.directory.models import Agency
from bluezone.identity.models import AuditEntry
from bluezone.messaging.email.models import Mail
from bluezone.messaging.email.smtp_url import read_smtp_url
from bluezone.rollout.directives import queries, register
from bluezone.rollout.directives.inbox import digests, dispatch_acts
from bluezone.rollout.directives.issuance import campaigns
from bluezone.rollout.directives.models import (
    Campaign,
    ChangeRequest,
    Directive,
    Dispatch,
    DispatchEvent,
    DispatchState,
    PeriodRequest,
    Report,
    StoredFile,
    Task,
    TaskParty,
)
from bluezone.rollout.directives.reports import agency_reports

MODELS = [
    Campaign,
    ChangeRequest,
    Directive,
    Dispatch,
    DispatchEvent,
    PeriodRequest,
    Report,
    StoredFile,
    Task,
    TaskParty,
]


def counts(practice):
    return {model.__name__: model.everything.filter(training=practice).count() for model in MODELS}


def real():
    """What every part of the program finds that does not practise."""
    return {model.__name__: model.objects.count() for model in MODELS}


@pytest.fixture
def practising(client, clerk, signer):
    """A browser in training mode, in which one can change who is signed in."""

    def as_(user):
        client.force_login(user)
        confirmed(client)
        session = client.session
        session[training.TRAINING_KEY] = True
        session.save()
        return client

    return as_


@pytest.fixture
def practised(practising, committee, clerk, signer):
    """A letter taken in, sent, received, reported on, with a request, a campaign and a file, all by the pages."""
    browser = practising(clerk)
    browser.post("/campaigns/new/", {"owner": committee.pk, "name": "Tập huấn ra quân", "basis": "Kế hoạch 1"})
    drafted = browser.post("/directives/new/", {"issuer": committee.pk, "text": LETTER})
    assert drafted.status_code == 302
    page = browser.get(drafted.url)
    campaign = page.context["form"].fields["campaign"].queryset.get()
    typed = form_of(page) | {"task-1-lead_names": "UBND các xã, phường", "campaign": campaign.pk, "then": "submit"}
    typed |= {"task-1-report_every": "week", "task-1-asked_for": "Số người"}
    assert browser.post(drafted.url, typed).status_code == 302
    pk = Directive.everything.get(training=True).pk
    confirm_as_seen(practising(signer), pk)
    practising(clerk).post(f"/directives/{pk}/issue/", {"on_paper": "on"})
    directive = Directive.everything.get(pk=pk)
    assert directive.state == "issued"
    ward = Agency.objects.get(key="ubnd-phuong-song-cau")
    at_ward = practising(person("officer", "officer", ward))
    way = Dispatch.everything.get(directive=pk, agency=ward)
    at_ward.post(f"/inbox/{way.pk}/act/", {"to": "received"})
    party = TaskParty.everything.get(task__directive=pk, task__label="2", agency=ward)
    png = b"\x89PNG\r\n\x1a\n" + bytes(64)
    period = f"/tasks/{party.pk}/report/?period={local_today()}"
    sent = at_ward.post(period, {"n1": "44444", "text": "tập", "evidence": SimpleUploadedFile("a.png", png)})
    assert sent.status_code == 302
    at_ward.post(f"/tasks/{party.pk}/ask/", {"kind": "extension", "until": "2030-01-01", "reason": "thử"})
    return directive


@pytest.mark.long
def test_the_whole_duty_is_practised_by_the_same_pages(practised, practising, clerk):
    made = counts(practice=True)
    browser = practising(clerk)

    assert made["Report"] == made["ChangeRequest"] == made["StoredFile"] == made["Campaign"] == 1
    assert made["Dispatch"] == 32
    assert "458/UBND-VP" in browser.get("/directives/").text
    task = Task.everything.get(directive=practised, label="2")
    assert "44.444" in browser.get(f"/directives/{practised.pk}/progress/?task={task.pk}&period={local_today()}").text
    assert "TẬP HUẤN" in browser.get("/inbox/").text.upper()


@pytest.mark.long
def test_nothing_practised_is_in_any_list_figure_register_digest_export_or_audit(
    practised, practising, client, clerk, committee, settings
):
    settings.SMTP = read_smtp_url("smtp://127.0.0.1:2525", "office@example.org")
    Agency.objects.update(email="a@example.org")
    client.force_login(clerk)
    ward = Agency.objects.get(key="ubnd-phuong-song-cau")
    year = practised.date.year

    assert real() == dict.fromkeys(real(), 0)
    for address in ("/directives/", "/inbox/", "/campaigns/", f"/registers/out/?year={year}"):
        assert "458/UBND-VP" not in client.get(address).text
        assert "Tập huấn ra quân" not in client.get(address).text
    assert register.outgoing_table(committee, year).rows == ()
    assert register.incoming_table(ward, local_today().year).rows == ()
    assert queries.counts([practised.pk]) == {}
    assert campaigns.figures([Campaign.everything.get().pk]) == {Campaign.everything.get().pk: campaigns.Figures()}
    for address in ("", "progress/", "progress/xlsx/", "late/", "change/"):
        assert client.get(f"/directives/{practised.pk}/{address}").status_code == 404
    assert client.get(f"/files/{StoredFile.everything.get().token}/").status_code == 404
    assert digests.queue_daily(NOW + 9000 * DAY) == 0
    assert Mail.objects.count() == 0
    assert not AuditEntry.objects.filter(action__startswith="directive").exists()
    assert not AuditEntry.objects.filter(action__startswith="report").exists()


@pytest.mark.long
def test_numbers_of_the_register_and_of_documents_are_taken_neither_from_nor_for_practice(practised, directive, clerk):
    ward = Agency.objects.get(key="ubnd-phuong-song-cau")
    way = directive.dispatches.get(agency=ward)
    dispatch_acts.move(way, DispatchState.RECEIVED, clerk, datetime.datetime.now(datetime.UTC))

    assert way.incoming_number == 1
    assert Directive.everything.filter(number="458").count() == 2


@pytest.mark.long
def test_practice_is_erased_after_seven_days_and_the_real_work_stays(practised, directive, committee):
    first, second = directive.dispatches.all()[:2]
    Dispatch.objects.filter(pk=second.pk).update(parent=first)
    called = Campaign.objects.create(name="Ra quân", basis="x", owner=committee, rests_on=directive)
    Directive.objects.filter(pk=directive.pk).update(campaign=called)
    task, ward = door_to_door(directive), Agency.objects.get(key="ubnd-phuong-song-cau")
    agency_reports.submit(task, ward, task.report_from, {"people": 7}, "", called_by := directive.made_by, NOW)
    dispatch_acts.ask(task, ward, "change", "x", called_by, NOW)
    agency_reports.ask(task, ward, agency_reports.task_periods(task, NOW.date())[0], "x", called_by, NOW + 30 * DAY)
    StoredFile.objects.create(
        name="a.png", content=b"x", content_type="image/png", size=1, sha256="x" * 64, token="t" * 43
    )
    before = counts(practice=False)
    assert all(before.values()), before
    made = Directive.everything.get(pk=practised.pk).made_at
    StoredFile.everything.create(
        name="b.png", content=b"x", content_type="image/png", size=1, sha256="y" * 64, token="u" * 43, training=True,
        stored_at=made,
    )  # fmt: skip
    training.purge(made + 6 * DAY)
    assert (counts(practice=True)["Dispatch"], counts(practice=True)["StoredFile"]) == (32, 2)

    training.purge(made + 7 * DAY + datetime.timedelta(minutes=5))

    assert counts(practice=True) == dict.fromkeys(before, 0)
    assert counts(practice=False) == before
    assert before["Dispatch"] == 32
    assert Dispatch.objects.get(pk=second.pk).parent == first
    assert Campaign.objects.get().rests_on == directive
    assert Directive.objects.get().campaign == called


@pytest.mark.long
def test_younger_practice_that_names_an_older_letter_stays(practised, practising, clerk, committee):
    browser = practising(clerk)
    browser.post("/directives/new/", {"issuer": committee.pk, "text": LETTER.replace("458/", "470/")})
    old, young = Directive.everything.filter(training=True).order_by("pk")
    Directive.everything.filter(pk=young.pk).update(replaces=old, campaign=old.campaign)
    made = old.made_at
    for model, field in ((Directive, "made_at"), (Campaign, "made_at"), (StoredFile, "stored_at")):
        model.everything.exclude(pk=young.pk).update(**{field: made - 8 * DAY})

    training.purge(made)

    left = Directive.everything.get()
    assert (left.pk, left.replaces, left.campaign) == (young.pk, None, None)


@pytest.mark.long
def test_the_log_of_the_real_work_is_still_never_deleted_or_changed(practised, directive):
    for statement in (
        "DELETE FROM directives_dispatchevent WHERE NOT training",
        "UPDATE directives_dispatchevent SET note='x'",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


@pytest.mark.long
def test_real_work_is_not_seen_and_not_touched_in_training(directive, practising, clerk):
    browser = practising(clerk)

    assert "458/UBND-VP" not in browser.get("/directives/").text
    assert browser.get(f"/directives/{directive.pk}/").status_code == 404
    assert browser.post(f"/directives/{directive.pk}/revoke/", {"reason": "x"}).status_code == 404
    assert Directive.objects.get(pk=directive.pk).state == "issued"


@pytest.mark.long
def test_the_mode_ends_with_the_request(directive, practising, clerk):
    practising(clerk).get("/directives/")

    assert not training.practising()
    assert Directive.objects.count() == 1
    assert agency_reports.task_periods(door_to_door(directive), NOW.date())
