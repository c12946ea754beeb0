# SPDX-License-Identifier: Apache-2.0
"""Row 35: SMS link or code intercepted. A revoked code answers like an unknown one, and as fast."""

import gc
import random
import secrets
import time
from collections import Counter

import numpy as np
import pytest
from tests.attacks.test_row_16_real_or_rehearsal import CRITICAL, distance, onset_of
from tests.builders.keyserver import Clock, Phone, opened, poster

from bluezone.keyserver import codes
from bluezone.protocol.codes import Credential
from bluezone.protocol.upload import Status

SIZES = [pytest.param(200, id="short"), pytest.param(500, id="whole", marks=pytest.mark.slow)]


def tried(server, credential, number, step):
    """Status and duration of one call with a credential, from a network of its own."""
    post = poster(server, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    phone = Phone(post, server, credential, kid=server.secrets.week_keys.current(1, server.clock()).kid)
    server.clock.pass_by(61)
    if step == "verify2":
        from bluezone.protocol.blindrsa import Blinded

        phone.blinded = Blinded(bytes(255) + b"\x02", 1)
    begun = time.perf_counter()
    answer = getattr(phone, step)()
    return answer.status, time.perf_counter() - begun


@pytest.mark.parametrize("step", ["verify1", "verify2"])
@pytest.mark.parametrize("tries", SIZES)
def test_a_revoked_code_has_the_answer_and_the_latency_of_an_unknown_one(tmp_path, step, tries):
    server = opened(tmp_path, Clock())
    onset = onset_of(server)
    revoked = []
    for _ in range(tries):
        issued = codes.issue(server, "confirmed", onset)
        codes.revoke(server, issued.code)
        revoked.append(Credential.from_text(issued.link))
    unknown = [Credential.from_link(secrets.token_bytes(16)) for _ in range(tries)]
    cases = [(True, credential) for credential in revoked] + [(False, credential) for credential in unknown]
    random.Random(35).shuffle(cases)

    statuses = Counter()
    durations = {True: [], False: []}
    gc.disable()
    try:
        for number in range(20):
            tried(server, unknown[0], number, step)
        for number, (kind, credential) in enumerate(cases, start=20):
            status, seconds = tried(server, credential, number, step)
            statuses[kind, status] += 1
            durations[kind].append(seconds)
    finally:
        gc.enable()
    server.close()

    assert statuses == {(True, Status.CODE_INVALID): tries, (False, Status.CODE_INVALID): tries}
    apart = distance(np.array(durations[True]), np.array(durations[False]))
    assert apart < CRITICAL * (2 / tries) ** 0.5


def test_a_code_alone_tells_nothing_about_the_patient(tmp_path):
    server = opened(tmp_path, Clock())
    issued = codes.issue(server, "clinical", onset_of(server))
    answer = Phone(poster(server), server, Credential.from_text(issued.code)).verify1()
    server.close()

    # Class and onset day is all there is, and all the phone needs to choose its keys.
    assert {name for name in vars(answer) if getattr(answer, name)} == {"klass", "kid", "onset_day"}
