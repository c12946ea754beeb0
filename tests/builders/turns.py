# SPDX-License-Identifier: Apache-2.0
"""When a test may begin: not while a day is about to end, in UTC or in the city.

Most tests ask for today more than once, and what they are about is not that midnight came between.
"""

DAY_SECONDS = 86_400
# Seconds after 0:00 UTC at which a day begins: the keys' and the weeks', and the city's (Asia/Ho_Chi_Minh).
TURNS = (0, 17 * 3600)
# How long before a turn no test begins: one in this process, whose clock may run a little ahead, and one that starts
# others or drives a browser.
ALONE_SECONDS, WITH_OTHERS_SECONDS = 60, 180


def seconds_to_wait(now: float, margin_seconds: float) -> float:
    """Until just after the next turn if it is nearer than the margin, else 0. now: Unix seconds."""
    left = min((turn - now) % DAY_SECONDS for turn in TURNS)
    return left + 0.1 if left < margin_seconds else 0.0
