# SPDX-License-Identifier: Apache-2.0
"""Accept a phone's upload: keys and slots with a certificate. Nothing is stored that connects them with a person.

Rules: docs/rules/key-validation.md.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from bluezone.keyserver.keys.weekkeys import WeekKeyRing
from bluezone.keyserver.limits.limits import Limits
from bluezone.keyserver.storage.store import Store, Transaction, key_prefix
from bluezone.keyserver.venues.items import store_items
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

Call = tuple[UploadRequest, bytes]
StoreUpload = Callable[[Transaction], None]


def add_known_keys(transaction: Transaction, keys: Sequence[tuple[int, int]]) -> bool:
    """Note keys as known; False if one of them was known before, and the transaction has to be undone.

    keys: pairs of prefix (`store.key_prefix`) and first interval. A prefix is unique over all days: if another
    transaction is adding the same prefix, this one waits for its end.
    """
    # Sorted, so that two uploads with the same keys cannot wait for each other.
    added = transaction.execute_each("INSERT INTO known_key VALUES (?, ?) ON CONFLICT DO NOTHING", sorted(keys))
    return added == len(keys)


@dataclass(frozen=True)
class Uploads:
    """Accepts the uploads of a city. store: of keys; clock: Unix seconds."""

    store: Store
    week_keys: WeekKeyRing
    limits: Limits
    clock: Callable[[], float]

    def accept_upload(self, request: UploadRequest, network: bytes) -> UploadAnswer:
        """Accept the keys and slots of one case; the same upload again is answered OK and changes nothing.

        network: where the request came from, as `networks.network_of` returns it.
        """
        (answer,) = self.accept_uploads([(request, network)])
        return answer()

    def accept_uploads(self, calls: Sequence[Call]) -> list[Callable[[], UploadAnswer]]:
        """Accept uploads that came at the same time with one commit; each is answered as by `accept_upload`.

        calls: requests and their networks. Returns a function for each call, which returns or raises what
        `accept_upload` would. Call each once, in order.
        """
        checks = [self._check(request, network) for request, network in calls]
        writes = [
            (check, not request.is_rehearsal)
            for check, (request, _) in zip(checks, calls, strict=True)
            if not isinstance(check, UploadAnswer)
        ]
        results = iter(self.store.write_alike_each(writes) if writes else ())
        return [
            partial(self._answer, request, network, check if isinstance(check, UploadAnswer) else next(results))
            for check, (request, network) in zip(checks, calls, strict=True)
        ]

    def _check(self, request: UploadRequest, network: bytes) -> UploadAnswer | StoreUpload:
        """The refusal of a request, or the function that stores it."""
        challenge = self.limits.challenge_for(network, request.challenge, request.nonce)
        if challenge is not None:
            return UploadAnswer(status=Status.PUZZLE_REQUIRED, challenge=challenge)
        now = self.clock()
        key = self.week_keys.find_key(request.kid)
        purpose = "chaff" if request.is_rehearsal else "upload"
        if key is None or key.purpose != purpose or not _is_accepted(key, now):
            return UploadAnswer(status=Status.KID_REFUSED)
        signed = request.rand + commitment(request.salt, request.keys, request.slots)
        if not verify(PublicKey(key.n, key.e), signed, request.signature):
            return UploadAnswer(status=Status.SIGNATURE_INVALID)
        try:
            check_keys(request.keys, day_at(now))
            check_slots(request.slots, int(now))
        except KeysRefused:
            return UploadAnswer(status=Status.KEYS_REFUSED)
        return partial(_store, request=request, key=key, digest=_digest(request), now=now)

    def _answer(
        self, request: UploadRequest, network: bytes, result: UploadAnswer | Callable[[], None]
    ) -> UploadAnswer:
        if isinstance(result, UploadAnswer) and result.status is Status.PUZZLE_REQUIRED:
            return result
        status = _status(result)
        # An upload with a spent certificate was stored before. It is answered OK, although its week may be over and its
        # keys are known by now. An upload that passes all checks needs no query here: `_store` finds the same row.
        if status is not Status.OK and self.store.read("SELECT 1 FROM spent WHERE digest = ?", (_digest(request),)):
            status = Status.OK
        self.limits.count_call(network, status in (Status.SIGNATURE_INVALID, Status.KID_REFUSED), request.is_rehearsal)
        return UploadAnswer(status=status)


def _status(result: UploadAnswer | Callable[[], None]) -> Status:
    """The status of a refused upload, or the outcome of storing one."""
    if isinstance(result, UploadAnswer):
        return result.status
    try:
        result()
    except KeysRefused:
        return Status.KEYS_REFUSED
    return Status.OK


def _digest(request: UploadRequest) -> bytes:
    return hashlib.sha256(request.signature).digest()


def _is_accepted(key: WeekKey, now: float) -> bool:
    return key.use_from <= now < key.accept_until


def _store(transaction: Transaction, request: UploadRequest, key: WeekKey, digest: bytes, now: float) -> None:
    fresh = transaction.execute(
        "INSERT INTO spent (digest, accept_until) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING 1",
        (digest, key.accept_until),
    )
    if not fresh:
        # The same upload came twice at once, and the other one is stored.
        return
    # A rehearsal has class 0, which the table does not accept. Its rows are undone in any case.
    klass = key.klass or CONFIRMED_CLASS
    if request.keys:
        known = [(key_prefix(k.key), k.start) for k in request.keys]
        if not add_known_keys(transaction, known):
            raise KeysRefused("a key is stored or published already")
        waiting = [(k.start, k.key, k.level, klass, hour_at(now)) for k in request.keys]
        transaction.execute_each("INSERT INTO waiting_key VALUES (?, ?, ?, ?, ?)", waiting)
    if request.slots:
        store_items(transaction, request.slots, klass)
    transaction.execute(
        "INSERT INTO upload_count VALUES (?, ?, 1)"
        " ON CONFLICT (day, class) DO UPDATE SET uploads = upload_count.uploads + 1",
        (day_at(now), klass),
    )
