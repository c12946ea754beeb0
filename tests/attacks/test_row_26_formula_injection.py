# SPDX-License-Identifier: Apache-2.0
"""Attack row 26: what anyone typed into a free text must not run where an official opens an export."""

import csv
import io

import openpyxl
import pytest

from bluezone.paper.tables import ExportColumn, ExportSheet, write_csv, write_xlsx

ATTACK = "=cmd|' /C calc'!A0"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r="])
def test_text_that_begins_like_a_formula_leaves_as_text_in_csv_and_xlsx(start):
    attack = start + ATTACK.lstrip("=")
    sheet = ExportSheet("Danh sách", [ExportColumn("Ghi chú")], [[attack]])
    in_csv = list(csv.reader(io.StringIO(write_csv(sheet).decode("utf-8-sig"), newline="")))[1][0]
    in_xlsx = openpyxl.load_workbook(io.BytesIO(write_xlsx([sheet]))).worksheets[0]["A2"]

    assert in_csv == "'" + attack
    assert in_xlsx.data_type == "s"
    assert in_xlsx.quotePrefix
