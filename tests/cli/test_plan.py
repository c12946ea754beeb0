# SPDX-License-Identifier: Apache-2.0
"""`bluezone plan`: from a file of wards to one table, on which no number stands without its interval."""

import json
import re

import pytest
from click.testing import CliRunner

from bluezone.cli.planning.plan import plan

WARDS = "ward,residents,running\nĐức Xuân,900,0.4\nSông Cầu,700,0.1\n"
QUICK = ("--days", "20", "--seeds", "3", "--infected", "20")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "wards.csv").write_text(WARDS, "utf-8")
    return tmp_path


def run(folder, *more):
    return CliRunner().invoke(plan, ["--city", str(folder), *QUICK, *more])


@pytest.mark.long
def test_every_number_of_the_table_has_its_interval_and_nothing_is_foretold(folder):
    ran = run(folder)

    assert ran.exit_code == 0, ran.output
    figures = [line for line in ran.stdout.splitlines() if line.startswith("  ")]
    assert len(figures) == 8 * 5 + 3
    assert all(re.search(r" [+-]?[\d,]+ \([+-]?[\d,]+ to [+-]?[\d,]+\)", line) for line in figures)
    assert "will be" not in ran.stdout
    assert "no forecast" in ran.stdout


@pytest.mark.long
def test_the_same_city_gives_the_same_answer(folder):
    one, other = (json.loads(run(folder, "--json").stdout) for _turn in range(2))

    assert one == other
    assert one["residents"] == 1600
    assert one["rows"][0]["option"] == "as_it_is"


@pytest.mark.long
def test_a_disease_is_data_and_a_file_replaces_figures(folder, tmp_path):
    (tmp_path / "ours.toml").write_text('[tested]\nvalue = 0.0\nsource = "nobody is tested here"\n', "utf-8")
    flu = json.loads(run(folder, "--json", "--disease", "influenza").stdout)
    untested = json.loads(run(folder, "--json", "--assumptions", str(tmp_path / "ours.toml")).stdout)

    assert flu["rows"][0]["total"]["infections"] != untested["rows"][0]["total"]["infections"]
    assert untested["rows"][0]["total"]["tests"]["high"] == 0
    assert untested["near_of_100"] is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("ward,people\n", "wards_invalid"),
        ("ward,residents,running\nx,many,0.1\n", "wards_invalid"),
        ("ward,residents,running\nx,900,40\n", "wards_invalid"),
        ("ward,residents,running\nx,90,0.4\n", "city_too_small"),
    ],
)
def test_wards_that_cannot_be_are_refused_with_the_line(tmp_path, text, code):
    (tmp_path / "wards.csv").write_text(text, "utf-8")
    ran = run(tmp_path)

    assert ran.exit_code == 1
    assert code in ran.stderr


def test_a_folder_without_wards_or_city_and_unknown_figures_are_refused(folder, tmp_path):
    (tmp_path / "bad.toml").write_text("[tested]\nvalue = 0.5\n", "utf-8")
    (tmp_path / "empty").mkdir()

    assert "wards_invalid" in run(tmp_path / "empty").stderr
    assert "assumption_invalid" in run(folder, "--assumptions", str(tmp_path / "bad.toml")).stderr
    assert "assumption_invalid" in run(folder, "--disease", "plague").stderr
    assert "plan_invalid" in run(folder, "--seeds", "1").stderr
