# SPDX-License-Identifier: Apache-2.0
"""A strict reader of JSON objects: it refuses a member that does not have the expected type and range.

Unknown members are ignored, so that later servers may add some.
"""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any, Self

from bluezone.refusal import Refused

# The largest whole number that JavaScript reads exactly.
LARGEST_INTEGER = 2**53 - 1


class JsonMembers:
    """One JSON object of a file.

    refusal: makes the exception to raise if a member is not as expected, from its message.
    where:   path of the object in the file, for messages. Messages never repeat values.
    """

    def __init__(self, value: object, refusal: Callable[[str], Refused], where: str = "file") -> None:
        if not isinstance(value, dict):
            raise refusal(f"{where} is not a JSON object")
        self._value: dict[str, Any] = value
        self._refusal = refusal
        self._where = where

    @classmethod
    def parse(cls, payload: bytes, refusal: Callable[[str], Refused]) -> Self:
        """Read JSON text that is one object."""
        try:
            value = json.loads(payload)
        except (ValueError, RecursionError):
            raise refusal(f"payload of {len(payload)} bytes is not JSON") from None
        return cls(value, refusal)

    def integer(self, name: str, lowest: int = 0, highest: int = LARGEST_INTEGER) -> int:
        """Return a whole number within lowest..highest."""
        value = self._value.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise self._refused(name, f"a whole number {lowest}..{highest}")
        return value

    def boolean(self, name: str) -> bool:
        """Return true or false."""
        value = self._value.get(name)
        if not isinstance(value, bool):
            raise self._refused(name, "true or false")
        return value

    def text(self, name: str, pattern: str = r"(?s).*\S.*") -> str:
        """Return a text that matches `pattern` completely; by default any text that is not blank."""
        value = self._value.get(name)
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise self._refused(name, "text" if pattern.startswith("(?s)") else f"text like {pattern}")
        return value

    def has(self, name: str) -> bool:
        """Whether the member is present and not null."""
        return self._value.get(name) is not None

    def text_or_none(self, name: str) -> str | None:
        """Return a text that is not blank, or None if the member is null or absent."""
        return self.text(name) if self.has(name) else None

    def texts(self, name: str, pattern: str = r"(?s).*\S.*") -> tuple[str, ...]:
        """Return a list of texts that each match `pattern`."""
        values = self._list(name)
        if not all(isinstance(value, str) and re.fullmatch(pattern, value) for value in values):
            raise self._refused(name, "a list of texts")
        return tuple(values)

    def other_names(self, names: Iterable[str]) -> list[str]:
        """Return the names of all members except `names`, sorted."""
        return sorted(set(self._value).difference(names))

    def mapping(self, name: str) -> dict[str, Any]:
        """Return a nested object without checking its members."""
        value = self._value.get(name)
        if not isinstance(value, dict):
            raise self._refused(name, "an object")
        return value

    def nested(self, name: str) -> "JsonMembers":
        """Return an object to be read member by member."""
        return JsonMembers(self._value.get(name), self._refusal, f"{self._where}.{name}")

    def nested_list(self, name: str) -> "list[JsonMembers]":
        """Return the objects of a list, to be read member by member."""
        values = self._list(name)
        return [JsonMembers(value, self._refusal, f"{self._where}.{name}[{i}]") for i, value in enumerate(values)]

    def _list(self, name: str) -> list[Any]:
        value = self._value.get(name)
        if not isinstance(value, list):
            raise self._refused(name, "a list")
        return value

    def _refused(self, name: str, expected: str) -> Refused:
        return self._refusal(f"{self._where}.{name} is missing or is not {expected}")
