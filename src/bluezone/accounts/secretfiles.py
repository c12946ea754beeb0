# SPDX-License-Identifier: Apache-2.0
"""Secrets of the office: one file each in the data folder, readable by its owner alone."""

import os
import secrets
from pathlib import Path

SECRET_BYTES = 48


def office_secret(data_dir: Path, name: str) -> str:
    """The secret `name` of a data folder, made on first use.

    Returns 64 characters of URL-safe text. Where there is no data folder yet (a build, a test run that names
    none) the secret lasts as long as the process and nothing is written.
    """
    if not data_dir.is_dir():
        return secrets.token_urlsafe(SECRET_BYTES)
    path = data_dir / "keys" / f"office-{name}"
    if not path.exists():
        write_once(path, secrets.token_urlsafe(SECRET_BYTES).encode())
    return path.read_text()


def write_once(path: Path, content: bytes) -> None:
    """Write a secret file (0600) unless there is one; processes that start together agree on one, read whole."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    # Written aside and linked into place.
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        aside.unlink()
