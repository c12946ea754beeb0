# SPDX-License-Identifier: Apache-2.0
"""What a gate's verdict costs: a phone's pass that was heard among 200 others, and a browser's pass.

Baseline: one RSA-2048 PSS verification by itself, the cheapest thing that any scheme with unlinkable tokens must do.
"""

import os
import time
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluezone.edge.gate.check import Finding, GateCheck
from bluezone.protocol import blindrsa
from bluezone.protocol.gate.passes import BluetoothState, PassA, compute_response, pass_text, sign_pass_b, token_message
from bluezone.protocol.signed.config import WeekKey

PASSES = 1_000
BROWSERS = 300
QUEUE = 200
NOW = 1_795_608_000
WEEK = 7 * 86_400


def run(progress: Callable[[str], object]) -> dict[str, Any]:
    """Time GateCheck.judge in one thread, by CPU; every pass is good once."""
    private = blindrsa.generate()
    key = WeekKey(7, "gate", 0, "2026-W48", NOW - 86_400, NOW + WEEK, NOW - WEEK, private.n, private.e)
    check = GateCheck(b"gate", lambda: (key,), lambda: 1_000.0, lambda: float(NOW))
    challenges = check.challenges()
    phones = []
    for _ in range(PASSES):
        session = os.urandom(16)
        phones.append(
            (pass_text(PassA(BluetoothState.BLUETOOTH_ON, 1, session)), compute_response(session, challenges.air.value))
        )
    browsers = [_browser(private, challenges.screen.value) for _ in range(BROWSERS)]
    progress("passes made")
    for _ in range(QUEUE):
        check.heard(os.urandom(16), -60)
    for _, answer in phones:
        check.heard(answer, -60)
    a_ms = _milliseconds([text for text, _ in phones], check, Finding.PROVEN)
    b_ms = _milliseconds(browsers, check, Finding.FRESH)
    signed = blindrsa.blind(private.public, b"M")
    token = blindrsa.finalize(private.public, b"M", blindrsa.blind_sign(private, signed.message), signed.inverse)
    used = time.process_time()
    for _ in range(BROWSERS):
        assert blindrsa.verify(private.public, b"M", token)
    baseline_ms = (time.process_time() - used) * 1000 / BROWSERS
    return {
        "name": "gate verdict on a browser's pass",
        "value": round(b_ms, 3),
        "unit": "ms of CPU (budget 1)",
        "baseline": round(baseline_ms, 3),
        "ratio": round(b_ms / baseline_ms, 2),
        "phone_pass_ms": round(a_ms, 3),
    }


def _browser(private: blindrsa.PrivateKey, challenge: bytes) -> str:
    owner = Ed25519PrivateKey.generate()
    message = token_message(owner.public_key().public_bytes_raw())
    blinded = blindrsa.blind(private.public, message)
    token = blindrsa.finalize(private.public, message, blindrsa.blind_sign(private, blinded.message), blinded.inverse)
    return pass_text(sign_pass_b(BluetoothState(0), 1, os.urandom(16), challenge, owner, 7, token))


def _milliseconds(texts: list[str], check: GateCheck, expected: Finding) -> float:
    used = time.process_time()
    for text in texts:
        assert check.judge(text) is expected
    return (time.process_time() - used) * 1000 / len(texts)
