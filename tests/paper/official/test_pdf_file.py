# SPDX-License-Identifier: Apache-2.0
import datetime
import importlib.util
import io
import re
import unicodedata
from dataclasses import replace

import pypdf
import pytest
from tests.paper.official.samples import LETTER, REPORT, ZONE

from bluezone.letters.letter import Letter
from bluezone.letters.reader import propose
from bluezone.paper.official import Column, Heading, Paragraph, Table, document_pdf, write_html
from bluezone.paper.pdf import PdfUnavailable

HAS_WEASYPRINT = importlib.util.find_spec("weasyprint") is not None


def test_text_in_a_report_is_never_markup():
    html = write_html(REPORT, zone=ZONE)

    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_the_page_fetches_nothing():
    html = write_html(REPORT, zone=ZONE)

    assert not re.search(r"https?:|url\(|src=|href=|@import", html)


def test_head_body_and_signature_follow_each_other_as_in_a_letter():
    html = write_html(LETTER, zone=ZONE)
    order = [
        "PHÒNG Y TẾ",
        "Số: 77/PYT",
        "V/v đôn đốc",
        "CỘNG HÒA",
        "ngày 07 tháng 02 năm 2020",
        "Kính gửi:",
        "Nơi nhận:",
        "KT. ",
    ]

    assert [html.index(text) for text in order] == sorted(html.index(text) for text in order)


@pytest.mark.skipif(HAS_WEASYPRINT, reason="WeasyPrint is installed")
def test_without_weasyprint_the_refusal_says_what_can_be_had_instead():
    with pytest.raises(PdfUnavailable, match="DOCX"):
        document_pdf(REPORT, zone=ZONE)


@pytest.mark.long
@pytest.mark.skipif(not HAS_WEASYPRINT, reason="needs WeasyPrint")
def test_every_letter_of_vietnamese_is_printed_in_a_font_that_is_in_the_file():
    every = "ăâđêôơưĂÂĐÊÔƠƯ áàảãạ ắằẳẵặ ấầẩẫậ éèẻẽẹ ếềểễệ íìỉĩị óòỏõọ ốồổỗộ ớờởỡợ úùủũụ ứừửữự ýỳỷỹỵ ỨỪỬỮỰ 12.500 ₫ – “”"
    document = replace(REPORT, body=(Heading(every), Paragraph(every), Table(every, (Column(every),), ((every,),))))
    pdf = pypdf.PdfReader(io.BytesIO(document_pdf(document, zone=ZONE)))
    fonts = [font for page in pdf.pages for font in fonts_of(page)]

    assert {name.partition("+")[2].partition("-")[0] for name, _file in fonts} == {"Bluezone"}
    assert all(file for _name, file in fonts), "every font is in the file"
    read = " ".join("".join(page.extract_text() for page in pdf.pages).split())
    assert read.count("ứừửữự ýỳỷỹỵ") >= 4
    assert unicodedata.is_normalized("NFC", read)


@pytest.mark.long
@pytest.mark.skipif(not HAS_WEASYPRINT, reason="needs WeasyPrint")
def test_a_number_and_a_day_that_are_written_in_by_hand_have_room_on_paper():
    head = replace(REPORT.head, number=None, date=None, month=datetime.date(2020, 9, 1))
    page = pypdf.PdfReader(io.BytesIO(document_pdf(replace(REPORT, head=head), zone=ZONE))).pages[0].extract_text()

    assert re.search(r"Số: {6,}/BC-UBND", page)
    assert re.search(r"ngày {5,}tháng 9 năm 2020", page)


def fonts_of(page):
    """Name and embedded file of every font of a page."""
    for font in page["/Resources"]["/Font"].values():
        inner = font.get_object()["/DescendantFonts"][0].get_object()
        described = inner["/FontDescriptor"].get_object()
        yield str(inner["/BaseFont"]), described.get("/FontFile2") or described.get("/FontFile3")


@pytest.mark.long
@pytest.mark.skipif(not HAS_WEASYPRINT, reason="needs WeasyPrint")
def test_a_pdf_we_print_is_a_letter_we_read():
    letter = propose(Letter(document_pdf(LETTER, zone=ZONE)).read().text)

    assert str(letter.number.value) == "77/PYT"
    assert letter.issuer.value == "PHÒNG Y TẾ"
    assert [task.label for task in letter.tasks] == ["1", "2"]
    assert letter.signers[0].value.name == "Vàng Văn Mẫu"
