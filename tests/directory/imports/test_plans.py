# SPDX-License-Identifier: Apache-2.0
"""bluezone.directory.imports.plans: the preview of an import, mergers, figures, and rows that are refused."""

import datetime
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.agencies import write_workbook

from bluezone.directory.imports.known_columns import AGENCY_COLUMNS, UNIT_COLUMNS
from bluezone.directory.imports.phones import PHONE_COLUMNS, plan_phones
from bluezone.directory.imports.plans import plan_agencies, plan_units
from bluezone.directory.imports.sent_lists import ImportNotReady
from bluezone.directory.imports.tables import Row, Table, read_table
from bluezone.directory.kinds import Quantity, UnitKind
from bluezone.directory.records.entries import DenominatorEntry, Directory, UnitEntry, Validity
from bluezone.directory.records.seed import SEED_DAY, load_seed
from bluezone.refusal import Refused
from bluezone.vietnamese.legacy_fonts import TextEncoding, from_unicode

SEED = load_seed()
MERGER = datetime.date(2025, 7, 1)
# The city as if nobody knew yet what 2025 would bring.
CITY = Directory.build(
    [
        UnitEntry("tinh", "tỉnh Bắc Kạn", UnitKind.PROVINCE, "06"),
        UnitEntry("tp", "thành phố Bắc Kạn", UnitKind.DISTRICT, "058", "tinh"),
        UnitEntry("duc-xuan", "phường Đức Xuân", UnitKind.WARD, "01840", "tp"),
        UnitEntry("song-cau", "phường Sông Cầu", UnitKind.WARD, "01837", "tp"),
    ]
)


def units(*rows, headings="Mã,Tên,Loại,Mã cấp trên,Từ ngày,Đến ngày,Kế thừa,Dân số,Số hộ,Nguồn,Ngày số liệu"):
    return read_table(io.BytesIO("\n".join([headings, *rows]).encode()), UNIT_COLUMNS)


def agencies(*rows, headings="Mã,Tên,Viết tắt,Loại,Địa bàn,Đến ngày,Kế thừa,Số cán bộ,Nguồn,Ngày số liệu"):
    return read_table(io.BytesIO("\n".join([headings, *rows]).encode()), AGENCY_COLUMNS)


def refusals(plan):
    return [(row.row, row.column, row.reason) for row in plan.refused]


def test_a_list_that_says_what_is_already_there_changes_nothing():
    plan = plan_units(
        CITY, units("01840,phường Đức Xuân,phường,058,,,,,,,", "01837,phường Sông Cầu,,,,,,,,,"), SEED_DAY
    )

    assert plan.unchanged == (2, 3)
    assert (plan.added, plan.changed, plan.refused, plan.doubts) == ((), (), (), ())
    assert plan.accept() == CITY


def test_new_units_and_groups_below_them_come_in_one_file_in_any_order():
    plan = plan_units(
        CITY,
        units(
            "01846-01,Tổ 1,tổ dân phố,01846,,,,,,,",
            "01846,phường Huyền Tụng,,058,,,,4769,1200,Nghị quyết 892,11/03/2015",
        ),
        SEED_DAY,
    )

    assert [(added.row, added.entry.name) for added in plan.added] == [(2, "Tổ 1"), (3, "phường Huyền Tụng")]
    directory = plan.accept()
    assert [unit.name for unit in directory.subtree("01846")] == ["phường Huyền Tụng", "Tổ 1"]
    assert directory.units["01846"].denominators == (
        DenominatorEntry(Quantity.HOUSEHOLDS, 1200, "Nghị quyết 892", datetime.date(2015, 3, 11)),
        DenominatorEntry(Quantity.POPULATION, 4769, "Nghị quyết 892", datetime.date(2015, 3, 11)),
    )
    assert CITY.units.keys() == {"tinh", "tp", "duc-xuan", "song-cau"}


def test_a_new_entry_without_days_has_those_of_the_unit_above_it():
    deep = units("T1-1,Ngõ 1,phường,058,,,,,,,", "T1-1-a,Tổ 1,tổ,T1-1,,,,,,,", "T1-1-b,Tổ 2,tổ,T1-1,1/1/2021,,,,,,")
    directory = plan_units(SEED, deep, SEED_DAY).accept()
    city = SEED.units["tp-bac-kan"].validity

    assert directory.units["T1-1"].validity == directory.units["T1-1-a"].validity == city
    assert directory.units["T1-1-b@2021-01-01"].validity == Validity(datetime.date(2021, 1, 1), city.end)
    office = plan_agencies(SEED, agencies("C,Cơ quan C,,phòng,01840,,,,,"), SEED_DAY).accept().agencies["C"]
    assert office.validity == SEED.units["phuong-duc-xuan"].validity
    assert plan_units(directory, deep, SEED_DAY).unchanged == (2, 3, 4)


def test_a_change_is_shown_field_by_field_and_an_empty_cell_leaves_what_is_there():
    first = plan_units(CITY, units("01840,phường Đức Xuân,,,,,,9000,,Thống kê,01/04/2019"), SEED_DAY).accept()
    plan = plan_units(first, units('01840,xã Đức Xuân,xã,,,,,"9,100",2500,UBND phường,1/4/2020'), SEED_DAY)

    assert [(change.field, change.before, change.after) for change in plan.changed[0].changes] == [
        ("name", "phường Đức Xuân", "xã Đức Xuân"),
        ("kind", "ward", "commune"),
        ("households 2020-04-01", "", "2500 (UBND phường)"),
        ("population 2020-04-01", "", "9100 (UBND phường)"),
    ]
    assert plan.changed[0].after.parent == "tp"
    corrected = plan_units(first, units("01840,phường Đức Xuân,,,,,,9001,,Thống kê,01/04/2019"), SEED_DAY)
    assert [(change.before, change.after) for change in corrected.changed[0].changes] == [
        ("9000 (Thống kê)", "9001 (Thống kê)")
    ]


def test_a_merger_ends_the_old_units_and_begins_the_new_one_under_a_code_used_again():
    merger = units(
        "01840,phường Đức Xuân,,,,1/7/2025,01840,,,,",
        "01837,phường Sông Cầu,,,,1/7/2025,01840,,,,",
        "01840,phường Đức Xuân,,06,1/7/2025,,,,,,",
    )
    plan = plan_units(CITY, merger, SEED_DAY)
    directory = plan.accept()

    assert [(changed.row, [change.field for change in changed.changes]) for changed in plan.changed] == [
        (2, ["valid_until", "successors"]),
        (3, ["valid_until", "successors"]),
    ]
    assert [added.entry.key for added in plan.added] == ["01840@2025-07-01"]
    assert [entry.key for entry in directory.current("song-cau", MERGER)] == ["01840@2025-07-01"]
    assert {unit.key for unit in directory.units_on(MERGER - datetime.timedelta(1))} == set(CITY.units)
    for day in (SEED_DAY, MERGER, datetime.date(2026, 1, 1)):
        again = plan_units(directory, merger, day)
        assert (again.unchanged, again.refused) == ((2, 3, 4), ())


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["01840,x,,,,,,,,,", "01840,y,,,,,,,,,"], [(3, "code", "import_row_repeated")]),
        (["1840,x,phường,,,,,,,,", "01840,y,,,,,,,,,"], [(3, "code", "import_row_repeated")]),
        ([",x,,,,,,,,,"], [(2, "kind", "import_kind_unknown")]),
        ([f"{'9' * 41},x,,,,,,,,,"], [(2, "code", "import_text_invalid")]),
        (["01840,,,,,,,,,,"], [(2, "name", "import_text_invalid")]),
        (["01840,x,hành tinh,,,,,,,,"], [(2, "kind", "import_kind_unknown")]),
        (["99999,Nơi nào đó,,058,,,,,,,"], [(2, "kind", "import_kind_unknown")]),
        (["01840,x,,99999,,,,,,,"], [(2, "parent", "import_reference_unknown")]),
        (["01840,x,,,31/2/2020,,,,,,"], [(2, "valid_from", "import_value_invalid")]),
        (["01840,x,,,,1/7/2025,77777,,,,"], [(2, "successors", "import_reference_unknown")]),
        (["01840,x,,,,,,-5,,a,1/1/2020"], [(2, "population", "import_value_invalid")]),
        (["01840,x,,,,,,9000,,,1/1/2020"], [(2, "source", "import_figure_without_source")]),
        (["01840,x,,,,,,9000,,Thống kê,"], [(2, "source", "import_figure_without_source")]),
        (["01840,x,,,,,,9000,,Thống kê,1/1/2030"], [(2, "as_of", "import_figure_without_source")]),
        (["01840,x,,,1/7/2025,1/7/2020,,,,,"], [(2, "kind", "import_kind_unknown")]),
        (["01840,x,,,1/1/2020,1/1/2019,,,,,"], [(2, "", "entry_validity_inconsistent")]),
        (["01840,x,,01837,,,,,,,"], [(2, "", "entry_parent_unknown")]),
        (["01899,phường mới,,,,,,,,,"], [(2, "", "entry_parent_unknown")]),
        (["01840,x,,,,,01837,,,,"], [(2, "", "entry_validity_inconsistent")]),
        (["06,tỉnh Bắc Kạn,,06,,,,,,,"], [(2, "", "unit_cycle")]),
    ],
)
def test_a_row_that_cannot_be_done_is_refused_by_cell_and_nothing_is_done(rows, expected):
    plan = plan_units(CITY, units("01837,phường Sông Cầu mới,,,,,,,,,", *rows), SEED_DAY)

    assert refusals(plan) == [(row + 1, column, code) for row, column, code in expected]
    with pytest.raises(ImportNotReady) as refusal:
        plan.accept()
    assert refusal.value.code == "import_not_ready"


def test_ending_a_unit_is_refused_while_units_below_it_go_on():
    end_of_city = "058,thành phố Bắc Kạn,,,,1/7/2025,,,,,"

    assert refusals(plan_units(CITY, units(end_of_city), SEED_DAY)) == [(2, "", "entry_parent_unknown")]
    with_one_below = plan_units(CITY, units("01837,phường Sông Cầu,,,,,,,,,", end_of_city), SEED_DAY)
    assert refusals(with_one_below) == [(2, "", "entry_parent_unknown"), (3, "", "entry_parent_unknown")]


def test_units_that_lie_under_each_other_are_refused_as_a_cycle():
    plan = plan_units(CITY, units("901,huyện A,,902,,,,,,,", "902,huyện B,,901,,,,,,,"), SEED_DAY)

    assert refusals(plan) == [(2, "", "unit_cycle"), (3, "", "unit_cycle")]


@pytest.mark.long
def test_a_workbook_that_dropped_the_zeros_of_codes_is_understood_and_says_so():
    data = write_workbook([["Mã", "Tên", "Cấp trên"], [1840, "phường Đức Xuân", 58], [1899, "phường Mới", 58]])
    plan = plan_units(CITY, read_table(io.BytesIO(data), UNIT_COLUMNS), SEED_DAY)

    assert plan.unchanged == (2,)
    assert [(added.entry.code, added.entry.parent) for added in plan.added] == [("01899", "tp")]
    assert [doubt.row for doubt in plan.doubts] == [2, 3]


def test_a_second_entry_of_the_same_name_is_a_doubt_and_not_a_refusal():
    plan = plan_units(CITY, units("01899,Phuong Duc Xuan,phường,058,,,,,,,"), SEED_DAY)

    assert [(doubt.row, doubt.about) for doubt in plan.doubts] == [(2, "name")]
    assert len(plan.added) == 1


@pytest.mark.parametrize("font", [TextEncoding.TCVN3, TextEncoding.VNI])
def test_a_list_in_a_legacy_font_waits_for_a_persons_word(font):
    table = read_table(io.BytesIO(from_unicode("Mã,Tên\n01840,phường Đức Xuân\n", font).encode()), UNIT_COLUMNS)
    with pytest.raises(ImportNotReady):
        plan_units(CITY, table, SEED_DAY)

    assert plan_units(CITY, table.with_conversion(), SEED_DAY).unchanged == (2,)
    declined = plan_units(CITY, table.without_conversion(), SEED_DAY)
    assert declined.changed[0].changes[0].after == from_unicode("phường Đức Xuân", font)


@pytest.mark.parametrize("font", [TextEncoding.TCVN3, TextEncoding.VNI])
def test_a_list_of_telephone_numbers_in_a_legacy_font_waits_too(font):
    text = "Tên cơ quan,Số điện thoại\nPhòng Nội vụ thành phố,0209 3870 001\n"
    table = read_table(io.BytesIO(from_unicode(text, font).encode()), PHONE_COLUMNS)
    with pytest.raises(ImportNotReady):
        plan_phones(SEED, table, SEED_DAY)

    assert [one.after.phone for one in plan_phones(SEED, table.with_conversion(), SEED_DAY).changed] == [
        "0209 3870 001"
    ]


def test_an_agency_of_the_seed_gets_its_code_by_its_name_and_is_confirmed():
    plan = plan_agencies(SEED, agencies("PNV,Phòng Nội vụ thành phố,,,058,,,25,Phòng Nội vụ,01/08/2020"), SEED_DAY)

    assert [(change.field, change.after) for change in plan.changed[0].changes] == [
        ("code", "PNV"),
        ("confirmed", "yes"),
        ("staff 2020-08-01", "25 (Phòng Nội vụ)"),
    ]
    assert plan.accept().agencies["phong-noi-vu"].unconfirmed == ("valid_until",)


def test_a_new_agency_needs_its_kind_and_a_unit_that_exists():
    plan = plan_agencies(
        SEED,
        agencies(
            "THPT,Trường THPT Bắc Kạn,THPT,trường học,01840,,,60,Sở GD&ĐT,1/8/2020",
            "A,Cơ quan A,,,058,,,,,",
            "B,Cơ quan B,,phòng,77777,,,,,",
            "C,Cơ quan C,,phòng,,,,,,",
        ),
        SEED_DAY,
    )

    assert refusals(plan) == [(3, "kind", "import_kind_unknown"), (4, "unit", "import_reference_unknown")]
    only_last = plan_agencies(SEED, agencies("C,Cơ quan C,,phòng,,,,,,"), SEED_DAY)
    assert [added.entry.unit for added in only_last.added] == ["tinh-bac-kan"]
    assert [(doubt.about, doubt.taken) for doubt in only_last.doubts] == [("area", "tinh-bac-kan")]
    good = plan_agencies(SEED, agencies("THPT,Trường THPT Bắc Kạn,THPT,trường học,01840,,,60,Sở,1/8/2020"), SEED_DAY)
    assert good.accept().agencies["THPT"].unit == "phuong-duc-xuan"


def test_two_agencies_merge_into_one_of_the_same_file():
    directory = plan_agencies(
        SEED,
        agencies(
            "PNV,Phòng Nội vụ thành phố,,,,1/3/2021,PNV-LD,,,",
            "PLD,Phòng Lao động - Thương binh và Xã hội thành phố,,,,1/3/2021,PNV-LD,,,",
            "PNV-LD,Phòng Nội vụ - Lao động,,phòng,058,1/7/2025,,,,",
        ),
        SEED_DAY,
    ).accept()

    after = datetime.date(2021, 3, 1)
    assert [entry.name for entry in directory.current("phong-noi-vu", after)] == ["Phòng Nội vụ - Lao động"]
    assert directory.agencies["phong-ldtbxh"].successors == ("PNV-LD",)


def test_headings_from_which_nothing_is_taken_are_shown():
    table = units("1,01840,phường Đức Xuân,0912345678", headings="STT,Mã,Tên,Người lập")

    assert plan_units(CITY, table, SEED_DAY).ignored == ("STT", "Người lập")


CELLS = st.none() | st.sampled_from(
    ["01840", "01837", "058", "06", "99", "phường X", "xã", "tỉnh", "1/7/2025", "1/1/2019", "5"]
)


@given(st.lists(st.fixed_dictionaries({column.name: CELLS for column in UNIT_COLUMNS}), min_size=1, max_size=4))
def test_any_rows_are_all_accounted_for_and_what_is_accepted_makes_a_directory(cells):
    rows = tuple(Row(number, row) for number, row in enumerate(cells, 2))
    plan = plan_units(CITY, Table(rows, 1, {"code": "A"}, (), "utf-8"), SEED_DAY)

    accounted = [added.row for added in plan.added] + [changed.row for changed in plan.changed]
    accounted += [*plan.unchanged, *(refused.row for refused in plan.refused)]
    assert sorted(accounted) == [row.number for row in rows]
    try:
        directory = plan.accept()
    except Refused:
        assert plan.refused
    else:
        Directory.build(directory.units.values(), directory.agencies.values(), directory.groups.values())
