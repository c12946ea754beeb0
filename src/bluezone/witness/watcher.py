# SPDX-License-Identifier: Apache-2.0
"""When a witness cosigns: after reading all leaves, and never two checkpoints that do not continue each other.

Source: C2SP tlog-witness (`add-checkpoint`) and tlog-cosignature; docs/protocol.md section 9.
"""

import http.client
import logging
import math
import sqlite3
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluezone.logs import event_fields
from bluezone.refusal import Refused
from bluezone.transparency.merkle import EMPTY_ROOT, ProofInvalid, verify_consistency
from bluezone.transparency.notes import (
    LOG_KEY,
    MOST_BYTES,
    MOST_HASHES,
    WITNESS_KEY,
    Checkpoint,
    Note,
    NoteInvalid,
    NoteUntrusted,
    VerifierKey,
    cosign,
    merge_signatures,
    open_checkpoint,
    read_checkpoint,
    read_hashes,
    read_note,
    read_verifier_key,
)
from bluezone.transparency.reading import MOST_LEAVES, Frontier, LeavesMissing, fetch_leaves
from bluezone.witness import leafstore

logger = logging.getLogger(__name__)

STORE_NAME = "witness.sqlite3"
# A checkpoint and a proof of 63 hashes.
MOST_REQUEST_BYTES = MOST_BYTES + 64 * MOST_HASHES
MOST_EVIDENCE = 100
FETCH_SECONDS = 20.0
# How long a call reads leaves; a server waits ten seconds for the answer. The next call reads on.
READING_SECONDS = 4.0
_LOCK_SECONDS = 10.0

_TABLES = (
    """
CREATE TABLE IF NOT EXISTS me (name TEXT NOT NULL, private BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS log (
    origin TEXT PRIMARY KEY, key TEXT NOT NULL, address TEXT NOT NULL, size INTEGER NOT NULL, note BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS evidence (
    at INTEGER NOT NULL, origin TEXT NOT NULL, held BLOB NOT NULL, offered BLOB NOT NULL, UNIQUE (held, offered)
);
"""
    + leafstore.TABLES
)


class WitnessMissing(Refused):
    """The folder contains no witness; `bluezone witness new` makes one."""

    code = "witness_missing"


class WitnessExists(Refused):
    """The folder already contains a witness; its key is made only once."""

    code = "witness_exists"


class WitnessMisplaced(Refused):
    """The folder is a city's data folder; a witness keeps its key on another machine."""

    code = "witness_misplaced"


class LogUnknown(Refused):
    """This witness does not watch a log of that name."""

    code = "witness_log_unknown"


class LogUnreachable(Refused):
    """The city's log cannot be fetched; the witness tries again later."""

    code = "witness_log_unreachable"


class LogAnswerRefused(LogUnreachable):
    """The city's log answers that it does not have what it should have."""


class LogUnread(LogUnreachable):
    """The witness has not read all leaves of this checkpoint yet; a later call reads on."""

    code = "witness_log_unread"


class LeavesDiffer(Refused):
    """The log shows leaves that are not those of the checkpoint it has signed."""

    code = "witness_leaves_differ"


class LogInconsistent(Refused):
    """The log does not continue the checkpoint that this witness has seen; both are stored as evidence."""

    code = "witness_log_inconsistent"


# Other refusals, of what has no valid format, are answered with 400.
_STATUS = (
    (LogUnknown, http.client.NOT_FOUND),
    (NoteUntrusted, http.client.FORBIDDEN),
    (LogUnreachable, http.client.SERVICE_UNAVAILABLE),
    (LeavesDiffer, http.client.UNPROCESSABLE_ENTITY),
    (ProofInvalid, http.client.UNPROCESSABLE_ENTITY),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a request. status: of HTTP."""

    status: int
    body: bytes
    media_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class WatchedLog:
    """A log at its last visit. size: 0 before the first; note: with this witness's cosignature."""

    key: VerifierKey
    address: str
    size: int
    note: Note | None

    @property
    def root(self) -> bytes:
        """The root at the last visit."""
        return read_checkpoint(self.note.text).root if self.note else EMPTY_ROOT


class Watcher:
    """The witness of a folder, usable from any thread and by several processes.

    clock: Unix seconds. seconds: returns the time of a monotonic clock.
    """

    def __init__(
        self, folder: Path, clock: Callable[[], float] = time.time, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._path = folder / STORE_NAME
        self._clock = clock
        self._seconds = seconds
        self._reading: dict[str, threading.Lock] = {}
        if not self._path.is_file():
            raise WitnessMissing(f"{folder} holds no witness; `bluezone witness new` creates one")
        # A store of an earlier version lacks the tables of leaves; its logs are read from the first leaf.
        with closing(sqlite3.connect(self._path, timeout=_LOCK_SECONDS)) as store:
            store.executescript(_TABLES)
        with self._store() as store:
            name, private = store.execute("SELECT name, private FROM me").fetchone()
        self._private = Ed25519PrivateKey.from_private_bytes(private)
        self.key = VerifierKey(name, WITNESS_KEY, self._private.public_key().public_bytes_raw())

    @classmethod
    def create(cls, folder: Path, name: str, clock: Callable[[], float] = time.time) -> "Watcher":
        """Make a witness and its key. name: `host` or `host/more`, with the host that it runs on.

        Raises WitnessExists, WitnessMisplaced, NoteInvalid.
        """
        if (folder / "city.toml").exists():
            raise WitnessMisplaced(f"{folder} is a city's data folder")
        private = Ed25519PrivateKey.generate()
        key = VerifierKey(name, WITNESS_KEY, private.public_key().public_bytes_raw())
        read_verifier_key(str(key), WITNESS_KEY)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / STORE_NAME
        try:
            path.touch(mode=0o600, exist_ok=False)
        except FileExistsError:
            raise WitnessExists(f"{folder} already contains a witness") from None
        store = sqlite3.connect(path, isolation_level=None)
        store.executescript(_TABLES)
        store.execute("INSERT INTO me VALUES (?, ?)", (name, private.private_bytes_raw()))
        store.close()
        return cls(folder, clock)

    def watch(self, key_text: str, address: str) -> VerifierKey:
        """Watch a log from now on. key_text: its verifier key, compared with the city's page; address: of /v1/log.

        Raises NoteInvalid. If the log is watched already, what was seen of it is retained.
        """
        key = read_verifier_key(key_text, LOG_KEY)
        with self._store() as store:
            store.execute(
                "INSERT INTO log VALUES (?, ?, ?, 0, '') ON CONFLICT (origin) DO UPDATE SET address = excluded.address"
                " WHERE key = excluded.key",
                (key.name, str(key), address.rstrip("/")),
            )
        return key

    def logs(self) -> list[WatchedLog]:
        """All watched logs."""
        with self._store() as store:
            return [_watched(row) for row in store.execute("SELECT key, address, size, note FROM log ORDER BY origin")]

    def log(self, origin: str) -> WatchedLog:
        """One log by its name. Raises LogUnknown."""
        for watched in self.logs():
            if watched.key.name == origin:
                return watched
        raise LogUnknown(f"this witness does not watch the log {origin}")

    def evidence(self) -> list[tuple[int, str, bytes, bytes]]:
        """Pairs of signed checkpoints that do not continue each other: time, log, the stored one, the other."""
        with self._store() as store:
            return list(store.execute("SELECT at, origin, held, offered FROM evidence ORDER BY at"))

    def second_leaves(self) -> list[leafstore.SecondLeaf]:
        """The leaves of names that earlier leaves have taken: evidence against a city, and no reason not to cosign."""
        with self._store() as store:
            return leafstore.second_leaves(store)

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer a log's request for a cosignature. The leaves are read from the log's own address first."""
        try:
            return self._add_checkpoint(*_read_request(body), until=self._seconds() + READING_SECONDS)
        except Refused as refused:
            status = next((status for kind, status in _STATUS if isinstance(refused, kind)), http.client.BAD_REQUEST)
            details = event_fields("not_cosigned", code=refused.code)
            logger.warning("not cosigned: %s: %s", refused.code, refused.message, extra=details)
            return Answer(status, _error_body(refused))

    def _add_checkpoint(self, old_size: int, hashes: tuple[bytes, ...], note: Note, until: float) -> Answer:
        origin = read_checkpoint(note.text).origin
        with self._store() as store:
            watched = _find(store, origin)
            conflict = self._examine(store, watched, old_size, hashes, note)
        if conflict:
            return conflict
        checkpoint = read_checkpoint(note.text)
        self._read_leaves(watched, checkpoint, until)
        # One at a time, so that two conflicting requests cannot both be accepted.
        with self._store() as store:
            watched = _find(store, origin)
            return self._examine(store, watched, old_size, hashes, note) or self._cosign(store, checkpoint, note)

    def _examine(
        self, store: sqlite3.Connection, watched: WatchedLog, old_size: int, hashes: tuple[bytes, ...], note: Note
    ) -> Answer | None:
        """None if a checkpoint continues the last one. Raises NoteUntrusted, ProofInvalid."""
        checkpoint = open_checkpoint(note, watched.key)
        if old_size > checkpoint.size:
            return Answer(http.client.BAD_REQUEST, b"the old size is above the new one\n")
        if old_size != watched.size:
            return _conflict(watched.size)
        if old_size == checkpoint.size and checkpoint.root != watched.root:
            self._keep_evidence(store, watched, note)
            return _conflict(watched.size)
        verify_consistency(old_size, watched.root, checkpoint.size, checkpoint.root, hashes)
        return None

    def _cosign(self, store: sqlite3.Connection, checkpoint: Checkpoint, note: Note) -> Answer:
        origin = checkpoint.origin
        read, _ = leafstore.frontiers(store, origin)
        if (read.size, read.root) != (checkpoint.size, checkpoint.root):
            raise LogUnread(f"{origin}: another call has read other leaves meanwhile")
        leafstore.confirm_leaves(store, origin)
        signature = cosign(note.text, self.key, self._private.sign, int(self._clock()))
        by_log = tuple(other for other in note.signatures if other.name == origin)
        cosigned = merge_signatures(Note(note.text, by_log), {self.key.name: signature})
        store.execute("UPDATE log SET size = ?, note = ? WHERE origin = ?", (checkpoint.size, cosigned.data, origin))
        return Answer(http.client.OK, signature.line)

    def _read_leaves(self, watched: WatchedLog, checkpoint: Checkpoint, until: float) -> None:
        """Read all leaves up to a checkpoint that continues the last one. until: of the monotonic clock.

        Raises LeavesDiffer, LogUnread, LogUnreachable.
        """
        origin = checkpoint.origin
        reading = self._reading.setdefault(origin, threading.Lock())
        # One call for each log, so that a city that answers slowly does not occupy the places of others.
        if not reading.acquire(blocking=False):
            raise LogUnread(f"{origin}: another call reads its leaves")
        try:
            # A store of an earlier version has a checkpoint, but has not read its leaves.
            for size, root in ((watched.size, watched.root), (checkpoint.size, checkpoint.root)):
                self._read_to(watched, size, root, until)
            read = self._frontier(origin)
        finally:
            reading.release()
        if read.size > checkpoint.size:
            raise LogUnread(f"{origin}: {read.size} leaves were read of a later checkpoint")

    def _read_to(self, watched: WatchedLog, size: int, root: bytes, until: float) -> None:
        origin = watched.key.name
        while (read := self._frontier(origin)).size < size:
            left = until - self._seconds()
            if left <= 0:
                raise LogUnread(f"{origin}: reading, {read.size} of {size} leaves")
            contents = self._fetch_leaves(watched, read.size, min(size, read.size + MOST_LEAVES), left)
            with self._store() as store:
                leafstore.note_leaves(store, origin, read, contents)
        if read.size != size:
            return
        with self._store() as store:
            if read.root == root:
                return
            leafstore.forget_leaves(store, origin)
        raise LeavesDiffer(f"{origin}: the {size} leaves at {watched.address} are not those that were signed")

    def _frontier(self, origin: str) -> Frontier:
        with self._store() as store:
            return leafstore.frontiers(store, origin)[0]

    def _fetch_leaves(self, watched: WatchedLog, first: int, end: int, seconds: float) -> list[bytes]:
        def fetch(path: str) -> bytes:
            return fetch_over_http(f"{watched.address}/{path}", min(seconds, FETCH_SECONDS))

        try:
            return fetch_leaves(fetch, first, end, LogAnswerRefused)
        except LeavesMissing as refused:
            raise LogUnreachable(f"{watched.key.name}: {refused.message}") from None

    def check_log(self, origin: str) -> Checkpoint:
        """Fetch a log as anyone would, compare it with the last visit and read all leaves; returns its checkpoint.

        Raises LogUnknown, LogUnreachable, LogInconsistent, LeavesDiffer.
        """
        watched = self.log(origin)
        try:
            note = read_note(fetch_over_http(f"{watched.address}/checkpoint"))
            checkpoint = open_checkpoint(note, watched.key)
        except NoteInvalid as refused:
            raise LogUnreachable(f"what {watched.address} shows is not a checkpoint of it: {refused.message}") from None
        smaller, larger = sorted(((watched.size, watched.root), (checkpoint.size, checkpoint.root)))
        hashes: tuple[bytes, ...] = ()
        try:
            if 0 < smaller[0] < larger[0]:
                path = f"{watched.address}/consistency/{smaller[0]}/{larger[0]}"
                hashes = read_hashes(fetch_over_http(path).decode("ascii", "replace").splitlines())
            verify_consistency(smaller[0], smaller[1], larger[0], larger[1], hashes)
        except (ProofInvalid, NoteInvalid, LogAnswerRefused) as refused:
            with self._store() as store:
                self._keep_evidence(store, watched, note)
            raise LogInconsistent(f"{origin}: {refused.message}; both checkpoints are kept as evidence") from None
        if checkpoint.size >= watched.size:
            self._add_checkpoint(watched.size, hashes, note, until=math.inf)
        return checkpoint

    def _keep_evidence(self, store: sqlite3.Connection, watched: WatchedLog, note: Note) -> None:
        (count,) = store.execute("SELECT COUNT(*) FROM evidence").fetchone()
        if watched.note and count < MOST_EVIDENCE:
            row = (int(self._clock()), watched.key.name, watched.note.data, note.data)
            store.execute("INSERT INTO evidence VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", row)

    @contextmanager
    def _store(self) -> Iterator[sqlite3.Connection]:
        store = sqlite3.connect(self._path, timeout=_LOCK_SECONDS, isolation_level=None)
        try:
            # A cosignature is released only after the state is safely on disk.
            store.execute("PRAGMA synchronous=FULL")
            store.execute("BEGIN IMMEDIATE")
            try:
                yield store
            except BaseException:
                store.execute("ROLLBACK")
                raise
            store.execute("COMMIT")
        finally:
            store.close()


def _find(store: sqlite3.Connection, origin: str) -> WatchedLog:
    row = store.execute("SELECT key, address, size, note FROM log WHERE origin = ?", (origin,)).fetchone()
    if row is None:
        raise LogUnknown(f"this witness does not watch the log {origin}")
    return _watched(row)


def _watched(row: tuple[str, str, int, bytes]) -> WatchedLog:
    key, address, size, note = row
    return WatchedLog(read_verifier_key(key, LOG_KEY), address, size, read_note(note) if note else None)


def _read_request(body: bytes) -> tuple[int, tuple[bytes, ...], Note]:
    above, blank, note = body.partition(b"\n\n")
    try:
        first, *lines = above.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise NoteInvalid("the request is not text") from None
    old = first.removeprefix("old ")
    if not blank or old == first or not old.isdecimal() or (len(old) > 1 and old[0] == "0") or len(old) > 16:
        raise NoteInvalid("the request does not begin with the old size")
    return int(old), read_hashes(lines), read_note(note)


def _conflict(size: int) -> Answer:
    return Answer(http.client.CONFLICT, f"{size}\n".encode(), "text/x.tlog.size")


def _error_body(refused: Refused) -> bytes:
    return f"{refused.code}: {refused.message}\n".encode()


def fetch_over_http(address: str, seconds: float = FETCH_SECONDS) -> bytes:
    """The content at an address, at most 64 KiB. seconds: for each step of the call.

    Raises LogUnreachable, LogAnswerRefused.
    """
    parts = urlsplit(address)
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(parts.netloc, timeout=seconds, context=context)
    else:
        connection = http.client.HTTPConnection(parts.netloc, timeout=seconds)
    try:
        connection.request("GET", parts.path)
        answer = connection.getresponse()
        content = answer.read(MOST_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise LogUnreachable(f"{parts.hostname} does not answer: {type(error).__name__}") from None
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise LogAnswerRefused(f"{address} is answered with {answer.status}")
    return content
