# SPDX-License-Identifier: Apache-2.0
"""A round of the worker while something that it needs is away."""

import pytest
from tests.builders.serving import free_port

from bluezone.keyserver.objectfiles import ObjectFiles
from bluezone.messaging.webpush.announcing import announcer_of
from bluezone.web.metering import Meters
from bluezone.web.surveying import Survey

pytestmark = pytest.mark.django_db


@pytest.fixture
def meters():
    return Meters.make(1)


def test_a_bucket_that_is_away_ends_no_round_and_its_indexes_keep_their_age(server, meters, monkeypatch):
    survey = Survey(server, meters, announcer_of(server))
    survey.measure(server.clock())
    made = meters.gauge("index_timestamp_seconds_exports")
    assert made > 0
    for name, value in {"ENDPOINT_URL": f"http://127.0.0.1:{free_port()}", "REGION": "x"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.setenv(f"AWS_{name}", "nobody")
    server.published = ObjectFiles("s3://away/v1", timeout_seconds=0.5)
    meters.set("disk_bytes", 0)
    survey.measure(server.clock())

    assert meters.gauge("index_timestamp_seconds_exports") == made
    assert meters.gauge("store_up_keys") == 1
    assert meters.gauge("disk_bytes") > 0, "what comes after the files is measured"
