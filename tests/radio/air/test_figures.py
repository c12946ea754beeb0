# SPDX-License-Identifier: Apache-2.0
import csv
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools.fit_rssi import quantiles_by_distance

from bluezone.radio.air.figures import (
    WALL_DB,
    UnknownCarriage,
    canonical_carriage,
    carriages,
    correlation,
    rssi_curve,
)

distances = st.floats(0.1, 60)
carriage = st.sampled_from(carriages())


def mean_dbm(distance_m, walls=0, carried="hand-hand"):
    scores = np.random.default_rng(1).standard_normal(200_000)
    return rssi_curve(distance_m, walls, carried).at_many(scores).mean()


def test_hand_to_hand_at_one_metre_reads_61_db_at_the_virtual_adapters_power():
    assert round(-25 - mean_dbm(1.0)) == 54


@given(distance_m=distances, walls=st.integers(0, 3), carried=carriage, score=st.floats(-6, 6))
def test_one_packet_and_many_packets_are_the_same_model(distance_m, walls, carried, score):
    curve = rssi_curve(distance_m, walls, carried)

    assert curve.at(score) == curve.at_many(np.array([score]))[0]


@given(distance_m=distances, carried=carriage)
def test_a_higher_score_is_never_weaker_and_a_wall_costs_its_decibels(distance_m, carried):
    curve = rssi_curve(distance_m, 0, carried)

    assert (np.diff(curve.dbm) >= 0).all()
    assert rssi_curve(distance_m, 2, carried).dbm == pytest.approx(curve.dbm - 2 * WALL_DB)


@given(carried=carriage, near=st.floats(5, 50), factor=st.floats(1.1, 3))
def test_beyond_the_measured_distances_the_signal_only_falls(carried, near, factor):
    assert rssi_curve(near * factor, 0, carried).strongest_dbm < rssi_curve(near, 0, carried).strongest_dbm


def test_where_one_phone_recorded_alone_the_strength_is_that_of_both():
    loud, soft = ("loud", -60.0), ("soft", -74.0)
    both = [(metres, *phone) for metres in (100, 200, 400) for phone in (loud, soft)]
    sessions = {
        (metres, phone): np.array([[0.0, level - metres / 100], [1.0, level - metres / 100]])
        for metres, phone, level in [*both, (500, *loud), (20, *soft)]
    }
    medians = {metres: quantiles[len(quantiles) // 2] for metres, quantiles in quantiles_by_distance(sessions).items()}

    assert medians == {"0.2": -67.2, "1": -68.0, "2": -69.0, "4": -71.0, "5": -72.0}


@given(carried=carriage, share=st.floats(0.05, 0.95))
def test_between_two_measured_distances_the_signal_lies_between_theirs(carried, share):
    near, between, far = (rssi_curve(metres, 0, carried).dbm for metres in (3.0, 3.0 + share, 4.0))

    assert (np.minimum(near, far) - 1e-9 <= between).all()
    assert (between <= np.maximum(near, far) + 1e-9).all()


def test_carriages_are_known_in_either_order_and_no_others():
    assert canonical_carriage("pocket-hand") == "hand-pocket"
    with pytest.raises(UnknownCarriage) as refused:
        canonical_carriage("hat-hand")
    assert refused.value.code == "carriage_unknown"


def test_an_infinite_distance_is_out_of_earshot():
    assert rssi_curve(math.inf, 0, "hand-hand").strongest_dbm < -116


@pytest.mark.parametrize("carried", carriages())
def test_shares_of_variance_add_to_one(carried):
    fitted = correlation(carried)

    assert min(fitted.level_share, fitted.motion_share, fitted.packet_share) >= 0
    assert fitted.level_share + fitted.motion_share + fitted.packet_share == pytest.approx(1)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("folder", "carried"), [("HandHand", "hand-hand"), ("HandPocket", "hand-pocket"), ("PocketPocket", "pocket-pocket")]
)
@pytest.mark.parametrize("centimetres", [40, 100, 200, 400])
def test_the_model_has_the_mean_and_spread_of_the_recordings(shared, folder, carried, centimetres):
    recorded = []
    for path in sorted((shared / "data" / "rssi" / "rss_HumanHuman" / folder).glob("*.csv")):
        with path.open(newline="") as file:
            recorded += [float(row["rss"]) for row in csv.DictReader(file) if round(float(row["dist"])) == centimetres]
    scores = np.random.default_rng(1).standard_normal(100_000)
    modelled = rssi_curve(centimetres / 100, 0, carried).at_many(scores)

    assert len(recorded) > 100
    assert modelled.mean() == pytest.approx(np.mean(recorded), abs=1.5)
    assert modelled.std() == pytest.approx(np.std(recorded), abs=1.5)
