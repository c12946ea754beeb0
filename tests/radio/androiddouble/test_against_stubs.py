# SPDX-License-Identifier: Apache-2.0
"""What the double offers exists on Android, as chaquopy-stubs-android (API 36) has it: names, arguments, callbacks.

The stubs give no values of constants; those are from the documentation and are what they are in the double.
"""

import ast
import inspect
import sysconfig
from functools import cache
from pathlib import Path

import pytest
from tests.radio.androiddouble import java
from tests.radio.androiddouble.modules import classes_by_module

STUBS = Path(sysconfig.get_path("purelib"))
PLATFORM = Path(__file__).parents[3] / "src" / "bluezone" / "radio" / "android" / "platform.py"
# Not Java's: how the double's own parts reach each other.
OWN = {
    "JAVA_METHODS", "BUILDS", "kept", "on_air", "passes", "short", "alive", "phone", "BORN", "data", "address",
    "device", "record", "rssi", "nanoseconds", "extras", "action", "args", "add_note", "with_traceback",
}  # fmt: skip
CHAQUOPY = {"java"}


@cache
def stub(module: str) -> dict[str, ast.ClassDef]:
    """Classes of a Java package, by name, nested ones as Outer.Inner."""
    head, *rest = module.split(".")
    tree = ast.parse((STUBS.joinpath(f"{head}-stubs", *rest) / "__init__.pyi").read_text())
    found: dict[str, ast.ClassDef] = {}

    def collect(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef):
                found[prefix + node.name] = node
                collect(node.body, f"{prefix}{node.name}.")

    collect(tree.body, "")
    return found


def members(module: str, name: str) -> dict[str, list[int]]:
    """Members of a stub class and of its bases in the same package: numbers of arguments, -1 for a field."""
    node, found = stub(module)[name], {}
    for base in node.bases:
        text = ast.unparse(base).split("[")[0].removeprefix(f"{module}.")
        if text in stub(module):
            found |= members(module, text)
    for item in node.body:
        if isinstance(item, ast.FunctionDef):
            static = any(ast.unparse(one) == "staticmethod" for one in item.decorator_list)
            count = len(item.args.posonlyargs) + len(item.args.args) - (not static)
            found.setdefault(item.name, []).append(count)
        elif isinstance(item, ast.AnnAssign):
            found[ast.unparse(item.target)] = [-1]
    return found


def offered():
    for module, names in classes_by_module().items():
        for name, kind in names.items():
            if module not in CHAQUOPY:
                yield from nested(module, name, kind)


def nested(module, name, kind):
    yield module, name, kind
    for inner, value in vars(kind).items():
        if inspect.isclass(value) and not inner.startswith("_") and inner not in OWN:
            yield from nested(module, f"{name}.{inner}", value)


@pytest.mark.long
@pytest.mark.parametrize(
    ("module", "name", "kind"), list(offered()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_name_and_number_of_arguments_of_the_double_is_androids(module, name, kind):
    assert name in stub(module), f"there is no {module}.{name}"
    known = members(module, name)
    for member in dir(kind):
        value = inspect.getattr_static(kind, member)
        if member.startswith("_") or member in OWN or inspect.isclass(value) or hasattr(object, member):
            continue
        assert member in known, f"{module}.{name} has no {member}"
        if callable(getattr(kind, member)):
            count = len(inspect.signature(getattr(kind, member)).parameters)
            count -= not isinstance(value, staticmethod)
            assert count in known[member], f"{module}.{name}.{member} takes {known[member]} arguments, not {count}"


def test_every_callback_that_the_radio_overrides_has_the_stubs_argument_types():
    checked = 0
    for node in ast.walk(ast.parse(PLATFORM.read_text())):
        if not (isinstance(node, ast.ClassDef) and node.bases and "static_proxy" in ast.unparse(node.bases[0])):
            continue
        parent = ast.unparse(node.bases[0]).removeprefix("static_proxy(").rstrip(")")
        module = "android.content" if parent == "BroadcastReceiver" else "android.bluetooth.le"
        for method in node.body:
            if not (isinstance(method, ast.FunctionDef) and method.decorator_list):
                continue
            declared = [ast.unparse(one) for one in method.decorator_list[0].args[1].elts]
            [wanted] = [one for one in stub(module)[parent].body if getattr(one, "name", "") == method.name]
            types = [ast.unparse(one.annotation) for one in wanted.args.posonlyargs[1:]]
            assert len(declared) == len(types)
            for ours, theirs in zip(declared, types, strict=True):
                named = [part.split("[")[0].split(".")[-1] for part in theirs.split(" | ")]
                assert ours in named, f"{method.name}: {ours} is not one of {theirs}"
            checked += 1
    assert checked == 8


def test_a_callback_that_java_does_not_have_is_refused_by_the_double():
    from tests.radio.androiddouble.classes import ScanCallback

    with pytest.raises(TypeError, match="to override"):
        type(
            "Wrong",
            (java.static_proxy(ScanCallback),),
            {"onScanFailed": java.Override(java.jvoid, [])(lambda self: None)},
        )
    with pytest.raises(TypeError, match="without saying so"):
        type("Mute", (java.static_proxy(ScanCallback),), {"onScanFailed": lambda self, code: None})
