# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E501 (lines of JavaScript)
"""Rows 55 to 60 of docs/attacks.md in the web edition, and a browser that goes on after its city lost its records."""

import dataclasses
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.builders.epochs import RECOVERY, set_recovery_key
from tests.builders.liar import Liar
from tests.builders.webedition import browsers, web_city

from bluezone.protocol.signed.epoch import Branch, sign_epoch

pytestmark = pytest.mark.browser
HELD = "return [(await engine.parts.city.held()).sha256, await engine.parts.files.held(), (await engine.parts.city.epoch()).number]"


def refusal(browser):
    told = browser.run("return refused(() => engine.check())")
    return told.get("refused"), told.get("details", {}).get("why")


@pytest.fixture
def city(tmp_path):
    with web_city(tmp_path, publish_period_seconds=7200) as server:
        set_recovery_key(tmp_path)
        for _ in range(3):
            server.key_server.tick()
            server.world.pass_by(3600)
        yield server


def test_rows_55_to_60_a_browser_goes_along_with_an_honest_epoch_and_with_no_other(chromium, city):
    liar, stranger = Liar(city), Ed25519PrivateKey.generate()
    epoch = liar.epoch()
    with browsers(chromium, city, "phone") as (phone,):
        phone.run("await engine.check()")
        before = phone.run(HELD)
        assert before[1]["number"] == 3

        def of(kind, **changes):
            return dataclasses.replace(epoch, **{kind: dataclasses.replace(epoch.branch(kind), **changes)})

        lies = [
            ([epoch], stranger, {}, ("signature_untrusted", None)),
            ([dataclasses.replace(epoch, number=2)], RECOVERY, {}, ("epoch_refused", "number")),
            ([of("venues", first=3, ancestor=0, head="0" * 64)], RECOVERY, {}, ("epoch_refused", "rolled_back")),
            ([of("config", head="ab" * 32)], RECOVERY, {}, ("epoch_refused", "ancestor")),
            ([of("venues", head="ab" * 32)], RECOVERY, {}, ("epoch_refused", "ancestor")),
            ([epoch], RECOVERY, {"declaration_key": "cd" * 32}, ("epoch_refused", "new_key")),
            ([epoch], RECOVERY, {"venue_keys": {"1": "ab" * 32}}, ("epoch_refused", "new_key")),
            ([epoch], RECOVERY, {"week_keys": (dataclasses.replace(liar.config().week_keys[0], announced_at=1, week="2026-W01"),)}, ("epoch_refused", "new_key")),
        ]  # fmt: skip
        for epochs, signer, changes, why in lies:
            liar.show_epoch(epochs, signer, **changes)
            assert refusal(phone) == why, (epochs, changes)
            assert phone.run(HELD) == before

        # A browser is no way around it either: an index that leaves out what follows.
        liar.server.tamper = lambda path, body: (
            liar.changed_index(body, number=50, entries=(), chain_before="ab" * 32)
            if path == "/v1/venues/index.json" else body
        )  # fmt: skip
        assert refusal(phone) == ("index_history_differs", None)
        assert phone.run(HELD) == before

        liar.show_epoch([epoch], RECOVERY)
        phone.run("await engine.check()")
        assert phone.run(HELD)[1]["number"] == 99_999
        assert phone.run("return (await engine.state()).notice") == "epoch_began"

        held = phone.run("return [(await engine.parts.city.held()).number, (await engine.parts.city.held()).sha256]")
        second = dataclasses.replace(
            epoch, number=2, config=Branch(200_000, *held), exports=dataclasses.replace(epoch.exports, first=200_000),
            venues=Branch(200_000, 99_999, epoch.venues.head),
        )  # fmt: skip
        liar.show_epoch([epoch, second], RECOVERY)
        assert refusal(phone) == ("epoch_refused", "too_soon")
        liar.server.tamper = lambda path, body: body
        assert refusal(phone) == ("config_rolled_back", None)


def test_a_browser_reads_the_records_of_the_vectors(chromium, city, vectors):
    document = json.loads((vectors / "epoch.json").read_text())
    with browsers(chromium, city, "phone") as (phone,):
        read = """
            const {openEpoch} = await modules('epoch');
            return Promise.all(x.cases.map(({record}) => openEpoch(record, {key: x.recovery_key_hex, first: true, at: 0}, 0)));
        """
        got = phone.run(read, document)
    told = [{**{k: v for k, v in one.items() if k != "openedAt"}, "opened_at": one["openedAt"]} for one in got]
    assert told == [case["epoch"] for case in document["cases"]]


def test_a_browser_looks_through_what_was_published_before_an_epoch_once_more_and_takes_what_comes_after(
    chromium, city
):
    key_server = city.key_server
    with browsers(chromium, city, "phone") as (phone,):
        phone.run("await engine.check()")
        record = sign_epoch(key_server.ticks.propose_epoch({}, []), RECOVERY)
        key_server.ticks.open_epoch(record, [])
        city.world.pass_by(3600)
        key_server.tick()
        city.requests.clear()
        phone.run("sim.now = x; await engine.check()", city.world.now)

        names = [path.rsplit("/", 1)[-1].partition("-")[0] for path, _ in city.requests if path.endswith(".bin")]
        assert names == ["1", "2", "3", "100000"]
        held = phone.run(HELD)
        assert (held[1]["number"], held[1]["rescan"], held[2]) == (100_000, False, 1)
        city.world.pass_by(3600)
        key_server.tick()
        phone.run("sim.now = x; await engine.check()", city.world.now)
        assert phone.run(HELD)[1]["number"] == 100_001
