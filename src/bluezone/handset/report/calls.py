# SPDX-License-Identifier: Apache-2.0
"""The three calls of a report, real or rehearsed: the same code and the same sizes for both.

Random packets are rehearsals of a report, so that an observer of the network cannot tell who reports. On average a
phone rehearses once in five days, in addition to real reports. The times are stored, so that a restart neither skips
nor repeats a rehearsal. Source: docs/protocol.md section 4 and "Chaff" in it; docs/attacks.md row 16.
"""

import dataclasses
import random
from collections.abc import Callable
from typing import TypeVar

from bluezone.handset.city.config import CityConfig
from bluezone.handset.client import Client, ServerAnswerRefused
from bluezone.handset.report.stages import PendingReport, read_pending, store_pending
from bluezone.handset.sentlog import SentLog
from bluezone.handset.store import Store
from bluezone.protocol.blindrsa import PublicKey, blind, finalize
from bluezone.protocol.intervals import SECONDS_PER_DAY, day_at, first_interval
from bluezone.protocol.upload import (
    ANSWER_SIZE,
    HIGH,
    STANDARD,
    Status,
    UploadAnswer,
    UploadRequest,
    Verify1Answer,
    Verify1Request,
    Verify2Answer,
    Verify2Request,
    decode_upload_answer,
    decode_verify1_answer,
    decode_verify2_answer,
    encode_upload,
    encode_verify1,
    encode_verify2,
)
from bluezone.protocol.upload.codes import Credential
from bluezone.protocol.upload.puzzle import solve

# After this many puzzles the phone gives up on a server that asks for another one after each answer.
MOST_PUZZLES = 3

Request = TypeVar("Request", Verify1Request, Verify2Request, UploadRequest)
Answer = TypeVar("Answer", Verify1Answer, Verify2Answer, UploadAnswer)
RandomBytes = Callable[[int], bytes]

PLAYS_PER_DAY = 0.2
KEYS_IN_A_PLAY = 14
# Uniform delay between first and second call, seconds: as long as an owner takes to read the draft and agree.
READING_SECONDS = (15.0, 180.0)
PENDING = "chaff_upload"
NEXT = "next_chaff"
# {"at": when the second call is due, "credential": hex}.
SECOND = "chaff_second"


class Calls:
    """Makes the three calls, and solves puzzles if the server asks for them."""

    def __init__(self, client: Client, random_bytes: RandomBytes) -> None:
        self._client = client
        self._random_bytes = random_bytes

    def verify1(self, request: Verify1Request) -> Verify1Answer:
        """Ask whether a code is valid and for what. Raises ServerUnreachable, ServerAnswerRefused, BadAnswer."""
        return self._ask("/v1/verify", request, encode_verify1, decode_verify1_answer)

    def verify2(self, request: Verify2Request) -> Verify2Answer:
        """Get a blind signature on a commitment. Raises as verify1."""
        return self._ask("/v1/verify", request, encode_verify2, decode_verify2_answer)

    def upload(self, request: UploadRequest) -> UploadAnswer:
        """Upload keys with their certificate. Raises as verify1."""
        return self._ask("/v1/upload", request, encode_upload, decode_upload_answer)

    def _ask(
        self,
        path: str,
        request: Request,
        encode: Callable[[Request, RandomBytes], bytes],
        decode: Callable[[bytes], Answer],
    ) -> Answer:
        answer = decode(self._client.post(path, encode(request, self._random_bytes), ANSWER_SIZE))
        for _ in range(MOST_PUZZLES):
            if answer.status is not Status.PUZZLE_REQUIRED or answer.challenge is None:
                break
            retry = dataclasses.replace(request, challenge=answer.challenge, nonce=solve(answer.challenge))
            answer = decode(self._client.post(path, encode(retry, self._random_bytes), ANSWER_SIZE))
        if answer.status is Status.PUZZLE_REQUIRED:
            raise ServerAnswerRefused("the server asks for puzzles without end; everything is kept and tried again")
        return answer


class Chaff:
    """Runs rehearsals when they are due. Times are trusted Unix seconds."""

    def __init__(self, store: Store, city: CityConfig, sent: SentLog, calls: Calls, rng: random.Random) -> None:
        self._store = store
        self._city = city
        self._sent = sent
        self._calls = calls
        self._rng = rng

    def advance(self, now: float) -> bool:
        """Make the next call if it is due; return whether anything was sent. The server's answers do not matter."""
        pending = read_pending(self._store, PENDING)
        if pending is not None and now >= pending.upload_at:
            store_pending(self._store, PENDING, None)
            self._calls.upload(pending.request(chaff=True))
            return True
        second = self._store.get(SECOND)
        if second is not None and now >= second["at"]:
            self._store.put(SECOND, None)
            self._certify(Credential.from_link(bytes.fromhex(second["credential"])), now)
            return True
        due = self._store.get(NEXT)
        if due is None or due - now > 100 * SECONDS_PER_DAY:
            self._draw_next(now)
            return False
        if now < due:
            return False
        # Drawn before the call, so that a phone does not rehearse more often after a time without network.
        self._draw_next(now)
        self._play(now)
        return True

    def next_call_at(self) -> float | None:
        """When the next call of a started rehearsal is due, None if there is none."""
        pending = read_pending(self._store, PENDING)
        second = self._store.get(SECOND)
        moments: list[float] = []
        if pending is not None:
            moments.append(pending.upload_at)
        if second is not None:
            moments.append(second["at"])
        return min(moments, default=None)

    def _draw_next(self, now: float) -> None:
        self._store.put(NEXT, now + self._rng.expovariate(PLAYS_PER_DAY) * SECONDS_PER_DAY)

    def _play(self, now: float) -> None:
        self._sent.count_random_packet()
        credential = self._rng.randbytes(16)
        self._calls.verify1(Verify1Request(chaff=True, credential=Credential.from_link(credential)))
        at = now + self._rng.uniform(*READING_SECONDS)
        self._store.put(SECOND, {"at": at, "credential": credential.hex()})

    def _certify(self, credential: Credential, now: float) -> None:
        config = self._city.current
        if config is None:
            return
        key = self._city.chaff_key(now)
        report, inverse = self._rehearsal(key.kid, PublicKey(key.n, key.e), now)
        request = Verify2Request(chaff=True, credential=credential, kid=key.kid, blinded=bytes.fromhex(report.blinded))
        answer = self._calls.verify2(request)
        if answer.status is Status.OK:
            public = PublicKey(key.n, key.e)
            signature = finalize(public, report.input_message(), answer.blind_signature, inverse)
            wait = self._rng.uniform(0, config.waits["verify_to_upload_seconds"])
            store_pending(self._store, PENDING, report.with_signature(signature, now + wait))

    def _rehearsal(self, kid: int, public: PublicKey, now: float) -> tuple[PendingReport, int]:
        """A report of random keys with its blinded commitment, and the inverse that unblinds the answer."""
        today = day_at(now)
        keys = tuple(
            (self._rng.randbytes(16).hex(), first_interval(day), HIGH if day > today - 6 else STANDARD)
            for day in range(today - KEYS_IN_A_PLAY + 1, today + 1)
        )
        rand = self._rng.randbytes(32).hex()
        salt = self._rng.randbytes(32).hex()
        report = PendingReport(
            kind=1, credential="", klass=0, kid=kid, rand=rand, salt=salt, keys=keys, blinded="", inverse=""
        )
        blinded = blind(public, report.input_message())
        return dataclasses.replace(report, blinded=blinded.message.hex()), blinded.inverse
