# SPDX-License-Identifier: Apache-2.0
"""The drawing of the weeks: gaps stay gaps, everything lies inside, and nothing kept back is drawn."""

import datetime

from hypothesis import given
from hypothesis import strategies as st

from bluezone.rollout.coverage.api import Interval
from bluezone.rollout.coverage.trend import HEIGHT, WIDTH, Point, draw_trend
from bluezone.rollout.report_week import Week

FIRST = Week(datetime.date(2020, 8, 3))
shares = st.none() | st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)).map(sorted)


def points(values):
    made, week = [], FIRST
    for value in values:
        spread = Interval(value[0], value[2]) if value else None
        made.append(Point(week, value is not None, 1, 2, value[1] if value else None, spread, ""))
        week = week.following
    return made


@given(st.lists(shares, min_size=1, max_size=20))
def test_every_mark_lies_inside_the_drawing_with_its_interval_around_it(values):
    found = draw_trend(None, points(values))

    assert len(found.marks) == sum(value is not None for value in values)
    for mark in found.marks:
        assert 0 <= mark.x <= WIDTH
        assert 0 <= mark.high <= mark.y <= mark.low <= HEIGHT


def test_a_week_without_a_share_breaks_the_line():
    found = draw_trend(None, points([(0.1, 0.2, 0.3), (0.1, 0.2, 0.3), None, (0.2, 0.3, 0.4)]))

    assert [len(line) for line in found.lines] == [2, 1]
    assert len(found.paths) == 1


def test_the_scale_is_one_of_three_so_that_pages_can_be_compared():
    assert [draw_trend(None, points([(0, high, high)])).top for high in (0.2, 0.25, 0.3, 0.9)] == [0.25, 0.25, 0.5, 1.0]


def test_the_lines_across_stand_at_the_quarters_of_the_scale():
    found = draw_trend(None, points([(0, 0.3, 0.3)]))
    shares, heights = zip(*found.steps, strict=True)

    assert shares == (0, 0.125, 0.25, 0.375, 0.5)
    assert 0 <= heights[4] < heights[3] < heights[2] < heights[1] < heights[0] <= HEIGHT


def test_the_drawing_stands_where_the_page_draws_its_frame():
    """The page draws the lines across from 40 to 352; the scale reaches from 12 down to 170."""
    found = draw_trend(None, points([(0, 0.25, 0.25), (0, 0, 0.25), (0, 0.125, 0.25)]))

    assert [(mark.x, mark.y) for mark in found.marks] == [(40, 12), (196, 170), (352, 91)]
    assert [(mark.low, mark.high) for mark in found.marks] == [(170, 12)] * 3
    assert found.paths == ["40.0,12.0 196.0,170.0 352.0,91.0"]
    assert found.spreads == ["40.0,12.0 196.0,12.0 352.0,12.0 352.0,170.0 196.0,170.0 40.0,170.0"]


def test_one_week_stands_in_the_middle_and_is_no_line():
    found = draw_trend(None, points([(0.1, 0.2, 0.3)]))

    assert found.marks[0].x == 196
    assert (found.paths, found.spreads) == ([], [])


def test_a_share_without_an_interval_is_its_own_interval():
    found = draw_trend(None, [Point(FIRST, True, 1, 2, 0.3, None, "")])

    assert found.top == 0.5
    assert found.marks[0].low == found.marks[0].y == found.marks[0].high


def test_the_first_the_middle_and_the_last_week_are_named_below():
    found = draw_trend(None, points([None] * 12))

    assert [(round(x), week.first_day) for x, week in found.ends] == [
        (40, FIRST.first_day),
        (182, FIRST.first_day + datetime.timedelta(weeks=5)),
        (352, FIRST.first_day + datetime.timedelta(weeks=11)),
    ]


def test_a_week_with_figures_of_which_one_is_kept_back_is_hidden():
    kept_back = [Point(FIRST, *values, None, None, "") for values in ((True, None, 9), (True, 1, None))]
    others = [Point(FIRST, *values, None, None, "") for values in ((True, 1, 9), (False, None, None))]

    assert [point.is_suppressed for point in [*kept_back, *others]] == [True, True, False, False]
