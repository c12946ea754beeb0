# SPDX-License-Identifier: Apache-2.0
"""The native parts of ours for each kind of phone, compiled by clang and linked by lld without an NDK.

Every function of the C library that they call is declared in android/native/include and resolved on the phone; here
the linker gets an empty library of the same name. Pages are of 16 kB, which newer phones have and older ones take.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from tools.apk.programs import jni_headers, run

ROOT = Path(__file__).parents[2]
NATIVE = ROOT / "android" / "native"
KERNEL = ROOT / "src" / "bluezone" / "protocol" / "_kernel.c"
PAGE = 16_384
# Of libc, dlopen and Python as far as the two call them; a symbol that is missing here ends the link.
_LIBC = (
    "malloc", "calloc", "realloc", "free", "abort", "memcpy", "memmove", "memset", "memcmp", "strlen", "getauxval",
    "pthread_key_create", "pthread_setspecific",
    # What compilers for 32-bit ARM call in their place; bionic has them.
    *(f"__aeabi_mem{what}{aligned}" for what in ("cpy", "move", "set", "clr") for aligned in ("", 4, 8)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Abi:
    """A kind of phone. name: Android's. target: clang's, with the oldest Android served. machine: in ELF."""

    name: str
    target: str
    machine: int


ABIS = (
    Abi("arm64-v8a", "aarch64-linux-android26", 183),
    Abi("armeabi-v7a", "armv7a-linux-androideabi26", 40),
    Abi("x86_64", "x86_64-linux-android26", 62),
)


def build_native(abi: Abi, python: Path, folder: Path) -> list[Path]:
    """libbzkernel.so and libbluezone.so for one kind of phone. python: its libpython3.11.so, to link against."""
    folder.mkdir(parents=True, exist_ok=True)
    libc = _libc(abi, folder)
    options = ["-O3", "-fvisibility=hidden", f'-DBLUEZONE_KERNEL_SOURCE="{kernel_source()}"']
    if abi.name == "arm64-v8a":
        options.append("-march=armv8-a+crypto")  # clang 14 wants it for the whole file; the kernel asks the phone first
    kernel = _link(abi, folder / "libbzkernel.so", KERNEL, [libc], *options)
    headers = jni_headers()
    # By its name, as Python's own modules ask for it: the library itself has none in it.
    against: list[Path | str] = [libc, f"-L{python.parent}", "-lpython3.11"]
    bridge = _link(
        abi, folder / "libbluezone.so", NATIVE / "bridge.c", against, f"-I{headers}", f"-I{headers / 'linux'}"
    )  # fmt: skip
    return [kernel, bridge]


def kernel_source() -> str:
    """The checksum that the kernel carries of the source it is built from."""
    return hashlib.sha256(KERNEL.read_bytes()).hexdigest()


def _libc(abi: Abi, folder: Path) -> Path:
    """A library that has the names and nothing behind them: only for the linker."""
    source, library = folder / "libc.c", folder / "libc.so"
    source.write_text("".join(f"void {name}(void) {{}}\n" for name in _LIBC))
    run("clang", *_common(abi), "-w", "-fno-builtin", "-Wl,-soname,libc.so", "-o", library, source)
    return library


def _link(abi: Abi, library: Path, source: Path, against: list[Path | str], *options: str) -> Path:
    run(
        "clang", *_common(abi), "-O2", "-w", *options, "-isystem", NATIVE / "include",
        f"-Wl,-z,max-page-size={PAGE}", "-Wl,-z,defs", "-Wl,--build-id=none", "-Wl,-s", f"-Wl,-soname,{library.name}",
        f"-ffile-prefix-map={ROOT}=.", "-o", library, "-x", "c", source, "-x", "none", *against,
    )  # fmt: skip
    return library


def _common(abi: Abi) -> tuple[str, ...]:
    return (f"--target={abi.target}", "-nostdlibinc", "-nostdlib", "-shared", "-fPIC", "-fuse-ld=lld")
