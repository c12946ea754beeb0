# SPDX-License-Identifier: Apache-2.0
"""Which modules of tests start processes of bluezone, or Python processes that load all of it: they take seconds."""

import functools
import subprocess
import sys
from types import ModuleType

# What starts one, beside the builders below: the program itself, or an interpreter of its own.
_PROGRAMS = {"BLUEZONE", "executable"}
_STARTERS = ("tests.builders.serving", "tests.builders.offices", "tests.builders.commands")


@functools.cache
def are_started_by(module: ModuleType | None) -> bool:
    """Whether a module of tests or builders starts such processes, by itself or through a builder that it imports."""
    if module is None or not (module.__name__.startswith("tests.") or module.__name__ == "conftest"):
        return False
    return module.__name__ in _STARTERS or _by_itself(module) or any(map(are_started_by, _builders_of(module)))


def _by_itself(module: ModuleType) -> bool:
    held = vars(module)
    return held.get("subprocess") is subprocess and bool(_PROGRAMS & (set(held) | _names_in(module)))


def _names_in(module: ModuleType) -> set[str]:
    """The names that its functions use, also those within functions and classes."""
    names: set[str] = set()
    left = [one.__code__ for one in vars(module).values() if getattr(one, "__module__", "") == module.__name__
            and hasattr(one, "__code__")]  # fmt: skip
    while left:
        code = left.pop()
        names.update(code.co_names)
        left += [constant for constant in code.co_consts if hasattr(constant, "co_names")]
    return names


def _builders_of(module: ModuleType) -> set[ModuleType]:
    """The modules of tests from which it has taken something, itself left out."""
    named = {one.__name__ if isinstance(one, ModuleType) else getattr(one, "__module__", None) or ""
             for one in vars(module).values()}  # fmt: skip
    return {
        sys.modules[name] for name in named
        if name.startswith("tests.builders.") and name != module.__name__ and name in sys.modules
        and name not in ("tests.builders.stores", "tests.builders.processes")
    }  # fmt: skip
