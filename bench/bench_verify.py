# SPDX-License-Identifier: Apache-2.0
"""Blind signatures a second on one core: the whole second step of verify, code looked up, used and committed.

Baseline: the same without gmpy2, with Python's own pow().
"""

import tempfile
import time
from collections.abc import Callable
from datetime import date
from io import BytesIO
from typing import Any

from bluezone.city import write_default
from bluezone.keyserver.http import Application
from bluezone.keyserver.service import KeyServer
from bluezone.protocol import blindrsa
from bluezone.protocol.upload import Status, Verify2Request, decode_verify2_answer, encode_verify2
from bluezone.protocol.upload.codes import Credential

NOW = 1_795_608_000
CALLS = 800
BASELINE_CALLS = 120


def run(progress: Callable[[str], object]) -> dict[str, Any]:
    """Time verify 2 through the WSGI application in one thread; codes are issued and values blinded beforehand."""
    with tempfile.TemporaryDirectory() as folder:
        write_default(folder, name_vi="Thử", name_en="Test", hotline="115")
        server = KeyServer.open(folder, lambda: NOW)
        bodies = [_body(server) for _ in range(CALLS + BASELINE_CALLS + 20)]
        progress("codes issued")
        _calls_a_second(server, bodies[:20])
        fast, fast_cpu = _calls_a_second(server, bodies[20 : CALLS + 20])
        library, blindrsa.gmpy2 = blindrsa.gmpy2, None
        try:
            slow, _ = _calls_a_second(server, bodies[CALLS + 20 :])
        finally:
            blindrsa.gmpy2 = library
        server.close()
    return {
        "name": "verify 2, blind signature and commit",
        "value": round(fast),
        "unit": "calls/s on one core",
        "baseline": round(slow),
        "ratio": round(fast / slow, 2),
        "calls_per_cpu_second": round(fast_cpu),
        "gmpy2": library is not None,
    }


def _body(server: KeyServer) -> bytes:
    issued = server.codes.issue("confirmed", date(2026, 11, 23))
    key = server.secrets.week_keys.current(1, NOW)
    blinded = blindrsa.blind(blindrsa.PublicKey(key.n, key.e), bytes(64)).message
    return encode_verify2(Verify2Request(credential=Credential.from_text(issued.code), kid=key.kid, blinded=blinded))


def _calls_a_second(server: KeyServer, bodies: list[bytes]) -> tuple[float, float]:
    """Calls a second by the wall clock and by CPU time."""
    application = Application(server)
    begun, used = time.perf_counter(), time.process_time()
    for body in bodies:
        environ = {
            "REQUEST_METHOD": "POST", "PATH_INFO": "/v1/verify", "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": BytesIO(body), "REMOTE_ADDR": "192.0.2.1",
        }  # fmt: skip
        (answer,) = application(environ, lambda status, headers: None)
        assert decode_verify2_answer(answer).status is Status.OK
    return len(bodies) / (time.perf_counter() - begun), len(bodies) / (time.process_time() - used)
