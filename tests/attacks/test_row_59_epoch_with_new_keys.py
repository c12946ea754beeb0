# SPDX-License-Identifier: Apache-2.0
"""Row 59: an epoch brings keys of its own, which would not have to stand a week before they are used."""

import dataclasses

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.builders.epochs import RECOVERY, phone_and_liar, state

from bluezone.protocol.signed.epoch import EpochRefused


def another(name, config):
    if name == "week_keys":
        key = config.week_keys[0]
        return (dataclasses.replace(key, n=key.n ^ 2), *config.week_keys[1:])
    if name == "export_keys":
        public = ec.generate_private_key(ec.SECP256R1()).public_key()
        return (public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),)
    if name == "venue_keys":
        return {"1": "ab" * 32}
    return "B" + "A" * 86 if name == "push_key" else "cd" * 32


@pytest.mark.long
@pytest.mark.parametrize("name", ["week_keys", "export_keys", "venue_keys", "push_key", "declaration_key"])
def test_row_59_an_epoch_that_brings_a_new_key_is_refused(tmp_path, name):
    with phone_and_liar(tmp_path) as (phone, liar, _):
        before = state(phone)
        liar.show_epoch([liar.epoch()], RECOVERY, **{name: another(name, liar.config())})
        with pytest.raises(EpochRefused, match="new_key"):
            phone.check()
        assert state(phone) == before
