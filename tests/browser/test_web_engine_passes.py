# SPDX-License-Identifier: Apache-2.0
"""Passes that the web edition makes: tokens of a real key server, judged by a gate in Python."""

import json

import pytest
from tests.builders.webedition import browsers, issue_code, publish_venue, web_city

from bluezone.edge.gate.check import Finding, GateCheck
from bluezone.protocol.gate import base45
from bluezone.protocol.gate.passes import PassB, read_pass, screen_text

pytestmark = pytest.mark.browser
SHOW = "return refused(() => engine.showPass({screen: x}))"


@pytest.fixture
def city(tmp_path):
    with web_city(tmp_path) as server:
        server.key_server.tick()
        yield server


@pytest.fixture
def gate(city):
    keys = city.key_server.secrets.week_keys.announced_keys
    return GateCheck(b"gate", lambda: keys(city.world.now), lambda: city.world.now, lambda: city.world.now)


def shown(browser, gate):
    return browser.run(SHOW, screen_text(gate.challenges().screen))


def posts(city):
    return [path for path, _size in city.requests if path == "/v1/tokens"]


def test_a_browser_buys_tokens_once_and_each_pass_is_good_once(chromium, city, gate):
    with browsers(chromium, city, "visitor") as (browser,):
        first = shown(browser, gate)["ok"]
        browser.live(61)
        second = shown(browser, gate)["ok"]

    assert (first["kind"], first["seconds"]) == ("B", 60)
    assert gate.judge(first["text"]) is Finding.EXPIRED, "the gate has changed its screen since"
    assert [gate.judge(second["text"]) for _ in range(2)] == [Finding.FRESH, Finding.USED]
    assert len(posts(city)) == 2, "one puzzle and its answer for twenty passes"


def test_a_pass_claims_no_bluetooth_and_two_passes_share_nothing(chromium, city, gate):
    with browsers(chromium, city, "visitor") as (browser,):
        passes = [read_pass(shown(browser, gate)["ok"]["text"]) for _ in range(2)]

    assert all(isinstance(one, PassB) and not one.state for one in passes)
    for name in ("session", "opk", "token", "signature"):
        assert getattr(passes[0], name) != getattr(passes[1], name)


def test_without_a_network_the_tokens_that_are_held_still_open_the_gate(chromium, city, gate):
    with browsers(chromium, city, "visitor") as (browser,):
        shown(browser, gate)
        browser.live(61)
        browser.context.set_offline(True)
        text = shown(browser, gate)["ok"]["text"]

    assert gate.judge(text) is Finding.FRESH


def test_without_tokens_and_network_there_is_a_refusal_and_no_pass(chromium, city, gate):
    with browsers(chromium, city, "visitor") as (browser,):
        # Without the service worker, which keeps every module.
        browser.run('await modules("passes")')
        browser.context.set_offline(True)
        told = shown(browser, gate)

    assert told["refused"] in ("offline", "no_tokens")


def test_row_30_the_third_pass_within_a_minute_is_not_offered(chromium, city, gate):
    with browsers(chromium, city, "visitor") as (browser,):
        told = [shown(browser, gate) for _ in range(3)]

    assert [sorted(one) for one in told] == [["ok"], ["ok"], ["details", "refused"]]
    assert told[2]["refused"] == "pass_too_soon"
    assert told[2]["details"]["seconds"] == 60


@pytest.mark.parametrize("text", ["", "BZGQ:", "BZGQ:AAA", "https://example.org", "BZG1:0000", "BZGQ:" + "0" * 21])
def test_what_is_no_gates_screen_is_refused_and_costs_no_token(chromium, city, text):
    with browsers(chromium, city, "visitor") as (browser,):
        assert browser.run(SHOW, text)["refused"] == "gate_screen_unknown"
    assert posts(city) == []


def test_next_weeks_tokens_are_there_before_monday(chromium, city, gate):
    days = 4  # the city's clock begins on a Wednesday noon; on Sunday noon the next week is a day away
    with browsers(chromium, city, "visitor") as (browser,):
        browser.live(days * 86_400)
        city.key_server.tick()
        browser.run("await engine.check()")
        shown(browser, gate)
        browser.live(86_400)
        browser.context.set_offline(True)
        city.key_server.tick()
        text = shown(browser, gate)["ok"]["text"]

    assert gate.judge(text) is Finding.FRESH


def test_base45_is_the_same_in_both_engines(chromium, city):
    cases = [b"", b"A", b"AB", b"Hello!!", bytes(range(256)), b"\xff\xff", b"\xff"]
    with browsers(chromium, city, "visitor") as (browser,):
        told = browser.run(
            """
            const {base45, fromBase45} = await modules("base45");
            const {hex} = await modules("bytes");
            const there = (text) => base45(bytes(text));
            return x.map((text) => [there(text), hex(fromBase45(there(text)))]);
            """,
            [case.hex() for case in cases],
        )
        refused = browser.run(
            'const {fromBase45} = await modules("base45"); return x.map((text) => fromBase45(text))',
            ["A", "GGW", ":::", "::", "abc", "ĐÃ1"],
        )

    assert told == [[base45.encode(case), case.hex()] for case in cases]
    assert json.dumps(refused) == json.dumps([None] * 6)


def test_a_gate_sees_the_same_pass_of_a_warned_a_reported_and_any_other_browser(chromium, city, gate):
    poster = publish_venue(city)
    with browsers(chromium, city, "patient", "near", "other") as (patient, near, other):
        for browser in (patient, near):
            browser.run("return engine.checkIn(x, {remember: false})", poster.link)
        patient.live(2 * 3_600)
        for browser in (near, other):
            browser.run("await passBy(x)", 2 * 3_600)
        patient.run(
            """
            const {visits: offered} = await engine.prepareReport(x);
            const visits = offered.map(({id}) => id);
            await engine.previewReport({visits});
            await engine.sendReport({visits, consent: true});
            """,
            issue_code(city),
        )
        city.world.pass_by(3_600)
        city.key_server.tick()
        for browser in (patient, near, other):
            browser.run("sim.now = x; await engine.check()", city.world.now)
        warned = [bool(browser.run("return engine.state()")["warnings"]) for browser in (patient, near, other)]
        texts = [shown(browser, gate)["ok"]["text"] for browser in (patient, near, other)]

    assert warned == [False, True, False]
    passes_shown = [read_pass(text) for text in texts]
    # Everything else in a pass is drawn anew for each, or signs what was drawn.
    assert (
        len(
            {
                (one.state, one.step, one.kid, one.challenge, len(text))
                for one, text in zip(passes_shown, texts, strict=True)
            }
        )
        == 1
    )
    assert [gate.judge(text) for text in texts] == [Finding.FRESH] * 3
