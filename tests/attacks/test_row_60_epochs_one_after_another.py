# SPDX-License-Identifier: Apache-2.0
"""Row 60: whoever has both keys leads phones aside at every look."""

import dataclasses

import pytest
from tests.builders.epochs import RECOVERY, phone_and_liar, state

from bluezone.protocol.signed.epoch import Branch, EpochRefused

DAY = 86_400


@pytest.mark.long
def test_row_60_a_second_epoch_within_a_week_of_trusted_time_is_refused(tmp_path):
    with phone_and_liar(tmp_path) as (phone, liar, world):
        first = liar.epoch()
        liar.show_epoch([first], RECOVERY)
        phone.check()
        before = state(phone)
        branches = {
            kind: Branch(200_000, 99_999, first.branch(kind).head) for kind in ("exports", "venues")
        }  # fmt: skip
        config = Branch(200_000, phone.city.current.number, phone.city.current_sha256)
        second = dataclasses.replace(first, number=2, config=config, **branches)
        liar.show_epoch([first, second], RECOVERY)
        for days in (0, 6):
            world.pass_by(days * DAY)
            with pytest.raises(EpochRefused, match="too_soon"):
                phone.check()
            assert state(phone) == before
        world.pass_by(DAY)
        phone.check()
        assert phone.city.epochs.number == 2
