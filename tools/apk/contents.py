# SPDX-License-Identifier: Apache-2.0
"""Python's part of the package: the engine, the standard library, and the native modules of each kind of phone."""

import importlib.metadata
import io
import shutil
import subprocess
import zipfile
from pathlib import Path

from tools.apk.native import ROOT
from tools.apk.packing import put

SOURCE = ROOT / "src" / "bluezone"
PHONE = ROOT / "android" / "src" / "bluezone_phone"
# The engine is these of `bluezone`, less what follows; held by tests/android/test_engine.py.
ENGINE = (
    "__init__.py", "face", "handset", "localpage.py", "networks.py", "protocol", "py.typed", "radio", "refusal.py",
    "transparency",
)  # fmt: skip
LEFT_OUT = (
    "protocol/_kernel.c", "protocol/declarationkey.py", "protocol/exports/writer.py", "protocol/primitives/pyca.py",
    "radio/adapters.py", "radio/air", "radio/bumbleradio.py", "radio/comparison.py",
)  # fmt: skip
_LEFT_SUFFIXES = (".so", ".pyc", ".po", ".pot")
# Of the standard library: what the engine does not import, large or of no use on a phone.
_NO_LIBRARY = (
    "curses", "dbm", "distutils", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "test", "tkinter", "turtledemo",
    "unittest", "venv", "wsgiref", "xmlrpc",
)  # fmt: skip
_NO_NATIVE = (
    "_codecs_cn", "_codecs_hk", "_codecs_iso2022", "_codecs_jp", "_codecs_kr", "_codecs_tw", "_lsprof",
    "_multibytecodec", "_multiprocessing", "_xxsubinterpreters", "_xxtestfuzz", "audioop", "ossaudiodev", "resource",
    "syslog", "termios", "xxlimited", "xxlimited_35",
)  # fmt: skip
# Names under which Chaquopy's own wheels look for the same libraries; no wheel is here.
_SHIM = "_chaquopy.so"


def engine_files() -> dict[str, Path]:
    """Every file of the engine by its path in the package, sorted."""
    found = {}
    for top, names in ((SOURCE, ENGINE), (PHONE, tuple(path.name for path in PHONE.iterdir()))):
        for name in names:
            start = top / name
            for path in [start] if start.is_file() else start.rglob("*"):
                inner = path.relative_to(top).as_posix()
                out = top == SOURCE and any(inner == one or inner.startswith(f"{one}/") for one in LEFT_OUT)
                if path.is_file() and not out and "__pycache__" not in path.parts and path.suffix not in _LEFT_SUFFIXES:
                    found[f"{top.name}/{inner}"] = path
    return dict(sorted(found.items()))


def engine_zip(city: Path, work: Path) -> bytes:
    """The engine as the app unpacks it, with its city and the time zones, compiled where that can be done."""
    folder = work / "engine"
    shutil.rmtree(folder, ignore_errors=True)
    for name, path in engine_files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / name)
    shutil.copyfile(city, folder / "bluezone_phone" / "city.toml")
    for name, path in _zones().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / name)
    _compile(folder)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                put(archive, path.relative_to(folder).as_posix(), path.read_bytes(), stored=True)
    return made.getvalue()


def _zones() -> dict[str, Path]:
    """The time zones of the pinned tzdata; Android's own are in a form that Python does not read."""
    files = importlib.metadata.files("tzdata") or []
    return {
        str(file): Path(str(file.locate()))
        for file in files
        if file.parts[0] == "tzdata" and "__pycache__" not in file.parts and file.suffix not in (".pyc",)
    }


def _compile(folder: Path) -> None:
    """Compile with the phone's version of Python; without it the phone compiles at its first start, more slowly."""
    python = shutil.which("python3.11")
    if python is None:
        return
    subprocess.run(
        [
            python,
            "-I",
            "-m",
            "compileall",
            "-q",
            "--invalidation-mode",
            "unchecked-hash",
            "-s",
            str(folder),
            str(folder),
        ],
        check=True,
    )


def library_zip(stdlib: Path) -> bytes:
    """The standard library, stored, so that Python reads it before it has zlib."""
    made = io.BytesIO()
    with zipfile.ZipFile(stdlib) as whole, zipfile.ZipFile(made, "w") as archive:
        for name in sorted(whole.namelist()):
            if not name.endswith("/") and name.split("/")[0] not in _NO_LIBRARY:
                put(archive, name, whole.read(name), stored=True)
    return made.getvalue()


def native_files(python: Path, abi: str) -> dict[str, bytes]:
    """Python's libraries and modules for one kind of phone, under the names that Android installs."""
    found = {}
    with zipfile.ZipFile(python) as whole:
        for name in sorted(whole.namelist()):
            file = name.rpartition("/")[2]
            if not file.endswith(".so") or file.endswith(_SHIM):
                continue
            if name.startswith("jniLibs/"):
                found[file] = whole.read(name)
            elif (module := file.partition(".")[0]) not in _NO_NATIVE:
                found[f"libpy_{module}.so"] = whole.read(name)
    assert "libpython3.11.so" in found, abi
    return found
