# SPDX-License-Identifier: Apache-2.0
"""Trusted time, whatever happens to the wall clock."""

from hypothesis import given
from hypothesis import strategies as st

from bluezone.handset.clocks import JUMP_SECONDS, TrustedTime

T = 1_795_608_000.0
HOUR = 3600.0


def synchronised(boot: float = 1000.0, *, generated_at: float = T - HOUR) -> TrustedTime:
    """A phone whose clocks are right and that has seen a signed file."""
    time = TrustedTime()
    time.note_start("b", boot, T)
    time.accept_signed_time(int(generated_at), boot, T)
    return time


def test_before_the_first_signed_file_ever_no_sighting_has_a_time():
    time = TrustedTime()
    time.note_start("b", 0, T)
    assert time.stamp(1, 0).unix_seconds(10) is None


def test_a_signed_file_gives_time_from_a_wall_clock_that_agrees_with_it():
    assert synchronised().stamp(1, 0).unix_seconds(1060) == T + 60


def test_a_wall_clock_behind_the_signed_file_is_not_believed():
    time = TrustedTime()
    time.note_start("b", 0, T - 48 * HOUR)
    time.accept_signed_time(int(T), 100, T - 48 * HOUR)
    assert time.now(160, T - 48 * HOUR + 60) == T + 60
    assert time.clock_error_seconds(160, T - 48 * HOUR + 60) == -48 * HOUR


def test_a_wall_clock_more_than_36_hours_ahead_of_the_signed_file_is_not_believed():
    time = TrustedTime()
    time.note_start("b", 0, T + 40 * HOUR)
    time.accept_signed_time(int(T), 100, T + 40 * HOUR)
    assert time.now(100, T + 40 * HOUR) == T


@given(jump=st.floats(JUMP_SECONDS + 1, 1e8), back=st.booleans(), later=st.floats(0, 3600))
def test_after_any_jump_of_over_five_minutes_sightings_are_untrusted_and_time_is_unmoved(jump, back, later):
    time = synchronised()
    wall = T + later + (-jump if back else jump)
    time.check_wall_clock(1000 + later, wall)
    assert not time.stamp(1, 0).trusted
    assert abs(time.now(1000 + later, wall) - (T + later)) < 1e-5


@given(drift=st.floats(-JUMP_SECONDS + 1, JUMP_SECONDS - 1))
def test_a_small_correction_is_no_jump(drift):
    time = synchronised()
    time.check_wall_clock(1000, T + drift)
    assert time.stamp(1, 0).trusted


def test_only_a_file_newer_than_any_before_restores_trust():
    time = synchronised(generated_at=T - HOUR)
    time.check_wall_clock(1000, T - 48 * HOUR)
    time.accept_signed_time(int(T - HOUR), 1010, T - 48 * HOUR)
    assert not time.trusted
    time.accept_signed_time(int(T), 1010, T - 48 * HOUR)
    assert time.trusted
    assert time.now(1010, 0) == T + 10


@given(
    files=st.lists(st.integers(int(T) - 10**6, int(T) + 10**6), min_size=1),
    walls=st.lists(st.floats(0, 4e9), min_size=1),
)
def test_time_is_never_below_the_largest_signed_time_seen(files, walls):
    time = TrustedTime()
    time.note_start("b", 0.0, walls[0])
    for step, generated_at in enumerate(files):
        wall = walls[step % len(walls)]
        time.check_wall_clock(float(step), wall)
        time.accept_signed_time(generated_at, float(step), wall)
        assert time.now(float(step), wall) >= time.floor_seconds
    assert time.floor_seconds <= max(files)


@given(boots=st.lists(st.floats(0, 1e6), min_size=2, max_size=20))
def test_between_signed_files_time_runs_exactly_with_the_boot_clock(boots):
    time = synchronised(0.0)
    stamp = time.stamp(1, 0)
    moments = sorted(boots)
    told = [stamp.unix_seconds(boot) for boot in moments]
    assert all(abs((b - a) - (q - p)) < 1e-5 for a, b, p, q in zip(moments, moments[1:], told, told[1:], strict=False))


def test_after_another_start_a_clock_that_went_back_is_not_used():
    time = TrustedTime.from_json(synchronised().to_json())
    time.note_start("c", 5, T - 2 * HOUR)
    assert time.offset_seconds is None


def test_after_another_start_a_plausible_clock_serves_until_the_next_signed_file():
    time = TrustedTime.from_json(synchronised().to_json())
    time.note_start("c", 5, T + HOUR)
    assert time.stamp(1, 0).provisional
    assert time.now(65, T + HOUR + 60) == T + HOUR + 60


def test_the_same_start_under_a_restarted_program_keeps_its_offset():
    time = TrustedTime.from_json(synchronised().to_json())
    time.note_start("b", 2000, T + 1000)
    assert time.now(2000, 0) == T + 1000
    assert not time.provisional


def test_a_jump_while_the_program_was_down_is_noticed_when_it_starts_again():
    time = TrustedTime.from_json(synchronised().to_json())
    time.note_start("b", 2000, T - 48 * HOUR)
    assert not time.trusted


def test_a_list_served_for_ever_does_not_hold_time_back():
    time = synchronised()
    time.accept_signed_time(int(T - HOUR), 1000 + 40 * HOUR, T + 40 * HOUR)
    assert time.now(1000 + 40 * HOUR, T + 40 * HOUR) == T + 40 * HOUR


def test_after_another_start_a_newer_file_decides_even_against_the_wall_clock():
    time = synchronised()
    time.note_start("c", 5, T + HOUR)
    assert time.provisional
    time.accept_signed_time(int(T + 100 * HOUR), 10, T + HOUR)

    assert (time.provisional, time.trusted, time.now(10, T + HOUR)) == (False, True, T + 100 * HOUR)


def test_after_another_start_a_file_seen_before_says_nothing_of_a_wall_clock_far_ahead():
    time = synchronised()
    time.note_start("c", 5, T + 80 * HOUR)
    time.accept_signed_time(int(T - HOUR), 10, T + 80 * HOUR)
    assert (time.provisional, time.now(5, T + 80 * HOUR)) == (True, T + 80 * HOUR)

    time.note_start("d", 5, T + 81 * HOUR)
    time.accept_signed_time(int(T + 60 * HOUR), 10, T + 81 * HOUR)
    assert (time.provisional, time.now(10, T + 81 * HOUR)) == (False, T + 81 * HOUR), "within 36 hours of it"


def test_a_file_seen_before_gives_the_time_where_there_is_none_and_moves_it_nowhere_else():
    time = synchronised(generated_at=T - HOUR)
    time.accept_signed_time(int(T - HOUR), 1000, T + 240)
    assert time.now(1000, T + 240) == T, "a clock on the wall that was set a little is no reason"

    time.note_start("c", 5, T - 2 * HOUR)
    assert not time.is_known
    time.accept_signed_time(int(T - HOUR), 10, T - 2 * HOUR)
    assert (time.is_known, time.now(70, T - 2 * HOUR + 60)) == (True, T - HOUR + 60)


def test_a_newer_file_moves_trusted_time_only_forward():
    time = synchronised()
    time.accept_signed_time(int(T - HOUR / 2), 1000, T + 90 * HOUR)
    assert time.now(1000, T + 90 * HOUR) == T, "the wall clock is far off, and time is past the file already"
    time.accept_signed_time(int(T + HOUR), 1000, T + 90 * HOUR)
    assert time.now(1000, T + 90 * HOUR) == T + HOUR


def test_a_first_file_that_is_days_old_does_not_set_a_right_clock_back():
    time = TrustedTime()
    time.note_start("b", 0, T)
    time.accept_signed_time(int(T - 60 * HOUR), 100, T, answered_at=T + 2)
    assert time.now(100, T) == T
    assert time.provisional


def test_a_newer_file_confirms_the_clock_that_was_used_meanwhile():
    time = TrustedTime()
    time.note_start("b", 0, T)
    time.accept_signed_time(int(T - 60 * HOUR), 100, T, answered_at=T + 2)
    time.accept_signed_time(int(T + HOUR), 100 + 2 * HOUR, T + 2 * HOUR)
    assert time.now(100 + 2 * HOUR, T + 2 * HOUR) == T + 2 * HOUR
    assert not time.provisional


def test_a_clock_that_is_days_ahead_is_set_by_the_file_if_the_server_does_not_agree_with_it():
    time = TrustedTime()
    time.note_start("b", 0, T + 40 * HOUR)
    time.accept_signed_time(int(T), 100, T + 40 * HOUR, answered_at=T + 10)
    assert time.now(100, T + 40 * HOUR) == T


def test_a_confirmed_time_is_not_moved_by_a_clock_with_which_the_server_agrees():
    time = synchronised()
    wall = T + 72 * HOUR
    time.accept_signed_time(int(T), 1000 + HOUR, wall, answered_at=wall)
    assert time.now(1000 + HOUR, wall) == T + HOUR


def test_after_another_start_a_newer_file_that_is_days_old_does_not_set_a_right_clock_back():
    time = synchronised()
    time.note_start("c", 5, T + 100 * HOUR)
    time.accept_signed_time(int(T + 20 * HOUR), 10, T + 100 * HOUR, answered_at=T + 100 * HOUR)
    assert time.now(10, T + 100 * HOUR) == T + 100 * HOUR
