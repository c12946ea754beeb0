# SPDX-License-Identifier: Apache-2.0
"""The twin's key server: the real one, in a process of its own with a simulated clock, asked over HTTP as by phones.

`python -m bluezone.twin.cityserver FOLDER NOW PORT [BACKUP LOST]` reads a JSON object a line and answers with one.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from bluezone.refusal import Refused


class ServerGone(Refused):
    """The twin's key server has ended by itself; its output says why."""

    code = "twin_server_gone"


class CityServer:
    """A running key server, until `stop`. address: where phones ask it."""

    def __init__(self, folder: Path, now: float, port: int = 0, restored: tuple[Path, Path] | None = None) -> None:
        """folder: of its data, made where there is none. now: Unix seconds of its clock. port: 0 for any.

        restored: a backup to begin from, and the folder that was lost, of which only what was published is left.
        """
        self.folder = folder
        self._process = subprocess.Popen(  # noqa: S603 - this program again
            [
                sys.executable, "-m", "bluezone.twin.cityserver", str(folder), str(now), str(port),
                *map(str, restored or ()),
            ],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        told = self._read()
        self.port: int = told["port"]
        self.address = f"http://127.0.0.1:{self.port}"
        self.trust: str = told["trust"]
        self.processor_seconds = 0.0

    def ask(self, what: str, **values: Any) -> dict[str, Any]:
        """Have it do something: set the clock, tick, issue a code. Raises ServerGone."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"what": what, **values}) + "\n")
            self._process.stdin.flush()
        except OSError:
            raise ServerGone("the twin's key server reads nothing any more") from None
        told = self._read()
        self.processor_seconds = told["processor_seconds"]
        return told

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ServerGone(f"the twin's key server ended with {self._process.wait()}")
        told: dict[str, Any] = json.loads(line)
        return told

    def back_up(self, file: Path) -> None:
        """Have it write a backup."""
        self.ask("backup", file=str(file))

    def stop(self) -> None:
        """End it, as a power cut would: it is killed."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


class _Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Keep no log of who called."""


def _restore(folder: Path, clock: _Clock, backup: Path, lost: Path) -> None:
    """Begin from a backup, and take over what the lost server has published since."""
    from bluezone.backup.daykeys import FOLDER
    from bluezone.backup.restoration import restore_backup
    from bluezone.keyserver.publication.bucket import open_named_place
    from bluezone.keyserver.service import KeyServer

    def purge(made: Path) -> None:
        server = KeyServer.open(made, clock)
        server.ticks.purge(clock.now)
        server.close()

    restore_backup(backup, folder, lost / FOLDER, datetime.fromtimestamp(clock.now, UTC).date(), {}, purge)
    server = KeyServer.open(folder, clock)
    server.ticks.adopt_missing([open_named_place(str(lost))])
    server.close()


def _serve(folder: Path, now: float, port: int, *restored: Path) -> None:
    import resource

    from bluezone.backup.creation import create_backup
    from bluezone.city_settings import FILE_NAME, load_city, write_default
    from bluezone.keyserver.http import Application
    from bluezone.keyserver.service import KeyServer

    clock = _Clock(now)
    if restored:
        _restore(folder, clock, *restored)
    if not (folder / FILE_NAME).exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_default(folder, name_vi="Thử", name_en="Twin", hotline="115", reciprocity=0)
    server = KeyServer.open(folder, clock)
    server.tick(now)
    application: Callable[..., Any] = Application(server.parts)
    front = make_server("127.0.0.1", port, application, _Server, _Silent)
    threading.Thread(target=front.serve_forever, daemon=True).start()

    def tell(**values: Any) -> None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        sys.stdout.write(json.dumps({"processor_seconds": used.ru_utime + used.ru_stime, **values}) + "\n")
        sys.stdout.flush()

    public = server.secrets.signing_key.public_key().public_bytes_raw()
    tell(port=front.server_port, trust=public.hex())
    for line in sys.stdin:
        asked = json.loads(line)
        match asked["what"]:
            case "clock":
                clock.now = asked["now"]
                tell()
            case "tick":
                server.tick(clock.now)
                tell()
            case "backup":
                moment = datetime.fromtimestamp(clock.now, UTC)
                create_backup(folder, Path(asked["file"]), moment, moment.date(), {})
                tell()
            case "name_neighbours":
                # As an operator does it: stop, edit the settings, start again.
                server.close()
                told = asdict(load_city(folder)) | {"neighbours": asked["neighbours"]}
                (folder / FILE_NAME).unlink()
                write_default(folder, **told)
                server = KeyServer.open(folder, clock)
                server.tick(clock.now)
                front.set_app(Application(server.parts))
                tell()
            case "issue":
                issued = server.codes.issue_code("confirmed", date.fromisoformat(asked["onset"]))
                tell(code=issued.code)
    front.shutdown()
    server.close()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), *map(Path, sys.argv[4:]))
