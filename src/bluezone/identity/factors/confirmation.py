# SPDX-License-Identifier: Apache-2.0
"""Whether a browser has proved the second factor a short time ago, as signing acts require."""

import time

from django.http import HttpRequest

# In the session: when this browser last proved the second factor, Unix seconds.
CONFIRMED_KEY = "second_factor_at"
# For this long a proof is recent.
SECOND_FACTOR_SECONDS = 300


def note_confirmed(request: HttpRequest) -> None:
    """Note that this browser has just proved the second factor."""
    request.session[CONFIRMED_KEY] = int(time.time())


def is_recently_confirmed(request: HttpRequest, seconds: int = SECOND_FACTOR_SECONDS) -> bool:
    """Whether this browser proved the second factor within the last `seconds`."""
    at: int = request.session.get(CONFIRMED_KEY, 0)
    return 0 <= time.time() - at <= seconds
