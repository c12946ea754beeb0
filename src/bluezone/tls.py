# SPDX-License-Identifier: Apache-2.0
"""A local certificate authority for a city that has no public name yet, and the server certificate it signs.

Made once in <data>/keys/tls, readable by its owner alone. People's devices are asked to trust the authority, so it is
bound (name constraints, RFC 5280 section 4.2.1.10) to the city's own hosts and to private addresses: whoever stole its
key could not pose as a bank.

TLS that ends in this program: `serve --tls self` with a local authority, `serve --tls CERT,KEY` with the city's own.

Both are renewed while the server runs: the own authority signs anew a month before the end, and files that somebody
else replaces (certbot, an administrator) are noticed.
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

from bluezone.city import City
from bluezone.refusal import Refused

AUTHORITY_LIFE = datetime.timedelta(days=3650)
# Under the 398 days that browsers accept; renewed while a month is left.
SERVER_LIFE = datetime.timedelta(days=397)
RENEWED_BEFORE = datetime.timedelta(days=30)
_CLOCK_SLACK = datetime.timedelta(hours=1)

_ALWAYS = ("localhost", "127.0.0.1", "::1")
_PRIVATE = (
    "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "::1/128", "fc00::/7", "fe80::/10"
)  # fmt: skip


class TlsNameOutside(Refused):
    """The server is to have a name or address for which its authority may not sign."""

    code = "tls_name_outside"


@dataclass(frozen=True)
class Identity:
    """What a server needs: its certificate (with the authority's behind it) and key, and what others need to trust."""

    certificate: Path
    key: Path
    authority: Path


def ensure_identity(
    folder: Path, names: Iterable[str], now: datetime.datetime, addresses: Iterable[str] = ()
) -> Identity:
    """The identity in `folder` for these names, made or renewed where it is missing, another's, or near its end.

    names: host names and addresses without port; localhost and the loopback addresses are always added.
    addresses: of the machine; those for which the authority may not sign are left out, since they come and go.
    Raises TlsNameOutside when the authority that is there may not sign for one of them.
    """
    wanted = sorted({*_ALWAYS, *names})
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    identity = Identity(folder / "server.pem", folder / "server.key", folder / "authority.pem")
    if not identity.authority.exists():
        _make_authority(folder, sorted({*wanted, *addresses}), now)
    authority = read_certificate(identity.authority)
    outside = [name for name in wanted if not _covers(authority, name)]
    if outside:
        raise TlsNameOutside(
            f"the local authority may not sign for {', '.join(outside)};"
            f" move {folder} away and start again, and everybody trusts the new authority once"
        )
    wanted = sorted({*wanted, *(address for address in addresses if _covers(authority, address))})
    if not _still_good(identity, authority, wanted, now):
        _make_server(folder, authority, wanted, now)
    return identity


def read_certificate(path: Path) -> x509.Certificate:
    """The first certificate of a PEM file."""
    return x509.load_pem_x509_certificate(path.read_bytes())


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate as devices show it: `AB:CD:…`, 32 bytes."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def _still_good(identity: Identity, authority: x509.Certificate, names: list[str], now: datetime.datetime) -> bool:
    if not (identity.certificate.exists() and identity.key.exists()):
        return False
    held = read_certificate(identity.certificate)
    signed_for = held.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return (
        held.issuer == authority.subject
        and held.not_valid_after_utc - now > RENEWED_BEFORE
        and set(signed_for) == {_general(name) for name in names}
    )


def _make_authority(folder: Path, names: list[str], now: datetime.datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    # Two authorities of one city must not be taken for each other in a list of trusted ones.
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
    """A host name or an address as certificates name it."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _subtree(name: str) -> x509.GeneralName:
    """What an authority is bound to for a name: the host, or the one address."""
    general = _general(name)
    return x509.IPAddress(ipaddress.ip_network(name)) if isinstance(general, x509.IPAddress) else general


def _covers(authority: x509.Certificate, name: str) -> bool:
    """Whether the authority's constraints allow a name."""
    bound = authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    general = _general(name)
    if isinstance(general, x509.IPAddress):
        return any(isinstance(tree, x509.IPAddress) and general.value in tree.value for tree in bound)  # type: ignore[operator]
    hosts = [tree.value for tree in bound if isinstance(tree, x509.DNSName)]
    return any(name == host or name.endswith(f".{host}") for host in hosts)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    """Write beside and move into place, so that no half-written file is ever served; readable by the owner alone."""
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


SELF, OWN = "self", "own"
# Addresses of the documentation networks: nothing is sent there, the system only says from where it would.
_ELSEWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


class TlsFilesInvalid(Refused):
    """What stands behind `--tls` is not `self` and not a certificate and its key, both in PEM."""

    code = "tls_files_invalid"


class Tls:
    """Certificate and key of both origins.

    mode: SELF or OWN. names: what a local authority signs for; addresses: the same where it may, left out where not.
    Raises TlsFilesInvalid, TlsNameOutside.
    """

    def __init__(self, option: str, folder: Path, names: Iterable[str] = (), addresses: Iterable[str] = ()) -> None:
        self.mode = SELF if option == SELF else OWN
        self._folder = authority_folder(folder)
        self._names, self._addresses = list(names), list(addresses)
        if self.mode == SELF:
            self._sign(datetime.datetime.now(datetime.UTC))
        else:
            self.certificate, self.key = _files(option)
        _check(self.certificate, self.key)
        self._seen = self._state()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the local authority, as devices show it."""
        return fingerprint(read_certificate(self._folder / "authority.pem"))

    def renewed(self, now: datetime.datetime) -> bool:
        """Renew what is near its end; whether the files changed since the last call, so that origins reload them."""
        if self.mode == SELF and now >= self._renew_at:
            self._sign(now)
        state = self._state()
        changed = state != self._seen and _fits(self.certificate, self.key)
        if changed:
            self._seen = state
        return changed

    def _sign(self, now: datetime.datetime) -> None:
        identity = ensure_identity(self._folder, self._names, now, self._addresses)
        self.certificate, self.key = identity.certificate, identity.key
        self._renew_at = read_certificate(identity.certificate).not_valid_after_utc - RENEWED_BEFORE

    def _state(self) -> tuple[int, ...]:
        return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in (self.certificate, self.key))


def authority_folder(data_dir: Path) -> Path:
    """Where the local authority of a data folder lies."""
    return data_dir / "keys" / "tls"


def names_of(city: City, host: str) -> list[str]:
    """Names under which people reach the origins: of city.toml, of BLUEZONE_ALLOWED_HOSTS and of `serve --host`."""
    extra = os.environ.get("BLUEZONE_ALLOWED_HOSTS", "").split(",")
    found = [_bare(name) for name in (city.public_host, city.office_host, host, *extra)]
    # Django's patterns for "any" and "any below" are no names, and an address that means all is none either.
    return [name for name in found if name and name[0] not in "*." and name not in {"0.0.0.0", "::"}]  # noqa: S104


def machine_addresses() -> list[str]:
    """The addresses by which this machine reaches others, as text; loopback is not among them."""
    found = []
    for family, elsewhere in _ELSEWHERE:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((elsewhere, 9))
            except OSError:
                continue
            found.append(str(probe.getsockname()[0]))
    return found


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
            f"{certificate} and {key} are no certificate and its key without passphrase in PEM"
            f" ({getattr(error, 'reason', None) or error.strerror or error})"  # type: ignore[union-attr]
        ) from None


def _fits(certificate: Path, key: Path) -> bool:
    """Whether both files are there and belong together: between two writes they do not."""
    try:
        _check(certificate, key)
    except TlsFilesInvalid:
        return False
    return True
