# SPDX-License-Identifier: Apache-2.0
"""The native matcher: whether it is built, of today's source, which processor instructions it uses, and its calls.

`_kernel.c` is a plain shared library, called through ctypes, and optional: an install without a compiler matches in
Python, with the same answers, slower. A build from another source than the file beside it is not used, so that a stale
build is never run.
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

# Set to `python` to do without the native matcher, or to the name of one of its processors.
CHOICE_VARIABLE: Final = "BLUEZONE_KERNEL"
# Path, or name for the system's loader, of the library to use instead of the one that lies beside this file.
LIBRARY_VARIABLE: Final = "BLUEZONE_KERNEL_LIBRARY"
PYTHON: Final = "python"

# As setup.py names it: with a dot inside, no search for Python modules takes it for one.
_LIBRARY = Path(__file__).with_name("kernel.native.so")
# Among the libraries of an app for Android.
_ANDROID_LIBRARY = "libbzkernel.so"
_SOURCE = Path(__file__).with_name("_kernel.c")
_MOST_SIGHTINGS = 2**31 - 1
_MOST_LATE = 4096
_NUMBERS_PER_KEY = 5


class _Columns(ctypes.Structure):
    """bz_columns of the library."""

    _fields_ = (("count", ctypes.c_int64), ("keys", ctypes.c_void_p), ("columns", ctypes.c_void_p))


class KeysRead(NamedTuple):
    """keys: 16 bytes to a key. numbers: starts, periods, report types, days since onset and risk levels, int64."""

    keys: bytes
    numbers: bytes


class Index:
    """Sightings in the memory of the library; freed with the last reference to it."""

    def __init__(self, library: ctypes.CDLL, address: int) -> None:
        self.address = address
        weakref.finalize(self, library.bzkernel_index_free, address)


class Kernel:
    """The calls of the library. They let other threads run, so they take bytes, which no thread can change."""

    def __init__(self, path: str) -> None:
        """path: of the library, or a name for the system's loader. Raises OSError, AttributeError for another one."""
        self._library = library = ctypes.CDLL(path)
        pointer, number = ctypes.c_void_p, ctypes.c_int64
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
            function.restype, function.argtypes = result, arguments
        self.source: str = library.bzkernel_source().decode()
        # Best first.
        self.processors: tuple[str, ...] = tuple(
            library.bzkernel_processor(place).decode() for place in range(library.bzkernel_prepare())
        )

    def index(self, sightings: bytes, width: int, unix_seconds: bytes | None, late: range) -> Index:
        """Make an index of sightings.

        sightings: `width` bytes each, 16 or more, which begin with the identifier.
        unix_seconds: an int64 for each, or None: then one counts at any time.
        late: how many intervals after its identifier's own a sighting may be, within 4096.
        Raises TypeError, ValueError, MemoryError.
        """
        _require_bytes(sightings, *[] if unix_seconds is None else [unix_seconds])
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
        return Index(self._library, address)

    def search(self, index: Index, keys: bytes, starts: bytes, periods: bytes, processor: int) -> "array[int]":
        """Return the matches, three numbers to each: key row, interval, sighting row.

        keys: 16 bytes to a key; starts, periods: an int64 for each. processor: its place in `processors`.
        Raises TypeError, ValueError, MemoryError.
        """
        _require_bytes(keys, starts, periods)
        count = len(keys) // KEY_LENGTH
        if len(keys) % KEY_LENGTH or len(starts) != 8 * count or len(periods) != 8 * count:
            raise ValueError("keys are not 16 bytes each, or starts and periods not an int64 for each")
        if not 0 <= processor < len(self.processors):
            raise ValueError(f"processor is {processor}, expected 0..{len(self.processors) - 1}")
        items = ctypes.c_void_p()
        found = self._library.bzkernel_search(
            processor, index.address, keys, starts, periods, count, ctypes.byref(items)
        )
        if found < 0:
            raise MemoryError
        try:
            return array("q", ctypes.string_at(items.value, 24 * found) if items.value else b"")
        finally:
            self._library.bzkernel_free(items)

    def read_keys(self, data: bytes, position: int, absent: int) -> tuple[int, KeysRead, KeysRead] | None:
        """Read the key messages that follow one another from a position on: the end, the keys and the revised keys.

        Returns None for messages that no known server writes. Raises TypeError, ValueError.
        """
        _require_bytes(data)
        if not 0 <= position <= len(data):
            raise ValueError(f"position is {position}, expected 0..{len(data)}")
        found = (_Columns * 2)()
        try:
            end = self._library.bzkernel_read_keys(data, len(data), position, absent, found)
            return None if end < 0 else (end, _copied(found[0]), _copied(found[1]))
        finally:
            for columns in found:
                self._library.bzkernel_columns_free(columns)

    def near_counts(
        self, like: "array[float]", weights: "array[float]", is_near: bytes, stay: float
    ) -> tuple[list[float], list[float]]:
        """Chances of 0 .. all segments near, and what each segment divided all states by (risk.nearness).

        like: float64, segments x shifts x distances. weights: float64, of each shift. is_near: a byte for each
        distance. Raises ValueError, MemoryError.
        """
        width = len(weights) * len(is_near)
        if not width or not like or len(like) % width or like.typecode != "d" or weights.typecode != "d":
            raise ValueError(f"{len(like)} likelihoods, expected a multiple of {width} float64")
        segments = len(like) // width
        counts, totals = (ctypes.c_double * (segments + 1))(), (ctypes.c_double * segments)()
        outcome = self._library.bzkernel_near_counts(
            like.tobytes(), segments, len(weights), len(is_near), weights.tobytes(), is_near, stay, counts, totals
        )
        if outcome < 0:
            raise MemoryError
        return list(counts), list(totals)


def _copied(columns: _Columns) -> KeysRead:
    return KeysRead(
        ctypes.string_at(columns.keys, columns.count * KEY_LENGTH),
        ctypes.string_at(columns.columns, columns.count * _NUMBERS_PER_KEY * 8),
    )


def _require_bytes(*arguments: object) -> None:
    if not all(isinstance(argument, bytes) for argument in arguments):
        raise TypeError("only bytes, because another thread could write to anything else meanwhile")


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
# What this machine's build can use, best first: "sha+vaes" (AVX-512), "sha+vaes256" (AVX2), "sha+aes", "aes", "armv8",
# "portable"; none without it.
PROCESSORS: tuple[str, ...] = _kernel.processors if _kernel else ()


class ProcessorMissing(Refused):
    """The chosen processor is neither python nor among those that this machine and this build have."""

    code = "processor_missing"


def quickest() -> str:
    """Return what matches keys fastest on this machine: the best of PROCESSORS, or "python"."""
    return PROCESSORS[0] if PROCESSORS else PYTHON


def chosen(processor: str | None = None) -> str:
    """Return what matches keys: one of PROCESSORS or "python".

    processor: one of them, or None for what BLUEZONE_KERNEL says, by default the quickest. Raises ProcessorMissing.
    """
    name = processor or os.environ.get(CHOICE_VARIABLE) or quickest()
    if name not in (PYTHON, *PROCESSORS):
        raise ProcessorMissing(f"{CHOICE_VARIABLE}: got {name!r}, expected one of: {' '.join((PYTHON, *PROCESSORS))}")
    return name


def native(processor: str | None = None) -> tuple[Kernel, int] | None:
    """Return the native matcher and the number of the processor `chosen`, or None to match in Python."""
    name = chosen(processor)
    return None if _kernel is None or name == PYTHON else (_kernel, PROCESSORS.index(name))


def library() -> Kernel | None:
    """Return the library for what is the same for every processor, or None to do it in Python.

    It is used wherever it is built unless BLUEZONE_KERNEL is python.
    """
    return None if os.environ.get(CHOICE_VARIABLE) == PYTHON else _kernel
