# SPDX-License-Identifier: Apache-2.0
"""The programs that the build calls, and the Debian package that each missing one is in."""

import os
import shutil
import subprocess
from pathlib import Path

PACKAGES = {
    "javac": "openjdk-17-jdk-headless", "java": "openjdk-17-jdk-headless", "keytool": "openjdk-17-jdk-headless",
    "mvn": "maven", "aapt2": "aapt", "apksigner": "apksigner", "clang": "clang", "ld.lld": "lld",
    "gcc": "gcc", "llvm-readelf": "llvm", "dexdump": "dexdump",
}  # fmt: skip
NEEDED = ("javac", "java", "keytool", "mvn", "aapt2", "apksigner", "clang", "ld.lld")


class BuildFailed(Exception):
    """The package cannot be made; the message says why and what to do."""


def missing(names: tuple[str, ...] = NEEDED) -> list[str]:
    """The Debian packages that have to be installed before the build, each once."""
    return list(dict.fromkeys(PACKAGES[name] for name in names if shutil.which(name) is None))


def run(*command: str | Path, environment: dict[str, str] | None = None) -> str:
    """What a program printed. Raises BuildFailed with its last lines if it fails."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, env={**os.environ, **(environment or {})}
    )  # fmt: skip
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines()[-20:]
        raise BuildFailed("\n".join([f"{Path(str(command[0])).name} failed:", *said]))
    return done.stdout


def jni_headers() -> Path:
    """The folder of jni.h in the JDK whose javac is found. Raises BuildFailed."""
    home = Path(shutil.which("javac") or "").resolve().parents[1]
    if not (home / "include" / "jni.h").is_file():
        raise BuildFailed(f"no jni.h in {home}: sudo apt-get install openjdk-17-jdk-headless")
    return home / "include"
