# SPDX-License-Identifier: Apache-2.0
"""The code books that a signer has registered, and which of their slips were used.

A list never changes. Next to it is a file of marks, 32 bytes for each key of the list in the order of the list, written
in place: it has the same size and the same order whatever was used, and no time. Nothing else is kept of a use but the
number of certificates of its day. Source: docs/adr/0032-code-books.md.
"""

import fcntl
import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bluezone.keyserver.keys.keyfolder import SigningRefused
from bluezone.keyserver.securefiles import erase_file, write_atomically
from bluezone.logs import event_fields
from bluezone.protocol.intervals import SECONDS_PER_DAY, SECONDS_PER_HOUR, day_at
from bluezone.protocol.signed.config import WeekKey
from bluezone.protocol.upload import Status
from bluezone.protocol.upload.books import LONGEST_DAYS, BookList, open_book, open_revocation
from bluezone.protocol.upload.slips import SlipUse
from bluezone.refusal import Refused

logger = logging.getLogger(__name__)

FOLDER_NAME = "books"
LIST_SUFFIX = ".list"
MARKS_SUFFIX = ".marks"
STATE_NAME = "state.json"
# After a book's end its maker may count what was used.
KEPT_SECONDS = 14 * SECONDS_PER_DAY
DAYS_OF_MEAN = 14
TIMES_THE_MEAN = 5

_MARK_LENGTH = 32
_OPEN = bytes(_MARK_LENGTH)
_REVOKED = b"\xff" * _MARK_LENGTH


@dataclass
class _State:
    """counts: certificates for slips by UTC day since 1970-01-01. ended: names of lists that ended early."""

    counts: dict[int, int] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)


class Books:
    """The registered books in a signer's folder, usable from any thread and by two processes at a time.

    makers: public keys (hex) of the makers of books. most_a_day: certificates that are signed on every day, before the
    mean of the last days counts. clock: returns Unix seconds.
    """

    def __init__(self, folder: Path, makers: Sequence[str], most_a_day: int, clock: Callable[[], float]) -> None:
        self._folder = folder / FOLDER_NAME
        self._makers = [bytes.fromhex(maker) for maker in makers]
        self._most_a_day = most_a_day
        self._clock = clock
        self._lists: dict[str, BookList] = {}
        self._refused: set[str] = set()
        self._tidied_hour = -1

    def register(self, content: bytes, city_key: bytes) -> str:
        """Register the signed list of a book, and return its name; again, if it is the same. Raises SigningRefused."""
        try:
            book = open_book(content, self._makers)
        except Refused as refused:
            raise SigningRefused(refused.message) from None
        now = self._clock()
        if book.city != city_key:
            raise SigningRefused("the book is another city's")
        if not now < book.ends or book.begins > now + LONGEST_DAYS * SECONDS_PER_DAY:
            raise SigningRefused(f"the book has ended, or begins in more than {LONGEST_DAYS} days")
        with self._turn():
            known = self._lists.get(book.name)
            if known == book:
                return book.name
            if known is not None:
                raise SigningRefused(f"another list is registered as {book.name}")
            # The list comes last: a crash leaves marks that the next attempt replaces.
            marks = _OPEN * (book.count * len(book.keys))
            write_atomically(self._path(book.name, MARKS_SUFFIX), marks, mode=0o600)
            write_atomically(self._path(book.name, LIST_SUFFIX), content, mode=0o600)
        logger.info("signer: book %s is registered", book.name, extra=event_fields("book_registered", book=book.name))
        return book.name

    def revoke(self, content: bytes, city_key: bytes) -> int:
        """Revoke slips, or a whole list; returns how many keys were open until now. Raises SigningRefused."""
        try:
            revocation = open_revocation(content, self._makers)
        except Refused as refused:
            raise SigningRefused(refused.message) from None
        with self._turn() as state:
            book = self._lists.get(revocation.name)
            if book is None or revocation.city != city_key:
                raise SigningRefused(f"no book {revocation.name} of this city is registered")
            places = [match[1] for match in map(book.find, revocation.keys) if match]
            if len(places) < len(revocation.keys):
                raise SigningRefused("a key to revoke is not in the list of its book")
            if not revocation.keys:
                self._end(state, {book.name})
                return sum(mark == _OPEN for mark in self._marks(book))
            changed = [place for place in places if self._mark(book, place) == _OPEN]
            for place in changed:
                self._set_mark(book, place, _REVOKED)
            return len(changed)

    def use_slip(
        self, use: SlipUse, week_key: WeekKey | None, sign: Callable[[], bytes], *, takes_more: bool = True
    ) -> tuple[Status, bytes]:
        """Use a slip: OK and the blind signature, or another status; the same use gets the same answer again.

        week_key: the one that certificates are signed with under the number of the use; None if there is none now.
        sign: makes the blind signature; raises SigningRefused if the signer makes no more for now. takes_more: whether
        the signer made more before this call.
        """
        with self._turn() as state:
            match = self._find(use, state)
            if isinstance(match, Status):
                return match, b""
            book, klass, place = match
            if week_key is None or week_key.klass != klass:
                return Status.KID_REFUSED, b""
            if int.from_bytes(use.blinded, "big") >= week_key.n:
                return Status.BAD_REQUEST, b""
            mark = self._mark(book, place)
            if mark != use.digest and not (takes_more and self._has_room(state)):
                # Before the mark is judged, so that this answer does not show whether the slip was used.
                return Status.LATER, b""
            if mark not in (_OPEN, use.digest):
                return Status.CODE_USED, b""
            try:
                signature = sign()
            except SigningRefused:
                return Status.LATER, b""
            if mark == _OPEN:
                self._count(state)
                self._set_mark(book, place, use.digest)
            # Returned only now: the mark is on the disk.
            return Status.OK, signature

    def end_open_books(self) -> None:
        """End every list that is registered: the marks may be older than the signatures that were made."""
        if not self._folder.is_dir():
            return
        with self._turn() as state:
            open_lists = set(self._lists) - state.ended
            self._end(state, open_lists)
        if open_lists:
            sentence = "signer: the record is older than what was signed; these books have ended: %s"
            names = ", ".join(sorted(open_lists))
            logger.error(sentence, names, extra=event_fields("books_ended", books=names))

    def spent_keys(self, name: str) -> list[bytes]:
        """The sorted keys of a list that were used, of both classes; only after its end. Raises SigningRefused."""
        with self._turn() as state:
            book = self._lists.get(name)
            if book is None:
                raise SigningRefused("no such book is registered")
            if self._clock() < book.ends and name not in state.ended:
                raise SigningRefused(f"book {name} has not ended; ask again afterwards")
            marks = self._marks(book)
            return sorted(book.key_at(place) for place, mark in enumerate(marks) if mark not in (_OPEN, _REVOKED))

    def tidy(self) -> None:
        """Once an hour: delete the lists and marks of past books, and give all files the time of this hour."""
        hour = int(self._clock()) // SECONDS_PER_HOUR
        if hour == self._tidied_hour or not self._folder.is_dir():
            return
        with self._turn() as state:
            now = self._clock()
            for name in [name for name, book in self._lists.items() if now >= book.ends + KEPT_SECONDS]:
                self._path(name, LIST_SUFFIX).unlink(missing_ok=True)
                erase_file(self._path(name, MARKS_SUFFIX))
                state.ended.discard(name)
                del self._lists[name]
            today = day_at(now)
            state.counts = {day: count for day, count in state.counts.items() if day >= today - DAYS_OF_MEAN}
            self._store(state)
            for name in self._lists:
                self._set_time(self._path(name, MARKS_SUFFIX))
        self._tidied_hour = hour

    def _find(self, use: SlipUse, state: _State) -> tuple[BookList, int, int] | Status:
        """The list, the class and the place of a slip that may be used now, or why there is none."""
        now = self._clock()
        for name, book in self._lists.items():
            match = book.find(use.public)
            if match is None:
                continue
            klass, place = match
            is_valid = name not in state.ended and book.begins <= now and use.is_signed(book.book)
            if not is_valid or self._mark(book, place) == _REVOKED:
                return Status.CODE_INVALID
            return (book, klass, place) if now < book.ends else Status.CODE_EXPIRED
        return Status.CODE_INVALID

    def _has_room(self, state: _State) -> bool:
        """Whether one more certificate is plausible today, by those of the 14 days before."""
        today = day_at(self._clock())
        recent = sum(state.counts.get(today - past, 0) for past in range(1, DAYS_OF_MEAN + 1))
        most = max(self._most_a_day, TIMES_THE_MEAN * recent // DAYS_OF_MEAN)
        return state.counts.get(today, 0) < most

    def _count(self, state: _State) -> None:
        today = day_at(self._clock())
        state.counts[today] = state.counts.get(today, 0) + 1
        self._store(state)

    def _end(self, state: _State, names: set[str]) -> None:
        state.ended |= names
        self._store(state)

    @contextmanager
    def _turn(self) -> Iterator[_State]:
        """Yield the state, with the lists read; all other threads and processes wait meanwhile."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(self._folder / "turn.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self._read_lists()
            yield self._read_state()
        finally:
            os.close(descriptor)

    def _read_lists(self) -> None:
        names = {path.stem for path in self._folder.glob(f"*{LIST_SUFFIX}")}
        self._lists = {name: book for name, book in self._lists.items() if name in names}
        for name in sorted(names - set(self._lists) - self._refused):
            try:
                self._lists[name] = open_book(self._path(name, LIST_SUFFIX).read_bytes(), self._makers)
            except Refused as refused:
                # Its maker is no longer named in signer.toml, for example: its slips count no more.
                self._refused.add(name)
                fields = event_fields("book_refused", book=name, code=refused.code)
                logger.warning("signer: book %s: %s", name, refused.message, extra=fields)

    def _read_state(self) -> _State:
        path = self._folder / STATE_NAME
        if not path.exists():
            return _State()
        try:
            members = json.loads(path.read_bytes())
            return _State({int(day): count for day, count in members["counts"].items()}, set(members["ended"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise SigningRefused(f"{FOLDER_NAME}/{STATE_NAME} is damaged; no slip is accepted") from None

    def _store(self, state: _State) -> None:
        members = {
            "counts": {str(day): state.counts[day] for day in sorted(state.counts)},
            "ended": sorted(state.ended),
        }
        write_atomically(self._folder / STATE_NAME, json.dumps(members).encode(), mode=0o600)
        self._set_time(self._folder / STATE_NAME)
        self._set_time(self._folder)

    def _set_time(self, path: Path) -> None:
        """Set the times of a file to the begin of this hour, so that they do not tell when a slip was used."""
        hour = int(self._clock()) // SECONDS_PER_HOUR * SECONDS_PER_HOUR
        os.utime(path, (hour, hour))

    def _path(self, name: str, suffix: str) -> Path:
        return self._folder / f"{name}{suffix}"

    def _marks(self, book: BookList) -> list[bytes]:
        content = self._path(book.name, MARKS_SUFFIX).read_bytes()
        return [content[start : start + _MARK_LENGTH] for start in range(0, len(content), _MARK_LENGTH)]

    def _mark(self, book: BookList, place: int) -> bytes:
        with self._path(book.name, MARKS_SUFFIX).open("rb") as file:
            return os.pread(file.fileno(), _MARK_LENGTH, place * _MARK_LENGTH)

    def _set_mark(self, book: BookList, place: int, mark: bytes) -> None:
        path = self._path(book.name, MARKS_SUFFIX)
        with path.open("r+b", buffering=0) as file:
            os.pwrite(file.fileno(), mark, place * _MARK_LENGTH)
            os.fsync(file.fileno())
        self._set_time(path)
