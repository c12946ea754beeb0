# SPDX-License-Identifier: Apache-2.0
import contextlib
import dataclasses
import datetime
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders.pace import paced
from tests.letters import letters

from bluezone.letters.proposal import (
    Authority,
    Confidence,
    DocumentKind,
    Doubt,
    Due,
    Every,
    PartyRole,
    Proposed,
    Purpose,
)
from bluezone.letters.reader import NotADirective, propose


@pytest.fixture(scope="module")
def seed(shared):
    """Công văn 458/UBND-VP, which the whole system carries out."""
    return propose(next((shared / "directive").glob("*.txt")).read_text())


def parties(task):
    return task.names(PartyRole.LEAD), task.names(PartyRole.COOPERATING)


def test_the_real_letter_says_who_wrote_it_when_and_about_what(seed):
    assert str(seed.number.value) == "458/UBND-VP"
    assert seed.date.value == datetime.date(2020, 8, 7)
    assert seed.place.value == "Thành phố Bắc Kạn"
    assert seed.issuer.value == "ỦY BAN NHÂN DÂN THÀNH PHỐ BẮC KẠN"
    assert seed.superior is None
    assert seed.kind.value is DocumentKind.OFFICIAL_LETTER
    assert seed.subject.value == "triển khai tuyên truyền cài đặt ứng dụng Bluezone theo khuyến cáo của Bộ Y tế"


def test_what_was_written_by_hand_in_the_real_letter_is_to_be_looked_at(seed):
    assert seed.number.doubts == seed.date.doubts == (Doubt.STRUCK,)
    assert seed.number.confidence is Confidence.MEDIUM
    assert seed.text[seed.number.span.start : seed.number.span.end] == "458~~ /UBND-VP"


def test_the_real_letter_rests_on_the_letter_of_the_province(seed):
    [basis] = [proposed.value for proposed in seed.basis]

    assert (basis.number, basis.date, basis.issuer) == ("4482/UBND-VXNV", datetime.date(2020, 8, 4), "UBND tỉnh")
    assert basis.kind is DocumentKind.OFFICIAL_LETTER
    assert basis.subject == "triển khai tuyên truyền cài đặt ứng dụng Bluezone"


def test_the_real_letter_is_signed_for_the_chairman_on_behalf_of_the_committee(seed):
    [signer] = [proposed.value for proposed in seed.signers]

    assert [(line.authority, line.of) for line in signer.authorities] == [
        (Authority.TM, "ỦY BAN NHÂN DÂN"),
        (Authority.KT, "CHỦ TỊCH"),
    ]
    assert (signer.position, signer.name) == ("PHÓ CHỦ TỊCH", "Nguyễn Thị Hué")


def test_the_real_letter_goes_to_two_collectives_and_is_filed(seed):
    assert [(to.value.name, to.value.collective) for to in seed.addressees] == [
        ("Các phòng, ban, đơn vị, ngành, đoàn thể thành phố", True),
        ("UBND các xã, phường", True),
    ]
    assert [(to.value.name, to.value.purpose, to.value.refers_to) for to in seed.recipients] == [
        ("Như kính gửi", Purpose.ACTION, "addressees"),
        ("CT, PCT UBND thành phố", Purpose.INFORMATION, None),
        ("VT", Purpose.FILE, None),
    ]


def test_the_six_orders_of_the_real_letter_have_their_leads_and_helpers(seed):
    everyone = ("Các phòng, ban, đơn vị, ngành, đoàn thể thành phố", "UBND các xã, phường")

    assert [task.label for task in seed.tasks] == ["1", "2", "3", "4", "5", "6"]
    assert [parties(task) for task in seed.tasks] == [
        (everyone, ()),
        (("Chính quyền cơ sở", "các tổ chức đoàn thể", "thôn", "tổ dân phố"), ()),
        (("Thành đoàn", "Hội Liên hiệp Phụ nữ thành phố"), ()),
        (("Phòng Giáo dục và Đào tạo thành phố", "UBND các xã, phường"), ()),
        (("Phòng Văn hóa và Thông tin",), ("UBND các xã, phường",)),
        (("Trung tâm Văn hóa, Thể thao và Truyền thông",), ()),
    ]
    assert {party.doubts for party in seed.tasks[0].parties} == {(Doubt.ADDRESSEES,)}


def test_the_media_centre_keeps_its_two_points_and_nobody_gets_a_date_the_letter_does_not_state(seed):
    assert [point.value[:20] for point in seed.tasks[5].points] == ["Tổ chức đưa tin và đ", "Triển khai tuyên tru"]
    assert seed.due is None
    assert [task.due for task in seed.tasks] == [None] * 6


def test_a_cited_document_is_sure_only_where_words_introduce_it_and_its_day_is_named():
    undated = letters.DECISION.replace("1040/QĐ-UBND ngày 21/5/2020", "1040/QĐ-UBND")
    bare = letters.DECISION.replace("Căn cứ Quyết định số 1040", "Quyết định số 1040").replace(
        "Căn cứ Kế hoạch", "Kế hoạch"
    )
    sure = [[basis.confidence for basis in propose(text).basis] for text in (letters.DECISION, undated, bare)]

    assert sure[0] == [Confidence.HIGH, Confidence.HIGH]
    assert sure[1] == [Confidence.MEDIUM, Confidence.HIGH]
    assert sure[2][0] is Confidence.MEDIUM
    assert propose(undated).basis[0].doubts == (Doubt.INCOMPLETE,)


def test_a_decision_in_two_columns_is_read_by_its_articles():
    decision = propose(letters.DECISION)

    assert str(decision.number.value) == "12/2021/QĐ-PYT"
    assert (decision.kind.value, decision.date.value) == (DocumentKind.DECISION, datetime.date(2021, 2, 3))
    assert (decision.superior.value, decision.issuer.value) == ("UBND HUYỆN LŨNG MÂY", "PHÒNG Y TẾ")
    assert decision.subject.value == "thành lập tổ hỗ trợ cài đặt ứng dụng"
    assert [(basis.value.number, basis.value.issuer) for basis in decision.basis] == [
        ("1040/QĐ-UBND", "UBND huyện"),
        ("77/KH-UBND", "Ủy ban nhân dân huyện"),
    ]
    assert [task.label for task in decision.tasks] == ["Điều 2", "Điều 3"]
    assert [point.value for point in decision.tasks[0].points] == [
        "a) Báo cáo bằng văn bản;",
        "b) Báo cáo trên hệ thống.",
    ]
    assert decision.tasks[1].names(PartyRole.LEAD) == ("Trạm Y tế các xã, thị trấn",)
    [signer] = decision.signers
    assert (signer.value.position, signer.value.name) == ("TRƯỞNG PHÒNG", "Trần Thị Mai Hoa")
    assert [(to.value.name, to.value.purpose, to.value.refers_to) for to in decision.recipients] == [
        ("Như Điều 3", Purpose.ACTION, "article 3"),
        ("UBND huyện", Purpose.INFORMATION, None),
        ("VT, YT", Purpose.FILE, None),
    ]


def test_a_day_with_an_hour_is_due_before_that_hour():
    due = propose(letters.DECISION).tasks[0].due.value

    assert (due.date, due.time, due.inclusive) == (datetime.date(2021, 2, 12), datetime.time(16, 30), False)


def test_a_plan_without_a_number_or_day_says_so_and_only_its_assignments_are_tasks():
    plan = propose(letters.PLAN)

    assert (plan.number.value.number, plan.number.value.notation) == (None, "KH-UBND")
    assert plan.number.doubts == (Doubt.INCOMPLETE,)
    assert plan.date is None
    assert plan.place.value == "Suối Khoáng"
    assert plan.issuer.value == "ỦY BAN NHÂN DÂN PHƯỜNG SUỐI KHOÁNG"
    assert plan.subject.value.startswith("Ra quân hỗ trợ người dân")
    assert plan.subject.value.endswith("trên địa bàn phường")
    assert [task.label for task in plan.tasks] == ["II.1", "II.2", "II.3"]


def test_a_plan_names_lead_and_cooperating_agencies_before_the_verb():
    plan = propose(letters.PLAN)

    assert [parties(task) for task in plan.tasks] == [
        (
            ("Đoàn Thanh niên phường",),
            ("Hội Liên hiệp Phụ nữ", "Hội Cựu chiến binh", "Ban Công tác Mặt trận"),
        ),
        (("Trạm Y tế phường",), ()),
        (("Trường Trung học cơ sở Suối Khoáng", "Trường Tiểu học Suối Khoáng"), ()),
    ]


def test_dates_repeat_or_borrow_the_year_only_where_the_letter_is_dated():
    dated = propose(letters.PLAN.replace("ngày      tháng 9", "ngày 04 tháng 9"))

    assert dated.tasks[0].due.value.date == datetime.date(2020, 9, 30)
    assert dated.tasks[0].due.doubts == (Doubt.YEAR_ASSUMED,)
    assert propose(letters.PLAN).tasks[0].due is None
    assert (dated.tasks[1].due.value.every, dated.tasks[1].due.value.weekday) == (Every.WEEK, 5)
    assert dated.due.value.date == datetime.date(2020, 10, 5)


def test_two_bodies_sign_side_by_side():
    joint = propose(letters.JOINT)

    assert [(signer.value.position, signer.value.name) for signer in joint.signers] == [
        ("PHÓ BÍ THƯ", "Hoàng Văn Sơn"),
        ("PHÓ GIÁM ĐỐC", "Nông Thị Lan"),
    ]
    assert [to.value.name for to in joint.addressees] == ["Các huyện đoàn", "các trung tâm y tế huyện"]
    assert joint.tasks[0].due.value.every is Every.DAY


def test_a_letter_of_one_sentence_orders_what_it_asks_its_addressee_for():
    letter = propose(letters.BY_ORDER)
    [signer] = letter.signers

    assert [line.authority for line in signer.value.authorities] == [Authority.TL, Authority.KT]
    assert (signer.value.position, signer.value.name) == ("PHÓ CHÁNH VĂN PHÒNG", "Đặng Minh Khôi")
    [task] = letter.tasks
    assert (task.label, task.text.doubts) == ("Ý 1", (Doubt.PROSE,))
    assert parties(task) == (("Sở Thông tin và Truyền thông",), ())
    assert (task.due.value.date, task.due.value.time) == (datetime.date(2020, 12, 4), datetime.time(17))
    assert letter.due is None
    assert letter.recipients[1].value.purpose is Purpose.INFORMATION


def test_an_instruction_tells_leads_from_helpers_and_names_from_verbs():
    instruction = propose(letters.INSTRUCTION)

    assert instruction.kind.value is DocumentKind.INSTRUCTION
    assert [(basis.value.number, basis.value.issuer) for basis in instruction.basis] == [
        ("16/CT-TTg", "Thủ tướng Chính phủ"),
        ("1053/CĐ-BYT", "Bộ Y tế"),
    ]
    assert [parties(task) for task in instruction.tasks] == [
        (
            ("Sở Thông tin và Truyền thông",),
            ("Sở Y tế", "Công an tỉnh", "UBND các huyện, thành phố", "các cơ quan, đơn vị liên quan"),
        ),
        (("Sở Y tế",), ()),
        (("Chủ tịch UBND các huyện, thành phố",), ()),
        (("Ủy ban Mặt trận Tổ quốc Việt Nam tỉnh", "các tổ chức chính trị - xã hội tỉnh"), ()),
        (("Báo Hà Mây", "Đài Phát thanh và Truyền hình tỉnh"), ()),
        (
            (
                "Thủ trưởng các sở, ban, ngành",
                "Chủ tịch UBND các huyện, thành phố",
                "các tổ chức, cá nhân có liên quan",
            ),
            (),
        ),
    ]
    weekly = instruction.tasks[0].due.value
    assert (weekly.every, weekly.weekday, weekly.time, weekly.inclusive) == (Every.WEEK, 5, datetime.time(16), False)
    assert instruction.tasks[2].due.value == Due(date=datetime.date(2020, 8, 10))


def test_what_an_optical_reader_misread_is_mended_and_marked():
    letter = propose(letters.OCR)

    assert str(letter.number.value) == "417/UBND-VP"
    assert Doubt.OCR in letter.number.doubts
    assert letter.date.value == datetime.date(2020, 12, 8)
    assert Doubt.OCR in letter.date.doubts
    assert [to.value.name for to in letter.addressees] == ["UBND các xã, thị trấn"]
    assert [parties(task)[0] for task in letter.tasks] == [("UBND các xã, thị trấn",), ("Đài Truyền thanh huyện",)]
    assert [to.value.purpose for to in letter.recipients] == [Purpose.ACTION, Purpose.FILE]
    assert letter.signers[0].value.name == "Ma Thế Vinh"


@pytest.mark.parametrize("letter", [letters.DECISION, letters.PLAN, letters.JOINT, letters.BY_ORDER, letters.OCR])
@pytest.mark.parametrize("form", ["NFD", "NFKC"])
def test_a_letter_typed_in_another_normal_form_says_the_same(letter, form):
    assert propose(unicodedata.normalize(form, letter)) == propose(letter)


def test_text_of_an_old_font_is_read_and_says_that_it_was_converted():
    letter = propose(letters.TCVN3)

    assert letter.converted_from == "tcvn3"
    assert str(letter.number.value) == "12/UBND-VP"
    assert letter.text.startswith("UBND huyện Lũng Mây")


def test_a_recipe_is_no_letter_and_the_refusal_says_what_was_missed():
    with pytest.raises(NotADirective) as refusal:
        propose(letters.RECIPE)

    assert refusal.value.missed == ("national_title", "number", "date", "addressing", "closing")
    assert "no number" in str(refusal.value)


def every_proposed(value):
    if isinstance(value, Proposed):
        yield value
    parts = value if isinstance(value, tuple) else vars(value).values() if dataclasses.is_dataclass(value) else ()
    for part in parts:
        yield from every_proposed(part)


ANY_LETTER = st.sampled_from([letters.DECISION, letters.PLAN, letters.JOINT, letters.BY_ORDER, letters.OCR])


@pytest.mark.long
@settings(deadline=None)
@given(letter=ANY_LETTER, data=st.data())
def test_whatever_is_lost_from_a_letter_each_value_stands_where_it_says(letter, data):
    start = data.draw(st.integers(0, len(letter)))
    end = data.draw(st.integers(start, min(len(letter), start + 300)))
    try:
        proposal = propose(letter[:start] + data.draw(st.text(max_size=40)) + letter[end:])
    except NotADirective:
        return

    for proposed in every_proposed(proposal):
        assert 0 <= proposed.span.start <= proposed.span.end <= len(proposal.text)
        if type(proposed.value) is str and proposed.value:
            assert proposed.value.split()[0] in proposal.text[proposed.span.start : proposed.span.end]


@given(st.text(max_size=2000))
def test_any_other_text_is_refused_or_read_and_never_breaks(text):
    with contextlib.suppress(NotADirective):
        propose(text)


@pytest.mark.long
@pytest.mark.parametrize(
    "unit", [" ", "\n", "a", "\n- x", "phối hợp với ", "các phòng, ban, ", "công văn số 1/A của ", "\t\tx"]
)
def test_a_text_made_to_be_slow_is_read_in_time(unit):
    head = letters.OCR.split("1. UBND")[0]
    started = time.process_time()
    propose(head + "1. " + unit * (60_000 // len(unit)))

    assert paced(time.process_time() - started) < 3


def test_signs_of_a_bullet_font_a_number_that_wraps_and_a_copy_to_follow_are_read():
    read = propose(
        "UBND TỈNH HÀ\nSỞ Y TẾ\nSố: 178/SYT-\nNVY\nCỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nHà, ngày 05 tháng 6 năm 2023\n\n"
        "Kính gửi: UBND các xã.\n\nSở Y tế yêu cầu:\n\uf0b7 UBND các xã phát tờ rơi,\n\nthu lại trước ngày 10/6/2023.\n"
        "\uf0b7 Công an xã tuần tra.\n\nNơi nhận:\n- Như trên;\n- Thanh tra Sở (để theo dõi);\n- Lưu: VT.\n\n"
        "GIÁM ĐỐC\n\nNguyễn Văn A\n"
    )

    assert str(read.number.value) == "178/SYT-NVY"
    assert [one.text.value for one in read.tasks] == [
        "UBND các xã phát tờ rơi, thu lại trước ngày 10/6/2023.", "Công an xã tuần tra.",
    ]  # fmt: skip
    assert [str(one.value.purpose) for one in read.recipients] == ["action", "information", "file"]
