#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Refuse words of translated English in docstrings and comments, and names that do not say what a value is.

Usage: plain_english.py           check everything that tools/plain_english.toml does not exempt; exit 1 for a finding
       plain_english.py PATH...   list the findings in these files and folders, exempt or not
The reasons, and what to write instead: docs/contributing/vocabulary.md. Standard library only.
"""

import ast
import io
import re
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
RULES = REPOSITORY / "tools" / "plain_english.toml"
CHECKED = ("src", "tests", "bench", "tools", "android/src")


@dataclass(frozen=True)
class Rules:
    """words: banned in prose. names: banned for variables and parameters. exempt: folders and files not clean yet."""

    words: re.Pattern[str]
    names: frozenset[str]
    exempt: tuple[Path, ...]


def read_rules() -> Rules:
    """The rules of this repository."""
    document = tomllib.loads(RULES.read_text())
    words = re.compile(rf"\b({'|'.join(document['words'])})\b", re.IGNORECASE)
    return Rules(words, frozenset(document["names"]), tuple(REPOSITORY / path for path in document["exempt"]))


def modules(paths: list[Path]) -> Iterator[Path]:
    """The Python files at and below these paths, without migrations, which Django writes."""
    for path in paths:
        for module in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            if "migrations" not in module.parts:
                yield module


def findings(module: Path, rules: Rules) -> Iterator[str]:
    """What the rules refuse in a module: `PATH:LINE word`, by line."""
    text = module.read_text()
    tree = ast.parse(text)
    refused = [*banned_names(tree, rules), *banned_words(text, tree, rules)]
    for line, word in sorted(refused):
        yield f"{module.relative_to(REPOSITORY)}:{line} {word}"


def banned_names(tree: ast.AST, rules: Rules) -> Iterator[tuple[int, str]]:
    """Line and name of each variable and parameter with a banned name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            name = node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            name = node.id
        else:
            continue
        if name in rules.names:
            yield node.lineno, f"name {name}"


def banned_words(text: str, tree: ast.AST, rules: Rules) -> Iterator[tuple[int, str]]:
    """Line and word of each banned word in a docstring or comment."""
    lines = text.splitlines()
    for number in sorted(docstring_lines(tree)):
        for word in rules.words.findall(lines[number - 1]):
            yield number, f"word {word.lower()}"
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and "SPDX" not in token.string:
            for word in rules.words.findall(token.string):
                yield token.start[0], f"word {word.lower()}"


def docstring_lines(tree: ast.AST) -> set[int]:
    """The numbers of all lines that belong to a docstring."""
    numbers: set[int] = set()
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if ast.get_docstring(node, clean=False) is not None:
            docstring = node.body[0]
            numbers.update(range(docstring.lineno, (docstring.end_lineno or docstring.lineno) + 1))
    return numbers


def is_exempt(module: Path, rules: Rules) -> bool:
    """Whether a module is in an exempt folder, or exempt itself."""
    return any(module == path or path in module.parents for path in rules.exempt)


def check(rules: Rules) -> list[str]:
    """Findings in what is not exempt, and exemptions that are no longer needed."""
    problems = []
    needed = set()
    for module in modules([REPOSITORY / folder for folder in CHECKED]):
        refused = list(findings(module, rules))
        if is_exempt(module, rules):
            if refused:
                needed.update(path for path in rules.exempt if path == module or path in module.parents)
        else:
            problems += refused
    for path in rules.exempt:
        if path not in needed:
            problems.append(
                f"{RULES.relative_to(REPOSITORY)}: {path.relative_to(REPOSITORY)} is clean; take it off the list"
            )
    return problems


def main() -> int:
    """Print the findings; 1 if there are any."""
    rules = read_rules()
    if paths := [Path(argument).resolve() for argument in sys.argv[1:]]:
        problems = [finding for module in modules(paths) for finding in findings(module, rules)]
    else:
        problems = check(rules)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
