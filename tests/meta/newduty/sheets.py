# SPDX-License-Identifier: Apache-2.0
"""What is handed out with a mask."""

from bluezone.paper.phrases import Facts


def note(city: Facts) -> bytes:
    """A line of text with the city's host."""
    return f"Bluezone: {city.host}\n".encode()
