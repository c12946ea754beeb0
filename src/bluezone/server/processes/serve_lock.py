# SPDX-License-Identifier: Apache-2.0
"""The lock of a data folder: one `serve` of the whole city, or several of a part each, or a move."""

from bluezone.refusal import Refused

LOCK_NAME = "serve.lock"


class AlreadyServing(Refused):
    """Another `serve`, or a move, is running on this data folder."""

    code = "already_serving"
