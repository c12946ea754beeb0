# SPDX-License-Identifier: Apache-2.0
"""Pages for codes of many cases: the list stays in the browser, class and onset of each case come here."""

import datetime
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from bluezone.accounts.audiences import Audience, OfficeRequest, audience
from bluezone.accounts.training import practised
from bluezone.healthauthority import batching, issuing, quotas
from bluezone.healthauthority.batching import RowAnswer
from bluezone.healthauthority.key_server import key_server
from bluezone.healthauthority.templatetags.health import inwords, qr


@practised
@require_safe
@audience(Audience.CODE_ISSUERS)
def bulk(request: OfficeRequest) -> HttpResponse:
    """The page that reads a list of cases in the browser and asks for their codes."""
    server, now = key_server(), timezone.now()
    first, last = issuing.onset_bounds(timezone.localdate(now))
    context = {
        "quota": quotas.quota_of(server, request.user, now),
        "first": first,
        "last": last,
        "zone": settings.TIME_ZONE,
        "tab": "bulk",
    }
    return render(request, "healthauthority/bulk.html", context)


@practised
@require_POST
@audience(Audience.CODE_ISSUERS)
def issue_batch(request: OfficeRequest) -> JsonResponse:
    """Codes for up to 50 rows of class and onset, or the refusal of each row.

    201 with an answer a row, again the same one when the same rows come again; 400 no batch; 409 other rows before.
    """
    server, now = key_server(), timezone.now()
    try:
        key, rows = batching.read_batch(request.body)
        answers = batching.issue_batch(server, request.user, key, rows, now)
    except batching.BatchInvalid as refused:
        return _refused(refused.code, refused.message, 400)
    except batching.BatchChanged as refused:
        return _refused(refused.code, refused.message, 409)
    left = quotas.quota_of(server, request.user, now).left
    return JsonResponse({"rows": [_shown(answer) for answer in answers], "left": left}, status=201)


def _shown(answer: RowAnswer) -> dict[str, Any]:
    if answer.refusal:
        return asdict(answer)
    ends = [datetime.datetime.fromtimestamp(end, datetime.UTC) for end in (answer.expires, answer.link_expires)]
    words = {"until_words": inwords(ends[0]), "link_until_words": inwords(ends[1])}
    return {**asdict(answer), **words, "qr": qr(answer.link)}


def _refused(code: str, message: str, status: int) -> JsonResponse:
    return JsonResponse({"error": {"code": code, "message": message}}, status=status)
