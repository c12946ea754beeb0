# SPDX-License-Identifier: Apache-2.0
"""`bluezone move`: every row arrives, whenever the move is cut, and nobody starts on the stores that were left."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from tests.builders.keyserver import postgresql_database, postgresql_server
from tests.builders.serving import BLUEZONE, free_port
from tests.builders.stores import HOTLINE, prepared_store

from bluezone.city_settings import write_default
from bluezone.keyserver.moves import Moved, note_move
from bluezone.keyserver.service import KeyServer
from bluezone.protocol.intervals import INTERVALS_PER_DAY, day_at, first_interval

REPOSITORY = Path(__file__).parents[3]
STORES = ("office", "codes", "keys")

OFFICE = """
import datetime, sys
from pathlib import Path
from zoneinfo import ZoneInfo
from bluezone.server.preparation import prepare_office
prepare_office(Path(sys.argv[1]))
from bluezone.rollout.gates.counters import store_counters
from tests.builders.gates import gate
from tests.builders.office import user
now = datetime.datetime.now(datetime.UTC)
made, _token = gate(now=now)
bucket = int(now.timestamp()) // 300 * 300
rows = [[bucket, "in", "running", 77]]
store_counters(made.devices.get().device_id, made, rows, now.timestamp(), ZoneInfo("Asia/Ho_Chi_Minh"))
user("mai")
user("gone").delete()
"""


def bluezone(*arguments, **environment):
    done = subprocess.run(
        [BLUEZONE, *map(str, arguments), "--json"], capture_output=True, text=True, env={**os.environ, **environment}
    )
    return done.returncode, json.loads(done.stdout)


def add_keys(folder, count):
    """Known keys and waiting ones of the last days, in the files of a folder."""
    today = day_at(time.time())
    with closing(sqlite3.connect(folder / "keys.sqlite3")) as store, store:
        rows = (
            ((number * 0x9E3779B97F4A7C15) % 2**64 - 2**63, first_interval(today - number % 13))
            for number in range(count)
        )
        store.executemany("INSERT INTO known_key VALUES (?, ?)", rows)
        waiting = ((first_interval(today - n % 13), n.to_bytes(16, "big"), 1, 1, 400_000) for n in range(count // 20))
        store.executemany("INSERT INTO waiting_key VALUES (?, ?, ?, ?, ?)", waiting)
    assert INTERVALS_PER_DAY == 144


def add_households(folder, count):
    """Doors of one ward, each merged into the next but one, so that rows point to later ones."""
    with closing(sqlite3.connect(folder / "office.sqlite3")) as store, store:
        (unit,) = store.execute("SELECT id FROM agencies_adminunit WHERE kind <> 'province' LIMIT 1").fetchone()
        columns = [row[1] for row in store.execute("PRAGMA table_info(canvass_household)")]
        base = {
            "unit_id": unit, "group": "Tổ 5", "group_folded": "to 5", "head": "Hoàng Thị Mai", "address": "Ngõ 3",
            "smartphones": 2, "note": "", "folded": "hoang thi mai", "versions": '{"head": [1, "a"]}', "disputed": "[]",
            "is_disputed": 0, "incomplete": "[]", "is_incomplete": 0, "last_outcome": "", "revisit": "",
            "made_at": "2026-11-20 01:02:03.000004", "touched_at": "2026-11-20 01:02:03",
        }  # fmt: skip
        marks = ", ".join("?" * len(columns))

        def row(number):
            later = {"key": door(number), "merged_into_id": door(number + 2) if number + 2 < count else None}
            values = {**base, **later}
            return [values.get(column, 0 if column in ("training", "practised") else None) for column in columns]

        store.executemany(f"INSERT INTO canvass_household VALUES ({marks})", map(row, range(count)))


def door(number):
    return uuid.uuid5(uuid.NAMESPACE_OID, str(number)).hex


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    """The data folder of a city on SQLite, with something of everything."""
    folder = tmp_path_factory.mktemp("move") / "data"
    prepared_store(folder)
    write_default(folder, name_vi="Bắc Kạn", name_en="Bac Kan", hotline=HOTLINE)
    KeyServer.open(folder).close()
    add_keys(folder, 2000)
    add_households(folder, 300)
    subprocess.run([sys.executable, "-c", OFFICE, folder], check=True, cwd=REPOSITORY)
    return folder


@pytest.fixture
def copied(city, tmp_path):
    return Path(shutil.copytree(city, tmp_path / "data"))


@contextmanager
def database():
    with postgresql_database(postgresql_server()) as address:
        yield address


def rows_of(folder, ending=""):
    """Every row of a folder's files as SQLite keeps it; JSON as what it means. ending: of the files' names."""
    found = {}
    for name in STORES:
        (path,) = folder.glob(f"{name}.sqlite3{ending}")
        with closing(sqlite3.connect(path)) as store:
            tables = [row[0] for row in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in sorted(set(tables) - {"django_migrations"}):
                found[name, table] = sorted(
                    (tuple(map(meant, row)) for row in store.execute(f'SELECT * FROM "{table}"')), key=repr
                )
            guards = "SELECT type, name, sql FROM sqlite_master WHERE type IN ('trigger', 'index') ORDER BY name"
            found[name, "sqlite_master"] = store.execute(guards).fetchall()
    return found


def meant(value):
    if isinstance(value, str) and value.startswith(("[", "{")):
        return json.loads(value)
    return value


def moving(folder, to, *, cut_at=None, **environment):
    """Run a move; `cut_at`: kill it when it has said so many lines. Returns its exit code and the lines it said."""
    process = subprocess.Popen(
        [BLUEZONE, "move", "--data", folder, "--to", to],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment},
    )  # fmt: skip
    said = []
    for line in process.stderr:
        said.append(line.rstrip())
        if len(said) == cut_at:
            process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode, said


@pytest.mark.postgres
def test_every_row_goes_to_postgresql_and_comes_back_as_it_was(copied):
    before = rows_of(copied)
    with database() as address:
        code, said = bluezone("move", "--data", copied, "--to", address)
        assert code == 0, said
        assert said["tables"]["keys.known_key"] == 2000
        assert said["rows"] == sum(len(rows) for (_, table), rows in before.items() if table in moved_tables(said))
        with psycopg.connect(address) as there:
            # What was given out once is not given out again.
            taken = dict(before["office", "sqlite_sequence"])["accounts_user"]
            number = there.execute("SELECT nextval(pg_get_serial_sequence('office.accounts_user', 'id'))").fetchone()
            assert number == (taken + 1,)
            with pytest.raises(psycopg.errors.RaiseException):
                there.execute("UPDATE office.accounts_auditentry SET subject = 'other'")
        assert not list(copied.glob("*.sqlite3"))
        assert rows_of(copied, ".moved-*") == before
        assert bluezone("codes", "status", "12345678", "--data", copied)[1]["error"]["code"] == "stores_moved"
        # Nor does the nightly backup go on without stores.
        assert bluezone("backup", "--data", copied)[1]["error"]["code"] == "stores_moved"
        code, said = bluezone("manage", "--data", copied, "verify_audit", BLUEZONE_DATABASE_URL=address)
        assert code == 0, said

        code, said = bluezone("move", "--data", copied, "--to", "sqlite", BLUEZONE_DATABASE_URL=address)
        assert code == 0, said
        after = rows_of(copied)
        numbers = ("office", "sqlite_sequence")
        drawn = {**dict(before[numbers]), "accounts_user": taken + 1}
        assert {name: number for name, number in after.pop(numbers) if number} == {k: v for k, v in drawn.items() if v}
        assert after == {name: rows for name, rows in before.items() if name != numbers}
        refused = bluezone("codes", "status", "12345678", "--data", copied, BLUEZONE_DATABASE_URL=address)
        assert refused[1]["error"]["code"] == "stores_moved"
        # A machine with another folder does not start on what was left either.
        (copied / "move.lock").unlink()
        refused = bluezone("codes", "status", "12345678", "--data", copied, BLUEZONE_DATABASE_URL=address)
        assert refused[1]["error"]["code"] == "store_too_new"


def moved_tables(said):
    return {name.partition(".")[2] for name in said["tables"]}


@pytest.mark.postgres
def test_a_move_that_is_killed_again_and_again_goes_on_and_ends_with_every_row(copied):
    before = rows_of(copied)
    with database() as address:
        for cut_at in (1, 2, 3, 20, 60, 140, 100, 250):
            code, said = moving(copied, address, cut_at=cut_at)
            assert code in (-signal.SIGKILL, 0)
            if code == 0 or not list(copied.glob("*.sqlite3")):
                break
            # Nobody starts on half a city meanwhile, on neither side.
            for environment in ({}, {"BLUEZONE_DATABASE_URL": address}):
                refused = bluezone("codes", "status", "12345678", "--data", copied, **environment)
                assert refused[1]["error"]["code"] == "move_unfinished", said
        code, said = moving(copied, address)
        assert (code, "move_nothing" in said[-1]) in ((0, False), (1, True))
        for cut_at in (2, 50, 150):
            assert moving(copied, "sqlite", cut_at=cut_at, BLUEZONE_DATABASE_URL=address)[0] == -signal.SIGKILL
            refused = bluezone("codes", "status", "12345678", "--data", copied)
            assert refused[1]["error"]["code"] == "move_unfinished"
        code, said = moving(copied, "sqlite", BLUEZONE_DATABASE_URL=address)
        assert code == 0, said
    after = rows_of(copied)
    for rows in (before, after):
        del rows["office", "sqlite_sequence"]
    assert after == before


@pytest.mark.postgres
def test_a_move_that_is_killed_before_the_old_stores_are_put_away_puts_them_away(copied):
    with database() as address:
        assert moving(copied, address)[0] == 0
        (left,) = copied.glob("keys.sqlite3.moved-*")
        left.rename(copied / "keys.sqlite3")
        code, said = moving(copied, address)
        assert code == 0, said
        assert not list(copied.glob("*.sqlite3"))
        assert "move_nothing" in moving(copied, address)[1][-1]


@pytest.mark.postgres
def test_a_row_that_is_other_in_the_new_store_ends_the_move_and_the_old_stores_stay_the_citys(copied):
    before = rows_of(copied)
    with database() as address:
        said = [line.split(" ", 2)[-1] for line in moving_until(copied, address, lambda line: "comparing" in line)]
        assert said
        with psycopg.connect(address) as there:
            smallest = "(SELECT MIN(prefix) FROM keys.known_key)"
            there.execute(f"UPDATE keys.known_key SET start = start + 144 WHERE prefix = {smallest}")
        code, said = moving(copied, address)
        assert code == 1
        assert said[-1].startswith("move_not_equal: keys.known_key differs at row 1 "), said[-1]
        assert bluezone("move", "--data", copied, "--abandon")[0] == 0
        assert rows_of(copied) == before
        assert bluezone("codes", "status", "12345678", "--data", copied)[1]["error"]["code"] != "move_unfinished"
        # What was filled is in the way of the next.
        assert "move_target_used" in moving(copied, address)[1][-1]


def moving_until(folder, to, said_so):
    """Run a move and kill it when it has said something; what it said until then."""
    process = subprocess.Popen(
        [BLUEZONE, "move", "--data", folder, "--to", to], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    said = []
    for line in process.stderr:
        said.append(line)
        if said_so(line):
            process.kill()
            break
    process.communicate()
    assert process.returncode == -signal.SIGKILL, said
    return said


@pytest.mark.postgres
def test_a_value_that_postgresql_does_not_keep_is_named_by_its_table(copied):
    with closing(sqlite3.connect(copied / "office.sqlite3")) as store, store:
        store.execute("UPDATE accounts_user SET name = 'Mai' || char(0) WHERE username = 'mai'")
    with database() as address:
        code, said = moving(copied, address)
        assert code == 1
        assert said[-1].startswith("move_value_refused: PostgreSQL refuses a row of accounts_user"), said[-1]


def test_a_move_without_a_target_says_what_is_missing(city):
    assert bluezone("move", "--data", city)[1]["error"]["code"] == "move_target_missing"
    assert bluezone("move", "--data", city, "--to", "sqlite")[1]["error"]["code"] == "move_target_missing"
    assert bluezone("move", "--data", city, "--abandon")[1]["error"]["code"] == "move_nothing"


def fetched(address, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=120) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def test_serve_says_that_the_city_is_being_moved_and_phones_go_on_following(copied):
    note_move(copied, Moved("moving", "postgresql", "0badcafe", "db/none"))
    public, office = free_port(), free_port()
    process = subprocess.Popen(
        [BLUEZONE, "serve", "--data", copied, "--public-port", str(public), "--office-port", str(office)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert any("closed" in line for line in process.stderr)
        for port, path in ((public, "/"), (office, "/sign-in/")):
            status, head, page = fetched(f"http://localhost:{port}{path}", **{"Accept-Language": "vi"})
            assert (status, head["Retry-After"]) == (503, "120")
            assert "đang được chuyển" in page.decode().replace("\u00a0", " ")
        status, head, said = fetched(f"http://localhost:{public}/v1/health")
        assert (status, json.loads(said)["error"]["code"]) == (503, "move_unfinished")
        status, _, index = fetched(f"http://localhost:{public}/v1/exports/index.json")
        assert (status, index) == (200, (copied / "exports" / "index.json").read_bytes())
        note_move(copied, None)
        assert process.wait(timeout=120) == 0
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
@pytest.mark.postgres
def test_a_large_city_arrives_whole_though_it_is_cut_ten_times(copied):
    households, keys = 100_000, 1_400_000
    for name, table in (("office", "canvass_household"), ("keys", "known_key"), ("keys", "waiting_key")):
        with closing(sqlite3.connect(copied / f"{name}.sqlite3")) as store, store:
            store.execute(f"DELETE FROM {table}")
    add_households(copied, households)
    add_keys(copied, keys)
    with database() as address:
        for percent in (1, 5, 15, 25, 35, 45, 52, 60, 70, 90):
            said = moving_until(copied, address, lambda line, at=percent: int(line[:3]) >= at)
            assert list(copied.glob("*.sqlite3")), said
        code, said = moving(copied, address)
        assert code == 0, said[-1]
        with psycopg.connect(address) as there:
            assert there.execute("SELECT COUNT(*) FROM keys.known_key").fetchone() == (keys,)
