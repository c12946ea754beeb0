# SPDX-License-Identifier: Apache-2.0
"""The stores that all other tests copy, made by Django's `migrate`, are what a first start makes from nothing."""

import sqlite3
import subprocess
import sys
from contextlib import closing

from tests.builders.office import write_city
from tests.builders.stores import migrated_store, prepared_store

# What has numbers by the order in which it was made, and when; the rest is compared whole.
BY_NAME = {
    "django_migrations": "SELECT app, name FROM django_migrations",
    "django_content_type": "SELECT app_label, model FROM django_content_type",
    "auth_permission": "SELECT codename, auth_permission.name, app_label, model FROM auth_permission"
    " JOIN django_content_type ON django_content_type.id = content_type_id",
}
TABLES = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"


def contents(path):
    """Schema, and rows of every table."""
    with closing(sqlite3.connect(path)) as store:
        schema = store.execute(TABLES).fetchall()
        rows = {
            name: sorted(store.execute(BY_NAME.get(name, f'SELECT * FROM "{name}"')).fetchall(), key=repr)
            for name, sql in schema
            if sql.startswith("CREATE TABLE") and not name.startswith("sqlite_")
        }
    return schema, rows


def test_a_first_start_makes_the_store_that_tests_copy(tmp_path):
    write_city(tmp_path / "first")
    subprocess.run([sys.executable, "-m", "bluezone.server.preparation", tmp_path / "first"], check=True)
    prepared_store(tmp_path / "copy")

    schema, rows = contents(tmp_path / "first" / "office.sqlite3")
    copied_schema, copied_rows = contents(tmp_path / "copy" / "office.sqlite3")
    assert copied_schema == schema
    assert {name for name in rows if rows[name] != copied_rows[name]} == set()
    assert contents(migrated_store())[0] == schema
    assert len(rows["agencies_agency"]) > 20
    assert not contents(migrated_store())[1]["agencies_agency"]
