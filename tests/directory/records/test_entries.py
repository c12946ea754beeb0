# SPDX-License-Identifier: Apache-2.0
"""bluezone.directory.records.entries."""

import datetime

from hypothesis import given
from hypothesis import strategies as st

from bluezone.directory.kinds import Quantity
from bluezone.directory.records.entries import DenominatorEntry, Validity, denominator_on

DAYS = st.dates(datetime.date(2020, 1, 1), datetime.date(2020, 1, 12))
VALIDITIES = st.builds(Validity, st.none() | DAYS, st.none() | DAYS).filter(
    lambda validity: validity.start is None or validity.end is None or validity.start < validity.end
)
EVERY_DAY = [datetime.date(2019, 12, 25) + datetime.timedelta(days) for days in range(25)]


@given(VALIDITIES, VALIDITIES)
def test_overlapping_and_lying_within_mean_what_the_days_say(one, other):
    days_of_one, days_of_other = ({day for day in EVERY_DAY if validity.includes(day)} for validity in (one, other))

    assert one.overlaps(other) == bool(days_of_one & days_of_other)
    assert one.within(other) == (days_of_one <= days_of_other)


def test_the_newest_figure_that_was_already_true_is_the_denominator():
    old, new = (
        DenominatorEntry(Quantity.POPULATION, value, "Chi cục Thống kê", datetime.date(year, 4, 1))
        for value, year in ((44_000, 2019), (45_000, 2020))
    )
    staff = DenominatorEntry(Quantity.STAFF, 30, "Văn phòng", datetime.date(2020, 4, 1))

    assert denominator_on((old, new, staff), Quantity.POPULATION, datetime.date(2020, 8, 7)) == new
    assert denominator_on((new, old), Quantity.POPULATION, datetime.date(2020, 3, 31)) == old
    assert denominator_on((new,), Quantity.POPULATION, datetime.date(2020, 3, 31)) is None
    assert denominator_on((new,), Quantity.HOUSEHOLDS, datetime.date(2020, 8, 7)) is None
