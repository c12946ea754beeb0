# SPDX-License-Identifier: Apache-2.0
"""The city's recovery key: its public part is in the data folder, the private part on paper."""

import hashlib
import hmac
from pathlib import Path

RECOVERY_FILE = Path("keys") / "recovery-ed25519.pub"
RECOVERY_CHECK_FILE = Path("keys") / "recovery-check"


def read_recovery_key(data_dir: Path) -> str | None:
    """The public part of the city's recovery key (hex), None before it is made."""
    path = data_dir / RECOVERY_FILE
    return path.read_text("ascii").strip() if path.exists() else None


def hash_last_group(public: str, last_group: str) -> bytes:
    """The hash of the last four characters on the paper, as stored to detect typing errors. It is not a secret."""
    return hashlib.sha256(f"{public} {last_group}".encode()).hexdigest().encode() + b"\n"


def matches_recovery_key(data_dir: Path, last_group: str) -> bool:
    """Whether these are the last four characters of the recovery key; also False if no hash of them is stored."""
    public = read_recovery_key(data_dir)
    path = data_dir / RECOVERY_CHECK_FILE
    if public is None or not path.exists():
        return False
    return hmac.compare_digest(path.read_bytes(), hash_last_group(public, last_group.strip().lower()))
