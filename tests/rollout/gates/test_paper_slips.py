# SPDX-License-Identifier: Apache-2.0
"""What a gate counted on paper: entered once, corrected, taken back, beside the tablets' numbers and never proven."""

import datetime
import io
import re

import openpyxl
import pytest
from django.utils import timezone
from pypdf import PdfReader
from tests.builders.office import data_folder, furnished_folder, quick_passwords
from tests.rollout.gates.test_pages import counted, lead, place

from bluezone.identity.models import AuditEntry
from bluezone.rollout.gates import paper_slips
from bluezone.rollout.gates.models import DayPart, GateDay, PaperSlip
from bluezone.rollout.gates.queries import CodeFresh, RunningAtGates, SeenAtGates, SeenOnPaper
from bluezone.rollout.report_week import Week

__all__ = ["data_folder", "furnished_folder", "lead", "place", "quick_passwords"]
pytestmark = pytest.mark.django_db
SLIP = {"part": "morning", "screen_seen": 20, "told": 9, "no_smartphone": 4, "went_out": 11}


def entered(client, gate, **more):
    values = {"day": timezone.localdate(), **SLIP, **more}
    return client.post(f"/gates/{gate.pk}/paper/", {name: v for name, v in values.items() if v is not None})


def test_a_slip_sent_twice_counts_once_and_is_corrected_by_entering_it_again(client, place, lead):
    gate = place[2]
    assert [entered(client, gate).status_code for _ in range(2)] == [302, 302]
    assert "nothing was changed" in client.get(f"/gates/{gate.pk}/paper/").text
    assert PaperSlip.objects.get().came_in == 33
    entered(client, gate, told=19)

    assert PaperSlip.objects.get().came_in == 43
    said = AuditEntry.objects.filter(action="gate_slip_entered").order_by("number").values_list("details", flat=True)
    assert [one["before"] == "" for one in said] == [True, False]
    assert "told=9 " in said[1]["before"]
    assert "told=19" in said[1]["numbers"]


@pytest.mark.long
def test_of_two_who_enter_one_slip_neither_loses_what_the_other_has_entered(client, place, lead):
    gate = place[2]
    shown = sealed(client, gate)
    assert entered(client, gate, went_out=None, shown=shown).status_code == 302
    assert entered(client, gate, part="evening", shown=shown).status_code == 302, "of another part nobody knew less"
    assert entered(client, gate, went_out=None, shown=shown).status_code == 302, "the same numbers again do no harm"
    first = {"told": 19, "no_smartphone": None, "went_out": 11}
    second = entered(client, gate, **first, shown=shown)

    assert second.status_code == 409
    assert [(one.name, one.stored) for one in second.context["form"].clashes] == [("told", "9")]
    assert second.context["form"]["no_smartphone"].value() == "4", "what only the first has entered is brought in"
    morning = PaperSlip.objects.get(part="morning")
    assert (morning.told, morning.went_out) == (9, 0), "nothing of the second is stored yet"

    again = {**first, "no_smartphone": 4, "shown": sealed(second)}
    assert entered(client, gate, **again).status_code == 302
    morning.refresh_from_db()
    assert (morning.told, morning.no_smartphone, morning.went_out) == (19, 4, 11)
    assert entered(client, gate, told=5, shown=sealed(client, gate)).status_code == 302, "a slip known is corrected"


def sealed(page, gate=None):
    """What a page of slips knew; a client asks for a new one."""
    text = page.get(f"/gates/{gate.pk}/paper/").text if gate else page.text
    return re.search(r'name="shown" value="([^"]+)"', text)[1]


def test_an_entry_is_taken_back_within_ten_seconds_and_so_is_a_correction_and_a_removal(client, place, lead):
    gate = place[2]
    entered(client, gate)
    entered(client, gate, told=19)
    client.post("/undo/", {"next": "/gates/"})
    assert PaperSlip.objects.get().told == 9
    slip = PaperSlip.objects.get()
    client.post(f"/gates/{gate.pk}/paper/remove/?slip={slip.pk}")
    assert not PaperSlip.objects.exists()
    client.post("/undo/", {"next": "/gates/"})
    assert PaperSlip.objects.get().told == 9
    entered(client, gate, part="evening")
    client.post("/undo/", {"next": "/gates/"})

    assert [one.part for one in PaperSlip.objects.all()] == ["morning"]
    assert AuditEntry.objects.filter(action="gate_slip_removed").count() == 2


def test_what_was_changed_since_is_not_taken_back(client, place, lead):
    gate = place[2]
    entered(client, gate)
    PaperSlip.objects.update(told=50)
    client.post("/undo/", {"next": "/gates/"})

    assert PaperSlip.objects.get().told == 50


@pytest.mark.parametrize(
    "wrong",
    [
        # From today: the day on which the test runs, not the one on which it was collected.
        {"day": datetime.timedelta(days=1)},
        {"day": datetime.timedelta(days=-61)},
        {"day": "2026-02-30"}, {"day": None}, {"part": "night"}, {"told": -1}, {"told": 10_001}, {"told": "viele"},
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_beside_its_field_and_nothing_is_stored(client, place, lead, wrong):
    if isinstance(day := wrong.get("day"), datetime.timedelta):
        wrong = {"day": timezone.localdate() + day}
    answer = entered(client, place[2], **wrong)

    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == list(wrong)
    assert not PaperSlip.objects.exists()


@pytest.mark.parametrize(("first", "second"), [("day", "morning"), ("evening", "day")])
def test_a_whole_day_and_a_part_of_it_are_not_both_entered(client, place, lead, first, second):
    entered(client, place[2], part=first)

    assert entered(client, place[2], part=second).status_code == 422
    assert PaperSlip.objects.count() == 1


def test_paper_stands_in_a_column_of_its_own_and_in_no_proven_fresh_or_attested_number(client, place, lead):
    gate, week = place[2], Week.of(timezone.localdate())
    counted(gate, running=60, screen_seen=10, told=30, out=70)
    before = [list(one.figures(week)) for one in (RunningAtGates(), CodeFresh(), SeenAtGates())]
    entered(client, gate)
    shown = client.get(f"/gates/{gate.pk}/").context["shown"]

    assert [list(one.figures(week)) for one in (RunningAtGates(), CodeFresh(), SeenAtGates())] == before
    assert [(one.count, one.base) for one in SeenOnPaper().figures(week)] == [(20, 33)]
    assert (shown.total.came_in, shown.total.proven, shown.total.attested, shown.total.on_paper) == (100, 60, 10, 33)
    assert shown.inside.now == (100 - 70) + (33 - 11)
    assert GateDay.objects.count() == 4
    sheet = openpyxl.load_workbook(io.BytesIO(client.get("/gates/file/").content)).worksheets[0]
    assert next(row for row in sheet.iter_rows(values_only=True) if row[0] == "Phòng Nội vụ")[-1] == 33


def test_a_day_that_only_paper_knows_has_a_row(client, place, lead):
    entered(client, place[2])

    assert [row.on_paper for _day, row in client.get(f"/gates/{place[2].pk}/").context["shown"].days] == [33]


def test_another_agency_s_gate_takes_no_slip_and_its_small_numbers_stay_hidden(client, place, lead):
    other = place[3]
    assert entered(client, other).status_code == 403
    paper_slips.enter("x", other, timezone.localdate(), DayPart.DAY, {"told": 3}, timezone.localdate())
    assert client.post(f"/gates/{other.pk}/paper/remove/?slip={PaperSlip.objects.get().pk}").status_code == 403
    rows = {row.gate.pk: row.counted for row in client.get("/gates/").context["rows"]}

    assert rows[other.pk].on_paper is None


def test_a_slip_of_another_gate_is_not_taken_out_through_this_one(client, place, lead):
    paper_slips.enter("x", place[3], timezone.localdate(), DayPart.DAY, {"told": 30}, timezone.localdate())

    assert client.post(f"/gates/{place[2].pk}/paper/remove/?slip={PaperSlip.objects.get().pk}").status_code == 404


@pytest.mark.long
def test_the_blank_tally_sheet_is_one_page_without_room_for_a_name_of_a_visitor(client, place, lead):
    (page,) = PdfReader(io.BytesIO(client.get(f"/gates/{place[2].pk}/tally.pdf").content)).pages
    text = "".join(page.extract_text().split())

    assert "PHIẾUĐẾMLƯỢTRAVÀO" in text
    assert "Khôngghitên,khôngghisốđiệnthoại." in text
