# SPDX-License-Identifier: Apache-2.0
import json
from datetime import datetime

import pytest
from click.testing import CliRunner

from bluezone.cli.main import root

WINDOW = {
    "ageInDays": 1,
    "reportType": 1,
    "infectiousness": 2,
    "calibrationConfidence": 3,
    "scanInstances": [{"minAttenuation": 50, "typicalAttenuation": 54, "secondsSinceLastScan": 300}] * 5,
}


@pytest.fixture
def score(tmp_path):
    """Run `bluezone exposure score` on a list of windows; returns its result and what it printed."""

    def run(windows, *arguments: str):
        path = tmp_path / "windows.json"
        path.write_text(windows if isinstance(windows, str) else json.dumps(windows))
        return CliRunner().invoke(root, ["exposure", "score", "--windows", str(path), *arguments])

    return run


def test_the_result_is_one_json_object(score):
    result = score([WINDOW], "--today", "2020-08-07", "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "level": "high",
        "days": [{"day": "2020-08-06", "score": 26.1, "level": "high", "minutes": 25}],
    }


def test_a_person_reads_the_same_in_lines(score):
    result = score([WINDOW], "--today", "2020-08-07")

    assert result.stdout.splitlines() == ["2020-08-06  high  score 26.1  about 25 minutes", "risk: high"]


def test_no_windows_are_no_risk(score):
    assert json.loads(score([], "--json").stdout) == {"level": "none", "days": []}


def test_ages_count_from_today_unless_a_date_is_given(score):
    before = datetime.now().astimezone().date()
    days = json.loads(score([{**WINDOW, "ageInDays": 0}], "--json").stdout)["days"]

    # Midnight may pass while the command runs.
    assert days[0]["day"] in {day.isoformat() for day in (before, datetime.now().astimezone().date())}


def test_a_shipped_profile_is_named(score):
    assert json.loads(score([WINDOW], "--profile", "cwa", "--json").stdout)["days"][0]["score"] == 32.0


def test_published_cases_of_the_corona_warn_app_pass(score, shared, tmp_path):
    published = json.loads((shared / "vectors" / "riskscore.json").read_text())["cwa"]
    configuration = tmp_path / "cwa.json"
    configuration.write_text(json.dumps(published["defaultRiskCalculationConfiguration"]))
    for case in published["testCases"]:
        result = score(
            case["exposureWindows"], "--profile", str(configuration), "--today", "2020-08-07", "--json"
        )  # fmt: skip
        answer = json.loads(result.stdout)
        counts = {level: sum(day["level"] == level for day in answer["days"]) for level in ("low", "high")}

        assert {"none": 1, "low": 1, "high": 2}[answer["level"]] == case["expTotalRiskLevel"], case["description"]
        assert counts["low"] == case["expNumberOfDaysWithLowRisk"]
        assert counts["high"] == case["expNumberOfDaysWithHighRisk"]


@pytest.mark.parametrize(
    "windows",
    [
        "",
        "{}",
        "[" * 100_000,
        [1],
        [{}],
        [{**WINDOW, "ageInDays": -1}],
        [{**WINDOW, "ageInDays": 10**9}],
        [{**WINDOW, "reportType": 6}],
        [{**WINDOW, "infectiousness": "high"}],
        [{**WINDOW, "scanInstances": {}}],
        [{**WINDOW, "scanInstances": [{"minAttenuation": 1, "typicalAttenuation": 1}]}],
        [{**WINDOW, "scanInstances": [{"minAttenuation": 1, "typicalAttenuation": 256, "secondsSinceLastScan": 1}]}],
    ],
)
def test_other_files_are_refused(score, windows):
    result = score(windows, "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == "windows_invalid"
    assert result.stderr.startswith("windows_invalid: ")


def test_a_profile_that_is_none_is_refused(score, tmp_path):
    (tmp_path / "wrong.toml").write_text("name = 'wrong'")
    result = score([WINDOW], "--profile", str(tmp_path / "wrong.toml"), "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == "profile_invalid"


@pytest.mark.parametrize("arguments", [["--today", "7 August"], ["--windows", "nowhere.json"], ["--nonsense"]])
def test_a_wrong_call_ends_with_two(score, arguments):
    assert score([WINDOW], *arguments).exit_code == 2
