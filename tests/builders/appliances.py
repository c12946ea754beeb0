# SPDX-License-Identifier: Apache-2.0
"""Boxes for tests: versions that print their number or crash, signed updates, and a box with two slots."""

import json
import random
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluezone.edge.appliance.bundle import file_name, make_bundle, platform_of
from bluezone.edge.appliance.updates import Machine
from bluezone.protocol.signed.envelope import fingerprint

KEY, STRANGER = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))
PLATFORM = ("amd64", "3.13")


def trusted_update_keys() -> dict[str, bytes]:
    """The only key that boxes here trust for updates."""
    public = KEY.public_key().public_bytes_raw()
    return {fingerprint(public): public}


def make_version(folder: Path, script: str) -> Path:
    """A version that has a shell script in place of its Python interpreter."""
    (folder / "bin").mkdir(parents=True)
    (folder / "lib").mkdir()
    (folder / "lib" / "data.txt").write_text("x" * 5000)
    (folder / "bin" / "python3").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "bin" / "python3").chmod(0o755)
    return folder


def make_update(
    folder: Path, number: int, script: str | None = None, key: Ed25519PrivateKey = KEY, platform=PLATFORM
) -> Path:
    """A file with a signed update. script: prints the number by default."""
    version = make_version(folder / f"tree-{number}", script or f"echo version {number}")
    # Random bytes, which do not compress.
    (version / "lib" / "code.bin").write_bytes(random.Random(number).randbytes(4000))
    place = folder / f"stick-{number}"
    place.mkdir()
    file = place / file_name(platform_of(*platform))
    make_bundle(version, file, key, f"0.{number}", number, platform)
    return file


def make_machine(folder: Path, own_number: int = 1) -> Machine:
    """A box with its original version and one program."""
    own = make_version(folder / "own", f"echo version {own_number}")
    (own / "release.json").write_text(json.dumps({"version": f"0.{own_number}", "number": own_number}))
    (folder / "gate").mkdir()
    return Machine(folder / "slots", own, *PLATFORM, (folder / "gate",))
