# SPDX-License-Identifier: Apache-2.0
"""Match 100,000 keys against 10,000 sightings, beside the naive Python loop of the same run and the way without a
compiler; then 14 days of a country: 245,000 keys in 14 signed files, read, verified and matched against 20,000, here
and in a process that has what a phone has: libcrypto, no numpy, with the kernel and without.

Naive: HKDF of `cryptography`, AES, and 144 slices looked up in a set, as one writes it from the specification.
"""

import json
import os
import resource
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bluezone.protocol.exports.columns import KeyColumns
from bluezone.protocol.exports.files import SignatureInfo, read_export, verify_export
from bluezone.protocol.exports.writer import ExportKeys, write_export
from bluezone.protocol.identifiers import rolling_proximity_identifiers
from bluezone.protocol.kernel import PROCESSORS
from bluezone.protocol.keys import DiagnosisKey
from bluezone.protocol.matching import ON_HANDSET, SightingIndex

KEYS = 100_000
SIGHTINGS = 10_000
NAIVE_SAMPLE = 10_000
ROUNDS = 3
TRUE_MATCHES = 25
COUNTRY_DAYS, COUNTRY_KEYS_A_DAY, COUNTRY_SIGHTINGS = 14, 17_500, 20_000
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
    columns = KeyColumns.from_keys(keys)
    heard = {sightings[at : at + 16] for at in range(0, len(sightings), 16)}
    seconds, naive_seconds, python_seconds = [], [], []
    for number in range(ROUNDS):
        progress(f"round {number + 1} of {ROUNDS}")
        before = time.thread_time()
        index = SightingIndex(sightings)
        found = len(index.match(columns))
        seconds.append(time.thread_time() - before)
        before = time.thread_time()
        python_found = len(SightingIndex(sightings, processor="python").match(columns))
        python_seconds.append(time.thread_time() - before)
        before = time.thread_time()
        naive_found = naive_matches(keys[:NAIVE_SAMPLE], heard)
        naive_seconds.append(time.thread_time() - before)
    if {found, naive_found, python_found} != {TRUE_MATCHES}:
        raise AssertionError(f"found {found}, {python_found}, {naive_found} matches, expected {TRUE_MATCHES}")
    country, phone, phone_without = _country(progress)
    rate, naive_rate = KEYS / min(seconds), NAIVE_SAMPLE / min(naive_seconds)
    return {
        "name": "matching",
        "value": round(rate),
        "unit": "keys/s, one thread, index included",
        "baseline": f"{naive_rate:.0f} keys/s, naive Python loop on {NAIVE_SAMPLE} of the keys",
        "ratio": round(rate / naive_rate, 2),
        "kernel": index.implementation,
        "processors": list(PROCESSORS),
        "ratio_without_compiler": round(KEYS / min(python_seconds) / naive_rate, 2),
        "country_seconds": round(country[0], 3),
        "country_cpu_seconds": round(country[1], 3),
        "phone_cpu_seconds": round(phone, 3),
        "phone_ratio": round(phone / country[1], 2),
        "phone_without_kernel_cpu_seconds": round(phone_without, 3),
        "keys": KEYS,
        "sightings": SIGHTINGS,
        "seconds": round(min(seconds), 3),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


_PHONE = """
import importlib.abc, json, sys, time
from pathlib import Path

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("numpy", "cryptography"):
            raise ModuleNotFoundError(f"a phone has no {name}")

sys.meta_path.insert(0, Absent())
from bluezone.protocol.exports.files import read_export, verify_export
from bluezone.protocol.matching import ON_HANDSET, SightingIndex

folder, rounds = Path(sys.argv[1]), int(sys.argv[2])
sightings, heard_at = (folder / "sightings").read_bytes(), json.loads((folder / "times").read_text())
public, cpu = (folder / "public").read_bytes(), []
files = [path.read_bytes() for path in sorted(folder.glob("*.zip"))]
for _ in range(rounds):
    used = time.thread_time()
    index = SightingIndex(sightings, heard_at, ON_HANDSET)
    for data in files:
        export = read_export(data)
        if verify_export(export, public) != "verified" or index.match(export.columns):
            raise AssertionError("a file did not verify, or random identifiers matched")
    cpu.append(time.thread_time() - used)
print(index.implementation, min(cpu))
"""


def _on_a_phone(folder: Path, rounds: int, kernel: str) -> float:
    """CPU seconds of a process with a phone's providers. kernel: what it should say of itself."""
    environment = {"BLUEZONE_PRIMITIVES": "libcrypto", **({"BLUEZONE_KERNEL": "python"} if kernel == "python" else {})}
    done = subprocess.run(
        [sys.executable, "-c", _PHONE, str(folder), str(rounds)],
        env=os.environ | environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    said, seconds = done.stdout.split()
    if said != kernel:
        raise AssertionError(f"the phone's matcher is {said}, expected {kernel}")
    return float(seconds)


def _country(progress: Callable[[str], None]) -> tuple[tuple[float, float], float, float]:
    """A phone that was off for 14 days catches up, best of three: seconds by the wall and of CPU; then CPU seconds with
    a phone's providers, and those without the kernel, once."""
    rng = np.random.default_rng(459)
    signing_key = generate_private_key(SECP256R1())
    public = signing_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    files = []
    for day in range(COUNTRY_DAYS):
        keys = ExportKeys(
            rng.integers(0, 256, (COUNTRY_KEYS_A_DAY, 16), dtype=np.uint8),
            START - 144 * rng.integers(day, day + 14, COUNTRY_KEYS_A_DAY),
            np.ones(COUNTRY_KEYS_A_DAY, dtype=np.uint8),
            np.zeros(COUNTRY_KEYS_A_DAY, dtype=np.int8),
        )
        times = {"start_timestamp": (START - 144 * day) * 600, "end_timestamp": (START - 144 * day + 144) * 600}
        files.append(write_export(keys, **times, region="VN", signing_key=signing_key, info=SignatureInfo("452", "v1")))
    sightings = rng.bytes(16 * COUNTRY_SIGHTINGS)
    heard_at = ((START + 144) * 600 - rng.integers(0, COUNTRY_DAYS * 86400, COUNTRY_SIGHTINGS)).tolist()
    seconds, cpu = [], []
    for number in range(ROUNDS):
        progress(f"14 days of a country, round {number + 1} of {ROUNDS}")
        before, used = time.perf_counter(), time.thread_time()
        index = SightingIndex(sightings, heard_at, ON_HANDSET)
        for data in files:
            export = read_export(data)
            if verify_export(export, public) != "verified" or len(index.match(export.columns)):
                raise AssertionError("a file did not verify, or random identifiers matched")
        seconds.append(time.perf_counter() - before)
        cpu.append(time.thread_time() - used)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, data in enumerate(files):
            (folder / f"{number:02}.zip").write_bytes(data)
        (folder / "public").write_bytes(public)
        (folder / "sightings").write_bytes(sightings)
        (folder / "times").write_text(json.dumps(heard_at))
        progress("the same on a phone's providers")
        phone = _on_a_phone(folder, ROUNDS, index.implementation)
        without = _on_a_phone(folder, 1, "python")
    return (min(seconds), min(cpu)), phone, without


def _material() -> tuple[list[DiagnosisKey], bytes]:
    """Return random keys and sightings; every 400th of the first keys was heard once."""
    rng = np.random.default_rng(458)
    keys = [DiagnosisKey(rng.bytes(16), START - 144 * int(rng.integers(0, 14))) for _ in range(KEYS)]
    sightings = bytearray(rng.bytes(16 * SIGHTINGS))
    for number in range(TRUE_MATCHES):
        key = keys[number * NAIVE_SAMPLE // TRUE_MATCHES]
        sightings[16 * number : 16 * number + 16] = rolling_proximity_identifiers(key.key, key.start)[number]
    return keys, bytes(sightings)
