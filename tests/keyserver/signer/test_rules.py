# SPDX-License-Identifier: Apache-2.0
import dataclasses
import json
import os
import stat
from datetime import date

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.builders.hpke import point
from tests.builders.keyserver import DAY, HOUR, NOON, Phone, call, keys_for, open_server, poster, report_of, set_city
from tests.builders.signer import export_of, past_days, signing

from bluezone.keyserver.keys.keyfolder import ApprovalMissing, SignerAway, SigningRefused
from bluezone.keyserver.publication.log.logwriter import LogForked
from bluezone.keyserver.signer.client import Operation
from bluezone.keyserver.signer.record import FILE_NAME, Record, SignerRecordDamaged
from bluezone.protocol import blindrsa
from bluezone.protocol.exports.files import read_export, verify_export
from bluezone.protocol.intervals import day_at
from bluezone.protocol.signed.config import decode_config, encode_config
from bluezone.protocol.signed.envelope import canonical_json, fingerprint, open_signed, sign_payload
from bluezone.protocol.signed.index import decode_index, encode_index
from bluezone.protocol.upload import Status, Verify2Request, encode_verify2
from bluezone.protocol.upload.codes import Credential
from bluezone.transparency.notes import Checkpoint, hash_lines, open_checkpoint


@pytest.fixture
def apart(city_folder, clock):
    """A key server that holds no signing key; the signer has them."""
    with signing(city_folder, clock):
        server = open_server(city_folder, clock)
        yield server
        server.close()


def newest_config(server):
    public = server.secrets.signing_key.public_key().public_bytes_raw()
    return decode_config(open_signed("config", call(server, "GET", "/v1/config").body, {fingerprint(public): public}))


def sign_config(server, config):
    return sign_payload("config", encode_config(config), server.secrets.signing_key)


def following(server, **changes):
    """A config that the signer would be asked for next."""
    held = newest_config(server)
    sha256 = server.configs.newest_sha256()
    return dataclasses.replace(
        held, number=held.number + 1, history=(*held.history, sha256), generated_at=int(server.clock()), **changes
    )


def test_what_the_signer_keeps_is_in_a_folder_of_its_own(city_folder, clock):
    with signing(city_folder, clock) as daemon:
        assert stat.S_IMODE(daemon._state.stat().st_mode) == 0o700


@pytest.mark.long
def test_a_report_reaches_phones_though_the_server_holds_no_signing_key(apart, clock):
    apart.tick()
    phone = report_of(apart)
    assert phone.upload().status is Status.OK
    clock.pass_by(2 * HOUR)
    apart.tick()

    entry = apart.indexes.read_index().entries[-1]
    export = read_export(call(apart, "GET", f"/v1/exports/{entry.name}").body)
    assert verify_export(export, point(apart.secrets.export_key.public_key())) == "verified"
    assert {key.key for key in phone.keys} <= {key.key for key in export.keys}
    with pytest.raises(SigningRefused):
        apart.secrets.week_keys.private_key(phone.kid)


@pytest.mark.long
def test_weeks_of_keys_and_configs_come_and_go_with_the_signer_apart(apart, clock):
    for _ in range(4):
        clock.pass_by(7 * DAY)
        apart.tick()

    assert newest_config(apart).number > 3
    assert report_of(apart).upload().status is Status.OK


@pytest.mark.long
def test_a_report_waits_for_a_signer_that_is_away_and_is_not_lost(city_folder, clock):
    with signing(city_folder, clock):
        server = open_server(city_folder, clock)
    try:
        issued = server.codes.issue_code("confirmed", date(2026, 11, 23))
        phone = Phone(poster(server), server, Credential.from_text(issued.code), keys=keys_for(NOON))
        assert phone.check_code().status is Status.OK
        phone.blinded = blindrsa.blind(_public(server, phone.kid), phone.input_msg)
        asked = encode_verify2(
            Verify2Request(credential=phone.credential, kid=phone.kid, blinded=phone.blinded.message)
        )
        answered = call(server, "POST", "/v1/verify", asked)
        assert (answered.status, json.loads(answered.body)["error"]["code"]) == (503, "signer_away")
        assert answered.headers["Retry-After"]
        assert "signer_away" in json.loads(call(server, "GET", "/v1/health").body)["failing"]
        with pytest.raises(SignerAway):
            server.tick()

        with signing(city_folder, clock):
            assert phone.redeem_code().status is Status.OK
            assert phone.upload().status is Status.OK
            assert "signer_away" not in json.loads(call(server, "GET", "/v1/health").body)["failing"]
    finally:
        server.close()


def _public(server, kid):
    key = server.secrets.week_keys.find_key(kid)
    return blindrsa.PublicKey(key.n, key.e)


@pytest.mark.long
def test_no_key_is_signed_before_its_embargo_is_over(apart):
    with pytest.raises(SigningRefused, match="embargo"):
        apart.secrets.export_key.sign(
            export_of(apart.secrets.export_key.public_key(), NOON, [*past_days(NOON), day_at(NOON)]), None
        )


@pytest.mark.long
def test_no_window_is_signed_that_is_still_open_or_was_signed_before(apart):
    key = apart.secrets.export_key
    with pytest.raises(SigningRefused, match="is not over"):
        key.sign(export_of(key.public_key(), NOON + 7200, past_days(NOON)), None)
    apart.tick()
    with pytest.raises(SigningRefused, match="was signed already"):
        key.sign(export_of(key.public_key(), NOON, past_days(NOON)), None)


@pytest.mark.long
def test_the_same_export_gets_the_same_signature_and_another_one_for_its_window_none(apart, clock):
    clock.pass_by(2 * HOUR)
    key = apart.secrets.export_key
    export = export_of(key.public_key(), NOON + 2 * HOUR, past_days(NOON))

    assert key.sign(export, None) == key.sign(export, None)
    with pytest.raises(SigningRefused):
        key.sign(export_of(key.public_key(), NOON + 2 * HOUR, past_days(NOON)), None)


@pytest.mark.long
def test_no_file_has_more_keys_than_are_plausible(city_folder, clock):
    (city_folder / "signer").mkdir()
    (city_folder / "signer" / "signer.toml").write_text("most_keys_a_file = 8\n")
    with signing(city_folder, clock):
        server = open_server(city_folder, clock, padding_mean=0)
        clock.pass_by(2 * HOUR)
        key = server.secrets.export_key
        with pytest.raises(SigningRefused, match="plausible"):
            key.sign(export_of(key.public_key(), NOON + 2 * HOUR, past_days(NOON)), None)
        server.close()


@pytest.mark.long
def test_no_more_certificates_than_are_plausible_within_an_hour(city_folder, clock):
    (city_folder / "signer").mkdir()
    (city_folder / "signer" / "signer.toml").write_text("most_certificates_an_hour = 3\n")
    with signing(city_folder, clock):
        server = open_server(city_folder, clock)
        kid = server.secrets.week_keys.current_key(1, NOON).kid
        for _ in range(3):
            server.secrets.week_keys.blind_sign(kid, [bytes(255) + b"\x01"])
        with pytest.raises(SigningRefused, match="certificates"):
            server.secrets.week_keys.blind_sign(kid, [bytes(255) + b"\x01"])
        clock.pass_by(HOUR + 1)
        assert server.secrets.week_keys.blind_sign(kid, [bytes(255) + b"\x01"])
        server.close()


@pytest.mark.long
def test_a_week_key_signs_in_its_weeks_alone(apart):
    later = max(apart.secrets.week_keys.all(), key=lambda key: key.use_from)
    with pytest.raises(SigningRefused, match="not valid now"):
        apart.secrets.week_keys.blind_sign(later.kid, [bytes(255) + b"\x01"])


@pytest.mark.long
def test_a_config_is_signed_for_the_next_number_alone_and_once(apart):
    with pytest.raises(SigningRefused, match="does not follow"):
        sign_config(apart, dataclasses.replace(following(apart), number=61))
    first = following(apart, hotline="0209 3870 001")
    sign_config(apart, first)
    with pytest.raises(SigningRefused, match="does not follow"):
        sign_config(apart, dataclasses.replace(first, hotline="0209 3870 002"))
    assert sign_config(apart, first) == sign_config(apart, first)


@pytest.mark.long
def test_a_config_announces_no_week_key_and_no_export_key_but_the_signers(apart):
    held = newest_config(apart)
    tagging = dataclasses.replace(held.week_keys[0], kid=4242, n=blindrsa.generate().n)
    with pytest.raises(SigningRefused, match="does not have"):
        sign_config(apart, following(apart, week_keys=(*held.week_keys[1:], tagging)))
    backdated = dataclasses.replace(held.week_keys[0], announced_at=0)
    with pytest.raises(SigningRefused, match="does not have"):
        sign_config(apart, following(apart, week_keys=(*held.week_keys[1:], backdated)))
    with pytest.raises(SigningRefused, match="export key"):
        sign_config(apart, following(apart, export_keys=(*held.export_keys, *held.export_keys)))


@pytest.mark.long
def test_an_index_continues_the_last_one_and_lists_what_the_signer_has_signed(apart, clock):
    apart.tick()
    clock.pass_by(2 * HOUR)
    apart.tick()
    index, sign = apart.indexes.read_index(), apart.secrets.signing_key
    entry = index.entries[-1]

    def asked(**changes):
        return sign_payload("exports", encode_index(dataclasses.replace(index, **changes)), sign)

    unsigned = dataclasses.replace(entry, number=index.number + 1, sha256=os.urandom(32).hex())
    with pytest.raises(SigningRefused, match="did not sign"):
        asked(number=index.number + 1, entries=(*index.entries, unsigned))
    with pytest.raises(SigningRefused, match="ends with number"):
        asked(number=index.number - 1, entries=index.entries[:-1])
    again = [dataclasses.replace(entry, number=index.number + more) for more in (1, 2)]
    with pytest.raises(SigningRefused, match="a file twice"):
        asked(number=index.number + 2, entries=(*index.entries, *again))
    with pytest.raises(SigningRefused, match="other files"):
        asked(chain_before="11" * 32, entries=index.entries[1:])
    with pytest.raises(SigningRefused, match="another config"):
        asked(config_sha256=os.urandom(32).hex())


@pytest.mark.long
@pytest.mark.parametrize("message", [b"", b"hello", b"BZ-SIGNED-v1\0epoch\0{}", b"BZ-SIGNED-v1\0config\0{}"])
def test_nothing_else_is_signed(apart, message):
    with pytest.raises(SigningRefused):
        apart.secrets.signing_key.sign(message)


def approvers(folder, count=3):
    keys = [Ed25519PrivateKey.generate() for _ in range(count)]
    named = [key.public_key().public_bytes_raw().hex() for key in keys]
    (folder / "signer").mkdir(exist_ok=True)
    (folder / "signer" / "signer.toml").write_text(f"approvers = {json.dumps(named)}\n")
    return keys


@pytest.mark.long
def test_what_a_config_says_anew_waits_for_two_persons_while_week_keys_go_on(city_folder, clock):
    keys = approvers(city_folder)
    with signing(city_folder, clock):
        server = open_server(city_folder, clock)
        set_city(server, hotline="0209 3870 999")
        server.tick()
        assert newest_config(server).hotline == "0209 3870 000"
        assert server.pages.signing_problem() == "approval_missing"
        clock.pass_by(7 * DAY)
        server.tick()
        assert newest_config(server).number == 2, "the next week's keys are announced"
        assert newest_config(server).hotline == "0209 3870 000"

        (told,) = json.loads(server.signer.request_operation(Operation.WAITING))
        approval = canonical_json({"said": told})
        server.signer.request_operation(Operation.APPROVE, sign_payload("approval", approval, keys[0]))
        server.signer.request_operation(Operation.APPROVE, sign_payload("approval", approval, keys[0]))
        server.tick()
        assert newest_config(server).hotline == "0209 3870 000", "one person twice is one person"
        with pytest.raises(SigningRefused):
            server.signer.request_operation(
                Operation.APPROVE, sign_payload("approval", approval, Ed25519PrivateKey.generate())
            )

        server.signer.request_operation(Operation.APPROVE, sign_payload("approval", approval, keys[1]))
        clock.pass_by(60)
        server.tick()
        assert newest_config(server).hotline == "0209 3870 999"
        assert server.pages.signing_problem() is None
        with pytest.raises(ApprovalMissing):
            sign_config(server, following(server, hotline="0209 3870 000"))
        server.close()


@pytest.mark.long
def test_those_who_approve_are_shown_the_config_in_force_whatever_older_one_is_brought(city_folder, clock):
    approvers(city_folder)
    with signing(city_folder, clock):
        server = open_server(city_folder, clock)
        older = call(server, "GET", "/v1/config").body
        clock.pass_by(7 * DAY)
        server.tick()
        assert newest_config(server).number == 2
        server.signer.request_operation(Operation.CATCH_UP, b"config\0" + older)
        with pytest.raises(ApprovalMissing):
            sign_config(server, following(server, hotline="0209 3870 999"))
        ((in_force, _proposed),) = json.loads(server.signer.request_operation(Operation.WAITING)).values()
        assert json.loads(in_force)["number"] == 2
        server.close()


@pytest.mark.long
def test_another_hosts_configs_and_files_are_gone_on_from(city_folder, clock):
    with signing(city_folder, clock):
        server = open_server(city_folder, clock)
        server.tick()
        server.close()
    # Without a signer for a while, as if another host had signed.
    alone = open_server(city_folder, clock)
    for _ in range(5):
        clock.pass_by(12 * HOUR)
        alone.tick()
    # Killed after it had sealed a file, and before it listed it.
    listed = alone.indexes.read_index().number
    clock.pass_by(12 * HOUR)
    alone.publication.export_files.publish_due_file(clock())
    assert alone.indexes.read_index().number == listed
    alone.close()
    with signing(city_folder, clock):
        server = open_server(city_folder, clock)
        clock.pass_by(2 * HOUR)
        server.tick()
        index = decode_index(open_index(server))
        assert index.number == server.indexes.read_index().number > listed + 1
        server.close()


@pytest.mark.long
def test_a_signer_that_starts_from_an_old_record_twice_goes_on_from_what_was_published(city_folder, clock):
    path = city_folder / "signer" / FILE_NAME
    with signing(city_folder, clock):
        server = open_server(city_folder, clock)
        server.tick()
        old_record = path.read_bytes()
        for seconds in (7 * DAY, 2 * HOUR, 2 * HOUR):
            clock.pass_by(seconds)
            server.tick()
    for _ in range(2):
        path.write_bytes(old_record)
        with signing(city_folder, clock):
            number, listed = newest_config(server).number, server.indexes.read_index().number
            for seconds in (7 * DAY, 2 * HOUR, 2 * HOUR):
                clock.pass_by(seconds)
                server.tick()
            assert newest_config(server).number > number
            assert server.indexes.read_index().number > listed
            size, _note = server.public_log.newest_checkpoint()
            assert size == server.public_log.size()
    server.close()


def open_index(server):
    public = server.secrets.signing_key.public_key().public_bytes_raw()
    return open_signed("exports", call(server, "GET", "/v1/exports/index.json").body, {fingerprint(public): public})


@pytest.mark.long
def test_a_record_that_was_changed_or_cut_signs_nothing(city_folder, clock):
    with signing(city_folder, clock):
        open_server(city_folder, clock).close()
    path = city_folder / "signer" / FILE_NAME
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[1:]))
    with pytest.raises(SignerRecordDamaged), Record(city_folder / "signer").turn():
        pass

    path.write_bytes(b"".join(lines) + b'{"kind":"con')
    with Record(city_folder / "signer").turn() as signed:
        assert signed.last["config"]["number"] == 1, "what a crash cut was never released"
    assert path.read_bytes() == b"".join(lines)


@pytest.mark.long
def test_a_log_that_shrinks_changes_or_is_another_citys_is_not_signed(apart, clock):
    apart.tick()
    log = apart.public_log
    size, note = log.newest_checkpoint()
    assert open_checkpoint(note, log.key).size == size
    sign = apart.secrets.signing_key.sign
    for checkpoint in (
        Checkpoint(log.key.name, size - 1, log.root(size - 1)),
        Checkpoint(log.key.name, size, bytes(32)),
        Checkpoint(log.key.name, size + 1, bytes(32)),
        Checkpoint("bluezone/0123456789abcdef", size + 1, bytes(32)),
    ):
        for proof in ((), (bytes(32),)):
            with pytest.raises(SigningRefused):
                sign(checkpoint.text + hash_lines(proof))
    with pytest.raises(SigningRefused):
        sign(b"anything else")
    with pytest.raises(LogForked):
        log.sign_checkpoint(size - 1)
    assert log.sign_checkpoint(size) == note
    clock.pass_by(2 * HOUR)
    apart.tick()
    assert log.newest_checkpoint()[0] > size
    assert log.journal.leaves()[-1][0] + len(log.journal.leaves()[-1][1]) == log.size()
