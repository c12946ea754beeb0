# SPDX-License-Identifier: Apache-2.0
"""The scripts of the face in a few bundles instead of sixty files: on a slow network each request costs a round trip.

Nothing is minified. A bundle contains each module under its name and as it was written, except for imports, exports,
comments and indents, so that people can read what runs, and compare it with the sources, which are served too.
Forms that the face's scripts do not use (`import *`, `export let`, circular imports) are refused here: at the start of
the server and in the tests instead of in a browser.
"""

import posixpath
import re
from collections.abc import Iterable, Mapping

# The module loader in a browser: has each module's function by path, runs it once, and fetches the second bundle if
# a module of that is needed.
REGISTRY = "bundles.js"
LATER = "later.js"

_IMPORT = re.compile(r'^import\s+(?:\{([^}]*)\}\s+from\s+)?"(\.[^"]+)";$', re.MULTILINE)
_DEFAULT_EXPORT = re.compile(r"^export default ", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function\*? (\w+)|class (\w+)|const (\w+))", re.MULTILINE)
# The form that a minifier writes, in vendored files and in modules of texts only; anywhere in a line.
_NAMED_EXPORTS = re.compile(r"\bexport\s*\{([^}]*)\};?")
_DYNAMIC = re.compile(r'\bimport\("(\.[^"]+)"\)')
_OWN_ADDRESS = re.compile(r"\bimport\.meta\.url\b")
# Comments that fill whole lines: a fifth of the bytes.
_COMMENT = re.compile(r"^[ \t]*(?:/\*\*?(?:[^*]|\*(?!/))*\*/|//[^\n]*)\n", re.MULTILINE)
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
_RESERVED = re.compile(r"\$(?:define|face|load|need|offer)\b")
_LEFT_OVER = re.compile(r"^\s*(?:import|export)\b", re.MULTILINE)


class NotBundled(ValueError):
    """A script has a form that a bundle cannot contain."""


def order_imports(entries: Iterable[str], sources: Mapping[str, str]) -> list[str]:
    """The entries and everything that they import, each after its imports.

    entries: paths below the face. sources: the text by path. Raises NotBundled for a circular import or a missing file.
    """
    done: list[str] = []
    open_: list[str] = []

    def visit(path: str) -> None:
        if path in done:
            return
        if path in open_ or path not in sources:
            problem = "part of a circle" if path in open_ else "missing"
            raise NotBundled(f"{path} is {problem}: {' -> '.join(open_)}")
        open_.append(path)
        for match in _IMPORT.finditer(sources[path]):
            visit(_resolve(path, match[2]))
        open_.pop()
        done.append(path)

    for entry in entries:
        visit(entry)
    return done


def find_dynamic_imports(paths: Iterable[str], sources: Mapping[str, str]) -> set[str]:
    """The modules that these scripts import dynamically."""
    imports: set[str] = set()
    for path in paths:
        imports.update(_resolve(path, match[1]) for match in _DYNAMIC.finditer(sources[path]))
    return imports


def bundle_opening(paths: Iterable[str], entry: str, alone: Iterable[str], sources: Mapping[str, str]) -> str:
    """The bundle that a page loads first: the registry, these modules, and the start of `entry`.

    alone: paths of modules that are fetched as separate files, because few pages need them.
    """
    names = ", ".join(f'"{path}"' for path in sorted(alone))
    registry = _registry(sources, names)
    return "\n".join([registry, *(_wrap(path, sources[path]) for path in paths), f'$need("{entry}");\n'])


def bundle_rest(paths: Iterable[str], sources: Mapping[str, str], opening: str) -> str:
    """The bundle with everything else. opening: the name of the bundle that the page loads first."""
    head = f'// SPDX-License-Identifier: Apache-2.0\nimport {{ $define, $face, $load, $need }} from "./{opening}";\n'
    return "\n".join([head, *(_wrap(path, sources[path]) for path in paths)])


def bundle_alone(entry: str, sources: Mapping[str, str]) -> str:
    """A script that runs separately from the page, with everything that it imports, as one file."""
    modules = [_wrap(path, sources[path]) for path in order_imports([entry], sources)]
    return "\n".join([_registry(sources), *modules, f'$need("{entry}");\n'])


def _registry(sources: Mapping[str, str], alone: str = "") -> str:
    license_line, _, code = sources[REGISTRY].partition("\n")
    return f"{license_line}\n{_COMMENT.sub('', code)}".replace("/*ALONE*/", alone, 1)


def _resolve(path: str, name: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), name))


def _wrap(path: str, source: str) -> str:
    """One module as a function that passes its exports to `$offer`."""
    exported: dict[str, str] = {}

    def replace_import(match: re.Match[str]) -> str:
        target = _resolve(path, match[2])
        if match[1] is None:
            return f'$need("{target}");'
        names = re.sub(r"\b(\w+) as (\w+)\b", r"\1: \2", match[1])
        return f'const {{{names}}} = $need("{target}");'

    def remove_export_list(match: re.Match[str]) -> str:
        for part in match[1].split(","):
            here, _, outside = part.strip().partition(" as ")
            if here:
                exported[outside or here] = here
        return ""

    def remove_export(match: re.Match[str]) -> str:
        name = match[1] or match[2] or match[3]
        exported[name] = name
        return ""

    def replace_default_export(_: re.Match[str]) -> str:
        exported["default"] = "whole"
        return "const whole = "

    body = _IMPORT.sub(replace_import, _COMMENT.sub("", source))
    body = _NAMED_EXPORTS.sub(remove_export_list, body)
    body = _EXPORT.sub(remove_export, body)
    body = _DEFAULT_EXPORT.sub(replace_default_export, body)
    body = _DYNAMIC.sub(lambda match: f'$load("{_resolve(path, match[1])}")', body)
    body = _OWN_ADDRESS.sub(f'new URL("{path}", $face).href', body)
    if _RESERVED.search(source):
        raise NotBundled(f"{path} uses a name of the registry")
    if left := _LEFT_OVER.search(body):
        raise NotBundled(f"{path} has a form of import or export that no bundle holds: {left[0].strip()}")
    # In a text over several lines, the indents belong to the text.
    if not any(line.count("`") % 2 for line in body.splitlines()):
        body = _INDENT.sub("", body)
    # Before the body, so that other modules can call a function before the body has run, as with real modules.
    getters = ", ".join(f"{name}: () => {here}" for name, here in exported.items())
    return f'// ---- {path}\n$define("{path}", ($offer) => {{\n$offer({{ {getters} }});\n{body}}});\n'
