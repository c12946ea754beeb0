# SPDX-License-Identifier: Apache-2.0
"""Taking an update, from a stick or from the office, into the slot that nothing runs in. As root.

At every step a machine that loses its power begins with a version that is whole: the pointers change last.
"""

import http.client
import io
import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from bluezone.edge.appliance import slots
from bluezone.edge.appliance.bundle import (
    Manifest,
    check_archive,
    file_name,
    open_manifest,
    platform_of,
    signed_manifest,
    unpack,
)
from bluezone.edge.appliance.slots import Pointers, put
from bluezone.protocol.primitives import ED25519_KEY_LENGTH
from bluezone.protocol.signed.envelope import fingerprint
from bluezone.refusal import Refused

# Ed25519 public keys, 64 hex digits a line: one, and its successor while keys change.
KEYS_FILE = Path("/etc/bluezone/update.keys")
ADDRESS = "/v1/devices/update/"
INCOMING = "incoming.bundle"
TIMEOUT_SECONDS = 60.0
# What the office sends at once (devices/updates.py).
PIECE_BYTES = 1 << 20
NOT_FOUND = 404


class UpdateKeysMissing(Refused):
    """The box was told no key of updates, or what it was told is none."""

    code = "update_keys_missing"


class UpdateOlder(Refused):
    """The update is not newer than what this box has had."""

    code = "update_older"


class UpdateForeign(Refused):
    """The update is for other machines."""

    code = "update_foreign"


class UpdateUnreachable(Refused):
    """The office does not answer, or ended in the middle; it is asked again."""

    code = "update_unreachable"


@dataclass(frozen=True)
class Machine:
    """What a box is. programs: the data folders of those that run in the slots."""

    root: Path
    own: Path
    architecture: str
    python: str
    programs: tuple[Path, ...]

    @property
    def platform(self) -> str:
        """As an update names it."""
        return platform_of(self.architecture, self.python)


def this_machine(root: Path = slots.ROOT, own: Path = slots.FACTORY, programs: Iterable[Path] = ()) -> Machine:
    """The machine this runs on."""
    said = subprocess.run(["/usr/bin/dpkg", "--print-architecture"], capture_output=True, text=True, check=True)
    version = ".".join(platform.python_version_tuple()[:2])
    return Machine(root, own, said.stdout.strip(), version, tuple(programs))


def trusted_keys(path: Path = KEYS_FILE) -> dict[str, bytes]:
    """The keys whose updates are taken, by fingerprint. Raises UpdateKeysMissing."""
    try:
        keys = [bytes.fromhex(line) for line in path.read_text(encoding="ascii").split()]
    except (OSError, ValueError):
        keys = []
    if not keys or any(len(key) != ED25519_KEY_LENGTH for key in keys):
        raise UpdateKeysMissing(f"{path} holds no public key of updates, 64 hex digits a line")
    return {fingerprint(key): key for key in keys}


def install(
    source: Path, machine: Machine, trusted: Mapping[str, bytes], sync: Callable[[], None] = os.sync
) -> Manifest:
    """Take an update; the programs begin with it at their next start. sync: puts what was written onto the disk.

    Raises UpdateUntrusted, UpdateInvalid, UpdateForeign, UpdateOlder; nothing that runs has changed then.
    """
    machine.root.mkdir(parents=True, exist_ok=True, mode=0o755)
    incoming = machine.root / INCOMING
    try:
        if source != incoming:
            # A stick may say something else when it is read a second time.
            shutil.copyfile(source, incoming)
        with incoming.open("rb") as file:
            manifest = open_manifest(signed_manifest(file), trusted)
            _judge(manifest, machine)
            start = file.tell()
            check_archive(file, manifest)
            file.seek(start)
            _place(file, manifest, machine, sync)
    finally:
        incoming.unlink(missing_ok=True)
    return manifest


def _judge(manifest: Manifest, machine: Machine) -> None:
    if manifest.platform != machine.platform:
        raise UpdateForeign(f"the update is for {manifest.platform}, this machine is {machine.platform}")
    newest = newest_number(machine)
    if manifest.number <= newest:
        raise UpdateOlder(f"the update has the number {manifest.number}, this box has had {newest}")


def newest_number(machine: Machine) -> int:
    """The highest number that this box has had, whether or not it runs: nothing older is taken again."""
    return max(slots.pointers_of(machine.root).highest, slots.factory(machine.own).number)


def _place(file: BinaryIO, manifest: Manifest, machine: Machine, sync: Callable[[], None]) -> None:
    root, pointers = machine.root, slots.pointers_of(machine.root)
    stays = pointers.previous if slots.failed(root, machine.programs) else pointers.current
    target = next(slot for slot in slots.SLOTS if slot != stays)
    if stays != pointers.current or pointers.previous == target:
        # Nothing may lead to the slot while it is half there.
        put(root / slots.POINTERS, asdict(Pointers(stays, None, pointers.highest)))
    folder = root / target
    with suppress(FileNotFoundError):
        (folder / slots.RELEASE).unlink()
        sync()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    folder.chmod(0o755)
    unpack(file, folder)
    # The archive may bring a release of its own; it is whole only when all of it is on the disk.
    (folder / slots.RELEASE).unlink(missing_ok=True)
    sync()
    put(folder / slots.RELEASE, {"version": manifest.version, "number": manifest.number})
    put(root / slots.POINTERS, asdict(Pointers(target, stays, manifest.number)))


def on_stick(places: Iterable[Path], machine: Machine) -> Path | None:
    """The update for this machine in one of the places, None where there is none."""
    name = file_name(machine.platform)
    return next((path for place in places if (path := place / name).is_file()), None)


def fetch(server: str, machine: Machine, trusted: Mapping[str, bytes]) -> Path | None:
    """Fetch the office's update if it is a newer one; None if there is nothing new. server: `https://host`.

    In pieces: what came before a network ended is kept, and asked for no more. The manifest is looked at before the
    rest is asked for. Raises UpdateUnreachable, UpdateUntrusted, UpdateInvalid, UpdateForeign.
    """
    machine.root.mkdir(parents=True, exist_ok=True, mode=0o755)
    address, incoming = f"{server}{ADDRESS}{machine.platform}", machine.root / INCOMING
    first = _piece(address, 0)
    if not first:
        return None
    head = io.BytesIO(first)
    manifest = open_manifest(signed_manifest(head), trusted)
    if manifest.number <= newest_number(machine):
        return None
    _judge(manifest, machine)
    size, start = head.tell() + manifest.size, head.tell()
    with incoming.open("a+b") as file:
        file.seek(0)
        if file.read(start) != first[:start]:
            file.truncate(0)
            file.write(first)
        # Nothing is written behind what the manifest says; the sum is judged when it is taken.
        while (left := size - file.seek(0, os.SEEK_END)) > 0:
            piece = _piece(address, size - left)
            if not piece:
                raise UpdateUnreachable(f"the office's update ends {left} bytes before its end")
            file.write(piece[:left])
    return incoming


def _piece(address: str, start: int) -> bytes:
    """At most PIECE_BYTES from `start` on; none behind the end, and where the office has nothing for this machine."""
    try:
        with urlopen(f"{address}?from={start}", timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - the city's
            return bytes(answer.read(PIECE_BYTES))
    except HTTPError as error:
        if error.code == NOT_FOUND:
            return b""
        raise UpdateUnreachable(f"the office answered {error.code} when it was asked for an update") from None
    except (URLError, OSError, http.client.HTTPException) as error:
        raise UpdateUnreachable(f"the office's update cannot be had: {error}") from None
