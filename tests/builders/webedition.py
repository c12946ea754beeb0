# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E501 (lines of JavaScript)
"""The web edition and a real key server behind one origin, and browsers with a clock that a test moves."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from pathlib import Path
from socketserver import ThreadingMixIn
from threading import Event, Thread
from typing import Any
from wsgiref.simple_server import WSGIServer, make_server

from tests.builders.handset import Served, World, _Quiet, secrets_folder
from tests.builders.keyserver import open_server

from bluezone.face.files import INDEX, StaticFile, static_files, web_files
from bluezone.keyserver.venues.registrar import VenueCode, VenueDescription

BLANK = b"<!doctype html><title>engine</title><body>"
NEWS = {"items": []}


class _Threads(ThreadingMixIn, WSGIServer):
    daemon_threads = True


def _already_set() -> Event:
    event = Event()
    event.set()
    return event


@dataclass
class WebCity(Served):
    """
    Like `Served`, with the app under /app/. app: its files. more: further answers by path. answers: while it is
    cleared, no call is answered under /v1/. waits: whether a call has come since then.
    """

    app: dict[str, StaticFile] = field(default_factory=dict)
    more: dict[str, tuple[int, str, bytes]] = field(default_factory=dict)
    world: World = field(default_factory=World)
    answers: Event = field(default_factory=_already_set)
    waits: Event = field(default_factory=Event)

    def application(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        path = environ["PATH_INFO"]
        date = ("Date", formatdate(self.world.now, usegmt=True))
        if path.startswith("/v1/") and path not in self.more:
            if not self.answers.is_set():
                self.waits.set()
                self.answers.wait()
            return super().application(environ, lambda status, headers: start_response(status, [*headers, date]))
        status, media_type, body = self._static(path)
        if path in self.more and environ["REQUEST_METHOD"] == "POST":
            self.requests.append((path, int(environ.get("CONTENT_LENGTH") or 0)))
        headers = [("Content-Type", media_type), ("Content-Length", str(len(body))), ("Cache-Control", "no-cache")]
        start_response(f"{status} x", headers)
        return [body]

    def _static(self, path: str) -> tuple[int, str, bytes]:
        if path in self.more:
            return self.more[path]
        if path == "/news/feed.json":
            return 200, "application/json", json.dumps(NEWS).encode()
        if path == "/blank":
            return 200, "text/html", BLANK
        if path.startswith("/app/") and (file := self.app.get(path[5:])):
            return 200, file.media_type, file.content
        return 404, "text/plain", b""


@contextmanager
def web_city(folder: Path, world: World | None = None, **settings: Any) -> Iterator[WebCity]:
    """Serve the app and a small city from `folder`, by default without waiting times."""
    world = world or World()
    waits = {"verify_to_upload_seconds": 0, "publish_period_seconds": 0, "padding_mean": 1}
    if not (folder / "keys").exists():
        shutil.copytree(secrets_folder(), folder / "keys")
    key_server = open_server(folder, lambda: world.now, **{**waits, **settings})
    server = WebCity(key_server, "", world=world)
    httpd = make_server("127.0.0.1", 0, server.application, _Threads, _Quiet)
    server.url = f"http://localhost:{httpd.server_port}"
    # The engine can be tested without screens.
    static_files().setdefault(INDEX, StaticFile(INDEX, BLANK, "text/html; charset=utf-8"))
    server.app = web_files(server.trust())
    thread = Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()
        key_server.close()


# Functions for every page of these tests: a simulated environment, and refusals as values.
HELP = """
// On the app's page its bundled modules, which it caches for offline use; otherwise the sources.
window.modules = async (name) => document.querySelector('script[src="opening.js"]')
  ? (await import('/app/opening.js')).$load(`engine/web/${name}.js`)
  : import(`/app/engine/web/${name}.js`);
window.refused = async (work) => {
  try { return {ok: await work()}; }
  catch (error) { if (error.name !== 'Refusal') throw error; return {refused: error.code, details: error.details}; }
};
window.bytes = (text) => Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
window.sim = {now: 0, timers: new Map(), last: 0};
window.environment = {
  wallSeconds: () => sim.now, monotonicSeconds: () => sim.now,
  setTimer: (seconds, work) => { sim.last += 1; sim.timers.set(sim.last, {at: sim.now + seconds, work}); return sim.last; },
  clearTimer: (timer) => sim.timers.delete(timer),
};
window.passBy = async (seconds) => {
  const end = sim.now + seconds;
  for (;;) {
    const due = [...sim.timers].filter(([, timer]) => timer.at <= end).sort((a, b) => a[1].at - b[1].at || a[0] - b[0])[0];
    if (!due) break;
    sim.now = Math.max(sim.now, due[1].at);
    sim.timers.delete(due[0]);
    await due[1].work();
  }
  sim.now = end;
};
window.openEngine = async (cityKey, more = {}) => {
  const {open} = await modules('engine');
  window.engine = await open({cityKey, base: null, environment, ...more});
  return engine;
};
"""


class Browser:
    """One browser profile on the city's origin, with access to the engine's modules and its own clock."""

    start = "/blank"

    def __init__(self, chromium: Any, server: WebCity, now: float | None = None) -> None:
        self.server = server
        self.context = chromium.new_context()
        self.now = now
        self.page = self._page()

    def _page(self) -> Any:
        page = self.context.new_page()
        page.add_init_script(HELP)
        page.goto(self.server.url + self.start)
        if self.now is not None:
            page.evaluate("now => { sim.now = now }", self.now)
        return page

    def run(self, script: str, argument: Any = None) -> Any:
        """Evaluate an async function body; its `x` is the argument."""
        return self.page.evaluate(f"async (x) => {{ {script} }}", argument)

    def wait(self, condition: str) -> None:
        """Wait until an expression, which may await, is true; two minutes at most."""
        self.run(
            f"""
            for (let look = 0; look < 2400; look += 1) {{
              if ({condition}) return;
              await new Promise((resolve) => setTimeout(resolve, 50));
            }}
            throw new Error('waited in vain');
            """
        )

    def engine(self) -> None:
        """Open the engine (again)."""
        self.run("await openEngine(x); await engine.began", self.server.trust())

    def reload(self) -> None:
        """Close the page and open it again, with its engine."""
        self.now = self.run("return sim.now")
        self.page.close()
        self.page = self._page()
        self.engine()

    def live(self, seconds: float) -> None:
        """Let time pass for this browser and run its timers; the server's clock moves to the same moment."""
        self.run("await passBy(x)", seconds)
        self.server.world.now = self.run("return sim.now")

    def rehearse_later(self) -> None:
        """Postpone the next rehearsal by 50 days, so that every upload until then is a report."""
        self.rehearse_in(50 * 86_400)

    def rehearse_in(self, seconds: int) -> None:
        """Schedule the next rehearsal in this number of seconds, in place of the random time."""
        self.run("await engine.parts.store.write({chaff: {next: sim.now + x, pending: null, played: 0}})", seconds)

    def close(self) -> None:
        self.context.close()


@contextmanager
def browsers(chromium: Any, server: WebCity, *names: str) -> Iterator[list[Browser]]:
    """Browser profiles that have been set up: consent given, files fetched."""
    opened = [Browser(chromium, server, server.world.now) for _ in names]
    try:
        for browser in opened:
            browser.engine()
            browser.run("await engine.start({language: 'vi'}); await engine.began")
        yield opened
    finally:
        for browser in opened:
            browser.close()


def issue_code(server: WebCity, klass: str = "confirmed", days_ago: int = 1) -> str:
    """A verification code, issued now."""
    onset = datetime.fromtimestamp(server.world.now, UTC).date() - timedelta(days=days_ago)
    return server.key_server.codes.issue_code(klass, onset).code


def publish_venue(server: WebCity, registration: str = "1", **described: Any) -> VenueCode:
    """The code of a venue, registered and published now."""
    description = {"name": "Chợ Bắc Kạn", "address": "Tổ 1, phường Đức Xuân", **described}
    code = server.key_server.registrar.register_venue(registration, VenueDescription(**description))
    server.key_server.tick()
    return code
