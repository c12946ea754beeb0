# SPDX-License-Identifier: Apache-2.0
"""The draft on its page: tasks and recipients come and go, nothing typed is lost, an earlier document ends."""

import datetime

import pytest
from tests.builders.directives import enter_letter, issue_letter, person, send_letter
from tests.builders.drawn import remove_random_words

from bluezone.rollout.directives.models import Directive, Task


@pytest.fixture
def draft(committee, clerk):
    return enter_letter(committee, clerk)


@pytest.fixture
def page(client, clerk, draft):
    """The page of the draft: `typed` what a browser would send, `send` it, `tap` one of its buttons."""
    client.force_login(clerk)
    client.cookies.load({"bluezone-language": "en"})
    return DraftPage(client, f"/directives/{draft.pk}/change/")


class DraftPage:
    def __init__(self, client, address):
        self.client, self.address = client, address
        self.answer = client.get(address)

    @property
    def typed(self):
        context, data = self.answer.context, {}
        for form in [context["form"], context["tasks"].management_form, *context["tasks"].forms]:
            for field in form:
                data[field.html_name] = "" if field.value() in (None, False) else str(field.value())
        for name in ("find", "due_for_all", "recipient_name"):
            data[name] = context[name]
        return data

    def tap(self, what, **typed):
        self.answer = self.client.post(self.address, self.typed | typed | {"do": what})
        assert self.answer.status_code == 200, what
        return self

    def undo(self):
        return self.tap(self.answer.context["change"].undo)

    def store(self, **typed):
        self.answer = self.client.post(self.address, self.typed | typed)
        return self.answer.status_code


@pytest.mark.long
def test_a_tap_keeps_what_was_typed_and_stores_nothing(page, draft):
    page.tap("add-task", subject="Tiêu đề mới, chưa lưu", **{"task-0-text": "Sửa dở"})

    assert "Tiêu đề mới, chưa lưu" in page.answer.text
    assert "Sửa dở" in page.answer.text
    assert "wrong" not in remove_random_words(page.answer.text)
    assert draft.tasks.count() == 6
    assert not Directive.objects.filter(subject__startswith="Tiêu đề mới").exists()


@pytest.mark.long
def test_a_task_is_added_after_the_last_and_gets_the_next_number(page, draft):
    page.tap("add-task")
    assert page.store(**{"task-6-text": "Báo cáo kết quả", "task-6-lead_names": "UBND các xã, phường"}) == 302
    added = draft.tasks.order_by("position").last()

    assert (added.label, added.position, added.report_every) == ("7", 6, "")
    assert added.report_from is None
    assert [task.label for task in draft.tasks.all()][:6] == ["1", "2", "3", "4", "5", "6"]


@pytest.mark.long
def test_a_task_goes_when_the_draft_is_stored_and_can_be_kept_before(page, draft):
    page.tap("drop-task:1").undo()
    assert page.store() == 302
    assert draft.tasks.count() == 6
    page.answer = page.client.get(page.address)
    page.tap("drop-task:1")
    assert draft.tasks.count() == 6

    assert page.store() == 302
    assert [task.label for task in draft.tasks.all()] == ["1", "3", "4", "5", "6"]
    assert page.client.get(page.address).status_code == 200


@pytest.mark.long
def test_a_recipient_comes_goes_and_comes_back_to_its_place(page, draft):
    before = page.typed["recipients_action"].splitlines()
    page.tap("drop-recipient:action:0")
    assert page.typed["recipients_action"].splitlines() == before[1:]
    page.undo()
    assert page.typed["recipients_action"].splitlines() == before
    page.tap("add-recipient", recipient_name="UBND phường Sông Cầu", recipient_purpose="information")
    assert page.store() == 302
    draft.refresh_from_db()

    assert draft.recipients_action.splitlines() == before
    assert "UBND phường Sông Cầu" in draft.recipients_information.splitlines()


@pytest.mark.long
def test_one_day_for_all_tasks_and_back(page, draft):
    days = [page.typed[f"task-{number}-due"] for number in range(6)]
    page.tap("same-due", due_for_all="2020-08-20")
    assert {page.typed[f"task-{number}-due"] for number in range(6)} == {"2020-08-20"}
    page.undo()
    assert "The due days are as they were." in page.answer.text
    assert [page.typed[f"task-{number}-due"] for number in range(6)] == [str(day) for day in days]
    page.tap("same-due", due_for_all="2020-08-20")

    assert page.store() == 302
    assert set(draft.tasks.values_list("due", flat=True)) == {datetime.date(2020, 8, 20)}


@pytest.mark.long
def test_report_periods_are_data_and_a_lock_before_the_due_day_is_refused(page, draft):
    wrong = {"task-0-days_to_report": "9", "task-0-days_to_lock": "3", "task-1-text": "Vẫn còn đây"}
    assert page.store(**wrong) == 422
    assert "Vẫn còn đây" in page.answer.text
    assert draft.tasks.filter(days_to_report=9).count() == 0

    right = {"task-0-report_every": "month", "task-0-report_from": "2020-09-01", "task-0-days_to_lock": "20"}
    assert page.store(**right) == 302
    task = draft.tasks.get(position=0)
    assert (task.report_every, task.report_from, task.days_to_report, task.days_to_lock) == (
        "month",
        datetime.date(2020, 9, 1),
        9,
        20,
    )


@pytest.mark.long
def test_whoever_has_chosen_who_is_meant_is_told_of_the_names_and_not_of_days(page):
    page.tap("choose")

    assert "The agencies that the names now mean are shown below." in page.answer.text
    assert "The due days are as they were." not in page.answer.text


@pytest.mark.long
@pytest.mark.parametrize(
    "tap", ["drop-task:99", "drop-task:x", "keep-task:", "drop-recipient:x:1", "put-recipient:", "?"]
)
def test_an_odd_tap_changes_nothing(page, tap):
    before = page.typed
    page.tap(tap)

    assert page.typed == before
    assert "Not stored yet." not in page.answer.text


@pytest.fixture
def later(committee, clerk, signer):
    """An issued letter, and a draft of the next one."""
    earlier = issue_letter(committee, clerk, signer)
    draft = enter_letter(committee, clerk)
    Directive.objects.filter(pk=draft.pk).update(number="500")
    return earlier, Directive.objects.get(pk=draft.pk)


@pytest.mark.long
@pytest.mark.parametrize(("ending", "state"), [("replaced", "replaced"), ("revoked", "revoked")])
def test_the_earlier_document_is_found_without_diacritics_and_ends_when_this_one_is_sent(
    client, clerk, signer, later, ending, state
):
    earlier, draft = later
    client.force_login(clerk)
    page = DraftPage(client, f"/directives/{draft.pk}/change/").tap("find", find="cai dat ung dung")
    assert earlier.pk in [value for value, _label in page.answer.context["form"].fields["replaces"].choices[1:]]
    assert page.tap("find", find="khong co gi").answer.context["form"].fields["replaces"].queryset.count() == 0
    page.tap("find", find="458")
    assert page.store(replaces=earlier.pk, ending=ending) == 302
    draft.refresh_from_db()
    send_letter(draft, clerk, signer)
    earlier.refresh_from_db()

    assert earlier.state == state
    assert earlier.dispatches.first().events.first().what == state
    assert client.get(f"/inbox/{earlier.dispatches.first().pk}/").status_code == 200


@pytest.mark.long
def test_a_document_of_another_issuer_or_a_draft_is_not_replaced(client, clerk, later):
    earlier, draft = later
    Directive.objects.filter(pk=earlier.pk).update(state="draft")
    client.force_login(clerk)
    page = DraftPage(client, f"/directives/{draft.pk}/change/")

    assert page.store(replaces=earlier.pk) == 422


def test_a_clerk_of_another_agency_does_not_touch_the_draft(client, draft, committee):
    ward = committee.__class__.objects.get(key="ubnd-phuong-song-cau")
    client.force_login(person("other", "clerk", ward))

    assert client.post(f"/directives/{draft.pk}/change/", {"do": "add-task"}).status_code == 403
    assert Task.objects.count() == 6
