# SPDX-License-Identifier: Apache-2.0
"""Compromise drills: each process of a server killed and replaced by a hostile one under the same user.

The signer has a user of its own here, and so have the process of reports, the one that publishes and the public one.
"""

import contextlib
import functools
import json
import os
import shutil
import socket
import tempfile
from pathlib import Path

import pytest
from tests.builders.keyserver import HOUR, NOON, Clock
from tests.builders.signer import as_user, export_of, past_days, process_of
from tests.builders.stores import with_week_keys

from bluezone.city_settings import write_default
from bluezone.keyserver.signer.client import Connection, Operation, RemoteKeys
from bluezone.keyserver.signer.daemon import Daemon, allowed_users
from bluezone.protocol.intervals import day_at
from bluezone.protocol.signed.envelope import canonical_json, sign_payload

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root becomes other users")

SIGNER, REPORTS, PUBLICATION, PUBLIC, CONFIGS, FILES = range(61001, 61007)
BLINDED = bytes(255) + b"\x01"


@pytest.fixture
def place():
    """A signer's folder that is its own, and the folder of its socket, which others may enter."""
    base = Path(tempfile.mkdtemp(prefix="bluezone-drill-"))
    base.chmod(0o755)
    try:
        (base / "signer").mkdir(mode=0o700)
        (base / "run").mkdir(mode=0o755)
        write_default(base / "signer", name_vi="Bắc Kạn", name_en="Bac Kan", hotline="0209 3870 000")
        with_week_keys(base / "signer", NOON)
        for path in [base / "signer", base / "run", *(base / "signer").rglob("*")]:
            os.chown(path, SIGNER, SIGNER)
        with process_of(SIGNER, functools.partial(_run, base)):
            yield base
    finally:
        shutil.rmtree(base, ignore_errors=True)


def _run(base, ready):
    allowed = allowed_users(
        [f"reports={REPORTS}", f"publication={PUBLICATION}", f"configs={CONFIGS}", f"files={FILES}"]
    )
    daemon = Daemon(
        base / "signer" / "keys", base / "signer", base / "run" / "signer.sock", base / "signer", allowed, Clock()
    )
    ready()
    daemon.run()


def signer_of(base):
    return RemoteKeys(Connection(base / "run" / "signer.sock"))


def refused(answer):
    return isinstance(answer, tuple) and answer[0] == "SigningRefused"


@pytest.mark.long
def test_nobody_but_the_signer_reads_a_key_or_writes_its_record(place):
    def steal():
        found = []
        for path in ("keys/signing-ed25519.pem", "keys/export-p256.pem", "keys/week-1.json", "signed.jsonl"):
            for mode in ("rb", "ab"):
                with contextlib.suppress(PermissionError), open(place / "signer" / path, mode):
                    found.append(path)
        return found

    for user in (REPORTS, PUBLICATION, PUBLIC):
        assert as_user(user, steal) == []
    assert as_user(SIGNER, steal) != [], "the attempt itself works"


@pytest.mark.long
def test_a_hostile_public_process_is_not_even_heard(place):
    def ask(what):
        try:
            return Connection(place / "run" / "signer.sock").request_operation(what)
        except Exception as error:
            return type(error).__name__

    for what in Operation:
        assert as_user(PUBLIC, functools.partial(ask, what)) == "SignerAway"
    assert as_user(PUBLICATION, functools.partial(ask, Operation.OPEN)) != "SignerAway"


@pytest.mark.long
def test_a_hostile_process_of_reports_signs_certificates_and_nothing_else(place):
    def act():
        keys = signer_of(place)
        kid = keys.week_keys.current_key(1, NOON).kid
        signed = keys.week_keys.blind_sign(kid, [BLINDED])
        return len(signed[0])

    assert as_user(PUBLICATION, lambda: signer_of(place).week_keys.rotate_week_keys(NOON)) is None
    assert as_user(REPORTS, act) == 256
    export = as_user(REPORTS, lambda: export_of(signer_of(place).export_key.public_key(), NOON, past_days(NOON)))
    assert isinstance(export, bytes)
    assert refused(as_user(REPORTS, lambda: signer_of(place).export_key.sign(export, None)))
    assert refused(as_user(REPORTS, lambda: signer_of(place).signing_key.sign(b"BZ-SIGNED-v1\0exports\0{}")))
    assert refused(as_user(REPORTS, lambda: signer_of(place).week_keys.rotate_week_keys(NOON)))


@pytest.mark.long
def test_a_hostile_process_of_publication_certifies_nobody_and_publishes_nothing_early_or_twice(place):
    def sign(days, end=NOON):
        keys = signer_of(place)
        return keys.export_key.sign(export_of(keys.export_key.public_key(), end, days), None)

    assert refused(as_user(PUBLICATION, lambda: signer_of(place).week_keys.blind_sign(1, [BLINDED])))
    assert refused(as_user(PUBLICATION, lambda: sign([*past_days(NOON), day_at(NOON)]))), "under embargo"
    assert refused(as_user(PUBLICATION, lambda: sign(past_days(NOON), NOON + 2 * HOUR))), "an open window"
    assert refused(as_user(PUBLICATION, lambda: sign(past_days(NOON) * 6000))), "an implausible count"
    assert isinstance(as_user(PUBLICATION, lambda: sign(past_days(NOON))), bytes)
    assert refused(as_user(PUBLICATION, lambda: sign(past_days(NOON)))), "a second file for one window"
    config = canonical_json({"number": 1})
    assert refused(as_user(PUBLICATION, lambda: sign_payload("config", config, signer_of(place).signing_key)))


@pytest.mark.long
def test_who_governs_publishes_nothing_and_who_publishes_governs_nothing(place):
    def export():
        keys = signer_of(place)
        return keys.export_key.sign(export_of(keys.export_key.public_key(), NOON, past_days(NOON)), None)

    def of_kind(kind):
        signer_of(place).signing_key.sign(b"BZ-SIGNED-v1\0" + kind + b"\0{}")

    def barred(answer):
        return refused(answer) and "may not request" in answer[1]

    assert as_user(CONFIGS, lambda: signer_of(place).week_keys.rotate_week_keys(NOON)) is None
    assert barred(as_user(CONFIGS, export))
    for kind in (b"exports", b"venues", b"head", b"leaves", b"checkpoint", b"another"):
        assert barred(as_user(CONFIGS, functools.partial(of_kind, kind))), kind
    assert barred(as_user(CONFIGS, lambda: signer_of(place).signing_key.sign(b"a checkpoint")))

    assert isinstance(as_user(FILES, export), bytes)
    assert barred(as_user(FILES, functools.partial(of_kind, b"config")))
    assert barred(as_user(FILES, lambda: signer_of(place).week_keys.rotate_week_keys(NOON)))
    assert barred(as_user(FILES, lambda: signer_of(place).week_keys.note_kids([1])))
    assert barred(as_user(FILES, lambda: signer_of(place).week_keys.blind_sign(1, [BLINDED])))


def test_whoever_takes_the_place_of_a_killed_signer_has_no_key_and_no_socket_there(place):
    def take_its_place():
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
            channel.bind(str(place / "run" / "other.sock"))

    for user in (REPORTS, PUBLICATION, PUBLIC):
        assert as_user(user, take_its_place)[0] == "PermissionError"


@pytest.mark.long
def test_bodies_that_are_too_long_unknown_or_cut_end_their_own_connection_alone(place):
    def send(*parts):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
            channel.connect(str(place / "run" / "signer.sock"))
            for part in parts:
                channel.sendall(part)
            channel.shutdown(socket.SHUT_WR)
            return channel.recv(64)

    for body in (b"\x63\0\0\0\0", b"\x02\x7f\xff\xff\xff", b"\x02\0", b"\x02\0\0\x01\x02" + bytes(9)):
        assert as_user(PUBLICATION, functools.partial(send, body)) == b""
    assert (
        as_user(
            PUBLICATION,
            lambda: json.loads(Connection(place / "run" / "signer.sock").request_operation(Operation.WAITING)),
        )
        == {}
    )
