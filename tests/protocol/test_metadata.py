# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.protocol.identifiers import InvalidMetadata, Metadata, attenuation_db


def test_version_confidence_and_power_sit_where_the_specification_puts_them():
    assert Metadata(8).to_bytes().hex() == "40080000"
    assert Metadata(-18, confidence=3).to_bytes().hex() == "4cee0000"
    assert Metadata(0, minor=1).to_bytes().hex() == "50000000"


@given(st.builds(Metadata, st.integers(-128, 127), *[st.integers(0, 3)] * 3))
def test_what_was_written_is_read(metadata):
    assert Metadata.from_bytes(metadata.to_bytes()) == metadata


def test_attenuation_is_what_was_lost_on_the_way_and_never_negative():
    assert attenuation_db(Metadata(-18).to_bytes(), -79) == 61
    assert attenuation_db(Metadata(-18).to_bytes(), -10) == 0
    assert attenuation_db(Metadata(-18, minor=1).to_bytes(), -79) == 61


@pytest.mark.parametrize("metadata", [Metadata(-51), Metadata(21), Metadata(8, major=0), Metadata(8, major=2)])
def test_no_attenuation_is_told_from_powers_and_versions_that_are_not_ours(metadata):
    assert attenuation_db(metadata.to_bytes(), -60) is None


def test_the_powers_at_the_border_count():
    assert attenuation_db(Metadata(-50).to_bytes(), -60) == 10
    assert attenuation_db(Metadata(20).to_bytes(), -60) == 80


def test_a_frame_without_metadata_has_no_attenuation():
    assert attenuation_db(b"", -60) is None


@pytest.mark.parametrize("length", [1, 3, 5])
def test_metadata_of_another_length_is_refused(length):
    with pytest.raises(InvalidMetadata) as refusal:
        Metadata.from_bytes(bytes(length))

    assert refusal.value.code == "metadata_invalid"


@pytest.mark.parametrize("values", [(0, 4), (0, 0, -1), (0, 0, 1, 4), (-129,), (128,)])
def test_a_value_that_does_not_fit_its_bits_is_refused(values):
    with pytest.raises(InvalidMetadata):
        Metadata(*values)
