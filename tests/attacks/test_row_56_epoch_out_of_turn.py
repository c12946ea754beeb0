# SPDX-License-Identifier: Apache-2.0
"""Row 56: an epoch is left out, so that what it says of keys and ancestors is never looked at, or one comes back."""

import dataclasses

import pytest
from tests.builders.epochs import RECOVERY, phone_and_liar, state

from bluezone.protocol.signed.config import ConfigRolledBack
from bluezone.protocol.signed.epoch import EpochRefused


@pytest.mark.long
def test_row_56_an_epoch_that_does_not_follow_the_one_held_is_refused(tmp_path):
    with phone_and_liar(tmp_path) as (phone, liar, _):
        before = state(phone)
        liar.show_epoch([dataclasses.replace(liar.epoch(), number=2)], RECOVERY)
        with pytest.raises(EpochRefused, match="number"):
            phone.check()
        assert state(phone) == before


@pytest.mark.long
def test_row_56_a_city_that_is_back_in_an_older_epoch_is_refused(tmp_path):
    with phone_and_liar(tmp_path) as (phone, liar, _):
        liar.show_epoch([liar.epoch()], RECOVERY)
        phone.check()
        before, held, honest = state(phone), phone.city.current, liar.server.tamper
        # One that goes on from what the phone holds, and forgets that there was an epoch.
        later = dataclasses.replace(held, number=held.number + 1, history=(phone.city.current_sha256,), epochs=())
        liar.server.tamper = lambda path, body: (
            liar.sign(later) if path == "/v1/config" else honest(path, body)
        )  # fmt: skip
        with pytest.raises(ConfigRolledBack, match="of epoch 0"):
            phone.check()
        liar.server.tamper = lambda path, body: body
        with pytest.raises(ConfigRolledBack):
            phone.check()
        assert state(phone) == before
