# SPDX-License-Identifier: Apache-2.0
"""The part with the codes: it issues, looks up and revokes them, and signs blind for a code that is redeemed."""

from collections.abc import Callable

from bluezone.city_settings import City
from bluezone.keyserver.codes.code_checks import CodeChecks
from bluezone.keyserver.codes.issued_codes import Codes
from bluezone.keyserver.codes.redemption import Redemption
from bluezone.keyserver.gatetokens import sign_tokens
from bluezone.keyserver.keys.keyfolder import Pepper
from bluezone.keyserver.keys.weekkeys import WeekKeyRing
from bluezone.keyserver.limits.limits import Limits
from bluezone.keyserver.statistics import note_guesses, note_guessing_alarm
from bluezone.keyserver.storage.store import Store
from bluezone.protocol.gate.tokens import TokensAnswer, TokensRequest


class CodesPart:
    """The codes of one city. store: of codes; origin: of the links; clock: returns Unix seconds.

    week_keys: sign certificates and gate tokens.
    """

    def __init__(
        self, store: Store, pepper: Pepper, week_keys: WeekKeyRing, city: City, origin: str, clock: Callable[[], float]
    ) -> None:
        self.store = store
        self.city = city
        self.clock = clock
        self.limits = Limits(
            pepper.derived("puzzle"),
            clock,
            lambda hour: note_guessing_alarm(self.store, hour),
            rehearsals_a_minute=city.rehearsals_a_minute,
            note=lambda hour, guesses: note_guesses(self.store, hour, guesses),
        )
        self._pepper = pepper
        self._week_keys = week_keys
        self._origin = origin

    @property
    def codes(self) -> Codes:
        """Verification codes: issued, looked up, revoked."""
        return Codes(self.store, self._pepper, self.clock, self.city.zone, self._origin)

    @property
    def code_checks(self) -> CodeChecks:
        """What codes are worth: the first call of a report."""
        return CodeChecks(self.codes, self._week_keys, self.limits, self.clock)

    @property
    def redemption(self) -> Redemption:
        """Certificates for codes: the second call of a report."""
        return Redemption(self.codes, self._week_keys, self.limits, self.clock)

    def sign_tokens(self, request: TokensRequest) -> TokensAnswer:
        """Sign a batch of gate tokens."""
        return sign_tokens(request, self._week_keys, self.limits, self.clock())

    def share_limits(self, descriptor: int) -> None:
        """Count attempts together with the other processes that have this memory."""
        self.limits.share_tally(descriptor, 0)
