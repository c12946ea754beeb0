# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E501 (lines of JavaScript)
"""Phones and tablets with a gate in their browser: the acts of its keepers, and the data of the office for it.

Run as a program in a separate process, because Django opens one office in a process.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import expect
from tests.builders.canvassing import ask
from tests.builders.pagecosts import scan

from bluezone.protocol.gate.passes import read_screen
from bluezone.protocol.signed.config import WeekKey

TLS_ORIGIN = "https://gate.example"
PHONE = {"width": 360, "height": 740}
# Time that a test lets pass: the clock of the device is ahead by this number of seconds on every page.
_AHEAD = "(() => { const shown = Date.now.bind(Date); Date.now = () => shown() + 1000 * Number(localStorage.getItem('ahead') || 0); })()"
# Opens the engine of a web edition without its page, and returns a pass for the screen of a gate.
_SHOW = """async (screen) => {
  if (!window.engine) {
    const [, cityKey] = /data-city-key="([0-9a-f]{64})"/.exec(await (await fetch('/app/')).text());
    const {open} = await import('/app/engine/web/engine.js');
    window.engine = await open({cityKey, base: null});
    await engine.start({language: 'vi'});
    await engine.began;
  }
  return (await engine.showPass({screen})).text;
}"""


@dataclass(frozen=True)
class Planted:
    """A planted gate. codes: one-time codes of its tablets. badge, pin: of its keeper. gate: primary key."""

    codes: list[str]
    badge: str
    pin: str
    gate: int


def plant(data: Path, tablets: int, name: str = "Cổng chính") -> Planted:
    """Plant a gate with a keeper and with tablets that wait for their codes."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.builders.gatephone", str(data), str(tablets), name],
        check=True, cwd=Path(__file__).parents[2], capture_output=True, text=True,
    )  # fmt: skip
    return Planted(**json.loads(ran.stdout))


def sums(data: Path, gate: int) -> dict[str, int]:
    """The office's passages of a gate by verdict, from the five-minute counters; the daily sums must be the same."""
    counters, days = (
        dict(ask(data, f"SELECT verdict, sum(count) FROM {table} WHERE gate_id = ? GROUP BY verdict", gate))
        for table in ("gates_gatecounter", "gates_gateday")
    )
    assert counters == days
    return counters


class GatePhone:
    """One device with the app."""

    def __init__(self, chromium: Any, origin: str, language: str = "vi", *, tls: bool = False) -> None:
        """tls: as under a city's name with a certificate, for features that need it; then nothing is stored offline."""
        self.office = origin
        self.origin = TLS_ORIGIN if tls else origin
        self.tls = tls
        self.context = chromium.new_context(viewport=PHONE, service_workers="block" if tls else "allow")
        if tls:
            self.context.route(f"{TLS_ORIGIN}/**", self._from_the_office)
        self.page = self.context.new_page()
        self.page.add_init_script(_AHEAD)
        self.page.add_init_script(f"localStorage.setItem('language', localStorage.getItem('language') || '{language}')")
        self.trouble: list[str] = []
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        self.page.on(
            "console", lambda message: self.trouble.append(message.text) if "Security Policy" in message.text else None
        )

    def _from_the_office(self, route: Any) -> None:
        route.fulfill(response=route.fetch(url=route.request.url.replace(TLS_ORIGIN, self.office)))

    def connect(self, code: str) -> "GatePhone":
        """Open the app for the first time, type the office's code, and wait until the app is stored for offline use."""
        self.page.goto(f"{self.origin}/gate/")
        self.page.fill("#code", code)
        self.page.click("form button")
        self.page.wait_for_selector(".gate-code svg")
        if not self.tls:
            self.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        return self

    def reload(self) -> None:
        """Close the app and open it again."""
        self.page.reload()
        self.page.wait_for_selector(".gate-code svg")

    def live(self, seconds: float) -> None:
        """Move the clock forward, and store passages that can no longer be undone."""
        self.page.evaluate(
            "more => localStorage.setItem('ahead', Number(localStorage.getItem('ahead') || 0) + more)", seconds
        )
        self.desk("await desk.book.settle()")

    def tap(self, name: str, verdict: str) -> None:
        """Tap a large button of the page and wait for its verdict."""
        self._forget_verdict()
        self.page.get_by_role("button", name=name, exact=True).first.click()
        self.saw(verdict)

    def scan(self, text: str, verdict: str) -> None:
        """Scan a code with a scanner that types it, and wait for the verdict."""
        if verdict != "idle":
            self._forget_verdict()
        scan(self.page, text)
        self.saw(verdict)

    def _forget_verdict(self) -> None:
        """Clear the verdict of the previous passage, so that it is not taken for that of the next."""
        self.page.evaluate("document.querySelector('.verdict').dataset.verdict = ''")

    def saw(self, verdict: str) -> None:
        """Wait for a verdict."""
        expect(self.page.locator(f".verdict[data-verdict={verdict}]")).to_be_visible(timeout=120_000)

    @property
    def screen(self) -> str:
        """The text of its code for web editions."""
        return str(self.page.get_attribute(".gate-code", "data-text"))

    def inside(self, number: int) -> None:
        """Wait until the page shows this number of people inside."""
        expect(self.page.locator(".inside b")).to_have_text(str(number), timeout=60_000)

    def desk(self, script: str) -> Any:
        """Run an async function body with the page's `desk`."""
        return self.page.evaluate(
            f"async () => {{ const desk = await (await import('/gate/desk.js')).openDesk(); {script} }}"
        )

    def send(self) -> None:
        """Exchange with the office now."""
        self.desk("await desk.book.settle(); await desk.exchange.now()")

    def share(self) -> str:
        """The code with its counts, as it shows it."""
        return str(self.desk("await desk.book.settle(); return (await desk.share()).text"))

    def trust(self, key: WeekKey) -> None:
        """Trust one more gate key, so that a test can make passes without limit."""
        week_key = {
            "kid": key.kid,
            "purpose": "gate",
            "use_from": key.use_from,
            "accept_until": key.accept_until,
            "n": f"{key.n:x}",
            "e": key.e,
        }
        self.desk(f"desk.check.weekKeys = async () => [{json.dumps(week_key)}]")

    def times_to_verdict(self, codes: int) -> list[float]:
        """Milliseconds from a scanned code to its verdict on the screen, with the count on disk; the shortest first."""
        # Not at the top: when this module plants, Django is not ready there.
        from tests.builders.gatepage import browser_pass

        self.page.evaluate(
            """() => { globalThis.times = []; globalThis.began = 0; new MutationObserver(() => {
                if (document.querySelector(".verdict").dataset.verdict === "valid_code" && globalThis.began) {
                  globalThis.times.push(performance.now() - globalThis.began); globalThis.began = 0; } })
                .observe(document.querySelector(".verdict"), { attributes: true, childList: true }); }"""
        )
        for _ in range(codes):
            text = browser_pass(read_screen(self.desk("return (await desk.state()).screen.text")).value)
            self.page.evaluate("() => { globalThis.began = performance.now(); }")
            scan(self.page, text)
            self.page.wait_for_function("() => globalThis.began === 0")
        return sorted(self.page.evaluate("globalThis.times"))

    def close(self) -> None:
        assert self.trouble == []
        self.context.close()


class WebEdition:
    """The web edition of the city in a browser."""

    def __init__(self, chromium: Any, origin: str) -> None:
        self.context = chromium.new_context(viewport=PHONE)
        self.page = self.context.new_page()
        self.page.goto(f"{origin}/gate/")

    def show(self, screen: str) -> str:
        """The text of a pass for a gate's screen."""
        return str(self.page.evaluate(_SHOW, screen))

    def close(self) -> None:
        self.context.close()


def _plant(data: Path, number: int, name: str) -> dict[str, Any]:
    from bluezone.server.preparation import open_office

    open_office(data)
    from django.utils import timezone
    from tests.builders import devices

    from bluezone.rollout.gates import registry
    from bluezone.rollout.gates.models import Gate

    now = timezone.now()
    keeper = devices.agency()
    gate = Gate.objects.filter(name=name).first()
    if gate is None:
        gate = registry.open_gate("admin", keeper, name, now)
    codes = []
    for _ in range(number):
        tablet, code = devices.device(keeper, name=f"Máy {gate.devices.count() + 1} · {name}", now=now)
        registry.put_device("admin", tablet, gate)
        codes.append(code)
    badge = registry.nominate("admin", gate, "Hà Thị Lan", timezone.localdate(), now=now)
    return {"codes": codes, "badge": badge.text, "pin": badge.pin, "gate": gate.pk}


if __name__ == "__main__":
    json.dump(_plant(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]), sys.stdout)
