# SPDX-License-Identifier: Apache-2.0
"""What the learnt judgement adds to the rules, and what it leaves open."""

import json
from collections import defaultdict

import pytest
from bench.letters.learning import written
from tests.letters.test_orders import FOOT, HEAD, letter

from bluezone.letters.body.judgement import decision, likelihood
from bluezone.letters.body.judgement.facts import facts_of
from bluezone.letters.body.judgement.sentences import sentences_of
from bluezone.letters.letter_text import Passage
from bluezone.letters.proposal import PartyRole
from bluezone.letters.reader import opened


def passages(*texts):
    return [Passage(text, tuple(range(len(text)))) for text in texts]


@pytest.fixture
def sure(monkeypatch):
    """Weights by which everything, or nothing, is an order."""

    def weigh(bias):
        monkeypatch.setattr(likelihood, "_all_weights", lambda: defaultdict(lambda: {"": bias}))

    return weigh


def test_what_only_the_rules_take_for_an_order_is_left_open(sure):
    sure(-20.0)
    read = letter("Sở Y tế yêu cầu:\n1. Giao Bệnh viện Phổi báo cáo.\n2. Trạm Y tế xã tổ chức tiêm chủng.")
    assert read.tasks == ()
    assert [one.value for one in read.unsure] == [
        "Giao Bệnh viện Phổi báo cáo.",
        "Trạm Y tế xã tổ chức tiêm chủng.",
    ]


def test_a_report_orders_nobody_however_likely_its_sentences(sure):
    sure(20.0)
    read = letter("Trạm Y tế xã tổ chức tiêm chủng.", to="BÁO CÁO\nKết quả tiêm chủng", notation="BC-SYT")
    assert read.tasks == ()


def test_a_sentence_knows_its_clause_the_line_above_it_and_whether_the_letter_has_asked():
    one, two, three, four = sentences_of(
        passages("Sở Y tế yêu cầu:", "1. Trạm Y tế:", "- Lập danh sách;", "2. UBND xã bố trí", "điểm tiêm.")
    )
    assert [sentence.clause for sentence in (one, two, three, four)] == [0, 1, 1, 2]
    assert three.above is not None
    assert three.above.text == "Trạm Y tế:"
    assert [sentence.asked for sentence in (one, two)] == [False, True]
    assert four.passage.text == "UBND xã bố trí điểm tiêm."


def test_a_short_line_without_an_end_heads_what_is_marked_below_it():
    *_, done, order = sentences_of(passages("3. Biện pháp đã thực hiện", "- Lập danh sách.", "4. UBND xã bố trí."))
    assert done.above is not None
    assert done.above.text == "Biện pháp đã thực hiện"
    assert order.above is done.above


def test_the_minutes_of_a_meeting_order_nobody_and_a_person_is_shown_what_may_be_an_order(sure):
    sure(20.0)
    read = letter("1. Giao Trạm Y tế xã tổ chức tiêm chủng.", to="BIÊN BẢN\nHọp giao ban", notation="BB-UBND")
    assert read.tasks == ()
    assert "Giao Trạm Y tế xã tổ chức tiêm chủng." in [one.value for one in read.unsure]


def test_there_are_weights_for_sentences_and_for_what_to_make_of_them():
    weights = json.loads(likelihood.WEIGHTS.read_text(encoding="utf-8"))
    assert set(weights) == {"any", "unread", "kept", "added"}
    assert all(1000 < len(weights[model]) < 20000 for model in ("any", "unread"))
    assert set(weights["added"]) - {"any"} < set(weights["kept"])


def test_the_weights_stand_as_the_lesson_writes_them_in_lines_that_a_diff_shows():
    stored = likelihood.WEIGHTS.read_text(encoding="utf-8")
    assert written(json.loads(stored)) == stored
    assert max(map(len, stored.splitlines())) <= 120


def test_what_was_done_is_no_order_however_likely(sure):
    sure(20.0)
    read = letter("Sở Y tế yêu cầu:\n1. Bệnh viện Phổi báo cáo.\n2. Trung tâm Y tế đã lấy 120 mẫu, tất cả âm tính.")
    assert [task.names(PartyRole.LEAD) for task in read.tasks] == [("Bệnh viện Phổi",)]


def test_dashes_below_a_point_with_a_number_of_its_own_belong_to_it(sure):
    sure(20.0)
    read = letter(
        "Sở Y tế phân công:\n1. Bệnh viện Phổi báo cáo.\n2. Trách nhiệm của các đơn vị\n2.1. Trung tâm Y tế các "
        "huyện:\n- Ký hợp đồng mua thuốc;\n- Lưu mẫu đủ 24 giờ.\n2.2. Bệnh viện Nhi kiểm tra kho thuốc."
    )
    assert [task.text.value for task in read.tasks] == [
        "Bệnh viện Phổi báo cáo.",
        "Trung tâm Y tế các huyện: Ký hợp đồng mua thuốc; Lưu mẫu đủ 24 giờ.",
        "Bệnh viện Nhi kiểm tra kho thuốc.",
    ]


def test_of_a_text_made_to_be_slow_only_the_first_sentences_are_judged(sure, monkeypatch):
    sure(-20.0)
    monkeypatch.setattr(decision, "MOST_SENTENCES", 2)
    read = letter("Sở Y tế yêu cầu:\n1. Bệnh viện Phổi báo cáo.\n2. Trạm Y tế xã tổ chức tiêm chủng.")
    assert [task.names(PartyRole.LEAD) for task in read.tasks] == [("Trạm Y tế xã",)]


def test_what_is_asked_for_in_so_many_words_need_be_less_sure(sure):
    sure((decision.KEPT + decision.KEPT_ASKED) / 2)
    read = letter("Sở Y tế yêu cầu:\n1. Giao Bệnh viện Phổi báo cáo.\n2. Trạm Y tế xã tổ chức tiêm chủng.")
    assert [task.names(PartyRole.LEAD) for task in read.tasks] == [("Bệnh viện Phổi",)]


def test_an_order_stands_by_its_form_however_unlikely(sure):
    sure(-20.0)
    headed = letter(
        "Sở Y tế yêu cầu:\n* Trung tâm Y tế các huyện\n- Lập danh sách.\n* Các khoa\n- Lập danh sách.\nSở Y tế cảm ơn."
    )
    decided = letter(
        "Điều 1. Thành lập Tổ.\nĐiều 2. Chánh Văn phòng, Trưởng phòng Nghiệp vụ Y chịu trách nhiệm thi hành.",
        to="QUYẾT ĐỊNH\nVề việc thành lập Tổ", notation="QĐ-SYT",
    )  # fmt: skip
    assert [task.names(PartyRole.LEAD) for task in headed.tasks] == [("Trung tâm Y tế các huyện",)]
    assert [task.names(PartyRole.LEAD) for task in decided.tasks] == [("Chánh Văn phòng", "Trưởng phòng Nghiệp vụ Y")]


def test_what_somebody_prepares_for_a_meeting_is_an_order_by_its_form(sure):
    sure(-20.0)
    read = letter(
        "Sở Y tế kính mời dự họp:\n1. Địa điểm: phòng họp.\n2. Chuẩn bị: Bệnh viện Phổi báo cáo tiến độ.\n"
        "3. Bệnh viện Nhi báo cáo tiến độ.",
        to="GIẤY MỜI\nDự họp\nKính gửi: Bệnh viện Phổi.", notation="GM-SYT",
    )  # fmt: skip
    assert [task.names(PartyRole.LEAD) for task in read.tasks] == [("Bệnh viện Phổi",)]


def test_nobody_is_charged_by_the_form_of_what_stands_beside_it(sure):
    sure(-20.0)
    labelled = letter("Sở Y tế yêu cầu:\n1. Trạm Y tế xã tổ chức tiêm.\n2. Đơn vị chủ trì: Bệnh viện Phổi.")
    headed = letter(
        "Sở Y tế yêu cầu:\n1. Về giám sát\n1.1. Trung tâm Y tế các huyện:\n- Lập danh sách.\n2. Bệnh viện Phổi trực."
    )
    assert labelled.tasks == ()
    assert [task.names(PartyRole.LEAD) for task in headed.tasks] == [("Trung tâm Y tế các huyện",)]


def test_what_happens_in_a_meeting_is_no_order_however_likely(sure):
    sure(20.0)
    read = letter(
        "Sở Y tế kính mời dự họp:\n1. Nội dung:\n- Bệnh viện Phổi phối hợp với các khoa trả lời trước ngày 30/6/2023.\n"
        "2. Chủ trì: Giám đốc Sở Y tế.\n3. Chuẩn bị: Giao Bệnh viện Phổi gửi báo cáo trước ngày 20/6/2023.",
        to="GIẤY MỜI\nDự họp\nKính gửi: Bệnh viện Phổi.", notation="GM-SYT",
    )  # fmt: skip
    assert [task.names(PartyRole.LEAD) for task in read.tasks if task.due] == [("Bệnh viện Phổi",)]
    assert "trả lời" in read.unsure[0].value


def test_a_body_of_no_known_kind_is_given_what_it_is_told(sure):
    sure(20.0)
    asked = "Sở Y tế yêu cầu Bệnh viện Phổi lập danh sách trước ngày 10/6/2023. "
    read = letter(asked + "Phân trại 7 chủ trì, phối hợp với Công an tỉnh tìm kiếm dọc suối.")
    assert [(task.names(PartyRole.LEAD), task.names(PartyRole.COOPERATING)) for task in read.tasks[1:]] == [
        (("Phân trại 7",), ("Công an tỉnh",))
    ]


def test_who_carries_the_letter_out_and_whom_a_section_is_for_are_facts_of_a_sentence():
    text = (
        HEAD.format(left="UBND TỈNH HÀ MÂY\nSỞ Y TẾ", notation="SYT-NVY", to="HƯỚNG DẪN\nTháng an toàn")
        + "I. CÔNG AN TỈNH\n1. Kiểm tra nhà trọ.\nII. NỘI DUNG KHÁC\n1. Bệnh viện Phổi trực.\n2. Trạm Y tế xã trực."
        + FOOT.replace("- Như trên;", "- Bệnh viện Phổi (t/h);\n- Trạm Y tế xã (để biết);")
    )
    _, body, _, context = opened(text)
    told = sentences_of(body.lines)
    found = {one.passage.text: facts for one, facts in zip(told, facts_of(told, context), strict=True)}
    checks, first, second = (found[one] for one in ("Kiểm tra nhà trọ.", "Bệnh viện Phổi trực.", "Trạm Y tế xã trực."))
    assert [(one.who, one.section, one.above_names) for one in (checks, first, second)] == [
        ("bare", "agency", "named"), ("executing", "other", "none"), ("recipient", "other", "none"),
    ]  # fmt: skip
