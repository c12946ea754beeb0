# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from tools.fit_rssi import CARRIAGES, DWELL_SECONDS, autocorrelation, read_sessions

from bluezone.radio.air.fading import CHANNELS, Fading, start_levels
from bluezone.radio.air.figures import Correlation, correlation

RUNS = 4000


def noise_of(seed):
    rng = np.random.default_rng(seed)
    return lambda: rng.standard_normal(RUNS)


@pytest.mark.parametrize(
    "shares", [{"level_share": 1.0, "motion_share": 0.0}, {"level_share": 0.0, "motion_share": 1.0}]
)
def test_levels_and_motion_keep_their_variance_and_are_forgotten_with_their_time_constant(shares):
    drifting = Correlation(**shares, level_seconds=10.0, motion_seconds=10.0)
    fading = Fading(drifting, start_levels(noise_of(1)), 0, noise_of(2))
    first, later, again = (fading.score(now, 0) for now in (0.0, 10.0, 10.0))

    assert later.std() == pytest.approx(1, abs=0.05)
    assert np.corrcoef(first, later)[0, 1] == pytest.approx(np.exp(-1), abs=0.05)
    assert (again == later).all()


def test_one_packet_at_a_time_fades_as_many_runs_at_once_do():
    fitted = correlation("hand-pocket")
    drawn = np.random.default_rng(8).standard_normal(500).tolist()
    one, many = iter(drawn), iter(drawn)
    single = Fading(fitted, start_levels(one.__next__), 0, one.__next__)
    several = Fading(fitted, start_levels(lambda: np.full(3, next(many))), 0, lambda: np.full(3, next(many)))

    for step in range(100):
        now, channel = step // 2 * 0.27, step % CHANNELS
        assert several.score(now, channel).tolist() == [single.score(now, channel)] * 3


@pytest.mark.parametrize("carried", ["hand-hand", "pocket-pocket"])
def test_packets_on_one_channel_and_on_two_differ_by_the_level_of_the_channel(carried):
    fitted = correlation(carried)
    fading = Fading(fitted, start_levels(noise_of(2)), 1, noise_of(3))
    packet, same, other = fading.score(0.0, 0), fading.score(0.0, 0), fading.score(0.0, 1)

    assert packet.std() == pytest.approx(1, abs=0.05)
    assert np.corrcoef(packet, same)[0, 1] == pytest.approx(fitted.level_share + fitted.motion_share, abs=0.05)
    assert np.corrcoef(packet, other)[0, 1] == pytest.approx(fitted.motion_share, abs=0.05)


def test_both_directions_share_the_channels_levels_and_nothing_else():
    fitted = correlation("hand-hand")
    drifts = start_levels(noise_of(4))
    there, back = (Fading(fitted, drifts, direction, noise_of(5 + direction)) for direction in (0, 1))

    assert np.corrcoef(there.score(0.0, 0), back.score(0.0, 0))[0, 1] == pytest.approx(fitted.level_share, abs=0.05)


@pytest.mark.long
@pytest.mark.shared
@pytest.mark.parametrize("carried", ["hand-hand", "hand-pocket", "pocket-pocket", "backpack-backpack"])
def test_measured_as_the_recordings_were_the_model_has_their_autocorrelation(shared, carried):
    """One minute, a packet every 0.11 s, the receiver dwelling 5 s on each channel, each session standardised."""
    fitted = correlation(carried)
    sessions = {}
    rng = np.random.default_rng(7)
    for number in range(60):
        fading = Fading(fitted, start_levels(rng.standard_normal), 0, rng.standard_normal)
        times = np.arange(0, 90, 0.11)
        scores = [fading.score(t, int(t / DWELL_SECONDS) % CHANNELS) for t in times]
        sessions[number, "model"] = np.stack([times, scores], axis=1)

    measured = autocorrelation(read_sessions(shared / "data" / "rssi" / "rss_HumanHuman" / CARRIAGES[carried]))
    modelled = autocorrelation(sessions)

    known = np.isfinite(measured) & (np.arange(len(measured)) * 0.25 < 20)
    assert np.sqrt(np.mean((measured - modelled)[known] ** 2)) < 0.1
