# SPDX-License-Identifier: Apache-2.0
"""What duties name exists, and two duties never name the same."""

import re
from pathlib import Path

import pytest
from django.urls import reverse

import bluezone
from bluezone.audit.models import AuditEntry
from bluezone.duties import catalogue
from bluezone.duties.catalogue import DUTIES
from bluezone.duties.duty import load
from bluezone.identity.audiences import every_route
from bluezone.identity.roles import ROLES
from bluezone.rollout.coverage.api import Indicator

NAMED = {
    name
    for duty in DUTIES
    for name in (
        *(work.call for work in (*duty.purges, *duty.hourly, *duty.every_tick)),
        *duty.reversers.values(),
        *duty.indicators,
        *(sheet.make for sheet in duty.print_sheets),
        *filter(None, (duty.demo, duty.door_counts, duty.door_answers, duty.help_counts)),
    )
}


def test_every_dotted_name_leads_to_something_that_can_be_called():
    assert [name for name in sorted(NAMED) if not callable(load(name))] == []


def test_every_indicator_is_one_and_has_a_key_of_its_own():
    kinds = [load(name) for duty in DUTIES for name in duty.indicators]

    assert all(issubclass(kind, Indicator) for kind in kinds)
    assert len({kind.key for kind in kinds}) == len(kinds) > 10


def test_the_roles_of_audiences_are_those_that_people_can_hold():
    for audience in catalogue.audiences().values():
        assert audience.roles <= {*ROLES, "account", "device"}, audience.name


def test_every_line_of_the_menu_and_every_first_page_has_an_address_and_a_place_of_its_own():
    for entries in (catalogue.menu(), catalogue.first_pages()):
        assert all(reverse(entry.url) for entry in entries)
        assert len({entry.order for entry in entries}) == len(entries)


def test_every_act_fits_into_the_audit():
    assert max(map(len, catalogue.acts())) <= AuditEntry._meta.get_field("action").max_length


def test_every_audience_of_the_menu_is_declared_by_some_duty():
    declared = set(catalogue.audiences().values())

    assert {entry.audience for entry in catalogue.menu()} - {None} <= declared
    assert {page.audience for page in catalogue.first_pages()} <= declared


def test_two_duties_with_one_name_stop_the_start(monkeypatch):
    monkeypatch.setenv("BLUEZONE_DUTIES", "bluezone.rollout.gates.duty")

    with pytest.raises(catalogue.DutyClash, match="the duty gates"):
        catalogue.discover()


def test_a_purge_is_named_so():
    assert all(work.name.startswith("purge_") for work in catalogue.purges())


def test_templates_ask_for_no_audience_that_is_not_declared():
    templates = Path(bluezone.__file__).parent.rglob("*.html")
    asked = {name for path in templates for name in re.findall(r"\bmay\.([A-Z_]+)", path.read_text())}

    assert asked
    assert asked <= set(catalogue.audiences())


@pytest.mark.parametrize("origin", ["bluezone.web.urls_office", "bluezone.web.urls_public"])
def test_no_page_is_for_an_audience_that_no_duty_declares(origin):
    declared = set(catalogue.audiences().values())

    assert [address for address, who in every_route(origin) if who not in declared] == []
