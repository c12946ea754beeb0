# SPDX-License-Identifier: Apache-2.0
"""Match 100,000 keys against 10,000 sightings, beside the naive Python loop of the same run.

Naive: HKDF of `cryptography`, AES, and 144 slices looked up in a set, as one writes it from the specification.
"""

import resource
import struct
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bluezone.protocol.identifiers import rolling_proximity_identifiers
from bluezone.protocol.keys import DiagnosisKey
from bluezone.protocol.matching import KERNEL, SightingIndex

KEYS = 100_000
SIGHTINGS = 10_000
NAIVE_SAMPLE = 10_000
ROUNDS = 3
TRUE_MATCHES = 25
START = 20781 * 144


def naive_matches(keys: list[DiagnosisKey], heard: set[bytes]) -> int:
    """Count the identifiers of `keys` that were heard, without numpy."""
    found = 0
    for key in keys:
        identifier_key = HKDF(hashes.SHA256(), 16, None, b"EN-RPIK").derive(key.key)
        padded = b"".join(b"EN-RPI" + bytes(6) + struct.pack("<I", key.start + i) for i in range(144))
        identifiers = Cipher(algorithms.AES(identifier_key), modes.ECB()).encryptor().update(padded)
        for at in range(0, len(identifiers), 16):
            if identifiers[at : at + 16] in heard:
                found += 1
    return found


def run(progress: Callable[[str], None]) -> dict[str, Any]:
    """Time both, best of three each, in CPU seconds of this thread; the naive loop on a tenth of the keys."""
    keys, sightings = _material()
    heard = {row.tobytes() for row in sightings}
    seconds, naive_seconds = [], []
    for number in range(ROUNDS):
        progress(f"round {number + 1} of {ROUNDS}")
        before = time.thread_time()
        found = len(SightingIndex(sightings).find(keys))
        seconds.append(time.thread_time() - before)
        before = time.thread_time()
        naive_found = naive_matches(keys[:NAIVE_SAMPLE], heard)
        naive_seconds.append(time.thread_time() - before)
    if (found, naive_found) != (TRUE_MATCHES, TRUE_MATCHES):
        raise AssertionError(f"found {found} and {naive_found} matches, expected {TRUE_MATCHES}")
    rate, naive_rate = KEYS / min(seconds), NAIVE_SAMPLE / min(naive_seconds)
    return {
        "name": "matching",
        "value": round(rate),
        "unit": "keys/s, one thread, index included",
        "baseline": f"{naive_rate:.0f} keys/s, naive Python loop on {NAIVE_SAMPLE} of the keys",
        "ratio": round(rate / naive_rate, 2),
        "kernel": KERNEL,
        "keys": KEYS,
        "sightings": SIGHTINGS,
        "seconds": round(min(seconds), 3),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def _material() -> tuple[list[DiagnosisKey], np.ndarray]:
    """Return random keys and sightings; every 400th of the first keys was heard once."""
    rng = np.random.default_rng(458)
    keys = [DiagnosisKey(rng.bytes(16), START - 144 * int(rng.integers(0, 14))) for _ in range(KEYS)]
    sightings = rng.integers(0, 256, (SIGHTINGS, 16), dtype=np.uint8)
    for number in range(TRUE_MATCHES):
        key = keys[number * NAIVE_SAMPLE // TRUE_MATCHES]
        sightings[number] = rolling_proximity_identifiers(key.key, key.start)[number]
    return keys, sightings
