# SPDX-License-Identifier: Apache-2.0
"""Refusals of the device endpoints: the error shape of the API, in English."""

import datetime
from typing import ClassVar

from django.http import HttpResponse, JsonResponse

from bluezone.refusal import Refused

UNPROCESSABLE = 422


class DeviceRefused(Refused):
    """A refusal with its HTTP status; others are answered with 422."""

    status: ClassVar[int] = UNPROCESSABLE


class NoSuchAddress(DeviceRefused):
    """Nothing is served at this address."""

    code = "not_found"
    status = 404


class MethodNotAllowed(DeviceRefused):
    """The address exists, but not for this method."""

    code = "method_not_allowed"
    status = 405

    def __init__(self, message: str, allowed: str) -> None:
        super().__init__(message)
        self.allowed = allowed


class BodyInvalid(DeviceRefused):
    """The body is not the JSON object that the call expects."""

    code = "body_invalid"
    status = 400


class BodyTooLong(DeviceRefused):
    """The body is larger than the call allows; it was not read."""

    code = "body_too_large"
    status = 413


class PuzzleRequired(DeviceRefused):
    """There were many calls of this kind from this network within the hour: send the answer to `challenge`."""

    code = "puzzle_required"
    status = 429

    def __init__(self, challenge: bytes) -> None:
        super().__init__("many calls came from this network; solve the puzzle, or try again in an hour")
        self.challenge = challenge


def refusal_response(refused: Refused, now: datetime.datetime) -> HttpResponse:
    """The error shape of docs/contracts.md: `{"error": {"code", "message"}}`, never cached."""
    status = refused.status if isinstance(refused, DeviceRefused) else UNPROCESSABLE
    error = {"code": refused.code, "message": refused.message}
    challenge = getattr(refused, "challenge", None)
    if challenge is not None:
        error["challenge"] = challenge.hex()
    response = JsonResponse({"error": error}, status=status)
    response.headers["Cache-Control"] = "no-store"
    if isinstance(refused, MethodNotAllowed):
        response.headers["Allow"] = refused.allowed
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    until = getattr(refused, "until", None)
    if until is not None:
        response.headers["Retry-After"] = str(max(1, int((until - now).total_seconds()) + 1))
    return response
