#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Count how much code each package has, by what a parser sees: layout, comments and docstrings do not count.

Usage: size.py [--json] [PATH...]      default: every package of the repository and its tests
Python: nodes of the syntax tree, without docstrings. JavaScript, Java and C: tokens of Pygments, without white space
and comments. Migrations, minified files and generated catalogues are left out. Needs the packages of `make setup-dev`.
"""

import ast
import json
import sys
from collections import Counter
from pathlib import Path

from pygments.lexers import CLexer, JavaLexer, JavascriptLexer
from pygments.token import Comment, Token, Whitespace

REPOSITORY = Path(__file__).parents[1]
LEXERS = {".js": JavascriptLexer, ".mjs": JavascriptLexer, ".java": JavaLexer, ".c": CLexer, ".h": CLexer}
LANGUAGES = {".py": "Python", ".js": "JavaScript", ".mjs": "JavaScript", ".java": "Java", ".c": "C", ".h": "C"}
# Folders in which each folder is a separate package in the table.
ROOTS = ("src/bluezone", "src/bluezone/rollout", "src/bluezone/keyserver", "tests", "bench", "tools", "android")
LEFT_OUT = {"migrations", "node_modules", "build", ".venv", "__pycache__", "vendor", "releases"}


def python_nodes(text: str) -> int:
    """Nodes of the syntax tree; a docstring counts as nothing."""
    tree = ast.parse(text)
    nodes = sum(1 for _ in ast.walk(tree))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            # The statement and its constant.
            nodes -= 2 * (ast.get_docstring(node, clean=False) is not None)
    return nodes


def tokens(text: str, suffix: str) -> int:
    """Tokens of a language that Pygments reads, without white space and comments."""
    lexed = LEXERS[suffix]().get_tokens(text)
    return sum(1 for kind, value in lexed if value.strip() and not is_layout(kind))


def is_layout(kind: object) -> bool:
    """Whether a kind of token is white space or a comment."""
    return kind in Comment or kind in Whitespace or kind is Token.Text


def size_of(path: Path) -> int:
    """Nodes or tokens of a file."""
    text = path.read_text(errors="replace")
    return python_nodes(text) if path.suffix == ".py" else tokens(text, path.suffix)


def is_counted(path: Path) -> bool:
    """Whether a file is code that people write here."""
    if path.suffix not in LANGUAGES or ".min." in path.name:
        return False
    return not LEFT_OUT & set(path.relative_to(REPOSITORY).parts)


def package_of(path: Path) -> str:
    """The package in the table to which a file belongs: the folder below the deepest root."""
    name = path.relative_to(REPOSITORY).as_posix()
    root = max((root for root in ROOTS if name.startswith(f"{root}/")), key=len, default="")
    below = name.removeprefix(f"{root}/").split("/")
    folder = below[0] if len(below) > 1 else "."
    return f"{root}/{folder}".removesuffix("/.")


def measure(paths: list[Path]) -> dict[str, Counter[str]]:
    """Sizes by package and language."""
    sizes: dict[str, Counter[str]] = {}
    for root in paths:
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if path.is_file() and is_counted(path):
                sizes.setdefault(package_of(path), Counter())[LANGUAGES[path.suffix]] += size_of(path)
    return sizes


def main() -> None:
    """Print the table."""
    arguments = sys.argv[1:]
    as_json = "--json" in arguments
    paths = [Path(argument).resolve() for argument in arguments if argument != "--json"]
    whole = [REPOSITORY / root for root in ("src", "tests", "bench", "tools", "android")]
    sizes = measure(paths or whole)
    if as_json:
        print(json.dumps(sizes, indent=1, sort_keys=True))
        return
    languages = sorted(set(LANGUAGES.values()))
    total: Counter[str] = Counter()
    print(f"{'':44}" + "".join(f"{language:>12}" for language in languages))
    for package in sorted(sizes):
        total += sizes[package]
        print(f"{package:44}" + "".join(f"{sizes[package][language]:12,}" for language in languages))
    print(f"{'together':44}" + "".join(f"{total[language]:12,}" for language in languages))


if __name__ == "__main__":
    main()
