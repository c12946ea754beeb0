# SPDX-License-Identifier: Apache-2.0
"""Row 57: an epoch takes phones back behind what they have seen, so that published keys can be replayed to them."""

import dataclasses

import pytest
from tests.builders.epochs import RECOVERY, phone_and_liar, state
from tests.builders.handset import pages

from bluezone.protocol.signed.epoch import BRANCHES, EpochRefused


@pytest.mark.long
@pytest.mark.parametrize("kind", BRANCHES)
def test_row_57_an_epoch_that_does_not_go_on_above_every_number_seen_is_refused(tmp_path, kind):
    with phone_and_liar(tmp_path) as (phone, liar, _):
        before, epoch = state(phone), liar.epoch()
        branch = epoch.branch(kind)
        # The newest number is held already; its ancestor is the beginning, which everybody knows.
        ancestor = {"ancestor": 0, "head": "0" * 64} if kind != "config" else {"ancestor": branch.ancestor - 1}
        low = dataclasses.replace(branch, first=branch.ancestor, **ancestor)
        liar.show_epoch([dataclasses.replace(epoch, **{kind: low})], RECOVERY)
        with pytest.raises(EpochRefused, match=f"rolled_back: {kind}"):
            phone.check()
        assert state(phone) == before


@pytest.mark.long
def test_row_57_what_was_heard_keeps_the_stamps_it_was_heard_with(tmp_path):
    with phone_and_liar(tmp_path) as (phone, liar, _):
        phone.encounters.burst_started(burst := _burst(phone))
        phone.encounters.heard(_sighting(burst))
        phone.encounters.flush()
        stamps = [page.stamp for page in pages(phone)]
        held = phone.downloads.position.number
        assert [stamp.newest_export for stamp in stamps] == [held]
        liar.show_epoch([liar.epoch()], RECOVERY)
        phone.check()
        assert phone.downloads.position.number > held
        assert [page.stamp for page in pages(phone)] == stamps


def _burst(phone):
    from bluezone.radio.interface import Burst

    return Burst(1, phone.clock.boot_seconds(), 30.0)


def _sighting(burst):
    from bluezone.radio.interface import Sighting

    return Sighting(bytes(16), bytes(4), -70, 1, burst.boot_seconds)
