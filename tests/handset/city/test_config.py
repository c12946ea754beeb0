# SPDX-License-Identifier: Apache-2.0
"""Whose files are believed, and what happens to a phone that was away for long."""

import dataclasses
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.builders.liar import Liar

from bluezone.handset.city.config import InvalidTrust, TrustMissing, parse_trust
from bluezone.handset.overview import build_overview
from bluezone.protocol.signed.config import ConfigGap, InvalidConfig, encode_config
from bluezone.protocol.signed.envelope import UntrustedSignature


def test_a_city_s_key_is_read_in_every_form_it_is_given(tmp_path):
    public = Ed25519PrivateKey.generate().public_key()
    raw = public.public_bytes_raw()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    (tmp_path / "key").write_text(pem)
    for text in (raw.hex(), raw.hex().upper(), pem, str(tmp_path / "key")):
        assert parse_trust(text) == raw


@pytest.mark.parametrize("text", ["", "abc", "00" * 31, "not base64 !", "-----BEGIN PUBLIC KEY-----\nnonsense"])
def test_anything_else_is_refused(text):
    with pytest.raises(InvalidTrust):
        parse_trust(text)


def test_a_phone_that_was_never_told_whom_to_believe_fetches_and_believes_nothing(phones):
    phone = phones.new("phone", trust=None)
    with pytest.raises(TrustMissing):
        phone.check()
    assert phone.city.current is None


def test_a_phone_takes_no_second_city_s_key(phones):
    phones.new("phone").close()
    phones.made.clear()
    with pytest.raises(InvalidTrust):
        phones.new("phone", trust=Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex())


def test_files_signed_by_another_key_are_refused(phones):
    phone = phones.new("phone", trust=Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex())
    with pytest.raises(UntrustedSignature):
        phone.check()
    assert build_overview(phone).check_problem == "signature_untrusted"


def test_a_config_without_a_hotline_is_refused_and_the_old_one_stays(phones, server):
    phone, liar = phones.new("phone"), Liar(server)
    phone.check()
    before = phone.city.current_sha256
    liar.show("/v1/config", liar.sign(dataclasses.replace(liar.config(), number=2, hotline="")))
    with pytest.raises(InvalidConfig):
        phone.check()
    assert phone.city.current_sha256 == before


class Line:
    """A long line of configs, all of one history, served by number; the newest also without one."""

    def __init__(self, liar: Liar, length: int) -> None:
        self.signed, hashes, config = {}, [], liar.config()
        for number in range(1, length + 1):
            config = dataclasses.replace(config, number=number, history=tuple(hashes[-50:]))
            hashes.append(hashlib.sha256(encode_config(config)).hexdigest())
            self.signed[number] = liar.sign(config)
        self.newest_sha256, self.gone = hashes[-1], False


@pytest.mark.long
@pytest.mark.parametrize("gone", [False, True])
def test_a_phone_away_for_more_configs_than_one_lists_follows_the_older_ones_or_nothing(
    phones, server, world, monkeypatch, gone
):
    phone, liar = phones.new("phone"), Liar(server)
    phone.check()
    world.pass_by(13 * 86_400)
    line, held = Line(liar, 130), phone.city.current_sha256

    def get(path: str, most_bytes: int = 0) -> bytes:
        if path == "/v1/config":
            return line.signed[130]
        if gone:
            return genuine(path, most_bytes)
        return line.signed[int(path.rsplit("/", 1)[1])]

    genuine = phone.city._client.get
    monkeypatch.setattr(phone.city._client, "get", get)
    if gone:
        with pytest.raises(ConfigGap):
            phone.city.update()
        assert phone.city.current_sha256 == held
    else:
        assert phone.city.update().number == phone.city.current.number == 130
