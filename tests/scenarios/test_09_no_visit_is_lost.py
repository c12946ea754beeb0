# SPDX-License-Identifier: Apache-2.0
"""Scenario 9: "Canvasser leases turf of 120 doors, airplane mode 2 days, 120 visits with photos, kill -9 of the browser
mid-way: no visit lost; sync after server restart; duplicate push gives no duplicate; another canvasser cannot pull the
same doors." A real `serve`, and a real Chromium whose profile lies on the disk.
"""

import json
import os
import signal
import urllib.error
import urllib.request

import pytest
from tests.builders.canvassing import ask, canvassing
from tests.builders.canvassphone import KillablePhone, call, wait_until
from tests.builders.serving import RestartableServer

# Three starts of a server and two of a browser: most of a minute of one core.
pytestmark = [pytest.mark.browser, pytest.mark.field, pytest.mark.slow]
DOORS, BY_HAND = 120, 3


@pytest.fixture
def server(tmp_path):
    found = RestartableServer(tmp_path / "served")
    found.begin()
    yield found
    found.end()


@pytest.fixture
def phone(tmp_path, server):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = KillablePhone(playwright, tmp_path / "profile", server.origin)
        found.open()
        yield found
        found.close()


def visits(server):
    return ask(server.data, "select key, door from canvass_visit")


def test_visits_with_photos_survive_days_offline_a_killed_browser_and_a_server_that_restarts(server, phone):
    told = canvassing(server.data, doors=DOORS, phones=["Máy 1", "Máy 2"])
    doors, turf = told["doors"], told["turf"]
    phone.connect(told["phones"][0]["code"])
    assert phone.page.locator("#doors a").count() == DOORS
    token = phone.me()["token"]

    # The network is gone; the app opens all the same, and keeps what is entered.
    server.end()
    for door in doors[:BY_HAND]:
        phone.visit(door, "leaflet")
    assert "Mất mạng" in phone.page.inner_text("#sync")
    _enter_until_killed(phone, doors[BY_HAND:], turf)
    confirmed = set(phone.kept)
    phone.open()
    phone.show()
    phone.page.wait_for_selector("#doors a")
    waiting = phone.waiting()
    assert confirmed <= {entry["id"] for entry in waiting}, "a visit that was said to be kept is gone"
    assert [entry["number"] for entry in waiting] == list(range(1, len(waiting) + 1))
    entered = {entry["door"] for entry in waiting}
    phone.enter([door for door in doors if door not in entered], turf)
    all_of_them = phone.waiting()
    assert {entry["door"] for entry in all_of_them} == set(doors)

    # The server comes back, is killed while the phone sends, and comes back again.
    server.begin()
    phone.show("/backlog")
    phone.page.click("#send")
    wait_until(lambda: len(visits(server)) > 0)
    server.end(signal.SIGKILL)
    _end_children_of(server)
    server.begin()
    phone.show("/backlog")
    phone.page.click("#send")
    phone.page.wait_for_selector("#sync .ok", timeout=120_000)

    assert len(visits(server)) == len(all_of_them)
    assert {door.replace("-", "") for door in doors} == {door for _key, door in visits(server)}
    pictures = len(all_of_them) - BY_HAND
    assert ask(server.data, "select count(*) from canvass_photo") == [(pictures,)]
    # Sent once more, by somebody whose answer was lost: nothing is doubled.
    run = {"run": "00000001", "form": 1, "last_number": 0}
    again = call(server.origin, token, {**run, "entries": all_of_them})
    assert {one["state"] for one in again["verdicts"]} == {"known"}
    assert len(visits(server)) == len(all_of_them)
    _another_canvasser_gets_nothing(server, told, all_of_them[0], run)


def _enter_until_killed(phone, doors, turf):
    """Enter visits, and SIGKILL the browser when a third of them is on the disk."""
    from playwright.sync_api import Error

    def kill(message):
        if message.text.startswith("kept ") and len(phone.kept) >= len(doors) // 3 and phone.process.poll() is None:
            os.killpg(phone.process.pid, signal.SIGKILL)

    phone.page.on("console", kill)
    with pytest.raises(Error):
        phone.enter(doors, turf)
    phone.process.wait()
    assert len(doors) // 3 <= len(phone.kept) < len(doors), "killed in the middle"


def _end_children_of(server):
    """`serve` was killed; its own processes end with it (web/lifeline.py)."""
    wait_until(lambda: not server.answers())


def _another_canvasser_gets_nothing(server, told, entry, run):
    request = urllib.request.Request(
        f"{server.origin}/v1/devices/enrol", json.dumps({"code": told["phones"][1]["code"]}).encode(),
        {"Content-Type": "application/json"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=120) as answer:
        token = json.load(answer)["token"]
    theirs = {**entry, "id": "01890000-0000-7000-8000-000000000001"}
    told = call(server.origin, token, {**run, "entries": [theirs]})
    assert (told["lists"], told["ended"]) == ([], [])
    assert [(one["state"], one["reason"]) for one in told["verdicts"]] == [("aside", "wrong_turf")]
