# SPDX-License-Identifier: Apache-2.0
"""The native matcher: loads the library built from `_kernel.c`, lists its processors, and calls it.

A processor is the matching code for one set of CPU instructions. The library is called through ctypes and is optional:
an installation without a compiler matches in Python, with the same matches, but slower. A library that was not built
from the installed `_kernel.c` is refused, so that no stale build ever runs.
"""

import ctypes
import os
import sys
import weakref
from array import array
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from bluezone.protocol.keys import KEY_LENGTH
from bluezone.refusal import Refused

# Environment variable: `python` to match without the library, or the name of one of its processors.
CHOICE_VARIABLE: Final = "BLUEZONE_KERNEL"
# Environment variable: path, or name for the system's loader, of another library than the one in this folder.
LIBRARY_VARIABLE: Final = "BLUEZONE_KERNEL_LIBRARY"
PYTHON: Final = "python"

# The name from setup.py. The dot inside it keeps a search for Python modules (pkgutil) from listing the file.
_LIBRARY = Path(__file__).with_name("kernel.native.so")
# In the library folder of an Android app.
_ANDROID_LIBRARY = "libbzkernel.so"
_SOURCE = Path(__file__).with_name("_kernel.c")
_MOST_SIGHTINGS = 2**31 - 1
_MOST_LATE = 4096
_NUMBERS_PER_KEY = 5


class _Columns(ctypes.Structure):
    """bz_columns of the library."""

    _fields_ = (("count", ctypes.c_int64), ("keys", ctypes.c_void_p), ("columns", ctypes.c_void_p))


class KeysRead(NamedTuple):
    """keys: 16 bytes each. numbers: starts, periods, report types, days since onset and risk levels, int64."""

    keys: bytes
    numbers: bytes


class NativeIndex:
    """Sightings in the memory of the library; freed with the last reference to this object."""

    def __init__(self, library: ctypes.CDLL, address: int) -> None:
        self.address = address
        weakref.finalize(self, library.bzkernel_index_free, address)


class Kernel:
    """The calls of the library. They release the interpreter lock, so they accept only bytes, which never change."""

    def __init__(self, path: str) -> None:
        """path: of the library, or a name for the system's loader. Raises OSError, AttributeError."""
        library = ctypes.CDLL(path)
        self._library = library
        pointer = ctypes.c_void_p
        number = ctypes.c_int64
        for name, result, arguments in (
            ("source", ctypes.c_char_p, []),
            ("prepare", ctypes.c_int, []),
            ("processor", ctypes.c_char_p, [ctypes.c_int]),
            ("index", pointer, [pointer, number, number, pointer, number, number]),
            ("index_free", None, [pointer]),
            ("search", number, [ctypes.c_int, *[pointer] * 4, number, ctypes.POINTER(pointer)]),
            ("free", None, [pointer]),
            (
                "near_counts",
                ctypes.c_int,
                [pointer, *[ctypes.c_int] * 3, pointer, pointer, ctypes.c_double, pointer, pointer],
            ),
            ("columns_free", None, [ctypes.POINTER(_Columns)]),
            ("read_keys", number, [pointer, number, number, number, ctypes.POINTER(_Columns)]),
        ):
            function = getattr(library, f"bzkernel_{name}")
            function.restype = result
            function.argtypes = arguments
        self.source: str = library.bzkernel_source().decode()
        # Best first.
        self.processors: tuple[str, ...] = tuple(
            library.bzkernel_processor(place).decode() for place in range(library.bzkernel_prepare())
        )

    def index(self, sightings: bytes, width: int, unix_seconds: bytes | None, late: range) -> NativeIndex:
        """Make an index of sightings.

        sightings: `width` bytes each, 16 or more, which begin with the identifier.
        unix_seconds: an int64 for each, or None: then a sighting matches at any time.
        late: how many intervals a sighting may be later than the interval of its identifier, within 4096.
        Raises TypeError, ValueError, MemoryError.
        """
        _require_bytes(sightings)
        if unix_seconds is not None:
            _require_bytes(unix_seconds)
        if width < KEY_LENGTH or len(sightings) % width or len(sightings) // width > _MOST_SIGHTINGS:
            raise ValueError(f"sightings are {len(sightings)} bytes, {width} each, expected 16 or more each")
        count = len(sightings) // width
        if unix_seconds is not None and len(unix_seconds) != 8 * count:
            raise ValueError(f"unix_seconds are {len(unix_seconds)} bytes, expected {8 * count}")
        if not -_MOST_LATE <= late[0] <= late[-1] <= _MOST_LATE:
            raise ValueError(f"late is {late}, expected a range of intervals within {_MOST_LATE}")
        address = self._library.bzkernel_index(sightings, count, width, unix_seconds, late[0], late[-1])
        if not address:
            raise MemoryError
        return NativeIndex(self._library, address)

    def search(self, index: NativeIndex, keys: bytes, starts: bytes, periods: bytes, processor: int) -> "array[int]":
        """Return the matches as three numbers each: key row, interval, sighting row.

        keys: 16 bytes each; starts, periods: an int64 for each key. processor: its place in `processors`.
        Raises TypeError, ValueError, MemoryError.
        """
        _require_bytes(keys, starts, periods)
        count = len(keys) // KEY_LENGTH
        if len(keys) % KEY_LENGTH or len(starts) != 8 * count or len(periods) != 8 * count:
            raise ValueError("keys are not 16 bytes each, or starts and periods not an int64 for each")
        if not 0 <= processor < len(self.processors):
            raise ValueError(f"processor is {processor}, expected 0..{len(self.processors) - 1}")
        items = ctypes.c_void_p()
        match_count = self._library.bzkernel_search(
            processor, index.address, keys, starts, periods, count, ctypes.byref(items)
        )
        if match_count < 0:
            raise MemoryError
        try:
            return array("q", ctypes.string_at(items.value, 24 * match_count) if items.value else b"")
        finally:
            self._library.bzkernel_free(items)

    def read_keys(self, data: bytes, position: int, absent: int) -> tuple[int, KeysRead, KeysRead] | None:
        """Read the consecutive key messages of an export file from `position` on.

        absent: the number to return for a field that a message does not contain.
        Returns the position after the messages, the keys and the revised keys, or None for messages that no known
        server writes. Raises TypeError, ValueError.
        """
        _require_bytes(data)
        if not 0 <= position <= len(data):
            raise ValueError(f"position is {position}, expected 0..{len(data)}")
        columns = (_Columns * 2)()
        try:
            end = self._library.bzkernel_read_keys(data, len(data), position, absent, columns)
            return None if end < 0 else (end, _copy(columns[0]), _copy(columns[1]))
        finally:
            for part in columns:
                self._library.bzkernel_columns_free(part)

    def near_counts(
        self, likelihoods: "array[float]", weights: "array[float]", is_near: bytes, stay: float
    ) -> tuple[list[float], list[float]]:
        """Return the chances that 0, 1 .. all segments are near, and the normalising divisor of each segment.

        See `risk.nearness.near_counts` for the parameters. Raises ValueError, MemoryError.
        """
        width = len(weights) * len(is_near)
        is_float64 = likelihoods.typecode == "d" and weights.typecode == "d"
        if not width or not likelihoods or len(likelihoods) % width or not is_float64:
            raise ValueError(f"{len(likelihoods)} likelihoods, expected a multiple of {width} float64")
        segments = len(likelihoods) // width
        counts = (ctypes.c_double * (segments + 1))()
        totals = (ctypes.c_double * segments)()
        outcome = self._library.bzkernel_near_counts(
            likelihoods.tobytes(),
            segments,
            len(weights),
            len(is_near),
            weights.tobytes(),
            is_near,
            stay,
            counts,
            totals,
        )
        if outcome < 0:
            raise MemoryError
        return list(counts), list(totals)


def _copy(columns: _Columns) -> KeysRead:
    return KeysRead(
        ctypes.string_at(columns.keys, columns.count * KEY_LENGTH),
        ctypes.string_at(columns.columns, columns.count * _NUMBERS_PER_KEY * 8),
    )


def _require_bytes(*arguments: object) -> None:
    if not all(isinstance(argument, bytes) for argument in arguments):
        raise TypeError("only bytes, because another thread could write to any other object in the meantime")


def _load() -> tuple[Kernel | None, str]:
    path = os.environ.get(LIBRARY_VARIABLE)
    if not path and hasattr(sys, "getandroidapilevel"):
        path = _ANDROID_LIBRARY
    if not path and _LIBRARY.is_file():
        path = str(_LIBRARY)
    if not path:
        return None, "not built: needs a C compiler when bluezone is installed"
    try:
        kernel = Kernel(path)
    except (OSError, AttributeError):
        return None, "built for another system or from other source: install bluezone again"
    if _SOURCE.is_file() and sha256(_SOURCE.read_bytes()).hexdigest() != kernel.source:
        return None, "built from other source than is installed: install bluezone again"
    return kernel, ""


_kernel, WHY_NOT = _load()
# The processors that this machine and this build have, best first: "sha+vaes" (AVX-512), "sha+vaes256" (AVX2),
# "sha+aes", "aes", "armv8", "portable"; empty without the native matcher.
PROCESSORS: tuple[str, ...] = _kernel.processors if _kernel else ()


class ProcessorMissing(Refused):
    """The chosen processor is neither python nor one that this machine and this build have."""

    code = "processor_missing"


def fastest_processor() -> str:
    """Return the fastest processor on this machine: the best of PROCESSORS, or "python"."""
    return PROCESSORS[0] if PROCESSORS else PYTHON


def choose_processor(processor: str | None = None) -> str:
    """Return the processor to match keys with: one of PROCESSORS or "python".

    processor: one of them; None for the value of BLUEZONE_KERNEL, or else the fastest. Raises ProcessorMissing.
    """
    name = processor or os.environ.get(CHOICE_VARIABLE) or fastest_processor()
    if name not in (PYTHON, *PROCESSORS):
        raise ProcessorMissing(f"{CHOICE_VARIABLE}: got {name!r}, expected one of: {' '.join((PYTHON, *PROCESSORS))}")
    return name


def native_matcher(processor: str | None = None) -> tuple[Kernel, int] | None:
    """Return the native matcher and the place of the chosen processor in PROCESSORS, or None to match in Python."""
    name = choose_processor(processor)
    return None if _kernel is None or name == PYTHON else (_kernel, PROCESSORS.index(name))


def native_library() -> Kernel | None:
    """Return the library, for calls that are the same for every processor.

    Returns None, for Python code to be used instead, without a library or if BLUEZONE_KERNEL is `python`.
    """
    return None if os.environ.get(CHOICE_VARIABLE) == PYTHON else _kernel
