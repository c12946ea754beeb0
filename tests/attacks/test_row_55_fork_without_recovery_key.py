# SPDX-License-Identifier: Apache-2.0
"""Row 55: whoever has the city's own keys, but not the recovery key, leads phones onto another history."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.builders.epochs import RECOVERY, phone_and_liar, set_recovery_key, state

from bluezone.protocol.signed.envelope import UntrustedSignature
from bluezone.protocol.signed.epoch import EpochRefused
from bluezone.protocol.signed.index import IndexEntry, IndexHistoryDiffers

DAY = 86_400


@pytest.mark.long
def test_row_55_the_honest_record_is_taken(tmp_path):
    """Without this the refusals below could have any reason."""
    with phone_and_liar(tmp_path) as (phone, liar, _):
        liar.show_epoch([liar.epoch()], RECOVERY)
        phone.check()
        assert phone.city.epochs.number == 1
        assert phone.store.get("notice") == "epoch_began"


@pytest.mark.long
@pytest.mark.parametrize("key", ["a stranger's", "the city's"])
def test_row_55_an_epoch_that_another_key_signed_is_refused(tmp_path, key):
    with phone_and_liar(tmp_path) as (phone, liar, _):
        signer = Ed25519PrivateKey.generate() if key == "a stranger's" else liar.server.key_server.secrets.signing_key
        before = state(phone)
        liar.show_epoch([liar.epoch()], signer)
        with pytest.raises(UntrustedSignature):
            phone.check()
        assert state(phone) == before


@pytest.mark.long
def test_row_55_a_recovery_key_that_the_city_exchanges_is_not_believed(tmp_path):
    with phone_and_liar(tmp_path) as (phone, liar, _):
        mine = Ed25519PrivateKey.generate()
        liar.show_epoch([liar.epoch()], mine, recovery_key=mine.public_key().public_bytes_raw().hex())
        with pytest.raises(UntrustedSignature):
            phone.check()


@pytest.mark.long
def test_row_55_a_recovery_key_that_comes_late_counts_after_a_week(tmp_path):
    with phone_and_liar(tmp_path, recovery_key=False) as (phone, liar, world):
        liar.show_epoch([liar.epoch()], RECOVERY)
        with pytest.raises(EpochRefused, match="no_key"):
            phone.check()
        liar.server.tamper = lambda path, body: body
        set_recovery_key(liar.server.key_server.data_dir)
        liar.server.key_server.tick()
        phone.check()
        liar.show_epoch([liar.epoch()], RECOVERY)
        with pytest.raises(EpochRefused, match="new_key"):
            phone.check()
        liar.server.tamper = lambda path, body: body
        world.pass_by(7 * DAY)
        liar.server.key_server.tick()
        phone.check()
        liar.show_epoch([liar.epoch()], RECOVERY)
        phone.check()
        assert phone.city.epochs.number == 1


@pytest.mark.long
@pytest.mark.parametrize("ahead_days", [0, 20])
def test_row_55_an_index_that_leaves_out_what_follows_is_no_way_around_it(tmp_path, ahead_days):
    """An index may begin late, for a phone that was away for two weeks; whatever time it says it was made at."""
    with phone_and_liar(tmp_path) as (phone, liar, world):
        before = state(phone)
        at = int(world.now) + ahead_days * DAY
        liar.server.tamper = lambda path, body: (
            liar.changed_index(body, number=50, entries=(), chain_before="ab" * 32, generated_at=at)
            if path == "/v1/exports/index.json" else body
        )  # fmt: skip
        with pytest.raises(IndexHistoryDiffers):
            phone.check()
        assert state(phone) == before


BELOW = tuple(IndexEntry(number, f"{number}-a.zip", "ab" * 32, 1) for number in (99_999, 100_000))


@pytest.mark.long
@pytest.mark.parametrize("changes", [{"chain_before": "ab" * 32}, {"number": 100_000, "entries": BELOW}])
def test_row_55_an_index_that_does_not_go_on_as_its_epoch_says_is_refused(tmp_path, changes):
    with phone_and_liar(tmp_path) as (phone, liar, _):
        liar.show_epoch([liar.epoch()], RECOVERY)
        honest = liar.server.tamper
        liar.server.tamper = lambda path, body: (
            liar.changed_index(honest(path, body), **changes)
            if path == "/v1/exports/index.json"
            else honest(path, body)
        )
        before = phone.downloads.position
        with pytest.raises(IndexHistoryDiffers):
            phone.check()
        assert phone.downloads.position == before
