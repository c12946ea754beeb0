# SPDX-License-Identifier: Apache-2.0
"""Posters and cards as a print shop gets them: measured, decoded, with fonts and marks."""

import io

import pytest
import zxingcpp
from django.utils import timezone
from pypdf import PdfReader
from tests.builders import venues as build
from tests.builders.printed import first_page

from bluezone.rollout.venues.posters import card_pdf, poster_link, poster_pdf

pytestmark = pytest.mark.django_db
DOTS = 144
POINTS_A_MM = 72 / 25.4
LONG = {"name": "Nhà hàng Ẩm thực Dân tộc Hồ Ba Bể và Khách sạn Núi Hoa", "address": "Số 5 đường Hùng Vương, tổ 7"}


@pytest.fixture(params=["usual", "long"])
def code(request, server, wards):
    values = LONG if request.param == "long" else {}
    return build.approved_venue(wards[0], timezone.now(), **values).codes.select_related("venue__unit").get()


def in_mm(image_points):
    return image_points / DOTS * 25.4


def decoded(pdf):
    """{text: width of the code in mm} of every code on the first page."""
    # Of every kind of code there is, some reader sees one in a pattern of squares.
    found = zxingcpp.read_barcodes(first_page(pdf, DOTS).convert("L"), formats=zxingcpp.BarcodeFormat.QRCode)
    return {one.text: in_mm(((one.position.top_right.x - one.position.top_left.x) ** 2) ** 0.5) for one in found}


@pytest.mark.long
@pytest.mark.parametrize(("make", "paper", "least"), [("poster", "a4", 150), ("poster", "a3", 200), ("card", "a6", 50)])
def test_a_sheet_decodes_back_to_the_signed_code_at_its_size(code, make, paper, least):
    pdf = poster_pdf(code, paper) if make == "poster" else card_pdf(code)
    codes = decoded(pdf)
    assert codes[code.link] >= least - 0.5
    assert set(codes) == ({code.link, poster_link(code)} if make == "poster" else {code.link})

    read = PdfReader(io.BytesIO(pdf))
    assert len(read.pages) == 1
    page = read.pages[0]
    text = "".join(page.extract_text().split())
    assert code.fingerprint in text
    assert poster_link(code).partition("://")[2] in text
    bleed = float(page.trimbox.left - page.bleedbox.left)
    assert bleed >= 3 * POINTS_A_MM
    assert float(page.bleedbox.left - page.mediabox.left) >= 3 * POINTS_A_MM
    fonts = page["/Resources"]["/Font"].values()
    assert fonts
    for font in fonts:
        inner = font.get_object()["/DescendantFonts"][0].get_object()
        assert "/FontFile2" in inner["/FontDescriptor"] or "/FontFile3" in inner["/FontDescriptor"]
