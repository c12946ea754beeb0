# SPDX-License-Identifier: Apache-2.0
"""A list of telephone numbers with who has them: it reaches who is called so, and nothing else of them is changed."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.builders.agencies import write_csv
from tests.builders.coverage import agency, city, unit
from tests.builders.office import data_folder, furnished_folder, quick_passwords, user
from tests.directory.imports.test_office_lists import press

from bluezone.directory.models import Agency
from bluezone.identity.models import Role
from bluezone.vietnamese.spelling import fold

__all__ = ["data_folder", "furnished_folder", "quick_passwords"]
pytestmark = [pytest.mark.django_db, pytest.mark.long]
HEAD = ("Tên cơ quan, đơn vị", "Xã, phường", "Người phụ trách", "Số điện thoại")


@pytest.fixture
def office(client):
    """Two wards, each with a group called Tổ 1, and a health station called alike in both."""
    _city, wards = city("phường Bắc", "phường Nam")
    for ward in wards:
        for name, make in (("Tổ 1", unit), ("Trạm Y tế", agency)):
            # Names alike; the builders make keys of them.
            made = make(f"{name} {ward.name}", *(("group", ward) if make is unit else (ward,)))
            type(made).objects.filter(pk=made.pk).update(name=name, folded=fold(name))
    agency("Phòng Văn hóa", wards[0], short_name="Phòng VH")
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(user("mai", Role.ADMIN))
    return client, wards


def send(client, *rows):
    file = SimpleUploadedFile("l.csv", write_csv(HEAD, *rows))
    return client.post("/imports/", {"about": "phones", "file": file}, follow=True)


def phones():
    return {(one.name, one.unit.name): one.phone for one in Agency.objects.select_related("unit") if one.phone}


def test_numbers_reach_an_agency_and_a_residential_group_and_the_head_is_the_group_s_alone(office):
    client, (north, _south) = office
    page = send(
        client,
        ("Phòng VH", "", "Lý Thị Mảy", "0209 3870 001"),
        ("Tổ 1", "phường Bắc", "Nông Văn Páo", "0912 345 678"),
        ("Trạm Y tế, phường Nam", "", "", "0209 3870 002"),
    )

    assert (page.context["plan"].refused, len(page.context["plan"].changed)) == ((), 3)
    press(client, page, "apply", digest=page.context["preview"].digest)
    group = north.children.get()
    assert (group.head_name, group.head_phone) == ("Nông Văn Páo", "0912 345 678")
    assert phones() == {
        ("Phòng Văn hóa", "phường Bắc"): "0209 3870 001", ("Trạm Y tế", "phường Nam"): "0209 3870 002"
    }  # fmt: skip
    assert len(send(client, ("Phòng Văn hóa", "", "", "0209 3870 001")).context["plan"].unchanged) == 1


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        (("Trạm Y tế", "", "", "0209 3870 001"), "name", "Several entries have this name"),
        (("Sở Lạ", "", "", "0209 3870 001"), "name", "No current entry has the code or name"),
        (("phường Bắc", "", "", "0209 3870 001"), "name", "No current entry has the code or name"),
        (("Phòng VH", "", "", ""), "phone", "The telephone number is missing"),
        (("Phòng VH", "", "", "gọi số lạ"), "phone", "This is not a telephone number"),
    ],
)
def test_a_row_that_reaches_nobody_or_has_no_number_is_refused_and_corrected_in_place(office, row, column, words):
    client, _wards = office
    page = send(client, row)

    assert [one.column for one in page.context["plan"].refused] == [column]
    assert words in page.text
    assert not re.search("/apply/", page.text)
    page = press(client, page, "fix", **{"fix-2-name": "Phòng VH", "fix-2-phone": "0209 3870 009"})
    press(client, page, "apply", digest=page.context["preview"].digest)
    assert phones() == {("Phòng Văn hóa", "phường Bắc"): "0209 3870 009"}


def test_two_numbers_of_one_agency_are_not_stored_over_each_other(office):
    client, _wards = office
    page = send(client, ("Phòng VH", "", "", "0209 3870 001"), ("Phòng Văn hóa", "", "", "0209 3870 002"))

    assert [(one.row, one.reason) for one in page.context["plan"].refused] == [(3, "import_row_repeated")]
