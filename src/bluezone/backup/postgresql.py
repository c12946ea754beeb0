# SPDX-License-Identifier: Apache-2.0
"""Dump and restore a store on PostgreSQL with PostgreSQL's own tools; the password is never on a command line."""

import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from bluezone.refusal import Refused

# A table of the office: five-minute counters are not dumped, only the days that a backup may have (`store_copies`).
COUNTERS = "gates_gatecounter"
_LONGEST_SECONDS = 6 * 3600


class BackupToolMissing(Refused):
    """pg_dump or pg_restore of PostgreSQL is not installed on this machine."""

    code = "backup_tool_missing"


class BackupToolFailed(Refused):
    """pg_dump, pg_restore or psql failed; the message is its first line of output. Nothing was left behind."""

    code = "backup_tool_failed"


class RestoreDatabaseUsed(Refused):
    """The database already has a schema of that name; a restore overwrites nothing."""

    code = "restore_database_used"


def dump_schema(url: str, schema: str, target: Path) -> None:
    """Dump one schema to a file. Raises BackupToolMissing, BackupToolFailed."""
    _run(
        url,
        "pg_dump",
        "-Fc",
        "-n",
        schema,
        "--no-owner",
        f"--exclude-table-data={schema}.{COUNTERS}",
        "-f",
        str(target),
    )


def copy_counters(url: str, schema: str, first_day: str, target: Path) -> None:
    """Write the five-minute counters from a day on to a CSV file. first_day: YYYY-MM-DD."""
    sql = f"COPY (SELECT * FROM {schema}.{COUNTERS} WHERE day >= '{first_day}') TO STDOUT CSV"  # noqa: S608 - ours
    target.write_bytes(_psql(url, sql))


def query_number(url: str, sql: str) -> int:
    """The number that a query returns. Raises BackupToolMissing, BackupToolFailed."""
    return int(_psql(url, sql).strip())


def require_unused(url: str, schema: str) -> None:
    """Raise RestoreDatabaseUsed if the schema exists."""
    sql = f"SELECT 1 FROM pg_namespace WHERE nspname = '{schema}'"  # noqa: S608 - one of our three names
    if _psql(url, sql).strip():
        raise RestoreDatabaseUsed(f"the database already has the schema {schema}; restore into an empty database")


def claim_schema(url: str, schema: str) -> None:
    """Create the schema, so that only our own is ever dropped. Raises RestoreDatabaseUsed, BackupToolFailed."""
    try:
        _psql(url, f"CREATE SCHEMA {schema}")
    except BackupToolFailed:
        require_unused(url, schema)
        raise


def drop_schema(url: str, schema: str) -> None:
    """Drop a schema that was claimed, with everything in it. Raises BackupToolFailed."""
    _psql(url, f"DROP SCHEMA IF EXISTS {schema} CASCADE")


def load_schema(url: str, schema: str, source: Path, counters: Path) -> None:
    """Restore a claimed schema from its dump, and the counters if their file exists."""
    database = _address(url)[0]
    list_file = source.with_suffix(".list")
    contents = _run(url, "pg_restore", "-l", "-d", database, str(source)).decode()
    # Without the schema itself, which `claim_schema` has created.
    list_file.write_text("\n".join(line for line in contents.splitlines() if " SCHEMA - " not in line) + "\n")
    try:
        _run(
            url, "pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", "-L", str(list_file),
            "-d", database, str(source),
        )  # fmt: skip
    finally:
        list_file.unlink()
    if counters.exists():
        _psql(url, f"\\copy {schema}.{COUNTERS} FROM '{counters}' CSV")


def _psql(url: str, sql: str) -> bytes:
    return _run(url, "psql", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-c", sql)


def _run(url: str, tool: str, *arguments: str) -> bytes:
    program = shutil.which(tool)
    if program is None:
        raise BackupToolMissing(f"{tool} is not installed; install the client programs of PostgreSQL")
    address, password = _address(url)
    database = [] if "-d" in arguments else ["-d", address]
    command = [program, *database, *arguments]
    environment = dict(os.environ)
    if password:
        environment["PGPASSWORD"] = password
    done = subprocess.run(command, env=environment, capture_output=True, timeout=_LONGEST_SECONDS, check=False)  # noqa: S603
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        reason = lines[0] if lines else str(done.returncode)
        raise BackupToolFailed(f"{tool}: {reason}")
    return done.stdout


def _address(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    password = unquote(parts.password or "")
    return urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", "@"))), password
