# SPDX-License-Identifier: Apache-2.0
"""When a mail that could not be sent is tried again."""

import datetime

# Between eight tries; after the last, 41 hours after the first, a mail is given up.
RETRY_PAUSES = tuple(datetime.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720, 1440))
# All mail waits this long if the mail server cannot be reached.
UNREACHABLE_PAUSE = RETRY_PAUSES[0]
