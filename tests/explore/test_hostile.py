# SPDX-License-Identifier: Apache-2.0
"""What an owned process asks the signer for, in every order: nothing dishonest is signed."""

import pytest
from tests.explore.hostile import intrude

from bluezone.city_settings import write_default

RUNS = 4
ACTS = 150


@pytest.mark.parametrize("seed", range(RUNS))
def test_nothing_dishonest_is_signed_for_an_owned_process(tmp_path, seed):
    write_default(tmp_path, name_vi="Bắc Kạn", name_en="Bac Kan", hotline="0209 3870 000")
    broken, granted, refused = intrude(tmp_path, seed, ACTS)
    assert broken is None
    # It gets some of what it requests, so that it comes further, and much is refused.
    assert granted > ACTS / 20
    assert refused > ACTS / 4
