# SPDX-License-Identifier: Apache-2.0
"""The base class of every refusal of bad input."""

from typing import ClassVar


class Refused(Exception):
    """Input was refused; nothing already stored has changed.

    Subclasses are next to the function that raises them and set `code`, a stable name: docs/reference/problems.md
    explains the refusal under it, and phones and pages translate it. The message says what was received and what was
    expected; it never repeats a secret or personal data.
    """

    code: ClassVar[str] = "refused"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
