# SPDX-License-Identifier: Apache-2.0
import dataclasses
import datetime
import io
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from bluezone.paper.official import write_xlsx
from bluezone.rollout.directives.register import (
    IncomingEntry,
    NumberRepeated,
    OutgoingEntry,
    incoming_register,
    outgoing_register,
)

DAY = datetime.date(2020, 8, 10)


def arrived(number, day=DAY, subject="V/v tuyên truyền"):
    return IncomingEntry(number, day, "UBND thành phố", "458/UBND-VP", datetime.date(2020, 8, 7), "Công văn", subject)


def sent(number, notation="UBND-VP"):
    return OutgoingEntry(
        number, notation, DAY, "Công văn", "V/v tuyên truyền", "Lê Văn Bình", ("UBND xã A", "UBND xã B")
    )


def test_documents_stand_by_their_running_number_and_only_those_of_the_year():
    table = incoming_register([arrived(2), arrived(1), arrived(9, datetime.date(2021, 1, 4))], "UBND phường A", 2020)

    assert [row[1] for row in table.rows] == [1, 2]
    assert table.title == "SỔ ĐĂNG KÝ VĂN BẢN ĐẾN NĂM 2020"
    assert table.rows[0][5] == "Công văn V/v tuyên truyền"
    assert table.note == "UBND phường A."


def test_a_number_that_is_missing_is_named_below_the_register():
    assert incoming_register([arrived(1), arrived(4)], "A", 2020).note == "A. Số không có trong sổ: 2, 3."


def test_a_number_given_twice_is_refused():
    with pytest.raises(NumberRepeated):
        incoming_register([arrived(1), arrived(1)], "A", 2020)
    with pytest.raises(NumberRepeated):
        outgoing_register([sent(7), sent(7)], "A", 2020)


def test_one_number_under_two_notations_is_two_documents():
    table = outgoing_register([sent(7), sent(7, "KH-UBND")], "A", 2020)

    assert [row[0] for row in table.rows] == ["07/KH-UBND", "07/UBND-VP"]
    assert table.rows[0][4] == "UBND xã A; UBND xã B"


def test_an_empty_register_can_still_be_printed_and_a_subject_cannot_calculate():
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    write_xlsx([outgoing_register([], "A", 2020)], zone=zone)
    entry = dataclasses.replace(arrived(1), kind="", subject="=1+1")
    data = write_xlsx([incoming_register([entry], "A", 2020)], zone=zone)

    sheet = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]
    assert [cell.data_type for row in sheet.iter_rows() for cell in row if cell.value == "=1+1"] == ["s"]


def test_a_page_of_a_register_names_below_it_what_is_missing_in_the_whole():
    page = incoming_register([arrived(3), arrived(4)], "A", 2020, [1, 3, 4, 6])

    assert [row[1] for row in page.rows] == [3, 4]
    assert page.note == "A. Số không có trong sổ: 2, 5."


def test_every_column_of_both_registers_is_filled_from_the_document():
    came = dataclasses.replace(arrived(7), handed_to="Lý Văn Cán", handed_on=DAY, note="Đã thu hồi")
    went = dataclasses.replace(sent(7), kept_by="VT", copies=3, sent_on=DAY, note="Đã thay thế")
    incoming, outgoing = incoming_register([came], "A", 2020), outgoing_register([went], "A", 2020)

    assert incoming.rows == (
        (
            DAY, 7, "UBND thành phố", "458/UBND-VP", datetime.date(2020, 8, 7), "Công văn V/v tuyên truyền",
            "Lý Văn Cán", DAY, None, "Đã thu hồi",
        ),
    )  # fmt: skip
    assert outgoing.rows == (
        (
            "07/UBND-VP", DAY, "Công văn V/v tuyên truyền", "Lê Văn Bình", "UBND xã A; UBND xã B", "VT", 3, DAY, None,
            "Đã thay thế",
        ),
    )  # fmt: skip
    assert (outgoing.title, outgoing.note) == ("SỔ ĐĂNG KÝ VĂN BẢN ĐI NĂM 2020", "A.")
    assert outgoing_register([sent(7)], "A", 2020).rows[0][6] is None, "no paper copies"
    assert outgoing_register([sent(7)], "A", 2021).rows == ()


@pytest.mark.parametrize(("last", "end"), [(21, "20."), (22, "20, ….")])
def test_of_many_missing_numbers_the_first_twenty_are_named(last, end):
    assert incoming_register([arrived(last)], "A", 2020).note.endswith(f"19, {end}")
