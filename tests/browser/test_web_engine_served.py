# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E501 (lines of JavaScript)
"""The whole way with a real `serve` on SQLite: code, poster, stay, report from the web edition, package, warning."""

import json
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from tests.builders.serving import BLUEZONE, HOTLINE, serving
from tests.builders.webedition import HELP

from bluezone.city_settings import write_default

pytestmark = pytest.mark.browser
# The browser's clock is moved to three hours ago for the stay alone; server and files keep real time.
EARLIER = """
    const {clock} = engine.parts;
    const now = clock.now.bind(clock);
    // Not across midnight in the city, or there would be a warning for each day.
    const day = (moment) => Math.floor((moment + 7 * 3600) / 86400);
    let moment = now() - 3 * 3600;
    if (day(moment) !== day(moment + 45 * 60)) moment -= 3600;
    clock.now = () => moment;
    const visit = await engine.checkIn(x, {remember: true});
    moment += 45 * 60;
    await engine.checkOut(visit.id);
    delete clock.now;
"""
OPEN = "const {open} = await modules('engine'); window.engine = await open({cityKey: x, base: null, database: 'beside'}); await engine.start({}); await engine.began"


def bluezone(data, *arguments):
    told = subprocess.run([BLUEZONE, *arguments, "--data", data, "--json"], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    return json.loads(told.stdout)


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    """A city that publishes at once and does not wait; everything else is as `serve` makes it."""
    data = tmp_path_factory.mktemp("served") / "data"
    data.mkdir()
    quick = {"publish_period_seconds": 0, "verify_to_upload_seconds": 0, "padding_mean": 1}
    write_default(data, name_vi="Bắc Kạn", name_en="Bac Kan", hotline=HOTLINE, **quick)
    with serving(data) as running:
        yield running


class Profile:
    """A browser profile with the app itself open, as it is served, and an engine of the test in the same page."""

    def __init__(self, chromium, city):
        self.context = chromium.new_context()
        self.page = self.context.new_page()
        self.page.add_init_script(HELP)
        self.trouble = []
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        self.page.on(
            "console", lambda said: self.trouble.append(said.text) if "Content Security Policy" in said.text else None
        )
        self.page.on("request", lambda asked: asked.url.startswith(city.public) or self.trouble.append(asked.url))
        self.page.goto(city.public + "/app/")
        self.run(OPEN, self.page.evaluate("document.body.dataset.cityKey"))

    def run(self, script, argument=None):
        return self.page.evaluate(f"async (x) => {{ {script} }}", argument)


def test_a_case_reports_a_stay_from_the_web_edition_and_another_browser_is_warned_for_it(chromium, city):
    poster = bluezone(city.data, "venues", "code", "--registration", "1", "--name", "Chợ Bắc Kạn", "--address", "Tổ 1")
    onset = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    code = bluezone(city.data, "codes", "issue", "--class", "confirmed", "--onset", onset)["code"]
    patient, near, elsewhere = (Profile(chromium, city) for _ in range(3))

    for profile in (patient, near):
        profile.run(EARLIER, poster["link"])
    told = patient.run(
        """
        const draft = await engine.prepareReport(x);
        const visits = draft.visits.map(({id}) => id);
        const preview = await engine.previewReport({visits});
        return {class: draft.class, items: preview.items.length, state: (await engine.sendReport({visits, consent: true})).state};
        """,
        code,
    )
    assert (told["class"], told["state"]) == ("confirmed", "sent")
    assert told["items"] >= 1
    assert bluezone(city.data, "codes", "status", code)["state"] == "used"

    look = """
        for (let look = 0; look < 60; look += 1) {
          await engine.check();
          if ((await engine.state()).warnings.length) break;
          await new Promise((resolve) => setTimeout(resolve, 500));
        }
        return engine.state();
    """
    warned = near.run(look)
    assert (warned["state"], len(warned["warnings"])) == ("D", 1)
    warning = warned["warnings"][0]
    assert (warning["kind"], warning["label"], warning["minutesBand"], warning["certainty"]) == (
        "venue",
        "Chợ Bắc Kạn",
        ">30",
        "likely",
    )
    assert warned["city"]["hotline"] == HOTLINE
    assert elsewhere.run("await engine.check(); return engine.state()")["state"] == "A"
    assert patient.run("await engine.check(); return engine.state()")["state"] == "A", (
        "a stay that was reported does not warn its owner"
    )
    for profile in (patient, near, elsewhere):
        assert profile.trouble == []
        profile.context.close()


def test_the_app_as_it_is_served_works_without_a_network_after_its_first_load(chromium, city):
    profile = Profile(chromium, city)
    profile.run(
        """
        await navigator.serviceWorker.ready;
        while (!navigator.serviceWorker.controller) await new Promise((resolve) => setTimeout(resolve, 20));
        """
    )
    profile.context.set_offline(True)
    profile.page.reload()
    profile.run(OPEN, profile.page.evaluate("document.body.dataset.cityKey"))
    profile.page.wait_for_function("() => document.querySelectorAll('h1').length === 1")
    assert profile.run("return (await engine.state()).city.hotline") == HOTLINE
    assert profile.run("return refused(() => engine.check())")["refused"] == "offline"
    assert [said for said in profile.trouble if "Content Security" in said] == []
    profile.context.close()


def test_a_request_for_help_gets_a_ticket_and_the_same_again_is_the_same_one(chromium, city):
    profile = Profile(chromium, city)
    ask = "return engine.askForHelp({contact: '0912345678', place: 'Tổ 4, phường Sông Cầu', note: 'Không cài được'})"
    first = profile.run(ask)
    assert first["ticket"]
    lost = profile.run(
        """
        const real = engine.parts.environment.fetch;
        engine.parts.environment.fetch = async (...told) => { await real(...told); throw new TypeError('lost'); };
        const body = {contact: '0912345679', place: 'Chợ', note: ''};
        const answer = await refused(() => engine.askForHelp(body));
        engine.parts.environment.fetch = real;
        return [answer, await engine.askForHelp(body), (await engine.sentLog()).own.map(({what, outcome}) => [what, outcome])];
        """
    )
    assert lost[0]["refused"] == "offline"
    assert lost[1]["ticket"] != first["ticket"]
    assert lost[2] == [["help_asked", "accepted"], ["help_asked", "not_reached"], ["help_asked", "accepted"]]
    assert len(bluezone_tickets(city.data)) == 2
    profile.context.close()


def bluezone_tickets(data):
    import sqlite3

    with sqlite3.connect(data / "office.sqlite3") as office:
        table = next(
            name
            for (name,) in office.execute(
                "SELECT name FROM sqlite_master WHERE name LIKE '%helprequest%' AND type = 'table'"
            )
        )
        return office.execute(f"SELECT id FROM {table}").fetchall()


def test_a_puzzle_of_a_server_that_was_guessed_at_is_solved_and_a_valid_code_still_goes(chromium, city):
    """docs/attacks.md row 4, as the browser meets it: ten wrong codes from this network, then a right one."""
    onset = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    poster = bluezone(city.data, "venues", "code", "--registration", "2", "--name", "Bến xe", "--address", "")
    code = bluezone(city.data, "codes", "issue", "--class", "clinical", "--onset", onset)["code"]
    profile = Profile(chromium, city)
    profile.run(EARLIER, poster["link"])
    got = profile.run(
        """
        const {dammDigit} = await modules('codes');
        const wrong = Array.from({length: 12}, (_, n) => { const digits = '9' + String(n).padStart(10, '0'); return digits + dammDigit(digits); });
        const codes = [];
        for (const one of wrong) codes.push((await refused(() => engine.prepareReport(one))).refused);
        window.puzzles = 0;
        const {solve} = engine.parts.plays;
        engine.parts.plays.solve = (challenge) => { window.puzzles += 1; return solve(challenge); };
        const draft = await engine.prepareReport(x);
        return {codes, class: draft.class, puzzles: window.puzzles};
        """,
        code,
    )
    assert set(got["codes"]) == {"code_wrong"}
    assert got["class"] == "clinical"
    assert got["puzzles"] >= 1
    profile.context.close()
