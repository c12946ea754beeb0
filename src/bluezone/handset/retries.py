# SPDX-License-Identifier: Apache-2.0
"""How long a phone waits before it calls the server again: after each refusal twice as long, up to a limit."""

import random

# The first pause after a check of new files that was refused.
FIRST_RETRY_SECONDS = 60.0
# The longest pause of other work, such as a pending report, while it is refused.
LONGEST_RETRY_SECONDS = 1800.0
# The pause between two checks on a phone without the city's settings.
DEFAULT_POLL_SECONDS = 14_400
# Share of a pause by which it varies, so that phones that were switched on together do not poll together.
POLL_JITTER = 0.25


def next_pause(pause: float, longest: float = LONGEST_RETRY_SECONDS) -> float:
    """Return the pause after another refusal: twice `pause`, at most `longest`, in seconds."""
    return min(2 * pause, longest)


def with_jitter(pause: float, rng: random.Random) -> float:
    """Return a random pause up to a quarter shorter or longer than `pause`, in seconds."""
    return pause * rng.uniform(1 - POLL_JITTER, 1 + POLL_JITTER)
