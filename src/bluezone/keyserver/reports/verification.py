# SPDX-License-Identifier: Apache-2.0
"""The first two calls of a report: what a code is worth, and one blind signature for it.

Real calls and rehearsals (chaff) take the same path; a rehearsal finds a row kept for rehearsals instead of that of
its credential, and its writes are undone. Source: docs/protocol.md section 4; docs/attacks.md rows 16, 35, 44.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from bluezone.keyserver.reports.codes import Codes, CredentialRow, State
from bluezone.keyserver.reports.limits import Limits
from bluezone.keyserver.secrets.weekkeys import WeekKeyRing
from bluezone.keyserver.storage.store import Transaction
from bluezone.keyserver.weeks import SECONDS_PER_WEEK, week_start
from bluezone.protocol.blindrsa import blind_sign
from bluezone.protocol.upload import (
    CHAFF_CLASS,
    Status,
    Verify1Answer,
    Verify1Request,
    Verify2Answer,
    Verify2Request,
)

_USE_CREDENTIAL = (
    "UPDATE credential SET state = ?, used_digest = ? WHERE handle = ? AND state = ? RETURNING 1",
    "SELECT state, used_digest FROM credential WHERE handle = ?",
)
_USE_REHEARSAL = (
    "UPDATE rehearsal SET state = ?, used_digest = ? WHERE handle = ? AND state = ? RETURNING 1",
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
        """Answer what a code is worth, without using it; a used code answers like an open one.

        network: where the request came from, as `limits.network_of` returns it.
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
        kid = self.week_keys.current(row.klass, now).kid
        return Verify1Answer(status=Status.OK, klass=row.klass, kid=kid, onset_day=row.onset_day)

    def verify2(self, request: Verify2Request, network: bytes) -> Verify2Answer:
        """Use a code for one blind signature; the same request gets the same answer until the code's later expiry.

        network: where the request came from, as `limits.network_of` returns it.
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
        if not self._kid_accepted(request.kid, row.klass, now):
            return Verify2Answer(status=Status.KID_REFUSED)
        private = self.week_keys.private(request.kid)
        if int.from_bytes(request.blinded, "big") >= private.n:
            return Verify2Answer(status=Status.BAD_REQUEST)
        status = self.codes.store.write_alike(
            lambda transaction: _use(transaction, row, digest), keep=not request.chaff
        )
        if status is not Status.OK:
            return Verify2Answer(status=status)
        # After the commit: a crash here costs nothing, because the same request is signed again.
        signature = blind_sign(private, request.blinded)
        return Verify2Answer(status=Status.OK, kid=request.kid, blind_signature=signature)

    def _row(self, request: Verify1Request | Verify2Request) -> CredentialRow | None:
        # The credential of a rehearsal is never looked up.
        return self.codes.find_rehearsal(request.credential) if request.chaff else self.codes.find(request.credential)

    def _kid_accepted(self, kid: int, klass: int, now: float) -> bool:
        key = self.week_keys.find(kid)
        if key is None or key.klass != klass or key.purpose != ("chaff" if klass == CHAFF_CLASS else "upload"):
            return False
        if key.purpose == "chaff":
            return True
        return key.use_from in (week_start(now), week_start(now) - SECONDS_PER_WEEK)


def _use(transaction: Transaction, row: CredentialRow, digest: bytes) -> Status:
    use, look = _USE_REHEARSAL if row.klass == CHAFF_CLASS else _USE_CREDENTIAL
    changed = transaction.execute(use, (State.USED, digest, row.handle, State.OPEN))
    found = transaction.execute(look, (row.handle,))
    if changed:
        return Status.OK
    if not found or found[0][0] == State.REVOKED:
        return Status.CODE_INVALID
    return Status.OK if found[0][1] == digest else Status.CODE_USED
