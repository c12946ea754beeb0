# SPDX-License-Identifier: Apache-2.0
"""Row 18: tampered, rolled-back and truncated files change nothing on a phone."""

import dataclasses
import hashlib
import random

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.builders.handset import city_with_phones, meet_phone, publish_reports, report_patient
from tests.builders.liar import Liar

from bluezone.handset.city.histories import FileUntrusted
from bluezone.protocol.signed.config import ConfigRolledBack, encode_config
from bluezone.protocol.signed.index import IndexRolledBack
from bluezone.refusal import Refused

PATHS = {"config": "/v1/config", "index": "/v1/exports/index.json", "export": ".zip"}


def state(phone) -> tuple:
    """Everything that a refused file must leave as it is."""
    return phone.city.current_sha256, phone.downloads.position, phone.risk.assessment()


def flipped(body: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(body))
    return body[:at] + bytes([body[at] ^ 1 << rng.randrange(8)]) + body[at + 1 :]


def cut(body: bytes, rng: random.Random) -> bytes:
    return body[: rng.randrange(len(body))]


@pytest.mark.long
@pytest.mark.parametrize("change", [flipped, cut])
@pytest.mark.parametrize("file", list(PATHS))
def test_row_18_a_flipped_bit_or_a_cut_file_is_refused_and_the_old_state_stays(tmp_path, file, change):
    with city_with_phones(tmp_path) as (server, phones, world):
        patient, near = phones.new("patient"), phones.new("near")
        near.check()
        meet_phone(near, patient, 25, world=world)
        report_patient(patient, server)
        publish_reports(server, world)
        before, rng = state(near), random.Random(18)

        for _ in range(30):
            server.tamper = lambda path, body: change(body, rng) if path.endswith(PATHS[file]) else body
            with pytest.raises(Refused):
                near.check()
            assert state(near) == before
        server.tamper = lambda path, body: body
        assert near.check().level == "high"


def test_row_18_an_older_index_is_refused(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        phone = phones.new("phone")
        old = (server.key_server.data_dir / "exports" / "index.json").read_bytes()
        publish_reports(server, world)
        phone.check()
        before = state(phone)
        server.tamper = lambda path, body: old if path.endswith("index.json") else body
        with pytest.raises(IndexRolledBack):
            phone.check()
        assert state(phone) == before


def test_row_18_an_older_config_is_refused(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        phone = phones.new("phone")
        phone.check()
        first = phone.city.current.number
        old = (server.key_server.data_dir / "configs" / f"{first}.json").read_bytes()
        world.pass_by(8 * 86_400)
        server.key_server.tick()
        phone.check()
        before = state(phone)
        assert phone.city.current.number > first
        server.tamper = lambda path, body: old if path == "/v1/config" else body
        with pytest.raises(ConfigRolledBack):
            phone.check()
        assert state(phone) == before


@pytest.mark.long
def test_row_18_another_file_that_the_city_signed_does_not_pass_for_the_one_listed(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        for name in ("first", "second"):
            patient = phones.new(name)
            patient.encounters.payload()
            report_patient(patient, server, onset_days_ago=0)
            publish_reports(server, world)
        files = sorted((server.key_server.data_dir / "exports").glob("*.zip"), key=lambda file: file.stat().st_size)
        shorter, longer = files[0], files[-1]
        assert shorter != longer

        # Only a body no longer than the one listed is read at all.
        server.tamper = lambda path, body: shorter.read_bytes() if path.endswith(longer.name) else body
        with pytest.raises(FileUntrusted, match="not the file in the index"):
            phones.new("phone").check()


def test_row_18_a_file_of_one_kind_does_not_pass_for_another(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, _):
        phone = phones.new("phone")
        config = (server.key_server.data_dir / "configs" / "1.json").read_bytes()
        server.tamper = lambda path, body: config if path.endswith("index.json") else body
        with pytest.raises(Refused) as refused:
            phone.check()
        assert refused.value.code == "signature_untrusted"


def test_row_18_an_export_that_the_index_names_but_the_city_s_export_key_did_not_sign_is_refused(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        phone, liar = phones.new("phone"), Liar(server)
        publish_reports(server, world)
        stranger = ec.generate_private_key(ec.SECP256R1()).public_key()
        pem = stranger.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        config = dataclasses.replace(liar.config(), export_keys=(pem,))
        sha256 = hashlib.sha256(encode_config(config)).hexdigest()

        def tamper(path: str, body: bytes) -> bytes:
            if path == "/v1/config":
                return liar.sign(config)
            return liar.changed_index(body, config_sha256=sha256) if path.endswith("index.json") else body

        server.tamper = tamper
        with pytest.raises(FileUntrusted):
            phone.check()
        assert phone.downloads.position.number == 0
