# SPDX-License-Identifier: Apache-2.0
"""What goes into the app: the engine and nothing else, and no package that is not there."""

import ast
import importlib.metadata
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from tools.apk.contents import engine_files

from bluezone.handset.android.cityfile import CityFile, CityNotSet

REPOSITORY = Path(__file__).parents[2]
PROJECT = REPOSITORY / "android"
# What the app's bridge and Android itself bring.
ON_THE_PHONE = {"android", "java", "javax", "_bridge"}
# The one distribution that is packed; the rest is the standard library.
PACKED = {"tzdata"}
# Taken where it is there: without it pow() does the same work, and libcrypto where a server has this package.
OPTIONAL = {"gmpy2", "cryptography"}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    """The Python of the app, as the app unpacks it."""
    top = tmp_path_factory.mktemp("bundle")
    for name, path in engine_files().items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, top / name)
    return top


def imports(path: Path) -> set[str]:
    """Every name that a module imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return found


def test_the_app_imports_nothing_that_is_not_in_it(bundle):
    tops = {name.partition(".")[0] for path in bundle.rglob("*.py") for name in imports(path)}
    foreign = tops - set(sys.stdlib_module_names) - {"bluezone", "bluezone_phone"} - ON_THE_PHONE

    assert foreign <= OPTIONAL
    assert all(importlib.metadata.files(name) for name in PACKED)


def test_only_the_lowest_folders_are_in_the_app(bundle):
    folders = {path.name for path in (bundle / "bluezone").iterdir()}

    assert folders == {
        "__init__.py", "face", "handset", "localpage.py", "networks.py", "protocol", "py.typed", "radio", "refusal.py",
            "transparency",
    }  # fmt: skip
    assert not list(bundle.rglob("*.so"))


def test_every_module_of_the_app_that_needs_no_java_imports_with_its_requirements_alone(bundle):
    modules = []
    for path in sorted(bundle.rglob("*.py")):
        name = ".".join(path.relative_to(bundle).with_suffix("").parts).removesuffix(".__init__")
        java = {top.partition(".")[0] for top in imports(path)} & ON_THE_PHONE
        if not java:
            modules.append(name)
    assert "bluezone.handset.android.service" in modules
    allowed = sorted(PACKED | {"bluezone", "bluezone_phone"} | sys.stdlib_module_names)
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


@pytest.mark.parametrize(
    ("variant", "size"),
    [
        *(("round", size) for size in (48, 72, 96, 144, 192)),
        *(("adaptive", size) for size in (108, 162, 216, 324, 432)),
    ],
)
def test_each_icon_is_there_and_as_large_as_its_name_says(variant, size):
    data = (PROJECT / "icons" / f"bluezone-{variant}-{size}.png").read_bytes()

    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", data[16:24]) == (size, size)


def test_the_repositorys_app_belongs_to_no_city():
    with pytest.raises(CityNotSet):
        CityFile.read(PROJECT / "src" / "bluezone_phone" / "city.toml")
