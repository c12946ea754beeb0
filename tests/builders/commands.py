# SPDX-License-Identifier: Apache-2.0
"""`bluezone COMMAND` in a separate process that starts with the libraries loaded, which is most of a command's work.

The first call starts one process that loads only the libraries. Each command is a fork of it, which imports our own
modules again, in the environment of the test. Each command has one test that runs the installed program instead.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from multiprocessing.process import BaseProcess
from pathlib import Path

LIBRARIES = [
    "aiohttp", "bumble.device", "bumble.transport", "click", "cryptography.x509", "django.contrib.auth.hashers",
    "django.core.management", "django.db.models", "django.forms", "django.template", "django.test", "django.views",
    "lxml.etree", "msgspec", "numpy", "obstore", "openpyxl", "PIL.Image", "psycopg", "pyhanko.sign", "pypdf",
    "segno", "webauthn",
]  # fmt: skip
SECONDS = 300
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(LIBRARIES)


def bluezone(*arguments: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command and return its result. environment: variables in addition to those of the tests."""
    with tempfile.TemporaryDirectory() as folder:
        written = [Path(folder) / "out", Path(folder) / "err"]
        process = fork(_command, [str(argument) for argument in arguments], written, {**os.environ, **environment})
        process.join(SECONDS)
        assert process.exitcode is not None, f"{arguments} still runs after {SECONDS} s"
        out, err = (path.read_text() for path in written)
    return subprocess.CompletedProcess(arguments, process.exitcode, out, err)


def fork(function, *arguments) -> BaseProcess:
    """Start a process that has the libraries and calls a function of a module of tests."""
    process = _forks.Process(target=function, args=arguments, daemon=True)
    process.start()
    return process


def _command(arguments: list[str], written: list[Path], environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    for descriptor, path in enumerate(written, 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), descriptor)
    sys.argv = ["bluezone", *arguments]
    from bluezone.cli.main import main

    main()
