# SPDX-License-Identifier: Apache-2.0
"""The list of accounts of a city with many: by pages, and found by words without diacritics."""

import pytest
from tests.builders.office import user
from tests.builders.pace import queries

from bluezone.identity.models import Role, User

pytestmark = pytest.mark.django_db


@pytest.mark.long
def test_many_accounts_come_by_pages_and_are_found_whatever_the_marks(client):
    client.force_login(user("root", Role.ADMIN, name="Triệu Văn Gốc"))
    few = queries(client, "/accounts/")
    User.objects.bulk_create(
        User(username=f"p{n:03}", name=f"Đặng Thị Số {n:03}", agency="Trạm Y tế Sông Cầu", password="!")
        for n in range(120)
    )
    first = client.get("/accounts/")

    assert queries(client, "/accounts/") == few
    assert len(first.context["page"].object_list) == 50
    assert len(client.get("/accounts/?page=3").context["page"].object_list) == 21
    assert [one.username for one in client.get("/accounts/?q=ĐANG 077").context["page"]] == ["p077"]
    assert client.get("/accounts/?q=song cau dang").context["page"].paginator.count == 120
    assert 'href="/accounts/"' in client.get("/accounts/?q=không có").text
