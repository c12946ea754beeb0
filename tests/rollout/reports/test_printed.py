# SPDX-License-Identifier: Apache-2.0
import importlib.util
import re

import pytest
from tests.rollout.reports.samples import LETTER, REPORT, ZONE

from bluezone.rollout.directives.lettertext import read_letter_text
from bluezone.rollout.directives.reading import propose
from bluezone.rollout.reports import PdfUnavailable, printed, write_html, write_pdf

HAS_WEASYPRINT = importlib.util.find_spec("weasyprint") is not None


def test_text_in_a_report_is_never_markup():
    html = write_html(REPORT, zone=ZONE)

    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_the_page_fetches_nothing():
    html = write_html(REPORT, zone=ZONE)

    assert not re.search(r"https?:|url\(|src=|href=|@import", html)
    with pytest.raises(ValueError, match="fetches nothing"):
        printed._fetch_nothing("file:///etc/hostname")


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
        write_pdf(REPORT, zone=ZONE)


@pytest.mark.skipif(not HAS_WEASYPRINT, reason="needs WeasyPrint")
def test_a_pdf_we_print_is_a_letter_we_read():
    letter = propose(read_letter_text(write_pdf(LETTER, zone=ZONE)).text)

    assert str(letter.number.value) == "77/PYT"
    assert letter.issuer.value == "PHÒNG Y TẾ"
    assert [task.label for task in letter.tasks] == ["1", "2"]
    assert letter.signers[0].value.name == "Vàng Văn Mẫu"
