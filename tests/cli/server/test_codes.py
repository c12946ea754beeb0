# SPDX-License-Identifier: Apache-2.0
"""`bluezone codes` as the contract has it."""

import contextlib
import json
import re
import sqlite3
import subprocess
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.builders import commands
from tests.builders.office import local_today, write_city
from tests.builders.serving import BLUEZONE, prepared_store


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("codes") / "data"
    write_city(folder, public_host="bluezone.example")
    prepared_store(folder)
    return folder


def bluezone(*arguments, expected=0):
    ran = commands.bluezone(*arguments)
    assert ran.returncode == expected, ran.stderr
    return ran


def codes(folder, command, *arguments, expected=0):
    return json.loads(bluezone("codes", command, "--data", folder, "--json", *arguments, expected=expected).stdout)


def issue(folder, **changes):
    options = {"--class": "confirmed", "--onset": str(local_today()), **changes}
    return codes(folder, "issue", *(part for pair in options.items() for part in pair))


def test_a_code_is_issued_looked_at_and_revoked(folder):
    options = ("--class", "confirmed", "--onset", str(local_today()), "--json")
    made = json.loads(subprocess.check_output([BLUEZONE, "codes", "issue", "--data", folder, *options]))

    assert set(made) == {"code", "link", "expires"}
    assert re.fullmatch(r"\d{4}-\d{4}-\d{4}", made["code"])
    assert re.fullmatch(r"https://bluezone\.example/r#[\w-]{22}", made["link"])
    left = made["expires"] - datetime.now().astimezone().timestamp()
    assert 86_400 - 60 < left <= 86_400 + 3600
    assert codes(folder, "status", made["code"]) == {"state": "open"}
    assert codes(folder, "revoke", made["link"]) == {"state": "revoked"}
    assert codes(folder, "status", made["code"]) == {"state": "revoked"}
    assert bluezone("manage", "--data", folder, "verify_audit").stdout.startswith("1 entries fit")


@pytest.mark.parametrize(("days", "code"), [(-1, "onset_refused"), (24, "onset_refused")])
def test_an_onset_of_no_use_is_refused_with_its_code(folder, days, code):
    refused = codes(
        folder, "issue", "--class", "clinical", "--onset", str(local_today() - timedelta(days=days)), expected=1
    )

    assert refused["error"]["code"] == code


@pytest.mark.parametrize(
    ("text", "code"),
    [("1234", "code_malformed"), ("0000-0000-0000", "code_unknown"), ("https://x/r#zz", "code_malformed")],
)
def test_a_code_that_is_none_is_refused_with_its_code(folder, text, code):
    for command in ("status", "revoke"):
        assert codes(folder, command, text, expected=1)["error"]["code"] == code


@pytest.mark.parametrize(
    "arguments",
    [("--class", "suspected", "--onset", "2020-08-07"), ("--class", "confirmed", "--onset", "7/8/2020"), ()],
)
def test_a_wrong_usage_ends_with_2(folder, arguments):
    bluezone("codes", "issue", "--data", folder, *arguments, expected=2)


def test_a_folder_without_a_city_is_told_what_makes_one(tmp_path):
    refused = codes(tmp_path, "status", "0000-0000-0000", expected=1)

    assert refused["error"]["code"] == "city_missing"
    assert "serve" in refused["error"]["message"]


def test_management_commands_run_on_the_folder_and_print_one_object_when_asked(folder):
    issue(folder)
    said = json.loads(bluezone("manage", "--data", folder, "--json", "verify_audit").stdout)

    assert said["ok"]
    assert "entries fit" in said["output"]
    refused = json.loads(
        bluezone("manage", "--data", folder, "verify_audit", "--expect", "9:x", "--json", expected=1).stdout
    )
    assert not refused["ok"]
    bluezone("manage", "--data", folder, "verify_audit", "--nonsense", expected=2)


@pytest.mark.long
def test_the_minute_of_issue_is_told_to_whoever_types_the_supervisor_s_key(folder):
    made = json.loads(bluezone("inquiry-key", "new", "--json").stdout)
    bluezone("inquiry-key", "set", made["public"], "--data", folder)
    handles = set(office_handles(folder))
    begun = datetime.now().astimezone()
    issue(folder)
    (handle,) = set(office_handles(folder)) - handles
    private = bytes.fromhex(made["inquiry_key"].replace("-", ""))[:32]
    stored = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert not any(private in content or private.hex().encode() in content for content in stored)

    def ask(typed):
        # Without a terminal of its own, from which a hidden answer is read first.
        return subprocess.run(
            [BLUEZONE, "inquiry-key", "open", "--data", folder, "--json", str(local_today()), handle[-4:]],
            input=f"{typed}\n", capture_output=True, text=True, start_new_session=True, check=False,
        )  # fmt: skip

    told = [one for one in json.loads(ask(made["inquiry_key"]).stdout)["codes"] if one["minute"]]
    assert [(one["mark"], one["worker"]) for one in told] == [(handle[-4:].upper(), "command line")]
    minute = datetime.fromisoformat(told[0]["minute"]).replace(tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
    assert begun - timedelta(minutes=1) < minute <= datetime.now().astimezone()
    assert "inquiry_key_invalid" in ask(made["inquiry_key"][:-1] + "x").stdout


def office_handles(folder):
    with contextlib.closing(sqlite3.connect(folder / "office.sqlite3")) as office:
        return [handle for (handle,) in office.execute("SELECT handle FROM healthauthority_issuedcode")]
