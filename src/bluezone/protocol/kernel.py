# SPDX-License-Identifier: Apache-2.0
"""Whether the native matcher is built, of today's source, and which processor instructions it uses.

`_kernel.c` is optional: an install without a compiler matches with numpy, with the same answers, slower. A build of
other source than the file beside it is not used, so that a forgotten build cannot answer for today's code.
"""

import os
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Final

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


def native(processor: str | None = None) -> tuple[ModuleType, int] | None:
    """Return the native module and the number of a processor of it, or None to match with numpy.

    processor: one of PROCESSORS or "numpy"; None takes what BLUEZONE_KERNEL says, and without it the best there is.
    Raises ValueError for a processor that this machine or build does not have.
    """
    name = processor or os.environ.get(CHOICE_VARIABLE) or (PROCESSORS[0] if PROCESSORS else "numpy")
    if name == "numpy":
        return None
    if _module is None or name not in PROCESSORS:
        raise ValueError(f"{CHOICE_VARIABLE}: {name!r} is none of numpy {' '.join(PROCESSORS)}")
    return _module, PROCESSORS.index(name)
