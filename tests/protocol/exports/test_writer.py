# SPDX-License-Identifier: Apache-2.0
import io
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.protocol import EXPORT_KEY, GENERATED_AT, SIGNING_KEY, export_keys, make_export

from bluezone.protocol.exports.files import InvalidExport, SignatureInfo, read_export, verify_export
from bluezone.protocol.exports.writer import ExportKeys, write_export


def write(columns):
    return write_export(
        columns,
        start_timestamp=10,
        end_timestamp=20,
        region="VN",
        signing_key=SIGNING_KEY,
        info=SignatureInfo("452", "v1"),
    )


KEYS = st.lists(
    st.tuples(
        st.binary(min_size=16, max_size=16),
        st.integers(2**21, 2**28 - 1),
        st.integers(0, 5),
        st.integers(-14, 14),
    ),
    max_size=20,
)


@given(KEYS)
def test_what_was_written_is_read_sorted_by_key(rows):
    columns = ExportKeys(
        np.array([list(row[0]) for row in rows], dtype=np.uint8).reshape(-1, 16),
        np.array([row[1] for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.uint8),
        np.array([row[3] for row in rows], dtype=np.int8),
    )
    read = [
        (key.key, key.start, key.report_type, key.days_since_onset, key.period, key.transmission_risk_level)
        for key in read_export(write(columns)).keys
    ]

    assert sorted(read) == sorted((*row, 144, None) for row in rows)
    assert [row[0] for row in read] == sorted(row[0] for row in rows)


def test_the_same_keys_in_another_order_give_the_same_bytes():
    columns = export_keys(50)
    order = np.random.default_rng(2).permutation(50)
    shuffled = ExportKeys(*(getattr(columns, name)[order] for name in ExportKeys.__slots__))

    assert write(columns) == write(shuffled)


def test_an_export_of_ours_is_signed_and_says_by_what():
    read = read_export(make_export())

    assert verify_export(read, EXPORT_KEY) == "verified"
    assert read.signature_infos == (SignatureInfo("452", "v1", "1.2.840.10045.4.3.2"),)
    assert (read.start_timestamp, read.end_timestamp) == (GENERATED_AT - 7200, GENERATED_AT)
    assert (read.region, read.batch_num, read.batch_size, read.revised_keys) == ("VN", 1, 1, ())


def test_a_key_takes_32_bytes_and_nothing_tells_keys_apart_by_length():
    sizes = {len(read_export(make_export(count=10, seed=seed)).export_bin) for seed in range(5)}

    assert sizes == {len(read_export(make_export(count=0)).export_bin) + 320}


@pytest.mark.parametrize(
    "changes",
    [
        {"keys": np.zeros((2, 15), dtype=np.uint8)},
        {"keys": np.zeros((2, 16), dtype=np.int64)},
        {"starts": np.array([2**21 - 1, 2**21])},
        {"starts": np.array([2**28, 2**21])},
        {"starts": np.array([2**21])},
        {"report_types": np.array([128, 1], dtype=np.uint8)},
        {"days_since_onset": np.array([-128, 0], dtype=np.int8)},
    ],
)
def test_columns_no_export_holds_are_refused(changes):
    with pytest.raises(InvalidExport):
        write(replace(export_keys(), **changes))


def test_the_archive_says_nothing_of_when_and_where_it_was_made():
    with zipfile.ZipFile(io.BytesIO(write(export_keys(3)))) as archive:
        said = {(member.date_time, member.create_system, member.external_attr) for member in archive.infolist()}

    assert said == {((1980, 1, 1, 0, 0, 0), 3, 0o644 << 16)}
