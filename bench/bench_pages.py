# SPDX-License-Identifier: Apache-2.0
"""What pages cost whoever opens them, in Chromium: bytes over the wire of the landing page and of the web edition's
first load, and the time from a scanned code to the gate's green screen, with no network but this machine.

Baseline: the files of the web edition unpacked. Needs Chromium and the packages for tests.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bluezone.server.preparation import open_office

UNMEASURED = "not measured: needs chromium"


def run(progress: Callable[[str], object]) -> dict[str, Any]:
    """Against a real `serve` and a gate's own page; each page in a fresh profile."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.builders.chromium import executable, launched
    from tests.builders.pagecosts import GREENS, NARROW, first_load, times_to_green, weighed
    from tests.builders.serving import serving

    name, unit = "web edition, first load in Vietnamese", "kB (budget 250)"
    if executable() is None:
        return {"name": name, "value": UNMEASURED, "unit": unit, "baseline": UNMEASURED, "ratio": UNMEASURED}
    with tempfile.TemporaryDirectory() as folder, launched() as chromium:
        with serving(Path(folder) / "data") as served:
            landing, _ = weighed(chromium, served, "/")
            progress("landing page opened")
            vietnamese, english = (first_load(chromium, served, language) for language in ("vi-VN", "en-US"))
            progress("web edition opened, and opened again without a network")
        # The gate's roster reads the office's models.
        os.environ["BLUEZONE_DATA"] = str(Path(folder) / "data")
        open_office(Path(folder) / "data")
        from tests.builders.gatepage import paged_gate

        with paged_gate(Path(folder)) as gate:
            page = chromium.new_context(viewport=NARROW).new_page()
            page.goto(gate.page.url)
            page.wait_for_selector(".gate-code svg")
            greens = times_to_green(page, gate)
    return {
        "name": name,
        "value": round(vietnamese.down / 1000, 1),
        "unit": unit,
        "baseline": f"{vietnamese.plain / 1000:.1f} kB unpacked",
        "ratio": round(vietnamese.plain / vietnamese.down, 2),
        "english_kilobytes": round(english.down / 1000, 1),
        "files_kept": vietnamese.files,
        "landing_page_kilobytes": round(sum(landing.values()) / 1000, 1),
        "landing_page_budget_kilobytes": 60,
        "landing_page_asks_others": sum(not address.startswith(served.public) for address in landing),
        "green_milliseconds_p50": round(greens[GREENS // 2 - 1]),
        "green_milliseconds_p95": round(greens[int(0.95 * GREENS) - 1]),
        "green_budget_milliseconds": 300,
    }
