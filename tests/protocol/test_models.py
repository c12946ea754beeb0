# SPDX-License-Identifier: Apache-2.0
"""The models of report, gate pass and epoch hold in every run, and fail where one of their rules is left out."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

MODELS = Path(__file__).parents[2] / "docs" / "models"
NAMES = ["report", "gatepass", "epoch"]
RULES = [
    (name, rule)
    for name in NAMES
    for rule in sorted(set(re.findall(r"^#ifdef (\w+)", (MODELS / f"{name}.pml").read_text(), re.MULTILINE)))
]


def searched(folder, name, *left_out):
    """What a search of every run says."""
    for tool in ("spin", "gcc"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    flags = [f"-D{one}" for one in left_out]
    subprocess.run(["spin", *flags, "-a", MODELS / f"{name}.pml"], cwd=folder, check=True, capture_output=True)
    subprocess.run(["gcc", "-O1", "-DSAFETY", "-o", "pan", "pan.c"], cwd=folder, check=True, capture_output=True)
    said = subprocess.run(["./pan", "-m1000000"], cwd=folder, check=True, capture_output=True, text=True).stdout
    assert "max search depth too small" not in said
    assert "Search not completed" in said or "errors: 0" in said
    return said


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_what_the_protocol_promises_holds_in_every_run_of_the_model(tmp_path, name):
    said = searched(tmp_path, name)

    assert "errors: 0" in said, said
    assert int(re.search(r"(\d+) states, stored", said)[1]) > 10_000


@pytest.mark.slow
@pytest.mark.parametrize(("name", "rule"), RULES, ids=["-".join(one) for one in RULES])
def test_the_model_fails_where_a_rule_is_left_out_and_can_reach_what_it_is_for(tmp_path, name, rule):
    said = searched(tmp_path, name, rule)

    assert "assertion violated" in said, said


def test_each_model_has_rules_to_leave_out_and_says_which():
    for name in NAMES:
        text = (MODELS / f"{name}.pml").read_text()
        rules = {rule for model, rule in RULES if model == name}
        assert len(rules) >= 6
        assert all(rule in text.partition("*/\n\n")[0] for rule in rules), rules
