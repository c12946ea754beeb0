# SPDX-License-Identifier: Apache-2.0
"""What `serve` does by itself while it runs."""

import datetime
import threading
import time
from types import SimpleNamespace

import pytest
from tests.builders.serving import prepared_store

from bluezone.server.metrics.meters import Meters
from bluezone.server.processes import service
from bluezone.server.processes.children import Part
from bluezone.server.processes.service import ServeOptions, Server
from bluezone.server.processes.supervisor import Processes
from bluezone.tls import Tls, ensure_identity

# Its processes are started by `serve` itself, not by functions of the tests.
pytestmark = pytest.mark.serve


def until(condition):
    deadline = time.monotonic() + 600
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def running(data_folder, tmp_path):
    """A `serve` on real files of a certificate, whose one process lives."""
    prepared_store(data_folder)
    identity = ensure_identity(tmp_path / "tls", ["localhost"], datetime.datetime.now(datetime.UTC))
    secured = Tls(f"{identity.certificate},{identity.key}", data_folder)
    parts = [Part("lives", ("tests.web.mortal", "lives"))]
    processes = Processes(parts, Meters.make(Processes.rows(parts)))
    stop = SimpleNamespace(event=threading.Event(), replace=False)
    assert processes.start(stop)
    server = Server(ServeOptions(data_folder, "127.0.0.1", 0, 0, only="worker"))
    thread = threading.Thread(target=server._watch_until_stopped, args=(processes, stop, secured))
    thread.start()
    yield processes, identity.certificate
    stop.event.set()
    thread.join()
    processes.stop()


@pytest.mark.long
def test_a_renewed_certificate_whose_restart_failed_is_brought_to_the_origins_later(
    running, data_folder, caplog, monkeypatch
):
    monkeypatch.setattr(service, "RENEW_AGAIN_SECONDS", 0.1)
    processes, certificate = running
    settings = data_folder / "city.toml"
    good = settings.read_text()
    settings.write_text(good + "\nno such setting = 1\n")
    # Written anew, as certbot does; what stands in it does not matter here.
    certificate.write_bytes(certificate.read_bytes())
    until(lambda: "restart_failed" in [getattr(record, "event", "") for record in caplog.records])
    assert processes.replaced == 0
    settings.write_text(good)

    until(lambda: processes.replaced == 1)
