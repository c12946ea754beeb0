# SPDX-License-Identifier: Apache-2.0
"""What goes into the app: the engine and nothing else, and no package beyond those that are named for it."""

import ast
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PROJECT = REPOSITORY / "android"
APP = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["briefcase"]["app"]["bluezone-phone"]
PYTHON = "app/src/main/python"
# Data that nobody imports.
READ_NOT_IMPORTED = {"tzdata"}
# What Chaquopy's bridge, Briefcase's template and Android itself bring.
ON_THE_PHONE = {"android", "java", "javax", "org"}


def required() -> set[str]:
    return {name.partition("=")[0].rstrip("><!~") for name in APP["requires"]}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    """The Python that Briefcase puts into the app: its sources copied, its clean-up paths removed."""
    top = tmp_path_factory.mktemp("bundle")
    python = top / PYTHON
    for source in APP["sources"]:
        original = PROJECT / source
        shutil.copytree(original, python / original.name, ignore=shutil.ignore_patterns("__pycache__"))
    for pattern in APP["android"]["cleanup_paths"]:
        found = list(top.glob(pattern))
        assert found or pattern.endswith("*.so"), f"{pattern} removes nothing"
        for path in found:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return python


def imports(path: Path) -> set[str]:
    """Every name that a module imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return found


def test_the_app_imports_what_it_requires_and_requires_what_it_imports(bundle):
    tops = {name.partition(".")[0] for path in bundle.rglob("*.py") for name in imports(path)}
    foreign = tops - set(sys.stdlib_module_names) - {"bluezone", "bluezone_phone"} - ON_THE_PHONE
    # Taken where it is there; without it pow() does the same work.
    assert foreign - {"gmpy2"} == required() - READ_NOT_IMPORTED


def test_only_the_lowest_folders_are_in_the_app(bundle):
    folders = {path.name for path in (bundle / "bluezone").iterdir()}

    assert folders == {
        "__init__.py", "face", "handset", "localpage.py", "protocol", "py.typed", "radio", "refusal.py",
    }  # fmt: skip
    assert not list(bundle.rglob("*.so"))


def test_every_module_of_the_app_that_needs_no_java_imports_with_its_requirements_alone(bundle):
    modules = []
    for path in sorted(bundle.rglob("*.py")):
        name = ".".join(path.relative_to(bundle).with_suffix("").parts).removesuffix(".__init__")
        java = {top.partition(".")[0] for top in imports(path)} & ON_THE_PHONE
        if not java and name not in ("bluezone_phone.__main__",):
            modules.append(name)
    assert "bluezone.handset.android.service" in modules
    allowed = sorted(
        required() | {"bluezone", "bluezone_phone", "cffi", "_cffi_backend", "yaml"} | sys.stdlib_module_names
    )
    program = f"""
import importlib, importlib.abc, sys
sys.path.insert(0, {str(bundle)!r})
class Gate(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in {allowed!r} and not name.startswith("_sysconfigdata"):
            raise ModuleNotFoundError(f"{{name}} is not in the app")
sys.meta_path.insert(0, Gate())
for name in {modules!r}:
    importlib.import_module(name)
import bluezone
print(bluezone.__file__)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=bundle)

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == str(bundle / "bluezone" / "__init__.py")


def test_only_the_apps_own_folder_and_the_radios_platform_know_java():
    knowing = {
        str(path.relative_to(REPOSITORY))
        for path in (REPOSITORY / "src").rglob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in ON_THE_PHONE
    }

    assert knowing <= {"src/bluezone/radio/android/platform.py"}
