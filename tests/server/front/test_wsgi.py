# SPDX-License-Identifier: Apache-2.0
"""A request of granian as PEP 3333 describes it to the application."""

import io

import pytest
from tests.builders.rsgi import Headers, Scope

from bluezone.server.front.wsgi import wsgi_environ


@pytest.mark.parametrize(("version", "protocol"), [("1", "HTTP/1.0"), ("1.1", "HTTP/1.1"), ("2", "HTTP/2")])
def test_the_application_reads_the_version_of_http_as_it_is_written_in_a_request(version, protocol):
    environ = wsgi_environ(Scope("GET", "/", Headers(), http_version=version), io.BytesIO(), None)

    assert environ["SERVER_PROTOCOL"] == protocol
