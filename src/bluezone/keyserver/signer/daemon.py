# SPDX-License-Identifier: Apache-2.0
"""The signer as a process, with a socket for other users of this machine. Each user has its own rights.

The length of a body is checked before it is read, slow bodies are cut off, and the connections of a user are limited.
"""

import json
import logging
import os
import pwd
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bluezone.keyserver.keys.keyfolder import SignerAway, SigningRefused, open_signing_keys
from bluezone.keyserver.securefiles import write_atomically
from bluezone.keyserver.signer.books import Books
from bluezone.keyserver.signer.channel import Listener
from bluezone.keyserver.signer.client import BLINDED_BYTES, KID, LONGEST_BODIES, Operation
from bluezone.keyserver.signer.record import Record
from bluezone.keyserver.signer.rules import CONFIG, KINDS, Limits, Signer, kind_of_message
from bluezone.keyserver.signer.token import TokenKeys
from bluezone.keyserver.storage.store import StoreRefused
from bluezone.logs import event_fields
from bluezone.protocol.upload import Status
from bluezone.protocol.upload.slips import SlipUse
from bluezone.refusal import Refused

logger = logging.getLogger(__name__)

MOST_CONNECTIONS = 256


# How to read the kind of a message to be signed, and of a file that was signed elsewhere.
_KIND_OF: dict[Operation, Callable[[bytes], str]] = {
    Operation.SIGN: kind_of_message,
    Operation.CATCH_UP: lambda body: body.partition(b"\0")[0].decode("ascii", "replace"),
}


@dataclass(frozen=True)
class Rights:
    """What a user may request. kinds: what the user may have signed, or show as signed elsewhere."""

    operations: frozenset[Operation]
    kinds: frozenset[str] = frozenset()

    def __or__(self, other: "Rights") -> "Rights":
        return Rights(self.operations | other.operations, self.kinds | other.kinds)


_OF_REPORTS = frozenset({Operation.BLIND, Operation.SLIP})
_OF_BOOKS = frozenset({Operation.REGISTER_BOOK, Operation.REVOKE_SLIPS, Operation.SPENT})
_OF_CONFIGS = Rights(
    frozenset({Operation.SIGN, Operation.CATCH_UP, Operation.ROTATE, Operation.KIDS}) | _OF_BOOKS, frozenset({CONFIG})
)
_OF_FILES = Rights(
    frozenset({Operation.SIGN, Operation.CATCH_UP, Operation.EXPORT, Operation.LOG_SIZE, Operation.LAST}),
    KINDS - {CONFIG},
)
# The rights of each role, in addition to those of every user who may connect.
ROLES: dict[str, Rights] = {
    "reports": Rights(_OF_REPORTS),
    "configs": _OF_CONFIGS,
    "files": _OF_FILES,
    # For a process that makes both.
    "publication": _OF_CONFIGS | _OF_FILES,
    # Gets the public halves, nothing else.
    "keys": Rights(frozenset()),
}
_OF_EVERY_USER = Rights(frozenset({Operation.OPEN, Operation.WAITING, Operation.APPROVE}))
EVERYTHING = Rights(frozenset(Operation), KINDS)


class SignerUserUnknown(Refused):
    """`--allow` names an unknown role, or a user that this machine does not have."""

    code = "signer_user_unknown"


def allowed_users(named: Sequence[str]) -> dict[int, Rights]:
    """The rights of each user, by uid; users that are not in it may not connect.

    named: texts `ROLE=USER`. If it is empty, the user of this process has all rights. Raises SignerUserUnknown.
    """
    if not named:
        return {os.getuid(): EVERYTHING}
    allowed: dict[int, Rights] = {}
    for text in named:
        role, _, user = text.partition("=")
        try:
            uid = int(user) if user.isdigit() else pwd.getpwnam(user).pw_uid
            allowed[uid] = allowed.get(uid, _OF_EVERY_USER) | ROLES[role]
        except KeyError:
            raise SignerUserUnknown(f"got {text!r}, expected one of {', '.join(ROLES)}=USER") from None
    return allowed


class Daemon:
    """A signer on its socket.

    keys: folder of the private keys. state: folder of the record and of signer.toml. path: the socket's. city: folder
    of city.toml, which has the defaults for signer.toml. allowed: the rights of each user, by uid.
    """

    def __init__(
        self,
        keys: Path,
        state: Path,
        path: Path,
        city: Path,
        allowed: Mapping[int, Rights],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._state = state
        self._path = path
        self._city = city
        self._allowed = allowed
        self._clock = clock
        self._signer: Signer | None = None
        self._opening = threading.Lock()
        self._published: tuple[int, int] | None = None
        self._publishing = threading.Lock()
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A record that was tampered with is refused at the start, before any request.
        with Record(state).turn():
            pass
        limits = Limits.read(state, city)
        self._books = Books(state, limits.book_makers, limits.slip_certificates_a_day, clock)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        most_each = MOST_CONNECTIONS // max(1, len(allowed))
        self._listener = Listener(path, allowed, most_each, _longest, self._answer, _note_refused)

    def stop(self) -> None:
        """Let `run` end."""
        self._listener.stop()

    def run(self, alive: Callable[[], object] = lambda: None) -> None:
        """Answer until `stop`. alive: called in each round."""

        def look() -> None:
            alive()
            try:
                self._books.tidy()
                self._publish()
            except (StoreRefused, OSError) as error:
                # The disk is full, for example. The signer continues with the keys that it has shown before.
                logger.warning(
                    "signer: its folder cannot be written: %s", error, extra=event_fields("signer_failed", ask="rotate")
                )

        self._listener.run(look)

    def _answer(self, first: int, body: bytes, uid: int) -> tuple[int, bytes]:
        what = Operation(first)
        try:
            rights = self._allowed[uid]
            if what not in rights.operations or (what in _KIND_OF and _KIND_OF[what](body) not in rights.kinds):
                raise SigningRefused(f"user {uid} may not request this")
            return 0, self._do(what, body)
        except Refused as refused:
            details = event_fields("signing_refused", ask=what.name.lower(), code=refused.code, uid=uid)
            logger.warning("signer: %s: %s", refused.code, refused.message, extra=details)
            failure = {"code": refused.code, "message": refused.message}
        except OSError as error:
            # The disk is full or away. The caller repeats the request later, even if the record already contains it.
            name = what.name.lower()
            logger.exception("signer: %s failed", name, extra=event_fields("signer_failed", ask=name))
            failure = {"code": SignerAway.code, "message": f"the signer cannot note what it signs: {error.strerror}"}
        except Exception as error:
            # Hostile bytes end only their own request.
            name = what.name.lower()
            logger.exception("signer: %s failed", name, extra=event_fields("signer_failed", ask=name))
            failure = {"code": "signing_refused", "message": f"the signer failed: {type(error).__name__}"}
        return 1, json.dumps(failure).encode()

    def _do(self, what: Operation, body: bytes) -> bytes:
        if what is Operation.WAITING:
            # Processes that look for a signer call this without the turn, so it must not make keys.
            return json.dumps(self._signer.waiting_configs() if self._signer else {}).encode()
        signer = self._opened()
        if what in _OF_REPORTS | _OF_BOOKS:
            return self._do_for_reports(what, body, signer)
        if what is Operation.SIGN:
            return signer.sign(body)
        if what is Operation.EXPORT:
            return signer.sign_export(body)
        if what is Operation.LOG_SIZE:
            return str(signer.log_size()).encode()
        if what is Operation.LAST:
            return json.dumps(signer.last_signed()).encode()
        if what is Operation.CATCH_UP:
            kind, _, file = body.partition(b"\0")
            signer.catch_up(kind.decode("ascii", "replace"), file)
        elif what is Operation.ROTATE:
            signer.rotate_week_keys()
            self._publish()
        elif what is Operation.KIDS:
            _note_kids(signer, body)
            self._publish()
        elif what is Operation.APPROVE:
            signer.approve(body)
        elif what is Operation.OPEN:
            self._publish()
            return json.dumps(signer.public_halves()).encode()
        return b""

    def _do_for_reports(self, what: Operation, body: bytes, signer: Signer) -> bytes:
        if what is Operation.BLIND:
            return _blind_sign(signer, body)
        if what is Operation.SLIP:
            return _use_slip(signer, self._books, body)
        if what is Operation.REGISTER_BOOK:
            return self._books.register(body, signer.city_key).encode()
        if what is Operation.REVOKE_SLIPS:
            return str(self._books.revoke(body, signer.city_key)).encode()
        return b"".join(self._books.spent_keys(body.decode("ascii", "replace")))

    def _opened(self) -> Signer:
        """The signer; the first call, from a process that has the turn, reads or makes its keys."""
        with self._opening:
            if self._signer is None:
                limits = Limits.read(self._state, self._city)
                keys = TokenKeys(limits.token, self._keys) if limits.token else open_signing_keys(self._keys)
                self._signer = Signer(keys, Record(self._state), limits, self._clock, self._books.end_open_books)
                self._publish()
            return self._signer

    def _publish(self) -> None:
        """Write the public halves of the week keys for other processes, if any process has changed the keys."""
        if self._signer is None:
            return
        with self._publishing:
            content, changed = self._signer.week_keys.public_index(self._published)
            if content is not None:
                path = self._path.with_suffix(".json")
                new_path = path.with_suffix(".new")
                write_atomically(new_path, content)
                # Readable for all users, whatever the umask of this process.
                new_path.chmod(0o644)
                new_path.replace(path)
                self._published = changed


def _blind_sign(signer: Signer, body: bytes) -> bytes:
    kid = body[: KID.size]
    batch = body[KID.size :]
    if len(kid) < KID.size or not batch or len(batch) % BLINDED_BYTES:
        raise SigningRefused("not a batch of blinded messages")
    blinded = [batch[start : start + BLINDED_BYTES] for start in range(0, len(batch), BLINDED_BYTES)]
    return b"".join(signer.blind_sign(KID.unpack(kid)[0], blinded))


def _use_slip(signer: Signer, books: Books, body: bytes) -> bytes:
    try:
        use = SlipUse.from_bytes(body)
    except Refused:
        return bytes([Status.BAD_REQUEST])
    week_key = signer.certifying_key(use.kid)
    sign = partial(_blind_sign_one, signer, use)
    status, signature = books.use_slip(use, week_key, sign, takes_more=signer.takes_certificates())
    return bytes([status]) + signature


def _blind_sign_one(signer: Signer, use: SlipUse) -> bytes:
    return signer.blind_sign(use.kid, [use.blinded])[0]


def _note_kids(signer: Signer, body: bytes) -> None:
    try:
        signer.note_kids(list(json.loads(body)))
    except (ValueError, TypeError):
        raise SigningRefused("not a list of numbers") from None


def _longest(first: int) -> int:
    return LONGEST_BODIES[Operation(first)] if first in LONGEST_BODIES else -1


def _note_refused(uid: int) -> None:
    logger.warning(
        "signer: a connection of user %d was refused", uid, extra=event_fields("signer_peer_refused", uid=uid)
    )
