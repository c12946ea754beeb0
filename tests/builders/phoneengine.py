# SPDX-License-Identifier: Apache-2.0
"""Run tests with the libraries of a phone: `pytest -p tests.builders.phoneengine`, or `make test-phone-engine`.

Cryptography is OpenSSL's libcrypto, the matcher is a plain library built as for a phone, and modules of the engine may
import only packages published for Android. Tests, builders and the servers that they start may import everything.
"""

import builtins
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.builders.phonemodules import MAKES_KEYS, MISSING, is_engine

SOURCE = Path(__file__).parents[2] / "src" / "bluezone" / "protocol" / "_kernel.c"
_import = builtins.__import__


def _import_as_a_phone(name, globals=None, locals=None, fromlist=(), level=0):
    importer = (globals or {}).get("__name__", "")
    if name.partition(".")[0] in MISSING and is_engine(importer) and importer != MAKES_KEYS:
        raise ModuleNotFoundError(f"{importer} imports {name}, which no phone has")
    return _import(name, globals, locals, fromlist, level)


def _build_library() -> Path | None:
    """Build the library, once for this process and the processes that it starts; returns its path."""
    compiler = shutil.which("clang") or shutil.which("cc")
    if compiler is None:
        return None
    library = Path(tempfile.mkdtemp(prefix="bluezone-phone-")) / "libbzkernel.so"
    digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()
    flags = ["-O2", "-fPIC", "-shared", "-DBLUEZONE_KERNEL_ALONE", f'-DBLUEZONE_KERNEL_SOURCE="{digest}"']
    subprocess.run([compiler, *flags, "-o", library, SOURCE], check=True)
    return library


os.environ["BLUEZONE_PRIMITIVES"] = "libcrypto"
if "BLUEZONE_KERNEL_LIBRARY" not in os.environ and (library := _build_library()) is not None:
    os.environ["BLUEZONE_KERNEL_LIBRARY"] = str(library)
builtins.__import__ = _import_as_a_phone


def pytest_report_header() -> str:
    """The line of pytest's header that names the engine."""
    from bluezone.protocol import kernel, primitives

    library = os.environ.get(kernel.LIBRARY_VARIABLE)
    return f"phone engine: {primitives.PROVIDER}, matcher {kernel.fastest_processor()} of {library}"


def pytest_unconfigure() -> None:
    """Remove the folder of the library."""
    if "PYTEST_XDIST_WORKER" not in os.environ and "library" in globals():
        shutil.rmtree(Path(os.environ["BLUEZONE_KERNEL_LIBRARY"]).parent, ignore_errors=True)
