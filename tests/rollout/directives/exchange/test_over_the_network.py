# SPDX-License-Identifier: Apache-2.0
"""Two offices, each a `serve` of its own, exchange letters and states over HTTPS while connections are cut and both are
killed: none is lost, none doubled, and both know the same.
"""

import re
import time

import pytest
from tests.builders.cutting import CuttingRelay
from tests.builders.offices import Office
from tests.builders.serving import start
from tests.builders.stores import HOTLINE

CITY, WARD = "ubnd-tp", "ubnd-phuong-song-cau"
IDS = {CITY: "28.22.H17", WARD: "05.28.22.H17"}
PEOPLE = [["clerk", "clerk", CITY], ["signer", "issuer", CITY], ["admin", "admin", ""]]
SHARE_CUT = 0.2


class Side:
    """One office: its `serve`, a process that works in it, and the relay through which the other reaches it."""

    def __init__(self, folder, seed, people, **city):
        self.office = Office.new(folder, **city)
        self.office.do("set_up_agencies", identifiers=IDS, people=people)
        self.serve = None
        self.relay = CuttingRelay(0, SHARE_CUT, seed)
        self.begin()

    def begin(self):
        """Start `serve`; on other ports than before."""
        self.serve = start(self.office.folder, "--hotline", HOTLINE, "--tls", "self")
        self.relay.server = int(self.serve.office.rsplit(":", 1)[1])

    def kill(self):
        """As a power cut does it: nothing is put away."""
        self.serve.process.kill()
        self.serve.process.wait(60)
        for _ in self.serve.lines:
            continue
        self.begin()

    def authority(self):
        return (self.office.folder / "keys" / "tls" / "authority.pem").read_text()

    def known(self):
        return self.office.do("exchanged")

    def end(self):
        self.relay.close()
        self.office.__exit__()
        self.serve.process.terminate()
        self.serve.process.communicate(timeout=120)


def hold(office, agency, pem):
    """An administrator enters the other office's certificate after comparing it."""
    form = {"agency": str(office.do("agency", key=agency)["pk"]), "use": "exchange", "pem": pem}
    page = office.post("admin", "/exchange/certificates/new/", form)[2]
    mark = re.search(rb'name="compared" value="([0-9a-f]{64})"', page)[1].decode()
    assert office.post("admin", "/exchange/certificates/new/", form | {"compared": mark})[0] == 302


@pytest.fixture
def sides(tmp_path):
    """City and ward that hold each other's certificate, address and authority."""
    city = Side(tmp_path / "city", 1, PEOPLE)
    ward = Side(tmp_path / "ward", 2, [["clerk", "clerk", WARD], ["admin", "admin", ""]], name_vi="phường Sông Cầu")
    for one, other, agency in ((city, ward, WARD), (ward, city, CITY)):
        hold(one.office, agency, other.office.do("certificate")["pem"])
        address = {"url": f"https://localhost:{other.relay.port}", "authority": other.authority()}
        pk = one.office.do("agency", key=agency)["pk"]
        assert one.office.post("admin", f"/exchange/addresses/{pk}/", address)[0] == 302
    yield city, ward
    city.end()
    ward.end()


def until(condition, city, ward):
    """Work on at the ward until this holds; the bound is only there so that a fault does not wait for ever."""
    deadline = time.monotonic() + 800
    while not condition():
        assert time.monotonic() < deadline, (city.known(), ward.known(), city.relay.cuts, ward.relay.cuts)
        ward.office.do("work_on_letters")
        time.sleep(0.1)


WAYS = ("sent_back", "arrived", "received", "in_progress", "done")
STEPS = {"sent_back": 1, "arrived": 0, "received": 1, "in_progress": 2, "done": 3}


def exchange(city, ward, count, record_property):
    numbers = [str(number) for number in range(1000, 1000 + count)]
    expected = [[number, WAYS[int(number) % len(WAYS)]] for number in numbers]
    city.office.do("issue_letters", first=1000, count=count // 2, to=WARD)
    until(lambda: len(ward.known()["letters"]) >= count // 4, city, ward)
    city.kill()
    city.office.do("issue_letters", first=1000 + count // 2, count=count - count // 2, to=WARD)
    until(lambda: len(ward.known()["letters"]) >= count * 3 // 4, city, ward)
    ward.kill()

    def settled():
        here, there = city.known(), ward.known()
        return here["letters"] == there["letters"] == expected and here["open"] == there["open"] == 0

    until(settled, city, ward)
    here, there = city.known(), ward.known()
    record_property("cut at the ward", f"{ward.relay.cuts} of {ward.relay.connections}")
    record_property("cut at the city", f"{city.relay.cuts} of {city.relay.connections}")

    assert (here["letters"], there["letters"]) == (expected, expected)
    assert (here["deliveries"], there["read_in"]) == (count, {"edoc": count})
    # 01 of every letter and one for each step after it, each read in once.
    assert here["told"] == {number: 1 + STEPS[state] for number, state in expected}
    assert there["deliveries"] == sum(here["told"].values())
    assert here["refused"] == there["refused"] == []
    assert min(city.relay.cuts, ward.relay.cuts) > 0
    for side in (city, ward):
        assert side.office.do("audit")["broken_at"] is None


def test_twenty_letters_and_their_states_cross_cut_connections_and_two_power_cuts(sides, record_property):
    exchange(*sides, 20, record_property)


@pytest.mark.slow
def test_two_hundred_letters_and_their_states_cross_cut_connections_and_two_power_cuts(sides, record_property):
    exchange(*sides, 200, record_property)
