# SPDX-License-Identifier: Apache-2.0
import datetime

import pytest
from tests.builders.canvass import NOW, city, door

from bluezone.rollout.canvass.progress import doors_by_unit
from bluezone.rollout.coverage.api import DoorCounts
from bluezone.training import practice

HOUR = datetime.timedelta(hours=1)


@pytest.mark.django_db
def test_doors_are_counted_by_ward_without_training_and_without_doubles(django_assert_num_queries):
    _top, (one, other, _empty) = city("phường Đức Xuân", "phường Sông Cầu", "xã Dương Quang")
    main = door(one, reached_at=NOW - HOUR, last_at=NOW - HOUR, last_outcome="leaflet")
    door(one, last_at=NOW - 30 * HOUR, last_outcome="not_home")
    door(one, last_at=NOW - 30 * HOUR, last_outcome="skipped", revisit="after_17")
    door(one)
    door(one, merged_into=main)
    door(other)
    with practice():
        door(one)

    with django_assert_num_queries(1):
        found = doors_by_unit(NOW)

    assert found == {
        one.pk: DoorCounts(households=4, visited=1, revisit=2, last_visit=datetime.date(2020, 8, 14)),
        other.pk: DoorCounts(1, 0, 0, None),
    }
