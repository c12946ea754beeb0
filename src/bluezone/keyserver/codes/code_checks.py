# SPDX-License-Identifier: Apache-2.0
"""What a code is worth: the first call of a report (`verify1` in docs/protocol.md), which does not use the code."""

from collections.abc import Callable
from dataclasses import dataclass

from bluezone.keyserver.codes.issued_codes import Codes
from bluezone.keyserver.keys.weekkeys import WeekKeyRing
from bluezone.keyserver.limits.limits import Limits
from bluezone.protocol.upload import Status, Verify1Answer, Verify1Request


@dataclass(frozen=True)
class CodeChecks:
    """Checks the codes of a city. clock: Unix seconds."""

    codes: Codes
    week_keys: WeekKeyRing
    limits: Limits
    clock: Callable[[], float]

    def check_code(self, request: Verify1Request, network: bytes) -> Verify1Answer:
        """Answer what a code is worth, without using it. Until its link expires, a used code looks like an open one.

        Otherwise a stranger who knows a code could check it until its patient uses it. If there were many requests,
        each costs a puzzle.
        network: where the request came from, as `networks.network_of` returns it.
        """
        code = self.codes.secrets.credential_hash(request.credential)
        challenge = self.limits.challenge_for(network, request.challenge, request.nonce, code, request.is_rehearsal)
        if challenge is not None:
            return Verify1Answer(status=Status.PUZZLE_REQUIRED, challenge=challenge)
        now = self.clock()
        row, case = self.codes.find_with_case(request.credential, request.is_rehearsal, now)
        self.limits.count_call(network, row is None, request.is_rehearsal)
        if row is None:
            return Verify1Answer(status=Status.CODE_INVALID)
        if (case or row).expires(request.credential.kind) <= now:
            return Verify1Answer(status=Status.CODE_EXPIRED)
        if case is None:
            return Verify1Answer(status=Status.CODE_USED)
        kid = self.week_keys.current_key(case.klass, now).kid
        return Verify1Answer(status=Status.OK, klass=case.klass, kid=kid, onset_day=case.onset_day)
