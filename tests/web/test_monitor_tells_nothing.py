# SPDX-License-Identifier: Apache-2.0
"""docs/privacy.md, "What the monitor is told": no sample moves with a single report but the one class of requests."""

import re
from types import SimpleNamespace

import pytest
from tests.builders.keyserver import keys_for, report_of

from bluezone.keyserver.http import Application
from bluezone.protocol.upload import Status, encode_upload
from bluezone.server.metrics.exposition import Exposition
from bluezone.server.metrics.measured_application import MeasuredApplication, public_route
from bluezone.server.metrics.meters import Meters
from bluezone.server.metrics.survey import Survey
from bluezone.server.processes.children import Part
from bluezone.server.worker import make_announcer

pytestmark = pytest.mark.django_db


class Monitored:
    """A key server with the meters around it."""

    def __init__(self, server):
        self.server, self.meters = server, Meters.make(1)
        server.application = MeasuredApplication(Application(server.parts), self.meters.row(0), public_route)
        self.survey = Survey(server, self.meters, make_announcer(server))
        parts = [Part("worker", ())]
        processes = SimpleNamespace(meters=self.meters, parts=parts, children=[], restarts={}, replaced=0)
        self.page = Exposition(processes, None, server.clock())
        self.survey.record_lead()

    def scrape(self):
        now = self.server.clock()
        self.page.refresh(now)
        self.survey.measure(now)
        return dict(line.rsplit(" ", 1) for line in self.page.text().splitlines() if not line.startswith("#"))


@pytest.fixture
def monitored(server):
    return Monitored(server)


def moved(before, after):
    # Free space and time move by themselves, whoever reports.
    clocks = re.compile(r"bluezone_(disk_free|tick_|outbox_oldest)")
    return {name for name in after if after[name] != before.get(name) and not clocks.match(name)}


def test_a_report_moves_only_the_class_of_requests(monitored):
    before = monitored.scrape()
    assert report_of(monitored.server).upload().status is Status.OK
    after = monitored.scrape()

    assert moved(before, after)
    assert all('route="reports"' in name for name in moved(before, after))
    assert float(after['bluezone_requests_total{route="reports",status="2xx"}']) == 3


def test_a_report_that_is_refused_moves_no_reason_within_the_hour(monitored):
    before = monitored.scrape()
    phone = report_of(monitored.server)
    other = keys_for(monitored.server.clock(), 3)
    body = encode_upload(phone.upload_request(keys=other))
    assert phone.post("/v1/upload", body)[1] == Status.SIGNATURE_INVALID
    after = monitored.scrape()

    assert all('route="reports"' in name for name in moved(before, after))


def test_stores_that_answer_and_files_that_are_fresh_are_seen(monitored):
    told = monitored.scrape()

    assert {float(told[f'bluezone_store_up{{store="{name}"}}']) for name in ("codes", "keys", "office")} == {1}
    assert float(told['bluezone_index_timestamp_seconds{index="exports"}']) > 0
    assert float(told["bluezone_publication_overdue_seconds"]) == 0
    assert float(told["bluezone_week_keys_end_timestamp_seconds"]) > monitored.server.clock() + 14 * 86_400
