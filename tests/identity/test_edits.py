# SPDX-License-Identifier: Apache-2.0
"""Two people at one form, through the page of an agency: neither overwrites the other unseen."""

import re

import pytest
from tests.builders.directives import city, person

from bluezone.directory.models import Agency
from bluezone.identity import edits


@pytest.fixture
def agency(db):
    city()
    return Agency.objects.get(key="hoi-nong-dan")


@pytest.fixture
def page(client, agency):
    client.force_login(person("keeper", "admin"))
    return Page(client, f"/agencies/{agency.pk}/change/")


class Page:
    def __init__(self, client, address):
        self._client, self._address = client, address
        self.answer = client.get(address)

    def typed(self):
        form = self.answer.context["form"]
        shown = re.search(r'name="shown" value="([^"]+)"', self.answer.text)[1]
        values = {field.html_name: edits.comparable_text(field.value()) for field in form}
        return {name: value for name, value in values.items() if value} | {"shown": shown}

    def store(self, **changed):
        self.answer = self._client.post(self._address, self.typed() | changed)
        return self.answer.status_code


def test_a_field_that_only_the_other_changed_is_brought_in_and_looked_at_first(page, agency):
    Agency.objects.filter(pk=agency.pk).update(phone="0209 3870 111")
    assert page.store(email="nong-dan@example.org") == 422
    assert page.typed()["phone"] == "0209 3870 111"
    assert Agency.objects.get(pk=agency.pk).email == ""

    assert page.store() == 302
    agency.refresh_from_db()
    assert (agency.phone, agency.email) == ("0209 3870 111", "nong-dan@example.org")


def test_a_field_that_both_changed_shows_both_and_one_is_chosen(page, agency):
    Agency.objects.filter(pk=agency.pk).update(phone="0209 3870 111")
    assert page.store(phone="0209 3870 222") == 422
    assert page.typed()["phone"] == "0209 3870 222"
    assert [one.stored for one in page.answer.context["form"].clashes] == ["0209 3870 111"]

    assert page.store(**{"take-phone": "on"}) == 302
    agency.refresh_from_db()
    assert agency.phone == "0209 3870 111"


@pytest.mark.long
def test_the_same_change_by_both_is_no_clash_and_nothing_changed_goes_through(page, agency):
    assert page.store(phone="0209 3870 222") == 302
    Agency.objects.filter(pk=agency.pk).update(phone="0209 3870 333")
    page = Page(page._client, page._address)
    Agency.objects.filter(pk=agency.pk).update(phone="0209 3870 444")
    assert page.store(phone="0209 3870 444") == 422
    assert page.answer.context["form"].clashes == ()


def test_what_the_page_showed_cannot_be_made_up():
    sealed = edits.sign_shown_values({"phone": "1"})

    assert edits.read_shown_values(sealed) == {"phone": "1"}
    assert edits.read_shown_values(sealed[:-2] + "xx") is None
    assert edits.read_shown_values("") is None
