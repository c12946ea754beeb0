# SPDX-License-Identifier: Apache-2.0
"""Writes the Java class for each class of Python that extends one of Java's (`static_proxy`).

The Python file is read, not run: the base and the types of `Override` are names that it imports from Java's packages.
The Java method calls the Python method of the same name, and javac checks that there is such a method to override.
"""

import ast
from pathlib import Path

_PLAIN = {"jvoid": "void", "jint": "int", "jboolean": "boolean", "jbyte": "byte", "jchar": "char"}


def write_proxies(source: Path, module: str, folder: Path) -> list[Path]:
    """The Java files for the proxies of a module, below a folder. module: its name, which is the Java package."""
    tree = ast.parse(source.read_text())
    names = {
        alias.name: f"{node.module}.{alias.name}"
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        and node.module
        and node.module.split(".")[0] in ("android", "java", "javax")
        for alias in node.names
    }
    written = []
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.bases and ast.unparse(node.bases[0]).startswith("static_proxy("):
            path = folder / Path(*module.split(".")) / f"{node.name}.java"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_java_class(node, module, names))
            written.append(path)
    return written


def _java_class(node: ast.ClassDef, module: str, names: dict[str, str]) -> str:
    base = node.bases[0]
    assert isinstance(base, ast.Call)
    methods = [
        _method(part.name, override, names)
        for part in node.body
        if isinstance(part, ast.FunctionDef)
        for override in part.decorator_list
        if isinstance(override, ast.Call) and ast.unparse(override.func) == "Override"
    ]
    return (
        f"package {module};\n\n"
        f"public final class {node.name} extends {_type(base.args[0], names)} implements bluezone.phone.Held {{\n"
        "    private final bluezone.phone.PyRef python;\n\n"
        f"    public {node.name}(bluezone.phone.PyRef python) {{\n        this.python = python;\n    }}\n\n"
        "    @Override\n    public bluezone.phone.PyRef python() {\n        return python;\n    }\n"
        + "".join(methods)
        + "}\n"
    )


def _method(name: str, override: ast.Call, names: dict[str, str]) -> str:
    returned, arguments = override.args
    assert isinstance(arguments, ast.List)
    kind = _type(returned, names)
    taken = ", ".join(f"{_type(one, names)} a{place}" for place, one in enumerate(arguments.elts))
    given = "".join(f", a{place}" for place in range(len(arguments.elts)))
    call = f'python.call("{name}"{given})'
    if kind == "boolean":
        answer = f"return Boolean.TRUE.equals({call});"
    elif kind == "void":
        answer = f"{call};"
    else:
        answer = f"return ({kind}) {call};"
    return f"\n    @Override\n    public {kind} {name}({taken}) {{\n        {answer}\n    }}\n"


def _type(node: ast.expr, names: dict[str, str]) -> str:
    """The Java name; `WebChromeClient.FileChooserParams` is nested in what was imported."""
    text = ast.unparse(node)
    if text in _PLAIN:
        return _PLAIN[text]
    first, dot, rest = text.partition(".")
    return names[first] + dot + rest
