# SPDX-License-Identifier: Apache-2.0
"""Published files heal: each is compared with its hash again and again, and written again when it is damaged or gone.

The store keeps a copy of every file that an index may list. A phone believes a file only if it has the listed hash, so
a damaged one stops every phone that has not fetched it yet.
"""

import hashlib
import itertools
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from bluezone.keyserver.publication.folder import LocalFiles, PublishedFiles
from bluezone.keyserver.publication.series import ALL_SERIES, LISTED_SECONDS
from bluezone.keyserver.storage.store import Store, StoreFull, Transaction
from bluezone.logs import event_fields
from bluezone.shortage import is_shortage

logger = logging.getLogger(__name__)

# How much is read at a round: a small city's files are all compared at each round, 200 MB within a quarter of an hour.
_ROUND_BYTES = 4 * 1024 * 1024
# The row of the table `duty` with the number of files that are damaged and cannot be written again.
DAMAGED_DUTY = "damaged_files"
_COPY = "SELECT content FROM published_content WHERE sha256 = ?"


@dataclass(frozen=True)
class ListedFile:
    """A file that an index may list. name: `<folder>/<file>`; sha256: of its content; size: in bytes."""

    name: str
    sha256: bytes
    size: int


@dataclass
class FileRepair:
    """Compares the files of one city with their hashes. store: of keys; published: their place."""

    store: Store
    published: PublishedFiles
    # Where the next round begins.
    _position: int = 0
    _damaged: set[str] = field(default_factory=set)

    def check(self, now: float) -> None:
        """Compare some files, in turn, with their hashes; write those again that are damaged or missing.

        now: Unix seconds. Raises StoreRefused if the store or the place of the files does not answer.
        """
        files = self._listed(now)
        self._copy_new(files)
        for file in self._due(files):
            self._position += 1
            if self._sound_content(file) is not None:
                self._damaged.discard(file.name)
            else:
                self._repair(file)
        self._damaged &= {file.name for file in files}
        self._note_damaged(has_compared_all=self._position >= len(files))

    def _listed(self, now: float) -> list[ListedFile]:
        files = []
        for series in ALL_SERIES:
            rows = self.store.read(
                f"SELECT name, sha256, size FROM {series.table}"  # noqa: S608
                " WHERE sha256 IS NOT NULL AND end_timestamp > ? ORDER BY number",
                (int(now) - LISTED_SECONDS,),
            )
            files += [ListedFile(f"{series.folder}/{name}", bytes(sha256), size) for name, sha256, size in rows]
        return files

    def _due(self, files: list[ListedFile]) -> list[ListedFile]:
        """The files of this round; from a bucket one at a time, because reading costs money there."""
        if not files:
            return []
        start = self._position % len(files)
        in_turn = files[start:] + files[:start]
        if not isinstance(self.published, LocalFiles):
            return in_turn[:1]
        read = itertools.accumulate((file.size for file in in_turn), initial=0)
        return [file for file, before in zip(in_turn, read, strict=False) if before < _ROUND_BYTES]

    def _sound_content(self, file: ListedFile) -> bytes | None:
        """The content of a file; None if it is damaged, missing or cannot be read.

        Raises OSError if no descriptor is free, which says nothing about the file.
        """
        try:
            content = self.published.get(file.name)
        except OSError as error:
            if is_shortage(error):
                raise
            return None
        is_sound = content is not None and hashlib.sha256(content).digest() == file.sha256
        return content if is_sound else None

    def _repair(self, file: ListedFile) -> None:
        copies = self.store.read(_COPY, (file.sha256,))
        details = {"file": file.name}
        if not copies:
            self._damaged.add(file.name)
            logger.error(
                "files: %s is damaged or missing, and there is no copy", file.name,
                extra=event_fields("published_file_damaged", **details),
            )  # fmt: skip
            return
        try:
            self.published.overwrite(file.name, bytes(copies[0][0]))
        except StoreFull as refused:
            # One file that cannot be written must not stop those that can.
            self._damaged.add(file.name)
            logger.error(
                "files: %s is damaged or missing: %s", file.name, refused.message,
                extra=event_fields("published_file_damaged", **details),
            )  # fmt: skip
            return
        self._damaged.discard(file.name)
        logger.warning(
            "files: %s was damaged or missing, and is written again", file.name,
            extra=event_fields("published_file_repaired", **details),
        )  # fmt: skip

    def _copy_new(self, files: list[ListedFile]) -> None:
        """Copy into the store what was published before it had copies, and what was adopted."""
        copied = {bytes(sha256) for (sha256,) in self.store.read("SELECT sha256 FROM published_content")}
        for file in files:
            if file.sha256 in copied or file.name in self._damaged:
                continue
            content = self._sound_content(file)
            if content is not None:
                self.store.write(_copying(file.sha256, content))

    def _note_damaged(self, has_compared_all: bool) -> None:
        count = len(self._damaged)
        rows = self.store.read("SELECT done FROM duty WHERE name = ?", (DAMAGED_DUTY,))
        noted = rows[0][0] if rows else 0
        # A new process has not looked at every file yet, so it must not take back what the one before has found.
        if count == noted or (count < noted and not has_compared_all):
            return
        sql = "INSERT INTO duty VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET done = excluded.done"
        self.store.write(lambda transaction: transaction.execute(sql, (DAMAGED_DUTY, count)))


def copy_content(transaction: Transaction, sha256: bytes, content: bytes) -> None:
    """Keep a copy of a file's content in the store. sha256: its 32 bytes."""
    transaction.execute("INSERT INTO published_content VALUES (?, ?) ON CONFLICT DO NOTHING", (sha256, content))


def copied_content(transaction: Transaction, sha256: bytes) -> bytes | None:
    """The copy of a file's content in the store, None if there is none."""
    rows = transaction.execute(_COPY, (sha256,))
    return bytes(rows[0][0]) if rows else None


def purge_copies(store: Store, now: float) -> None:
    """Delete the copies of files that no index may list any more. now: Unix seconds."""
    listed = " UNION ALL ".join(
        f"SELECT sha256 FROM {series.table} WHERE sha256 IS NOT NULL AND end_timestamp > ?"  # noqa: S608
        for series in ALL_SERIES
    )
    before = int(now) - LISTED_SECONDS
    sql = f"DELETE FROM published_content WHERE sha256 NOT IN ({listed})"  # noqa: S608
    store.write(lambda transaction: transaction.execute(sql, (before,) * len(ALL_SERIES)))


def _copying(sha256: bytes, content: bytes) -> Callable[[Transaction], None]:
    return lambda transaction: copy_content(transaction, sha256, content)
