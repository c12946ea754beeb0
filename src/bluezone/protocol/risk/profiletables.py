# SPDX-License-Identifier: Apache-2.0
"""A strict reader of a profile's tables: it refuses an entry of a wrong type, out of range, missing or unknown."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from bluezone.refusal import Refused

Read = TypeVar("Read")

_MISSING: Any = object()


class InvalidProfile(Refused):
    """Not a disease profile; the current profile stays as it is."""

    code = "profile_invalid"


class ProfileTable:
    """One table of a profile. `finish` refuses entries that were not read, so that a misspelt name is noticed.

    where: path of the table in the profile, for messages. All methods that read raise InvalidProfile.
    """

    def __init__(self, value: object, where: str = "profile") -> None:
        if not isinstance(value, Mapping):
            raise InvalidProfile(f"{where} is {type(value).__name__}, expected a table")
        self._value = value
        self._where = where
        self._names_read: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._value

    def number(self, name: str, low: float, high: float, default: float = _MISSING) -> float:
        """Return a number within low..high, never NaN or infinity."""
        value = self._entry(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidProfile(f"{self._where}.{name} is {_short(value)}, expected a number")
        if not low <= value <= high:
            raise InvalidProfile(f"{self._where}.{name} is {value}, expected {low}..{high}")
        return value

    def integer(self, name: str, low: int, high: int, default: int = _MISSING) -> int:
        """Return a whole number within low..high."""
        value = self.number(name, low, high, default)
        if not isinstance(value, int):
            raise InvalidProfile(f"{self._where}.{name} is {value}, expected a whole number")
        return value

    def numbers(self, name: str, count: int | None, low: float, high: float) -> tuple[float, ...]:
        """Return a list of numbers within low..high: `count` numbers, or any count if None."""
        items = self._list(name)
        if count is not None and len(items) != count:
            raise InvalidProfile(f"{self._where}.{name} has {len(items)} entries, expected {count}")
        table = ProfileTable({str(position): item for position, item in enumerate(items)}, f"{self._where}.{name}")
        return tuple(table.number(str(position), low, high) for position in range(len(items)))

    def integers(self, name: str, count: int | None, low: int, high: int) -> tuple[int, ...]:
        """Return a list of whole numbers within low..high: `count` numbers, or any count if None."""
        numbers = self.numbers(name, count, low, high)
        if not all(isinstance(number, int) for number in numbers):
            raise InvalidProfile(f"{self._where}.{name} is not a list of whole numbers")
        return tuple(int(number) for number in numbers)

    def flag(self, name: str, default: bool = _MISSING) -> bool:
        """Return true or false."""
        value = self._entry(name, default)
        if not isinstance(value, bool):
            raise InvalidProfile(f"{self._where}.{name} is {_short(value)}, expected true or false")
        return value

    def choice(self, name: str, choices: Sequence[str]) -> str:
        """Return a text that is one of `choices`."""
        value = self._entry(name, _MISSING)
        if not isinstance(value, str) or value not in choices:
            raise InvalidProfile(f"{self._where}.{name} is {_short(value)}, expected {' or '.join(choices)}")
        return value

    def text(self, name: str, longest: int) -> str:
        """Return a text of 1..longest characters."""
        value = self._entry(name, _MISSING)
        if not isinstance(value, str) or not 1 <= len(value) <= longest:
            raise InvalidProfile(f"{self._where}.{name} is {_short(value)}, expected a text of 1..{longest} characters")
        return value

    def table(self, name: str) -> "ProfileTable":
        """Return the table inside this one."""
        return ProfileTable(self._entry(name, _MISSING), f"{self._where}.{name}")

    def tables(self, name: str, *, least: int = 0) -> "list[ProfileTable]":
        """Return a list of `least` to 100 tables."""
        items = self._list(name)
        if not least <= len(items) <= 100:
            raise InvalidProfile(f"{self._where}.{name} has {len(items)} entries, expected {least}..100")
        return [ProfileTable(item, f"{self._where}.{name}[{position}]") for position, item in enumerate(items)]

    def finish(self) -> None:
        """Refuse entries that were not read."""
        unknown = sorted(str(name) for name in self._value if name not in self._names_read)
        if unknown:
            raise InvalidProfile(f"{self._where} has an unknown entry {_short(unknown[0])}")

    def read_whole(self, read: "Callable[[ProfileTable], Read]") -> Read:
        """Return the result of `read` for this table; refuse entries that `read` did not read."""
        result = read(self)
        self.finish()
        return result

    def _entry(self, name: str, default: Any) -> Any:
        self._names_read.add(name)
        value = self._value.get(name, default)
        if value is _MISSING:
            raise InvalidProfile(f"{self._where}.{name} is missing")
        return value

    def _list(self, name: str) -> list[Any]:
        value = self._entry(name, _MISSING)
        if not isinstance(value, list | tuple):
            raise InvalidProfile(f"{self._where}.{name} is {_short(value)}, expected a list")
        return list(value)


def _short(value: object) -> str:
    """Return a value for a message: at most 40 characters, on one line."""
    text = repr(value) if isinstance(value, str | int | float | bool) else type(value).__name__
    return text if len(text) <= 40 else text[:37] + "..."
