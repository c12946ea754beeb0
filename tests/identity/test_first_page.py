# SPDX-License-Identifier: Apache-2.0
"""After signing in, each role is where its work begins."""

import pytest
from tests.builders.office import data_folder, furnished_folder, quick_passwords, user

__all__ = ["data_folder", "furnished_folder", "quick_passwords"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "page"),
    [
        ("clerk", "/inbox/"),
        ("lead", "/inbox/"),
        ("officer", "/inbox/"),
        ("issuer", "/inbox/"),
        ("leader", "/coverage/"),
        ("health_worker", "/codes/new/"),
        ("supervisor", "/codes/"),
        ("admin", "/accounts/"),
        ("auditor", "/audit/"),
        ("gatekeeper", "/gates/"),
        ("teacher", "/schools/mine/"),
    ],
)
def test_a_role_lands_where_its_work_begins(client, role, page):
    client.force_login(user(role, role))

    assert client.get("/").url == page
