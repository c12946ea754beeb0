# SPDX-License-Identifier: Apache-2.0
"""The signer of one `serve`: its own process, started before all others, and never a fork.

`python -m bluezone.server.processes.signer FOLDER SOCKET …`
"""

import argparse
import contextlib
import os
import signal
import socket
from pathlib import Path

from bluezone import logs
from bluezone.keyserver.keys.keyfolder import signing_folder
from bluezone.keyserver.signer.channel import address_of
from bluezone.keyserver.signer.client import FOLDER_NAME, SUFFIX
from bluezone.keyserver.signer.daemon import EVERYTHING, Daemon, allowed_users
from bluezone.refusal import Refused
from bluezone.server.processes.lifeline import end_with_parent, name_process, report_ready


def socket_of(folder: Path) -> Path:
    """The path of the socket for the signer of this `serve`; stale sockets of earlier signers are removed."""
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
        # A stopped signer leaves its public keys, so that uploads are accepted until the next one starts. They are
        # removed here, because the next signer may need their room on a full disk.
        if not path.with_suffix(SUFFIX).exists() and not Path("/proc", path.stem.partition("-")[2]).exists():
            path.unlink(missing_ok=True)
    return place / f"serve-{os.getpid()}{SUFFIX}"


def load(_part: str) -> None:
    """Do nothing: no fork of `serve` becomes a signer."""


def main() -> None:
    """Sign until SIGTERM."""
    logs.configure_logging()
    name_process("signer")
    parser = argparse.ArgumentParser(prog="bluezone.server.processes.signer")
    parser.add_argument("folder", type=Path)
    parser.add_argument("socket", type=Path)
    parser.add_argument("--allow", action="append", default=[])
    for name in ("ready", "meters", "row"):
        parser.add_argument(f"--{name}", type=int, required=True)
    options = parser.parse_args()
    state = options.folder / FOLDER_NAME
    try:
        keys = signing_folder(options.folder / "keys")
        allowed = allowed_users(options.allow)
        if options.allow:
            # Root could act as any of the users anyway.
            allowed[0] = EVERYTHING
        daemon = Daemon(keys, state, options.socket, options.folder, allowed)
    except Refused as refused:
        logs.log_event("signer_refused", f"signer: {refused.code}: {refused.message}", 40, code=refused.code)
        raise SystemExit(1) from None
    signal.signal(signal.SIGTERM, lambda *_: daemon.stop())
    end_with_parent()
    report_ready(options.ready)
    daemon.run()


if __name__ == "__main__":
    main()
