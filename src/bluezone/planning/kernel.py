# SPDX-License-Identifier: Apache-2.0
"""The native part of the model: loads it, and declares its structures and its calls, which release the GIL.

`_simulation.c` is built when bluezone is installed, as the matcher is; without a compiler bluezone installs without it
and refuses to plan. A library that was built from another version of that file is not used.
"""

import ctypes
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bluezone.refusal import Refused

_LIBRARY = Path(__file__).with_name("kernel.native.so")
_SOURCE = Path(__file__).with_name("_simulation.c")

SETTINGS: Final = ("household", "school", "work", "chance", "passing")
# Age groups of ten years; cells of distance and length of a meeting; days since infection; days of delay; levels of
# infectivity.
AGES = 9
CELLS = 16
LAST_DAY = 40
DELAYS = 32
LEVELS = 16
# The counts of each day.
COLUMNS: Final = (
    "infections", "deaths", "cases", "tests", "told", "told_near", "told_infected", "warned_venue", "traced",
    "stayed_right", "stayed_wrong", "isolated", "generations", "generation_days", "at_home",
)  # fmt: skip

# The course of an epidemic for one person: days, -1 for never; person_state of the library.
COURSE: Final = np.dtype(
    [
        *((name, "<i2") for name in ("infected_on", "onset_on", "result_on", "stay_from", "stay_until", "told_on")),
        ("uploaded_on", "<i2"),
        ("flags", "<u2"),
    ]
)
# One meeting of a day: its hash, two people, their setting (of SETTINGS), and the cell of distance and length.
MEETING: Final = np.dtype(
    {
        "names": ["hash", "one", "other", "setting", "cell"],
        "formats": ["<u8", "<u4", "<u4", "u1", "u1"],
        "offsets": [0, 8, 12, 16, 17],
        "itemsize": 24,
    }
)

_pointer = ctypes.c_void_p
_number = ctypes.c_int64
_real = ctypes.c_double


class PlannerMissing(Refused):
    """The native part of the model is not built here, or was built from another source."""

    code = "planner_missing"


class PlanStopped(Refused):
    """The run was stopped before it was done."""

    code = "plan_stopped"


class PeopleLaidOut(ctypes.Structure):
    """bz_people of the library. arrays: the arrays that it points into; they must live as long as it does."""

    arrays: object
    _fields_ = (
        *((name, _number) for name in ("people", "places", "stub_bits", "person_bits")),
        *(
            (name, _pointer)
            for name in (
                "age", "household_start", "household_size", "place", "place_start", "place_people", "place_kind",
                "stub_start", "stub_owner", "phone",
            )
        ),
    )  # fmt: skip


class Rules(ctypes.Structure):
    """bz_rules of the library; the figures are explained in docs/planning.md."""

    _fields_ = (
        *(
            (name, _number)
            for name in (
                "days", "first", "imports_per_1000_days", "passing_count", "stay_days", "warning_delay",
                "tracing_delay", "tracing_capacity", "look_back_days", "before_onset_days",
            )
        ),
        ("infectivity", _real * LAST_DAY),
        ("person_factor", _real * LEVELS),
        ("silent_factor", _real),
        *((name, _real * AGES) for name in ("susceptibility", "symptoms", "death")),
        ("onset_cdf", _real * LAST_DAY),
        *((name, _real * DELAYS) for name in ("result_cdf", "code_cdf")),
        ("setting_factor", _real * len(SETTINGS)),
        *((name, _real * CELLS * len(SETTINGS)) for name in ("cell_cdf", "cell_factor")),
        *((name, _real * CELLS) for name in ("cell_near", "cell_high")),
        *(
            (name, _real)
            for name in (
                "school_contacts", "work_contacts", "chance_accepted", "passing_accepted", "tested", "isolating",
                "upload", "keeping", "leak", "warned_tested", "sensitivity",
            )
        ),
        ("traced", _real * len(SETTINGS)),
        *((name, _real) for name in ("venue_share", "venue_scanned")),
    )  # fmt: skip

    def put(self, name: str, values: Any) -> None:
        """Write an array of any shape into a field."""
        field = getattr(self, name)
        numbers = np.ascontiguousarray(values, dtype=np.float64)
        if numbers.nbytes != ctypes.sizeof(field):
            raise ValueError(f"{name} has {numbers.nbytes} bytes, expected {ctypes.sizeof(field)}")
        ctypes.memmove(field, numbers.ctypes.data, numbers.nbytes)


@cache
def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(str(_LIBRARY))
        library.bzplan_source.restype = ctypes.c_char_p
        library.bzplan_size.restype = _number
        library.bzplan_size.argtypes = [ctypes.c_int]
        library.bzplan_run.argtypes = [_pointer, _pointer, ctypes.c_uint64, _pointer, _pointer, _pointer]
        library.bzplan_offspring.restype = _number
        library.bzplan_offspring.argtypes = [
            _pointer, _pointer, ctypes.c_uint64, _pointer, _number, _pointer, _number, _pointer,
        ]  # fmt: skip
        library.bzplan_contacts.restype = _number
        library.bzplan_contacts.argtypes = [
            _pointer, _pointer, ctypes.c_uint64, ctypes.c_uint32, _number, _pointer, _pointer, _number,
        ]  # fmt: skip
        library.bzplan_meetings.restype = _number
        library.bzplan_meetings.argtypes = [
            _pointer, _pointer, ctypes.c_uint64, _pointer, _number, _pointer, _number,
        ]  # fmt: skip
    except (OSError, AttributeError):
        raise PlannerMissing("the model is not built here: install a C compiler, and then bluezone again") from None
    sizes = [library.bzplan_size(which) for which in range(5)]
    expected = [ctypes.sizeof(PeopleLaidOut), ctypes.sizeof(Rules), len(COLUMNS), COURSE.itemsize, MEETING.itemsize]
    stale = _SOURCE.is_file() and sha256(_SOURCE.read_bytes()).hexdigest() != library.bzplan_source().decode()
    if stale or sizes != expected:
        raise PlannerMissing("the model was built from another source than the installed one: install bluezone again")
    return library


def require() -> None:
    """Load the library. Raises PlannerMissing."""
    _library()


def run(
    people: PeopleLaidOut,
    rules: Rules,
    seed: int,
    stop: ctypes.c_int32 | None = None,
    course: NDArray[np.void] | None = None,
) -> NDArray[np.int64]:
    """Run one epidemic. Returns the counts, shape (days, len(COLUMNS)).

    stop: once another thread sets it to a value other than 0, the run ends with that day.
    course: one COURSE for each person, to be filled in.
    Raises PlannerMissing, PlanStopped, MemoryError.
    """
    counted = np.zeros((rules.days, len(COLUMNS)), dtype=np.int64)
    stop_address = None if stop is None else ctypes.addressof(stop)
    course_address = None if course is None else course.ctypes.data
    status = _library().bzplan_run(
        ctypes.byref(people), ctypes.byref(rules), seed, stop_address, counted.ctypes.data, course_address
    )
    if status < 0:
        raise MemoryError
    if status > 0:
        raise PlanStopped("the plan was stopped before it was done")
    return counted


def meetings(people: PeopleLaidOut, rules: Rules, seed: int, course: NDArray[np.void], day: int) -> NDArray[np.void]:
    """Every meeting of a day between two people with running phones, once each, as MEETING.

    course: of `run` with the same people, rules and seed. Raises PlannerMissing, MemoryError.
    """
    room = 0
    while True:
        rows = np.zeros(room, dtype=MEETING)
        count = _library().bzplan_meetings(
            ctypes.byref(people), ctypes.byref(rules), seed, course.ctypes.data, day, rows.ctypes.data, room
        )
        if count < 0:
            raise MemoryError
        if count <= room:
            return rows[:count]
        room = count


def offspring(
    people: PeopleLaidOut, rules: Rules, seed: int, indexes: NDArray[np.uint32]
) -> tuple[NDArray[np.uint32], float, float]:
    """Infect each of some people separately, in a city where everyone is susceptible and no measures are taken.

    Returns whom they infect in one draw, and two expected values, which vary less than the draw: how many one of them
    infects, and what share of the people in the same household.
    Raises PlannerMissing, MemoryError.
    """
    children = np.zeros(64 * len(indexes) + 1024, dtype=np.uint32)
    totals = np.zeros(3, dtype=np.float64)
    people_indexes = np.ascontiguousarray(indexes, dtype=np.uint32)
    count = _library().bzplan_offspring(
        ctypes.byref(people), ctypes.byref(rules), seed, people_indexes.ctypes.data, len(people_indexes),
        children.ctypes.data, len(children), totals.ctypes.data,
    )  # fmt: skip
    if count < 0:
        raise MemoryError
    return children[:count], float(totals[0] / len(people_indexes)), float(totals[1] / max(totals[2], 1))


def contacts(
    people: PeopleLaidOut, rules: Rules, seed: int, person: int, day: int
) -> tuple[dict[str, int], NDArray[np.uint32]]:
    """The people whom one person meets on a day: how many in each of SETTINGS, and who. Raises as `meetings`."""
    counts = np.zeros(len(SETTINGS), dtype=np.int64)
    others = np.zeros(4096, dtype=np.uint32)
    count = _library().bzplan_contacts(
        ctypes.byref(people),
        ctypes.byref(rules),
        seed,
        person,
        day,
        counts.ctypes.data,
        others.ctypes.data,
        len(others),
    )
    if count < 0:
        raise MemoryError
    return dict(zip(SETTINGS, counts.tolist(), strict=True)), others[:count]
