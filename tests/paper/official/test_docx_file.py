# SPDX-License-Identifier: Apache-2.0
import datetime
import io
import zipfile

import docx
import pytest
from tests.paper.official.samples import HOSTILE, LETTER, REPORT, ZONE

from bluezone.letters.letter import Letter
from bluezone.letters.proposal import PartyRole, Purpose
from bluezone.letters.reader import propose
from bluezone.paper.official import Letterhead, write_docx


def test_a_letter_we_write_is_a_letter_we_read():
    letter = propose(Letter(write_docx(LETTER, zone=ZONE)).read().text)

    assert str(letter.number.value) == "77/PYT"
    assert (letter.superior.value, letter.issuer.value) == ("UBND THÀNH PHỐ HÀ MÂY", "PHÒNG Y TẾ")
    assert letter.date.value == datetime.date(2020, 2, 7)
    assert letter.subject.value == "đôn đốc cài đặt ứng dụng"
    assert [to.value.name for to in letter.addressees] == ["Trạm Y tế các phường", "Trung tâm Y tế"]
    assert [basis.value.number for basis in letter.basis] == ["12/KH-UBND"]
    assert letter.tasks[0].names(PartyRole.LEAD) == ("Trung tâm Y tế",)
    assert letter.tasks[0].names(PartyRole.COOPERATING) == ("Trạm Y tế các phường",)
    assert [point.value for point in letter.tasks[1].points] == ["Trực hằng ngày;", "Ghi sổ."]
    assert [to.value.purpose for to in letter.recipients] == [Purpose.ACTION, Purpose.INFORMATION, Purpose.FILE]
    assert letter.signers[0].value.name == "Vàng Văn Mẫu"


def test_the_layout_is_that_of_an_administrative_document():
    word = docx.Document(io.BytesIO(write_docx(REPORT, zone=ZONE)))
    head, table, foot = word.tables
    section = word.sections[0]

    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in head.cell(0, 1).text
    assert head.cell(0, 0).text.split("\n")[:2] == ["ỦY BAN NHÂN DÂN", "THÀNH PHỐ HÀ MÂY"]
    assert "Hà Mây, ngày 16 tháng 8 năm 2020" in head.cell(0, 1).text
    assert word.styles["Normal"].font.name == "Times New Roman"
    assert (section.left_margin.mm, section.right_margin.mm) == (pytest.approx(30, abs=0.1), pytest.approx(20, abs=0.1))
    assert [cell.text for cell in table.rows[1].cells] == ["Phường A", "1.204", "17:05 16/8/2020"]
    assert foot.cell(0, 0).text.startswith("Nơi nhận:")
    assert foot.cell(0, 1).text.split("\n")[:3] == ["TM. ỦY BAN NHÂN DÂN", "KT. CHỦ TỊCH", "PHÓ CHỦ TỊCH"]


def test_what_tries_to_be_a_field_or_markup_is_text():
    data = write_docx(REPORT, zone=ZONE)
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        document = package.read("word/document.xml")

    assert b"instrText" not in document
    assert b"<script" not in document
    assert HOSTILE in [paragraph.text for paragraph in docx.Document(io.BytesIO(data)).paragraphs]


def test_the_same_document_gives_the_same_bytes():
    assert write_docx(REPORT, zone=ZONE) == write_docx(REPORT, zone=ZONE)


def test_number_and_day_can_be_left_to_the_pen():
    head = Letterhead("Phòng Y tế", "PYT", "Hà Mây", None, month=datetime.date(2020, 9, 1))

    assert head.number_line() == "Số:       /PYT"
    assert head.date_line() == "Hà Mây, ngày      tháng 9 năm 2020"
