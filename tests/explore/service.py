# SPDX-License-Identifier: Apache-2.0
"""What runs on the city's machine: the key server with its HTTP, its signer, and the operator's commands."""

import contextlib
import datetime
import logging
import threading
import traceback
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from tests.builders.keyserver import report_of
from tests.explore.machine import READY, Channel, Refusal
from tests.explore.measured import Measured

from bluezone.keyserver.http import Application
from bluezone.keyserver.service import KeyServer
from bluezone.keyserver.signer.client import FOLDER_NAME
from bluezone.keyserver.signer.daemon import Daemon, allowed_users
from bluezone.protocol.upload import Status
from bluezone.refusal import Refused

SERVER, SIGNER, OPERATOR = range(3)


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


def run_signer(channel: Channel, folder: Path) -> None:
    """The signer of a data folder, until it is killed."""
    import time

    refusals: list[str] = []

    class Refusals(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            refusals.append(record.getMessage())

    logging.getLogger("bluezone.keyserver.signer.daemon").addHandler(Refusals())
    state = folder / FOLDER_NAME
    try:
        daemon = Daemon(folder / "keys", state, state / "explored.sock", folder, allowed_users(()), time.time)
    except (Refused, OSError) as error:
        channel.send(_refusal(error))
        return
    channel.send(READY)
    threading.Thread(target=daemon.run, daemon=True).start()
    with contextlib.suppress(EOFError):
        while channel.receive():
            seen, refusals[:] = list(refusals), []
            channel.send(seen)


def run_server(channel: Channel, folder: Path, port: int) -> None:
    """The key server of a data folder with its HTTP on a port of this machine, until it is killed."""
    try:
        server = KeyServer.open(folder)
    except (Refused, OSError) as error:
        channel.send(_refusal(error))
        return
    http = make_server("127.0.0.1", port, Application(server.parts), handler_class=_Quiet)
    threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    channel.send(READY)
    measured = cache(lambda: Measured(server, port))
    acts: dict[str, Callable[..., Any]] = {
        "tick": lambda: server.tick(),
        "measured tick": lambda: measured().tick(),
        "metrics": lambda: measured().metrics(),
        "issue": lambda onset: server.codes.issue_code("confirmed", datetime.date.fromisoformat(onset)).code,
        "report": lambda days: _report(server, days),
    }
    with contextlib.suppress(EOFError):
        while True:
            name, arguments = channel.receive()
            try:
                channel.send(acts[name](*arguments))
            except Refused as refused:
                channel.send(_refusal(refused))
            except Exception as error:
                # As in `serve`, which then starts another.
                channel.send(_refusal(error))
                return


def _report(server: KeyServer, days: int) -> list[bytes]:
    """A phone without radio reports random keys; returns those that were acknowledged."""
    try:
        phone = report_of(server, days=days)
        if phone.upload().status is not Status.OK:
            return []
    except AssertionError:
        # A call was not answered with 200, or not with OK: nothing is acknowledged.
        return []
    return [key.key for key in phone.keys]


def _refusal(error: Exception) -> Refusal:
    if isinstance(error, Refused):
        return Refusal(error.code, error.message)
    return Refusal(f"crash {type(error).__name__}", "".join(traceback.format_exception(error)[-3:]))


def run_command(channel: Channel, *arguments: str) -> None:
    """A command of the operator; its answer is (exit code, output)."""
    from click.testing import CliRunner

    from bluezone.cli.main import root

    result = CliRunner().invoke(root, list(arguments))
    channel.send((result.exit_code, result.output))
