# SPDX-License-Identifier: Apache-2.0
"""The signer as a process: a socket on which other users of this machine ask, each for what is theirs to ask.

Bodies are bounded before they are read, a slow one is cut off, and a user holds so many connections and no more.
"""

import json
import logging
import os
import pwd
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bluezone.keyserver.keyfolder import SignerAway, SigningRefused, open_signing_keys, write_whole
from bluezone.keyserver.signer.channel import Listener
from bluezone.keyserver.signer.client import BLINDED_BYTES, KID, MOST_BYTES, Ask
from bluezone.keyserver.signer.record import Record
from bluezone.keyserver.signer.rules import CONFIG, KINDS, Limits, Signer, kind_of_message
from bluezone.keyserver.signer.token import TokenKeys
from bluezone.keyserver.storage.store import StoreRefused
from bluezone.logs import event
from bluezone.refusal import Refused

logger = logging.getLogger(__name__)

MOST_CONNECTIONS = 256


@dataclass(frozen=True)
class Rights:
    """What a user may ask. kinds: what he may have signed, or show as signed elsewhere."""

    asks: frozenset[Ask]
    kinds: frozenset[str] = frozenset()

    def __or__(self, other: "Rights") -> "Rights":
        return Rights(self.asks | other.asks, self.kinds | other.kinds)


_OF_CONFIGS = Rights(frozenset({Ask.SIGN, Ask.CATCH_UP, Ask.ROTATE, Ask.KIDS}), frozenset({CONFIG}))
_OF_FILES = Rights(frozenset({Ask.SIGN, Ask.CATCH_UP, Ask.EXPORT}), KINDS - {CONFIG})
# Who may ask for what, beside what everybody who may connect is told or may bring.
ROLES: dict[str, Rights] = {
    "reports": Rights(frozenset({Ask.BLIND})),
    "configs": _OF_CONFIGS,
    "files": _OF_FILES,
    # Where one process makes both.
    "publication": _OF_CONFIGS | _OF_FILES,
    # Told the public halves, and nothing more.
    "keys": Rights(frozenset()),
}
_EVERYBODY = Rights(frozenset({Ask.OPEN, Ask.WAITING, Ask.APPROVE}))
EVERYTHING = Rights(frozenset(Ask), KINDS)


class SignerUserUnknown(Refused):
    """`--allow` names a role that there is not, or a user that this machine does not have."""

    code = "signer_user_unknown"


def allowed_users(named: Sequence[str]) -> dict[int, Rights]:
    """What each user may ask, by uid. named: `ROLE=USER`; none: the user of this process alone, everything.

    Raises SignerUserUnknown.
    """
    if not named:
        return {os.getuid(): EVERYTHING}
    allowed: dict[int, Rights] = {}
    for text in named:
        role, _, user = text.partition("=")
        try:
            uid = int(user) if user.isdigit() else pwd.getpwnam(user).pw_uid
            allowed[uid] = allowed.get(uid, _EVERYBODY) | ROLES[role]
        except KeyError:
            raise SignerUserUnknown(f"got {text!r}, expected one of {', '.join(ROLES)}=USER") from None
    return allowed


class Daemon:
    """A signer on its socket.

    keys: folder of the private keys. state: folder of its record and settings. path: of the socket. city: folder whose
    city.toml says what signer.toml does not. allowed: what each user may ask, by uid.
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
        self._keys, self._state, self._path, self._city = keys, state, path, city
        self._allowed, self._clock = allowed, clock
        self._signer: Signer | None = None
        self._opening = threading.Lock()
        self._published: tuple[int, int] | None = None
        self._publishing = threading.Lock()
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A record that was tampered with is said at the start, before anybody asks.
        with Record(state).turn():
            pass
        Limits.read(state, city)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        most_each = MOST_CONNECTIONS // max(1, len(allowed))
        self._listener = Listener(path, allowed, most_each, _longest, self._answer, _note_refused)

    def stop(self) -> None:
        """Let `run` end."""
        self._listener.stop()

    def run(self, alive: Callable[[], object] = lambda: None) -> None:
        """Answer until `stop`. alive: called at each look."""

        def look() -> None:
            alive()
            try:
                self._publish()
            except (StoreRefused, OSError) as error:
                # A full disk: it signs with the keys that it has, and tries again at the next look.
                logger.warning(
                    "signer: week keys cannot be shown: %s", error, extra=event("signer_failed", ask="rotate")
                )

        self._listener.run(look)

    def _answer(self, first: int, body: bytes, uid: int) -> tuple[int, bytes]:
        what = Ask(first)
        try:
            rights = self._allowed[uid]
            if what not in rights.asks or (what in _KIND_OF and _KIND_OF[what](body) not in rights.kinds):
                raise SigningRefused(f"user {uid} may not ask for this")
            return 0, self._do(what, body)
        except Refused as refused:
            said = event("signing_refused", ask=what.name.lower(), code=refused.code, uid=uid)
            logger.warning("signer: %s: %s", refused.code, refused.message, extra=said)
            told = {"code": refused.code, "message": refused.message}
        except OSError as error:
            # Its disk is full, or not there: what was asked for may be in the record, and is asked for again.
            name = what.name.lower()
            logger.exception("signer: %s failed", name, extra=event("signer_failed", ask=name))
            told = {"code": SignerAway.code, "message": f"the signer cannot note what it signs: {error.strerror}"}
        except Exception as error:
            # Hostile bytes end nothing but their own request.
            name = what.name.lower()
            logger.exception("signer: %s failed", name, extra=event("signer_failed", ask=name))
            told = {"code": "signing_refused", "message": f"the signer failed: {type(error).__name__}"}
        return 1, json.dumps(told).encode()

    def _do(self, what: Ask, body: bytes) -> bytes:
        if what is Ask.WAITING:
            # Whoever looks for a signer asks this first, and has no turn in which keys may be made.
            return json.dumps(self._signer.waiting() if self._signer else {}).encode()
        signer = self._opened()
        if what is Ask.BLIND:
            kid, rest = body[: KID.size], body[KID.size :]
            if len(kid) < KID.size or not rest or len(rest) % BLINDED_BYTES:
                raise SigningRefused("not a batch of blinded messages")
            blinded = [rest[at : at + BLINDED_BYTES] for at in range(0, len(rest), BLINDED_BYTES)]
            return b"".join(signer.blind_sign(KID.unpack(kid)[0], blinded))
        if what is Ask.SIGN:
            return signer.sign(body)
        if what is Ask.EXPORT:
            return signer.sign_export(body)
        if what is Ask.CATCH_UP:
            kind, _, file = body.partition(b"\0")
            signer.catch_up(kind.decode("ascii", "replace"), file)
        elif what is Ask.ROTATE:
            signer.rotate()
            self._publish()
        elif what is Ask.KIDS:
            try:
                signer.note_kids(list(json.loads(body)))
            except (ValueError, TypeError):
                raise SigningRefused("not a list of numbers") from None
            self._publish()
        elif what is Ask.APPROVE:
            signer.approve(body)
        elif what is Ask.OPEN:
            self._publish()
            return json.dumps(signer.public_halves()).encode()
        return b""

    def _opened(self) -> Signer:
        """The signer, its keys read or made when it is asked for the first time: then whoever asks has the turn."""
        with self._opening:
            if self._signer is None:
                limits = Limits.read(self._state, self._city)
                keys = TokenKeys(limits.token, self._keys) if limits.token else open_signing_keys(self._keys)
                self._signer = Signer(keys, Record(self._state), limits, self._clock)
                self._publish()
            return self._signer

    def _publish(self) -> None:
        """Put the public halves of the week keys where others read them, whoever has changed the keys."""
        if self._signer is None:
            return
        with self._publishing:
            content, changed = self._signer.week_keys.public_index(self._published)
            if content is not None:
                path = self._path.with_suffix(".json")
                aside = path.with_suffix(".new")
                write_whole(aside, content)
                # Whatever this process is told to keep from others (umask), these are public.
                aside.chmod(0o644)
                aside.replace(path)
                self._published = changed


# What is told apart by its kind: a message to be signed, and a file that was signed elsewhere.
_KIND_OF: dict[Ask, Callable[[bytes], str]] = {
    Ask.SIGN: kind_of_message,
    Ask.CATCH_UP: lambda body: body.partition(b"\0")[0].decode("ascii", "replace"),
}


def _longest(first: int) -> int:
    return MOST_BYTES[Ask(first)] if first in MOST_BYTES else -1


def _note_refused(uid: int) -> None:
    logger.warning("signer: a connection of user %d was refused", uid, extra=event("signer_peer_refused", uid=uid))
