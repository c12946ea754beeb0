# SPDX-License-Identifier: Apache-2.0
"""The signer of one `serve`, a process of its own that starts before all others and as none of their copies.

`python -m bluezone.server.processes.signer FOLDER SOCKET …`
"""

import argparse
import contextlib
import os
import signal
import socket
from pathlib import Path

from bluezone import logs
from bluezone.keyserver.keyfolder import signing_folder
from bluezone.keyserver.signer.channel import address_of
from bluezone.keyserver.signer.client import FOLDER_NAME, SUFFIX
from bluezone.keyserver.signer.daemon import EVERYTHING, Daemon, allowed_users
from bluezone.refusal import Refused
from bluezone.server.processes.lifeline import end_with_parent, name_process, say_ready


def socket_of(folder: Path) -> Path:
    """Where the signer of this `serve` answers; sockets that nobody listens at any more are removed."""
    place = folder / FOLDER_NAME
    for path in place.glob(f"*{SUFFIX}"):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
            try:
                with address_of(path) as address:
                    channel.connect(address)
            except ConnectionRefusedError:
                path.unlink(missing_ok=True)
                path.with_suffix(".json").unlink(missing_ok=True)
    for path in place.glob("serve-*.json"):
        # A signer that was stopped leaves its public halves, for uploads until the next one. On a full disk the next
        # `serve` has room for its own only where those of one that is gone are removed.
        if not path.with_suffix(SUFFIX).exists() and not Path("/proc", path.stem.partition("-")[2]).exists():
            path.unlink(missing_ok=True)
    return place / f"serve-{os.getpid()}{SUFFIX}"


def load(_part: str) -> None:
    """Nothing: no copy of `serve` becomes a signer."""


def main() -> None:
    """Answer until SIGTERM."""
    logs.begin()
    name_process("signer")
    parser = argparse.ArgumentParser(prog="bluezone.server.processes.signer")
    parser.add_argument("folder", type=Path)
    parser.add_argument("socket", type=Path)
    parser.add_argument("--allow", action="append", default=[])
    for name in ("ready", "meters", "row"):
        parser.add_argument(f"--{name}", type=int, required=True)
    given = parser.parse_args()
    state = given.folder / FOLDER_NAME
    try:
        keys, allowed = signing_folder(given.folder / "keys"), allowed_users(given.allow)
        if given.allow:
            # Whoever is root is everybody.
            allowed[0] = EVERYTHING
        daemon = Daemon(keys, state, given.socket, given.folder, allowed)
    except Refused as refused:
        logs.say("signer_refused", f"signer: {refused.code}: {refused.message}", 40, code=refused.code)
        raise SystemExit(1) from None
    signal.signal(signal.SIGTERM, lambda *_: daemon.stop())
    end_with_parent()
    say_ready(given.ready)
    daemon.run()


if __name__ == "__main__":
    main()
