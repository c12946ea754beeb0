# SPDX-License-Identifier: Apache-2.0
"""Rows 17 and 37 with witnesses: what one phone alone is shown has no cosignatures, or contradicts what it holds."""

import dataclasses
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.attacks.test_row_59_epoch_with_new_keys import another
from tests.builders.epochs import RECOVERY, state
from tests.builders.keyserver import exchange
from tests.builders.liar import Liar
from tests.builders.witnesses import NAMES, watched_city

from bluezone.handset.city.publiclog import PATIENCE_SECONDS, READING_PAUSE_SECONDS
from bluezone.handset.overview import build_overview
from bluezone.protocol.signed.config import encode_config
from bluezone.protocol.signed.epoch import EpochRefused, sign_epoch
from bluezone.transparency.leaves import city_keys_leaf, epoch_leaf, policy_leaf
from bluezone.transparency.merkle import leaf_hash, tree_root
from bluezone.transparency.notes import Checkpoint, Proof, cosign, merge_signatures, read_note, sign_checkpoint
from bluezone.transparency.watch import (
    Policy,
    QuorumMissing,
    Witness,
    WitnessesInvalid,
    WitnessesRefused,
    encode_policy,
    encode_record,
)

pytestmark = pytest.mark.long


def notice(phone) -> str | None:
    return build_overview(phone).notice


def next_config(liar, **changes):
    """The config that would come next, with what the operator wants."""
    config = liar.config()
    line = (*config.history, hashlib.sha256(liar.payload()).hexdigest())
    return dataclasses.replace(config, number=config.number + 1, history=line[-50:], **changes)


def private_proof(watchmen, content: bytes, cosigners=(), ahead: float = 0):
    """A log of one leaf that the operator made for one phone.

    cosigners: (name, watcher) whose keys it has. ahead: seconds by which their clocks are.
    """
    log = watchmen.server.key_server.public_log
    note = sign_checkpoint(
        Checkpoint(log.key.name, 1, tree_root([leaf_hash(content)])),
        log.key,
        watchmen.server.key_server.secrets.signing_key.sign,
    )
    moment = int(watchmen.world.now + ahead)
    signed = {name: cosign(note.text, one.key, one._private.sign, moment) for name, one in cosigners}
    return Proof(0, (), merge_signatures(note, signed))


def show(watchmen, bodies: dict[str, bytes]) -> None:
    watchmen.server.tamper = lambda path, real: bodies.get(path, real)


def refuses(phone, kind) -> None:
    before = state(phone)
    with pytest.raises(kind):
        phone.check()
    assert state(phone) == before


def test_row_37_a_watched_city_is_followed_without_a_notice_and_the_phone_says_who_watches(tmp_path):
    with watched_city(tmp_path) as (_, phones, world):
        phone = phones.new("phone")
        phone.check()
        watchers = phone.city.public_log.watchers(phone.city.current)

        assert [one.name for one in watchers] == list(NAMES)
        assert all(one.at == int(world.now) for one in watchers)
        assert notice(phone) is None


def test_row_37_an_outage_of_all_witnesses_stops_no_warning_and_is_told_after_three_days(tmp_path):
    with watched_city(tmp_path) as (watchmen, phones, world):
        phone = phones.new("phone")
        phone.check()
        for _ in range(3):
            world.pass_by(86_400)
            watchmen.server.key_server.tick()
            before = phone.downloads.position.number
            phone.check()
            assert phone.downloads.position.number > before
        assert notice(phone) is None
        world.pass_by(7200)
        watchmen.server.key_server.tick()
        phone.check()

        assert notice(phone) == "log_unwatched"
        watchmen.go_round()
        phone.check()
        assert notice(phone) is None


@pytest.mark.parametrize("name", ["export_keys", "venue_keys", "declaration_key", "push_key"])
def test_row_17_a_key_of_the_city_without_a_quorum_is_refused(tmp_path, name):
    with watched_city(tmp_path) as (watchmen, phones, _):
        phone, liar = phones.new("phone"), Liar(watchmen.server)
        phone.check()
        show(watchmen, {"/v1/config": liar.sign(next_config(liar, **{name: another(name, liar.config())}))})

        refuses(phone, QuorumMissing)


def test_row_17_a_log_made_for_one_phone_with_too_few_or_forged_cosignatures_is_refused(tmp_path):
    with watched_city(tmp_path) as (watchmen, phones, _):
        phone, liar = phones.new("phone"), Liar(watchmen.server)
        phone.check()
        told = next_config(liar, push_key=another("push_key", liar.config()))
        log, watchers = watchmen.server.key_server.public_log, watchmen.watchers
        _, leaf = log.request_city_keys(told)
        log.renew_log()
        one, two = NAMES[:2]
        address = f"/v1/log/proof/{leaf_hash(leaf).hex()}"
        forged = {
            "no witness": [],
            "one of two": [(one, watchers[one])],
            "one under two names": [(one, watchers[one]), (two, watchers[one])],
        }
        both = [(one, watchers[one]), (two, watchers[two])]
        proofs = [private_proof(watchmen, leaf, cosigners) for cosigners in forged.values()]
        for proof in (*proofs, private_proof(watchmen, leaf, both, ahead=2 * 3600)):
            show(watchmen, {"/v1/config": liar.sign(told), address: proof.data})
            refuses(phone, QuorumMissing)
        # With a quorum it goes through: what is refused above is refused for the missing signatures alone.
        watchmen.ask()
        show(watchmen, {"/v1/config": liar.sign(told)})
        phone.city.update()
        assert phone.city.current.push_key == told.push_key


def test_row_17_a_proof_of_another_leaf_or_an_older_checkpoint_is_no_proof(tmp_path):
    with watched_city(tmp_path) as (watchmen, phones, _):
        phone, liar, log = phones.new("phone"), Liar(watchmen.server), watchmen.server.key_server.public_log
        phone.check()
        genuine = log.proof(leaf_hash(city_keys_leaf(liar.config())))
        told = next_config(liar, push_key=another("push_key", liar.config()))
        _, leaf = log.request_city_keys(told)
        log.renew_log()
        address = f"/v1/log/proof/{leaf_hash(leaf).hex()}"
        show(watchmen, {"/v1/config": liar.sign(told), address: genuine.data})

        refuses(phone, QuorumMissing)


def test_row_37_the_server_holds_a_key_back_until_a_quorum_has_signed_and_publishes_meanwhile(tmp_path):
    with watched_city(tmp_path) as (watchmen, phones, world):
        phone, server = phones.new("phone"), watchmen.server.key_server
        phone.check()
        before = phone.city.current
        renewed = dataclasses.replace(server.secrets, push_key=ec.generate_private_key(ec.SECP256R1()))
        exchange(server, server.secrets, renewed)
        world.pass_by(7200)
        server.tick()
        phone.check()
        assert phone.city.current.push_key == before.push_key
        watchmen.go_round()
        server.tick()
        phone.check()

        assert phone.city.current.push_key == server.secrets.push_public != before.push_key


def test_row_37_an_epoch_without_a_quorum_is_refused_and_with_one_is_followed(tmp_path):
    with watched_city(tmp_path) as (watchmen, phones, _):
        phone, liar = phones.new("phone"), Liar(watchmen.server)
        phone.check()
        epoch = liar.epoch()
        liar.show_epoch([epoch], RECOVERY)
        refuses(phone, QuorumMissing)

        log = watchmen.server.key_server.public_log
        log.request_leaf(epoch_leaf(sign_epoch(epoch, RECOVERY), 1))
        log.renew_log()
        refuses(phone, QuorumMissing)
        watchmen.ask()
        phone.city.update()

        assert phone.city.epochs.number == 1


def test_row_37_two_checkpoints_that_contradict_each_other_are_kept_and_shown(tmp_path):
    with watched_city(tmp_path) as (watchmen, phones, world):
        phone, log = phones.new("phone"), watchmen.server.key_server.public_log
        phone.check()
        size, genuine = log.newest_checkpoint()
        for other_size in (size, size + 1, size - 1):
            fork = sign_checkpoint(
                Checkpoint(log.key.name, other_size, b"\7" * 32),
                log.key,
                watchmen.server.key_server.secrets.signing_key.sign,
            )
            grown = f"/v1/log/consistency/{min(size, other_size)}/{max(size, other_size)}"
            show(watchmen, {"/v1/log/checkpoint": fork.data, grown: b""})
            world.pass_by(READING_PAUSE_SECONDS)
            phone.check()

            assert notice(phone) == "split_view"
            assert phone.city.public_log.evidence[0] == genuine.data.decode()
        assert read_note(phone.city.public_log.evidence[1].encode()).text != genuine.text
        # What contradicts is not taken back by an honest answer afterwards.
        show(watchmen, {})
        phone.check()
        assert notice(phone) == "split_view"


def test_row_37_a_log_that_is_rolled_back_or_left_out_is_told_after_a_day_and_stops_no_file(tmp_path):
    with watched_city(tmp_path) as (watchmen, phones, world):
        phone, log = phones.new("phone"), watchmen.server.key_server.public_log
        old = log.newest_checkpoint()[1].data
        world.pass_by(7200)
        watchmen.go_round()
        phone.check()
        assert notice(phone) is None
        for _ in range((READING_PAUSE_SECONDS + PATIENCE_SECONDS) // 7200 + 1):
            world.pass_by(7200)
            watchmen.go_round()
            show(watchmen, {"/v1/log/checkpoint": old} | _unproved(watchmen))
            before = phone.downloads.position.number
            phone.check()
            assert phone.downloads.position.number > before

        assert notice(phone) == "log_missing"


def _unproved(watchmen) -> dict[str, bytes]:
    return {path: b"" for path, _ in watchmen.server.requests if path.startswith("/v1/log/proof/")}


MINE = Policy(1, (Witness("cua-toi.example", "Của tôi", "ab" * 32),))


def test_row_37_those_who_watch_are_not_exchanged_left_out_or_outvoted_without_their_quorum(tmp_path):
    with watched_city(tmp_path) as (watchmen, phones, _):
        phone, liar = phones.new("phone"), Liar(watchmen.server)
        phone.check()
        held, mine = liar.config().witnesses, MINE
        one = [(NAMES[0], watchmen.watchers[NAMES[0]])]
        leaf = policy_leaf(1, encode_policy(mine))
        for witnesses in (
            (),
            (encode_record(mine, None),),
            (*held, encode_record(mine, None)),
            (*held, encode_record(mine, private_proof(watchmen, leaf, one))),
            (
                *held,
                encode_record(
                    mine, private_proof(watchmen, policy_leaf(0, encode_policy(mine)), list(watchmen.watchers.items()))
                ),
            ),
        ):
            show(watchmen, {"/v1/config": liar.sign(next_config(liar, witnesses=witnesses))})
            refuses(phone, WitnessesRefused)
        # Their quorum, for this change and this place in the line, is all that was missing.
        agreed = encode_record(mine, private_proof(watchmen, leaf, list(watchmen.watchers.items())))
        told = next_config(liar, witnesses=(*held, agreed))
        show(watchmen, {"/v1/config": liar.sign(told)})
        phone.city.update()
        assert phone.city.current_sha256 == hashlib.sha256(encode_config(told)).hexdigest()


def test_row_37_witnesses_change_by_the_quorum_before_them(tmp_path):
    with watched_city(tmp_path) as (watchmen, phones, world):
        phone = phones.new("phone")
        phone.check()
        watchmen.set(watchmen.policy(1, NAMES[1:]))
        watchmen.server.key_server.tick()
        assert len(watchmen.server.key_server.configs.newest_config().witnesses) == 1
        for _ in range(2):
            world.pass_by(7200)
            watchmen.go_round()
        phone.check()

        assert [one.name for one in phone.city.public_log.watchers(phone.city.current)] == list(NAMES[1:])


@pytest.mark.parametrize(
    "changed",
    [{"name": "localhost"}, {"name": "127.0.0.1/x"}, {"operator": " TRƯỜNG  đại học "}, {"key": None}],
)
def test_row_37_a_witness_on_the_citys_host_or_of_the_same_operator_or_key_never_counts(tmp_path, changed):
    with watched_city(tmp_path, names=NAMES[:2]) as (watchmen, _, _):
        log, config = watchmen.server.key_server.public_log, watchmen.server.key_server.configs.newest_config()
        policy = watchmen.policy(2, NAMES[:2])
        other = {"key": policy.witnesses[0].key} if "key" in changed else changed
        doubled = Policy(2, (policy.witnesses[0], dataclasses.replace(policy.witnesses[1], **other)))

        assert len(doubled.counted_witnesses(config, log.key.public)) == 1
        own = Policy(1, (dataclasses.replace(policy.witnesses[0], key=log.key.public.hex()),))
        assert own.counted_witnesses(config, log.key.public) == ()


def test_row_37_an_epoch_whose_first_config_drops_those_who_watch_is_refused(tmp_path):
    with watched_city(tmp_path) as (watchmen, phones, _):
        phone, liar = phones.new("phone"), Liar(watchmen.server)
        phone.check()
        liar.show_epoch([liar.epoch()], RECOVERY, witnesses=())

        refuses(phone, (QuorumMissing, WitnessesRefused, EpochRefused))


def test_row_37_an_honest_epoch_is_followed_once_a_quorum_has_signed_for_it(tmp_path):
    with watched_city(tmp_path) as (watchmen, phones, world):
        phone, server = phones.new("phone"), watchmen.server.key_server
        phone.check()
        assert server.ticks.open_epoch(sign_epoch(server.ticks.propose_epoch({}, []), RECOVERY), []).number == 1
        server.tick()
        refuses(phone, QuorumMissing)
        watchmen.go_round()
        world.pass_by(7200)
        watchmen.go_round()
        phone.check()

        assert phone.city.epochs.number == 1
        assert phone.downloads.position.number >= 100_000
        assert notice(phone) == "epoch_began"


@pytest.mark.parametrize("record", ["AAAA", encode_record(Policy(2, MINE.witnesses), None)])
def test_row_37_a_first_config_whose_witnesses_cannot_be_read_is_refused(tmp_path, record):
    with watched_city(tmp_path) as (watchmen, phones, _):
        phone, liar = phones.new("phone"), Liar(watchmen.server)
        show(watchmen, {"/v1/config": liar.sign(dataclasses.replace(liar.config(), witnesses=(record,)))})
        with pytest.raises(WitnessesInvalid):
            phone.check()

        assert phone.city.current is None
