# SPDX-License-Identifier: Apache-2.0
"""What every refusal of bad input has in common."""

from typing import ClassVar


class Refused(Exception):
    """Input that is not accepted; nothing already stored has changed.

    Subclasses live beside the function that raises them and set `code`, the stable name under which
    docs/reference/problems.md explains the refusal and by which phones and pages translate it.
    The message says what was got and what was expected; it never repeats a secret or personal data.
    """

    code: ClassVar[str] = "refused"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
