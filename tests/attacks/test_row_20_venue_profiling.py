# SPDX-License-Identifier: Apache-2.0
"""Row 20: who collects packages wants to know which venues had cases, and when.

Residual for a static code: whoever copied it recognises the venue's later items; docs/privacy.md says so.
"""

import os
from pathlib import Path

from tests.builders.venue import keys_of, signed_venue

from bluezone.protocol.venues.items import Record, index_items, open_item, open_records, seal_item

HOUR = 443_644
PRIVACY = Path(__file__).parents[2] / "docs" / "privacy.md"


def test_row_20_an_item_of_another_hour_is_not_recognised():
    keys = keys_of(signed_venue(), HOUR * 3600, (HOUR + 23) * 3600)
    items = {hour: seal_item(key, Record(2, 0, 60, hour), os.urandom(12)) for hour, key in keys.items()}
    # What a guest of one hour keeps tells of that hour alone.
    guest = {HOUR + 5: keys[HOUR + 5]}

    assert open_records(guest, index_items(items.values())) == [Record(2, 0, 60, HOUR + 5)]
    for hour, item in items.items():
        assert (open_item(keys[HOUR + 5], HOUR + 5, item) is not None) == (hour == HOUR + 5)
    assert len({item[:16] for item in items.values()}) == len(items), "no two hours share what they are found by"


def test_row_20_without_the_code_name_and_address_find_nothing():
    item = seal_item(keys_of(signed_venue(), HOUR * 3600, HOUR * 3600)[HOUR], Record(2, 0, 60, HOUR), os.urandom(12))
    guessed = signed_venue(seed=os.urandom(16))

    assert guessed.name == signed_venue().name
    assert open_records(keys_of(guessed, HOUR * 3600, HOUR * 3600), index_items([item])) == []


def test_row_20_residual_who_copied_a_code_recognises_its_items_and_privacy_says_so():
    item = seal_item(keys_of(signed_venue(), HOUR * 3600, HOUR * 3600)[HOUR], Record(1, 0, 60, HOUR), os.urandom(12))
    copied = signed_venue()

    assert open_records(keys_of(copied, HOUR * 3600, HOUR * 3600), index_items([item])) != []
    assert "copied a venue's code" in PRIVACY.read_text("utf-8")
