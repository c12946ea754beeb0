# SPDX-License-Identifier: Apache-2.0
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf.generic import DecodedStreamObject, NameObject
from tests.letters import letters
from tests.letters.pdffiles import pdf_writer, with_launch_action, with_script, written

from bluezone.letters.files import pdf_letter
from bluezone.letters.files.pdf_page import Segment, arrange
from bluezone.letters.letter import Letter
from bluezone.letters.letter_text import LetterTooLarge, LetterUnreadable, LetterWithoutText, Remark, clean
from bluezone.letters.reader import propose
from bluezone.refusal import Refused


@pytest.mark.long
def test_the_real_letter_as_pdf_orders_the_same(shared):
    text = next((shared / "directive").glob("*.txt")).read_text()
    lines = clean(text).replace("**", "").replace("~~", "").split("\n")
    wrapped = "\n".join("\n".join(textwrap.wrap(line, 95)) for line in lines)
    letter = Letter(written(pdf_writer(wrapped))).read()
    from_pdf, from_text = propose(letter.text), propose(text)

    assert (letter.format, letter.pages) == ("pdf", 2)
    assert from_pdf.number.value == from_text.number.value
    assert from_pdf.signers[0].value == from_text.signers[0].value
    assert [task.text.value for task in from_pdf.tasks] == [task.text.value for task in from_text.tasks]
    assert [[party.value for party in task.parties] for task in from_pdf.tasks] == [
        [party.value for party in task.parties] for task in from_text.tasks
    ]


@pytest.mark.long
def test_columns_of_a_pdf_stay_apart():
    decision = propose(Letter(written(pdf_writer(letters.DECISION))).read().text)

    assert decision.issuer.value == "PHÒNG Y TẾ"
    assert decision.signers[0].value.name == "Trần Thị Mai Hoa"
    assert [task.label for task in decision.tasks] == ["Điều 2", "Điều 3"]


def test_scripts_actions_and_files_inside_are_noted_and_the_text_is_read():
    writer = with_script(with_launch_action(pdf_writer(letters.BY_ORDER)))
    writer.add_attachment("virus.exe", b"MZ")
    letter = Letter(written(writer)).read()

    assert letter.remarks == {Remark.SCRIPT, Remark.LAUNCH_ACTION, Remark.EMBEDDED_FILE}
    assert "310/VP-TH" in letter.text


def test_a_line_that_wraps_at_the_margin_goes_on_and_an_indented_one_begins():
    lead = "Thực hiện chỉ đạo của Ban Chỉ đạo, Ủy ban nhân dân thành phố đề nghị các cơ quan, đơn vị,"
    text = f"{lead}\nđịa phương tổ chức triển khai nghiêm túc các nội dung sau đây trong tháng này.\n{lead}\nhết."

    read = pdf_letter.PdfLetter(written(pdf_writer(text))).letter_text.text
    assert f"{lead} địa phương tổ chức" in read


@pytest.mark.parametrize(("indent", "begins"), [(8, False), (12, True), (22, True)])
def test_a_full_line_begins_a_paragraph_where_it_is_indented_by_a_letter(indent, begins):
    """indent: in points, of letters that are 14 points high; none of the lines is short."""
    texts = ("Cơ quan nào cũng cử một người ghi chép", "từng lượt ra vào cổng của", "Mỗi tuần một lần người ấy gửi số")
    starts = (70, 70, 70 + indent)
    read = arrange([Segment(x, 525, 700 - 16 * row, 14, texts[row]) for row, x in enumerate(starts)])

    whole = f"{texts[0]} {texts[1]}"
    assert [line for line in read if line] == ([whole, texts[2]] if begins else [f"{whole} {texts[2]}"])


def test_a_word_with_a_hyphen_is_one_over_two_lines():
    texts = ("Các Viện tập huấn kỹ thuật RT-", "PCR cho các tỉnh lân cận nhé")
    read = arrange([Segment(70, 525, 700 - 16 * row, 14, text) for row, text in enumerate(texts)])

    assert [line for line in read if line] == ["Các Viện tập huấn kỹ thuật RT-PCR cho các tỉnh lân cận nhé"]


def test_lines_stand_one_leading_apart_that_the_text_itself_has_set():
    writer = pdf_writer("abc")
    content = DecodedStreamObject()
    content.set_data(b"BT /F1 12 Tf 70 700 Td <0061> Tj 0 -40 TD <0062> Tj T* <0063> Tj ET")
    writer.pages[0][NameObject("/Contents")] = content

    assert pdf_letter.PdfLetter(written(writer)).letter_text.text.split() == ["a", "b", "c"]


def test_a_blank_line_parts_the_columns_of_a_page():
    texts = (("Nơi nhận:", "GIÁM ĐỐC"), ("- Như trên.", "Nguyễn Văn Hoành"))
    pieces = [
        Segment(x, x + 120, 700 - 16 * row, 14, texts[row][column])
        for row in (0, 1)
        for column, x in ((0, 70), (1, 350))
    ]

    assert arrange(pieces)[:5] == ["Nơi nhận:", "- Như trên.", "", "GIÁM ĐỐC", "Nguyễn Văn Hoành"]


def test_a_plain_pdf_has_no_remarks():
    assert Letter(written(pdf_writer(letters.BY_ORDER))).read().remarks == frozenset()


def test_a_scan_is_told_from_a_letter():
    with pytest.raises(LetterWithoutText):
        Letter(written(pdf_writer(" "))).read()


def test_a_locked_pdf_is_refused():
    writer = pdf_writer(letters.BY_ORDER)
    writer.encrypt("secret", algorithm="AES-256")
    with pytest.raises(LetterUnreadable, match="password"):
        Letter(written(writer)).read()


def test_too_many_pages_are_refused(monkeypatch):
    monkeypatch.setattr(pdf_letter, "MOST_PAGES", 1)
    with pytest.raises(LetterTooLarge):
        assert pdf_letter.PdfLetter(written(pdf_writer(letters.PLAN, lines_per_page=10))).letter_text


@pytest.mark.long
@pytest.mark.parametrize("operator", [b" ", b"BT ET ", b"q ", b"[(a)"])
def test_a_page_that_unpacks_to_far_more_than_a_page_is_refused(operator):
    writer = pdf_writer(letters.BY_ORDER)
    bomb = DecodedStreamObject()
    bomb.set_data(operator * (150_000_000 // len(operator)))
    writer.pages[0][NameObject("/Contents")] = writer._add_object(bomb.flate_encode())
    data = written(writer)

    assert len(data) < 1_000_000
    with pytest.raises((LetterTooLarge, LetterUnreadable)):
        Letter(data).read()


@pytest.mark.long
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_damaged_pdf_is_read_or_refused(data):
    whole = written(pdf_writer(letters.BY_ORDER))
    start = data.draw(st.integers(0, len(whole)))
    damaged = whole[:start] + data.draw(st.binary(max_size=20)) + whole[start + data.draw(st.integers(0, 200)) :]
    try:
        assert pdf_letter.PdfLetter(damaged).letter_text
    except Refused:
        return
