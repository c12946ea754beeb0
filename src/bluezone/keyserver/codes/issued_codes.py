# SPDX-License-Identifier: Apache-2.0
"""Verification codes in the codes store: the health authority issues, looks and revokes through these functions.

The digits and the link are two ways to one row.

Source: docs/protocol.md section 4, "Code"; docs/attacks.md rows 5, 35, 44.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import IntEnum
from functools import partial
from secrets import randbelow, token_bytes
from typing import Literal
from zoneinfo import ZoneInfo

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bluezone.keyserver.keys.keyfolder import Pepper
from bluezone.keyserver.storage.store import Row, Store, Transaction
from bluezone.protocol.intervals import SECONDS_PER_DAY, SECONDS_PER_HOUR, SECONDS_PER_WEEK, hour_at
from bluezone.protocol.upload import CLINICAL_CLASS, CONFIRMED_CLASS
from bluezone.protocol.upload.codes import (
    CODE_LENGTH,
    LONG_CODE_LENGTH,
    Credential,
    CredentialKind,
    format_code,
    link_url,
    new_code,
    new_link,
)
from bluezone.refusal import Refused

CodeState = Literal["open", "used", "revoked", "expired"]

# From the end of the hour in which a code was issued.
DIGITS_LIFE_SECONDS = SECONDS_PER_DAY
LINK_LIFE_SECONDS = 2 * SECONDS_PER_DAY
# An older onset leaves no day that is both infectious and within the 14 days of a key (onset + 9 >= today - 14).
OLDEST_ONSET_DAYS = 23
CLASSES = {"confirmed": CONFIRMED_CLASS, "clinical": CLINICAL_CLASS}
EPOCH = date(1970, 1, 1)

_HANDLE_DIGITS = 32
_UNKNOWN = "no such code was issued here, or it expired days ago"
_SELECT = (
    "SELECT handle, class, onset_day, digits_expire, link_expire, state, used_digest, sealed_digits, sealed_link"
    " FROM credential"
)
_SELECT_BY = {
    "handle": f"{_SELECT} WHERE handle = ?",
    "digits": f"{_SELECT} WHERE digits_hash = ?",
    "link": f"{_SELECT} WHERE link_hash = ?",
    "rehearsal": f"{_SELECT.replace('credential', 'rehearsal')} WHERE digits_hash = ?",
    "revoked_digits": f"{_SELECT} WHERE revoked_digits_hash = ?",
    "revoked_link": f"{_SELECT} WHERE revoked_link_hash = ?",
}
# A code of 12 digits is hit with a chance of one in ten thousand a day where wrong codes of 24 hours times open codes
# make this; from there on new codes have 16. Guesses are noted at each doubling: they are at most twice as many.
GUESSES_HOURS = 24
MOST_CHANCES = 10_000_000
# What is used or revoked ends with the week in which its link would have (Monday, 00:00 UTC): its day of issue is gone.
_MONDAY = 4 * SECONDS_PER_DAY
_END = f"(link_expire - {_MONDAY} + {SECONDS_PER_WEEK - 1}) / {SECONDS_PER_WEEK} * {SECONDS_PER_WEEK} + {_MONDAY}"
FORGET_CASE = f"class = NULL, onset_day = NULL, digits_expire = {_END}, link_expire = {_END}"
_REVOKE = (
    "UPDATE credential SET state = ?, revoked_digits_hash = digits_hash, revoked_link_hash = link_hash,"  # noqa: S608
    f" digits_hash = NULL, link_hash = NULL, sealed_digits = NULL, sealed_link = NULL, {FORGET_CASE} WHERE state = ?"
)
# Class, onset day, ends of digits and link. Each key seals one text, so that a nonce is not needed.
_CASE = struct.Struct(">BiQQ")
_NO_NONCE = bytes(12)
SEALED_LENGTH = _CASE.size + 16
# Ten tries at 36 random bits: the chance that all are taken is nil, an endless loop is not.
_DRAWS = 10
# As many as the migration made.
REHEARSAL_ROWS = 64


class State(IntEnum):
    """What happened to a row, whatever the time."""

    OPEN = 0
    USED = 1
    REVOKED = 2


class ClassRefused(Refused):
    """Not a class of diagnosis that a code is issued for."""

    code = "class_refused"


class OnsetRefused(Refused):
    """The onset lies ahead, or so far back that no key could be uploaded for it."""

    code = "onset_refused"


class CodeUnknown(Refused):
    """No code of this kind was issued here, or it is long gone."""

    code = "code_unknown"


class CodeAlreadyUsed(Refused):
    """The code was used before it could be revoked."""

    code = "code_already_used"


@dataclass(frozen=True)
class IssuedCode:
    """What a health worker hands over, shown once and stored nowhere.

    code:    `dddd-dddd-dddd`, or four fours, valid until `expires`.
    link:    address with the same power, valid until `link_expires`.
    row_id:  opaque handle, 32 hex digits, by which its state is asked; the office gives it away and keeps it nowhere.
    expires, link_expires: Unix seconds.
    """

    code: str = field(repr=False)
    link: str = field(repr=False)
    row_id: str
    expires: int
    link_expires: int


@dataclass(frozen=True)
class CredentialRow:
    """A row of the codes store, as the three calls of a report need it.

    handle: 16 bytes; klass: 1 or 2, 0 for a rehearsal; onset_day: UTC day; both None once used. used_digest: 32 bytes
    once used, else None. sealed_digits, sealed_link: 37 bytes that open with digits and link, None in rows of before.
    """

    handle: bytes
    klass: int | None
    onset_day: int | None
    digits_expire: int
    link_expire: int
    state: State
    used_digest: bytes | None
    sealed_digits: bytes | None
    sealed_link: bytes | None

    def expires(self, kind: CredentialKind) -> int:
        """Unix seconds at which a way to this row ends."""
        return self.digits_expire if kind is CredentialKind.DIGITS else self.link_expire


@dataclass(frozen=True)
class Case:
    """What a code is worth, whether it was used or not. klass, onset_day and ends as those of an unused row."""

    klass: int
    onset_day: int
    digits_expire: int
    link_expire: int

    def expires(self, kind: CredentialKind) -> int:
        """Unix seconds at which a way to this code ends."""
        return self.digits_expire if kind is CredentialKind.DIGITS else self.link_expire


@dataclass(frozen=True)
class Codes:
    """The codes of one city. store: of codes; clock: Unix seconds; zone: IANA name; origin: of the links."""

    store: Store
    secrets: Pepper
    clock: Callable[[], float]
    zone: str
    origin: str

    def issue(self, klass: str, onset: date) -> IssuedCode:
        """Make a code and a link for one case.

        klass: "confirmed" (test) or "clinical". onset: local date on which the illness began, or of the test.
        Raises ClassRefused, OnsetRefused, StoreRefused.
        """
        if klass not in CLASSES:
            raise ClassRefused(f"class is {klass!r}, expected confirmed or clinical")
        now = self.clock()
        today = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(self.zone)).date()
        if not 0 <= (today - onset).days <= OLDEST_ONSET_DAYS:
            raise OnsetRefused(f"onset is {onset}, expected {OLDEST_ONSET_DAYS} days ago to today, {today}")
        length = self._length(now)
        # The end of a code that nobody has used yet must not tell in which minute it was issued.
        whole_hour = -(-int(now) // SECONDS_PER_HOUR) * SECONDS_PER_HOUR
        for _ in range(_DRAWS):
            digits, link, handle = new_code(randbelow, length), new_link(token_bytes), token_bytes(16)
            ends = whole_hour + DIGITS_LIFE_SECONDS, whole_hour + LINK_LIFE_SECONDS
            case = (CLASSES[klass], (onset - EPOCH).days, *ends)
            ways = Credential.from_digits(digits), Credential.from_link(link)
            hashes = [self.secrets.credential_hash(way) for way in ways]
            sealed = [self._seal(way, handle, case) for way in ways]
            if self.store.write(partial(_insert, (handle, *hashes, *case, *sealed))):
                return IssuedCode(format_code(digits), link_url(self.origin, link), handle.hex(), *ends)
        raise CodeUnknown("no free code was found; the random number generator of this machine repeats itself")

    def _seal(self, credential: Credential, handle: bytes, case: tuple[int, int, int, int]) -> bytes:
        return AESGCM(self.secrets.case_key(credential, handle)).encrypt(_NO_NONCE, _CASE.pack(*case), handle)

    def case_of(self, row: CredentialRow, credential: Credential) -> Case | None:
        """What a row is worth by the code that found it; None of one that was used before such things were sealed.

        Opened, or tried to, in every row, so that used, unused and rehearsed ones take the same time.
        """
        sealed = row.sealed_digits if credential.kind is CredentialKind.DIGITS else row.sealed_link
        try:
            opener = AESGCM(self.secrets.case_key(credential, row.handle))
            return Case(*_CASE.unpack(opener.decrypt(_NO_NONCE, bytes(sealed or bytes(SEALED_LENGTH)), row.handle)))
        except InvalidTag:
            if row.klass is None or row.onset_day is None:
                return None
            return Case(row.klass, row.onset_day, row.digits_expire, row.link_expire)

    def _length(self, now: float) -> int:
        """Digits of a new code: more where so many wrong ones come that one of the codes in use might be hit."""
        ((guesses,),) = self.store.read(
            "SELECT COALESCE(SUM(guesses), 0) FROM guess_count WHERE hour > ?", (hour_at(now) - GUESSES_HOURS,)
        )
        if not guesses:
            return CODE_LENGTH
        ((usable,),) = self.store.read(
            "SELECT COUNT(*) FROM credential WHERE state = ? AND digits_expire > ?", (State.OPEN, int(now))
        )
        return LONG_CODE_LENGTH if 2 * guesses * usable > MOST_CHANCES else CODE_LENGTH

    def status(self, text: str) -> CodeState:
        """Tell what became of a code, a link or the handle of a row.

        A handle whose row is gone answers "expired". Raises InvalidCode, or CodeUnknown for an unknown code or link.
        """
        row, expires = self._named(text)
        if row is None:
            return "expired"
        return _state(row.state, expires, self.clock())

    def ends_at(self, text: str, handle: str) -> int | None:
        """Until when a code or link of this handle works (Unix seconds), whatever became of it; None for another's.

        Raises InvalidCode.
        """
        try:
            row, ends = self._named(text)
        except CodeUnknown:
            return None
        return ends if row is not None and row.handle.hex() == handle else None

    def is_open(self, text: str) -> bool:
        """Whether a row can be used yet, by its digits or its link, which lives a day longer. Raises as `status`."""
        row, _ = self._named(text)
        return row is not None and row.state is State.OPEN and self.clock() < row.link_expire

    def statuses(self, handles: Sequence[str]) -> dict[str, CodeState]:
        """Tell the office what became of many codes in one read: "used" only on the day after.

        When a code was used would name its report where few are ill. handles: row_ids of issued codes, 0 to 900 (SQLite
        takes no more values in one statement on old builds).
        """
        asked = [bytes.fromhex(handle) for handle in handles if _is_handle(handle)]
        if not asked:
            return dict.fromkeys(handles, "expired")
        marks = ", ".join("?" * len(asked))
        # Marks alone.
        sql = f"SELECT handle, state, told, link_expire FROM credential WHERE handle IN ({marks})"  # noqa: S608
        told: dict[str, CodeState] = dict.fromkeys(handles, "expired")
        now = self.clock()
        for handle, state, is_told, link_expire in self.store.read(sql, tuple(asked)):
            shown = State(state) if is_told or state != State.USED else State.OPEN
            told[bytes(handle).hex()] = _state(shown, link_expire, now)
        return told

    def revoke(self, text: str) -> None:
        """Make a code and its link worthless; both answer like unknown ones from now on. Safe to repeat.

        text: code, link or handle. Raises InvalidCode, CodeUnknown, CodeAlreadyUsed.
        """
        row, _ = self._named(text)
        if row is None:
            raise CodeUnknown(_UNKNOWN)
        handle = row.handle

        def action(transaction: Transaction) -> list[Row]:
            transaction.execute(f"{_REVOKE} AND handle = ?", (State.REVOKED, State.OPEN, handle))
            return transaction.execute("SELECT state FROM credential WHERE handle = ?", (handle,))

        # A used row stays used: `revoked` would say that nothing was published.
        if self.store.write(action) == [(State.USED,)]:
            raise CodeAlreadyUsed("the code was used already; a report cannot be recalled")

    def revoke_all_open(self) -> int:
        """Revoke every open code: after a loss nobody knows which of them were used. Returns how many there were."""

        def action(transaction: Transaction) -> list[Row]:
            return transaction.execute(f"{_REVOKE} RETURNING 1", (State.REVOKED, State.OPEN))

        return len(self.store.write(action))

    def _named(self, text: str) -> tuple[CredentialRow | None, int]:
        """The row that a code, link or handle names, and when that way to it ends (Unix seconds).

        None for a handle whose row is gone. Raises InvalidCode, CodeUnknown.
        """
        if _is_handle(text):
            row = self._selected("handle", bytes.fromhex(text))
            return row, row.link_expire if row else 0
        credential = Credential.from_text(text)
        hashed = self.secrets.credential_hash(credential)
        kind = credential.kind.name.lower()
        row = self._selected(kind, hashed) or self._selected(f"revoked_{kind}", hashed)
        if row is None:
            raise CodeUnknown(_UNKNOWN)
        return row, (self.case_of(row, credential) or row).expires(credential.kind)

    def find(self, credential: Credential) -> CredentialRow | None:
        """Look a credential up for a report; None if it was never issued, was revoked, or is long gone."""
        return self._selected(credential.kind.name.lower(), self.secrets.credential_hash(credential))

    def find_rehearsal(self, credential: Credential) -> CredentialRow | None:
        """Look up a row kept for rehearsals, in the way and the time of a real one; its class is CHAFF_CLASS.

        The credential itself is not looked up; its hash, which takes its time, says which of those rows.
        """
        number = self.secrets.credential_hash(credential)[0] % REHEARSAL_ROWS
        return self._selected("rehearsal", b"%032d" % number)

    def _selected(self, by: str, value: bytes) -> CredentialRow | None:
        found = self.store.read(_SELECT_BY[by], (value,))
        if not found:
            return None
        handle, klass, onset_day, digits_expire, link_expire, state, *rest = found[0]
        return CredentialRow(handle, klass, onset_day, digits_expire, link_expire, State(state), *rest)


def last_moment(link_expire: int) -> int:
    """When a used or revoked code is forgotten whose link would have ended at link_expire (Unix seconds)."""
    return -(-(link_expire - _MONDAY) // SECONDS_PER_WEEK) * SECONDS_PER_WEEK + _MONDAY


def _insert(row: Row, transaction: Transaction) -> bool:
    sql = """INSERT INTO credential
             (handle, digits_hash, link_hash, class, onset_day, digits_expire, link_expire, sealed_digits, sealed_link)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1"""
    return bool(transaction.execute(sql, row))


def _state(state: State, expires: int, now: float) -> CodeState:
    if state is not State.OPEN:
        return "used" if state is State.USED else "revoked"
    return "expired" if expires <= now else "open"


def _is_handle(text: str) -> bool:
    return len(text) == _HANDLE_DIGITS and all(character in "0123456789abcdef" for character in text)
