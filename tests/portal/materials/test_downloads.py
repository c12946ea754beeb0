# SPDX-License-Identifier: Apache-2.0
"""Printed sheets as an independent reader and a printer see them."""

import dataclasses
import re
from io import BytesIO

import pytest
import zxingcpp
from django.conf import settings as public_settings
from PIL import Image
from pypdf import PdfReader
from tests.builders.printed import first_page

from bluezone.paper import phrases
from bluezone.paper.phrases import facts
from bluezone.portal import materials
from bluezone.speech.voice import can_speak

pytestmark = [pytest.mark.long, pytest.mark.django_db]
DPI = 200
POINTS_A_MM = 72 / 25.4
PAPER = {
    "leaflet-a5": (148, 210), "poster-a4": (210, 297), "poster-a3": (297, 420), "guide-a4": (210, 297),
    "letter-parents": (210, 297),
}  # fmt: skip
LEAST_CODE_MM = {"leaflet-a5": 50, "poster-a4": 150, "poster-a3": 150, "guide-a4": 50, "letter-parents": 50}
SHEETS = list(PAPER)
LINKS = {"android": "https://tai.backan.example/app"}


@pytest.fixture(autouse=True)
def city(settings):
    settings.CITY = dataclasses.replace(
        settings.CITY, public_host="bluezone.backan.example", name_en="Bac Kan", hotline="0209 3870 000"
    )


_SHEETS: dict[tuple[str, ...], bytes] = {}


def sheet(public, name, language):
    """A sheet of the city, drawn by the first test that looks at it."""
    asked = (name, language, *dict(public_settings.CITY.install_links))
    if asked not in _SHEETS:
        _SHEETS[asked] = drawn(public, name, language)
    return _SHEETS[asked]


def drawn(public, name, language):
    answer = public.get(f"/materials/{language}/{name}.pdf")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/pdf"
    return answer.content


def code_width_mm(found) -> float:
    corners = found.position
    return abs(corners.top_right.x - corners.top_left.x) * 25.4 / DPI


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("name", SHEETS)
def test_the_code_of_a_printed_sheet_is_read_back_and_is_wide_enough(public, name, language):
    picture = first_page(sheet(public, name, language), DPI)
    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)

    assert [code.text for code in found] == ["https://bluezone.backan.example/k"]
    assert code_width_mm(found[0]) >= LEAST_CODE_MM[name] - 0.5, "half a pixel at each side, and rounding"


@pytest.mark.parametrize("name", SHEETS)
def test_a_sheet_has_its_paper_bleed_and_marks_and_one_page(public, name):
    reader = PdfReader(BytesIO(sheet(public, name, "vi")))
    page = reader.pages[0]
    width, height = PAPER[name]

    assert len(reader.pages) == 1
    assert float(page.trimbox.width) == pytest.approx(width * POINTS_A_MM, abs=0.2)
    assert float(page.trimbox.height) == pytest.approx(height * POINTS_A_MM, abs=0.2)
    if name != "letter-parents":
        bleed = float(page.trimbox.left - page.bleedbox.left)
        assert bleed >= 3 * POINTS_A_MM, "3 mm of colour to cut into"
        assert float(page.bleedbox.left - page.mediabox.left) >= 3 * POINTS_A_MM, "room for crop marks outside it"


def test_crop_marks_stand_outside_the_bleed(public):
    picture = first_page(sheet(public, "poster-a4", "vi"), DPI).convert("L")
    outside = round(10 / 25.4 * DPI)
    top, left = picture.crop((0, 0, picture.width, outside // 2)), picture.crop((0, 0, outside // 2, picture.height))

    assert min(top.tobytes()) < 100
    assert min(left.tobytes()) < 100


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("name", SHEETS)
def test_only_the_house_font_is_in_it_and_embedded(public, name, language):
    fonts = PdfReader(BytesIO(sheet(public, name, language))).pages[0]["/Resources"]["/Font"]
    assert len(fonts) in (1, 2)
    for font in (fonts[key].get_object() for key in fonts):
        assert "Sheet" in font["/BaseFont"]
        inner = font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        assert {"/FontFile2", "/FontFile3"} & set(inner)


@pytest.mark.parametrize("app", [{}, LINKS])
@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("name", SHEETS)
def test_every_line_stands_inside_the_paper_and_no_number_is_parted(public, settings, name, language, app):
    settings.CITY = dataclasses.replace(settings.CITY, install_links=app)
    page = PdfReader(BytesIO(sheet(public, name, language))).pages[0]
    lines = [line.replace("\u00a0", " ") for line in page.extract_text().splitlines()]
    text = "\n".join(lines)

    for number in ("0209 3870 000", "1900 9095"):
        assert any(number in line for line in lines), f"{number} in one piece: {text}"
    assert "bluezone.backan.example" in text
    assert phrases.headline(facts(language)) or name
    lowest = []
    page.extract_text(visitor_text=lambda words, cm, tm, *_: lowest.append(_height(cm, tm)) if words.strip() else None)
    assert min(lowest) >= 4 * POINTS_A_MM, "nothing is cut off at the foot"


def _height(cm, tm):
    """Height of a text above the cut, points; the page's own matrix turns the axis."""
    return tm[4] * cm[1] + tm[5] * cm[3] + cm[5]


@pytest.mark.parametrize("language", ["vi", "en"])
def test_without_an_app_no_sheet_speaks_of_bluetooth_being_on(public, language):
    for name in SHEETS:
        text = PdfReader(BytesIO(sheet(public, name, language))).pages[0].extract_text()
        assert not re.search(r"đang chạy|is running|bật Bluetooth|Bluetooth on", text, re.IGNORECASE)
        assert not re.search(r"từng ở gần|were near a", " ".join(text.split())), "a browser cannot know who was near"
    assert "Bluetooth" not in phrases.bulletin(facts(language))
    assert "Bluetooth" not in phrases.zalo(facts(language))


def test_with_an_app_the_leaflet_says_install_and_running(public, settings):
    settings.CITY = dataclasses.replace(settings.CITY, install_links=LINKS)
    text = " ".join(PdfReader(BytesIO(sheet(public, "leaflet-a5", "vi"))).pages[0].extract_text().split())

    assert "“Bluezone đang chạy” là xong" in text
    assert "luôn bật Bluetooth" in text


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_picture_for_zalo_has_a_code_that_is_read_back(public, language):
    picture = Image.open(BytesIO(public.get(f"/materials/{language}/zalo.png").content))

    assert picture.size == (1080, 1080)
    assert [code.text for code in zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)] == [
        "https://bluezone.backan.example/k"
    ]


def test_a_sheet_is_made_once_and_anew_when_the_city_changes(public, settings, data_folder):
    drawn(public, "poster-a4", "vi")
    kept = list((data_folder / "materials").glob("poster-a4.vi.*"))
    made = kept[0].stat().st_mtime_ns
    drawn(public, "poster-a4", "vi")
    assert [path.stat().st_mtime_ns for path in kept] == [made]

    settings.CITY = dataclasses.replace(settings.CITY, hotline="0209 1111 222")
    drawn(public, "poster-a4", "vi")
    assert len(list((data_folder / "materials").glob("poster-a4.vi.*"))) == 1
    assert not kept[0].exists(), "the number of yesterday is on no sheet"


def test_the_sound_is_thirty_seconds_or_the_page_says_what_is_missing(public):
    answer = public.get("/materials/vi/bulletin.mp3")
    if not can_speak():
        assert answer.status_code == 503
        assert "sound_unavailable" in answer.text
        return
    assert answer.headers["Content-Type"] == "audio/mpeg"
    seconds = len(answer.content) * 8 / 48_000
    assert 25 <= seconds <= 36


def test_without_the_voice_the_page_says_so_and_has_the_text(public, monkeypatch):
    monkeypatch.setenv("PATH", "")
    text = public.get("/materials/").text

    assert "espeak-ng" in text
    assert "Kính thưa bà con" in text
    assert public.get("/materials/vi/bulletin.mp3").status_code == 503


def test_numbers_are_spoken_digit_by_digit():
    assert phrases.spoken_number("1900 9095", "vi") == "một chín không không, chín không chín năm"
    assert phrases.spoken_number("115", "en") == "one one five"


@pytest.mark.parametrize("address", ["vi/none.pdf", "xx/zalo.png", "vi/..%2f..%2fcity.toml"])
def test_what_is_no_material_is_not_found(public, address):
    assert public.get(f"/materials/{address}").status_code == 404


def test_the_posters_measures_leave_four_modules_of_white():
    for measures in (materials._A4, materials._A3):
        numbers = {name: float(value) for name, value in measures.items()}
        module = numbers["code"] / 29
        above = numbers["code_top"] - (numbers["head"] - 4)
        below = numbers["height"] - (numbers["foot"] - 4) - numbers["code_top"] - numbers["code"]
        assert min(above, below, numbers["code_left"]) >= 2.9 * module
    assert {material.file for material in materials.MATERIALS} >= {f"{name}.pdf" for name in SHEETS}
