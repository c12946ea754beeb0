# SPDX-License-Identifier: Apache-2.0
"""Row 9: still-valid keys published. A key of today is in no file before the end of its UTC day and two hours."""

import pytest
from tests.builders.keyserver import DAY, HOUR, NOON, Clock, keys_for, open_server, report_of

from bluezone.protocol.exports.files import read_export
from bluezone.protocol.upload import Status


@pytest.mark.long
@pytest.mark.parametrize("period", [2 * HOUR, 0])
def test_todays_key_is_absent_from_every_file_until_its_day_ended_two_hours_ago(tmp_path, period):
    server = open_server(tmp_path, Clock(), publish_period_seconds=period, padding_mean=2)
    server.tick()
    case = report_of(server, keys=keys_for(NOON, days=3, newest_age=0))
    assert case.upload().status is Status.OK
    today = case.keys[-1].key
    end_of_day = (NOON // DAY + 1) * DAY

    first_seen = None
    while first_seen is None and server.clock.now < end_of_day + DAY:
        server.clock.pass_by(600)
        server.tick()
        files = (server.data_dir / "exports").glob("*.zip")
        if any(today == key.key for path in files for key in read_export(path.read_bytes()).keys):
            first_seen = server.clock.now

    server.close()
    assert first_seen == end_of_day + 2 * HOUR
