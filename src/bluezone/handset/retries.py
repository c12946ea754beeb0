# SPDX-License-Identifier: Apache-2.0
"""When a phone calls the server again: after each refusal it waits twice as long, up to a limit."""

import random

# The first pause after a check of new files that was refused.
FIRST_RETRY_SECONDS = 60.0
# The longest pause of other work, such as a pending report, while it is refused.
LONGEST_RETRY_SECONDS = 1800.0
# The pause between two checks until the city's settings say another one.
DEFAULT_POLL_SECONDS = 14_400
# Phones that were switched on together must not poll together.
POLL_JITTER = 0.25


def next_pause(pause: float, longest: float = LONGEST_RETRY_SECONDS) -> float:
    """The pause that follows `pause` if the work is refused again, at most `longest`; all in seconds."""
    return min(2 * pause, longest)


def with_jitter(pause: float, rng: random.Random) -> float:
    """A pause up to a quarter shorter or longer, in seconds."""
    return pause * rng.uniform(1 - POLL_JITTER, 1 + POLL_JITTER)
