# SPDX-License-Identifier: Apache-2.0
"""The scripts of the face in a few files instead of sixty: on a slow network each request costs a round trip.

Nothing is minified. Every module stands in its bundle under its own name as it was written, but for its imports,
exports, comments and the blanks that lines begin with, so that what runs can be read and be compared with the sources,
which are served beside it. What
the house's scripts do not write (`import *`, `export let`, a circle) is refused here, at the start of the server and by
the tests, and not in a browser.
"""

import posixpath
import re
from collections.abc import Iterable, Mapping

# Puts modules together in a browser: keeps makers by path, runs each once, fetches the second bundle when it is wanted.
REGISTRY = "bundles.js"
LATER = "later.js"

_IMPORT = re.compile(r'^import\s+(?:\{([^}]*)\}\s+from\s+)?"(\.[^"]+)";$', re.MULTILINE)
_DEFAULT_EXPORT = re.compile(r"^export default ", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function\*? (\w+)|class (\w+)|const (\w+))", re.MULTILINE)
# What a minifier writes, in vendored files and for a module that only holds text; anywhere in a line.
_NAMED_EXPORTS = re.compile(r"\bexport\s*\{([^}]*)\};?")
_DYNAMIC = re.compile(r'\bimport\("(\.[^"]+)"\)')
_OWN_ADDRESS = re.compile(r"\bimport\.meta\.url\b")
# Whole lines only: a fifth of what would be sent.
_COMMENT = re.compile(r"^[ \t]*(?:/\*\*?(?:[^*]|\*(?!/))*\*/|//[^\n]*)\n", re.MULTILINE)
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
_RESERVED = re.compile(r"\$(?:define|face|load|need|offer)\b")
_LEFT_OVER = re.compile(r"^\s*(?:import|export)\b", re.MULTILINE)


class NotBundled(ValueError):
    """A script is written in a way that a bundle cannot hold."""


def order_imports(entries: Iterable[str], sources: Mapping[str, str]) -> list[str]:
    """The entries and all that they import, each after what it imports.

    entries, sources: paths below the face, and the text by path. Raises NotBundled for a circle or a missing file.
    """
    done: list[str] = []
    open_: list[str] = []

    def visit(path: str) -> None:
        if path in done:
            return
        if path in open_ or path not in sources:
            raise NotBundled(f"{path} is {'part of a circle' if path in open_ else 'missing'}: {' -> '.join(open_)}")
        open_.append(path)
        for found in _IMPORT.finditer(sources[path]):
            visit(_beside(path, found[2]))
        open_.pop()
        done.append(path)

    for entry in entries:
        visit(entry)
    return done


def find_dynamic_imports(paths: Iterable[str], sources: Mapping[str, str]) -> set[str]:
    """What these scripts import only when it is wanted."""
    return {_beside(path, found[1]) for path in paths for found in _DYNAMIC.finditer(sources[path])}


def write_opening(paths: Iterable[str], entry: str, alone: Iterable[str], sources: Mapping[str, str]) -> str:
    """The bundle a page opens with: the registry, these modules, and the start of `entry`.

    alone: paths of modules that are fetched as files of their own, because few want them.
    """
    names = ", ".join(f'"{path}"' for path in sorted(alone))
    registry = _registry(sources, names)
    return "\n".join([registry, *(_wrap(path, sources[path]) for path in paths), f'$need("{entry}");\n'])


def write_later(paths: Iterable[str], sources: Mapping[str, str], opened: str) -> str:
    """The bundle with everything else. opened: the name of the bundle the page opened with."""
    head = f'// SPDX-License-Identifier: Apache-2.0\nimport {{ $define, $face, $load, $need }} from "./{opened}";\n'
    return "\n".join([head, *(_wrap(path, sources[path]) for path in paths)])


def write_single(entry: str, sources: Mapping[str, str]) -> str:
    """A script that runs beside the page, with all that it imports, as one file."""
    registry = _registry(sources)
    return "\n".join(
        [registry, *(_wrap(path, sources[path]) for path in order_imports([entry], sources)), f'$need("{entry}");\n']
    )


def _registry(sources: Mapping[str, str], alone: str = "") -> str:
    first, _, rest = sources[REGISTRY].partition("\n")
    return f"{first}\n{_COMMENT.sub('', rest)}".replace("/*ALONE*/", alone, 1)


def _beside(path: str, name: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), name))


def _wrap(path: str, source: str) -> str:
    """One module as a function that puts what it exports into `exports`, which it is given."""
    exported: dict[str, str] = {}

    def imported(found: re.Match[str]) -> str:
        wanted = _beside(path, found[2])
        if found[1] is None:
            return f'$need("{wanted}");'
        names = re.sub(r"\b(\w+) as (\w+)\b", r"\1: \2", found[1])
        return f'const {{{names}}} = $need("{wanted}");'

    def named(found: re.Match[str]) -> str:
        for one in filter(None, (part.strip() for part in found[1].split(","))):
            here, _, outside = one.partition(" as ")
            exported[outside or here] = here
        return ""

    def kept(found: re.Match[str]) -> str:
        name = found[1] or found[2] or found[3]
        exported[name] = name
        return ""

    def default(_: re.Match[str]) -> str:
        exported["default"] = "whole"
        return "const whole = "

    body = _IMPORT.sub(imported, _COMMENT.sub("", source))
    body = _DEFAULT_EXPORT.sub(default, _EXPORT.sub(kept, _NAMED_EXPORTS.sub(named, body)))
    body = _DYNAMIC.sub(lambda found: f'$load("{_beside(path, found[1])}")', body)
    body = _OWN_ADDRESS.sub(f'new URL("{path}", $face).href', body)
    if _RESERVED.search(source):
        raise NotBundled(f"{path} uses a name of the registry")
    if left := _LEFT_OVER.search(body):
        raise NotBundled(f"{path} has a form of import or export that no bundle holds: {left[0].strip()}")
    # A text that goes over lines would lose what its lines begin with.
    if not any(line.count("`") % 2 for line in body.splitlines()):
        body = _INDENT.sub("", body)
    # Before the body, so that a function may be used before the line it stands in, as in a module.
    doors = ", ".join(f"{name}: () => {here}" for name, here in exported.items())
    return f'// ---- {path}\n$define("{path}", ($offer) => {{\n$offer({{ {doors} }});\n{body}}});\n'
