# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E501 (lines of JavaScript)
"""Phones and tablets that are a gate in their browser: what its keepers do, and the office's side planted before.

Run as a program in a process of its own, because Django opens one office a process.
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
# Time that a test lets pass: the device's clock shows so many seconds more, whatever page is opened.
_AHEAD = "(() => { const shown = Date.now.bind(Date); Date.now = () => shown() + 1000 * Number(localStorage.getItem('ahead') || 0); })()"
# A web edition's engine without its page: a pass for a gate's screen.
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
    """codes: one-time codes of the gate's tablets. badge, pin: of its keeper. gate: primary key."""

    codes: list[str]
    badge: str
    pin: str
    gate: int


def plant(data: Path, tablets: int, name: str = "Cổng chính") -> Planted:
    """A gate with tablets that wait for their codes, and a keeper."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.builders.gatephone", str(data), str(tablets), name],
        check=True, cwd=Path(__file__).parents[2], capture_output=True, text=True,
    )  # fmt: skip
    return Planted(**json.loads(ran.stdout))


def sums(data: Path, gate: int) -> dict[str, int]:
    """Passages by verdict that the office holds of a gate: by five-minute counters, which must be the days' sums."""
    counters, days = (
        dict(ask(data, f"SELECT verdict, sum(count) FROM {table} WHERE gate_id = ? GROUP BY verdict", gate))
        for table in ("gates_gatecounter", "gates_gateday")
    )
    assert counters == days
    return counters


class GatePhone:
    """One device with the app."""

    def __init__(self, chromium: Any, origin: str, language: str = "vi", *, tls: bool = False) -> None:
        """tls: as behind a city's own name with a certificate, for what browsers allow such pages; nothing is kept then."""
        self.office, self.origin, self.tls = origin, TLS_ORIGIN if tls else origin, tls
        self.context = chromium.new_context(viewport=PHONE, service_workers="block" if tls else "allow")
        if tls:
            self.context.route(f"{TLS_ORIGIN}/**", self._from_the_office)
        self.page = self.context.new_page()
        self.page.add_init_script(_AHEAD)
        self.page.add_init_script(f"localStorage.setItem('language', localStorage.getItem('language') || '{language}')")
        self.trouble: list[str] = []
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        self.page.on("console", lambda said: self.trouble.append(said.text) if "Security Policy" in said.text else None)

    def _from_the_office(self, route: Any) -> None:
        route.fulfill(response=route.fetch(url=route.request.url.replace(TLS_ORIGIN, self.office)))

    def connect(self, code: str) -> "GatePhone":
        """Open the app for the first time and type the office's code; it is kept for offline use afterwards."""
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
        """Let the clock show so much more, and what can no longer be undone be entered."""
        self.page.evaluate(
            "more => localStorage.setItem('ahead', Number(localStorage.getItem('ahead') || 0) + more)", seconds
        )
        self.desk("await desk.book.settle()")

    def tap(self, name: str, verdict: str) -> None:
        """A large button of the page, and its verdict."""
        self._forget_verdict()
        self.page.get_by_role("button", name=name, exact=True).first.click()
        self.saw(verdict)

    def scan(self, text: str, verdict: str) -> None:
        """A code, read by a scanner that types."""
        if verdict != "idle":
            self._forget_verdict()
        scan(self.page, text)
        self.saw(verdict)

    def _forget_verdict(self) -> None:
        """The verdict of the passage before is no answer to the next one."""
        self.page.evaluate("document.querySelector('.verdict').dataset.verdict = ''")

    def saw(self, verdict: str) -> None:
        """Wait for a verdict."""
        expect(self.page.locator(f".verdict[data-verdict={verdict}]")).to_be_visible(timeout=120_000)

    @property
    def screen(self) -> str:
        """What its code for web editions says."""
        return str(self.page.get_attribute(".gate-code", "data-text"))

    def inside(self, number: int) -> None:
        """Wait until the page shows so many people inside."""
        expect(self.page.locator(".inside b")).to_have_text(str(number), timeout=60_000)

    def desk(self, script: str) -> Any:
        """Run an async function body with `desk`, as the page has it."""
        return self.page.evaluate(
            f"async () => {{ const desk = await (await import('/gate/desk.js')).openDesk(); {script} }}"
        )

    def send(self) -> None:
        """Exchange with the office now."""
        self.desk("await desk.book.settle(); await desk.exchange.now()")

    def share(self) -> str:
        """The code of what it counted, as it shows it."""
        return str(self.desk("await desk.book.settle(); return (await desk.share()).text"))

    def trust(self, key: WeekKey) -> None:
        """Believe one gate key besides the city's, so that a test can make passes without limit."""
        told = {
            "kid": key.kid,
            "purpose": "gate",
            "use_from": key.use_from,
            "accept_until": key.accept_until,
            "n": f"{key.n:x}",
            "e": key.e,
        }
        self.desk(f"desk.check.weekKeys = async () => [{json.dumps(told)}]")

    def times_to_verdict(self, codes: int) -> list[float]:
        """Milliseconds from a scanned code to its verdict on the screen, counted on the disk; the shortest first."""
        # Not before Django is ready, where this module plants.
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
    """Somebody with the web edition of the city."""

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

    now, keeper = timezone.now(), devices.agency()
    gate = registry.open_gate("admin", keeper, name, now) if not Gate.objects.filter(name=name).exists() else None
    gate = gate or Gate.objects.get(name=name)
    codes = []
    for _ in range(number):
        tablet, code = devices.device(keeper, name=f"Máy {gate.devices.count() + 1} · {name}", now=now)
        registry.put_device("admin", tablet, gate)
        codes.append(code)
    badge = registry.nominate("admin", gate, "Hà Thị Lan", timezone.localdate(), now=now)
    return {"codes": codes, "badge": badge.text, "pin": badge.pin, "gate": gate.pk}


if __name__ == "__main__":
    json.dump(_plant(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]), sys.stdout)
