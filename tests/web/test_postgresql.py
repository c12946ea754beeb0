# SPDX-License-Identifier: Apache-2.0
"""The office on PostgreSQL: its own schema, the same guards, one chain whoever writes."""

import json
import os
import subprocess
import sys

import pytest
from tests.builders.keyserver import postgresql_database, postgresql_server
from tests.builders.office import local_today, write_city
from tests.builders.serving import BLUEZONE

pytestmark = pytest.mark.postgres

WRITER = """
import sys
from pathlib import Path
from bluezone.server.preparation import open_office
open_office(Path(sys.argv[1]))
from bluezone.audit import hash_chain
for n in range(25):
    hash_chain.record(sys.argv[2], "code_issued", str(n))
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """The environment of commands on a database of their own, and its address."""
    server = postgresql_server()
    folder = tmp_path_factory.mktemp("postgresql") / "data"
    write_city(folder)
    with postgresql_database(server) as address:
        yield {**os.environ, "BLUEZONE_DATABASE_URL": address, "BLUEZONE_DATA": str(folder)}


def bluezone(office, *arguments):
    return subprocess.run(
        [BLUEZONE, *arguments], env=office, capture_output=True, text=True, timeout=300, check=True
    ).stdout


@pytest.fixture(scope="module")
def database(office):
    import psycopg

    made = json.loads(
        bluezone(office, "codes", "issue", "--class", "confirmed", "--onset", str(local_today()), "--json")
    )
    assert json.loads(bluezone(office, "codes", "revoke", made["code"], "--json")) == {"state": "revoked"}
    with psycopg.connect(office["BLUEZONE_DATABASE_URL"], autocommit=True) as connection:
        yield connection


def test_the_office_lives_in_a_schema_of_its_own(database):
    tables = database.execute("SELECT schemaname, tablename FROM pg_tables WHERE tablename LIKE '%audit%'").fetchall()

    assert tables == [("office", "accounts_auditentry")]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE office.accounts_auditentry SET actor = 'x'",
        "DELETE FROM office.accounts_auditentry",
        "TRUNCATE office.accounts_auditentry",
    ],
)
def test_the_database_refuses_to_rewrite_the_audit(database, statement):
    import psycopg

    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        database.execute(statement)


def test_processes_that_write_at_once_make_one_chain(office, database):
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, office["BLUEZONE_DATA"], name], env=office) for name in "abc"
    ]

    assert [writer.wait(120) for writer in writers] == [0, 0, 0]
    assert bluezone(office, "manage", "verify_audit").startswith("76 entries fit, 1 to 76")


def test_doctor_finds_every_store(office, database):
    checks = {check["name"]: check for check in json.loads(bluezone(office, "doctor", "--json"))["checks"]}

    found = {checks[f"store {name}"]["found"].split(", without")[0] for name in ("codes", "keys", "office")}
    assert found == {"PostgreSQL, up to date"}


def prepare(office):
    command = [sys.executable, "-m", "bluezone.server.preparation", office["BLUEZONE_DATA"]]
    return subprocess.run(command, env=office, capture_output=True, text=True, timeout=300)


def test_a_migration_that_meets_a_table_in_use_gives_up_soon_and_changes_nothing(office, database):
    bluezone(office, "manage", "migrate", "sms", "0001")
    applied = "SELECT count(*) FROM office.django_migrations WHERE app = 'sms'"
    with database.transaction():
        # As pg_dump does for as long as it runs.
        database.execute("LOCK TABLE office.sms_message IN ACCESS SHARE MODE")
        refused = prepare(office)

    assert refused.returncode == 1
    assert "preparing: store_busy: office:" in refused.stderr
    assert database.execute(applied).fetchone() == (1,)
    assert prepare(office).returncode == 0
    assert database.execute(applied).fetchone() == (2,)
