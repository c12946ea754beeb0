# SPDX-License-Identifier: Apache-2.0
"""Run tests again in a process with a new PostgreSQL database as the office store."""

import atexit
import functools
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from tests.builders.keyserver import postgresql_database, postgresql_server

REPOSITORY = Path(__file__).parents[2]
MIGRATE = """
import django
from django.core.management import call_command

django.setup()
call_command("migrate", verbosity=0)
"""


def hold_on_postgresql_too(files: Iterable[Path], slow: bool = False) -> None:
    """Run test files on a PostgreSQL server; skips the test without one.

    slow: include tests marked slow.
    """
    server = postgresql_server()
    with postgresql_database(server) as address, _prepared(server, f"test_{urlsplit(address).path[1:]}"):
        ran = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-n",
                "0",
                "-p",
                "no:cacheprovider",
                "--reuse-db",
                *([] if slow else ["-m", "not slow"]),
                *files,
            ],
            env={**os.environ, "BLUEZONE_OFFICE_URL": address},
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
        )

    assert ran.returncode == 0, ran.stdout[-3000:]


@contextmanager
def _prepared(server: str, name: str) -> Iterator[None]:
    """Make the database that Django's tests use, with its tables: a copy of a database that is made once in a run."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    template = f"bluezone_template_{run[:32]}"
    with _alone(server) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [template]).fetchone():
            connection.execute(f"CREATE DATABASE {template}")
            address = urlunsplit(urlsplit(server)._replace(path=f"/{template}"))
            variables = {"BLUEZONE_OFFICE_URL": address, "DJANGO_SETTINGS_MODULE": "bluezone.web.settings"}
            subprocess.run([sys.executable, "-c", MIGRATE], check=True, env={**os.environ, **variables})
            atexit.register(functools.partial(_drop, server, template))
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield
    finally:
        _drop(server, name)


def _drop(server: str, name: str) -> None:
    with _alone(server) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def _alone(server: str) -> Iterator[psycopg.Connection]:
    """A connection with a lock, so that a database is not copied by another process while it is made or dropped."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(hashtext('bluezone tests'))")
        yield connection
