# SPDX-License-Identifier: Apache-2.0
"""Where the office store is: a SQLite file of the data folder, or the schema `office` of a PostgreSQL database."""

import os
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from bluezone.keyserver.storage.sqlite import store_file
from bluezone.keyserver.storage.store import LIBPQ_OPTIONS, SERVER_SETTINGS, behind_pooler
from bluezone.refusal import Refused

OFFICE_SCHEMA = "office"
LOCK_WAIT_SECONDS = 20


class DatabaseUrlInvalid(Refused):
    """A database address is invalid."""

    code = "database_url_invalid"


def office_database(data_dir: Path, url: str | None) -> dict[str, Any]:
    """Django's settings of the office store.

    url: `postgresql://user:password@host:port,host:port/database?option=value`, or None for SQLite. With several hosts
    libpq uses the first that answers, and with `target_session_attrs=read-write` the one that accepts writes.
    Raises DatabaseUrlInvalid; its message never contains the address, which may include a password.
    """
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": store_file(data_dir, "office"),
            "OPTIONS": {
                # A transaction that will write takes the lock at its start, so that it never fails half-way.
                "transaction_mode": "IMMEDIATE",
                "timeout": LOCK_WAIT_SECONDS,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON",
            },
        }
    try:
        parts = urlsplit(url)
        hosts, ports = _hosts(parts.netloc)
    except ValueError:
        raise DatabaseUrlInvalid("the database address is not a URL") from None
    if parts.scheme not in {"postgresql", "postgres"}:
        raise DatabaseUrlInvalid(f"the database address begins with {parts.scheme!r}, expected postgresql://")
    server_side = {} if behind_pooler() else {"search_path": OFFICE_SCHEMA, **SERVER_SETTINGS}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "bluezone",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": hosts,
        "PORT": ports,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            **LIBPQ_OPTIONS,
            **dict(parse_qsl(parts.query)),
            "options": " ".join(f"-c {name}={value}" for name, value in server_side.items()),
        },
        "DISABLE_SERVER_SIDE_CURSORS": behind_pooler(),
    }


def _hosts(netloc: str) -> tuple[str, str]:
    """Hosts and ports as libpq accepts them, separated by commas. Raises ValueError."""
    servers = [urlsplit(f"//{server}") for server in netloc.rpartition("@")[2].split(",")]
    hosts = [server.hostname or "" for server in servers]
    ports = [str(server.port or "") for server in servers]
    if len(servers) > 1 and not all(hosts):
        raise ValueError("a host is missing")
    return ",".join(hosts), ",".join(ports) if any(ports) else ""


def database_state(database: Mapping[str, Any]) -> Callable[[], Hashable]:
    """A function that returns the state of SQLite's files, which changes with each commit, or None on PostgreSQL.

    The function does not open the store.
    """
    if not database["ENGINE"].endswith("sqlite3"):
        return lambda: None
    files = [f"{database['NAME']}{end}" for end in ("", "-wal")]

    def state() -> Hashable:
        return tuple(_stat_of(file) for file in files)

    return state


def _stat_of(file: str) -> Hashable:
    try:
        status = os.stat(file)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
