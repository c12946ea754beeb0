# SPDX-License-Identifier: Apache-2.0
"""The three calls of a report: what a code is worth, one blind signature for it, and keys with a certificate, stored
without anything that ties them to a person.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from bluezone.keyserver.codes.issued_codes import FORGET_CASE, Case, Codes, CredentialRow, State
from bluezone.keyserver.keys.weekkeys import WeekKeyRing
from bluezone.keyserver.limits.limits import Limits
from bluezone.keyserver.storage.store import Store, Transaction, key_prefix
from bluezone.keyserver.venues.items import store_items
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
from bluezone.refusal import Refused


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
        (answer,) = self.take_each([(request, network)])
        return answer()

    def take_each(self, asked: Sequence[tuple[UploadRequest, bytes]]) -> list[Callable[[], UploadAnswer]]:
        """Take what came at the same time, committed together; each as `take` does with a request and its network.

        Each of what is returned is called once, in order: it returns what `take` would, or raises it.
        """
        checked = [self._checked(request, network) for request, network in asked]
        both = list(zip(checked, asked, strict=True))
        writes = [(found, not request.chaff) for found, (request, _) in both if not isinstance(found, UploadAnswer)]
        stored = iter(self.store.write_alike_each(writes) if writes else ())
        return [
            partial(self._answered, request, network, found if isinstance(found, UploadAnswer) else next(stored))
            for found, (request, network) in both
        ]

    def _checked(self, request: UploadRequest, network: bytes) -> UploadAnswer | Callable[[Transaction], None]:
        """What a request is refused with before it is stored, or what stores it."""
        challenge = self.limits.challenge_for(network, request.challenge, request.nonce)
        if challenge is not None:
            return UploadAnswer(status=Status.PUZZLE_REQUIRED, challenge=challenge)
        now = self.clock()
        key = self.week_keys.find(request.kid)
        if key is None or key.purpose != ("chaff" if request.chaff else "upload") or not _in_use(key, now):
            return UploadAnswer(status=Status.KID_REFUSED)
        signed = request.rand + commitment(request.salt, request.keys, request.slots)
        if not verify(PublicKey(key.n, key.e), signed, request.signature):
            return UploadAnswer(status=Status.SIGNATURE_INVALID)
        try:
            check_keys(request.keys, day_at(now))
            check_slots(request.slots, int(now))
        except KeysRefused:
            return UploadAnswer(status=Status.KEYS_REFUSED)
        return partial(_store, request=request, key=key, digest=_digest(request), now=now)

    def _answered(
        self, request: UploadRequest, network: bytes, found: UploadAnswer | Callable[[], None]
    ) -> UploadAnswer:
        if isinstance(found, UploadAnswer):
            status = found.status
            if status is Status.PUZZLE_REQUIRED:
                return found
        else:
            try:
                found()
                status = Status.OK
            except KeysRefused:
                status = Status.KEYS_REFUSED
        # A spent certificate answers OK whatever else is wrong by now (its week may be over, its keys are known). That
        # is asked only if something is wrong: an upload that passes every check meets the same row when it is stored.
        if status is not Status.OK and self.store.read("SELECT 1 FROM spent WHERE digest = ?", (_digest(request),)):
            status = Status.OK
        self.limits.count(network, status in (Status.SIGNATURE_INVALID, Status.KID_REFUSED), request.chaff)
        return UploadAnswer(status=status)


def _digest(request: UploadRequest) -> bytes:
    return hashlib.sha256(request.signature).digest()


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
        store_items(transaction, request.slots, klass)
    transaction.execute(
        "INSERT INTO upload_count VALUES (?, ?, 1)"
        " ON CONFLICT (day, class) DO UPDATE SET uploads = upload_count.uploads + 1",
        (day_at(now), klass),
    )


# What the certificate was for is forgotten with the code's use: nothing stored says more of the report than its day.
# A rehearsal does the same to a table of the same shape (attack row 16).
# Nothing is put into these texts but columns and a table named here.
_USE_CODE = (
    f"UPDATE credential SET state = ?, used_digest = ?, {FORGET_CASE} WHERE handle = ? AND state = ? RETURNING 1"  # noqa: S608
)
_LOOK_AT_CODE = "SELECT state, used_digest FROM credential WHERE handle = ?"
_USE = {chaff: _USE_CODE.replace("credential", "rehearsal") if chaff else _USE_CODE for chaff in (False, True)}
_LOOK = {chaff: _LOOK_AT_CODE.replace("credential", "rehearsal") if chaff else _LOOK_AT_CODE for chaff in (False, True)}


@dataclass(frozen=True)
class Verification:
    """The two calls of a city whose codes and week keys these are. clock: Unix seconds."""

    codes: Codes
    week_keys: WeekKeyRing
    limits: Limits
    clock: Callable[[], float]

    def verify1(self, request: Verify1Request, network: bytes) -> Verify1Answer:
        """Answer what a code is worth, without using it, and alike whether it was used or not until its link ends.

        Otherwise a stranger who knows a code could ask until its patient uses it. After many questions each costs a
        puzzle.
        network: where the request came from, as `networks.network_of` returns it.
        """
        code = self.codes.secrets.credential_hash(request.credential)
        challenge = self.limits.challenge_for(network, request.challenge, request.nonce, code, request.chaff)
        if challenge is not None:
            return Verify1Answer(status=Status.PUZZLE_REQUIRED, challenge=challenge)
        now = self.clock()
        row, case = self._found(request, now)
        self.limits.count(network, row is None, request.chaff)
        if row is None:
            return Verify1Answer(status=Status.CODE_INVALID)
        if (case or row).expires(request.credential.kind) <= now:
            return Verify1Answer(status=Status.CODE_EXPIRED)
        if case is None:
            return Verify1Answer(status=Status.CODE_USED)
        kid = self.week_keys.current(case.klass, now).kid
        return Verify1Answer(status=Status.OK, klass=case.klass, kid=kid, onset_day=case.onset_day)

    def verify2(self, request: Verify2Request, network: bytes) -> Verify2Answer:
        """Use a code for one blind signature; the same request gets the same answer until the code's later expiry.

        network: where the request came from, as `networks.network_of` returns it.
        """
        (answer,) = self.verify2_each([(request, network)])
        return answer()

    def verify2_each(self, asked: Sequence[tuple[Verify2Request, bytes]]) -> list[Callable[[], Verify2Answer]]:
        """Answer what came at the same time, used with one commit and signed at one go; each as `verify2` does.

        asked: requests and their networks, at most as many as a signer signs at a time (client.MOST_BYTES). Each of
        what is returned returns what `verify2` would, or raises it.
        """
        checked = [self._checked(request, network) for request, network in asked]
        both = list(zip(checked, asked, strict=True))
        writes = [(found, not request.chaff) for found, (request, _) in both if not isinstance(found, Verify2Answer)]
        used = iter(self.codes.store.write_alike_each(writes) if writes else ())
        outcomes = [found if isinstance(found, Verify2Answer) else _outcome(next(used)) for found in checked]
        # After the commit: a crash here costs nothing, because the same request is signed again.
        certified = [request for (request, _), said in zip(asked, outcomes, strict=True) if said is Status.OK]
        signatures = iter(self._signatures(certified))
        return [
            partial(_told, request.kid, next(signatures) if said is Status.OK else said)
            for (request, _), said in zip(asked, outcomes, strict=True)
        ]

    def _checked(self, request: Verify2Request, network: bytes) -> Verify2Answer | Callable[[Transaction], Status]:
        """What a request is refused with before its code is used, or what uses it."""
        challenge = self.limits.challenge_for(network, request.challenge, request.nonce)
        if challenge is not None:
            return Verify2Answer(status=Status.PUZZLE_REQUIRED, challenge=challenge)
        now = self.clock()
        digest = hashlib.sha256(request.kid.to_bytes(2, "big") + request.blinded).digest()
        row, case = self._found(request, now, digest)
        self.limits.count(network, row is None, request.chaff)
        if row is None:
            return Verify2Answer(status=Status.CODE_INVALID)
        repeated = row.used_digest == digest
        expires = row.link_expire if repeated else (case or row).expires(request.credential.kind)
        if expires <= now:
            return Verify2Answer(status=Status.CODE_EXPIRED)
        if case is None and not repeated:
            return Verify2Answer(status=Status.CODE_USED)
        # A request that would use nothing is refused alike whether the code was used or not.
        if not self._kid_accepted(request.kid, None if case is None or repeated else case.klass, now):
            return Verify2Answer(status=Status.KID_REFUSED)
        key = self.week_keys.find(request.kid)
        if key is None or int.from_bytes(request.blinded, "big") >= key.n:
            return Verify2Answer(status=Status.BAD_REQUEST)
        return partial(_use, row=row, digest=digest, chaff=request.chaff)

    def _signatures(self, requests: Sequence[Verify2Request]) -> list[bytes | Refused]:
        """A blind signature for each, or why there is none."""
        made: dict[int, bytes | Refused] = {}
        for kid in {request.kid for request in requests}:
            places = [at for at, request in enumerate(requests) if request.kid == kid]
            made |= self._signed(kid, {at: requests[at].blinded for at in places})
        return [made[at] for at in range(len(requests))]

    def _signed(self, kid: int, blinded: dict[int, bytes]) -> dict[int, bytes | Refused]:
        try:
            return dict(zip(blinded, self.week_keys.blind_sign(kid, list(blinded.values())), strict=True))
        except Refused as refused:
            if len(blinded) == 1:
                return dict.fromkeys(blinded, refused)
        # A signer that refuses many may still sign some: then each is asked for by itself.
        return {at: said for each in blinded.items() for at, said in self._signed(kid, dict([each])).items()}

    def _found(
        self, request: Verify1Request | Verify2Request, now: float, digest: bytes | None = None
    ) -> tuple[CredentialRow | None, Case | None]:
        """The row of a code and what it is worth; no row once its link has ended, used or not.

        digest: of a value that was signed already, for which the row is there until its week ends.
        """
        # The credential of a rehearsal is never looked up.
        find = self.codes.find_rehearsal if request.chaff else self.codes.find
        row = find(request.credential)
        if row is None:
            return None, None
        case = self.codes.case_of(row, request.credential)
        ended = case is not None and case.link_expire <= now
        return (None, None) if ended and (digest is None or row.used_digest != digest) else (row, case)

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


def _outcome(used: Callable[[], Status]) -> Status | Refused:
    try:
        return used()
    except Refused as refused:
        return refused


def _told(kid: int, found: bytes | Status | Refused | Verify2Answer) -> Verify2Answer:
    if isinstance(found, Refused):
        raise found
    if isinstance(found, Status):
        return Verify2Answer(status=found)
    return (
        found if isinstance(found, Verify2Answer) else Verify2Answer(status=Status.OK, kid=kid, blind_signature=found)
    )


def _use(transaction: Transaction, row: CredentialRow, digest: bytes, chaff: bool) -> Status:
    changed = transaction.execute(_USE[chaff], (State.USED, digest, row.handle, State.OPEN))
    found = transaction.execute(_LOOK[chaff], (row.handle,))
    if changed:
        return Status.OK
    if not found or found[0][0] == State.REVOKED:
        return Status.CODE_INVALID
    return Status.OK if found[0][1] == digest else Status.CODE_USED
