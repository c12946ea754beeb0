# SPDX-License-Identifier: Apache-2.0
"""Scenario 15: "Tourist checks in: hotel desk enters +foreign number -> SMPP submit within 5 s, UCS-2 parts reassembled
equal to the text, DLR stored, status delivered; SMSC down -> retry with backoff, no double; opt-out and once-per-stay
respected; English + Vietnamese by number prefix."

With the real processes: `bluezone serve` (its tick sends), the desk's page over HTTP, and a message centre of its own.
"""

import socket
import sqlite3
import time

import pytest
from tests.builders.office import write_city
from tests.builders.serving import serving
from tests.builders.smsc import Centre, join_parts
from tests.builders.visitordesk import Desk, furnish

from bluezone.messaging.sms.sender import GATHER_SECONDS, LOOK_SECONDS

VIETNAMESE, FOREIGN, LATE = "0912 345 678", "+44 7700 900123", "+33 6 12 34 56 78"


@pytest.fixture(scope="module")
def hotel(tmp_path_factory):
    """A served city whose notice is two segments with diacritics, its message centre, and the desk of a hotel."""
    folder = tmp_path_factory.mktemp("scenario15")
    write_city(folder / "data", public_host="bluezone.gov.vn", sms_notice_segments=2)
    with (
        Centre(folder) as centre,
        serving(folder / "data", environment={"BLUEZONE_SMS_URL": centre.address(references=1)}) as served,
    ):
        furnish(folder / "data")
        yield served, centre, Desk(served.office)


def wait_for(found, seconds=120.0):
    deadline = time.monotonic() + seconds
    while not (result := found()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)
    return result


def states(served):
    with sqlite3.connect(f"file:{served.data / 'office.sqlite3'}?mode=ro", uri=True, timeout=120) as connection:
        return [row[0] for row in connection.execute("SELECT state FROM sms_message ORDER BY queued_at")]


def test_a_tourist_is_told_within_five_seconds_and_once_also_over_an_outage(hotel):
    served, centre, desk = hotel
    assert desk.tell(VIETNAMESE) == 302
    wait_for(lambda: len(centre.taken) == 2)
    assert LOOK_SECONDS + GATHER_SECONDS < 5, "from entry to submit, at any hour: the sender looks so often"
    assert [one["udh"][3:] for one in centre.taken] == [[2, 1], [2, 2]]
    assert {one["coding"] for one in centre.taken} == {8}
    assert join_parts(centre.taken) == {
        "84912345678": [
            "UBND TP Bắc Kạn chào quý khách. Đề nghị cài Bluezone để được cảnh báo nguy cơ lây nhiễm COVID-19:"
            " bluezone.gov.vn/k (miễn phí)"
        ]
    }
    wait_for(lambda: states(served) == ["delivered"])
    assert "đã đến máy" in desk.page()

    assert desk.tell(FOREIGN) == 302
    english = wait_for(lambda: join_parts(centre.taken).get("447700900123"))
    assert english[0].startswith("Bac Kan City People's Committee: welcome.")
    assert desk.tell("0044 7700 900123") == 409, "once per stay"

    centre.kill()
    assert desk.tell(LATE) == 302, "the desk does not notice that the message centre is down"
    # The outage lasts until the sender has met it.
    with socket.create_server(("127.0.0.1", centre.port)) as dead:
        dead.settimeout(120)
        dead.accept()[0].close()
    centre.start()
    wait_for(lambda: join_parts(centre.taken).get("33612345678"), 60)
    wait_for(lambda: states(served) == ["delivered"] * 3)
    assert all(len(texts) == 1 for texts in join_parts(centre.taken).values()), "nobody twice"
    assert "900123" not in desk.page()
