# SPDX-License-Identifier: Apache-2.0
"""A key server with the metrics of a `serve`: its rounds are measured as the worker does it."""

import time
from datetime import datetime
from types import SimpleNamespace

from bluezone.canary.state import state_file
from bluezone.keyserver.configs.applied_settings import SettingsOutdated
from bluezone.keyserver.service import KeyServer
from bluezone.messaging.announcer import Announcer, Provider
from bluezone.refusal import Refused
from bluezone.server.canary_reports import Cells
from bluezone.server.canary_rounds import Address, Canary
from bluezone.server.metrics.exposition import Exposition
from bluezone.server.metrics.meters import Meters
from bluezone.server.metrics.survey import Survey
from bluezone.server.processes.children import Part
from bluezone.timekeeping import ClockDoubted


class _NoBrowsers(Provider):
    """No browser has subscribed."""


class _KeyServerSurvey(Survey):
    """The survey of a key server without an office."""

    def _office(self, now: datetime) -> None:
        self._meters.set("store_up_office", 1)


class Measured:
    """A key server and the canary at its own address, with the meters of one `serve`. port: of its HTTP."""

    def __init__(self, server: KeyServer, port: int) -> None:
        self._server = server
        self._meters = Meters.make(2)
        self._survey = _KeyServerSurvey(server, self._meters, Announcer(server, _NoBrowsers()))
        processes = SimpleNamespace(
            meters=self._meters, parts=[Part("worker", ())], children=[], restarts={}, replaced=0
        )
        self._exposition = Exposition(processes, None, time.time())
        cells = Cells(self._meters)
        cells.expect("own", time.monotonic())
        self._canary = Canary(
            Address("own", f"http://127.0.0.1:{port}"),
            lambda: server.secrets.city_key,
            state_file(server.data_dir, "own"),
            cells,
            server.city.publish_period_seconds,
        )

    def tick(self) -> bool:
        """A round of the worker, as `bluezone.server.worker` records it. Raises what the round raises."""
        started_at = time.monotonic()
        self._survey.record_lead()
        try:
            is_done = self._server.tick()
        except Refused as refused:
            if isinstance(refused, ClockDoubted | SettingsOutdated):
                self._survey.record_clock(doubted=isinstance(refused, ClockDoubted))
            if isinstance(refused, SettingsOutdated):
                self._survey.record_tick(started_at)
            else:
                self._survey.record_failure()
            raise
        else:
            self._survey.record_clock(doubted=False)
            self._survey.record_tick(started_at)
        finally:
            self._survey.measure(self._server.clock())
        return is_done

    def metrics(self) -> str:
        """The page of metrics, after a round of the canary."""
        self._canary.make_round()
        return self._exposition.text()
