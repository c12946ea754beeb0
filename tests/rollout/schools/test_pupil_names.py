# SPDX-License-Identifier: Apache-2.0
"""A table of counts is told from a list of children, and a list of children is refused whole."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bluezone.rollout.schools.classes.catalogue import ClassListRefused, read_list
from bluezone.rollout.schools.classes.pasted_classes import read_pasted_classes
from bluezone.rollout.schools.classes.pupil_names import PupilsNamed, refuse_names

FAMILY = ["Nguyễn", "Trần", "Lê", "Hoàng", "Nông", "Ma", "Lý", "Triệu", "Hà", "Đặng", "Bàn"]
GIVEN = ["Văn An", "Thị Hoa", "Lan", "Minh Đức", "Páo", "Thị Thu Hà", "Anh Tuấn", "Ngọc"]


class Class:
    """A class as pasting needs it."""

    def __init__(self, pk, name):
        self.pk, self.name = pk, name


CLASSES = [Class(1, "6A"), Class(2, "6B"), Class(3, "Lá Xanh")]
names = st.builds("{} {}".format, st.sampled_from(FAMILY), st.sampled_from(GIVEN))
numbers = st.tuples(*[st.integers(0, 99).map(str)] * 4)
# Generating is slow where the machine does much else.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)


@unhurried
@given(names, numbers, st.integers(0, 4), st.booleans())
def test_a_childs_name_in_any_column_is_refused(name, counts, place, has_heading):
    cells = ["6A", *counts]
    cells.insert(place, name)
    heading = "Lớp\tSĩ số\tCó ĐTTM\tĐang chạy\tNgười thân\n" if has_heading else ""

    with pytest.raises(PupilsNamed):
        read_pasted_classes(heading + "\t".join(cells), CLASSES)


@unhurried
@given(st.lists(numbers, min_size=1, max_size=2))
def test_numbers_of_classes_are_never_taken_for_names(rows):
    heading = "Lớp\tSĩ số\tCó điện thoại thông minh\tĐang chạy\tNgười thân đã giúp"
    lines = ["\t".join([one.name, *counts]) for one, counts in zip(CLASSES, rows, strict=False)]
    read = read_pasted_classes("\n".join(["Trường THCS Đức Xuân", heading, *lines]), CLASSES)

    assert [row.school_class.name for row in read] == [one.name for one, _row in zip(CLASSES, rows, strict=False)]


@pytest.mark.parametrize(
    "heading",
    ["Họ và tên", "HỌ TÊN HỌC SINH", "Tên", "Ngày sinh", "SĐT phụ huynh", "Số điện thoại", "Full name", "Parent",
     "CCCD", "Hä vµ tªn", "GVCN", "Địa chỉ"],
)  # fmt: skip
def test_a_column_that_announces_people_is_refused_even_when_its_cells_are_empty(heading):
    with pytest.raises(PupilsNamed):
        read_pasted_classes(f"Lớp\t{heading}\tSĩ số\n6A\t\t40", CLASSES)


@pytest.mark.parametrize("cell", ["0912 345 678", "+84912345678", "12/3/2009", "01-09-2010", "Nguy¤n ThÞ Lan"])
def test_a_telephone_number_a_birthday_and_a_name_in_an_old_font_are_refused(cell):
    with pytest.raises(PupilsNamed):
        refuse_names([["6A", cell]])


@pytest.mark.parametrize("heading", ["Sĩ số", "Số điện thoại thông minh", "Ghi chú", "Tổng số HS", "Khối 6"])
def test_headings_of_counts_pass(heading):
    refuse_names([["Lớp", heading]])


@pytest.mark.parametrize("line", ["Nguyễn Văn An 1", "Trần Thị Hoa", "6A\t30\tNguyễn An"])
def test_no_class_is_named_after_a_person(line):
    with pytest.raises(ClassListRefused):
        read_list(line)


def test_the_reason_of_a_refusal_does_not_repeat_the_name():
    with pytest.raises(PupilsNamed) as refused:
        refuse_names([["Nguyễn Văn An", "1"]])

    assert "Nguy" not in str(refused.value)
