# SPDX-License-Identifier: Apache-2.0
"""The seed in the store: whole, once, and never over what officials have made of it."""

import dataclasses
import io

import pytest
from django.core.management import call_command
from tests.builders.office import data_folder, furnished_folder, quick_passwords

from bluezone.directory.models import AdminUnit, Agency, RecipientGroup
from bluezone.directory.records.reading import read_directory, state_digest
from bluezone.directory.records.seed import SeedCounts, load_seed, seed_directory, seed_empty_directory

__all__ = ["data_folder", "furnished_folder", "quick_passwords"]
pytestmark = pytest.mark.django_db


def test_what_is_stored_is_what_ships():
    seed_directory()

    stored = read_directory()
    # Whom an agency answers to is not in the seed; its kind tells.
    agencies = {key: dataclasses.replace(agency, answers_to=None) for key, agency in stored.agencies.items()}
    assert state_digest(dataclasses.replace(stored, agencies=agencies)) == state_digest(load_seed())
    assert {group.key for group in RecipientGroup.objects.all()} == set(load_seed().groups)


def test_planting_twice_adds_nothing_and_changes_nothing():
    seed_directory()
    Agency.objects.filter(key="thanh-tra").update(name="Thanh tra thành phố Bắc Kạn")
    RecipientGroup.objects.get(key="ubnd-xa-phuong").agencies.clear()

    assert seed_directory() == SeedCounts(0, 0, 0)
    assert Agency.objects.get(key="thanh-tra").name == "Thanh tra thành phố Bắc Kạn"
    assert RecipientGroup.objects.get(key="ubnd-xa-phuong").agencies.count() == 0


def test_the_first_start_leaves_a_city_with_its_own_units_alone():
    AdminUnit.objects.create(key="own", name="tỉnh khác", kind="province", folded="", path="1/")
    seed_empty_directory()

    assert AdminUnit.objects.count() == 1


def test_the_command_says_what_was_new():
    said = io.StringIO()
    call_command("seed_agencies", stdout=said)

    assert said.getvalue() == "added 13 units, 32 agencies, 4 recipient groups\n"
