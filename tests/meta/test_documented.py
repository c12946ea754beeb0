# SPDX-License-Identifier: Apache-2.0
"""What a user can meet is written down: every problem code, every setting, every command."""

import dataclasses
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import bluezone
from bluezone.refusal import Refused

REPOSITORY = Path(__file__).parents[2]
REFERENCE = REPOSITORY / "docs" / "reference"


def every_module():
    for found in pkgutil.walk_packages(bluezone.__path__, "bluezone."):
        # Android's classes are only inside an Android app; the module has no refusals of its own.
        if found.name == "bluezone.radio.android.platform":
            continue
        if ".migrations" not in found.name and not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def subclasses(kind):
    for child in kind.__subclasses__():
        yield child
        yield from subclasses(child)


def test_every_problem_code_is_in_the_catalogue_and_the_catalogue_has_no_other():
    list(every_module())
    documented = set(re.findall(r"^\| `([a-z0-9_]+)` \|", (REFERENCE / "problems.md").read_text(), re.MULTILINE))
    raised = {
        kind.code for kind in subclasses(Refused) if kind.__module__.startswith("bluezone.") and "code" in vars(kind)
    }
    also_sent = set(re.findall(r"\bapi_problem\(\s*\d+,\s*\"([a-z_]+)\"", sources()))

    assert raised - documented == set(), "codes without an entry in docs/reference/problems.md"
    assert documented - raised - also_sent == set(), "entries nobody raises"


def sources() -> str:
    return "\n".join(path.read_text() for path in (REPOSITORY / "src").rglob("*.py"))


def test_every_setting_is_documented():
    from bluezone.city_settings import City

    text = (REFERENCE / "settings.md").read_text()
    names = {field.name for field in dataclasses.fields(City)}
    names |= set(re.findall(r"\bBLUEZONE_[A-Z_]+", sources()))
    missing = {name for name in names if f"`{name}`" not in text}
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    told = [name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])]

    assert missing == set()
    assert [row for row in rows if row.count("|") != 4] == []
    assert sorted(told) == sorted(set(told)), "a setting has two rows"


def test_the_table_of_authority_is_what_the_program_declares():
    generated = subprocess.run(
        [sys.executable, REPOSITORY / "tools" / "authority.py"], capture_output=True, text=True, check=True
    ).stdout

    assert (REFERENCE / "authority.md").read_text() == generated, (
        "run: .venv/bin/python tools/authority.py > docs/reference/authority.md"
    )


def test_the_command_reference_is_what_the_program_says():
    generated = subprocess.run(
        [sys.executable, REPOSITORY / "tools" / "commands.py"], capture_output=True, text=True, check=True
    ).stdout

    assert (REFERENCE / "commands.md").read_text() == generated, (
        "run: .venv/bin/python tools/commands.py > docs/reference/commands.md"
    )
