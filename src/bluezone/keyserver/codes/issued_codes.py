# SPDX-License-Identifier: Apache-2.0
"""The table of verification codes: the health authority issues codes, reads their state and revokes them here.

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
# If the wrong codes of 24 hours times the open codes exceed this number, guessing hits a code of 12 digits with a
# chance of one in ten thousand a day. New codes then have 16 digits. Guesses are noted at each doubling, so the true
# number is up to twice the noted one.
GUESSES_HOURS = 24
MOST_CHANCES = 10_000_000
# A used or revoked row expires at the end of the week (Monday, 00:00 UTC) in which its link would have expired, so that
# it does not show the day of issue.
_MONDAY = 4 * SECONDS_PER_DAY
_END = f"(link_expire - {_MONDAY} + {SECONDS_PER_WEEK - 1}) / {SECONDS_PER_WEEK} * {SECONDS_PER_WEEK} + {_MONDAY}"
FORGET_CASE = f"class = NULL, onset_day = NULL, digits_expire = {_END}, link_expire = {_END}"
_REVOKE = (
    "UPDATE credential SET state = ?, revoked_digits_hash = digits_hash, revoked_link_hash = link_hash,"  # noqa: S608
    f" digits_hash = NULL, link_hash = NULL, sealed_digits = NULL, sealed_link = NULL, {FORGET_CASE} WHERE state = ?"
)
# Class, onset day, expiry of digits and of link. Each key seals only one text, so no nonce is needed.
_CASE = struct.Struct(">BiQQ")
_NO_NONCE = bytes(12)
SEALED_LENGTH = _CASE.size + 16
# How often a random code is drawn until one is free. Ten failures mean that the random generator is broken.
_DRAWS = 10
# The number of rows that the migration made.
REHEARSAL_ROWS = 64


class State(IntEnum):
    """What happened to a row; whether it has expired is not part of it."""

    OPEN = 0
    USED = 1
    REVOKED = 2


class ClassRefused(Refused):
    """No code is issued for this class of diagnosis."""

    code = "class_refused"


class OnsetRefused(Refused):
    """The onset is in the future, or so long ago that no key could be uploaded for it."""

    code = "onset_refused"


class CodeUnknown(Refused):
    """No such code was issued here, or it was deleted long ago."""

    code = "code_unknown"


class CodeAlreadyUsed(Refused):
    """The code was used before it could be revoked."""

    code = "code_already_used"


@dataclass(frozen=True)
class IssuedCode:
    """What a health worker gives to a patient. It is shown once and stored nowhere.

    code:    `dddd-dddd-dddd`, or four groups of four digits, valid until `expires`.
    link:    address for the same row, valid until `link_expires`.
    row_id:  handle of the row, 32 hex digits, to query the state of the code; the office does not store it.
    expires, link_expires: Unix seconds.
    """

    code: str = field(repr=False)
    link: str = field(repr=False)
    row_id: str
    expires: int
    link_expires: int


@dataclass(frozen=True)
class CredentialRow:
    """A row of the codes store, as the calls of a report need it.

    handle: 16 bytes. klass: 1 or 2, 0 for a rehearsal, None after use. onset_day: UTC day, None after use.
    used_digest: 32 bytes after use, else None. sealed_digits, sealed_link: 37 bytes that open with digits and link,
    None in rows that were written before cases were sealed.
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
        """Unix seconds at which the digits or the link of this row expire."""
        return self.digits_expire if kind is CredentialKind.DIGITS else self.link_expire


@dataclass(frozen=True)
class Case:
    """What a code is worth, whether it was used or not; the fields are those of an unused row."""

    klass: int
    onset_day: int
    digits_expire: int
    link_expire: int

    def expires(self, kind: CredentialKind) -> int:
        """Unix seconds at which the digits or the link of this code expire."""
        return self.digits_expire if kind is CredentialKind.DIGITS else self.link_expire


@dataclass(frozen=True)
class Codes:
    """The codes of one city. store: of codes; clock: Unix seconds; zone: IANA name; origin: start of the links."""

    store: Store
    secrets: Pepper
    clock: Callable[[], float]
    zone: str
    origin: str

    def issue_code(self, klass: str, onset: date) -> IssuedCode:
        """Issue a code and a link for one case.

        klass: "confirmed" (test) or "clinical". onset: local date of the first symptoms, or of the test.
        Raises ClassRefused, OnsetRefused, StoreRefused.
        """
        if klass not in CLASSES:
            raise ClassRefused(f"class is {klass!r}, expected confirmed or clinical")
        now = self.clock()
        today = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(self.zone)).date()
        if not 0 <= (today - onset).days <= OLDEST_ONSET_DAYS:
            raise OnsetRefused(f"onset is {onset}, expected {OLDEST_ONSET_DAYS} days ago to today, {today}")
        length = self._code_length(now)
        # The expiry of an unused code must not show in which minute it was issued.
        end_of_hour = -(-int(now) // SECONDS_PER_HOUR) * SECONDS_PER_HOUR
        digits_expire = end_of_hour + DIGITS_LIFE_SECONDS
        link_expire = end_of_hour + LINK_LIFE_SECONDS
        case = (CLASSES[klass], (onset - EPOCH).days, digits_expire, link_expire)
        for _ in range(_DRAWS):
            digits = new_code(randbelow, length)
            link = new_link(token_bytes)
            handle = token_bytes(16)
            credentials = (Credential.from_digits(digits), Credential.from_link(link))
            hashes = [self.secrets.credential_hash(credential) for credential in credentials]
            sealed = [self._seal(credential, handle, case) for credential in credentials]
            if self.store.write(partial(_insert, (handle, *hashes, *case, *sealed))):
                url = link_url(self.origin, link)
                return IssuedCode(format_code(digits), url, handle.hex(), digits_expire, link_expire)
        raise CodeUnknown("no free code was found; the random number generator of this machine repeats itself")

    def _seal(self, credential: Credential, handle: bytes, case: tuple[int, int, int, int]) -> bytes:
        return AESGCM(self.secrets.case_key(credential, handle)).encrypt(_NO_NONCE, _CASE.pack(*case), handle)

    def case_of(self, row: CredentialRow, credential: Credential) -> Case | None:
        """The case of a row, opened with its code; None if the code was used before cases were sealed.

        Used, unused and rehearsal rows all take the time of one decryption.
        """
        sealed = row.sealed_digits if credential.kind is CredentialKind.DIGITS else row.sealed_link
        try:
            opener = AESGCM(self.secrets.case_key(credential, row.handle))
            return Case(*_CASE.unpack(opener.decrypt(_NO_NONCE, bytes(sealed or bytes(SEALED_LENGTH)), row.handle)))
        except InvalidTag:
            if row.klass is None or row.onset_day is None:
                return None
            return Case(row.klass, row.onset_day, row.digits_expire, row.link_expire)

    def _code_length(self, now: float) -> int:
        """How many digits a new code has: more if wrong codes are frequent enough to hit an open code by chance."""
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
        """The state of a code, by its digits, its link or its handle; "expired" for a handle without a row.

        Raises InvalidCode, or CodeUnknown for unknown digits or an unknown link.
        """
        row, expires = self._find_by_text(text)
        if row is None:
            return "expired"
        return _state(row.state, expires, self.clock())

    def ends_at(self, text: str, handle: str) -> int | None:
        """When a code or link expires (Unix seconds), whatever its state; None if it does not belong to this handle.

        Raises InvalidCode.
        """
        try:
            row, expires = self._find_by_text(text)
        except CodeUnknown:
            return None
        if row is None or row.handle.hex() != handle:
            return None
        return expires

    def is_open(self, text: str) -> bool:
        """Whether a code can be used, by its digits or by its link, which is valid a day longer. Raises as `status`."""
        row, _ = self._find_by_text(text)
        return row is not None and row.state is State.OPEN and self.clock() < row.link_expire

    def statuses(self, handles: Sequence[str]) -> dict[str, CodeState]:
        """The states of many codes in one read, for the office. A used code is shown as "used" only from the next day.

        In a city with few cases, the time when a code was used would point to its report. handles: row_ids of issued
        codes, 0 to 900 (old builds of SQLite accept no more values in one statement).
        """
        states: dict[str, CodeState] = dict.fromkeys(handles, "expired")
        valid = [bytes.fromhex(handle) for handle in handles if _is_handle(handle)]
        if not valid:
            return states
        marks = ", ".join("?" * len(valid))
        sql = f"SELECT handle, state, told, link_expire FROM credential WHERE handle IN ({marks})"  # noqa: S608
        now = self.clock()
        for handle, stored_state, is_disclosed, link_expire in self.store.read(sql, tuple(valid)):
            state = State(stored_state)
            if state is State.USED and not is_disclosed:
                state = State.OPEN
            states[bytes(handle).hex()] = _state(state, link_expire, now)
        return states

    def revoke_code(self, text: str) -> None:
        """Make a code and its link invalid; phones get the answer for unknown codes from now on. Safe to repeat.

        text: code, link or handle. Raises InvalidCode, CodeUnknown, CodeAlreadyUsed.
        """
        row, _ = self._find_by_text(text)
        if row is None:
            raise CodeUnknown(_UNKNOWN)
        handle = row.handle

        def action(transaction: Transaction) -> list[Row]:
            transaction.execute(f"{_REVOKE} AND handle = ?", (State.REVOKED, State.OPEN, handle))
            return transaction.execute("SELECT state FROM credential WHERE handle = ?", (handle,))

        # A used row stays used; as `revoked` it would claim that nothing was published.
        if self.store.write(action) == [(State.USED,)]:
            raise CodeAlreadyUsed("the code was used already; a report cannot be recalled")

    def revoke_all_open(self) -> int:
        """Revoke every open code, because after a loss of data some of them may have been used; returns how many."""

        def action(transaction: Transaction) -> list[Row]:
            return transaction.execute(f"{_REVOKE} RETURNING 1", (State.REVOKED, State.OPEN))

        return len(self.store.write(action))

    def _find_by_text(self, text: str) -> tuple[CredentialRow | None, int]:
        """The row of a code, link or handle, and when that code, link or handle expires (Unix seconds).

        None and 0 for a handle without a row. Raises InvalidCode, CodeUnknown.
        """
        if _is_handle(text):
            row = self._select("handle", bytes.fromhex(text))
            return row, row.link_expire if row else 0
        credential = Credential.from_text(text)
        hashed = self.secrets.credential_hash(credential)
        kind = credential.kind.name.lower()
        row = self._select(kind, hashed) or self._select(f"revoked_{kind}", hashed)
        if row is None:
            raise CodeUnknown(_UNKNOWN)
        return row, (self.case_of(row, credential) or row).expires(credential.kind)

    def find_row(self, credential: Credential) -> CredentialRow | None:
        """Look a credential up for a report; None if it was never issued, was revoked, or was deleted long ago."""
        return self._select(credential.kind.name.lower(), self.secrets.credential_hash(credential))

    def find_rehearsal(self, credential: Credential) -> CredentialRow | None:
        """A row for rehearsals, found in the same way and time as a real one; its class is REHEARSAL_CLASS.

        The credential is hashed like a real one, but its hash only selects one of the rehearsal rows.
        """
        number = self.secrets.credential_hash(credential)[0] % REHEARSAL_ROWS
        return self._select("rehearsal", b"%032d" % number)

    def find_with_case(
        self, credential: Credential, rehearsal: bool, now: float, digest: bytes | None = None
    ) -> tuple[CredentialRow | None, Case | None]:
        """The row of a credential and its case. No row after the link has expired, whether it was used or not.

        digest: that of a blinded value; the row that was used for this value is found until it is deleted.
        """
        # The credential of a rehearsal is never looked up.
        row = self.find_rehearsal(credential) if rehearsal else self.find_row(credential)
        if row is None:
            return None, None
        case = self.case_of(row, credential)
        expired = case is not None and case.link_expire <= now
        if expired and (digest is None or row.used_digest != digest):
            return None, None
        return row, case

    def _select(self, by: str, value: bytes) -> CredentialRow | None:
        rows = self.store.read(_SELECT_BY[by], (value,))
        if not rows:
            return None
        handle, klass, onset_day, digits_expire, link_expire, state, *rest = rows[0]
        return CredentialRow(handle, klass, onset_day, digits_expire, link_expire, State(state), *rest)


def last_moment(link_expire: int) -> int:
    """When the row of a used or revoked code expires. link_expire: when its link would have expired, Unix seconds."""
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
