# SPDX-License-Identifier: Apache-2.0
"""A ward's administrator makes accounts from a list: for the ward and what lies in it, and for nobody else."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.builders.agencies import write_workbook
from tests.builders.office import prove_second_factor, user

from bluezone.audit import hash_chain
from bluezone.directory.models import Agency
from bluezone.firstday.city_pack import city_pack
from bluezone.firstday.city_setup import set_up, usual_offices
from bluezone.identity.models import Role, User

pytestmark = pytest.mark.django_db


HERE, ELSEWHERE = "Trạm Y tế phường Đức Xuân", "Trạm Y tế phường Bắc Kạn"


@pytest.fixture
def ward_admin(client):
    """The administrator of one of two wards of a province."""
    places = {place.name: place for place in city_pack().places.values() if place.province is not None}
    for name in ("phường Đức Xuân", "phường Bắc Kạn"):
        set_up("quan", places[name], usual_offices(places[name]))
    client.force_login(user("root", Role.ADMIN, within=Agency.objects.get(name=HERE).unit))
    return prove_second_factor(client)


def send(browser, *rows):
    text = "\n".join(",".join(row) for row in (("Họ và tên", "Vai trò", "Cơ quan"), *rows))
    file = SimpleUploadedFile("l.csv", text.encode())
    return browser.post("/accounts/lists/", {"file": file, "usual_role": "clerk"}, follow=True)


def accept(browser, page):
    pk = page.context["sent_list"].pk
    return browser.post(f"/accounts/lists/{pk}/apply/", {"digest": page.context["preview"].digest})


@pytest.mark.long
def test_an_administrator_of_a_ward_makes_accounts_for_it_from_a_list(ward_admin):
    page = send(ward_admin, ("Lý Thị Mảy", "Văn thư", HERE))

    assert accept(ward_admin, page).status_code == 302
    made = User.objects.get(name="Lý Thị Mảy")
    assert made.grants.get().agency == Agency.objects.get(name=HERE)
    assert not made.has_usable_password()


@pytest.mark.long
def test_the_page_after_a_list_says_how_many_accounts_and_roles_there_are_now(ward_admin):
    user("near", Role.CLERK, within=Agency.objects.get(name=HERE))
    heads = "Tên đăng nhập,Họ và tên,Vai trò,Cơ quan"
    rows = (f",Lý Thị Mảy,Văn thư,{HERE}", f",Nông Văn Páo,Văn thư,{HERE}", f"near,Nông Thị Lan,officer,{HERE}")
    sent = {"file": SimpleUploadedFile("l.csv", "\n".join((heads, *rows)).encode()), "usual_role": "clerk"}
    ward_admin.cookies.load({"bluezone-language": "en"})
    answer = accept(ward_admin, ward_admin.post("/accounts/lists/", sent, follow=True))

    assert "2 accounts created, 1 roles given." in ward_admin.get(answer.url).text


@pytest.mark.long
@pytest.mark.parametrize(
    ("role", "where"),
    [("clerk", ELSEWHERE), ("admin", ELSEWHERE), ("supervisor", HERE)],
    ids=["another place", "administrator of another place", "a role of the whole city"],
)
def test_a_row_of_elsewhere_is_refused_and_with_it_the_list(ward_admin, role, where):
    page = send(ward_admin, ("Lý Thị Mảy", "Văn thư", HERE), ("Nông Văn Páo", role, where))
    before = User.objects.count()

    assert [(one.row, one.reason) for one in page.context["plan"].refused] == [(3, "reach")]
    assert accept(ward_admin, page).status_code == 409
    assert User.objects.count() == before


@pytest.mark.long
def test_a_list_of_another_administrator_is_not_found(ward_admin, client):
    page = send(ward_admin, ("Lý Thị Mảy", "Văn thư", HERE))
    client.force_login(user("other", Role.ADMIN, within=Agency.objects.get(name=ELSEWHERE)))

    assert client.get(f"/accounts/lists/{page.context['sent_list'].pk}/").status_code == 404


@pytest.mark.long
def test_the_list_that_is_given_away_has_the_accounts_within_reach_alone(ward_admin):
    user("near", Role.CLERK, within=Agency.objects.get(name=HERE), name="Người Gần")
    user("far", Role.CLERK, within=Agency.objects.get(name=ELSEWHERE), name="Người Xa")

    given = ward_admin.get("/accounts/list.csv").content.decode()

    assert "Người Gần" in given
    assert "Người Xa" not in given


@pytest.mark.long
def test_a_list_gives_no_role_to_an_account_that_a_narrower_hand_has_just_opened(ward_admin):
    here, beside = (Agency.objects.get(name=name) for name in (HERE, "Ủy ban nhân dân phường Đức Xuân"))
    near = user("near", Role.CLERK, within=here)
    user("narrow", Role.ADMIN, within=here)
    hash_chain.record("narrow", "link_made", "near")
    rows = f"Tên đăng nhập,Họ và tên,Vai trò,Cơ quan\nnear,Lý Thị Mảy,Văn thư,{beside.name}"
    sent = {"file": SimpleUploadedFile("l.csv", rows.encode()), "usual_role": "clerk"}
    page = ward_admin.post("/accounts/lists/", sent, follow=True)

    assert [one.username for one in page.context["plan"].changed] == ["near"]
    assert accept(ward_admin, page).status_code == 409
    assert [grant.agency for grant in near.grants.all()] == [here]


@pytest.mark.long
@pytest.mark.parametrize(
    ("heads", "row"),
    [
        (["STT", "Họ và tên", "Chức vụ", "Đơn vị công tác", "Vai trò"], [1, "Bà Lý Thị Mảy", "Y sĩ", HERE, "Văn thư"]),
        (["TT", "Họ đệm", "Tên", "Vai trò", "Cơ quan"], [1, "Lý Thị", "Mảy", "Văn thư", "TYT P. Đức Xuân"]),
        (["Họ tên cán bộ, công chức", "Đơn vị"], ["Đ/c Lý Thị Mảy", HERE]),
    ],
    ids=["works at", "family and given name", "longer heading"],
)
def test_lists_of_people_as_offices_keep_them(ward_admin, heads, row):
    file = SimpleUploadedFile("l.xlsx", write_workbook([heads, row]))
    page = ward_admin.post("/accounts/lists/", {"file": file, "usual_role": "clerk"}, follow=True)

    assert [(one.name, one.role, one.within.name) for one in page.context["plan"].added] == [
        ("Lý Thị Mảy", "clerk", HERE)
    ]
