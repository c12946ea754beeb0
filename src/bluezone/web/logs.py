# SPDX-License-Identifier: Apache-2.0
"""What a log line may not hold."""

import logging


class PathDropped(logging.Filter):
    """Django's line for an error names the path, which may be a one-time link; the traceback says enough."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the record, without its path."""
        record.msg, record.args = "a page failed", ()
        return True
