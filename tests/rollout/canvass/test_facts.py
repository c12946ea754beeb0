# SPDX-License-Identifier: Apache-2.0
"""What a fact comes to, from the set of what was said of it."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.rollout.canvass.households.facts import Said, is_clock, merge, new_key, next_clock

AT = datetime.datetime(2020, 8, 14, 3, 0, tzinfo=datetime.UTC)


def clock(number, who="a"):
    return f"{number:013d}.0000.{who}"


def said(number, value, *bases, who="a"):
    return Said(clock(number, who), f"entry {number}{who}", value, bases or ("",))


def test_a_later_change_that_knows_the_one_before_replaces_it():
    merged = merge([said(2, "Bình", clock(1)), said(1, "An")])

    assert (merged.shown.value, merged.is_disputed, merged.missing) == ("Bình", False, ())


def test_two_who_did_not_know_of_each_other_stand_side_by_side_and_the_newer_is_shown():
    merged = merge([said(1, "An"), said(2, "Bình", who="b")])

    assert merged.shown.value == "Bình"
    assert [rival.value for rival in merged.rivals] == ["Bình", "An"]


def test_two_who_say_the_same_do_not_dispute():
    assert not merge([said(1, "An"), said(2, "An", who="b")]).is_disputed


def test_a_decision_names_both_and_ends_the_dispute():
    both = [said(1, "An"), said(2, "Bình", who="b")]
    merged = merge([*both, Said(clock(3), "decision", "An", (clock(1), clock(2, "b")))])

    assert (merged.shown.value, merged.is_disputed) == ("An", False)


def test_what_rests_on_something_that_never_came_is_not_taken():
    merged = merge([said(1, "An"), said(3, "Cường", clock(2))])

    assert merged.shown.value == "An"
    assert [change.value for change in merged.missing] == ["Cường"]


def test_a_forced_change_is_taken_and_its_late_base_does_not_come_back():
    forced = Said(clock(3), "c", "Cường", (clock(2),), forced=True)

    assert merge([forced]).shown.value == "Cường"
    late = merge([forced, said(2, "Bình", clock(1)), said(1, "An")])
    assert (late.shown.value, late.is_disputed) == ("Cường", False)


@st.composite
def histories(draw):
    """Changes of several phones, each resting on some of those before it, some of which never come."""
    made = []
    for number in range(draw(st.integers(1, 12))):
        bases = draw(st.lists(st.sampled_from(["", *[one.clock for one in made]]), min_size=1, max_size=3, unique=True))
        who = draw(st.sampled_from("abc"))
        made.append(said(number, draw(st.sampled_from(["An", "Bình", "Cường"])), *bases, who=who))
    return [one for one in made if draw(st.booleans()) or draw(st.booleans())]


@pytest.mark.long
@given(changes=histories(), data=st.data())
def test_the_answer_depends_on_the_set_alone(changes, data):
    assert merge(data.draw(st.permutations(changes))) == merge(changes)


def test_an_office_clock_is_later_than_what_was_seen_even_from_a_phone_that_is_ahead():
    ahead = next_clock(AT + datetime.timedelta(hours=1), [], "7ab")
    after = next_clock(AT, [ahead, ""])

    assert is_clock(after)
    assert after > ahead
    assert (new_key(AT).version, new_key(AT).variant) == (7, "specified in RFC 4122")
