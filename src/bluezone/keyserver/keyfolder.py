# SPDX-License-Identifier: Apache-2.0
"""The private keys of the service, in files that it alone may read: its own keys, and those of each week that sign
blind. The signer opens the same files where it is apart.
"""

import base64
import hashlib
import hmac
import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from bluezone.keyserver.storage.sqlite import STORES_FOLDER
from bluezone.keyserver.storage.store import StoreDamaged, StoreFull, StoreRefused
from bluezone.protocol import blindrsa
from bluezone.protocol.exports.files import SignatureInfo
from bluezone.protocol.exports.writer import P256Signer
from bluezone.protocol.intervals import SECONDS_PER_DAY, SECONDS_PER_WEEK, week_name, week_start
from bluezone.protocol.primitives import Ed25519Signer
from bluezone.protocol.signed.config import Purpose, WeekKey
from bluezone.protocol.upload import CHAFF_CLASS, CLINICAL_CLASS, CONFIRMED_CLASS
from bluezone.protocol.upload.codes import Credential
from bluezone.refusal import Refused


class KeyFileExposed(Refused):
    """A private key can be read by other users of this machine."""

    code = "key_file_exposed"


class SignerAway(StoreRefused):
    """The signer does not answer; nothing was lost, and it is asked again."""

    code = "signer_away"


class SigningRefused(StoreRefused):
    """The signer does not sign this: its rules, or who asks, do not allow it."""

    code = "signing_refused"


class ApprovalMissing(SigningRefused):
    """A config says something new that two persons have not approved yet; what was said before goes on."""

    code = "approval_missing"


def write_whole(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Put `content` at `path` so that readers and a crash see the old file or the new one, never a part.

    mode: permission bits. Raises StoreFull when there is no space.
    """
    with _written_beside(path, content, mode) as temporary:
        temporary.replace(path)


def write_new(path: Path, content: bytes, mode: int = 0o644) -> bool:
    """`write_whole`, but False and nothing changed where something is at `path` already, however many try at once."""
    try:
        with _written_beside(path, content, mode) as temporary:
            os.link(temporary, path)
    except FileExistsError:
        return False
    return True


@contextmanager
def _written_beside(path: Path, content: bytes, mode: int) -> Iterator[Path]:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        descriptor = os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
        sync_folder(path.parent)
    except FileExistsError:
        raise
    except OSError as error:
        raise StoreFull(f"{path.name} cannot be written: {error.strerror}") from None
    finally:
        temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder outlast a power cut; what is in a file may be on disk before its name is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_secret(path: Path, shared: bool = False) -> bytes:
    """Return the content of a private file; raises KeyFileExposed when others may read it.

    shared: whether its group may, which `serve` gives to the one process beside the office that needs it.
    """
    mode = path.stat().st_mode & 0o777
    if mode & (0o037 if shared else 0o077):
        raise KeyFileExposed(f"{path.name} has permissions {mode:03o}, expected 600; it may have been read by others")
    return path.read_bytes()


def erase(path: Path) -> None:
    """Overwrite a private file and remove it; does nothing when it is gone already.

    Overwriting is the best a program can do: a copy may remain on a disk that writes elsewhere (flash).
    """
    try:
        with path.open("r+b") as file:
            file.write(os.urandom(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    except FileNotFoundError:
        return


WEEKS_AHEAD = 3
# The chaff key certifies nothing, so it need not change; a phone that kept an old config can still rehearse.
_NEVER = 2**32 - 1
# Upload certificates may be used a week longer than they are given out; gate tokens a day, because the week ends on
# Monday at 7 in the morning in Bắc Kạn, with the queue already standing.
_LONGER_SECONDS = {"upload": SECONDS_PER_WEEK, "gate": SECONDS_PER_DAY}
_WEEKLY: tuple[tuple[Purpose, int], ...] = (("upload", CONFIRMED_CLASS), ("upload", CLINICAL_CLASS), ("gate", 0))

INDEX_NAME = "week-keys.json"


class WeekKeyRing:
    """The week keys in a folder; processes that only sign see what another process has rotated."""

    def __init__(self, folder: Path, index_name: str = INDEX_NAME) -> None:
        self._folder = folder
        self._index_path = str(folder / index_name)
        self._lock = threading.Lock()
        self._read_at: tuple[int, int] | None = None
        self._last_kid = 0
        self._keys: dict[int, WeekKey] = {}
        self._private: dict[int, blindrsa.PrivateKey] = {}

    def all(self) -> tuple[WeekKey, ...]:
        """Every key whose private half still exists, by kid."""
        with self._lock:
            self._refresh()
            return tuple(self._keys[kid] for kid in sorted(self._keys))

    def newest_kid(self) -> int:
        """The highest number that was ever given to a key, 0 before the first."""
        with self._lock:
            self._refresh()
            return self._last_kid

    def announced(self, now: float) -> tuple[WeekKey, ...]:
        """The keys a config lists: this week's, the next three weeks', the chaff key, and gate keys while they hold."""
        start = week_start(now)
        return tuple(
            key for key in self.all()
            if key.purpose == "chaff" or key.use_from >= start or (key.purpose == "gate" and now < key.accept_until)
        )  # fmt: skip

    def find(self, kid: int) -> WeekKey | None:
        """The key that `kid` names, if there is one."""
        with self._lock:
            self._refresh()
            return self._keys.get(kid)

    def current(self, klass: int, now: float) -> WeekKey:
        """The key to certify a class with this week; the chaff key for class 0. Raises StoreDamaged without one."""
        start = week_start(now)
        for key in self.all():
            if key.klass == klass and (key.purpose == "chaff" or (key.purpose == "upload" and key.use_from == start)):
                return key
        raise StoreDamaged(f"no week key of class {klass} for {week_name(now)}; the tick has not run")

    def private(self, kid: int) -> blindrsa.PrivateKey:
        """The private half of a key that `find` returned."""
        with self._lock:
            if kid not in self._private:
                members = json.loads(read_secret(self._private_path(kid)))
                key = blindrsa.PrivateKey(**{name: int(value, 16) for name, value in members.items()})
                # Derived once here, not in the first request that signs.
                _ = key.crt
                self._private[kid] = key
            return self._private[kid]

    def blind_sign(self, kid: int, blinded: Sequence[bytes]) -> list[bytes]:
        """Sign blinded messages, each a number below the modulus, with a key that `find` returned."""
        private = self.private(kid)
        return [blindrsa.blind_sign(private, each) for each in blinded]

    def note_kids(self, kids: Iterable[int]) -> None:
        """Give no key a number again that stood in a config: of a restored folder its private half may be lost.

        Call it under the service's lock.
        """
        with self._lock:
            self._refresh()
            highest = max(kids, default=0)
            if highest > self._last_kid:
                self._last_kid = highest
                self._write_index()

    def rotate(self, now: float) -> None:
        """Make the keys of this week and the next three that are missing, and erase those no longer accepted.

        Call it under the service's lock.
        """
        with self._lock:
            self._refresh()
            start = week_start(now)
            if not any(key.purpose == "chaff" for key in self._keys.values()):
                self._make("chaff", CHAFF_CLASS, start, now)
            for week in range(start, start + (WEEKS_AHEAD + 1) * SECONDS_PER_WEEK, SECONDS_PER_WEEK):
                for purpose, klass in _WEEKLY:
                    made = {(key.purpose, key.klass, key.use_from) for key in self._keys.values()}
                    if (purpose, klass, week) not in made:
                        self._make(purpose, klass, week, now)
            for kid in [kid for kid, key in self._keys.items() if key.accept_until <= now]:
                del self._keys[kid]
                self._private.pop(kid, None)
                self._write_index()
                erase(self._private_path(kid))

    def public_index(self, known: tuple[int, int] | None) -> tuple[bytes | None, tuple[int, int] | None]:
        """The public halves as other processes read them, None if nothing has changed since `known`; and the state."""
        with self._lock:
            self._refresh()
            state = self._read_at
            return (None if state == known else self._members()), state

    def _make(self, purpose: Purpose, klass: int, use_from: int, now: float) -> None:
        private = blindrsa.generate()
        self._last_kid += 1
        if self._last_kid > 0xFFFF:
            raise StoreDamaged("all 65,535 numbers of week keys are used up")
        key = WeekKey(
            kid=self._last_kid,
            purpose=purpose,
            klass=klass,
            week=week_name(use_from),
            use_from=use_from,
            accept_until=_NEVER if purpose == "chaff" else use_from + SECONDS_PER_WEEK + _LONGER_SECONDS[purpose],
            announced_at=int(now),
            n=private.n,
            e=private.e,
        )
        members = {name: f"{getattr(private, name):x}" for name in ("n", "e", "d", "p", "q")}
        # The private half first: a crash in between leaves a file that the next key of this number replaces.
        write_whole(self._private_path(key.kid), json.dumps(members).encode(), mode=0o600)
        self._private.pop(key.kid, None)
        self._keys[key.kid] = key
        self._write_index()

    def _private_path(self, kid: int) -> Path:
        return self._folder / f"week-{kid}.json"

    def _write_index(self) -> None:
        write_whole(Path(self._index_path), self._members(), mode=0o600)
        self._read_at = self._state()

    def _members(self) -> bytes:
        return json.dumps({"last_kid": self._last_kid, "keys": [asdict(key) for key in self._keys.values()]}).encode()

    def _refresh(self) -> None:
        state = self._state()
        if state is None or state == self._read_at:
            return
        try:
            members: dict[str, Any] = json.loads(self._read_index())
            self._keys = {key["kid"]: WeekKey(**key) for key in members["keys"]}
            self._last_kid = int(members["last_kid"])
        except (ValueError, KeyError, TypeError):
            raise StoreDamaged(f"{INDEX_NAME} is not a list of week keys") from None
        self._private = {kid: key for kid, key in self._private.items() if kid in self._keys}
        self._read_at = state

    def _read_index(self) -> bytes:
        return read_secret(Path(self._index_path))

    def _state(self) -> tuple[int, int] | None:
        # Every change replaces the file, so its inode and time tell whether it is the one read.
        try:
            status = os.stat(self._index_path)  # asked at every request, and this is the quick way
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_mtime_ns


PEPPER_LENGTH = 32
# Of the signer of a `serve`, in the data folder.
SIGNER_FOLDER = "signer"
# Under which number the config lists the key of venue codes, and codes name it.
VENUE_KID = 1
VAPID_FILE = "vapid-p256.pem"
# What a verifier on a phone looks a key up by (docs/exposure-notification.md section 2, SignatureInfo).
EXPORT_KEY_VERSION = "v1"


class ExportKey(P256Signer, Protocol):
    """The private key of export files, or what asks the signer for its signatures."""

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """Its public half."""


@dataclass(frozen=True)
class SigningKeys:
    """What signs for phones: city key, export key, week keys; where there is a signer, it alone has them."""

    signing_key: Ed25519Signer
    export_key: ExportKey
    week_keys: WeekKeyRing

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    @property
    def city_key(self) -> bytes:
        """The city's public key, 32 bytes."""
        return self.signing_key.public_key().public_bytes_raw()

    @property
    def export_public_pem(self) -> str:
        """The public key of export files, as the config lists it."""
        public = self.export_key.public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def export_signature_info(self) -> SignatureInfo:
        """How export files name the key that signed them."""
        return signature_info(self.export_key.public_key())


def signature_info(public: ec.EllipticCurvePublicKey) -> SignatureInfo:
    """How export files name a key; the id is its fingerprint."""
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return SignatureInfo(hashlib.sha256(der).hexdigest()[:16], EXPORT_KEY_VERSION)


@dataclass(frozen=True)
class Pepper:
    """The secret with which codes are hashed and sealed; it is not printed. value: 32 bytes."""

    value: bytes = field(repr=False)

    def credential_hash(self, credential: Credential) -> bytes:
        """The 32 bytes under which the codes store knows a credential: HMAC(pepper, kind || cred)."""
        return hmac.digest(self.value, bytes([credential.kind]) + credential.value, "sha256")

    def case_key(self, credential: Credential, handle: bytes) -> bytes:
        """The 32 bytes that seal what a code is worth; they cannot be made without the code itself.

        handle: of the code's row, 16 bytes, so that digits that are drawn again have another key.
        """
        message = b"BZ-CASE\0" + handle + bytes([credential.kind]) + credential.value
        return hmac.digest(self.value, message, "sha256")

    def derived(self, purpose: str) -> bytes:
        """A key of 32 bytes for another purpose, the same in every process of this service."""
        return hmac.digest(self.value, b"BZ-DERIVED\0" + purpose.encode(), "sha256")


@dataclass(frozen=True, repr=False)
class Secrets(SigningKeys):
    """Everything in `<data>/keys`; none of it is printed."""

    venue_key: Ed25519PrivateKey
    push_key: ec.EllipticCurvePrivateKey
    pepper: Pepper

    @property
    def venue_keys(self) -> dict[str, str]:
        """Public keys of venue codes by number, as the config lists them."""
        return {str(VENUE_KID): self.venue_key.public_key().public_bytes_raw().hex()}

    @property
    def push_public(self) -> str:
        """The public key of Web Push, as the config and browsers want it: uncompressed point, base64url."""
        point = self.push_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


def open_secrets(folder: Path, signing: SigningKeys | None = None) -> Secrets:
    """Read the secrets in `folder`, making those that are missing.

    signing: the keys that sign for phones where they are not in the folder.
    Call it under the service's lock, so that two processes do not make two. Raises KeyFileExposed, StoreDamaged.
    """
    signing = signing or open_signing_keys(signing_folder(folder))
    venue = _private_key(folder / "venue-ed25519.pem", Ed25519PrivateKey.generate, Ed25519PrivateKey)
    push = _private_key(folder / VAPID_FILE, _new_p256, ec.EllipticCurvePrivateKey)
    pepper = open_pepper(folder)
    return Secrets(signing.signing_key, signing.export_key, signing.week_keys, venue, push, pepper)


def open_pepper(folder: Path) -> Pepper:
    """Read the pepper of codes, making it where it is missing; otherwise as `open_secrets`."""
    path = folder / "pepper"
    if not path.exists():
        write_whole(path, os.urandom(PEPPER_LENGTH), mode=0o600)
    # Where stores have users of their own, the process of codes reads it by its group.
    pepper = read_secret(path, shared=(folder.parent / STORES_FOLDER).is_dir())
    if len(pepper) != PEPPER_LENGTH:
        raise StoreDamaged(f"{folder.name} holds keys of another kind than expected")
    return Pepper(pepper)


def random_pepper() -> Pepper:
    """A pepper of one process that has no codes: it authenticates its puzzles while it runs."""
    return Pepper(os.urandom(PEPPER_LENGTH))


def signing_folder(folder: Path) -> Path:
    """Where the keys that sign for phones are: in this folder of keys, or where `serve` gave them to its signer."""
    own = folder.parent / SIGNER_FOLDER / "keys"
    return own if own.is_dir() else folder


def open_signing_keys(folder: Path) -> SigningKeys:
    """Read the keys that sign for phones, making those that are missing; otherwise as `open_secrets`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    signing = _private_key(folder / "signing-ed25519.pem", Ed25519PrivateKey.generate, Ed25519PrivateKey)
    export = _private_key(folder / "export-p256.pem", _new_p256, ec.EllipticCurvePrivateKey)
    return SigningKeys(signing, export, WeekKeyRing(folder))


def _new_p256() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _private_key(path: Path, generate: Callable[[], Any], kind: type) -> Any:
    def new_pem() -> bytes:
        pem = generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        assert isinstance(pem, bytes)
        return pem

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        key = load_pem_private_key(_made_once(path, new_pem), password=None)
    except ValueError:
        raise StoreDamaged(f"{path.name} is not a private key in PEM") from None
    if not isinstance(key, kind):
        raise StoreDamaged(f"{path.parent.name} holds keys of another kind than expected")
    return key


def _made_once(path: Path, make: Callable[[], bytes]) -> bytes:
    if not path.exists():
        write_whole(path, make(), mode=0o600)
    return read_secret(path)
