# SPDX-License-Identifier: Apache-2.0
"""The head of a letter: number, kind, bodies and subject, and how sure each is."""

import pytest
from tests.letters.letters import lines_of

from bluezone.letters.letterhead import (
    HEAD_LINES,
    read_bodies,
    read_date,
    read_kind,
    read_number,
    read_subject,
    resembles,
)
from bluezone.letters.proposal import Confidence, DocumentKind, Doubt


def read(what, *lines):
    return what(lines_of("\n".join(lines)))


@pytest.mark.parametrize(
    ("line", "number", "notation", "confidence", "doubts"),
    [
        ("Số: 458/UBND-VP", "458", "UBND-VP", Confidence.HIGH, ()),
        ("SỐ 12 / KH – UBND", "12", "KH-UBND", Confidence.HIGH, ()),
        ("So: 12/KH-UBND", "12", "KH-UBND", Confidence.MEDIUM, (Doubt.OCR,)),
        ("Số: 4S8/UBND", None, None, None, None),
        ("Số: 4O8/UBND", "408", "UBND", Confidence.MEDIUM, (Doubt.OCR,)),
        ("Số: ~~458~~/UBND-VP", "458", "UBND-VP", Confidence.MEDIUM, (Doubt.STRUCK,)),
        ("Số: ~~4O8~~/UBND-VP", "408", "UBND-VP", Confidence.LOW, (Doubt.OCR, Doubt.STRUCK)),
        ("Số:     /KH-UBND", None, "KH-UBND", Confidence.LOW, (Doubt.INCOMPLETE,)),
        ("458/UBND-VP", "458", "UBND-VP", Confidence.MEDIUM, (Doubt.OUTSIDE_ITS_PLACE,)),
    ],
)
def test_a_number_is_read_with_what_is_doubtful_about_it(line, number, notation, confidence, doubts):
    found = read(read_number, "UBND PHƯỜNG", line)
    if confidence is None:
        assert found is None
        return
    assert (found.value.number, found.value.notation) == (number, notation)
    assert (found.confidence, found.doubts) == (confidence, doubts)


def test_the_head_is_the_first_forty_lines():
    above = [""] * (HEAD_LINES - 1)

    for what, line in ((read_number, "Số: 1/KH"), (read_subject, "V/v tuyên truyền")):
        assert read(what, *above, line) is not None
        assert read(what, *above, "", line) is None
    date, place = read(read_date, *above, "Bắc Kạn, ngày 7 tháng 8 năm 2020")
    assert (str(date.value), place.value) == ("2020-08-07", "Bắc Kạn")
    assert read(read_date, *above, "", "Bắc Kạn, ngày 7 tháng 8 năm 2020") == (None, None)


@pytest.mark.parametrize(
    ("lines", "kind", "confidence"),
    [
        (("Số: 1/QĐ-UBND",), DocumentKind.DECISION, Confidence.HIGH),
        (("Số: 1/UBND-VP",), DocumentKind.OFFICIAL_LETTER, Confidence.HIGH),
        (("Số: 1/UBND",), DocumentKind.OFFICIAL_LETTER, Confidence.MEDIUM),
        (("Số: 1/KH",), DocumentKind.PLAN, Confidence.HIGH),
        (("Số: 1/UBND", "CHỈ THỊ"), DocumentKind.INSTRUCTION, Confidence.HIGH),
        (("Số: 1/UBND", "Chỉ thị"), DocumentKind.OFFICIAL_LETTER, Confidence.MEDIUM),
        (("xin chào",), DocumentKind.OFFICIAL_LETTER, Confidence.LOW),
    ],
)
def test_a_kind_is_read_from_the_title_or_the_notation(lines, kind, confidence):
    passages = lines_of("\n".join(lines))
    found = read_kind(passages, read_number(passages))

    assert (found.value, found.confidence) == (kind, confidence)


def test_the_body_that_issues_stands_below_the_one_above_it():
    superior, issuer = read(
        read_bodies,
        "ỦY BAN NHÂN DÂN",
        "THÀNH PHỐ BẮC KẠN   CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "PHÒNG VĂN HÓA",
        "VÀ THÔNG TIN",
        "Số: 1/PVH",
        "PHÒNG Y TẾ",
    )
    assert (issuer.value, superior.value) == ("PHÒNG VĂN HÓA VÀ THÔNG TIN", "ỦY BAN NHÂN DÂN THÀNH PHỐ BẮC KẠN")
    assert issuer.confidence is superior.confidence is Confidence.HIGH
    assert read(read_bodies, "SỞ Y TẾ", "PHÒNG Y TẾ", "TRẠM Y TẾ")[0].confidence is Confidence.LOW
    assert len(read(read_bodies, "SỞ Y TẾ")) == 1
    [typed] = read(read_bodies, "Sở Y tế", "AB")
    assert (typed.value, typed.confidence) == ("Sở Y tế", Confidence.LOW)


@pytest.mark.parametrize(
    ("lines", "subject", "confidence"),
    [
        (
            ("V/v tuyên truyền", "cài đặt ứng dụng.", "", "Kính gửi: A"),
            "tuyên truyền cài đặt ứng dụng",
            Confidence.HIGH,
        ),
        (("V/v tuyên truyền", "-----", "cài đặt"), "tuyên truyền", Confidence.HIGH),
        (("V/v tuyên truyền", "Kính gửi: A"), "tuyên truyền", Confidence.HIGH),
        (("V/v tuyên truyền", "Bắc Kạn, ngày 7 tháng 8 năm 2020"), "tuyên truyền", Confidence.HIGH),
        (("V/v tuyên truyền", "Độc lập - Tự do - Hạnh phúc"), "tuyên truyền", Confidence.HIGH),
        (("V/v a", *"bcdefgh"), "a b c d e f g", Confidence.HIGH),
        (("KẾ HOẠCH", "", "Ra quân tháng 8."), "Ra quân tháng 8", Confidence.MEDIUM),
        (("Kế hoạch", "Ra quân tháng 8."), None, None),
    ],
)
def test_a_subject_goes_on_to_the_end_of_its_column(lines, subject, confidence):
    found = read(read_subject, *lines)

    assert (found.value, found.confidence) == (subject, confidence) if subject else found is None


def test_two_texts_are_alike_from_a_share_on_and_never_if_one_is_much_longer():
    assert resembles("cong hoa xa hoi", "cong hoa xa hol")
    assert resembles("abcde", "abcdx", 0.8)
    assert not resembles("abcde", "abcdx", 0.81)
    assert resembles("abcdef" + "gh", "abcdef", 0.5)
    assert not resembles("abcdef" + "ghi", "abcdef", 0.5)
    assert not resembles("", "abc", 0.0)


def test_a_date_stands_behind_its_place_and_says_what_is_doubtful():
    date, place = read(read_date, "Bắc Kạn, ngày 07 tháng 8 năm 2020")
    assert (place.span.start, place.span.end) == (0, 7)
    assert (date.span.start, date.span.end, date.confidence) == (8, 33, Confidence.HIGH)
    misread, _place = read(read_date, "Bắc Kạn, ngày O7 tháng 8 năm 2020")
    assert (str(misread.value), misread.doubts) == ("2020-08-07", (Doubt.OCR,))
    assert read(read_date, "Bắc Kạn, ngày 31 tháng 9 năm 2020")[0] is None


def test_a_ward_whose_name_begins_with_an_is_no_title_of_a_plan():
    head = ("ỦY BAN NHÂN DÂN", "PHƯỜNG AN LỘC", "Số: 12/KH-UBND", "KẾ HOẠCH", "Tiêm chủng")

    assert read(lambda lines: [one.value for one in read_bodies(lines)], *head) == ["ỦY BAN NHÂN DÂN PHƯỜNG AN LỘC"]
    assert read(lambda lines: read_kind(lines, None).value, *head) is DocumentKind.PLAN
    assert read(lambda lines: read_subject(lines).value, *head) == "Tiêm chủng"


@pytest.mark.parametrize("title", ["PHIẾU CHUYỂN", "PHIẾU CHUYỂN ĐƠN", "BẢN GHI NHỚ", "GIẤY GIỚI THIỆU"])
def test_the_other_kinds_of_the_decree_are_titles_too(title):
    head = ("UBND TỈNH HÀ MÂY", "SỞ Y TẾ", "Số: 12/PC-SYT", title, "Đơn của bà Lý", "Kính gửi: Trung tâm Y tế.")

    assert read(lambda lines: read_kind(lines, None).value, *head) is DocumentKind.OTHER
    assert read(lambda lines: read_subject(lines).value, *head) == "Đơn của bà Lý"
