# SPDX-License-Identifier: Apache-2.0
"""How long somebody waits who uses the city as it is meant while somebody else attacks it; two processes an origin.

Baseline: the same calls on a quiet day, same run. Every call that is not answered with 200 counts as lost.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

SECONDS = 8.0
BUDGET_MILLISECONDS = 1000


def run(progress: Callable[[str], object]) -> dict[str, Any]:
    """Each attack in turn; `value` is the worst p99 of a call."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.builders import hostile
    from tests.builders.serving import serving

    assert hostile.allow_descriptors(4000)
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "data", "--workers", "2") as served:
        form = "Content-Type: application/x-www-form-urlencoded"
        attacks: dict[str, Callable[[], AbstractContextManager[Any]]] = {
            "silent_bodies": lambda: hostile.connections(served.public, 400, hostile.post("/v1/upload", 4096, b"abc")),
            "announced_bodies": lambda: _announced(hostile, served),
            "half_heads": lambda: hostile.connections(served.public, 3000, b"GET / HTTP/1.1\r\nHost: localhost\r\nX:"),
            "uploads": lambda: hostile.Flood(served.public, hostile.post("/v1/upload", 4096, bytes(4096)), 200),
            "tokens": lambda: hostile.Flood(served.public, hostile.post("/v1/tokens", 6144, bytes(6144)), 200),
            "pages": lambda: hostile.Flood(served.public, b"GET /?a=1 HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
            "unkept_page": lambda: hostile.Flood(
                served.public, b"GET /venues/register/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 300
            ),
            "sign_in": lambda: hostile.Flood(served.office, hostile.post("/sign-in/", 4, b"a=bc", form), 200),
        }
        quiet, lost = _calls(served, hostile, _nobody)
        told: dict[str, Any] = {"quiet_p99_milliseconds": _p99(quiet)}
        worst = 0
        for name, attack in attacks.items():
            took, missed = _calls(served, hostile, attack)
            lost += missed
            told[f"{name}_p99_milliseconds"] = _p99(took)
            worst = max(worst, _p99(took))
            after, missed = _calls(served, hostile, _nobody, seconds=1.0)
            lost += missed
            told[f"{name}_first_second_afterwards"] = _p99(after)
            progress(f"{name}: {len(took)} calls")
    return {
        "name": "hostile",
        "value": worst,
        "unit": f"ms, the worst p99 of a call beside an attack (budget {BUDGET_MILLISECONDS})",
        "baseline": f"{told['quiet_p99_milliseconds']} ms on a quiet day, same run",
        "ratio": round(worst / max(told["quiet_p99_milliseconds"], 1), 1),
        "lost": lost,
        **told,
    }


@contextmanager
def _nobody() -> Iterator[None]:
    yield


@contextmanager
def _announced(hostile: Any, served: Any) -> Iterator[None]:
    """Bodies announced at their largest, on both origins, of which a kilobyte a second comes."""
    form, letter = hostile.post("/v1/help", 1024 * 1024, b"a"), hostile.post("/sign-in/", 16 * 1024 * 1024, b"a")
    with (
        hostile.connections(served.public, 1100, form) as public,
        hostile.connections(served.office, 80, letter) as office,
        hostile.dripping([*public, *office], bytes(1100), 1.0),
    ):
        yield


def _calls(served: Any, hostile: Any, attack: Callable[[], Any], seconds: float = SECONDS) -> tuple[list[float], int]:
    """How long each call took, and how many were lost."""
    client, took, lost = hostile.GoodClient(served), [], 0
    calls = [
        (served.public, "/v1/config", None), (served.public, "/v1/exports/index.json", None),
        (served.public, "/", None), (served.public, "/v1/upload", bytes(4096)), (served.office, "/sign-in/", None),
        (served.public, "/venues/register/", None),
    ]  # fmt: skip
    with attack():
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for address, path, body in calls:
                begun = time.monotonic()
                try:
                    lost += client.ask(address, path, body) != 200
                except OSError:
                    lost += 1
                took.append(time.monotonic() - begun)
    return took, lost


def _p99(took: list[float]) -> int:
    return round(sorted(took)[int(0.99 * (len(took) - 1))] * 1000)
