# SPDX-License-Identifier: Apache-2.0
"""Each process of a key server has its own parts, and nothing of what other processes write."""

import io
import subprocess
import sys

import pytest

from bluezone.keyserver.http import Application
from bluezone.keyserver.parts.process import Parts
from bluezone.protocol.upload import UPLOAD_SIZE, VERIFY_SIZE

WRITING = (
    "configs.configuration",
    "publication.export_files",
    "publication.indexwriter",
    "publication.log.logwriter",
    "ticks",
    "service",
)


def status_of(parts, method, path, size=0):
    statuses = []
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "CONTENT_LENGTH": str(size)}
    application = Application(parts)
    list(application({**environ, "wsgi.input": io.BytesIO(bytes(size))}, lambda status, _head: statuses.append(status)))
    return int(statuses[0].split()[0])


def test_a_process_with_pages_alone_answers_files_and_refuses_the_rest(server):
    parts = Parts(server.city, pages=server.pages)
    assert status_of(parts, "GET", "/v1/config") == 200
    assert status_of(parts, "GET", "/v1/exports/index.json") == 200
    assert status_of(parts, "POST", "/v1/verify", VERIFY_SIZE) == 503
    assert status_of(parts, "POST", "/v1/upload", UPLOAD_SIZE) == 503
    assert status_of(parts, "GET", "/v1/log/checkpoint") == 503
    assert status_of(parts, "GET", "/v1/health") == 503


@pytest.mark.parametrize("module", ["parts.pages", "parts.process", "http"])
def test_what_answers_calls_does_not_import_what_signs_and_publishes(module):
    script = (
        f"import sys, bluezone.keyserver.{module};"
        f"print([name for name in {WRITING} if 'bluezone.keyserver.' + name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
