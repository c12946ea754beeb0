# SPDX-License-Identifier: Apache-2.0
"""Where the office store is: a SQLite file of the data folder, or the schema `office` of a PostgreSQL database."""

import os
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from bluezone.refusal import Refused

OFFICE_SCHEMA = "office"
LOCK_WAIT_SECONDS = 20
# A server that is gone without a word would otherwise hold each thread for minutes.
CONNECT_SECONDS = 5


class DatabaseUrlInvalid(Refused):
    """A database address is not one that can be opened."""

    code = "database_url_invalid"


def office_database(data_dir: Path, url: str | None) -> dict[str, Any]:
    """Django's settings of the office store.

    url: `postgresql://user:password@host:port/database?option=value`, or None for SQLite.
    Raises DatabaseUrlInvalid; its sentence never repeats the address, which may hold a password.
    """
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": data_dir / "office.sqlite3",
            "OPTIONS": {
                # A transaction that will write takes the lock at once, so that it never fails half-way.
                "transaction_mode": "IMMEDIATE",
                "timeout": LOCK_WAIT_SECONDS,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON",
            },
        }
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise DatabaseUrlInvalid("the database address is not a URL") from None
    if parts.scheme not in {"postgresql", "postgres"}:
        raise DatabaseUrlInvalid(f"the database address begins with {parts.scheme!r}, expected postgresql://")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "bluezone",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": CONNECT_SECONDS,
            **dict(parse_qsl(parts.query)),
            "options": f"-c search_path={OFFICE_SCHEMA}",
        },
    }


def state_of(database: Mapping[str, Any]) -> Callable[[], Hashable]:
    """What changes with each commit of a store, without opening it: the state of SQLite's files; else None."""
    if not database["ENGINE"].endswith("sqlite3"):
        return lambda: None
    files = [f"{database['NAME']}{end}" for end in ("", "-wal")]

    def state() -> Hashable:
        return tuple(_written(file) for file in files)

    return state


def _written(file: str) -> Hashable:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
