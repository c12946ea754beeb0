# SPDX-License-Identifier: Apache-2.0
"""When an SMS that the operator declined for now is tried again."""

import datetime

# The last pause repeats until the message expires.
RETRY_PAUSES = tuple(datetime.timedelta(seconds=seconds) for seconds in (5, 15, 60, 300, 900, 1800, 3600))
