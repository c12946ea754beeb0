# SPDX-License-Identifier: Apache-2.0
import json

import pytest
from click.testing import CliRunner

from bluezone.cli.main import root


def run(*arguments):
    return CliRunner().invoke(root, ["ids", *arguments])


@pytest.fixture(scope="module")
def published(vectors):
    return json.loads((vectors / "exposure_notification.json").read_text())


@pytest.fixture(scope="module")
def original(vectors):
    return json.loads((vectors / "bluezone2020.json").read_text())


def test_the_published_identifiers_and_metadata_are_printed_as_one_json_object(published):
    result = run(
        "en", "--json", "--key", published["tek"], "--start", str(published["rolling_start_interval"]),
        "--metadata", published["metadata"],
    )  # fmt: skip
    printed = json.loads(result.stdout)

    assert (result.exit_code, set(printed), result.stderr) == (0, {"identifiers", "metadata"}, "")
    assert len(printed["identifiers"]) == len(printed["metadata"]) == 144
    assert printed["identifiers"][:72] == [pair["rpi"] for pair in published["rpi_aem"]]
    assert printed["metadata"][:72] == [pair["aem"] for pair in published["rpi_aem"]]


def test_without_metadata_none_is_printed(published):
    result = run("en", "--json", "--key", published["tek"], "--start", "0", "--count", "3")

    assert len(json.loads(result.stdout)["identifiers"]) == 3
    assert json.loads(result.stdout)["metadata"] == []


def test_a_person_reads_one_identifier_a_line(published):
    result = run("en", "--key", published["tek"], "--start", str(published["rolling_start_interval"]), "--count", "2")

    assert result.stdout.split() == [pair["rpi"] for pair in published["rpi_aem"][:2]]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--key", "00" * 15, "--start", "0"], "key_invalid"),
        (["--key", "00" * 16, "--start", "0", "--count", "145"], "key_invalid"),
        (["--key", "00" * 16, "--start", "-1"], "key_invalid"),
        (["--key", "00" * 16, "--start", "0", "--metadata", "00"], "metadata_invalid"),
    ],
)
def test_what_is_no_key_is_refused_with_a_code(arguments, code):
    result = run("en", "--json", *arguments)

    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == code
    assert result.stderr.startswith(code)


def test_what_is_no_hex_is_a_usage_error():
    assert run("en", "--key", "xyz", "--start", "0").exit_code == 2


def test_the_original_apps_day_is_printed_in_upper_case(original):
    case = original["derive"][0]
    given = case["in"]
    result = run(
        "bluezone2020", "--json", "--base", given["base_id"].lower(), "--created-ms", str(given["base_created_ms"]),
        "--at-ms", str(given["now_ms"]), "--slots", str(given["max_sub_keys"]),
    )  # fmt: skip

    assert json.loads(result.stdout) == {
        "daily_key": case["daily_key"],
        "sub_key_0": case["sub_key_0"],
        "ids": case["ids"],
        "starts_ms": case["id_start_ms"],
        "index": case["index"],
    }


def test_the_identifiers_of_the_captured_phone_come_out(original):
    capture = original["real_device_capture"]
    for row in capture["own_ids"]:
        result = run(
            "bluezone2020", "--json", "--base", capture["base_id"], "--created-ms", str(capture["time"] * 1000),
            "--at-ms", str(row["timestamp_ms"]),
        )  # fmt: skip
        printed = json.loads(result.stdout)
        assert (printed["index"], printed["ids"][row["index"]]) == (row["index"], row["blid"])


def test_a_slot_count_without_identifiers_is_refused():
    result = run("bluezone2020", "--base", "00" * 32, "--created-ms", "0", "--at-ms", "0", "--slots", "1")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("bluezone2020_invalid")
