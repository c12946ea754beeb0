# SPDX-License-Identifier: Apache-2.0
"""Row 7: signature replay, double upload. The same upload twice is ok and published once."""

from collections import Counter

import pytest
from tests.builders.keyserver import HOUR, Clock, open_server, report_of

from bluezone.protocol.exports.files import read_export
from bluezone.protocol.upload import Status


@pytest.mark.long
def test_an_upload_repeated_before_and_after_publishing_is_published_once(tmp_path):
    server = open_server(tmp_path, Clock())
    server.tick()
    case = report_of(server)
    statuses = [case.upload().status, case.upload().status]
    for _ in range(4):
        server.clock.pass_by(2 * HOUR)
        server.tick()
        statuses.append(case.upload().status)

    published = Counter(
        key.key for path in (server.data_dir / "exports").glob("*.zip") for key in read_export(path.read_bytes()).keys
    )
    server.close()
    assert statuses == [Status.OK] * 6
    assert [published[key.key] for key in case.keys] == [1, 1, 1]


def test_a_spent_certificate_takes_no_other_keys(tmp_path):
    server = open_server(tmp_path, Clock())
    case = report_of(server)
    case.upload()
    before = server.keys_store.read("SELECT * FROM waiting_key")

    # Spent is looked up first: the answer is ok, and nothing changes.
    assert case.upload(keys=()).status is Status.OK
    assert server.keys_store.read("SELECT * FROM waiting_key") == before
    server.close()
