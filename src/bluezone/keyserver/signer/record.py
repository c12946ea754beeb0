# SPDX-License-Identifier: Apache-2.0
"""The record of what a signer has signed: lines that are only appended, each with the hash of the line before it.

A signature is released only after its line is on the disk. So a second request for the same number gets the same
signature or a refusal.
"""

import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bluezone.protocol.signed.envelope import canonical_json
from bluezone.refusal import Refused

FILE_NAME = "signed.jsonl"
_FIRST = "0" * 64

Line = dict[str, Any]


class SignerRecordDamaged(Refused):
    """The signer's record of what it has signed was changed or cut; it signs nothing until a person has checked."""

    code = "signer_record_damaged"


@dataclass
class RecordContent:
    """The content of the record.

    last: the newest line of each kind. exports: lines of exports, by SHA-256 (hex) of the signed bytes. files: SHA-256
    (hex) of every file that an index may list. approved: fingerprints of the keys that have approved a config, by
    SHA-256 (hex) of its content.
    """

    last: dict[str, Line] = field(default_factory=dict)
    exports: dict[str, Line] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    approved: dict[str, set[str]] = field(default_factory=dict)

    def add(self, line: Line) -> None:
        """Add one line."""
        kind = line["kind"]
        if kind == "approval":
            self.approved.setdefault(line["said"], set()).add(line["by"])
            return
        if kind == "export":
            self.exports[line["sha256"]] = line
        self.files.update(line.get("files", ()))
        if kind == "config":
            # An approval is for one change; if it is undone and made again, it needs new approvals.
            self.approved.pop(line["said"], None)
        self.last[kind] = line


class Record:
    """The record in a folder. Two processes may open it; each reads what the other has appended at its next turn."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._signed = RecordContent()
        self._end = 0
        self._last_hash = _FIRST

    @contextmanager
    def turn(self) -> Iterator[RecordContent]:
        """Yield what was signed so far; other processes cannot append meanwhile. Raises SignerRecordDamaged."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self._read(descriptor)
            yield self._signed
        finally:
            os.close(descriptor)

    def append(self, line: Line) -> None:
        """Write a line to the disk. Call it within `turn`. After an OSError no signature may be released."""
        text = canonical_json({**line, "before": self._last_hash}) + b"\n"
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        try:
            if os.write(descriptor, text) < len(text):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self._add(text)

    def _read(self, descriptor: int) -> None:
        size = os.fstat(descriptor).st_size
        if size < self._end:
            raise SignerRecordDamaged(f"{FILE_NAME} has {size} bytes, but had {self._end} before")
        added = os.pread(descriptor, size - self._end, self._end)
        whole = added[: added.rfind(b"\n") + 1]
        if whole != added:
            # The last line was cut by a crash or a full disk, so its signature was never released.
            os.ftruncate(descriptor, self._end + len(whole))
        for text in whole.splitlines(keepends=True):
            self._add(text)

    def _add(self, text: bytes) -> None:
        try:
            line = json.loads(text)
            if line["before"] != self._last_hash:
                raise SignerRecordDamaged(f"a line of {FILE_NAME} does not follow the one before it")
            self._signed.add(line)
        except (ValueError, KeyError, TypeError):
            raise SignerRecordDamaged(f"{FILE_NAME} has a line that no signer writes") from None
        self._end += len(text)
        self._last_hash = hashlib.sha256(text).hexdigest()
