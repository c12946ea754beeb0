# SPDX-License-Identifier: Apache-2.0
"""Taking a letter in."""

import datetime
import subprocess

import pypdf
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pyhanko.pdf_utils import reader as pyhanko_reader
from tests.builders.directives import LETTER, NOW
from tests.letters import letters
from tests.letters.signedpdfs import letter, signed

from bluezone.rollout.directives.issuance import intake
from bluezone.rollout.directives.models import Directive, Priority, StoredFile
from bluezone.vietnamese.spelling import fold


@pytest.fixture
def parses(monkeypatch):
    """How often each of the two readers of PDF was started in the office's own process, and how many processes were."""
    counted = {"pypdf": 0, "pyhanko": 0, "processes": 0}

    def counting(name, kind):
        start = kind.__init__

        def counted_start(*args, **options):
            counted[name] += 1
            start(*args, **options)

        monkeypatch.setattr(kind, "__init__", counted_start)

    counting("pypdf", pypdf.PdfReader)
    counting("pyhanko", pyhanko_reader.PdfFileReader)
    counting("processes", subprocess.Popen)
    return counted


@pytest.mark.long
def test_a_signed_pdf_is_opened_once_and_its_signatures_once_and_never_in_the_office_itself(
    client, committee, clerk, parses
):
    client.force_login(clerk)
    data = signed(letter(LETTER))
    parses.update(pypdf=0, pyhanko=0, processes=0)
    sent = {"issuer": committee.pk, "file": SimpleUploadedFile("cv.pdf", data)}

    assert client.post("/directives/new/", sent).status_code == 302

    directive = Directive.objects.get()
    assert parses == {"pypdf": 0, "pyhanko": 0, "processes": 2}
    assert directive.text
    assert [one["state"] for one in directive.original.signatures] == ["whole"]


def test_a_stamp_of_urgency_is_the_urgency_of_the_draft(client, committee, clerk):
    client.force_login(clerk)
    client.post(
        "/directives/new/", {"issuer": committee.pk, "text": LETTER.replace("Kính gửi", "HỎA TỐC\n\nKính gửi", 1)}
    )

    assert Directive.objects.get().priority == Priority.EXPRESS


def taken(committee, clerk, text):
    return intake.take_in(text.encode(), "", committee, clerk, NOW, keep=False)


def test_a_plan_becomes_a_draft_with_what_is_known_and_what_is_not(committee, clerk):
    draft = taken(committee, clerk, letters.PLAN)
    seen, (first, second, third) = draft.proposal["seen"], draft.tasks.order_by("position")

    assert (draft.kind, draft.number, draft.notation, draft.date) == ("plan", "", "KH-UBND", None)
    assert (draft.signer_name, draft.signer_position, draft.authority) == (
        "Lê Văn Bình",
        "PHÓ CHỦ TỊCH",
        "KT. CHỦ TỊCH",
    )
    assert draft.basis == "901/UBND-VX ngày 01/09/2020 của UBND thành phố"
    assert (draft.recipients_action, draft.recipients_information, draft.recipients_file) == (
        "Các đơn vị có tên tại mục II",
        "UBND thành phố",
        "VT",
    ), "a name of nobody stays, and stops the letter"
    assert draft.proposal["unknown"] == ["Các đơn vị có tên tại mục II"]
    assert seen["number"] == {"passage": "/KH-UBND", "confidence": "low", "doubts": ["incomplete"]}
    assert "date" not in seen
    assert (first.lead_names, first.cooperating_names) == ("", "Hội Liên hiệp Phụ nữ\nHội Cựu chiến binh")
    assert draft.proposal["tasks"][0]["unknown"] == ["Đoàn Thanh niên phường", "Ban Công tác Mặt trận"]
    assert len(draft.proposal["tasks"][0]["passage"]) == 161
    assert [one["confidence"] for one in draft.proposal["tasks"]] == ["medium", "high", "medium"]
    assert second.text.splitlines()[1] == "- Báo cáo số liệu vào thứ Sáu hằng tuần."
    assert [(one.label, one.report_every, one.report_from) for one in (first, second, third)] == [
        ("II.1", "once", None),
        ("II.2", "week", None),
        ("II.3", "once", None),
    ]
    assert second.due is None, "it comes again, and has no day"
    assert third.due == datetime.date(2020, 10, 4), "before the letter's own day, where the task names none"


def test_a_dated_letter_gives_its_day_to_its_tasks(committee, clerk):
    draft = taken(committee, clerk, letters.DECISION)
    second = draft.tasks.get(label="Điều 2")

    assert (draft.kind, draft.number, draft.date) == ("decision", "12", datetime.date(2021, 2, 3))
    assert draft.recipients_action == "", "as in article 3 names nobody"
    assert (second.due, second.report_from) == (datetime.date(2021, 2, 12), None)
    assert [task.label for task in draft.tasks.order_by("position")] == ["Điều 2", "Điều 3"], (
        "what article 1 founds is no task"
    )


@pytest.mark.long
def test_a_text_without_letters_becomes_an_empty_draft(committee, clerk):
    draft = taken(committee, clerk, "12 / 7")

    assert (draft.subject, draft.text, draft.original, draft.tasks.count()) == ("…", "", None, 0)


def test_what_a_letter_leaves_open_stays_open_in_the_draft(committee, clerk):
    draft = taken(committee, clerk, letters.PLAN.replace("Lê Văn Bình", ""))
    assert (draft.signer_name, draft.signer_position) == ("", "PHÓ CHỦ TỊCH")
    assert draft.code == "…/KH-UBND"
    codes = []
    for number, notation in (("12", "KH-UBND"), ("12", ""), ("", "")):
        draft.number, draft.notation = number, notation
        draft.save(update_fields=["number", "notation"])
        codes.append((draft.code, Directive.objects.filter(folded__startswith=fold(draft.code)).exists()))

    assert codes == [("12/KH-UBND", True), ("12", True), ("…", True)]


def test_a_sentence_that_may_order_something_stands_above_the_draft(client, committee, clerk):
    told = "Sở Y tế đã có văn bản, trong đó dự kiến giao Trạm Y tế phường lập hồ sơ sức khỏe."
    client.force_login(clerk)
    start = LETTER.index("Kính gửi")
    ends = LETTER.index("Nơi nhận")
    asked = "Ủy ban nhân dân yêu cầu Phòng Y tế báo cáo trước ngày 20/8/2020."
    body = f"Kính gửi: Phòng Y tế.\n\n{told} {asked}\n\n"
    sent = client.post("/directives/new/", {"issuer": committee.pk, "text": LETTER[:start] + body + LETTER[ends:]})

    page = client.get(sent.url).content.decode()
    (task,) = Directive.objects.get().tasks.all()
    assert told not in task.text
    assert f"<li>“{told}”</li>" in page


def test_long_values_are_cut_to_what_the_form_takes(committee, clerk):
    subject = "ra quân " * 80
    draft = taken(committee, clerk, letters.PLAN.replace("Ra quân hỗ trợ người dân cài đặt", subject))

    assert len(draft.subject) == 500


@pytest.mark.long
def test_a_scan_is_named_after_its_file(committee, clerk):
    draft = intake.take_in(b"\x89PNG\r\n\x1a\n" + bytes(64), "cv 458.ban 2.png", committee, clerk, NOW, keep=True)

    assert (draft.subject, draft.original.name) == ("cv 458.ban 2", "cv 458.ban 2.png")


def test_a_place_that_was_read_on_a_scan_is_marked_with_a_little_room_around_it():
    places = [[{"box": [100, 200, 300, 500], "field": "subject"}]]
    directive = Directive(original=StoredFile(), proposal={"scan": {"pages": places}})

    assert intake.shown_reading(directive, {"subject": "Trích yếu"})["scan"]["pages"] == [
        [{"label": "Trích yếu", "x": 96, "y": 279, "width": 208, "height": 432}]
    ], "a page is 1,414 high where it is 1,000 wide"
