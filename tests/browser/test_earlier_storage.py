# SPDX-License-Identifier: Apache-2.0
"""What the pages of 63c4e645 have stored in browsers is read by those of today, and what waited is sent.

`serve` runs under faketime at the moment of the archives, and so do the clocks of the pages.
"""

import time

import pytest
from tests.builders.androidphone import wait_for
from tests.builders.gatephone import GatePhone, sums
from tests.builders.releases import BEFORE, browser, facts, moment, upgraded
from tests.releases import browserstorage

pytestmark = pytest.mark.browser
STATE = """async (cityKey) => {
  const { open } = await (await import('/app/opening.js')).$load('engine/web/engine.js');
  const engine = await open({ cityKey, base: null });
  return { report: await engine.reportState(), sent: await engine.sentLog(), stays: (await engine.visits()).length };
}"""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with upgraded(BEFORE, tmp_path_factory.mktemp("upgraded")) as running:
        yield running


def test_a_tablet_s_page_shows_and_sends_what_it_counted_without_a_network(served, chromium, tmp_path):
    phone = GatePhone(chromium, served.public)
    phone.page.goto(f"{served.public}/v1/health/live")
    browserstorage.restore(phone.page, browser(BEFORE, "gate-tablet", tmp_path / "browsers"))
    phone.page.evaluate("ahead => localStorage.setItem('ahead', ahead)", str(moment(BEFORE) - time.time()))
    gate = facts(BEFORE)["tablet_gate"]
    assert sums(served.data, gate) == {"no_smartphone": 2}
    phone.page.goto(f"{served.public}/gate/")
    phone.page.wait_for_selector(".gate-code svg")
    phone.inside(4)
    phone.send()
    assert sums(served.data, gate) == {"no_smartphone": 5, "out": 1}
    phone.close()


def test_a_web_edition_sends_the_report_that_was_cut_off(served, chromium, tmp_path):
    context = chromium.new_context()
    context.clock.set_system_time(moment(BEFORE))
    page = context.new_page()
    page.goto(f"{served.public}/v1/health/live")
    browserstorage.restore(page, browser(BEFORE, "web-edition", tmp_path / "browsers"))
    page.goto(f"{served.public}/app/")
    page.wait_for_selector("#status", state="attached")
    key = facts(BEFORE)["city_key"]
    wait_for(lambda: page.evaluate(STATE, key)["report"]["state"] == "sent")
    state = page.evaluate(STATE, key)
    uploads = [one["outcome"] for one in state["sent"]["own"] if one["what"] == "visits_sent"]
    assert uploads[0] == "not_reached"
    assert (uploads[-1], uploads.count("accepted")) == ("accepted", 1)
    assert state["stays"] == 1
    context.close()
