# SPDX-License-Identifier: Apache-2.0
"""A register of many documents: by pages on the screen, whole in print and file."""

import datetime
import io

import openpyxl
import pytest
from tests.builders.directives import NOW, WARD_KEYS, person
from tests.builders.pace import queries

from bluezone.directory.models import Agency
from bluezone.rollout.directives.inbox import dispatch_acts
from bluezone.rollout.directives.models import Directive, Dispatch, DispatchState

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
            received_at=NOW, incoming_year=2020, incoming_number=int(str(number).rstrip("a")),
        )  # fmt: skip


def first_cells(page):
    return [row[1][1] if page.context["direction"] == "in" else row[0][1] for row in page.context["rows"]]


@pytest.mark.long
def test_a_register_of_many_documents_is_shown_by_pages_and_leaves_whole(client, committee, clerk, ward):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(person("reader", "auditor"))
    fill(committee, ward, clerk, range(1, 4))
    incoming, outgoing = (
        f"/registers/in/?year=2020&agency={ward.pk}",
        f"/registers/out/?year=2020&agency={committee.pk}",
    )
    few = [queries(client, address) for address in (incoming, outgoing)]
    fill(committee, ward, clerk, [number for number in range(4, 103) if number != 77])

    assert [queries(client, address) for address in (incoming, outgoing)] == few
    assert first_cells(client.get(incoming)) == list(range(1, 26))
    assert first_cells(client.get(incoming + "&page=4")) == [*range(76, 77), *range(78, 102)]
    assert "Số không có trong sổ: 77." in client.get(incoming).text
    assert first_cells(client.get(outgoing + "&page=4"))[-2:] == ["100/UBND-VP", "101/UBND-VP"]
    whole = client.get(incoming + "&as=print")
    assert len(first_cells(whole)) == 101
    assert "The whole register, 101 documents." in " ".join(whole.text.split())
    sheet = openpyxl.load_workbook(io.BytesIO(client.get(outgoing + "&as=xlsx").content)).active
    assert sum(str(row[0].value).endswith("/UBND-VP") for row in sheet.iter_rows()) == 101


@pytest.mark.long
def test_a_register_tells_what_was_recalled_or_replaced_and_to_whom_it_went(client, directive, ward):
    client.force_login(person("reader", "auditor"))
    dispatch = directive.dispatches.get(agency=ward)
    dispatch_acts.move(dispatch, DispatchState.RECEIVED, directive.made_by, NOW)
    dispatch_acts.move(dispatch, DispatchState.ASSIGNED, directive.made_by, NOW, assigned_to="Lý Văn Cán")
    seen = []
    for state in ("issued", "revoked", "replaced"):
        Directive.objects.filter(pk=directive.pk).update(state=state, revoked_at=NOW, revoke_reason="Ban hành nhầm")
        incoming = client.get(f"/registers/in/?year=2020&agency={ward.pk}").context["table"].rows[0]
        outgoing = client.get(f"/registers/out/?year=2020&agency={directive.issuer_id}").context["table"].rows[0]
        seen.append((incoming[9], outgoing[9]))

    assert seen == [("", ""), ("Đã thu hồi", "Đã thu hồi"), ("", "Đã thay thế")]
    assert (incoming[1], incoming[3], incoming[6]) == (1, "458/UBND-VP", "Lý Văn Cán")
    assert (outgoing[0], outgoing[3], outgoing[7]) == ("458/UBND-VP", directive.signer_name, NOW.date())
    assert "UBND các xã, phường" in outgoing[4]
    assert outgoing[5] == directive.recipients_file.replace("\n", "; ") != ""


@pytest.mark.long
def test_the_year_is_the_one_asked_for_else_that_of_the_latest_document(client, directive, ward):
    client.force_login(person("reader", "auditor"))
    years = [
        client.get(f"/registers/in/{asked}").context["year"] for asked in ("", "?year=2019", "?year=3", "?year=9999")
    ]
    assert years == [2020, 2019, 1945, 2200]
    assert client.get("/registers/in/?year=2019").context["table"].rows == ()

    file = client.get(f"/registers/out/?year=2020&agency={directive.issuer_id}&as=xlsx")
    assert file["Content-Disposition"] == 'attachment; filename="register-out-2020.xlsx"'
    assert client.get("/registers/in/?agency=999999").context["agency"] is not None


@pytest.mark.long
def test_a_reader_of_one_agency_gets_its_registers_alone(client, directive, ward):
    client.force_login(person("officer", "officer", ward))
    page = client.get(f"/registers/in/?agency={directive.issuer_id}")

    assert page.context["agencies"] == [ward]
    assert page.context["agency"] == ward


def test_a_number_that_is_none_stands_first_as_nought(client, committee, clerk, ward):
    client.force_login(person("reader", "auditor"))
    fill(committee, ward, clerk, ["12a", "7"])
    page = client.get(f"/registers/out/?year=2020&agency={committee.pk}")

    assert first_cells(page) == ["00/UBND-VP", "07/UBND-VP"]
