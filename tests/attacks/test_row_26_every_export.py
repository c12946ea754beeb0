# SPDX-License-Identifier: Apache-2.0
"""Attack row 26 in every export of every app: each file that leaves as a table is fetched and looked at.

Which exports there are is read from the source: whoever adds one must name it here, and may write tables through the
two writers alone.
"""

import ast
import csv
import io
import re
from pathlib import Path

import openpyxl
import pytest
from tests.builders.agencies import plant_seed
from tests.builders.office import data_folder, furnished_folder, quick_passwords, server, user

from bluezone.directory.models import AdminUnit, Agency
from bluezone.identity.models import Role
from bluezone.paper.official import Column, Table, write_xlsx
from bluezone.rollout.gates.models import Gate

__all__ = ["data_folder", "furnished_folder", "quick_passwords", "server"]

pytestmark = pytest.mark.django_db
SOURCE = Path(__file__).parents[2] / "src" / "bluezone"
ATTACK = "=cmd|' /C calc'!A0"
STARTS = ["=", "+", "-", "@", "\t=", "\r=", "\n="]
# The modules that may turn values into cells.
WRITERS = {"paper/tables.py", "paper/official/xlsx_file.py"}
# Every module that sends a table away, and how it is fetched here; None says where else it is held.
EXPORTS = {
    "authority/audit_views.py": "/audit/export/",
    "directory/imports/listings.py": "/agencies/list.xlsx",
    "healthauthority/views.py": "/codes/statistics/statistics.xlsx",
    "rollout/bulletins/air/air_views.py": "/air-log/file/",
    "rollout/coverage/coverage_report.py": "/coverage/units/{unit}/report/xlsx/?issuer={attack}&place=x&notation=x",
    "rollout/directives/register.py": None,  # tests/rollout/directives/register/test_books.py
    "rollout/directives/reports/report_views.py": None,  # through paper/official/xlsx_file.py
    "rollout/gates/views.py": "/gates/file/",
    "rollout/schools/views.py": "/schools/file/",
    "rollout/staffing/views.py": "/staff/file/",
}


def calls(path):
    """Names of the functions that a module calls, `module.function` where it does."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def modules():
    return {str(path.relative_to(SOURCE)): path for path in SOURCE.rglob("*.py") if "migrations" not in path.parts}


@pytest.mark.long
def test_nothing_but_the_two_writers_makes_a_table_file():
    makes = {"csv.writer", "csv.DictWriter", "Workbook", "openpyxl.Workbook"}
    found = {name for name, path in modules().items() if makes & set(calls(path))}
    marking = {"directory/imports/list_imports.py"} & found

    assert found - marking == WRITERS


@pytest.mark.long
def test_every_export_is_named_here():
    sends = {name for name, path in modules().items() if {"write_csv", "write_xlsx"} & set(calls(path))}

    assert sends == set(EXPORTS)


@pytest.mark.parametrize("start", STARTS)
def test_a_report_s_workbook_keeps_such_text_as_text(start):
    attack = start + ATTACK.lstrip("=")
    table = Table(attack, (Column(attack),), ((attack,),), note=attack)
    book = openpyxl.load_workbook(io.BytesIO(write_xlsx([table], zone=None, heading=[attack])))
    cells = [cell for row in book.worksheets[0].iter_rows() for cell in row if cell.value is not None]

    assert len(cells) >= 4
    assert all(cell.data_type == "s" and cell.quotePrefix for cell in cells)


def test_the_browser_s_own_file_of_codes_is_inert_too():
    script = (SOURCE / "web" / "static" / "health" / "csvtable.js").read_text("utf-8") + (
        SOURCE / "web" / "static" / "health" / "bulk.js"
    ).read_text("utf-8")

    assert re.search(r"/\^\[[^\]]*=[^\]]*\]/", script), "text that begins like a formula is prefixed"


@pytest.mark.long
@pytest.mark.parametrize("place", [place for place in EXPORTS.values() if place])
def test_what_anyone_typed_leaves_inert(client, server, place):
    city, _ward = plant_seed()
    Agency.objects.update(name=ATTACK, short_name=ATTACK)
    AdminUnit.objects.update(name=ATTACK)
    Gate.objects.create(agency=Agency.objects.first(), name=ATTACK, number="00000001")
    who = {"/audit/": Role.ADMIN, "/codes/": Role.SUPERVISOR}.get(re.match(r"/[\w-]+/", place)[0], Role.ADMIN)
    client.force_login(user("mai", who, name=ATTACK, agency=ATTACK))
    address = place.format(unit=city.pk, attack="%3Dcmd%7C")
    answer = client.post(address) if place == "/audit/export/" else client.get(address)

    assert answer.status_code == 200, answer.content[:300]
    if answer.headers["Content-Type"].startswith("text/csv"):
        rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
        assert not [cell for row in rows for cell in row if cell.startswith(tuple("=+@\t\r"))]
        return
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert cells
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert all(cell.quotePrefix for cell in cells if str(cell.value).startswith("="))
