# SPDX-License-Identifier: Apache-2.0
import json
from contextlib import suppress

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.protocol import make_export

from bluezone.cli.main import root
from bluezone.cli.tools.match import InvalidSightings, read_sightings
from bluezone.protocol.exports.files import read_export
from bluezone.protocol.exports.wire import delimited_field, number_field
from bluezone.protocol.exports.writer import HEADER
from bluezone.protocol.identifiers import Metadata, crypt_metadata, rolling_proximity_identifier
from bluezone.protocol.kernel import fastest_processor

HEAD = "identifier,unix_seconds,rssi_dbm,metadata"
KEYS = read_export(make_export(count=3)).keys


def row(key, interval, *, seconds=None, rssi=-79, metadata=None):
    identifier = rolling_proximity_identifier(key.key, interval)
    encrypted = crypt_metadata(key.key, identifier, metadata.to_bytes()).hex() if metadata else ""
    return f"{identifier.hex()},{interval * 600 if seconds is None else seconds},{rssi},{encrypted}"


@pytest.fixture
def match(tmp_path):
    (tmp_path / "export.zip").write_bytes(make_export(count=3))

    def run(*rows, arguments=(), head=HEAD):
        (tmp_path / "sightings.csv").write_text("\n".join((head, *rows)) + "\n")
        exports = arguments or ["--export", tmp_path / "export.zip"]
        files = ["--sightings", tmp_path / "sightings.csv"]
        return CliRunner().invoke(root, ["match", "--json", *map(str, [*exports, *files])])

    return run


def test_a_processor_that_is_not_there_is_refused(match, monkeypatch):
    monkeypatch.setenv("BLUEZONE_KERNEL", "sha+avx9")
    result = match("00" * 16 + ",0,-60,")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == "processor_missing"
    assert "'sha+avx9', expected one of: python" in result.stderr


def matches(result):
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)["matches"]


def test_a_sighting_leads_to_its_key_with_its_attenuation(match):
    key = KEYS[1]
    result = match("00" * 16 + ",0,-60,", row(key, key.start + 3, metadata=Metadata(-18)))
    printed = json.loads(result.stdout)

    assert {name: printed[name] for name in ("keys", "sightings", "kernel")} == {
        "keys": 3,
        "sightings": 2,
        "kernel": "numpy" if fastest_processor() == "numpy" else "native",
    }
    assert printed["seconds"] >= 0
    assert printed["matches"] == [
        {
            "key": key.key.hex(),
            "identifier": rolling_proximity_identifier(key.key, key.start + 3).hex(),
            "unix_seconds": (key.start + 3) * 600,
            "rssi_dbm": -79,
            "attenuation_db": 61,
        }
    ]


def test_matches_stand_in_the_order_of_the_sightings(match):
    rows = [row(KEYS[i], KEYS[i].start + at) for i, at in ((2, 9), (0, 5), (2, 9), (1, 0))]

    assert [found["key"] for found in matches(match(*rows))] == [KEYS[i].key.hex() for i in (2, 0, 2, 1)]


@pytest.mark.parametrize(("offset", "counts"), [(-7201, 0), (-7200, 1), (7799, 1), (7800, 0)])
def test_a_sighting_counts_within_two_hours_of_its_interval(match, offset, counts):
    key = KEYS[0]
    seconds = (key.start + 50) * 600 + offset

    assert len(matches(match(row(key, key.start + 50, seconds=seconds)))) == counts


@pytest.mark.parametrize("metadata", [None, Metadata(-18, major=2), Metadata(-51), Metadata(21)])
def test_without_usable_metadata_the_attenuation_is_null(match, metadata):
    (found,) = matches(match(row(KEYS[0], KEYS[0].start, metadata=metadata)))

    assert found["attenuation_db"] is None


def test_the_filter_of_the_air_is_not_applied(match):
    (found,) = matches(match(row(KEYS[0], KEYS[0].start, rssi=-127, metadata=Metadata(-18))))

    assert (found["rssi_dbm"], found["attenuation_db"]) == (-127, 109)


def test_keys_of_several_files_are_counted_once_each(match, tmp_path):
    (tmp_path / "more.zip").write_bytes(make_export(count=5, seed=2))
    first, second = tmp_path / "export.zip", tmp_path / "more.zip"
    sighting = row(KEYS[0], KEYS[0].start)
    for arguments in (["--export", first, "--export", second, "--export", first], ["--export", first, second, first]):
        printed = json.loads(match(sighting, arguments=arguments).stdout)
        assert (printed["keys"], len(printed["matches"])) == (8, 1)


def test_revised_keys_are_neither_counted_nor_matched(match, tmp_path):
    key = KEYS[0]
    revised = delimited_field(8, delimited_field(1, key.key) + number_field(3, key.start))
    (tmp_path / "revised.bin").write_bytes(HEADER + revised)
    result = match(row(key, key.start), arguments=["--export", tmp_path / "revised.bin"])

    assert (json.loads(result.stdout)["keys"], matches(result)) == (0, [])


def test_no_sighting_is_no_match(match):
    assert matches(match()) == []


GOOD = "00" * 16 + ",1,-60,"


@pytest.mark.parametrize(
    "bad",
    [
        "00" * 15 + ",1,-60,",
        "zz" * 16 + ",1,-60,",
        "00" * 16 + ",,-60,",
        "00" * 16 + ",1.5,-60,",
        "00" * 16 + ",-1,-60,",
        "00" * 16 + ",1,x,",
        "00" * 16 + ",1,-60,0000",
        "00" * 16 + ",1,-60",
        GOOD + ",",
        ",,,",
    ],
)
def test_a_bad_row_is_refused_with_its_line(match, bad):
    result = match(GOOD, bad, GOOD)

    assert result.exit_code == 1
    error = json.loads(result.stdout)["error"]
    assert error["code"] == "sightings_invalid"
    assert "line 3" in error["message"]


def test_a_file_without_header_is_refused(match):
    for head in (GOOD, "identifier,unix_seconds", ""):
        result = match(GOOD, head=head)
        assert (result.exit_code, json.loads(result.stdout)["error"]["code"]) == (1, "sightings_invalid")


def test_a_spreadsheets_mark_and_line_ends_are_no_hindrance(match):
    sighting = row(KEYS[0], KEYS[0].start)

    assert len(matches(match(sighting + "\r", "\r", head="\ufeff" + HEAD + "\r"))) == 1


@pytest.mark.long
@given(st.text(max_size=80), st.text(alphabet='0af,"\r\n -', max_size=120))
def test_any_file_is_read_or_refused_and_nothing_else(anything, nearly):
    for text in (anything, f"{HEAD}\n{nearly}", f"{HEAD}\n{GOOD}\n{anything}"):
        with suppress(InvalidSightings):
            read_sightings(text)
