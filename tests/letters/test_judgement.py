# SPDX-License-Identifier: Apache-2.0
"""What the learnt judgement adds to the rules, and what it leaves open."""

import json

from tests.letters.test_orders import letter

from bluezone.letters.body import likelihood
from bluezone.letters.body.likelihood import sentences_of
from bluezone.letters.letter_text import Passage
from bluezone.letters.proposal import PartyRole


def passages(*texts):
    return [Passage(text, tuple(range(len(text)))) for text in texts]


def test_what_only_the_rules_take_for_an_order_is_left_open_unless_it_is_given_in_so_many_words(monkeypatch):
    monkeypatch.setattr(likelihood, "_weights", lambda: (-20.0, {}))
    read = letter("Sở Y tế yêu cầu:\n1. Giao Bệnh viện Phổi báo cáo.\n2. Trạm Y tế xã tổ chức tiêm chủng.")
    assert [task.names(PartyRole.LEAD) for task in read.tasks] == [("Bệnh viện Phổi",)]
    assert [one.value for one in read.unsure] == ["Trạm Y tế xã tổ chức tiêm chủng."]


def test_a_report_orders_nobody_however_likely_its_sentences(monkeypatch):
    monkeypatch.setattr(likelihood, "_weights", lambda: (20.0, {}))
    read = letter("Trạm Y tế xã tổ chức tiêm chủng.", to="BÁO CÁO\nKết quả tiêm chủng", notation="BC-SYT")
    assert read.tasks == ()


def test_a_sentence_knows_its_clause_the_line_above_it_and_whether_the_letter_has_asked():
    one, two, three, four = sentences_of(
        passages("Sở Y tế yêu cầu:", "1. Trạm Y tế:", "- Lập danh sách;", "2. UBND xã bố trí", "điểm tiêm.")
    )
    assert [sentence.clause for sentence in (one, two, three, four)] == [0, 1, 1, 2]
    assert three.above is not None
    assert three.above.text == "1. Trạm Y tế:"
    assert [sentence.asked for sentence in (one, two)] == [False, True]
    assert four.passage.text == "UBND xã bố trí điểm tiêm."


def test_the_weights_name_nobody_whom_only_one_letter_names():
    weights = json.loads(likelihood.WEIGHTS.read_text(encoding="utf-8"))["weights"]
    assert 1000 < len(weights) < 20000
    assert all(abs(weight) < 10 for weight in weights.values())


def test_what_was_done_is_no_order_however_likely(monkeypatch):
    monkeypatch.setattr(likelihood, "_weights", lambda: (20.0, {}))
    read = letter("Sở Y tế yêu cầu:\n1. Bệnh viện Phổi báo cáo.\n2. Trung tâm Y tế đã lấy 120 mẫu, tất cả âm tính.")
    assert [task.names(PartyRole.LEAD) for task in read.tasks] == [("Bệnh viện Phổi",)]
