# SPDX-License-Identifier: Apache-2.0
"""bluezone.directory.imports.sent_lists: the list that goes back to the clerk."""

import io

import pytest
from django.utils.translation import override

from bluezone.directory.imports.known_columns import UNIT_COLUMNS
from bluezone.directory.imports.plans import plan_units
from bluezone.directory.imports.sent_lists import marked_list
from bluezone.directory.imports.tables import read_table
from bluezone.directory.records.seed import SEED_DAY, load_seed
from bluezone.paper.tables import write_csv, write_xlsx

LIST = "STT,Mã,Tên,Dân số\n1,01840,phường Đức Xuân,\n2,01837,phường Sông Cầu,=1+1\n3,77777,-nơi nào,\n"


@pytest.mark.long
def test_refused_rows_come_back_with_their_reason_and_can_be_sent_again():
    table = read_table(io.BytesIO(LIST.encode()), UNIT_COLUMNS)
    plan = plan_units(load_seed(), table, SEED_DAY)
    with override("vi"):
        sheet = marked_list(table, UNIT_COLUMNS, {one.row: [f"dòng {one.row}: {one.reason}"] for one in plan.refused})

    for data in (write_csv(sheet), write_xlsx([sheet])):
        again = read_table(io.BytesIO(data), UNIT_COLUMNS)
        assert again.ignored == (sheet.columns[-1].heading,)
        assert [row.cells["code"] for row in again.rows] == ["01840", "01837", "77777"]
        assert again.rows[1].cells["population"] in {"=1+1", "'=1+1"}
    remarks = [row[-1] for row in sheet.rows]
    assert remarks[0] == ""
    assert remarks[1].startswith("dòng 3: ")
    assert remarks[2].startswith("dòng 4: ")
