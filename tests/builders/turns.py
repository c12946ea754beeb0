# SPDX-License-Identifier: Apache-2.0
"""The moments at which a test may begin: not shortly before the end of a day, in UTC or in the city.

Most tests query today's date more than once and must not fail because of midnight in between.
"""

DAY_SECONDS = 86_400
# Seconds after 0:00 UTC at which a day begins: the keys' and the weeks', and the city's (Asia/Ho_Chi_Minh).
TURNS = (0, 17 * 3600)
# How long before a turn no test begins in this process, where the clock may be a little ahead; and no test that starts
# other processes or a browser.
ALONE_SECONDS = 60
WITH_OTHERS_SECONDS = 180


def seconds_to_wait(now: float, margin_seconds: float) -> float:
    """Seconds until just after the next end of a day if it is nearer than the margin, else 0. now: Unix seconds."""
    seconds_to_turn = min((turn - now) % DAY_SECONDS for turn in TURNS)
    return seconds_to_turn + 0.1 if seconds_to_turn < margin_seconds else 0.0
