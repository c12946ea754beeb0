# SPDX-License-Identifier: Apache-2.0
"""Row 35: SMS link or code intercepted. A revoked code answers like an unknown one, and as fast."""

import gc
import random
import secrets
import time
from collections import Counter

import numpy as np
import pytest
from tests.attacks.test_row_16_real_or_rehearsal import distance, onset_of
from tests.builders.keyserver import Clock, Phone, open_server, poster
from tests.builders.tracing import DatabaseSteps, calls_apart, work_of

from bluezone.protocol.blindrsa import Blinded
from bluezone.protocol.upload import Status
from bluezone.protocol.upload.codes import Credential

# As in row 16: how far a guess may be better than chance; one distribution exceeds it once in 100,000 runs or less.
TRIES, BOUND = 500, 0.16


def ready(server, credential, number, step):
    """A call with a credential, from a network of its own, to be made."""
    post = poster(server, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    phone = Phone(post, server, credential, kid=server.secrets.week_keys.current_key(1, server.clock()).kid)
    server.clock.pass_by(61)
    if step == "redeem_code":
        phone.blinded = Blinded(bytes(255) + b"\x02", 1)
    return getattr(phone, step)


def tried(server, credential, number, step):
    """Status and duration of one call."""
    call = ready(server, credential, number, step)
    begun = time.perf_counter()
    answer = call()
    return answer.status, time.perf_counter() - begun


def revoked_code(server):
    issued = server.codes.issue_code("confirmed", onset_of(server))
    server.codes.revoke_code(issued.code)
    return Credential.from_text(issued.link)


@pytest.mark.parametrize("step", ["check_code", "redeem_code"])
def test_the_server_does_the_same_work_for_a_revoked_code_as_for_an_unknown_one(tmp_path, step, monkeypatch):
    steps = DatabaseSteps(monkeypatch)
    server = open_server(tmp_path, Clock())
    made = []
    for number in range(6):
        credential = Credential.from_link(secrets.token_bytes(16)) if number % 2 else revoked_code(server)
        call = ready(server, credential, number, step)
        steps.taken()
        answer, called = work_of(call)
        assert answer.status is Status.CODE_INVALID
        made.append((called, steps.taken()))
    server.close()

    # One more or less: what the limits forget of minutes that have passed.
    (revoked, steps_of_revoked), (unknown, steps_of_unknown) = made[4:]
    assert revoked.total() > 100
    assert calls_apart(revoked, unknown) <= 2, (revoked - unknown, unknown - revoked)
    assert steps_of_revoked == steps_of_unknown > 0


@pytest.mark.slow
@pytest.mark.parametrize("step", ["check_code", "redeem_code"])
def test_a_revoked_code_has_the_answer_and_the_latency_of_an_unknown_one(tmp_path, step):
    server = open_server(tmp_path, Clock())
    revoked = [revoked_code(server) for _ in range(TRIES)]
    unknown = [Credential.from_link(secrets.token_bytes(16)) for _ in range(TRIES)]
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

    assert statuses == {(True, Status.CODE_INVALID): TRIES, (False, Status.CODE_INVALID): TRIES}
    apart = distance(np.array(durations[True]), np.array(durations[False]))
    assert apart < BOUND


def test_a_code_alone_tells_nothing_about_the_patient(tmp_path):
    server = open_server(tmp_path, Clock())
    issued = server.codes.issue_code("clinical", onset_of(server))
    answer = Phone(poster(server), server, Credential.from_text(issued.code)).check_code()
    server.close()

    # Class and onset day is all there is, and all the phone needs to choose its keys.
    assert {name for name in vars(answer) if getattr(answer, name)} == {"klass", "kid", "onset_day"}
