# SPDX-License-Identifier: Apache-2.0
"""A city for a phone in another process: the real key server behind real TLS, at a time that the phone's test moves.

Beside it a second port, in clear and for the test alone: what its patient sends, that time passes, that the patient
reports, that the server publishes, a code.
"""

import datetime
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIServer, make_server

from tests.builders.handset import World, _Quiet, city_with_phones, publish_reports, report_patient

from bluezone.radio.frames import contact_advertisement
from bluezone.tls import ensure_identity


@dataclass(frozen=True)
class DistantCity:
    """url, trust: as in a city's file. control: of the second port. authority: PEM file that phones must trust."""

    url: str
    trust: str
    control: str
    authority: Path


@contextmanager
def a_distant_city(folder: Path) -> Iterator[DistantCity]:
    """Serve it until the end of the block."""
    identity = ensure_identity(folder / "tls", [], datetime.datetime.now(datetime.UTC))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.certificate, identity.key)
    with ExitStack() as stack:
        server, phones, world = stack.enter_context(city_with_phones(folder))
        patient = phones.new("patient")

        def control(environ, start_response) -> list[bytes]:
            given = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
            told = _ORDERS[environ["PATH_INFO"]](server, patient, world, given)
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [str(told).encode()]

        ports = [_listening(stack, application) for application in (server.application, control)]
        ports[0].socket = context.wrap_socket(ports[0].socket, server_side=True)
        for port in ports:
            threading.Thread(target=port.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
            stack.callback(port.shutdown)
        yield DistantCity(
            f"https://localhost:{ports[0].server_port}", server.trust(), f"http://127.0.0.1:{ports[1].server_port}",
            identity.authority,
        )  # fmt: skip


def _listening(stack: ExitStack, application: Callable) -> WSGIServer:
    made = make_server("127.0.0.1", 0, application, WSGIServer, _Quiet)
    stack.callback(made.server_close)
    return made


def _frame(_server, patient, _world: World, _given: dict[str, str]) -> str:
    return contact_advertisement(patient.encounters.payload()).hex()


def _pass_by(_server, _patient, world: World, given: dict[str, str]) -> float:
    world.pass_by(float(given["seconds"]))
    return world.now


def _report_and_publish(server, patient, world: World, _given: dict[str, str]) -> str:
    report_patient(patient, server)
    publish_reports(server, world)
    return "published"


def _code(server, patient, _world: World, _given: dict[str, str]) -> str:
    return server.key_server.codes.issue_code("confirmed", patient.time.today() - datetime.timedelta(days=1)).code


_ORDERS = {
    "/frame": _frame, "/pass": _pass_by, "/report": _report_and_publish, "/code": _code,
    "/now": lambda _server, _patient, world, _given: world.now,
}  # fmt: skip
