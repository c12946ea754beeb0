# SPDX-License-Identifier: Apache-2.0
"""What other parts ask of the directory, on a day, in a constant number of queries."""

import datetime

import pytest
from tests.builders.agencies import LETTER_DAY, agency_values, plant_seed, unit_values
from tests.builders.office import data_folder, furnished_folder, quick_passwords

from bluezone.directory import queries
from bluezone.directory.models import AdminUnit, Agency, RecipientGroup
from bluezone.directory.records import changes

__all__ = ["data_folder", "furnished_folder", "quick_passwords"]
pytestmark = pytest.mark.django_db
AFTER = datetime.date(2026, 1, 1)


@pytest.fixture
def places():
    return plant_seed()


def test_a_subtree_is_that_of_the_day_asked_for(places):
    city, _ward = places

    assert queries.units_under(city, LETTER_DAY).count() == 9
    assert queries.units_under(city, AFTER).count() == 0


def test_agencies_of_a_territory_include_those_of_its_parts(places):
    city, ward = places

    assert [agency.key for agency in queries.agencies_under(ward, LETTER_DAY)] == ["ubnd-phuong-song-cau"]
    assert queries.agencies_under(city, LETTER_DAY).count() == 32


def test_agencies_of_an_agency_are_those_that_answer_to_it(places):
    committee = Agency.objects.get(key="ubnd-tp")
    below = set(queries.agencies_under(committee, LETTER_DAY))

    assert Agency.objects.get(key="phong-gddt") in below
    assert Agency.objects.get(key="ubnd-phuong-song-cau") in below
    assert Agency.objects.get(key="thanh-doan") not in below


def test_the_tree_has_each_unit_under_its_own(places):
    changes.save_unit(
        "mai", None, unit_values(parent=places[1], valid_from=LETTER_DAY, valid_to=AFTER.replace(year=2024))
    )
    (province,) = queries.unit_tree(LETTER_DAY)
    (city,) = province.branches

    assert city.unit.name == "thành phố Bắc Kạn"
    assert len(city.branches) == 8
    assert [branch.groups for branch in city.branches if branch.unit.key == "phuong-song-cau"] == [1]
    assert [branch.unit.name for branch in queries.unit_tree(AFTER)] == ["tỉnh Thái Nguyên"]


def test_a_group_of_recipients_means_whoever_took_over(places):
    old = Agency.objects.get(key="phong-vhtt")
    new = changes.save_agency(
        "mai",
        None,
        agency_values(
            old.unit, name="Phòng Văn hóa - Xã hội", kind="department", valid_from=LETTER_DAY, valid_to=old.valid_to
        ),
    )
    values = agency_values(
        old.unit, name=old.name, kind="department", parent=old.parent, valid_to=LETTER_DAY, successors=[new]
    )
    changes.save_agency("mai", old, values)
    group = RecipientGroup.objects.get(key="phong-ban-doan-the")
    meant = {agency.key for agency in queries.members_of(group, LETTER_DAY)}

    assert new.key in meant
    assert old.key not in meant
    assert len(meant) == 23
    assert old.key in {agency.key for agency in queries.members_of(group, LETTER_DAY - datetime.timedelta(days=1))}


@pytest.mark.parametrize("words", ["phuong song cau", "PHƯỜNG SÔNG CẦU", "cầu  song", "so\u0302ng"])
def test_words_are_found_without_their_diacritics(places, words):
    assert "ubnd-phuong-song-cau" in {agency.key for agency in Agency.objects.matching(words)}


@pytest.mark.parametrize("words", ["100%", "_", "sông hồng"])
def test_signs_of_the_query_language_are_only_signs(places, words):
    assert not Agency.objects.matching(words).exists()


def test_the_day_shown_is_the_last_one_with_anything_to_show(places):
    assert queries.day_to_show(Agency, AFTER) == datetime.date(2025, 6, 30)
    assert queries.day_to_show(Agency, LETTER_DAY) == LETTER_DAY
    assert queries.day_to_show(AdminUnit, AFTER) == AFTER


@pytest.mark.parametrize(
    ("ask", "most"),
    [
        (lambda city, _: list(queries.units_under(city, LETTER_DAY)), 1),
        (lambda city, _: list(queries.agencies_under(city, LETTER_DAY)), 1),
        (lambda _, group: list(queries.members_of(group, LETTER_DAY)), 3),
        (lambda *_: queries.unit_tree(LETTER_DAY), 1),
    ],
    ids=["units", "agencies", "members", "tree"],
)
def test_a_question_is_a_constant_number_of_queries(places, django_assert_max_num_queries, ask, most):
    group = RecipientGroup.objects.get(key="ubnd-xa-phuong")
    with django_assert_max_num_queries(most):
        ask(places[0], group)
