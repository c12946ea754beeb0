# SPDX-License-Identifier: Apache-2.0
"""The local authority and what it signs."""

import datetime
import ssl
import stat

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from bluezone.tls import RENEWED_BEFORE, SERVER_LIFE, TlsNameOutside, ensure_identity, fingerprint, read_certificate

NOW = datetime.datetime(2026, 11, 24, 9, 0, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)


@pytest.fixture
def folder(tmp_path):
    """Where nothing is yet."""
    return tmp_path / "keys" / "tls"


def names_in(identity):
    held = read_certificate(identity.certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(name.value) for name in held}


def serial(identity):
    return read_certificate(identity.certificate).serial_number


def test_only_the_owner_can_read_what_is_made(folder):
    identity = ensure_identity(folder, [], NOW)

    assert stat.S_IMODE(identity.key.parent.stat().st_mode) == 0o700
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in identity.key.parent.iterdir()}
    assert files == dict.fromkeys(["authority.key", "authority.pem", "server.key", "server.pem"], 0o600)


def test_the_certificate_is_for_the_server_under_its_names(folder):
    identity = ensure_identity(folder, ["bluezone.bac-kan.example", "192.168.1.5"], NOW)

    assert names_in(identity) == {"localhost", "127.0.0.1", "::1", "bluezone.bac-kan.example", "192.168.1.5"}
    held = read_certificate(identity.certificate)
    held.verify_directly_issued_by(read_certificate(identity.authority))
    assert held.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value == x509.ExtendedKeyUsage(
        [ExtendedKeyUsageOID.SERVER_AUTH]
    )


def test_nothing_changes_while_all_is_in_order(folder):
    first = ensure_identity(folder, ["bac-kan.example"], NOW)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    ensure_identity(folder, ["bac-kan.example"], NOW + SERVER_LIFE - RENEWED_BEFORE - DAY)

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert first.authority.exists()


def test_a_month_before_its_end_the_certificate_is_renewed_by_the_same_authority(folder):
    first = ensure_identity(folder, [], NOW)
    old, authority = serial(first), first.authority.read_bytes()
    later = NOW + SERVER_LIFE - RENEWED_BEFORE
    ensure_identity(folder, [], later)

    assert serial(first) != old
    assert first.authority.read_bytes() == authority
    assert read_certificate(first.certificate).not_valid_after_utc > later + RENEWED_BEFORE


@pytest.mark.parametrize("lost", ["server.pem", "server.key"])
def test_a_lost_file_is_made_again(folder, lost):
    identity = ensure_identity(folder, [], NOW)
    old = serial(identity)
    (folder / lost).unlink()
    ensure_identity(folder, [], NOW)

    assert serial(identity) != old
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(identity.certificate, identity.key)


def test_another_name_needs_another_certificate_and_where_it_is_foreign_another_authority(folder):
    ensure_identity(folder, ["bac-kan.example"], NOW)
    assert "office.bac-kan.example" in names_in(ensure_identity(folder, ["office.bac-kan.example"], NOW))

    with pytest.raises(TlsNameOutside) as refused:
        ensure_identity(folder, ["bank.example"], NOW)
    assert refused.value.code == "tls_name_outside"
    assert "bank.example" in refused.value.message


def test_an_address_that_the_machine_got_later_is_left_out_if_it_is_public(folder):
    ensure_identity(folder, [], NOW, addresses=["203.0.113.9"])
    identity = ensure_identity(folder, [], NOW, addresses=["10.1.2.3", "203.0.113.9", "198.51.100.7"])

    assert names_in(identity) == {"localhost", "127.0.0.1", "::1", "10.1.2.3", "203.0.113.9"}


def test_the_authority_vouches_for_nothing_else(folder):
    identity = ensure_identity(folder, ["bac-kan.example"], NOW)
    found = read_certificate(identity.authority).extensions.get_extension_for_class(x509.NameConstraints)
    basic = read_certificate(identity.authority).extensions.get_extension_for_class(x509.BasicConstraints)

    assert found.critical
    hosts = {tree.value for tree in found.value.permitted_subtrees if isinstance(tree, x509.DNSName)}
    assert hosts == {"localhost", "bac-kan.example"}
    assert basic.critical
    assert basic.value == x509.BasicConstraints(ca=True, path_length=0)


def test_two_authorities_are_told_apart(folder):
    first, second = (ensure_identity(folder / name, [], NOW) for name in "ab")

    assert read_certificate(first.authority).subject != read_certificate(second.authority).subject
    assert fingerprint(read_certificate(first.authority)) != fingerprint(read_certificate(second.authority))
