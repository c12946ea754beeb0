# SPDX-License-Identifier: Apache-2.0
"""The cost of pages for their readers in Chromium: bytes over the wire and seconds; for tests and `bench pages`."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.builders.serving import RunningServer
from tests.builders.wiretap import wire_to

if TYPE_CHECKING:
    from tests.builders.gatepage import PagedGate

NARROW = {"width": 360, "height": 740}
# Source: docs/design.md, budgets.
LANDING_BYTES, WEB_EDITION_BYTES, GREEN_MS = 60_000, 250_000, 300
GREENS = 40


def _maker_of_fresh_contexts(chromium: Any) -> Any:
    """The function that makes an unused context. In the separate browser of a bench, every context is unused."""
    return getattr(chromium, "fresh_context", chromium.new_context)


def weighed(
    chromium: Any, served: RunningServer, address: str, network: dict[str, Any] | None = None, ready: str = "main"
) -> tuple[dict[str, int], float]:
    """Open a page in a new profile; returns its bytes over the wire by address, and the seconds until it is usable."""
    context = _maker_of_fresh_contexts(chromium)(viewport=NARROW)
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")
    if network:
        devtools.send("Network.emulateNetworkConditions", network)
    addresses: dict[str, str] = {}
    sizes: dict[str, int] = {}
    devtools.on(
        "Network.requestWillBeSent", lambda event: addresses.update({event["requestId"]: event["request"]["url"]})
    )
    devtools.on("Network.loadingFinished", lambda event: sizes.update({event["requestId"]: event["encodedDataLength"]}))
    started = time.monotonic()
    page.goto(served.public + address, wait_until="load")
    page.evaluate("document.fonts.ready")
    seconds = time.monotonic() - started
    page.wait_for_selector(ready)
    page.wait_for_load_state("networkidle")
    context.close()
    return {addresses[key]: size for key, size in sizes.items()}, seconds


@dataclass(frozen=True)
class FirstLoad:
    """down: bytes to the browser, headers and worker included. plain: bytes of the cached files without compression.

    files: their number.
    """

    down: int
    plain: int
    files: int


def first_load(chromium: Any, served: RunningServer, language: str) -> FirstLoad:
    """Open the web edition in a new profile until it has cached what it needs offline; then open it offline.

    Counted on the wire, HTTP/1.1. language: of the browser.
    """
    with wire_to(served.public) as wire:
        context = _maker_of_fresh_contexts(chromium)(viewport=NARROW, locale=language)
        page = context.new_page()
        page.goto(f"{wire.url}/app/", wait_until="networkidle")
        page.evaluate("navigator.serviceWorker.ready.then(() => null)")
        page.wait_for_load_state("networkidle")
        sizes = page.evaluate("""caches.open('bluezone-files')
            .then((cache) => cache.keys().then((keys) => Promise.all(keys.map((key) => cache.match(key)))))
            .then((answers) => Promise.all(answers.map((answer) => answer.arrayBuffer())))
            .then((bodies) => bodies.map((body) => body.byteLength))""")
        context.set_offline(True)
        page.reload()
        page.wait_for_selector("main .button.wide")
        context.close()
        return FirstLoad(wire.down, sum(sizes), len(sizes))


def scan(page: Any, text: str, stall_ms: int = 0) -> None:
    """Scan a code like a hand-held scanner: one key in each millisecond, on a busy machine too, and Enter at the end.

    stall_ms: a pause in the middle, as on a busy tablet.
    """
    page.evaluate(
        """([text, stall], began = performance.now()) => [...text, "Enter"].forEach((key, number) => {
            const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
            const at = began + number + (number > text.length / 2 ? stall : 0);
            Object.defineProperty(event, "timeStamp", { value: at });
            document.body.dispatchEvent(event); })""",
        [text, stall_ms],
    )


def times_to_green(page: Any, gate: "PagedGate", greens: int = GREENS) -> list[float]:
    """Milliseconds from a scanned code to the green screen, `greens` times, the shortest first."""
    page.evaluate(
        """() => { globalThis.times = []; new MutationObserver(() => {
            if (document.querySelector(".verdict").dataset.verdict === "running" && globalThis.began) {
              globalThis.times.push(performance.now() - globalThis.began); globalThis.began = 0; } })
            .observe(document.querySelector(".verdict"), { attributes: true, childList: true }); }"""
    )
    for _ in range(greens):
        text = gate.phone()
        page.evaluate("() => { globalThis.began = performance.now(); }")
        scan(page, text)
        page.wait_for_function("() => globalThis.began === 0")
    times: list[float] = sorted(page.evaluate("globalThis.times"))
    return times
