# SPDX-License-Identifier: Apache-2.0
"""Redeem a code: exchange it for one blind signature, the certificate (`verify2` in docs/protocol.md)."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from bluezone.keyserver.codes.issued_codes import FORGET_CASE, Codes, CredentialRow, State
from bluezone.keyserver.keys.weekkeys import WeekKeyRing
from bluezone.keyserver.limits.limits import Limits
from bluezone.keyserver.storage.store import Transaction
from bluezone.protocol.intervals import SECONDS_PER_WEEK, week_start
from bluezone.protocol.upload import REHEARSAL_CLASS, SlipRequest, Status, Verify2Answer, Verify2Request
from bluezone.refusal import Refused

Call = tuple[Verify2Request, bytes]
UseCode = Callable[[Transaction], Status]

# When a code is used, its case is erased, so that a stored row reveals no more about the report than its week.
# A rehearsal does the same to a table of the same shape (attack row 16).
_USE_CODE = (
    f"UPDATE credential SET state = ?, used_digest = ?, {FORGET_CASE} WHERE handle = ? AND state = ? RETURNING 1"  # noqa: S608
)
_SELECT_USE = "SELECT state, used_digest FROM credential WHERE handle = ?"
_USE_REHEARSAL = _USE_CODE.replace("credential", "rehearsal")
_SELECT_USE_OF_REHEARSAL = _SELECT_USE.replace("credential", "rehearsal")


@dataclass(frozen=True)
class Redemption:
    """Redeems the codes of a city. week_keys: sign the certificates; clock: Unix seconds."""

    codes: Codes
    week_keys: WeekKeyRing
    limits: Limits
    clock: Callable[[], float]

    def redeem_code(self, request: Verify2Request, network: bytes) -> Verify2Answer:
        """Use a code for one blind signature; the same request gets the same answer until the code's link expires.

        network: where the request came from, as `networks.network_of` returns it.
        """
        (answer,) = self.redeem_codes([(request, network)])
        return answer()

    def redeem_codes(self, calls: Sequence[Call]) -> list[Callable[[], Verify2Answer]]:
        """Redeem codes that came at the same time, with one commit and one call of the signer for each week key.

        calls: requests and their networks, at most as many as a signer signs at a time (client.LONGEST_BODIES).
        Returns a function for each call, which returns or raises what `redeem_code` would. Call each once, in order.
        """
        checks = [self._check(request, network) for request, network in calls]
        writes = [
            (check, not request.is_rehearsal)
            for check, (request, _) in zip(checks, calls, strict=True)
            if not isinstance(check, Verify2Answer)
        ]
        results = iter(self.codes.store.write_alike_each(writes) if writes else ())
        outcomes = [check if isinstance(check, Verify2Answer) else _outcome(next(results)) for check in checks]
        # Signed only after the commit. If the process is killed between, the phone repeats its request.
        redeemed = [request for (request, _), outcome in zip(calls, outcomes, strict=True) if outcome is Status.OK]
        signatures = iter(self._sign_requests(redeemed))
        return [
            partial(_answer, request.kid, next(signatures) if outcome is Status.OK else outcome)
            for (request, _), outcome in zip(calls, outcomes, strict=True)
        ]

    def use_slip(self, request: SlipRequest, network: bytes) -> Verify2Answer:
        """Use a slip of a code book for one blind signature. The signer alone knows the slips; nothing is stored here.

        network: as in `redeem_code`. A slip that the signer does not know costs what an invalid code costs.
        """
        challenge = self.limits.challenge_for(network, request.challenge, request.nonce)
        if challenge is not None:
            return Verify2Answer(status=Status.PUZZLE_REQUIRED, challenge=challenge)
        status, signature = self.week_keys.use_slip(request.use)
        self.limits.count_call(network, status is Status.CODE_INVALID)
        if status is not Status.OK:
            return Verify2Answer(status=status)
        return Verify2Answer(status=status, kid=request.use.kid, blind_signature=signature)

    def _check(self, request: Verify2Request, network: bytes) -> Verify2Answer | UseCode:
        """The refusal of a request, or the function that uses its code."""
        challenge = self.limits.challenge_for(network, request.challenge, request.nonce)
        if challenge is not None:
            return Verify2Answer(status=Status.PUZZLE_REQUIRED, challenge=challenge)
        now = self.clock()
        digest = hashlib.sha256(request.kid.to_bytes(2, "big") + request.blinded).digest()
        row, case = self.codes.find_with_case(request.credential, request.is_rehearsal, now, digest)
        self.limits.count_call(network, row is None, request.is_rehearsal)
        if row is None:
            return Verify2Answer(status=Status.CODE_INVALID)
        repeated = row.used_digest == digest
        expires = row.link_expire if repeated else (case or row).expires(request.credential.kind)
        if expires <= now:
            return Verify2Answer(status=Status.CODE_EXPIRED)
        if case is None and not repeated:
            return Verify2Answer(status=Status.CODE_USED)
        # A used code still has its case: a request that would use nothing is refused alike, used or not.
        klass = None if case is None or repeated else case.klass
        if not self._is_kid_accepted(request.kid, klass, now):
            return Verify2Answer(status=Status.KID_REFUSED)
        key = self.week_keys.find_key(request.kid)
        if key is None or int.from_bytes(request.blinded, "big") >= key.n:
            return Verify2Answer(status=Status.BAD_REQUEST)
        return partial(_use_code, row=row, digest=digest, is_rehearsal=request.is_rehearsal)

    def _is_kid_accepted(self, kid: int, klass: int | None, now: float) -> bool:
        """Whether a week key may certify a class now. klass: None for a repeated request, which was accepted before."""
        key = self.week_keys.find_key(kid)
        if key is None or klass not in (None, key.klass):
            return False
        if key.purpose != ("chaff" if klass == REHEARSAL_CLASS else "upload"):
            return False
        if key.purpose == "chaff":
            return True
        return key.use_from in (week_start(now), week_start(now) - SECONDS_PER_WEEK)

    def _sign_requests(self, requests: Sequence[Verify2Request]) -> list[bytes | Refused]:
        """A blind signature for each request, or why there is none."""
        signatures: dict[int, bytes | Refused] = {}
        for kid in {request.kid for request in requests}:
            blinded = {at: request.blinded for at, request in enumerate(requests) if request.kid == kid}
            signatures |= self._sign_blinded(kid, blinded)
        return [signatures[at] for at in range(len(requests))]

    def _sign_blinded(self, kid: int, blinded: dict[int, bytes]) -> dict[int, bytes | Refused]:
        """Sign blinded commitments with one week key. Both dicts are by position in the list of requests."""
        try:
            return dict(zip(blinded, self.week_keys.blind_sign(kid, list(blinded.values())), strict=True))
        except Refused as refused:
            if len(blinded) == 1:
                return dict.fromkeys(blinded, refused)
        # A signer that refuses many may still sign some of them: they are sent again, separately.
        signatures: dict[int, bytes | Refused] = {}
        for at, message in blinded.items():
            signatures |= self._sign_blinded(kid, {at: message})
        return signatures


def _outcome(use: Callable[[], Status]) -> Status | Refused:
    try:
        return use()
    except Refused as refused:
        return refused


def _answer(kid: int, outcome: bytes | Status | Refused | Verify2Answer) -> Verify2Answer:
    """The answer to a request. outcome: a blind signature, or why there is none; raised if it is a refusal."""
    if isinstance(outcome, Refused):
        raise outcome
    if isinstance(outcome, Status):
        return Verify2Answer(status=outcome)
    if isinstance(outcome, Verify2Answer):
        return outcome
    return Verify2Answer(status=Status.OK, kid=kid, blind_signature=outcome)


def _use_code(transaction: Transaction, row: CredentialRow, digest: bytes, is_rehearsal: bool) -> Status:
    use = _USE_REHEARSAL if is_rehearsal else _USE_CODE
    changed = transaction.execute(use, (State.USED, digest, row.handle, State.OPEN))
    uses = transaction.execute(_SELECT_USE_OF_REHEARSAL if is_rehearsal else _SELECT_USE, (row.handle,))
    if changed:
        return Status.OK
    if not uses:
        return Status.CODE_INVALID
    state, used_digest = uses[0]
    if state == State.REVOKED:
        return Status.CODE_INVALID
    return Status.OK if used_digest == digest else Status.CODE_USED
