# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E501 (lines of JavaScript)
"""Rows of docs/attacks.md as far as they meet the web edition, and days in which a warning shows in no request."""

import dataclasses
import hashlib
import random
import struct

import pytest
from tests.builders.liar import Liar
from tests.builders.venue import CITY_KEY, KID, link_of_payload, qr_text, signed_venue
from tests.builders.webedition import browsers, issue_code, publish_venue, web_city

from bluezone.protocol.blindrsa import blind_sign, generate
from bluezone.protocol.venues.codes import check_validity, read_venue_link, verify_venue_signature
from bluezone.refusal import Refused

pytestmark = pytest.mark.browser
HOUR = 3600
DAY = 24 * HOUR
PREPARE = "window.draft = await engine.prepareReport(x)"
SEND = "await engine.sendReport({visits: draft.visits.map(({id}) => id), consent: true})"


@pytest.fixture
def city(tmp_path):
    with web_city(tmp_path) as server:
        server.key_server.tick()
        yield server


@pytest.fixture
def patient(chromium, city):
    """A browser with a stay that can be reported, and whose next rehearsal is far off: what it uploads is a report."""
    poster = publish_venue(city)
    with browsers(chromium, city, "patient") as (browser,):
        browser.rehearse_later()
        browser.run("await engine.checkIn(x, {})", poster.link)
        browser.live(2 * HOUR)
        yield browser


def refusal(browser, script, argument=None):
    return browser.run(f"return refused(async () => {{ {script} }})", argument).get("refused")


def uploads(city):
    return sum(path == "/v1/upload" for path, _ in city.requests)


def mutated(rng, payload):
    """A venue code that somebody changed, cut, lengthened or made up."""
    kind = rng.randrange(7)
    place = rng.randrange(len(payload))
    if kind == 0:
        return payload[:place] + bytes([payload[place] ^ 1 << rng.randrange(8)]) + payload[place + 1 :]
    if kind == 1:
        return payload[:place]
    if kind == 2:
        return payload + rng.randbytes(rng.randrange(1, 40))
    if kind == 3:
        return payload[:place] + rng.randbytes(rng.randrange(1, 5)) + payload[place:]
    if kind == 4:
        return rng.randbytes(rng.randrange(400))
    if kind == 5:
        end = min(len(payload), place + rng.randrange(1, 30))
        return payload[:place] + payload[end:]
    return payload[:place] + rng.randbytes(rng.randrange(1, 9)) + payload[place + 8 :]


def python_says(link, now):
    try:
        venue = read_venue_link(link)
        verify_venue_signature(venue, {KID: CITY_KEY.public_key().public_bytes_raw()})
        check_validity(venue, (), now)
    except Refused as refused:
        return refused.code
    return "verified"


def test_row_24_ten_thousand_changed_venue_codes_are_never_verified_and_never_an_error(chromium, city):
    rng = random.Random(24)
    genuine = [
        signed_venue(),
        signed_venue(name="Ga", address="", temporary=True),
        signed_venue(name="Bệnh viện đa khoa tỉnh Bắc Kạn"),
    ]
    payloads = [venue.to_bytes() for venue in genuine]
    links = []
    while len(links) < 10_000:
        payload = rng.choice(payloads)
        changed = mutated(rng, payload)
        if changed not in payloads:
            link = link_of_payload(changed)
            if rng.randrange(10) == 0:
                place = rng.randrange(len(link))
                link = link[:place] + rng.choice("#/?=%ả\u200b\n\0A-_") + link[place:]
            links.append(link)
    # The text of a link may have been changed back into a genuine one only by spaces around it.
    links = [link for link in links if link.strip() not in {qr_text(venue) for venue in genuine}]
    with browsers(chromium, city, "visitor") as (visitor,):
        got = visitor.run(
            """
            const {openVenue} = await modules('venue');
            const rules = {keys: x.keys, revoked: [], now: x.now};
            const codes = [];
            for (const link of x.links) codes.push((await refused(() => openVenue(link, rules))).refused || 'verified');
            const genuine = await Promise.all(x.genuine.map((link) => refused(() => openVenue(link, rules))));
            return {codes, genuine: genuine.filter(({ok}) => ok).length};
            """,
            {
                "links": links,
                "keys": {str(KID): CITY_KEY.public_key().public_bytes_raw().hex()},
                "now": city.world.now,
                "genuine": [qr_text(venue) for venue in genuine],
            },
        )
        assert got["genuine"] == len(genuine)
        assert set(got["codes"]) == {"venue_code_unknown", "venue_foreign"}
        assert got["codes"] == [python_says(link, city.world.now) for link in links], "and Python says the same of each"
        assert len(links) > 9_900
        assert visitor.run("return engine.visits()") == []


@pytest.mark.parametrize("kid", [0, 999, 65_535])
def test_row_17_a_key_that_is_not_in_the_config_ends_the_report_before_the_code_is_used(city, patient, kid):
    code = issue_code(city)
    city.tamper = lambda path, body: body[:3] + struct.pack(">H", kid) + body[5:] if path == "/v1/verify" else body
    assert refusal(patient, PREPARE, code) == "week_key_untrusted"
    city.tamper = lambda path, body: body
    assert city.key_server.codes.status(code) == "open"
    assert uploads(city) == 0


def test_row_17_a_signature_of_another_key_is_noticed_and_nothing_is_uploaded_with_it(city, patient):
    tagging = generate()
    patient.run(PREPARE, issue_code(city))
    city.tamper = lambda path, body: (
        body[:4] + blind_sign(tagging, bytes(255) + b"\x05") + body[260:] if path == "/v1/verify" else body
    )
    assert refusal(patient, SEND) == "blind_signature_invalid"
    assert uploads(city) == 0
    city.tamper = lambda path, body: body
    patient.live(120)
    assert uploads(city) == 1
    assert patient.run("return (await engine.reportState()).state") == "sent"


def test_row_37_another_history_is_refused_and_what_is_held_stays(city, patient):
    liar = Liar(city)
    held = "return {config: (await engine.parts.city.held()).sha256, venues: await engine.parts.files.held()}"
    before, config = patient.run(held), liar.config()
    for told in [
        dataclasses.replace(config, number=config.number + 1, history=("0" * 64,), hotline="0900 000 000"),
        dataclasses.replace(config, hotline="0900 000 000"),
    ]:
        liar.show("/v1/config", liar.sign(told))
        assert refusal(patient, "await engine.check()") == "config_history_differs"
        assert patient.run(held) == before


def test_a_config_without_a_health_hotline_is_refused(city, patient):
    from bluezone.protocol.signed.config import encode_config
    from bluezone.protocol.signed.envelope import sign_payload

    liar = Liar(city)
    payload = encode_config(dataclasses.replace(liar.config(), number=liar.config().number + 1)).replace(
        b'"hotline":"0209 3870 000"', b'"hotline":" "'
    )
    liar.show("/v1/config", sign_payload("config", payload, city.key_server.secrets.signing_key))
    assert refusal(patient, "await engine.check()") == "config_invalid"
    assert patient.run("return (await engine.state()).city.hotline") == "0209 3870 000"


def tagged(city, liar, days_before: int, **changes: object):
    """The next config, with a key that marks one browser, used from so many days after now; signed, and that day."""
    config, use_from = liar.config(), int(city.world.now) + days_before * 86_400
    genuine = next(key for key in config.week_keys if key.purpose == "upload" and key.klass == 1)
    tagging = dataclasses.replace(
        genuine, kid=4242, n=generate().n, use_from=use_from, accept_until=use_from + 14 * 86_400, announced_at=0
    )
    told = {
        "number": config.number + 1, "generated_at": int(city.world.now), "week_keys": (*config.week_keys, tagging),
        "history": (*config.history, hashlib.sha256(liar.payload()).hexdigest()),
    }  # fmt: skip
    return liar.sign(dataclasses.replace(config, **told | changes)), use_from


TRUSTS = "await engine.parts.city.requireTrusted(4242, 1, x)"


@pytest.mark.parametrize(("days_before", "accepted"), [(0, False), (6, False), (8, True)])
def test_row_37_a_week_key_not_seen_seven_days_ahead_aborts_the_report(city, patient, days_before, accepted):
    signed, use_from = tagged(city, Liar(city), days_before)
    city.tamper = lambda path, body: signed if path == "/v1/config" else body
    patient.run("await engine.parts.city.update()")
    assert refusal(patient, TRUSTS, use_from + 1) == "week_key_untrusted", "a week has not passed"
    patient.run("sim.now += x", days_before * 86_400 + 1)

    assert refusal(patient, TRUSTS, use_from + 1) == (None if accepted else "week_key_untrusted")


@pytest.mark.parametrize(("changes", "code"), [
    ({"number": 61, "history": ("ab" * 32,) * 50}, "config_gap"),
    ({"generated_at": 1_700_000_000}, "config_rolled_back"),
])  # fmt: skip
def test_row_37_a_number_far_ahead_or_an_earlier_time_is_refused_and_the_state_stays(city, patient, changes, code):
    signed, use_from = tagged(city, Liar(city), 0, **changes)
    city.tamper = lambda path, body: signed if path == "/v1/config" else body
    held = patient.run("return (await engine.parts.city.held()).sha256")

    assert refusal(patient, "await engine.parts.city.update()") == code
    assert patient.run("return (await engine.parts.city.held()).sha256") == held
    assert refusal(patient, TRUSTS, use_from + 1) == "week_key_untrusted"


def test_an_owner_who_has_compared_the_key_begins_anew_and_visits_stay(city, patient):
    signed, _ = tagged(city, Liar(city), 0, number=61, history=("ab" * 32,) * 50)
    city.tamper = lambda path, body: signed if path == "/v1/config" else body
    held = patient.run("return (await engine.visits()).length")

    assert patient.run("return (await engine.beginAnew()).city.key") == city.trust()
    assert patient.run("return (await engine.parts.city.held()).number") == 61
    assert patient.run("return (await engine.visits()).length") == held
    assert patient.run("return (await engine.parts.files.held())") is None


RECORD = """
    window.wire = [];
    environment.fetch = async (address, options) => {
      const entry = [sim.now, options.method, new URL(address).pathname, options.body ? options.body.length : 0];
      const response = await fetch(address, options);
      wire.push([...entry, (await response.clone().arrayBuffer()).byteLength]);
      return response;
    };
    let seed = x;
    environment.random = () => {
      seed = (seed + 0x6d2b79f5) | 0;
      let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    };
"""


def test_row_16_a_report_and_a_rehearsal_make_the_same_calls_of_the_same_sizes(city, patient):
    patient.run("await engine.close()")
    patient.run(RECORD, 16)
    patient.engine()
    patient.run("wire.length = 0")
    patient.run(PREPARE, issue_code(city))
    patient.run("return (await engine.previewReport({visits: draft.visits.map(({id}) => id)})).items.length")
    patient.run(SEND)
    report = [entry[1:] for entry in patient.run("return wire.splice(0)")]
    patient.run(
        "await engine.parts.store.write({chaff: {next: sim.now, pending: null, played: 0}}); await engine.errands.tick(); await passBy(3600)"
    )
    rehearsal = [entry[1:] for entry in patient.run("return wire")]

    assert report == [
        ["POST", "/v1/verify", 1024, 1024], ["POST", "/v1/verify", 1024, 1024], ["POST", "/v1/upload", 4096, 1024],
    ]  # fmt: skip
    assert rehearsal == report
    assert patient.run("return (await engine.sentLog()).chaff") == 1
    stored = city.key_server.keys_store.read("SELECT COUNT(*) FROM waiting_item")[0][0]
    assert stored == len(patient.run("return (await engine.parts.visits.all())[0].keys && [1, 2]")), (
        "a rehearsal leaves nothing"
    )


def test_the_time_of_the_next_rehearsal_survives_a_kill_and_a_month_away_makes_up_for_none(city, patient):
    patient.run("await engine.parts.store.write({chaff: {next: sim.now + 10 * 86_400, pending: null, played: 0}})")
    drawn = patient.run("return engine.parts.store.get('chaff')")
    assert drawn["next"] > patient.run("return sim.now")
    patient.reload()
    assert patient.run("return engine.parts.store.get('chaff')") == drawn
    patient.run("await engine.close()")
    city.world.pass_by(30 * 86_400)
    city.key_server.tick()
    patient.run("sim.now = x; environment.exponential = () => 5", city.world.now)
    city.requests.clear()
    patient.engine()
    patient.run("await passBy(240)")
    assert sum(path == "/v1/upload" for path, _ in city.requests) <= 1
    assert sum(path == "/v1/verify" for path, _ in city.requests) == 2
    assert patient.run("return (await engine.sentLog()).chaff") == 1


@pytest.mark.parametrize("days", [2, pytest.param(7, marks=pytest.mark.slow)])
def test_for_days_a_warned_and_an_unwarned_browser_make_the_same_requests_of_the_same_sizes_at_the_same_times(
    chromium, tmp_path, days
):
    with web_city(tmp_path, publish_period_seconds=7200, padding_mean=0) as city:
        city.key_server.tick()
        poster = publish_venue(city)
        with browsers(chromium, city, "patient") as (patient,):
            patient.run("await engine.checkIn(x, {})", poster.link)
            with browsers(chromium, city, "warned", "unwarned") as (warned, unwarned):
                for browser in (warned, unwarned):
                    browser.run("await engine.erase(); await engine.close()")
                    browser.run(RECORD, 7)
                    browser.engine()
                    browser.run("await engine.start({}); await engine.began")
                    if days < 7:  # in which it need not be drawn
                        browser.rehearse_in(DAY)
                warned.run("await engine.checkIn(x, {})", poster.link)
                patient.live(3 * HOUR)
                patient.run(PREPARE, issue_code(city))
                patient.run(SEND)
                patient.run("await engine.close()")
                for browser in (warned, unwarned):
                    browser.run("await passBy(x - sim.now)", city.world.now)
                for _ in range(days * 24):
                    for browser in (warned, unwarned):
                        browser.run("await passBy(x - sim.now)", city.world.now + HOUR)
                    city.world.pass_by(HOUR)
                    city.key_server.tick()
                states = [browser.run("return (await engine.state()).state") for browser in (warned, unwarned)]
                wires = [browser.run("return wire") for browser in (warned, unwarned)]

        assert states == ["D", "A"]
        assert wires[0] == wires[1]
        assert len(wires[0]) > days * 24, "one package an hour at least"
        assert sum(path == "/v1/upload" for _, _, path, _, _ in wires[0]) >= 1, "rehearsals are among them"
