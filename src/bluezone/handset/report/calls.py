# SPDX-License-Identifier: Apache-2.0
"""The three calls of a report. Rehearsals make them with the same code and messages of the same sizes.

Source: docs/protocol.md section 4.
"""

import dataclasses
from collections.abc import Callable
from typing import TypeVar

from bluezone.handset.client import Client, ServerAnswerRefused
from bluezone.protocol.upload import (
    ANSWER_SIZE,
    SlipRequest,
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
    encode_slip,
    encode_upload,
    encode_verify1,
    encode_verify2,
)
from bluezone.protocol.upload.puzzle import solve_puzzle

# After this many puzzles for one call, the phone gives up.
MOST_PUZZLES = 3

Request = TypeVar("Request", Verify1Request, Verify2Request, SlipRequest, UploadRequest)
Answer = TypeVar("Answer", Verify1Answer, Verify2Answer, UploadAnswer)
RandomBytes = Callable[[int], bytes]


class Calls:
    """Makes the three calls, and solves puzzles if the server asks for them."""

    def __init__(self, client: Client, random_bytes: RandomBytes) -> None:
        self._client = client
        self._random_bytes = random_bytes

    def check_code(self, request: Verify1Request) -> Verify1Answer:
        """Ask whether a code is valid, and its class. Raises ServerUnreachable, ServerAnswerRefused, BadAnswer."""
        return self._ask("/v1/verify", request, encode_verify1, decode_verify1_answer)

    def redeem_code(self, request: Verify2Request) -> Verify2Answer:
        """Get a blind signature on a commitment. Raises as `check_code`."""
        return self._ask("/v1/verify", request, encode_verify2, decode_verify2_answer)

    def use_slip(self, request: SlipRequest) -> Verify2Answer:
        """Get a blind signature for a slip of a code book. Raises as `check_code`."""
        return self._ask("/v1/verify", request, encode_slip, decode_verify2_answer)

    def upload(self, request: UploadRequest) -> UploadAnswer:
        """Upload keys with their certificate. Raises as `check_code`."""
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
            retry = dataclasses.replace(request, challenge=answer.challenge, nonce=solve_puzzle(answer.challenge))
            answer = decode(self._client.post(path, encode(retry, self._random_bytes), ANSWER_SIZE))
        if answer.status is Status.PUZZLE_REQUIRED:
            raise ServerAnswerRefused("the server asks for puzzles without end; everything is kept and tried again")
        return answer
