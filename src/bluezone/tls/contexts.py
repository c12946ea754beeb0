# SPDX-License-Identifier: Apache-2.0
"""TLS that ends in this program: `serve --tls self` with a local authority, `serve --tls CERT,KEY` with the city's own.

Both are renewed while the server runs: the own authority signs anew a month before the end, and files that somebody
else replaces (certbot, an administrator) are noticed.
"""

import datetime
import os
import socket
import ssl
from collections.abc import Iterable
from pathlib import Path

from bluezone.city import City
from bluezone.refusal import Refused
from bluezone.tls.certificates import RENEWED_BEFORE, ensure_identity, fingerprint, read_certificate

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
