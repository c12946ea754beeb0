# SPDX-License-Identifier: Apache-2.0
"""The public page: what this server is, and the hashes by which two people can see that both got the same files.

Attack row 37: somebody who is shown another config or index than everybody else sees other hashes here and there.
"""

import base64
import datetime
import hashlib
import json
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from bluezone.accounts.audiences import Audience, audience
from bluezone.healthauthority.key_server import key_server
from bluezone.keyserver import files
from bluezone.keyserver.service import KeyServer
from bluezone.protocol.indexfile import STALE_SECONDS


@dataclass(frozen=True)
class Statement:
    """One signed file as phones fetch it.

    number: of the newest entry; sha256: hex, of the signed payload; key: fingerprint of the signing key.
    """

    number: int
    sha256: str
    key: str
    generated_at: datetime.datetime


@require_safe
@audience(Audience.EVERYONE)
def what_this_server_is(request: HttpRequest) -> HttpResponse:
    """Say in plain words what the server does and does not know, and show the state of its files."""
    server = key_server()
    config, index = _statement(files.config(server, None).content), _statement(files.index(server).content)
    age_seconds = server.clock() - index.generated_at.timestamp()
    context = {"config": config, "index": index, "stale": age_seconds > STALE_SECONDS, "public_key": public_key(server)}
    response = render(request, "public/home.html", context)
    response.headers["Cache-Control"] = "public, max-age=60"
    response.headers["Vary"] = "Cookie"
    return response


def public_key(server: KeyServer) -> str:
    """The city's Ed25519 key in 64 hex digits, as `bluezone handset --trust` takes it."""
    return server.secrets.signing_key.public_key().public_bytes_raw().hex()


def _statement(signed: bytes) -> Statement:
    """Read our own signed file; its bytes are what phones get, so the hash is what phones see."""
    outer = json.loads(signed)
    payload = base64.b64decode(outer["payload"])
    inner = json.loads(payload)
    return Statement(
        inner["number"],
        hashlib.sha256(payload).hexdigest(),
        outer["kid"],
        datetime.datetime.fromtimestamp(inner["generated_at"], datetime.UTC),
    )
