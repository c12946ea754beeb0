# SPDX-License-Identifier: Apache-2.0
"""How a log record says what it is about: a stable name and facts that name nobody."""

from typing import Any

Fact = str | int | float | bool | None


def event(name: str, **facts: Fact) -> dict[str, Any]:
    """The `extra` of a log call. name: stable, snake_case; facts: numbers, codes and names of our own parts only."""
    return {"event": name, "facts": facts}
