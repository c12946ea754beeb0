# SPDX-License-Identifier: Apache-2.0
"""Who leads a clause and who helps: how long a list of agencies may be, and how sure a reading is."""

import pytest

from bluezone.letters.arrangement import kind_of_column
from bluezone.letters.body.clauses import read_body
from bluezone.letters.body.parties import read_order, with_addressees
from bluezone.letters.letter_text import Passage
from bluezone.letters.proposal import Addressee, Confidence, Doubt, PartyRole, Proposed, Span


def read(text, *addressees):
    asked = [Proposed(Addressee(name, False), Span(0, 1), Confidence.HIGH, ()) for name in addressees]
    order = read_order(Passage(text, tuple(range(len(text)))))
    return with_addressees(order.parties if order else (), asked)


def names(text, role=PartyRole.LEAD):
    return [party.value.name for party in read(text) if party.value.role is role]


def test_names_alone_above_points_are_those_who_are_to_do_them():
    text = "Sở Y tế, Công an thành phố"
    order = read_order(Passage(text, tuple(range(len(text)))), heads=True)

    assert [party.value.name for party in order.parties] == ["Sở Y tế", "Công an thành phố"]


@pytest.mark.parametrize(
    ("title", "kind"),
    [("stt", "number"), ("don vi phoi hop", "cooperating"), ("thoi gian", "due"), ("don vi chu tri", "lead"),
     ("noi dung", "what"), ("trach nhiem", "lead"), ("ghi chu", "other"), ("viec", "what"), ("han", "due"),
     ("han xong", "due")],
)  # fmt: skip
def test_a_column_is_known_by_its_title(title, kind):
    assert kind_of_column(title) == kind


@pytest.mark.parametrize(("length", "is_list"), [(400, True), (401, False)])
def test_what_stands_before_a_verb_is_a_list_of_agencies_of_four_hundred_letters_at_most(length, is_list):
    text = f"Phòng {'y' * (length - 7)} triển khai việc này."

    assert text.index("triển khai") == length
    assert bool(names(text)) is bool(names(f"Giao cho {text}")) is is_list


@pytest.mark.parametrize(("length", "is_list"), [(399, True), (400, False)])
def test_so_it_is_before_a_colon(length, is_list):
    text = f"Phòng {'y' * (length - 6)}: Treo băng rôn."

    assert text.index(":") == length
    assert bool(names(text)) is is_list


def test_a_list_of_helpers_ends_there_too():
    text = f"Phòng Y tế: Phối hợp với Công an {'y' * 500}"
    text = text.replace("Phối", "phối")

    assert names(text) == ["Phòng Y tế"]
    (helper,) = names(text, PartyRole.COOPERATING)
    assert len(helper) == 400


def test_a_reading_is_sure_where_the_letter_says_who_leads():
    led, told, marked = (
        read(text)[0]
        for text in (
            "Phòng Y tế chủ trì việc này.",
            "Phòng Y tế triển khai việc này.",
            "Giao Phòng Y tế: Việc này.",
        )
    )

    assert (led.confidence, led.doubts) == (Confidence.HIGH, ())
    assert (told.confidence, told.doubts) == (Confidence.MEDIUM, (Doubt.NO_COLON,))
    assert (marked.value.name, marked.confidence) == ("Phòng Y tế", Confidence.HIGH)
    assert (marked.span.start, marked.span.end) == (5, 15)


def test_where_nobody_is_named_the_addressees_are_proposed_with_doubt():
    (proposed,) = read("Việc này rất cần.", "Phòng Y tế")

    assert (proposed.value.name, proposed.value.role) == ("Phòng Y tế", PartyRole.LEAD)
    assert (proposed.confidence, proposed.doubts) == (Confidence.LOW, (Doubt.ADDRESSEES,))


def test_who_leads_is_not_named_again_among_the_helpers_and_a_verb_is_no_name():
    text = "Phòng Y tế chủ trì, phối hợp với Phòng Y tế, Công an thành phố, nhân dân tuyên truyền."

    assert names(text) == ["Phòng Y tế"]
    assert names(text, PartyRole.COOPERATING) == ["Công an thành phố", "nhân dân"]


def body_of(*texts):
    body = read_body([Passage(text, tuple(range(len(text)))) for text in texts], 0)
    clauses = [
        (one.label, [line.text for line in one.lines], [[line.text for line in point] for point in one.points])
        for one in body.clauses
    ]
    return [line.text for line in body.preamble], clauses, [line.text for line in body.closing]


def test_a_body_is_cut_into_what_stands_before_its_clauses_their_points_and_the_closing():
    assert body_of(
        "Căn cứ Kế hoạch 12,",
        "1. Phòng Y tế chủ trì,",
        "phối hợp với Công an.",
        "- Trực ban;",
        "suốt đêm.",
        "a) Ghi sổ.",
        "",
        "Gửi báo cáo.",
        "3. không phải khoản",
        "2. Trạm Y tế",
        "",
        "báo cáo.",
        "",
        "Trên đây là kế hoạch.",
        "Đề nghị thực hiện.",
    ) == (
        ["Căn cứ Kế hoạch 12,"],
        [
            (
                "1",
                ["Phòng Y tế chủ trì,", "phối hợp với Công an."],
                [["Trực ban;", "suốt đêm."], ["a) Ghi sổ."], ["Gửi báo cáo.", "3. không phải khoản"]],
            ),
            ("2", ["Trạm Y tế", "báo cáo."], []),
        ],
        ["Trên đây là kế hoạch.", "Đề nghị thực hiện."],
    )


def test_of_a_plan_with_sections_the_assignments_alone_are_its_tasks():
    _preamble, clauses, _closing = body_of(
        "I. MỤC ĐÍCH", "1. Mỗi nhà một máy.", "II. TỔ CHỨC THỰC HIỆN", "1. Phòng Y tế chủ trì.", "2. Công an phối hợp."
    )

    assert [label for label, _lines, _points in clauses] == ["II.1", "II.2"]


def test_two_articles_make_a_decision_and_one_is_cited():
    two = body_of("Điều 1. Giao Phòng Y tế.", "1. Trực ban.", "Điều 2: Quyết định này có hiệu lực.")
    one = body_of("1. Theo Luật.", "Điều 1. Giao Phòng Y tế.")

    assert [label for label, _lines, _points in two[1]] == ["Điều 1", "Điều 2"]
    assert [label for label, _lines, _points in one[1]] == ["1"]
