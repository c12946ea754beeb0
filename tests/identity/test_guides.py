# SPDX-License-Identifier: Apache-2.0
"""The pages of the roles: both languages, one sheet, no role forgotten that has pages of its own."""

import pytest
from django.utils import translation
from tests.builders.office import user

from bluezone.duties.catalogue import audiences
from bluezone.identity.duty import ACCOUNT_HOLDERS, DEVICES, EVERYONE, SIGNED_IN
from bluezone.identity.models import Role
from bluezone.identity.rolepages import guides
from bluezone.identity.rolepages.guides import FOLDER, Block, guided_roles, read_guide

MOST_LINES = 24


@pytest.mark.parametrize("role", guided_roles())
def test_a_page_is_short_and_says_the_same_in_both_languages(role):
    vietnamese, english = read_guide(role, "vi"), read_guide(role, "en")

    assert [(block.kind, len(block.lines)) for block in vietnamese] == [
        (block.kind, len(block.lines)) for block in english
    ]
    assert vietnamese[0].kind == "title"
    for language, page in (("vi", vietnamese), ("en", english)):
        with translation.override(language):
            assert page[0].lines[0] == str(Role(role).label)
    assert sum(len(block.lines) for block in vietnamese) <= MOST_LINES


def test_steps_and_points_that_follow_each_other_are_one_list_and_paragraphs_are_not(tmp_path, monkeypatch):
    monkeypatch.setattr(guides, "FOLDER", tmp_path)
    text = "# Leader\n\nFirst.\n\nSecond.\n\n1. Open *Coverage*.\n2. Read it.\n\n- Wards\n- Schools\n"
    (tmp_path / "leader.en.md").write_text(text)

    assert read_guide("leader", "en") == [
        Block("title", ("Leader",)),
        Block("text", ("First.",)),
        Block("text", ("Second.",)),
        Block("steps", ("Open Coverage.", "Read it.")),
        Block("points", ("Wards", "Schools")),
    ]


def test_every_role_that_some_page_is_made_for_has_its_guide():
    made_for = set()
    for who in audiences().values():
        if who not in (EVERYONE, SIGNED_IN, ACCOUNT_HOLDERS, DEVICES):
            made_for |= who.roles

    assert made_for <= set(guided_roles())


def test_the_folder_of_the_documentation_is_the_same():
    docs = FOLDER.parents[3] / "docs" / "roles"

    assert docs.resolve() == FOLDER
    readme = (docs / "README.md").read_text()
    assert all(f"({role}.vi.md)" in readme for role in guided_roles())


@pytest.mark.django_db
def test_the_own_role_comes_first_and_opens(client):
    client.cookies.load({"bluezone-language": "en"})
    client.force_login(user("lan", Role.LEADER))
    page = client.get("/how-to/").text

    assert page.index("Leader") < page.index("Administrator")
    assert "Share running" in client.get("/how-to/leader/").text
    assert client.get("/how-to/emperor/").status_code == 404
    assert client.get("/how-to/..%2Fmodels/").status_code == 404
