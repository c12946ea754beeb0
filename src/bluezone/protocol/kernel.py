# SPDX-License-Identifier: Apache-2.0
"""Whether the native matcher is built, of today's source, and which processor instructions it uses.

`_kernel.c` is optional: an install without a compiler matches with numpy, with the same answers, slower. A build from
another source than the file beside it is not used, so that a stale build is never run.
"""

import os
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Final

from bluezone.refusal import Refused

# Set to `numpy` to do without the native matcher, or to the name of one of its processors.
CHOICE_VARIABLE: Final = "BLUEZONE_KERNEL"

_SOURCE = Path(__file__).with_name("_kernel.c")


def _load() -> tuple[ModuleType | None, str]:
    try:
        module = import_module("bluezone.protocol._kernel")
    except ImportError:
        return None, "not built: needs a C compiler and Python's headers when bluezone is installed"
    if _SOURCE.is_file() and sha256(_SOURCE.read_bytes()).hexdigest() != module.SOURCE_SHA256:
        return None, "built from other source than is installed: install bluezone again"
    return module, ""


_module, WHY_NOT = _load()
# What this machine's build can use, best first: "sha+vaes" (AVX-512), "sha+vaes256" (AVX2), "sha+aes", "aes", "armv8",
# "portable"; none without it.
PROCESSORS: tuple[str, ...] = _module.PROCESSORS if _module else ()
# Whether the compiler of this build (MSVC, or any for 32 bits) has left out all paths but "portable".
ONLY_PORTABLE: bool = bool(_module and _module.ONLY_PORTABLE)


class ProcessorMissing(Refused):
    """The chosen processor is neither numpy nor among those that this machine and this build have."""

    code = "processor_missing"


def quickest() -> str:
    """Return what matches keys fastest on this machine: the best of PROCESSORS, or "numpy".

    Where only the compiler stood in the way of the processor's AES instructions, OpenSSL has them, and numpy with
    OpenSSL is quicker than portable C; where the processor has none, it is slower (docs/performance/matching.md).
    """
    return "numpy" if ONLY_PORTABLE or not PROCESSORS else PROCESSORS[0]


def chosen(processor: str | None = None) -> str:
    """Return what matches keys: one of PROCESSORS or "numpy".

    processor: one of these, or None for what BLUEZONE_KERNEL says, else the fastest. Raises ProcessorMissing for what
    this machine or build does not have.
    """
    name = processor or os.environ.get(CHOICE_VARIABLE) or quickest()
    if name not in ("numpy", *PROCESSORS):
        raise ProcessorMissing(f"{CHOICE_VARIABLE}: got {name!r}, expected one of: {' '.join(('numpy', *PROCESSORS))}")
    return name


def native(processor: str | None = None) -> tuple[ModuleType, int] | None:
    """Return the native module and the number of the processor `chosen`, or None to match with numpy."""
    name = chosen(processor)
    return None if _module is None or name == "numpy" else (_module, PROCESSORS.index(name))


def native_reader() -> ModuleType | None:
    """Return the native module for reading export files, or None to read them with numpy.

    Reading is the same for every processor, and native wherever that is built unless BLUEZONE_KERNEL is numpy.
    """
    return None if os.environ.get(CHOICE_VARIABLE) == "numpy" else _module
