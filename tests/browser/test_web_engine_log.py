# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E501 (lines of JavaScript)
"""Rows 17 and 37 in the web edition of a city that is watched: what one browser alone is shown has no cosignatures."""

import json
from pathlib import Path

import pytest
from tests.attacks.test_row_37_public_log import MINE, next_config, private_proof
from tests.attacks.test_row_59_epoch_with_new_keys import another
from tests.builders.epochs import RECOVERY, set_recovery_key
from tests.builders.liar import Liar
from tests.builders.webedition import browsers, web_city
from tests.builders.witnesses import NAMES, watching

from bluezone.protocol.signed.epoch import sign_epoch
from bluezone.transparency.leaves import city_keys_leaf, epoch_leaf, policy_leaf
from bluezone.transparency.merkle import leaf_hash
from bluezone.transparency.notes import Checkpoint, log_key, sign_checkpoint
from bluezone.transparency.watch import encode_policy, encode_record

pytestmark = pytest.mark.browser
HELD = "return [(await engine.parts.city.held()).sha256, await engine.parts.files.held(), (await engine.parts.city.epoch()).number]"
STATE = "const {notice, city} = await engine.state(); return {notice, ...city}"
VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "transparency.json").read_text("utf-8"))


@pytest.fixture
def watchmen(tmp_path):
    with (
        web_city(tmp_path / "city", publish_period_seconds=7200) as server,
        watching(server, server.world, tmp_path / "witnesses") as watchmen,
    ):
        set_recovery_key(tmp_path / "city")
        for _ in range(3):
            watchmen.go_round()
            server.world.pass_by(3600)
        watchmen.go_round()
        yield watchmen


def show(watchmen, bodies):
    watchmen.server.tamper = lambda path, real: bodies.get(path, real)


def refused(browser):
    before = browser.run(HELD)
    code = browser.run("return (await refused(() => engine.check())).refused")
    assert browser.run(HELD) == before
    return code


def proof_at(content):
    return f"/v1/log/proof/{leaf_hash(content).hex()}"


def test_row_37_a_browser_in_a_watched_city_takes_what_a_quorum_has_signed_and_nothing_less(chromium, watchmen):
    liar, all_of_them = Liar(watchmen.server), list(watchmen.watchers.items())
    with browsers(chromium, watchmen.server, "phone") as (phone,):
        phone.run("await engine.check()")
        show(watchmen, {"/v1/config": liar.sign(next_config(liar, witnesses=(*liar.config().witnesses, "AAAA")))})
        assert refused(phone) == "witnesses_invalid"
        show(watchmen, {})
        told = phone.run(STATE)
        assert (told["notice"], [one["name"] for one in told["watchers"]], told["evidence"]) == (
            None,
            list(NAMES),
            None,
        )
        assert all(one["at"] == int(watchmen.world.now) for one in told["watchers"])

        for name in ("export_keys", "venue_keys", "declaration_key", "push_key"):
            config = next_config(liar, **{name: another(name, liar.config())})
            leaf = city_keys_leaf(config)
            show(watchmen, {"/v1/config": liar.sign(config)})
            assert refused(phone) == "witness_quorum_missing", name
            show(
                watchmen,
                {"/v1/config": liar.sign(config), proof_at(leaf): private_proof(watchmen, leaf, all_of_them[:1]).data},
            )
            assert refused(phone) == "witness_quorum_missing", name

        held, leaf = liar.config().witnesses, policy_leaf(1, encode_policy(MINE))
        for witnesses in (
            (), (encode_record(MINE, None),), (*held, encode_record(MINE, None)),
            (*held, encode_record(MINE, private_proof(watchmen, leaf, all_of_them[:1]))),
            (*held, encode_record(MINE, private_proof(watchmen, policy_leaf(0, encode_policy(MINE)), all_of_them))),
        ):  # fmt: skip
            show(watchmen, {"/v1/config": liar.sign(next_config(liar, witnesses=witnesses))})
            assert refused(phone) == "witnesses_refused", witnesses

        epoch = liar.epoch()
        liar.show_epoch([epoch], RECOVERY)
        assert refused(phone) == "witness_quorum_missing"
        shown, leaf = watchmen.server.tamper, epoch_leaf(sign_epoch(epoch, RECOVERY))
        proof = private_proof(watchmen, leaf, all_of_them[:2]).data
        watchmen.server.tamper = lambda path, real: proof if path == proof_at(leaf) else shown(path, real)
        phone.run("await engine.parts.city.update()")
        assert phone.run(HELD)[2] == 1


def test_row_17_a_browser_takes_a_new_key_of_the_city_that_a_quorum_has_signed(chromium, watchmen):
    liar, all_of_them = Liar(watchmen.server), list(watchmen.watchers.items())
    with browsers(chromium, watchmen.server, "phone") as (phone,):
        phone.run("await engine.check()")
        config = next_config(
            liar,
            push_key=another("push_key", liar.config()),
            venue_keys={**liar.config().venue_keys, "10": "ab" * 32, "2": "cd" * 32},
        )
        proof = private_proof(watchmen, city_keys_leaf(config), all_of_them[1:]).data
        show(watchmen, {"/v1/config": liar.sign(config), proof_at(city_keys_leaf(config)): proof})
        phone.run("await engine.parts.city.update()")

        assert phone.run("return (await engine.parts.city.held()).pushKey") == config.push_key


def test_row_37_a_browser_keeps_two_checkpoints_that_contradict_each_other_and_goes_on(chromium, watchmen):
    log = watchmen.server.key_server.public_log
    with browsers(chromium, watchmen.server, "phone") as (phone,):
        phone.run("await engine.check()")
        size, genuine = log.newest_checkpoint()
        fork = sign_checkpoint(
            Checkpoint(log.key.name, size, b"\7" * 32), log.key, watchmen.server.key_server.secrets.signing_key.sign
        )
        show(watchmen, {"/v1/log/checkpoint": fork.data})
        phone.run("await engine.check()")
        told = phone.run(STATE)
        assert (told["notice"], told["evidence"]) == ("split_view", [genuine.data.decode(), fork.data.decode()])
        show(watchmen, {})
        phone.run("await engine.check()")
        assert phone.run(STATE)["notice"] == "split_view"


def test_row_37_an_outage_of_all_witnesses_stops_no_package_in_a_browser(chromium, watchmen):
    with browsers(chromium, watchmen.server, "phone") as (phone,):
        phone.run("await engine.check()")
        for days, notice in ((2, None), (2, "log_unwatched")):
            watchmen.world.pass_by(days * 86_400)
            watchmen.server.key_server.tick()
            phone.run("sim.now += x; await engine.check()", days * 86_400)
            assert phone.run(STATE)["notice"] == notice
            assert (
                phone.run(HELD)[1]["number"]
                == watchmen.server.key_server.ticks.history.journal.heads("venues")[-1].number
            )


def test_the_proofs_and_notes_of_the_tools_of_the_field_hold_in_the_browser(chromium, watchmen):
    with browsers(chromium, watchmen.server, "phone") as (phone,):
        said = phone.run(
            """
            const log = await modules('lognotes');
            const leaf = (number) => log.leafHash(new TextEncoder().encode(`leaf ${number}`));
            const holds = async (work) => (await refused(work)).refused || 'holds';
            const told = [];
            for (const {number, size, root, proof} of x.inclusion) {
              const check = async (place, hashes) => log.checkInclusion(await leaf(place), number, size, hashes, bytes(root));
              told.push(await holds(() => check(number, proof.map(bytes))), await holds(() => check(number + 1, proof.map(bytes))));
              told.push(await holds(() => check(number, [...proof.map(bytes), new Uint8Array(32)])));
            }
            for (const one of x.consistency) {
              const [old, size] = [{size: one.old_size, root: bytes(one.old_root)}, {size: one.size, root: bytes(one.root)}];
              told.push(await holds(() => log.checkConsistency(old, size, one.proof.map(bytes))));
              told.push(await holds(() => log.checkConsistency({...old, root: new Uint8Array(32)}, size, one.proof.map(bytes))));
              told.push(await holds(() => log.checkConsistency(old, size, one.proof.slice(1).map(bytes))));
            }
            const note = log.readNote(new TextEncoder().encode(x.note));
            const key = await log.logKey(bytes(x.log_public));
            const witness = {name: x.witness_name, key: bytes(x.witness_public)};
            const {size} = await log.openCheckpoint(note, key);
            return [told, size, await log.cosignedAt(note, witness), await log.cosignedAt(note, {...witness, name: 'other.example'})];
            """,
            {**VECTORS, **_publics()},
        )
    assert said[0] == ["holds", "log_proof_invalid", "log_proof_invalid"] * 16
    assert said[1] == 77
    assert said[2] is not None
    assert said[3] is None


def _publics():
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    def public(seed):
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed)).public_key().public_bytes_raw()

    assert str(log_key(public(VECTORS["log_seed"]))) == VECTORS["log_key"]
    return {
        "log_public": public(VECTORS["log_seed"]).hex(),
        "witness_public": public(VECTORS["witness_seed"]).hex(),
    }
