# SPDX-License-Identifier: Apache-2.0
"""What a signer has signed: lines that are only ever appended, each with the hash of the one before it.

A signature is released after its line is on the disk, so that whoever asks twice for one number gets the same or
nothing.
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
    """The signer's record of what it has signed was changed or cut; it signs nothing until a person has looked."""

    code = "signer_record_damaged"


@dataclass
class Signed:
    """What the lines say. last: the newest of each kind; exports: by SHA-256 (hex) of what was signed.

    files: SHA-256 (hex) of every file that may stand in an index. approved: by SHA-256 (hex) of what a config says, the
    names of the keys of those who approved it.
    """

    last: dict[str, Line] = field(default_factory=dict)
    exports: dict[str, Line] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    approved: dict[str, set[str]] = field(default_factory=dict)

    def take(self, line: Line) -> None:
        """Take one line in."""
        kind = line["kind"]
        if kind == "approval":
            self.approved.setdefault(line["said"], set()).add(line["by"])
            return
        if kind == "export":
            self.exports[line["sha256"]] = line
        self.files.update(line.get("files", ()))
        if kind == "config":
            # An approval is for one change, not for the same change at any later time.
            self.approved.pop(line["said"], None)
        self.last[kind] = line


class Record:
    """The record in a folder. Two processes may have it open: each looks again whenever it takes its turn."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._signed, self._end, self._before = Signed(), 0, _FIRST

    @contextmanager
    def turn(self) -> Iterator[Signed]:
        """What was signed until now; nobody else appends meanwhile. Raises SignerRecordDamaged."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self._read(descriptor)
            yield self._signed
        finally:
            os.close(descriptor)

    def append(self, line: Line) -> None:
        """Put a line on the disk. Call it within `turn`. Raises OSError, and then nothing may be released."""
        text = canonical_json({**line, "before": self._before}) + b"\n"
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        try:
            if os.write(descriptor, text) < len(text):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self._take(text)

    def _read(self, descriptor: int) -> None:
        size = os.fstat(descriptor).st_size
        if size < self._end:
            raise SignerRecordDamaged(f"{FILE_NAME} has {size} bytes, and had {self._end}")
        added = os.pread(descriptor, size - self._end, self._end)
        whole = added[: added.rfind(b"\n") + 1]
        if whole != added:
            # Cut by a crash or a full disk: what it was written for was never released.
            os.ftruncate(descriptor, self._end + len(whole))
        for text in whole.splitlines(keepends=True):
            self._take(text)

    def _take(self, text: bytes) -> None:
        try:
            line = json.loads(text)
            if line["before"] != self._before:
                raise SignerRecordDamaged(f"a line of {FILE_NAME} does not follow the one before it")
            self._signed.take(line)
        except (ValueError, KeyError, TypeError):
            raise SignerRecordDamaged(f"a line of {FILE_NAME} is none of a signer") from None
        self._end += len(text)
        self._before = hashlib.sha256(text).hexdigest()
