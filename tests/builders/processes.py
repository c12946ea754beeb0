# SPDX-License-Identifier: Apache-2.0
"""Find the tests that start processes of bluezone, or Python processes that load all of it: these take seconds.

What counts is which functions a test and its fixtures can reach, not what its module imports: a test may take a free
port from the builder that also starts `serve`, and start nothing.
"""

import functools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

# The installed program, and an interpreter for a module of ours.
_PROGRAMS = frozenset({"BLUEZONE", "executable"})
_FORKS = "tests.builders.commands"
# Makes stores and keys for all tests once, not for a test.
_SHARED = "tests.builders.stores"


def starts_processes(functions: list[Callable[..., Any]]) -> bool:
    """Whether any of these functions, or a function of the tests that they can reach, starts a process of bluezone."""
    names: set[str] = set()
    uses_subprocess = False
    for function in _reachable(functions):
        if function.__module__ == _FORKS:
            return True
        names |= _names_of(function.__code__)
        uses_subprocess = uses_subprocess or "subprocess" in _names_of(function.__code__)
    return uses_subprocess and bool(names & _PROGRAMS)


def _reachable(functions: list[Callable[..., Any]]) -> set[FunctionType]:
    """These functions and all functions of the tests that they name, at any depth."""
    seen: set[FunctionType] = set()
    waiting = [function for start in functions for function in _functions_in(start)]
    while waiting:
        function = waiting.pop()
        if function not in seen:
            seen.add(function)
            waiting += _named_by(function)
    return seen


@functools.cache
def _named_by(function: FunctionType) -> frozenset[FunctionType]:
    """The functions of the tests that a function names: globals, attributes of imported modules, methods of classes."""
    names = _names_of(function.__code__)
    functions: set[FunctionType] = set()
    for name in names & function.__globals__.keys():
        value = function.__globals__[name]
        if isinstance(value, ModuleType) and _is_of_tests(value.__name__):
            # `serving.start(...)` names the module and, as an attribute, what it takes from there.
            values = [getattr(value, attribute) for attribute in names if hasattr(value, attribute)]
        else:
            values = [value]
        for each in values:
            functions.update(_functions_in(each))
    return frozenset(functions)


def _functions_in(value: Any) -> Iterator[FunctionType]:
    """The functions of the tests that a value is or, as a class or an instance of one, has as methods."""
    value = getattr(value, "__wrapped__", value)
    value = getattr(value, "func", value) if isinstance(value, functools.partial) else value
    if isinstance(value, FunctionType):
        if _is_of_tests(value.__module__):
            yield value
        return
    kind = value if isinstance(value, type) else type(value)
    for base in kind.__mro__:
        if _is_of_tests(base.__module__):
            for member in vars(base).values():
                method = getattr(member, "__func__", getattr(member, "fget", member))
                method = getattr(method, "__wrapped__", method)
                if isinstance(method, FunctionType) and _is_of_tests(method.__module__):
                    yield method


def _is_of_tests(module: str) -> bool:
    return module.startswith("tests.") and module not in (_SHARED, __name__)


@functools.cache
def _names_of(code: CodeType) -> frozenset[str]:
    """The global names and attributes that a function uses, also within its inner functions."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _names_of(constant)
    return frozenset(names)


def without_moved_clock() -> dict[str, str]:
    """The environment without libfaketime, for programs that need the true time or must load another library first."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FAKETIME")}
    environment.pop("LD_PRELOAD", None)
    return environment


class ProcessWatch:
    """Notes each process of bluezone that a fast test starts by subprocess.

    starts_processes() reads the functions of the tests; this sees what the program itself starts.
    """

    def __init__(self) -> None:
        self.unmarked: list[str] = []
        self.test = ""
        start = subprocess.Popen.__init__

        @functools.wraps(start)
        def watched(process: Any, args: Any, *rest: Any, **options: Any) -> None:
            if self.test and _is_bluezone(args) and not _for_all_tests():
                self.unmarked.append(f"{self.test} starts {args}")
            start(process, args, *rest, **options)

        subprocess.Popen.__init__ = watched  # type: ignore[method-assign]


def _is_bluezone(args: Any) -> bool:
    """Whether a command is a process of ours; the small readers of files that a page starts are part of the page."""
    command = [str(argument) for argument in ([args] if isinstance(args, (str, bytes, Path)) else args)]
    if "bluezone.confinement" in command:
        return False
    return command[0] == sys.executable or Path(command[0]).name == "bluezone"


def _for_all_tests() -> bool:
    """Whether stores.py, which makes what all tests share, is among the callers."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_globals.get("__name__") == _SHARED:
            return True
        frame = frame.f_back
    return False
