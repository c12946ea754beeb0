# SPDX-License-Identifier: Apache-2.0
"""Bad input, one test for each kind the office was told to expect: refused with a sentence, and nothing half-done.

Through the pages in Vietnamese. Before and after, every table of the office is counted; further cases of each kind are
tested where it is read (docs/acceptance.md names the files).
"""

import datetime
import io
import re
import zipfile

import openpyxl
import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from tests.builders.agencies import save_workbook, write_csv
from tests.builders.directives import LETTER, door_to_door, issue_letter, person
from tests.builders.office import PASSWORD
from tests.letters.pdffiles import pdf_writer, with_script, written

from bluezone.authority.people import accounts
from bluezone.directory.models import AdminUnit, Agency

HEADINGS = ("Mã đơn vị", "Tên đơn vị", "Loại", "Mã cấp trên")
GROUP = ("DX-01", "Tổ 1", "tổ dân phố", "01840")
MEGABYTES = 1024 * 1024
# Rows that say who is signed in where, and the list that waits to be looked at: neither is what was sent.
NOT_COUNTED = {"OfficeSession", "ListImport"}


def everything():
    """How many rows every table of the office has."""
    models = [model for model in apps.get_models() if model.__module__.startswith("bluezone.")]
    return {
        model.__name__: model._base_manager.count() for model in models if model.__name__ not in NOT_COUNTED
    }  # fmt: skip


@pytest.fixture
def admin(committee):
    return person("admin", "admin")


@pytest.fixture
def refused(client):
    """Sends something as somebody and says that it is refused with a sentence, and that nothing of it is stored."""

    def send(who, address, data, sentence, status=422, follow=False, **headers):
        if who is not None:
            client.force_login(who)
        before = everything()
        answer = client.post(address, data, follow=follow, **headers)
        assert (answer.status_code, sentence in answer.text) == (status, True), re.findall(
            r'<p[^>]*>([^<]{15,})<|class="wrong"[^>]*>([^<]*)', answer.text
        )
        assert everything() == before
        return answer

    return send


def file(name, content):
    return SimpleUploadedFile(name, content)


@pytest.mark.long
def test_a_letter_that_is_not_a_letter(refused, clerk, committee):
    to_a_friend = {"issuer": committee.pk, "text": "Kính gửi anh Ba, mai nhớ mang sách."}
    refused(clerk, "/directives/new/", to_a_friend, "không giống văn bản hành chính")


@pytest.mark.long
def test_an_upload_of_100_megabytes(refused, clerk, admin, committee):
    for who, address in ((clerk, "/directives/new/"), (clerk, "/exchange/"), (admin, "/imports/")):
        size = {"CONTENT_LENGTH": str(100 * MEGABYTES)}
        refused(who, address, {"text": "x"}, "10 MB", status=413, **size)
    refused(
        clerk,
        "/directives/new/",
        {"issuer": committee.pk, "file": file("a.pdf", b"%PDF" + bytes(11 * MEGABYTES))},
        "10 MB",
    )


@pytest.mark.long
def test_a_zip_bomb_docx(refused, clerk, committee):
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("[Content_Types].xml", "<Types/>")
        bomb.writestr("word/document.xml", bytes(70 * MEGABYTES))
    assert len(package.getvalue()) < MEGABYTES
    refused(clerk, "/directives/new/", {"issuer": committee.pk, "file": file("cv.docx", package.getvalue())}, "mã lệnh")


@pytest.mark.long
def test_a_pdf_with_scripts(refused, clerk, committee, signer):
    armed = written(with_script(pdf_writer(LETTER)))
    refused(clerk, "/directives/new/", {"issuer": committee.pk, "file": file("cv.pdf", armed)}, "mã lệnh")


ASKED = "Cột nào là cột nào?"


@pytest.mark.long
def test_a_csv_with_wrong_columns_is_asked_about(refused, admin):
    for head, row in ((("Họ tên", "Ngày sinh"), ("Lan", "1/1/1990")), (("Mã đơn vị", "Loại"), ("1", "tổ dân phố"))):
        spoiled = write_csv(head, row)
        refused(admin, "/imports/", {"about": "units", "file": file("a.csv", spoiled)}, ASKED, 200, True)


@pytest.mark.long
def test_mixed_encodings(refused, admin):
    fonts = write_csv(HEADINGS, ("1", "phường Đức Xuân", "tổ", "01840"), ("2", "S«ng CÇu", "tổ", "01840"))
    refused(admin, "/imports/", {"about": "units", "file": file("a.csv", fonts)}, "bảng mã chữ khác")
    bytes_of_two_code_pages = write_csv(HEADINGS, GROUP) + b"\r\nSC-02;ph\xad\xeang;x;01840"
    refused(
        admin,
        "/imports/",
        {"about": "units", "file": file("a.csv", bytes_of_two_code_pages)},
        "Không đọc được chữ trong tệp",
    )


@pytest.mark.long
def test_merged_header_cells(refused, admin):
    book = openpyxl.Workbook()
    for row in (
        ["DANH SÁCH", None, None, None],
        ["Mã đơn vị", "Tên đơn vị", None, "Mã cấp trên"],
        ["1", "Tổ 1", "tổ", "01840"],
    ):
        book.active.append(row)
    book.active.merge_cells("A1:D1")
    book.active.merge_cells("B2:C2")
    refused(admin, "/imports/", {"about": "units", "file": file("a.xlsx", save_workbook(book))}, ASKED, 200, True)


def not_accepted(client, refused, admin, rows, sentence):
    """The list is shown with what is wrong in it, cannot be accepted, and changes nothing."""
    page = refused(
        admin, "/imports/", {"about": "units", "file": file("a.csv", write_csv(HEADINGS, *rows))}, sentence, 200, True
    )
    assert "Đồng ý và ghi" not in page.text
    number = re.search(r"/imports/(\d+)/", page.request["PATH_INFO"])[1]
    refused(admin, f"/imports/{number}/apply/", {"digest": ""}, sentence, status=409)


@pytest.mark.long
def test_duplicate_codes(client, refused, admin):
    again = ("DX-01", "Tổ 2", "tổ dân phố", "01840")
    not_accepted(client, refused, admin, [GROUP, again], "Dòng khác cũng về đơn vị này")
    form = {"name": "phường Mới", "kind": "ward", "code": "01840", "valid_from": "2026-01-01"}
    form["parent"] = AdminUnit.objects.get(kind="province", valid_to=None).pk
    refused(admin, "/units/new/", form, "Đơn vị khác đã có mã này")


@pytest.mark.long
def test_cyclic_units(client, refused, admin):
    not_accepted(client, refused, admin, [("01840", "phường Đức Xuân", "phường", "01840")], "cấp trên của chính nó")
    ring = [("R-1", "Vòng một", "phường", "R-2"), ("R-2", "Vòng hai", "phường", "R-1")]
    not_accepted(client, refused, admin, ring, "cấp trên của chính nó")


def test_an_expired_invitation(client, refused, committee):
    made_at = timezone.now() - datetime.timedelta(hours=72, minutes=1)
    account, token = accounts.create_account_with_link("admin", "lan", "", "Trạm Y tế", "health_worker", made_at)
    form = {"name": "Nông Thị Lan", "password": PASSWORD, "again": PASSWORD}
    refused(None, f"/start/{token}/", form, "quá 72 giờ", status=410)
    account.refresh_from_db()
    assert not account.has_usable_password()


@pytest.mark.long
def test_a_role_acting_outside_its_subtree(client, refused, committee, clerk, signer, officer, ward):
    directive = issue_letter(committee, clerk, signer)
    other = Agency.objects.get(key="ubnd-phuong-duc-xuan")
    theirs, party = directive.dispatches.get(agency=other), door_to_door(directive).parties.get(agency=other)
    sentence = "Chưa thay đổi gì. Vai trò"
    refused(officer, f"/inbox/{theirs.pk}/act/", {"to": "received"}, sentence, 403)
    refused(officer, f"/tasks/{party.pk}/report/", {"people": "5"}, sentence, 403)
    refused(officer, f"/tasks/{party.pk}/ask/", {"kind": "change", "reason": "x"}, sentence, 403)
    refused(officer, f"/staff/agencies/{other.pk}/", {"staff": "1"}, sentence, 403)
    refused(officer, f"/directives/{directive.pk}/revoke/", {"reason": "x"}, "Chưa thay đổi gì. Nếu việc này", 403)
    away = person("ward-clerk", "clerk", ward)
    refused(away, f"/agencies/{other.pk}/change/", {"name": "Đổi tên"}, sentence, 403)
    refused(away, f"/directives/{directive.pk}/issue/", {}, sentence, 403)
    refused(away, "/directives/new/", {"issuer": committee.pk, "text": LETTER}, "lựa chọn")
