# SPDX-License-Identifier: Apache-2.0
"""The pages of letters and of the inbox: what is found, what is offered to whom, and what is said after an act."""

import datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from tests.builders.agencies import agency_values
from tests.builders.directives import (
    LETTER,
    NOW,
    WARD_KEYS,
    complete_dispatch,
    door_to_door,
    enter_letter,
    person,
    send_letter,
)
from tests.builders.office import local_today, prove_second_factor

from bluezone.directory.models import Agency
from bluezone.directory.records.changes import save_agency
from bluezone.rollout.directives.inbox import dispatch_acts
from bluezone.rollout.directives.models import Directive, DispatchState


@pytest.fixture
def office(client, clerk):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(clerk)
    return client


@pytest.fixture
def ward(committee):
    return Agency.objects.get(key=WARD_KEYS[1])


@pytest.mark.long
def test_letters_are_found_by_words_and_state_and_counted(office, directive, committee, clerk, ward):
    draft = enter_letter(committee, clerk, text=LETTER.replace("458/UBND-VP", "470/UBND-VP"))
    dispatch_acts.move(directive.dispatches.get(agency=ward), DispatchState.RECEIVED, clerk, NOW)

    def found(**asked):
        return [one.pk for one, _counts in office.get("/directives/", asked).context["rows"]]

    assert found() == [draft.pk, directive.pk]
    assert found(q="470") == found(state="draft") == [draft.pk]
    assert found(state="issued") == found(q=" tuyen truyen  458 ") == [directive.pk]
    assert found(q="không có") == []
    counted = dict(office.get("/directives/").context["rows"])
    assert counted[directive] == {"sent": 32, "received": 1, "done": 0}
    assert counted[draft] is None


@pytest.mark.long
def test_who_may_take_letters_in_is_offered_it(client, committee, clerk, directive):
    offered = []
    for user in (clerk, person("auditor", "auditor")):
        client.force_login(user)
        page = client.get(reverse("directive", args=[directive.pk])).context
        offered.append((client.get("/directives/").context["may_take_in"], page["may_clerk"], page["may_sign"]))

    assert offered == [(True, True, False), (False, False, False)]


@pytest.mark.long
def test_each_act_on_a_letter_says_what_it_did(office, committee, clerk, signer):
    draft = enter_letter(committee, clerk)

    def act(name, user, **sent):
        office.force_login(user)
        answer = prove_second_factor(office).post(reverse(name, args=[draft.pk]), sent, follow=True)
        return [str(one) for one in answer.context["messages"]], answer.status_code

    def approve():
        seen = draft.versions.order_by("-number")[0].sha256
        return act("directive-approve", signer, seen=seen, for_another="on")

    assert act("directive-submit", clerk) == (["Submitted for signing."], 200)
    assert approve() == (["Approved."], 200)
    assert act("directive-reopen", clerk) == (["It is a draft again."], 200)
    assert act("directive-submit", clerk)[0] == ["Submitted for signing."]
    assert approve()[0] == ["Approved."]
    assert act("directive-issue", clerk)[1] == 409, "nobody has said that they get it on paper"
    assert act("directive-issue", clerk, on_paper="on") == (["Sent."], 200)
    assert act("directive-issue", clerk)[1] == 409
    assert act("directive-revoke", clerk)[1] == 422
    assert act("directive-revoke", clerk, reason="Nhầm") == (["Recalled."], 200)


@pytest.mark.long
def test_a_draft_says_how_many_it_would_reach_and_an_issued_letter_does_not(office, committee, clerk, directive):
    draft = enter_letter(committee, clerk)
    address = reverse("directive", args=[draft.pk])
    whole = office.get(address).context["reach"]
    Directive.objects.filter(pk=draft.pk).update(
        recipients_action="UBND các xã, phường", recipients_information="", recipients_file=""
    )
    draft.tasks.exclude(label="2").delete()
    wards = office.get(address).context["reach"]
    Directive.objects.filter(pk=draft.pk).update(recipients_action="Sở Thủy lợi")

    assert (whole, wards) == (32, 8)
    assert office.get(address).context["reach"] is None
    assert "reach" not in office.get(reverse("directive", args=[directive.pk])).context


@pytest.mark.long
def test_the_page_of_a_letter_shows_ten_requests_and_that_more_wait(office, directive, clerk):
    parties = list(directive.tasks.get(label="2").parties.all())
    others = [party for task in directive.tasks.exclude(label="2") for party in task.parties.all()][:3]
    for party in (*parties, *others[:2]):
        dispatch_acts.ask(party.task, party.agency, "change", "x", clerk, NOW)
    page = reverse("directive", args=[directive.pk])
    ten = office.get(page).context
    dispatch_acts.ask(others[2].task, others[2].agency, "change", "x", clerk, NOW)
    eleven = office.get(page).context

    assert [(len(one["requests"]), one["more_wait"]) for one in (ten, eleven)] == [(10, False), (10, True)]
    assert ten["usual_until"] == local_today() + datetime.timedelta(days=2)


@pytest.mark.long
def test_a_file_is_kept_with_a_draft_and_taken_away_again(office, committee, clerk, directive):
    draft = enter_letter(committee, clerk)
    files = reverse("directive-attachments", args=[draft.pk])
    picture = SimpleUploadedFile("so do.png", b"\x89PNG\r\n\x1a\n" + bytes(64))
    kept = office.post(files, {"file": picture}, follow=True)
    (stored,) = kept.context["attachments"]

    assert "The file has been added to the draft." in kept.text
    assert office.get(reverse("file", args=[stored.token]))["Content-Disposition"] == 'inline; filename="so do.png"'
    gone = office.post(reverse("directive-attachment-delete", args=[draft.pk]), {"token": stored.token}, follow=True)
    assert ("The file has been deleted." in gone.text, gone.context["attachments"]) == (True, [])
    issued = reverse("directive-attachments", args=[directive.pk])
    picture.seek(0)
    assert office.post(issued, {"file": picture}).status_code == 422, "a letter that was sent"


@pytest.mark.long
def test_an_inbox_is_filtered_by_state_and_open_is_what_is_not_done_and_in_force(
    client, directive, clerk, ward, signer
):
    client.force_login(person("officer", "officer", ward))
    dispatch = directive.dispatches.get(agency=ward)

    def found():
        return [
            state
            for state in ("", "open", "arrived", "received", "done")
            if client.get("/inbox/", {"state": state}).context["rows"]
        ]

    assert found() == ["", "open", "arrived"]
    dispatch_acts.move(dispatch, DispatchState.RECEIVED, clerk, NOW)
    assert found() == ["", "open", "received"]
    complete_dispatch(dispatch, clerk)
    assert found() == ["", "done"]
    Directive.objects.filter(pk=directive.pk).update(state="replaced")
    dispatch_acts_state = client.get("/inbox/", {"state": "open"}).context["rows"]
    assert dispatch_acts_state == []


@pytest.mark.long
def test_the_page_of_a_document_offers_what_follows_and_to_whom_it_can_go(
    client, directive, ward, clerk, committee, signer
):
    school = save_agency("clerk", None, agency_values(ward.unit, name="Trường Tiểu học", kind="school"))
    dispatch = directive.dispatches.get(agency=ward)
    address = reverse("inbox-one", args=[dispatch.pk])
    officer = person("officer", "officer", ward)
    client.force_login(person("reader", "leader", ward))
    read = client.get(address).context
    dispatch.refresh_from_db()
    assert (read["handles"], read["may_undo"], dispatch.opened_at) == (False, False, None)

    client.force_login(officer)
    fresh = client.get(address).context
    dispatch.refresh_from_db()
    assert (fresh["handles"], fresh["may_undo"], set(fresh["allowed"])) == (True, False, {"received", "sent_back"})
    assert dispatch.opened_at is not None
    assert fresh["below"] == [school]
    assert fresh["replacement"] is None
    client.post(reverse("inbox-act", args=[dispatch.pk]), {"to": "received"})
    answer = client.post(reverse("inbox-pass", args=[dispatch.pk]), {"agency": [school.pk, "x", "²"]}, follow=True)
    assert [one.agency for one in answer.context["children"]] == [school]
    assert answer.context["below"] == [], "it has it"

    newer = enter_letter(committee, clerk, text=LETTER.replace("458/UBND-VP", "460/UBND-VP"))
    Directive.objects.filter(pk=newer.pk).update(replaces=directive)
    newer.refresh_from_db()
    assert client.get(address).context["replacement"] is None, "a draft"
    send_letter(newer, clerk, signer)
    ended = client.get(address).context
    assert (ended["replacement"], ended["handles"]) == (newer, False)


@pytest.mark.long
def test_a_request_says_that_it_was_sent_and_so_does_its_answer(client, directive, ward, clerk):
    client.cookies.load({"bluezone-language": "en"})
    party = door_to_door(directive).parties.get(agency=ward)
    client.force_login(person("officer", "officer", ward))
    address = reverse("task-ask", args=[party.pk])
    assert client.post(address, {"kind": "change", "reason": ""}).status_code == 422
    sent = client.post(address, {"kind": "change", "reason": "Sai tên"}, follow=True)
    assert "The request has been sent to the issuer." in sent.text
    assert client.post(address, {"kind": "change", "reason": "Sai tên"}).status_code == 409
    client.force_login(clerk)
    answered = client.post(
        reverse("request-answer", args=[party.task.requests.get().pk]),
        {"granted": "1", "answer": " Vâng "},
        follow=True,
    )

    assert "The answer has been sent." in answered.text
    assert (party.task.requests.get().state, party.task.requests.get().answer) == ("granted", "Vâng")
