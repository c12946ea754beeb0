# SPDX-License-Identifier: Apache-2.0
"""The data folder of each earlier release opens in this version with every row kept, and a newer one is refused.

Each archive here was written by the release of its name, in which an invented city had a letter under way, codes, keys
that were published and keys that wait; docs/contributing/releases.md says how the next one is made.
"""

import json
import re
import sqlite3
import subprocess
import sys
import tarfile
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from tests.builders.serving import BLUEZONE

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[2]
RELEASES = sorted(path.name.removesuffix(".tar.xz") for path in HERE.glob("*.tar.xz"))
STORES = ("office", "codes", "keys")
# What an upgrade forgets on purpose: docs/privacy.md, What copies of the stores tell.
FORGOTTEN = {
    "office.healthauthority_issuedcode": {"issued_at"},
    "codes.credential": {"handle", "class", "onset_day", "digits_expire", "link_expire"},
}


@pytest.fixture(params=RELEASES)
def folder(request, tmp_path):
    folder = tmp_path / "upgraded"
    folder.mkdir(mode=0o700)
    with tarfile.open(HERE / f"{request.param}.tar.xz") as kept:  # a small Debian has no xz for tar
        kept.extraction_filter = lambda member, _: member  # as it is, modes too
        kept.extractall(folder)
    return folder


def prepared(folder):
    """What `serve` does at its start and at SIGHUP, before anything else."""
    command = [sys.executable, "-m", "bluezone.server.preparation", folder]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def rows(folder):
    """Store -> table -> the names of its columns, and each row with them."""
    found = {}
    for store in STORES:
        with closing(sqlite3.connect(f"file:{folder / store}.sqlite3?mode=ro", uri=True)) as opened:
            opened.row_factory = sqlite3.Row
            tables = [name for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            found[store] = {
                table: [dict(row) for row in opened.execute(f'SELECT * FROM "{table}"')]
                for table in tables
                if not table.startswith("sqlite_")
            }
    return found


def missing(before, after, forgotten=frozenset()):
    """The rows of one table that are not among those of the same table later, by the columns that it has still."""
    columns = sorted((set(before[0]) & set(after[0])) - forgotten) if after else sorted(before[0])
    counted = [Counter(tuple(row[column] for column in columns) for row in table) for table in (before, after)]
    return counted[0] - counted[1]


def test_there_is_a_folder_of_each_release():
    released = re.findall(r"^## ([0-9.]+)", (REPOSITORY / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert sorted(released) == RELEASES


@pytest.mark.long
def test_every_row_of_an_earlier_release_is_kept_and_all_files_stay_as_phones_know_them(folder):
    settings = folder / "city.toml"
    settings.write_text("uuid = 20054\n" + settings.read_text())
    before = rows(folder)
    published = {path: path.read_bytes() for path in folder.glob("exports/*.zip")}
    done = prepared(folder)

    assert done.returncode == 0, done.stderr
    after = rows(folder)
    lost = {
        f"{store}.{table}": missing(held, after[store].get(table, []), FORGOTTEN.get(f"{store}.{table}", set()))
        for store, tables in before.items()
        for table, held in tables.items()
        if held
    }
    assert not {name: gone for name, gone in lost.items() if gone}
    assert before["office"]["directives_directive"]
    assert before["codes"]["credential"]
    assert before["keys"]["waiting_key"]
    assert {path: path.read_bytes() for path in folder.glob("exports/*.zip")} == published
    checks = json.loads(
        subprocess.run([BLUEZONE, "doctor", "--data", folder, "--json"], capture_output=True, timeout=300).stdout
    )["checks"]
    assert {check["name"]: check["found"] for check in checks if check["name"].startswith("store")} == {
        f"store {name}": "SQLite, whole, up to date" for name in STORES
    }


@pytest.mark.parametrize(
    ("store", "later"),
    [
        ("codes", "INSERT INTO migration VALUES (9999)"),
        ("keys", "INSERT INTO migration VALUES (9999)"),
        (
            "office",
            "INSERT INTO django_migrations (app, name, applied) VALUES ('directives', '9999_later', '2099-01-01')",
        ),
    ],
)
def test_a_folder_that_a_later_release_has_changed_is_refused_and_not_touched(folder, store, later):
    with closing(sqlite3.connect(folder / f"{store}.sqlite3")) as opened:
        opened.execute(later)
        opened.commit()
    before = rows(folder)[store]
    refused = prepared(folder)

    assert refused.returncode == 1
    assert "store_too_new" in refused.stderr
    assert rows(folder)[store] == before
