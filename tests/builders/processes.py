# SPDX-License-Identifier: Apache-2.0
"""Find test modules that start processes of bluezone, or Python processes that load all of it, which takes seconds."""

import functools
import subprocess
import sys
from types import ModuleType

# Names by which a module starts a process: the program, or a Python interpreter. And builders that start one.
_PROGRAMS = {"BLUEZONE", "executable"}
_STARTERS = ("tests.builders.serving", "tests.builders.offices", "tests.builders.commands")


@functools.cache
def are_started_by(module: ModuleType | None) -> bool:
    """Whether a module of tests or builders starts such processes, directly or through a builder that it imports."""
    if module is None or not (module.__name__.startswith("tests.") or module.__name__ == "conftest"):
        return False
    return module.__name__ in _STARTERS or _starts_process(module) or any(map(are_started_by, _builders_of(module)))


def _starts_process(module: ModuleType) -> bool:
    names = vars(module)
    return names.get("subprocess") is subprocess and bool(_PROGRAMS & (set(names) | _names_in(module)))


def _names_in(module: ModuleType) -> set[str]:
    """The names that its functions use, including those of nested functions."""
    names: set[str] = set()
    codes = [
        function.__code__
        for function in vars(module).values()
        if getattr(function, "__module__", "") == module.__name__ and hasattr(function, "__code__")
    ]
    while codes:
        code = codes.pop()
        names.update(code.co_names)
        codes += [constant for constant in code.co_consts if hasattr(constant, "co_names")]
    return names


def _builders_of(module: ModuleType) -> set[ModuleType]:
    """The modules of builders from which it imports something, without itself."""
    origins = {_module_name(value) for value in vars(module).values()}
    return {
        sys.modules[name] for name in origins
        if name.startswith("tests.builders.") and name != module.__name__ and name in sys.modules
        and name not in ("tests.builders.stores", "tests.builders.processes")
    }  # fmt: skip


def _module_name(value: object) -> str:
    """The name of a module, or of the module that defines a value; "" if it has none."""
    if isinstance(value, ModuleType):
        return value.__name__
    return getattr(value, "__module__", None) or ""
