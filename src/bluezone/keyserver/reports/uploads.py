# SPDX-License-Identifier: Apache-2.0
"""The third call of a report: keys with a certificate, checked and stored without anything that tells whose they are.

No key is taken twice, under whatever day it says it is of, and however many come at once.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bluezone.keyserver.reports.limits import Limits
from bluezone.keyserver.secrets.weekkeys import WeekKeyRing
from bluezone.keyserver.storage.store import Store, Transaction, key_prefix
from bluezone.keyserver.venues.items import keep_items
from bluezone.protocol.blindrsa import PublicKey, verify
from bluezone.protocol.intervals import day_at, hour_at
from bluezone.protocol.signed.config import WeekKey
from bluezone.protocol.upload import (
    CONFIRMED_CLASS,
    KeysRefused,
    Status,
    UploadAnswer,
    UploadRequest,
    check_keys,
    check_slots,
    commitment,
)

# Sorted, so that two uploads with keys in common wait for each other in one direction only.
_LOCK = "SELECT pg_advisory_xact_lock(prefix) FROM unnest(?::bigint[]) AS prefix"
# A statement of its own: it sees what was committed while the one before waited.
_LOOK = "SELECT 1 FROM known_key WHERE prefix = ANY(?::bigint[]) LIMIT 1"


def remember(transaction: Transaction, keys: Sequence[tuple[int, int]]) -> bool:
    """Write keys down as known; False, and the transaction is to be undone, if one of them was here before.

    keys: pairs of prefix (`store.key_prefix`) and first interval.
    """
    if transaction.dialect == "postgresql":
        prefixes = sorted(prefix for prefix, _ in keys)
        transaction.execute(_LOCK, (prefixes,))
        if transaction.execute(_LOOK, (prefixes,)):
            return False
    added = transaction.execute_each("INSERT INTO known_key VALUES (?, ?) ON CONFLICT DO NOTHING", keys)
    return added == len(keys)


@dataclass(frozen=True)
class Uploads:
    """What takes the uploads of a city. store: of keys; clock: Unix seconds."""

    store: Store
    week_keys: WeekKeyRing
    limits: Limits
    clock: Callable[[], float]

    def take(self, request: UploadRequest, network: bytes) -> UploadAnswer:
        """Take the keys of one case; the same upload again answers OK and changes nothing.

        network: where the request came from, as `limits.network_of` returns it.
        """
        challenge = self.limits.challenge_for(network, request.challenge, request.nonce)
        if challenge is not None:
            return UploadAnswer(status=Status.PUZZLE_REQUIRED, challenge=challenge)
        status = self._status(request)
        self.limits.count(network, status in (Status.SIGNATURE_INVALID, Status.KID_REFUSED), request.chaff)
        return UploadAnswer(status=status)

    def _status(self, request: UploadRequest) -> Status:
        digest = hashlib.sha256(request.signature).digest()
        status = self._checked_and_stored(request, digest)
        # A spent certificate answers OK whatever else is wrong by now (its week may be over, its keys are known). That
        # is asked only if something is wrong: an upload that passes every check meets the same row when it is stored.
        if status is not Status.OK and self.store.read("SELECT 1 FROM spent WHERE digest = ?", (digest,)):
            return Status.OK
        return status

    def _checked_and_stored(self, request: UploadRequest, digest: bytes) -> Status:
        now = self.clock()
        key = self.week_keys.find(request.kid)
        if key is None or key.purpose != ("chaff" if request.chaff else "upload") or not _in_use(key, now):
            return Status.KID_REFUSED
        signed = request.rand + commitment(request.salt, request.keys, request.slots)
        if not verify(PublicKey(key.n, key.e), signed, request.signature):
            return Status.SIGNATURE_INVALID
        try:
            check_keys(request.keys, day_at(now))
            check_slots(request.slots, int(now))
            self.store.write_alike(
                lambda transaction: _store(transaction, request, key, digest, now), keep=not request.chaff
            )
        except KeysRefused:
            return Status.KEYS_REFUSED
        return Status.OK


def _in_use(key: WeekKey, now: float) -> bool:
    return key.use_from <= now < key.accept_until


def _store(transaction: Transaction, request: UploadRequest, key: WeekKey, digest: bytes, now: float) -> None:
    fresh = transaction.execute(
        "INSERT INTO spent (digest, accept_until) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING 1",
        (digest, key.accept_until),
    )
    if not fresh:
        # The same upload came twice at once, and the other one is taken.
        return
    # A rehearsal stores under a class that the table accepts, and is undone.
    klass = key.klass or CONFIRMED_CLASS
    if request.keys:
        known = [(key_prefix(k.key), k.start) for k in request.keys]
        if not remember(transaction, known):
            raise KeysRefused("a key is stored or published already")
        waiting = [(k.start, k.key, k.level, klass, hour_at(now)) for k in request.keys]
        transaction.execute_each("INSERT INTO waiting_key VALUES (?, ?, ?, ?, ?)", waiting)
    if request.slots:
        keep_items(transaction, request.slots, klass)
    transaction.execute(
        "INSERT INTO upload_count VALUES (?, ?, 1)"
        " ON CONFLICT (day, class) DO UPDATE SET uploads = upload_count.uploads + 1",
        (day_at(now), klass),
    )
