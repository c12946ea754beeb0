# SPDX-License-Identifier: Apache-2.0
"""The three calls of a report: what a code is worth, one blind signature for it, and keys with a certificate, stored
without anything that ties them to a person.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bluezone.keyserver.keyfolder import WeekKeyRing
from bluezone.keyserver.reports.codes import FORGET_CASE, Codes, CredentialRow, State
from bluezone.keyserver.reports.limits import Limits
from bluezone.keyserver.storage.store import Store, Transaction, key_prefix
from bluezone.keyserver.venues import keep_items
from bluezone.protocol.blindrsa import PublicKey, verify
from bluezone.protocol.intervals import SECONDS_PER_WEEK, day_at, hour_at, week_start
from bluezone.protocol.signed.config import WeekKey
from bluezone.protocol.upload import (
    CHAFF_CLASS,
    CONFIRMED_CLASS,
    KeysRefused,
    Status,
    UploadAnswer,
    UploadRequest,
    Verify1Answer,
    Verify1Request,
    Verify2Answer,
    Verify2Request,
    check_keys,
    check_slots,
    commitment,
)


def remember(transaction: Transaction, keys: Sequence[tuple[int, int]]) -> bool:
    """Write keys down as known; False, and the transaction is to be undone, if one of them was here before.

    keys: pairs of prefix (`store.key_prefix`) and first interval. A prefix is unique over all days: whoever brings one
    while another does waits for what becomes of it.
    """
    # Sorted, so that two uploads with keys in common wait for each other in one direction only.
    added = transaction.execute_each("INSERT INTO known_key VALUES (?, ?) ON CONFLICT DO NOTHING", sorted(keys))
    return added == len(keys)


@dataclass(frozen=True)
class Uploads:
    """What takes the uploads of a city. store: of keys; clock: Unix seconds."""

    store: Store
    week_keys: WeekKeyRing
    limits: Limits
    clock: Callable[[], float]

    def take(self, request: UploadRequest, network: bytes) -> UploadAnswer:
        """Take the keys of one case; the same upload again answers OK and changes nothing.

        network: where the request came from, as `networks.network_of` returns it.
        """
        challenge = self.limits.challenge_for(network, request.challenge, request.nonce)
        if challenge is not None:
            return UploadAnswer(status=Status.PUZZLE_REQUIRED, challenge=challenge)
        status = self._status(request)
        self.limits.count(network, status in (Status.SIGNATURE_INVALID, Status.KID_REFUSED), request.chaff)
        return UploadAnswer(status=status)

    def _status(self, request: UploadRequest) -> Status:
        digest = hashlib.sha256(request.signature).digest()
        status = self._checked_and_stored(request, digest)
        # A spent certificate answers OK whatever else is wrong by now (its week may be over, its keys are known). That
        # is asked only if something is wrong: an upload that passes every check meets the same row when it is stored.
        if status is not Status.OK and self.store.read("SELECT 1 FROM spent WHERE digest = ?", (digest,)):
            return Status.OK
        return status

    def _checked_and_stored(self, request: UploadRequest, digest: bytes) -> Status:
        now = self.clock()
        key = self.week_keys.find(request.kid)
        if key is None or key.purpose != ("chaff" if request.chaff else "upload") or not _in_use(key, now):
            return Status.KID_REFUSED
        signed = request.rand + commitment(request.salt, request.keys, request.slots)
        if not verify(PublicKey(key.n, key.e), signed, request.signature):
            return Status.SIGNATURE_INVALID
        try:
            check_keys(request.keys, day_at(now))
            check_slots(request.slots, int(now))
            self.store.write_alike(
                lambda transaction: _store(transaction, request, key, digest, now), keep=not request.chaff
            )
        except KeysRefused:
            return Status.KEYS_REFUSED
        return Status.OK


def _in_use(key: WeekKey, now: float) -> bool:
    return key.use_from <= now < key.accept_until


def _store(transaction: Transaction, request: UploadRequest, key: WeekKey, digest: bytes, now: float) -> None:
    fresh = transaction.execute(
        "INSERT INTO spent (digest, accept_until) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING 1",
        (digest, key.accept_until),
    )
    if not fresh:
        # The same upload came twice at once, and the other one is taken.
        return
    # A rehearsal stores under a class that the table accepts, and is undone.
    klass = key.klass or CONFIRMED_CLASS
    if request.keys:
        known = [(key_prefix(k.key), k.start) for k in request.keys]
        if not remember(transaction, known):
            raise KeysRefused("a key is stored or published already")
        waiting = [(k.start, k.key, k.level, klass, hour_at(now)) for k in request.keys]
        transaction.execute_each("INSERT INTO waiting_key VALUES (?, ?, ?, ?, ?)", waiting)
    if request.slots:
        keep_items(transaction, request.slots, klass)
    transaction.execute(
        "INSERT INTO upload_count VALUES (?, ?, 1)"
        " ON CONFLICT (day, class) DO UPDATE SET uploads = upload_count.uploads + 1",
        (day_at(now), klass),
    )


# What the certificate was for is forgotten with the code's use: nothing stored says more of the report than its day.
_FORGET_REHEARSAL = FORGET_CASE.replace("NULL", "0")
_USE_CREDENTIAL = (
    f"UPDATE credential SET state = ?, used_digest = ?, {FORGET_CASE} WHERE handle = ? AND state = ? RETURNING 1",  # noqa: S608
    "SELECT state, used_digest FROM credential WHERE handle = ?",
)
_USE_REHEARSAL = (
    f"UPDATE rehearsal SET state = ?, used_digest = ?, {_FORGET_REHEARSAL} WHERE handle = ? AND state = ? RETURNING 1",  # noqa: S608
    "SELECT state, used_digest FROM rehearsal WHERE handle = ?",
)


@dataclass(frozen=True)
class Verification:
    """The two calls of a city whose codes and week keys these are. clock: Unix seconds."""

    codes: Codes
    week_keys: WeekKeyRing
    limits: Limits
    clock: Callable[[], float]

    def verify1(self, request: Verify1Request, network: bytes) -> Verify1Answer:
        """Answer what a code is worth, without using it; of a used one nothing is known any more.

        network: where the request came from, as `networks.network_of` returns it.
        """
        challenge = self.limits.challenge_for(network, request.challenge, request.nonce)
        if challenge is not None:
            return Verify1Answer(status=Status.PUZZLE_REQUIRED, challenge=challenge)
        now = self.clock()
        row = self._row(request)
        self.limits.count(network, row is None, request.chaff)
        if row is None:
            return Verify1Answer(status=Status.CODE_INVALID)
        if row.expires(request.credential.kind) <= now:
            return Verify1Answer(status=Status.CODE_EXPIRED)
        if row.klass is None or row.onset_day is None:
            return Verify1Answer(status=Status.CODE_USED)
        kid = self.week_keys.current(row.klass, now).kid
        return Verify1Answer(status=Status.OK, klass=row.klass, kid=kid, onset_day=row.onset_day)

    def verify2(self, request: Verify2Request, network: bytes) -> Verify2Answer:
        """Use a code for one blind signature; the same request gets the same answer until the code's later expiry.

        network: where the request came from, as `networks.network_of` returns it.
        """
        challenge = self.limits.challenge_for(network, request.challenge, request.nonce)
        if challenge is not None:
            return Verify2Answer(status=Status.PUZZLE_REQUIRED, challenge=challenge)
        now = self.clock()
        row = self._row(request)
        self.limits.count(network, row is None, request.chaff)
        if row is None:
            return Verify2Answer(status=Status.CODE_INVALID)
        digest = hashlib.sha256(request.kid.to_bytes(2, "big") + request.blinded).digest()
        repeated = row.used_digest == digest
        expires = max(row.digits_expire, row.link_expire) if repeated else row.expires(request.credential.kind)
        if expires <= now:
            return Verify2Answer(status=Status.CODE_EXPIRED)
        if row.klass is None and not repeated:
            return Verify2Answer(status=Status.CODE_USED)
        if not self._kid_accepted(request.kid, row.klass, now):
            return Verify2Answer(status=Status.KID_REFUSED)
        key = self.week_keys.find(request.kid)
        if key is None or int.from_bytes(request.blinded, "big") >= key.n:
            return Verify2Answer(status=Status.BAD_REQUEST)
        status = self.codes.store.write_alike(
            lambda transaction: _use(transaction, row, digest, request.chaff), keep=not request.chaff
        )
        if status is not Status.OK:
            return Verify2Answer(status=status)
        # After the commit: a crash here costs nothing, because the same request is signed again.
        (signature,) = self.week_keys.blind_sign(request.kid, [request.blinded])
        return Verify2Answer(status=Status.OK, kid=request.kid, blind_signature=signature)

    def _row(self, request: Verify1Request | Verify2Request) -> CredentialRow | None:
        # The credential of a rehearsal is never looked up.
        return self.codes.find_rehearsal(request.credential) if request.chaff else self.codes.find(request.credential)

    def _kid_accepted(self, kid: int, klass: int | None, now: float) -> bool:
        # klass: None of a used code, for which the same kid was accepted before.
        key = self.week_keys.find(kid)
        if (
            key is None
            or klass not in (None, key.klass)
            or key.purpose != ("chaff" if klass == CHAFF_CLASS else "upload")
        ):
            return False
        if key.purpose == "chaff":
            return True
        return key.use_from in (week_start(now), week_start(now) - SECONDS_PER_WEEK)


def _use(transaction: Transaction, row: CredentialRow, digest: bytes, chaff: bool) -> Status:
    use, look = _USE_REHEARSAL if chaff else _USE_CREDENTIAL
    changed = transaction.execute(use, (State.USED, digest, row.handle, State.OPEN))
    found = transaction.execute(look, (row.handle,))
    if changed:
        return Status.OK
    if not found or found[0][0] == State.REVOKED:
        return Status.CODE_INVALID
    return Status.OK if found[0][1] == digest else Status.CODE_USED
