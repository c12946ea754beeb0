# SPDX-License-Identifier: Apache-2.0
"""A register of many documents: by pages on the screen, whole in print and file."""

import datetime
import io

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.builders.directives import NOW, WARD_KEYS, person

from bluezone.directory.models import Agency
from bluezone.rollout.directives.models import Directive, Dispatch

DAY = datetime.date(2020, 8, 7)


@pytest.fixture
def ward(committee):
    return Agency.objects.get(key=WARD_KEYS[0])


def fill(issuer, ward, by, numbers):
    """Documents of these numbers, each received under the same running number; 100 stands before 99 as words do."""
    for number in numbers:
        directive = Directive.objects.create(
            issuer=issuer, number=str(number), notation="UBND-VP", date=DAY, subject=f"Việc số {number}",
            state="issued", signer_name="Nguyễn Thị Hué", made_by=by, approved_by=by, approved_at=NOW, issued_at=NOW,
            text="x",
        )  # fmt: skip
        Dispatch.objects.create(
            directive=directive, agency=ward, purpose="action", arrived_at=NOW, changed_at=NOW, state="received",
            received_at=NOW, incoming_year=2020, incoming_number=number,
        )  # fmt: skip


def first_cells(page):
    return [row[1][1] if page.context["direction"] == "in" else row[0][1] for row in page.context["rows"]]


def questions(client, address):
    with CaptureQueriesContext(connection) as asked:
        client.get(address)
    return len(asked)


@pytest.mark.long
def test_a_register_of_many_documents_is_shown_by_pages_and_leaves_whole(client, committee, clerk, ward):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(person("reader", "auditor"))
    fill(committee, ward, clerk, range(1, 4))
    incoming, outgoing = (
        f"/registers/in/?year=2020&agency={ward.pk}",
        f"/registers/out/?year=2020&agency={committee.pk}",
    )
    few = [questions(client, address) for address in (incoming, outgoing)]
    fill(committee, ward, clerk, [number for number in range(4, 103) if number != 77])

    assert [questions(client, address) for address in (incoming, outgoing)] == few
    assert first_cells(client.get(incoming)) == list(range(1, 26))
    assert first_cells(client.get(incoming + "&page=4")) == [*range(76, 77), *range(78, 102)]
    assert "Số không có trong sổ: 77." in client.get(incoming).text
    assert first_cells(client.get(outgoing + "&page=4"))[-2:] == ["100/UBND-VP", "101/UBND-VP"]
    whole = client.get(incoming + "&as=print")
    assert len(first_cells(whole)) == 101
    assert "The whole register, 101 documents." in " ".join(whole.text.split())
    sheet = openpyxl.load_workbook(io.BytesIO(client.get(outgoing + "&as=xlsx").content)).active
    assert sum(str(row[0].value).endswith("/UBND-VP") for row in sheet.iter_rows()) == 101
