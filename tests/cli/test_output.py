# SPDX-License-Identifier: Apache-2.0
"""Whatever a folder or file turns out to be, a command ends with a code and a sentence."""

import json

import pytest
from tests.builders import commands

COMMANDS = (
    ["codes", "status", "1234-5678-9012"],
    ["codes", "issue", "--class", "confirmed", "--onset", "2026-11-20"],
    ["serve", "--hotline", "0209 3 870 943"],
    ["handset", "status"],
    ["handset", "forget", "--yes"],
    ["manage", "verify_audit"],
)


def bluezone(*arguments):
    """A process of its own: `manage` would meet Django settings that other tests have loaded."""
    return commands.bluezone(*arguments)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_data_folder_that_is_a_file_is_refused_without_a_traceback(command, tmp_path):
    (tmp_path / "plain").write_text("not a folder")
    done = bluezone(*command, "--data", str(tmp_path / "plain"), "--json")

    assert done.returncode in {1, 2}
    assert "Traceback" not in done.stderr
    if done.returncode == 1:
        error = json.loads(done.stdout)["error"]
        assert done.stderr.splitlines()[-1] == f"{error['code']}: {error['message']}"


def test_what_the_operating_system_refuses_has_a_code(tmp_path):
    (tmp_path / "plain").write_text("not a folder")
    done = bluezone("serve", "--hotline", "0209 3 870 943", "--data", str(tmp_path / "plain"), "--json")

    assert json.loads(done.stdout)["error"]["code"] == "system_error"


def test_manage_without_a_server_says_what_makes_one(tmp_path):
    done = bluezone("manage", "verify_audit", "--data", str(tmp_path / "none"), "--json")

    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (1, "city_missing")
    assert not (tmp_path / "none").exists()
