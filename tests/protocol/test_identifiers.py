# SPDX-License-Identifier: Apache-2.0
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.protocol.identifiers import (
    InvalidMetadata,
    crypt_metadata,
    identifier_key,
    metadata_key,
    rolling_proximity_identifier,
    rolling_proximity_identifiers,
)
from bluezone.protocol.keys import INTERVALS_PER_KEY, InvalidKey


@pytest.fixture(scope="module")
def published(vectors):
    return json.loads((vectors / "exposure_notification.json").read_text())


def test_the_published_key_yields_the_published_identifiers(published):
    key = bytes.fromhex(published["tek"])
    identifiers = rolling_proximity_identifiers(key, published["rolling_start_interval"])

    expected = [pair["rpi"] for pair in published["rpi_aem"]]
    assert [row.hex() for row in identifiers[: len(expected)]] == expected


def test_the_published_key_yields_the_published_intermediate_keys(published):
    key = bytes.fromhex(published["tek"])

    assert identifier_key(key).hex() == published["rpik"]
    assert metadata_key(key).hex() == published["aemk"]


def test_the_published_metadata_is_encrypted_as_published_and_back(published):
    key, metadata = bytes.fromhex(published["tek"]), bytes.fromhex(published["metadata"])
    for pair in published["rpi_aem"]:
        identifier, encrypted = bytes.fromhex(pair["rpi"]), bytes.fromhex(pair["aem"])
        assert crypt_metadata(key, identifier, metadata) == encrypted
        assert crypt_metadata(key, identifier, encrypted) == metadata


@given(key=st.binary(min_size=16, max_size=16), start=st.integers(0, 2**31), offset=st.integers(0, 143))
def test_a_key_that_starts_later_yields_the_same_tail(key, start, offset):
    whole = rolling_proximity_identifiers(key, start)
    tail = rolling_proximity_identifiers(key, start + offset, INTERVALS_PER_KEY - offset)

    assert whole[offset:] == tail
    assert rolling_proximity_identifier(key, start + offset) == whole[offset]


@pytest.mark.parametrize(
    ("key", "start", "count"),
    [(bytes(15), 0, 1), (bytes(16), -1, 1), (bytes(16), 2**32 - 1, 1), (bytes(16), 0, 0), (bytes(16), 0, 145)],
)
def test_a_key_out_of_range_is_refused(key, start, count):
    with pytest.raises(InvalidKey):
        rolling_proximity_identifiers(key, start, count)


def test_metadata_of_another_length_is_refused():
    with pytest.raises(InvalidMetadata):
        crypt_metadata(bytes(16), bytes(16), bytes(5))
    with pytest.raises(InvalidKey):
        crypt_metadata(bytes(16), bytes(15), bytes(4))
