# SPDX-License-Identifier: Apache-2.0
"""What the database itself refuses, whoever writes to it."""

import datetime

import pytest
from django.db import IntegrityError, transaction

from bluezone.directory.models import AdminUnit, Agency, Denominator, UnitSuccession

pytestmark = pytest.mark.django_db
FIRST, LAST = datetime.date(2015, 3, 11), datetime.date(2025, 7, 1)


@pytest.fixture
def province():
    return AdminUnit.objects.create(key="p", name="tỉnh", kind="province", folded="tinh", path="1/")


def ward(province, key, **values):
    return AdminUnit.objects.create(key=key, name=key, kind="ward", parent=province, folded=key, path="", **values)


def refused(make):
    with pytest.raises(IntegrityError), transaction.atomic():
        make()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((None, None), (None, None)),
        ((FIRST, LAST), (FIRST, None)),
        ((None, LAST), (LAST - datetime.timedelta(days=1), None)),
        ((LAST, None), (FIRST, None)),
    ],
)
def test_one_code_never_belongs_to_two_units_on_one_day(province, one, other):
    ward(province, "one", code="01840", valid_from=one[0], valid_to=one[1])

    refused(lambda: ward(province, "other", code="01840", valid_from=other[0], valid_to=other[1]))


def test_a_code_goes_on_to_the_unit_that_takes_over(province):
    ward(province, "old", code="01840", valid_from=FIRST, valid_to=LAST)
    new = ward(province, "new", code="01840", valid_from=LAST)

    new.valid_from = LAST - datetime.timedelta(days=1)
    refused(new.save)


def test_agencies_and_units_may_share_a_code_but_two_agencies_may_not(province):
    ward(province, "w", code="01840")
    values = {"kind": "school", "unit": province, "code": "01840", "path": "", "folded": ""}
    Agency.objects.create(key="a", name="a", **values)

    refused(lambda: Agency.objects.create(key="b", name="b", **values))


@pytest.mark.parametrize(
    "values",
    [
        {"valid_from": LAST, "valid_to": FIRST},
        {"valid_from": FIRST, "valid_to": FIRST},
        {"name": ""},
        {"code": ""},
        {"kind": "village"},
        {"kind": "province"},
        {"parent": None},
        {"head_name": "Nông Văn Ba"},
    ],
)
def test_a_unit_that_makes_no_sense_is_not_stored(province, values):
    usual = {"key": "x", "name": "x", "kind": "ward", "parent": province, "folded": "x", "path": ""}

    refused(lambda: AdminUnit.objects.create(**{**usual, **values}))


def test_a_row_is_never_its_own_parent_or_successor(province):
    unit = ward(province, "w")

    refused(lambda: AdminUnit.objects.filter(pk=unit.pk).update(parent=unit))
    refused(lambda: UnitSuccession.objects.create(ended=unit, successor=unit, day=LAST))


@pytest.mark.parametrize(
    "values",
    [{"source": ""}, {"kind": "cows"}, {"value": -1}, {"unit": None}],
    ids=["source", "kind", "value", "holder"],
)
def test_a_figure_has_one_holder_a_source_and_a_number(province, values):
    usual = {"unit": province, "kind": "population", "value": 5, "source": "Công an phường", "as_of": FIRST}
    Denominator.objects.create(**usual)

    refused(lambda: Denominator.objects.create(**{**usual, "as_of": LAST, **values}))
    refused(lambda: Denominator.objects.create(**usual))
