# SPDX-License-Identifier: Apache-2.0
"""A local certificate authority for a city that has no public name yet, and the server certificate that it signs.

It is made once in <data>/keys/tls, readable only by its owner. People's devices have to trust the authority, so it is
restricted (name constraints, RFC 5280 section 4.2.1.10) to the city's own hosts and to private addresses: a thief of
its key could not impersonate a bank.

TLS that ends in this program: `serve --tls self` with a local authority, `serve --tls CERT,KEY` with the city's own
certificate. Both are renewed while the server runs: the local authority signs a new certificate a month before the end,
and files that somebody else replaces (certbot, an administrator) are reloaded.
"""

import datetime
import ipaddress
import os
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bluezone.city_settings import City
from bluezone.refusal import Refused

AUTHORITY_LIFE = datetime.timedelta(days=3650)
# Under the 398 days that browsers accept; renewed a month before the end.
SERVER_LIFE = datetime.timedelta(days=397)
RENEWED_BEFORE = datetime.timedelta(days=30)
_CLOCK_SLACK = datetime.timedelta(hours=1)

_ALWAYS = ("localhost", "127.0.0.1", "::1")
_PRIVATE = (
    "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "::1/128", "fc00::/7", "fe80::/10"
)  # fmt: skip


class TlsNameOutside(Refused):
    """The server needs a name or address for which its authority may not sign."""

    code = "tls_name_outside"


@dataclass(frozen=True)
class Identity:
    """The files of a server: its certificate (followed by the authority's) and key, and the authority to trust."""

    certificate: Path
    key: Path
    authority: Path


def ensure_identity(
    folder: Path, names: Iterable[str], now: datetime.datetime, addresses: Iterable[str] = ()
) -> Identity:
    """The identity in `folder` for these names, made or renewed if it is missing, for other names, or near its end.

    names: host names and addresses without port; localhost and the loopback addresses are always added.
    addresses: of the machine; those for which the authority may not sign are left out, because they change.
    Raises TlsNameOutside if the existing authority may not sign for one of the names.
    """
    required = sorted({*_ALWAYS, *names})
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    identity = Identity(folder / "server.pem", folder / "server.key", folder / "authority.pem")
    if not identity.authority.exists():
        _make_authority(folder, sorted({*required, *addresses}), now)
    authority = read_certificate(identity.authority)
    outside = [name for name in required if not _covers(authority, name)]
    if outside:
        raise TlsNameOutside(
            f"the local authority may not sign for {', '.join(outside)};"
            f" move {folder} away and start again, and everyone then trusts the new authority once"
        )
    signed_names = sorted({*required, *(address for address in addresses if _covers(authority, address))})
    if not _is_current(identity, authority, signed_names, now):
        _make_server(folder, authority, signed_names, now)
    return identity


def read_certificate(path: Path) -> x509.Certificate:
    """The first certificate of a PEM file."""
    return x509.load_pem_x509_certificate(path.read_bytes())


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate in the form that devices show: `AB:CD:…`, 32 bytes."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def _is_current(identity: Identity, authority: x509.Certificate, names: list[str], now: datetime.datetime) -> bool:
    if not (identity.certificate.exists() and identity.key.exists()):
        return False
    certificate = read_certificate(identity.certificate)
    signed_names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return (
        certificate.issuer == authority.subject
        and certificate.not_valid_after_utc - now > RENEWED_BEFORE
        and set(signed_names) == {_general(name) for name in names}
    )


def _make_authority(folder: Path, names: list[str], now: datetime.datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    # Two authorities of one city must be distinguishable in a list of trusted ones.
    mark = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Bluezone local authority {mark.digest.hex()[:8]}")])
    subtrees = [_subtree(name) for name in names] + [x509.IPAddress(ipaddress.ip_network(net)) for net in _PRIVATE]
    certificate = (
        _builder(name, name, key, now, AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(
            x509.NameConstraints(permitted_subtrees=list(dict.fromkeys(subtrees)), excluded_subtrees=None), True
        )
        .add_extension(mark, critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(folder / "authority.key", _key_pem(key))
    _write(folder / "authority.pem", certificate.public_bytes(serialization.Encoding.PEM))


def _make_server(folder: Path, authority: x509.Certificate, names: list[str], now: datetime.datetime) -> None:
    signing_key = serialization.load_pem_private_key((folder / "authority.key").read_bytes(), None)
    assert isinstance(signing_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Bluezone server")])
    certificate = (
        _builder(subject, authority.subject, key, now, SERVER_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False)
        .sign(signing_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    _write(folder / "server.key", _key_pem(key))
    _write(folder / "server.pem", certificate.public_bytes(pem) + authority.public_bytes(pem))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime.datetime,
    life: datetime.timedelta,
) -> x509.CertificateBuilder:  # fmt: skip
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SLACK)
        .not_valid_after(now - _CLOCK_SLACK + life)
    )


def _usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates, key_cert_sign=signs_certificates, crl_sign=signs_certificates,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _general(name: str) -> x509.GeneralName:
    """A host name or an address in the form of certificates."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _subtree(name: str) -> x509.GeneralName:
    """The name constraint of an authority for a name: the host, or the single address."""
    general = _general(name)
    if isinstance(general, x509.IPAddress):
        return x509.IPAddress(ipaddress.ip_network(name))
    return general


def _covers(authority: x509.Certificate, name: str) -> bool:
    """Whether the authority's constraints allow a name."""
    subtrees = authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    general = _general(name)
    if isinstance(general, x509.IPAddress):
        return any(isinstance(tree, x509.IPAddress) and general.value in tree.value for tree in subtrees)  # type: ignore[operator]
    hosts = [tree.value for tree in subtrees if isinstance(tree, x509.DNSName)]
    return any(name == host or name.endswith(f".{host}") for host in hosts)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    """Write a temporary file, readable only by the owner, and move it into place: no half-written file is served."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


SELF = "self"
OWN = "own"
# Addresses in documentation networks: nothing is sent there, the system only chooses the source address for them.
_PROBE_ADDRESSES = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


class TlsFilesInvalid(Refused):
    """The value of `--tls` is neither `self` nor a certificate and its key, both in PEM."""

    code = "tls_files_invalid"


class Tls:
    """Certificate and key of both origins.

    mode: SELF or OWN. names: a local authority signs for all of these. addresses: it signs for those that it may.
    Raises TlsFilesInvalid, TlsNameOutside.
    """

    def __init__(self, option: str, folder: Path, names: Iterable[str] = (), addresses: Iterable[str] = ()) -> None:
        self.mode = SELF if option == SELF else OWN
        self._folder = authority_folder(folder)
        self._names = list(names)
        self._addresses = list(addresses)
        if self.mode == SELF:
            self._sign(datetime.datetime.now(datetime.UTC))
        else:
            self.certificate, self.key = _files(option)
        _check(self.certificate, self.key)
        self._loaded_state = self._state()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the local authority, in the form that devices show."""
        return fingerprint(read_certificate(self._folder / "authority.pem"))

    def renewed(self, now: datetime.datetime) -> bool:
        """Renew a certificate near its end. Returns whether files changed since the last call and need reloading."""
        if self.mode == SELF and now >= self._renew_at:
            self._sign(now)
        state = self._state()
        changed = state != self._loaded_state and _match(self.certificate, self.key)
        if changed:
            self._loaded_state = state
        return changed

    def _sign(self, now: datetime.datetime) -> None:
        identity = ensure_identity(self._folder, self._names, now, self._addresses)
        self.certificate = identity.certificate
        self.key = identity.key
        self._renew_at = read_certificate(identity.certificate).not_valid_after_utc - RENEWED_BEFORE

    def _state(self) -> tuple[int, ...]:
        return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in (self.certificate, self.key))


def authority_folder(data_dir: Path) -> Path:
    """The folder of the local authority in a data folder."""
    return data_dir / "keys" / "tls"


def names_of(city: City, host: str) -> list[str]:
    """Names under which people reach the origins, from city.toml, BLUEZONE_ALLOWED_HOSTS and `serve --host`."""
    extra = os.environ.get("BLUEZONE_ALLOWED_HOSTS", "").split(",")
    names = [_bare(name) for name in (city.public_host, city.office_host, host, *extra)]
    # Leave out Django's patterns for "any" and "any below", and addresses that mean all addresses.
    return [name for name in names if name and name[0] not in "*." and name not in {"0.0.0.0", "::"}]  # noqa: S104


def machine_addresses() -> list[str]:
    """The addresses from which this machine reaches others, as text, without loopback."""
    addresses = []
    for family, destination in _PROBE_ADDRESSES:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((destination, 9))
            except OSError:
                continue
            addresses.append(str(probe.getsockname()[0]))
    return addresses


def _bare(host: str) -> str:
    """A host without its port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rsplit(":", 1)[0] if host.count(":") == 1 else host


def _files(option: str) -> tuple[Path, Path]:
    parts = option.split(",")
    if len(parts) != 2 or not all(parts):
        raise TlsFilesInvalid("--tls takes `self`, or two files: the certificate with its chain, and the key")
    return Path(parts[0]), Path(parts[1])


def _check(certificate: Path, key: Path) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, lambda: "")
    except (OSError, ValueError) as error:
        raise TlsFilesInvalid(
            f"{certificate} and {key} are not a certificate and its key without passphrase in PEM"
            f" ({getattr(error, 'reason', None) or error.strerror or error})"  # type: ignore[union-attr]
        ) from None


def _match(certificate: Path, key: Path) -> bool:
    """Whether both files exist and belong together, which they do not between two writes."""
    try:
        _check(certificate, key)
    except TlsFilesInvalid:
        return False
    return True
