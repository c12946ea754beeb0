# SPDX-License-Identifier: Apache-2.0
"""The keys of each week, which blindly sign certificates of uploads and gate tokens."""

import json
import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bluezone.keyserver.securefiles import erase_file, read_secret, write_atomically
from bluezone.keyserver.storage.store import StoreDamaged
from bluezone.protocol import blindrsa
from bluezone.protocol.intervals import SECONDS_PER_DAY, SECONDS_PER_WEEK, week_name, week_start
from bluezone.protocol.signed.config import Purpose, WeekKey
from bluezone.protocol.upload import CLINICAL_CLASS, CONFIRMED_CLASS, REHEARSAL_CLASS, Status
from bluezone.protocol.upload.slips import SlipUse

WEEKS_AHEAD = 3
# The end of the chaff key. It only signs for rehearsals, so it never changes, and phones with an old config can use it.
_NEVER = 2**32 - 1
# Upload certificates are accepted a week longer than they are issued; gate tokens a day, because the week ends on
# Monday at 7 in the morning in Bắc Kạn, when people already queue.
_LONGER_SECONDS = {"upload": SECONDS_PER_WEEK, "gate": SECONDS_PER_DAY}
_WEEKLY: tuple[tuple[Purpose, int], ...] = (("upload", CONFIRMED_CLASS), ("upload", CLINICAL_CLASS), ("gate", 0))

INDEX_NAME = "week-keys.json"


class WeekKeyRing:
    """The week keys in a folder, read again when another process has changed them."""

    def __init__(self, folder: Path, index_name: str = INDEX_NAME) -> None:
        self._folder = folder
        self._index_path = str(folder / index_name)
        self._lock = threading.Lock()
        self._read_at: tuple[int, int] | None = None
        self._last_kid = 0
        self._keys: dict[int, WeekKey] = {}
        self._private: dict[int, blindrsa.PrivateKey] = {}

    def all(self) -> tuple[WeekKey, ...]:
        """Every key that still has its private half, by kid."""
        with self._lock:
            self._refresh()
            return tuple(self._keys[kid] for kid in sorted(self._keys))

    def newest_kid(self) -> int:
        """The highest number that was ever given to a key, 0 before the first."""
        with self._lock:
            self._refresh()
            return self._last_kid

    def announced_keys(self, now: float) -> tuple[WeekKey, ...]:
        """The keys for a config: this and the next three weeks', the chaff key, and gate keys while they are valid."""
        start = week_start(now)
        return tuple(
            key for key in self.all()
            if key.purpose == "chaff" or key.use_from >= start or (key.purpose == "gate" and now < key.accept_until)
        )  # fmt: skip

    def find_key(self, kid: int) -> WeekKey | None:
        """The key that `kid` names, if there is one."""
        with self._lock:
            self._refresh()
            return self._keys.get(kid)

    def current_key(self, klass: int, now: float) -> WeekKey:
        """The key that certifies a class this week; for class 0 the chaff key. Raises StoreDamaged if it is missing."""
        start = week_start(now)
        for key in self.all():
            if key.klass == klass and (key.purpose == "chaff" or (key.purpose == "upload" and key.use_from == start)):
                return key
        raise StoreDamaged(f"no week key of class {klass} for {week_name(now)}; the tick has not run")

    def private_key(self, kid: int) -> blindrsa.PrivateKey:
        """The private half of a key that `find_key` returned."""
        with self._lock:
            if kid not in self._private:
                members = json.loads(read_secret(self._private_path(kid)))
                key = blindrsa.PrivateKey(**{name: int(value, 16) for name, value in members.items()})
                # Cached here, so that the first request that signs does not take longer.
                _ = key.crt
                self._private[kid] = key
            return self._private[kid]

    def blind_sign(self, kid: int, blinded: Sequence[bytes]) -> list[bytes]:
        """Sign blinded messages, each a number below the modulus, with a key that `find_key` returned."""
        private = self.private_key(kid)
        return [blindrsa.blind_sign(private, each) for each in blinded]

    def use_slip(self, _use: SlipUse) -> tuple[Status, bytes]:
        """Use a slip of a code book: the blind signature if the status is OK. Without a signer there are no books."""
        return Status.CODE_INVALID, b""

    def note_kids(self, kids: Iterable[int]) -> None:
        """Reserve the kids in a config, so that no new key gets one of them.

        After a restore, keys of a published config may be missing here. Call it under the service's lock.
        """
        with self._lock:
            self._refresh()
            highest = max(kids, default=0)
            if highest > self._last_kid:
                self._last_kid = highest
                self._write_index()

    def rotate_week_keys(self, now: float) -> None:
        """Make the keys of this week and the next three that are missing, and erase those no longer accepted.

        Call it under the service's lock.
        """
        with self._lock:
            self._refresh()
            start = week_start(now)
            if not any(key.purpose == "chaff" for key in self._keys.values()):
                self._make("chaff", REHEARSAL_CLASS, start, now)
            for week in range(start, start + (WEEKS_AHEAD + 1) * SECONDS_PER_WEEK, SECONDS_PER_WEEK):
                for purpose, klass in _WEEKLY:
                    made = {(key.purpose, key.klass, key.use_from) for key in self._keys.values()}
                    if (purpose, klass, week) not in made:
                        self._make(purpose, klass, week, now)
            for kid in [kid for kid, key in self._keys.items() if key.accept_until <= now]:
                del self._keys[kid]
                self._private.pop(kid, None)
                self._write_index()
                erase_file(self._private_path(kid))

    def public_index(self, known: tuple[int, int] | None) -> tuple[bytes | None, tuple[int, int] | None]:
        """The public halves as JSON, None if they have not changed since state `known`; and the current state."""
        with self._lock:
            self._refresh()
            state = self._read_at
            members = None if state == known else self._members()
            return members, state

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
        # The private half is written first: a crash leaves a file that the next key with this number replaces.
        write_atomically(self._private_path(key.kid), json.dumps(members).encode(), mode=0o600)
        self._private.pop(key.kid, None)
        self._keys[key.kid] = key
        self._write_index()

    def _private_path(self, kid: int) -> Path:
        return self._folder / f"week-{kid}.json"

    def _write_index(self) -> None:
        write_atomically(Path(self._index_path), self._members(), mode=0o600)
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
        """Inode and time of the index, which every change replaces; None if there is none."""
        try:
            # Called for every request; `os.stat` of a text is faster than `Path.stat`.
            status = os.stat(self._index_path)
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_mtime_ns
