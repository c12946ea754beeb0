# SPDX-License-Identifier: Apache-2.0
"""Phones that report to a real `serve`, which may be killed at any moment, and the checks afterwards."""

import http.client
import json
import queue
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.builders.hpke import point
from tests.builders.keyserver import Phone, call
from tests.builders.serving import HOTLINE, start

from bluezone.keyserver.service import KeyServer
from bluezone.protocol.exports.files import read_export, verify_export
from bluezone.protocol.intervals import INTERVALS_PER_DAY, SECONDS_PER_INTERVAL
from bluezone.protocol.signed.index import CHAIN_START, follow_index
from bluezone.protocol.upload import Status

PATIENCE_SECONDS = 240


class Refused503(Exception):
    """The server answered 503, with the time after which to retry."""


class KeptUp:
    """A `serve` that is started again whenever it ends, as systemd does, until `stop`. output: lines of all starts."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._stopping = False
        self.starts = 0
        self.output: list[str] = []
        self._start()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    def _start(self) -> None:
        self.served = start(self._data, "--hotline", HOTLINE)
        self.starts += 1
        threading.Thread(target=self.output.extend, args=(self.served.lines,), daemon=True).start()

    def _keep(self) -> None:
        while not self._stopping:
            try:
                self.served.process.wait(0.2)
            except subprocess.TimeoutExpired:
                continue
            # The children of a killed server, or their lock, may remain for a moment.
            while not self._stopping:
                try:
                    self._start()
                    break
                except AssertionError as refused:
                    self.output.append(str(refused))

    def post(self, path: str, body: bytes) -> bytes:
        """One call on a new connection. Raises OSError, HTTPException, Refused503; else AssertionError."""
        status, headers, content = self.ask("POST", path, body)
        if status == 503:
            assert int(headers["Retry-After"]) > 0
            assert set(json.loads(content)["error"]) == {"code", "message"}
            raise Refused503(json.loads(content)["error"]["code"])
        assert status == 200, (status, content)
        assert len(content) == 1024
        return content

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, Any, bytes]:
        """Status, headers and body of one call."""
        address = urlsplit(self.served.public)
        connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=120)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def stop(self) -> None:
        self._stopping = True
        self._keeper.join()
        self.served.process.terminate()
        self.served.process.wait(120)


class Load:
    """Phones that report, a few at a time; each repeats every call until it gets an answer."""

    def __init__(self, phones: list[Phone], lines: int = 4) -> None:
        self.acknowledged: list[Phone] = []
        self.refused: Counter[str] = Counter()
        self.failure: BaseException | None = None
        self._waiting: queue.SimpleQueue[Phone] = queue.SimpleQueue()
        self._moved = threading.Condition()
        for phone in phones:
            self._waiting.put(phone)
        self._total = len(phones)
        self._lines = [threading.Thread(target=self._work, daemon=True) for _ in range(lines)]
        for line in self._lines:
            line.start()

    def _work(self) -> None:
        try:
            while True:
                phone = self._waiting.get_nowait()
                for step in (phone.check_code, phone.redeem_code, phone.upload):
                    self._until_answered(step)
                with self._moved:
                    self.acknowledged.append(phone)
                    self._moved.notify_all()
        except queue.Empty:
            return
        except BaseException as error:
            with self._moved:
                self.failure = error
                self._moved.notify_all()

    def _until_answered(self, step: Callable[[], Any]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                answer = step()
            except (OSError, http.client.HTTPException, Refused503) as refused:
                with self._moved:
                    self.refused[str(refused) if isinstance(refused, Refused503) else "no answer"] += 1
                    self._moved.notify_all()
                time.sleep(0.05)
                continue
            if answer.status is not Status.PUZZLE_REQUIRED:
                assert answer.status is Status.OK, answer
                return
        raise TimeoutError("the server did not come back")

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition` is true; raises the exception that stopped a phone."""
        with self._moved:
            met = self._moved.wait_for(lambda: self.failure is not None or condition(), PATIENCE_SECONDS)
        if self.failure is not None:
            raise self.failure
        assert met, "the load did not get that far"

    def finish(self) -> None:
        self.wait_for(lambda: len(self.acknowledged) == self._total)


def tick_when_alone(server: KeyServer, now: float) -> None:
    """Tick once the lock is free: the kernel may take a moment to release that of a killed worker."""
    deadline = time.monotonic() + 600
    while not server.tick(now):
        assert time.monotonic() < deadline


def published_counts(server: KeyServer) -> Counter[bytes]:
    """How often each key is in a file, following the whole index as a phone does. Asserts that no embargo is broken."""
    counts: Counter[bytes] = Counter()
    for entry in follow_index(server.indexes.read_index(), 0, CHAIN_START):
        export = read_export(call(server, "GET", f"/v1/exports/{entry.name}").body)
        assert verify_export(export, point(server.secrets.export_key.public_key())) == "verified"
        for key in export.keys:
            over = (key.start + INTERVALS_PER_DAY) * SECONDS_PER_INTERVAL
            assert over + server.city.embargo_seconds <= export.end_timestamp
            counts[key.key] += 1
    return counts


def nothing_lost(server: KeyServer, phones: list[Phone]) -> None:
    """Assert that every key of `phones` is published exactly once, at the right time, in a chain of signed files."""
    now = time.time()
    before = published_counts(server)
    # In the first hours of a day nothing may be due yet.
    assert max(before.values(), default=1) == 1
    # Today's key, and perhaps yesterday's, waits for the end of its day and two more hours.
    for moment in (now + 1, now + 86_400 + 7200, now + 86_400 + 7202):
        tick_when_alone(server, moment)
    counts = published_counts(server)
    assert before.items() <= counts.items()
    assert {counts[key.key] for phone in phones for key in phone.keys} == {1}
    assert max(counts.values()) == 1
    assert server.keys_store.read("SELECT SUM(uploads) FROM upload_count") == [(len(phones),)]
    waiting = {key for (key,) in server.keys_store.read("SELECT key FROM waiting_key")}
    assert not waiting & {key.key for phone in phones for key in phone.keys}
