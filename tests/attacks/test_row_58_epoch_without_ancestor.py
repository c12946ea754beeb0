# SPDX-License-Identifier: Apache-2.0
"""Row 58: an epoch names as its ancestor what the phone never saw, so that files it holds are replaced unnoticed."""

import dataclasses

import pytest
from tests.builders.epochs import RECOVERY, phone_and_liar, state

from bluezone.protocol.signed.epoch import BRANCHES, EpochRefused
from bluezone.protocol.signed.index import IndexHistoryDiffers


@pytest.mark.long
@pytest.mark.parametrize("kind", BRANCHES)
def test_row_58_an_epoch_whose_ancestor_this_phone_does_not_know_is_refused(tmp_path, kind):
    with phone_and_liar(tmp_path) as (phone, liar, _):
        before, epoch = state(phone), liar.epoch()
        other = dataclasses.replace(epoch.branch(kind), head="ab" * 32)
        liar.show_epoch([dataclasses.replace(epoch, **{kind: other})], RECOVERY)
        with pytest.raises(EpochRefused, match="ancestor"):
            phone.check()
        assert state(phone) == before


@pytest.mark.long
def test_row_58_an_ancestor_beyond_what_the_phone_has_seen_must_be_reached_from_there(tmp_path):
    with phone_and_liar(tmp_path) as (phone, liar, _):
        before, epoch = phone.downloads.position, liar.epoch()
        beyond = dataclasses.replace(epoch.exports, ancestor=epoch.exports.ancestor + 1, head="ab" * 32)
        liar.show_epoch([dataclasses.replace(epoch, exports=beyond)], RECOVERY)
        with pytest.raises(IndexHistoryDiffers):
            phone.check()
        assert phone.downloads.position == before
