# SPDX-License-Identifier: Apache-2.0
"""Tokens for gates: blind signatures; each call for them costs a puzzle. Source: docs/protocol.md section 7."""

from bluezone.keyserver.keys.weekkeys import WeekKeyRing
from bluezone.keyserver.limits.limits import Limits
from bluezone.protocol.gate.tokens import TokensAnswer, TokensRequest
from bluezone.protocol.intervals import SECONDS_PER_WEEK, week_start
from bluezone.protocol.upload import Status


def sign_tokens(request: TokensRequest, week_keys: WeekKeyRing, limits: Limits, now: float) -> TokensAnswer:
    """Sign a batch of blinded tokens with a gate key of this week or the next.

    With the next week's key, a browser has its tokens before the Monday on which it needs them. now: Unix seconds.
    """
    challenge = limits.challenge_always(request.challenge, request.nonce)
    if challenge is not None:
        return TokensAnswer(Status.PUZZLE_REQUIRED, challenge=challenge)
    key = week_keys.find_key(request.kid)
    start = week_start(now)
    if key is None or key.purpose != "gate" or key.use_from not in (start, start + SECONDS_PER_WEEK):
        return TokensAnswer(Status.KID_REFUSED)
    if any(int.from_bytes(blinded, "big") >= key.n for blinded in request.blinded):
        return TokensAnswer(Status.BAD_REQUEST)
    return TokensAnswer(Status.OK, request.kid, tuple(week_keys.blind_sign(request.kid, request.blinded)))
