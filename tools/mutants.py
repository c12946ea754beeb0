# SPDX-License-Identifier: Apache-2.0
"""Spoil the code a little, one place at a time, and see whether a test notices: docs/contributing/mutation.md.

    python tools/mutants.py [--scope-checks] [--own-tests] [--most 2] [--seed 7]... [--only PLACES]
        PACKAGE... -- PYTEST-ARGUMENTS...

PACKAGE: "authority" or "rollout.directives" under bluezone. The tests run once while the lines that each executes are
noted. Then, for each mutant, this process forks; the child gives the spoilt function to whoever holds the sound one and
runs only the tests that execute the line, the cheapest first. No file is changed. A mutant outside every function is
written into a copy of the tree, and the test files that execute its module, or a module that has its name, run there in
a process of their own.
"""

import argparse
import ast
import collections
import contextlib
import copy
import ctypes
import functools
import gc
import importlib
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import pytest
from _pytest.runner import runtestprotocol

REPOSITORY = Path(__file__).resolve().parents[1]
SOURCE = REPOSITORY / "src" / "bluezone"
# Processor seconds on top of five times what a test took: a mutant that never ends is killed by its own time.
SPARE_SECONDS = 5
# Whoever waits for ever neither uses a processor nor stands in the queue for one, for all but this part of so long;
# that is told as hung and judged by nobody.
HUNG_SECONDS, HUNG_SHARE, HUNG_LOOKS = 120, 0.02, 5
# PR_SET_PDEATHSIG: a child does not outlive a run that is ended from outside.
_END_WITH_PARENT = 1
# How a child ends.
SURVIVED, KILLED, BROKEN, OUTSIDE, NOT_APPLICABLE = range(5)
Change = Callable[[ast.AST], ast.AST | None]


@dataclass
class Mutant:
    """One spoilt place. statement: first line of the statement that holds it. change: puts the spoilt node in place of
    the sound one.
    """

    path: Path
    line: int
    what: str
    node: ast.AST
    change: Change
    statement: int
    outcome: str = ""
    killed_by: str = ""

    @property
    def package(self) -> str:
        parts = self.path.relative_to(SOURCE).parts
        return ".".join(parts[:2] if parts[0] == "rollout" and len(parts) > 2 else parts[:1])

    @property
    def own_tests(self) -> Path:
        """Where the tests of its duty lie: they mirror the packages."""
        return REPOSITORY / "tests" / self.package.replace(".", "/")

    def __str__(self) -> str:
        return f"{self.path.relative_to(SOURCE)}:{self.line} {self.what}"


# What may be spoilt anywhere.

_OPPOSITE: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add,
}  # fmt: skip


def _with(**values: Any) -> Change:
    def change(node: ast.AST) -> ast.AST:
        for name, value in values.items():
            setattr(node, name, value)
        return node

    return change


def _instead(make: Callable[[Any], ast.AST]) -> Change:
    return lambda node: ast.copy_location(make(node), node)


_NOTHING = _instead(lambda node: ast.Pass())


def anywhere(node: ast.AST) -> Iterator[tuple[str, Change]]:
    """What the usual operators make of a node."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _OPPOSITE and not _rounds(node):
        other = _OPPOSITE[type(node.ops[0])]
        yield f"{type(node.ops[0]).__name__} -> {other.__name__}", _with(ops=[other(), *node.ops[1:]])
    elif isinstance(node, (ast.BoolOp, ast.BinOp)) and type(node.op) in _OPPOSITE:
        other = _OPPOSITE[type(node.op)]
        yield f"{type(node.op).__name__} -> {other.__name__}", _with(op=other())
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield f"{node.value} -> {node.value + 1}", _with(value=node.value + 1)
    elif isinstance(node, (ast.If, ast.IfExp)):
        negated = ast.copy_location(ast.UnaryOp(ast.Not(), node.test), node.test)
        yield "condition negated", _with(test=negated)
    elif isinstance(node, ast.Raise):
        yield "raise dropped", _NOTHING
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield f"call dropped: {ast.unparse(node)[:60]}", _NOTHING
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.Constant) and type(node.value.value) is bool:
        yield (
            f"returns {not node.value.value}",
            _with(value=ast.copy_location(ast.Constant(not node.value.value), node)),
        )
    elif isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield "returns None", _with(value=ast.copy_location(ast.Constant(None), node.value))
    elif isinstance(node, ast.Attribute) and node.attr in ("filter", "exclude"):
        other_name = {"filter": "exclude", "exclude": "filter"}[node.attr]
        yield f"{node.attr} -> {other_name}", _with(attr=other_name)


def _rounds(node: ast.AST) -> bool:
    """Whether a comparison allows for rounding: no number lies just on such a bound, so < and <= are the same."""
    return any(isinstance(one, ast.Name) and "ROUNDING" in one.id for one in ast.walk(node))


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


# What decides whose an object is.

_CHECKS = re.compile(r"_?(require|refuse_)\w*$")
_REFUSALS = {"OutsideScope", "PermissionDenied"}
# Functions that say what somebody reaches: true or false, a queryset, or a set of keys.
_SCOPES = re.compile(
    r"(may|may_\w+|keeps|keeps_all|sees|plans|runs|oversees|_reaches|admits|agencies_of|units_of|wards_of|teams_of"
    r"|houses_of|registered_of|\w+_seen_by|held_by|planned_teams|requests_for|(kept|own|seen|read|handled|issuing)_\w+"
    r"|units_closed_by|wards|_planned_by|_may_cancel|file_for|oversees_\w+)$"
)
_PERSON = re.compile(r"\b(user|request(?!\.body)|worker|supervisor|made_by|teacher|owner)\b")
# No two underscores before it: within a class they would be made another name.
_EVERYTHING = "everything_there_is"


def whose(node: ast.AST) -> Iterator[tuple[str, Change]]:
    """What remains of a node when its question whose an object is has been taken out."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and _CHECKS.match(_name(node.value.func)):
        yield f"check removed: {ast.unparse(node)[:70]}", _NOTHING
    elif isinstance(node, ast.If) and not node.orelse and _refuses_somebody(node):
        yield f"refusal removed: if {ast.unparse(node.test)[:60]}", _NOTHING
    elif isinstance(node, ast.Call):
        name, source = _name(node.func), ast.unparse(node)
        if name in ("filter", "get_object_or_404", "get", "exclude"):
            for keyword in node.keywords:
                if keyword.arg and keyword.arg != "pk" and _PERSON.search(ast.unparse(keyword.value)):
                    yield f"filter removed: {keyword.arg}={ast.unparse(keyword.value)[:50]}", _without(keyword.arg)
        if _SCOPES.match(name) and _PERSON.search(source.partition("(")[2]):
            yield (
                f"reaches everything: {source[:70]}",
                _instead(lambda sound: ast.Call(ast.Name(_EVERYTHING, ast.Load()), [sound], [])),
            )


def _without(name: str) -> Change:
    def change(node: ast.AST) -> ast.AST:
        assert isinstance(node, ast.Call)
        node.keywords = [one for one in node.keywords if one.arg != name]
        return node

    return change


def _refuses_somebody(node: ast.If) -> bool:
    """Whether it answers 403; or 404 where it asks for a person and not for what there is."""
    raised = _raised(node.body[0])
    return raised in _REFUSALS or (raised == "Http404" and bool(_PERSON.search(ast.unparse(node.test))))


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _raised(node: ast.AST) -> str:
    if not isinstance(node, ast.Raise) or node.exc is None:
        return ""
    return _name(node.exc.func if isinstance(node.exc, ast.Call) else node.exc)


def everything(found: Any) -> Any:
    """In place of what somebody reaches: all there is of it."""
    from bluezone.directory.models import Agency

    if hasattr(found, "model"):
        return found.model._default_manager.all()
    if isinstance(found, frozenset):
        return frozenset(Agency.objects.values_list("pk", flat=True))
    if isinstance(found, bool):
        return True
    # An object or a list: no reach that could be made everything.
    os._exit(NOT_APPLICABLE)


# What other tests may yet decide.
_UNDECIDED = ("survived", "not executed", "hung")
_OUTCOMES = {
    SURVIVED: "survived", KILLED: "killed", BROKEN: "killed", OUTSIDE: "outside", NOT_APPLICABLE: "not applicable",
}  # fmt: skip

# Finding the places.


# What is never spoilt, because no difference follows that a test should see: docs/contributing/mutation.md says why.
_LOGS = {"debug", "info", "warning", "error", "exception", "critical"}
_WAITS = {
    "sleep",
    "wait",
    "wait_for",
    "timeout",
    "timeout_at",
    "settimeout",
    "lru_cache",
    "MenuEntry",
    "FirstPage",
    "Column",
}
_PATIENCE = re.compile(r"(\w+_)?timeout(_\w+)?|maxsize|max_workers|batch_size")


def _is_no_matter(node: ast.AST) -> bool:
    """Whether nothing within a node is spoilt: a log line, how long is waited, how much is remembered, how wide."""
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in _LOGS:
            return bool(re.fullmatch(r"log|logger", _name(node.func.value)))
        return _name(node.func) in _WAITS
    return isinstance(node, ast.keyword) and bool(_PATIENCE.fullmatch(node.arg or ""))


def places(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a tree that may be spoilt."""
    matters = not (isinstance(node, ast.Expr) and _is_no_matter(node.value))
    if matters and not _is_no_matter(node):
        yield node
        for name, value in ast.iter_fields(node):
            if name not in ("annotation", "returns"):
                for one in value if isinstance(value, list) else [value]:
                    if isinstance(one, ast.AST):
                        yield from places(one)


def mutants_of(path: Path, operators: Callable[[ast.AST], Iterator[tuple[str, Change]]]) -> list[Mutant]:
    """Every mutant of a file, in the order of its lines."""
    found = []
    tree = ast.parse(path.read_text())
    holders = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in places(tree):
        for what, change in operators(node):
            holder = node
            while not isinstance(holder, ast.stmt):
                holder = holders[holder]
            line: int = node.lineno  # type: ignore[attr-defined]
            found.append(Mutant(path, line, what, node, change, holder.lineno))
    return sorted(found, key=lambda one: one.line)


def is_outside(mutant: Mutant) -> bool:
    """Whether it stands in no function, so that its line is executed only while its module is imported."""
    return not any(
        one.lineno <= mutant.line <= (one.end_lineno or 0) and one.body[0].lineno <= mutant.line
        for one in ast.walk(ast.parse(mutant.path.read_text()))
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))
    )


def names_of(mutant: Mutant) -> set[str]:
    """The names that the module gives to what stands at the mutant's place, if it is outside every function."""
    for statement in ast.parse(mutant.path.read_text()).body:
        if statement.lineno <= mutant.line <= (statement.end_lineno or 0):
            if isinstance(statement, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                return {statement.name}
            targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
            return {one.id for target in targets if target for one in ast.walk(target) if isinstance(one, ast.Name)}
    return set()


def spoilt(mutant: Mutant) -> ast.Module:
    """The tree of the mutant's file with its place spoilt."""
    tree = ast.parse(mutant.path.read_text())
    want = (type(mutant.node), mutant.node.lineno, mutant.node.col_offset, ast.dump(mutant.node))  # type: ignore[attr-defined]

    used = {one.id for one in ast.walk(mutant.node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)}

    class Spoil(ast.NodeTransformer):
        done = False

        def visit(self, node: ast.AST) -> Any:
            place = (type(node), getattr(node, "lineno", 0), getattr(node, "col_offset", 0))
            if place == want[:3] and ast.dump(node) == want[3]:
                self.done = True
                return mutant.change(copy.deepcopy(node))
            before, self.done = self.done, False
            node, inside = self.generic_visit(node), self.done
            self.done = before or inside
            return _naming(node, sorted(used)) if inside else node

    return ast.fix_missing_locations(Spoil().visit(tree))


def _naming(node: ast.AST, names: list[str]) -> ast.AST:
    """A function that still names what was taken out of it, where it never comes to.

    Its code then has the same free variables and can be given to the closures that live.
    """
    never = ast.Tuple([ast.Name(name, ast.Load()) for name in names], ast.Load())
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        last = node.body[-1]
        node.body.append(ast.copy_location(ast.If(ast.Constant(False), [ast.Expr(never)], []), last))
    elif isinstance(node, ast.Lambda):
        node.body = ast.copy_location(ast.IfExp(ast.Constant(True), node.body, never), node.body)
    return node


# The file, the name, the first line, and where everything in it stands: two functions of a line are told apart.
Identity = tuple[str, str, int, bytes]


def identity(code: types.CodeType) -> Identity:
    """What tells a piece of code from every other of ours."""
    return code.co_filename, code.co_qualname, code.co_firstlineno, code.co_linetable


def functions() -> dict[Identity, list[types.FunctionType]]:
    """Every living function of ours, the closures too."""
    found: dict[Identity, list[types.FunctionType]] = collections.defaultdict(list)
    for one in gc.get_objects():
        if type(one) is types.FunctionType and one.__code__.co_filename.startswith(str(SOURCE)):
            found[identity(one.__code__)].append(one)
    return found


def caches() -> list[Any]:
    """The caches of our functions: an answer kept there would hide that the function is spoilt, and who asks it.

    What is kept open stays open.
    """
    found = [one for one in gc.get_objects() if type(one) is functools._lru_cache_wrapper]
    return [one for one in found if one.__module__.startswith("bluezone") and "open" not in one.__name__]


def differences(sound: types.CodeType, bad: types.CodeType) -> Iterator[tuple[types.CodeType, types.CodeType]]:
    """The functions of a module that differ, in pairs; one that is nested in another follows it."""
    pairs = [[one for one in code.co_consts if isinstance(one, types.CodeType)] for code in (sound, bad)]
    for name in dict.fromkeys(one.co_qualname for one in pairs[0]):
        alike = [[one for one in ones if one.co_qualname == name] for ones in pairs]
        # Where one was taken out together with what holds it, nothing makes it any more.
        if len(alike[0]) == len(alike[1]):
            for one, other in zip(*alike, strict=True):
                if one != other:
                    if one.co_flags & 0x2:  # CO_NEWLOCALS: a function; the body of a class has it not
                        yield one, other
                    yield from differences(one, other)


def put_in(mutant: Mutant, living: dict[Identity, list[types.FunctionType]]) -> bool:
    """Give the spoilt code to whoever has the sound one: the functions of the module, and closures made of it before.

    Whether one of them has it now; no, where a closure has other free variables, or none lives.
    """
    sound = compile(mutant.path.read_text(), str(mutant.path), "exec")
    bad = compile(spoilt(mutant), str(mutant.path), "exec")
    held = False
    for old, new in differences(sound, bad):
        for function in living.get(identity(old), []):
            if old.co_freevars != new.co_freevars:
                return False
            function.__code__ = new
            function.__globals__[_EVERYTHING] = everything
            held = True
    return held


_PROBE = "note_as_executed"


def probed(path: Path, numbers: dict[int, int]) -> ast.Module:
    """The tree of a file in which statements of functions say their number before they are executed.

    numbers: first line of the statement -> number.
    """
    tree = ast.parse(path.read_text())
    functions = [one for one in ast.walk(tree) if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))]
    inside = {node for one in functions for statement in one.body for node in ast.walk(statement)}
    for node in [*functions, *inside]:
        for name in ("body", "orelse", "finalbody"):
            statements = getattr(node, name, None)
            if isinstance(statements, list):
                setattr(node, name, [one for statement in statements for one in _with_probe(statement, numbers)])
    return ast.fix_missing_locations(tree)


def _with_probe(statement: ast.stmt, numbers: dict[int, int]) -> Iterator[ast.stmt]:
    is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    if statement.lineno in numbers and not is_text:
        says = ast.Call(ast.Name(_PROBE, ast.Load()), [ast.Constant(numbers[statement.lineno])], [])
        yield ast.copy_location(ast.Expr(says), statement)
    yield statement


class Probes:
    """Notes which of the mutants' statements are executed: a call in front of each, many times cheaper than a trace."""

    def __init__(self, mutants: list[Mutant]) -> None:
        self.executed: set[int] = set()
        self._places = list(dict.fromkeys((one.path, one.statement) for one in mutants))
        self._sound: dict[Identity, types.CodeType] = {}
        living = functions()
        for path in dict.fromkeys(one.path for one in mutants):
            numbers = {line: number for number, (of, line) in enumerate(self._places) if of == path}
            codes = (compile(tree, str(path), "exec") for tree in (ast.parse(path.read_text()), probed(path, numbers)))
            for old, new in differences(*codes):
                self._sound[identity(new)] = old
                for function in living.get(identity(old), []):
                    function.__code__ = new
                    function.__globals__[_PROBE] = self.executed.add

    def taken(self) -> Iterator[tuple[Path, int]]:
        """What was executed since this was asked."""
        yield from (self._places[number] for number in self.executed)
        self.executed.clear()

    def remove(self) -> None:
        """Give back the sound code to whoever has the other: closures too that were made meanwhile."""
        for one in gc.get_objects():
            if type(one) is types.FunctionType and (sound := self._sound.get(identity(one.__code__))):
                one.__code__ = sound


# Running the tests.


@dataclass
class Runner:
    """The pytest plugin: notes which test executes what, then tries the mutants."""

    mutants: list[Mutant]
    jobs: int
    # The tests that were named; and whether a mutant that they leave is tried by the tests of its duty.
    named: list[Path] = field(default_factory=list)
    own_too: bool = False
    # Where pytest captures nothing.
    out: TextIO = field(default_factory=lambda: os.fdopen(os.dup(1), "w"))
    executed: dict[tuple[Path, int], set[int]] = field(default_factory=lambda: collections.defaultdict(set))
    # Tests that have passed in a child in which nothing was spoilt.
    _trusted: set[int] = field(default_factory=set)
    seconds: dict[int, float] = field(default_factory=dict)
    sound: set[int] = field(default_factory=set)
    items: list[pytest.Item] = field(default_factory=list)
    _seen: dict[int, "Seen"] = field(default_factory=dict)
    # The file whose fixtures stand ready.
    _ready: Path = REPOSITORY
    _caches: list[Any] = field(default_factory=list)
    # Which tests execute a file at all, and what is written in it.
    by_file: dict[str, set[int]] = field(default_factory=lambda: collections.defaultdict(set))
    texts: dict[str, str] = field(default_factory=lambda: {str(one): one.read_text() for one in SOURCE.rglob("*.py")})

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = session.items
        # A module that a test imports only as it runs would be noted as executed by none.
        for path in dict.fromkeys(one.path for one in self.mutants if not is_outside(one)):
            if not path.stem.startswith("__"):
                with contextlib.suppress(Exception):  # one that needs what is not here is tried by nobody
                    importlib.import_module(".".join(path.relative_to(SOURCE.parent).with_suffix("").parts))
        own = dict.fromkeys(one.own_tests for one in self.mutants) if self.own_too else {}
        named = [number for number in range(len(self.items)) if not self._is_only_own(number, own)]
        if named:
            # A file's tests one after the other, the last file last: pytest-django puts those without a database apart.
            files = list(dict.fromkeys(self.items[number].path for number in named))
            named.sort(key=lambda number: files.index(self.items[number].path))
            self._try(session, self.mutants, named)
        for folder in own:
            left = [one for one in self.mutants if one.own_tests == folder and one.outcome in ("", *_UNDECIDED)]
            numbers = [number for number in range(len(self.items)) if folder in self.items[number].path.parents]
            if left and (numbers := [number for number in numbers if number not in named]):
                self._try(session, left, numbers)
        return True

    def _is_only_own(self, number: int, own: Iterable[Path]) -> bool:
        """Whether a test is here because a mutant of its duty wants it, and nobody named it."""
        path = self.items[number].path
        return any(one in path.parents for one in own) and not any(
            one == path or one in path.parents for one in self.named
        )

    def _try(self, session: pytest.Session, mutants: list[Mutant], numbers: list[int]) -> None:
        """Run some of the tests once, then try the mutants by those of them that execute their place."""
        self._note(session, mutants, numbers)
        self._ready = self.items[numbers[-1]].path
        living = functions()
        self._caches = caches()
        # What lives by now is shared with the children: a look at all of it there would copy it.
        gc.collect()
        gc.freeze()
        waiting = list(mutants)
        running: dict[int, tuple[Mutant, int]] = {}
        while waiting or running:
            while waiting and len(running) < self.jobs:
                mutant = waiting.pop(0)
                if is_outside(mutant):
                    mutant.outcome = "outside"
                    continue
                if not (tests := self._tests_of(mutant)):
                    mutant.outcome = mutant.outcome or "not executed"
                    continue
                pid, pipe = self._fork(session, mutant, tests, living)
                running[pid] = mutant, pipe
            done = self._collect(running)
            if done is not None and not self._stands(session, done, living):
                waiting.append(done)

    def _note(self, session: pytest.Session, mutants: list[Mutant], numbers: list[int]) -> None:
        """Run some of the tests once, and keep open what the last module of them has prepared."""
        near = set(self.texts) if any(is_outside(one) for one in mutants) else frozenset()
        items = [self.items[number] for number in numbers]
        gc.unfreeze()  # what tests/conftest.py has frozen is not among the objects
        session._setupstate.teardown_exact(items[0])
        self.executed.clear()
        probes = Probes(mutants)
        for place, (number, item) in enumerate(zip(numbers, items, strict=True)):
            if place == 0 or item.path != items[place - 1].path:
                known = caches()
            for cache in known:
                cache.cache_clear()

            def call(frame: types.FrameType, _event: str, _arg: Any, number: int = number) -> None:
                if frame.f_code.co_filename in near:
                    self.by_file[frame.f_code.co_filename].add(number)

            after = next(iter(items[place + 1 : place + 2] or items[place - 1 : place]), None)
            began = time.process_time()
            if near:
                threading.settrace(call)
                sys.settrace(call)
            try:
                reports = runtestprotocol(item, nextitem=after, log=False)
            finally:
                sys.settrace(None)
                threading.settrace(None)  # type: ignore[arg-type]
            self.seconds[number] = time.process_time() - began
            for line in probes.taken():
                self.executed[line].add(number)
            if all(report.passed for report in reports):
                self.sound.add(number)
            elif any(report.failed for report in reports):
                self.out.write(f"fails already: {item.nodeid}\n")
        probes.remove()

    def _tests_of(self, mutant: Mutant) -> list[int]:
        tests = self.executed[mutant.path, mutant.statement]
        # Those first for which everything stands ready.
        return sorted(tests & self.sound, key=lambda one: (self.items[one].path != self._ready, self.seconds[one]))

    def files_near(self, mutant: Mutant) -> list[str]:
        """The test files that execute something of a mutant's module or of one that has its name, cheapest first."""
        words = [re.compile(rf"\b{re.escape(name)}\b") for name in names_of(mutant)]
        near = {
            number
            for path, numbers in self.by_file.items()
            if path == str(mutant.path) or any(word.search(self.texts[path]) for word in words)
            for number in numbers & self.sound
        }
        cost: dict[str, float] = collections.defaultdict(float)
        for number in near:
            cost[str(self.items[number].path.relative_to(REPOSITORY))] += self.seconds[number]
        return sorted(cost, key=cost.__getitem__)

    def _stands(self, session: pytest.Session, mutant: Mutant, living: Any) -> bool:
        """The control: whether the test that killed it passes after the same tests in a child with nothing spoilt.

        One that fails there too judges nothing from then on.
        """
        tests = self._tests_of(mutant)
        by = next((number for number in tests if self.items[number].nodeid == mutant.killed_by), None)
        if mutant.outcome != "killed" or by is None or by in self._trusted:
            return True
        pid, pipe = self._fork(session, None, tests[: tests.index(by) + 1], living)
        passed = os.WEXITSTATUS(status) == SURVIVED if os.WIFEXITED(status := os.waitpid(pid, 0)[1]) else False
        os.close(pipe)
        if passed:
            self._trusted.update(tests[: tests.index(by) + 1])
        else:
            self.sound.discard(by)
            self.out.write(f"judges nothing, since it fails where nothing is spoilt: {mutant.killed_by}\n")
        return passed

    def _fork(self, session: pytest.Session, mutant: Mutant | None, tests: list[int], living: Any) -> tuple[int, int]:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid:
            os.close(writing)
            return pid, reading
        code = BROKEN
        try:
            os.setpgid(0, 0)
            ctypes.CDLL(None).prctl(_END_WITH_PARENT, signal.SIGKILL)
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
            if mutant is not None and not put_in(mutant, living):
                os._exit(OUTSIDE)
            for cache in self._caches:
                cache.cache_clear()
            code = SURVIVED
            items = [session.items[one] for one in tests]
            session._setupstate.teardown_exact(items[0])
            for number, item, after in zip(tests, items, [*items[1:], items[0]], strict=True):
                ends = int(time.process_time() + SPARE_SECONDS + 5 * self.seconds[number])
                resource.setrlimit(resource.RLIMIT_CPU, (ends, resource.RLIM_INFINITY))
                if any(report.failed for report in runtestprotocol(item, nextitem=after, log=False)):
                    os.write(writing, item.nodeid.encode()[:500])
                    code = KILLED
                    break
        except BaseException as error:  # whatever a spoilt program raises is noticed
            os.write(writing, repr(error).encode()[:300])
            code = KILLED
        finally:
            os._exit(code)

    def _collect(self, running: dict[int, tuple[Mutant, int]]) -> Mutant | None:
        if not running:
            return None
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            for child in running:
                seen = self._seen.setdefault(child, Seen(time.monotonic()))
                if time.monotonic() - seen.since > HUNG_SECONDS and seen.is_hung(child):
                    os.kill(child, signal.SIGKILL)
            time.sleep(0.02)
            return None
        mutant, pipe = running.pop(pid)
        # What its tests have started ends with it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        mutant.killed_by = os.read(pipe, 500).decode(errors="replace")
        os.close(pipe)
        if os.WIFSIGNALED(status):
            mutant.outcome = "hung" if os.WTERMSIG(status) == signal.SIGKILL else "killed"
        else:
            mutant.outcome = _OUTCOMES[os.WEXITSTATUS(status)]
        self.out.write(f"{mutant.outcome:9} {mutant} {mutant.killed_by[:120]}\n")
        self.out.flush()
        return mutant


@dataclass
class Seen:
    """What a child had done when it was looked at last. since: seconds of the monotonic clock; idle: how often in a row
    it had itself done nothing, though a server that its tests started did.
    """

    since: float
    whole: float = 0.0
    own: float = 0.0
    idle: int = 0

    def is_hung(self, child: int) -> bool:
        """Whether nothing was done since by it and what it started, or ten minutes long nothing by itself."""
        now, whole, own = time.monotonic(), _busy_seconds(child), _busy_seconds(child, alone=True)
        least = HUNG_SHARE * (now - self.since)
        # It falls when a thread ends, which is something that was done.
        nothing, nothing_itself = 0 <= whole - self.whole < least, 0 <= own - self.own < least
        self.since, self.whole, self.own, self.idle = now, whole, own, self.idle + 1 if nothing_itself else 0
        return nothing or self.idle >= HUNG_LOOKS


def _busy_seconds(group: int, *, alone: bool = False) -> float:
    """What the processes of a group have used of the processors, and queued for them where others use them too.

    alone: of the first of them, which leads the group.
    """
    busy = 0
    for stat in Path("/proc").glob(f"{group if alone else '[0-9]*'}/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[2]) == group:
                # Of those that it has waited for, in ticks; of its own threads what ran and what queued, in 1e-9 s.
                busy += int(sum(map(int, fields[13:15])) / os.sysconf("SC_CLK_TCK") * 1e9)
                for thread in stat.parent.glob("task/*/schedstat"):
                    busy += sum(map(int, thread.read_text().split()[:2]))
    return busy / 1e9


class Copies:
    """A copy of the tree, for the mutants that stand in no function: one at a time is written into it."""

    def __init__(self, folder: Path, runner: Runner, arguments: list[str]) -> None:
        self._tree = folder / "tree"
        self._runner = runner
        self._arguments = arguments
        # Tests that pass in the copy while nothing is spoilt, and those that do not (they want what was not copied).
        self._sound: set[str] = set()
        self._unsound: set[str] = set()
        shutil.copytree(
            REPOSITORY, self._tree, symlinks=True,
            ignore=shutil.ignore_patterns(".git", ".venv", "__pycache__", "node_modules", "bluezone-data"),
        )  # fmt: skip
        if self._ran([*arguments, "--collect-only"])[0] != 0:
            sys.exit("the tests cannot be collected in a copy of the tree")

    def judge(self, mutant: Mutant) -> None:
        """Try a mutant: the test files that execute its module, or a module that has its name."""
        tests = self._runner.files_near(mutant)
        if not tests:
            mutant.outcome = "not executed"
            return
        place = self._tree / mutant.path.relative_to(REPOSITORY)
        while True:
            place.write_text(ast.unparse(spoilt(mutant)))
            ended, failed = self._ran(["-x", *(f"--deselect={one}" for one in self._unsound), *tests])
            place.write_text(mutant.path.read_text())
            if failed and failed not in self._sound:
                (self._sound if self._ran([failed])[0] == 0 else self._unsound).add(failed)
            if failed not in self._unsound:
                break
        # 5: no test was left.
        mutant.outcome = {0: "survived", 5: "not executed"}.get(ended, "killed")
        mutant.killed_by = failed

    def _ran(self, arguments: list[str]) -> tuple[int, str]:
        """What pytest ended with, and the first test that failed."""
        options = [word for word in self._options() if word not in arguments]
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n", "0", "-rfE", "-p", "no:cacheprovider", *options, *arguments],
            cwd=self._tree, env={**os.environ, "PYTHONPATH": str(self._tree / "src")}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        failed = re.search(r"^(?:FAILED|ERROR) (\S+::.*?)(?: - .*)?$", ran.stdout, re.MULTILINE)
        return ran.returncode, failed[1] if failed else ""

    def _options(self) -> list[str]:
        """What was given to pytest, without the tests."""
        return [word for word in self._arguments if not (REPOSITORY / word.partition("::")[0]).exists()]


def table(mutants: list[Mutant]) -> str:
    """Killed, survived and not executed for each package, then each that was not killed."""
    rows = [f"{'package':24} {'mutants':>8} {'killed':>8} {'survived':>9} {'not executed':>13} {'hung':>5}"]
    packages = sorted({one.package for one in mutants})
    for package in [*packages, "all"]:
        of = collections.Counter(one.outcome for one in mutants if package in (one.package, "all"))
        counts = of.total(), of["killed"], of["survived"], of["not executed"], of["hung"]
        rows.append("{:24} {:8} {:8} {:9} {:13} {:5}".format(package, *counts))
    rows += [f"{one.outcome}: {one}" for one in mutants if one.outcome != "killed"]
    return "\n".join(rows)


def main() -> int:
    """Exit 0 when every mutant that was executed is killed."""
    words = sys.argv[1:]
    given = words[: words.index("--")] if "--" in words else words
    tests = words[len(given) + 1 :]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("packages", nargs="+")
    parser.add_argument("--scope-checks", action="store_true", help="the checks of whose an object is, all of them")
    parser.add_argument(
        "--own-tests", action="store_true", help="what the named tests leave is tried by the tests of its duty"
    )
    parser.add_argument("--seed", type=int, action="append", help="7; may be given again, for others beside them")
    parser.add_argument("--most", type=int, default=2, help="mutants a file; 0 all")
    parser.add_argument("--only", default="", help="mutants whose place and change fit this expression")
    parser.add_argument("--outside", action="store_true", help="the mutants that stand in no function, and no others")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args(given)
    os.chdir(REPOSITORY)
    chosen = []
    for package in asked.packages:
        folder = SOURCE / package.replace(".", "/")
        paths = [folder.with_suffix(".py")] if folder.with_suffix(".py").exists() else sorted(folder.rglob("*.py"))
        for path in paths:
            if "migrations" in path.parts:
                continue
            found = mutants_of(path, whose if asked.scope_checks else anywhere)
            if not asked.scope_checks:
                found = [one for one in found if is_outside(one) == asked.outside]
            found = [one for one in found if re.search(asked.only, str(one))]
            if asked.most and not asked.scope_checks and len(found) > asked.most:
                drawn = set()
                for seed in asked.seed or [7]:
                    chance = random.Random(f"{seed} {path.relative_to(SOURCE)}")
                    drawn |= set(chance.sample(range(len(found)), asked.most))
                found = [found[number] for number in sorted(drawn)]
            chosen += found
    arguments = tests or ["tests/authority"]
    named = [place for word in arguments if (place := REPOSITORY / word.partition("::")[0]).exists()]
    runner = Runner(chosen, asked.jobs, named, asked.own_tests)
    if asked.own_tests:
        folders = sorted({one.own_tests for one in chosen if one.own_tests.exists()})
        arguments = [*arguments, *(str(one.relative_to(REPOSITORY)) for one in folders)]
    pytest.main([*arguments, "-q", "-p", "no:cacheprovider", "-o", "timeout=0"], plugins=[runner])
    outside = [one for one in chosen if one.outcome == "outside"]
    if outside:
        with tempfile.TemporaryDirectory() as folder:
            copies = Copies(Path(folder), runner, arguments)
            for mutant in outside:
                copies.judge(mutant)
                sys.stdout.write(f"{mutant.outcome:9} {mutant} {mutant.killed_by[:120]}\n")
                sys.stdout.flush()
    sys.stdout.write(table(chosen) + "\n")
    return int(any(one.outcome == "survived" for one in chosen))


if __name__ == "__main__":
    sys.exit(main())
