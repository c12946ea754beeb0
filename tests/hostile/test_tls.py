# SPDX-License-Identifier: Apache-2.0
"""Direct TLS, without a proxy: who opens a connection and does not finish the handshake waits for himself."""

import ssl

import pytest
from tests.builders.hostile import GoodClient, allow_descriptors, connections, ends
from tests.builders.serving import serving

pytestmark = [pytest.mark.timeout(900)]

MANY = 300
# A TLS record that announces 512 bytes of ClientHello and holds nine.
HALF_A_HELLO = b"\x16\x03\x01\x02\x00" + b"\x01\x00\x01\xfc\x03\x03"
PLAIN = b"GET /v1/config HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A city that ends TLS itself, with a certificate of its own authority."""
    with serving(tmp_path_factory.mktemp("direct") / "data", "--tls", "self") as running:
        yield running


@pytest.fixture
def good(served):
    """Somebody who trusts that authority and uses the city as it is meant, before, during and after."""
    context = ssl.create_default_context(cafile=served.data / "keys" / "tls" / "authority.pem")
    client = GoodClient(served, context)
    client.day(1)
    yield client
    client.day(1)


@pytest.mark.parametrize("first", [b"", HALF_A_HELLO, PLAIN], ids=["nothing", "half a hello", "plain HTTP"])
def test_a_handshake_that_does_not_come_to_its_end_stops_nobody_and_is_ended(served, good, first):
    assert allow_descriptors(MANY)
    with connections(served.public, MANY, first) as held:
        good.day()
        ends(held)


def test_a_body_that_does_not_come_is_refused_under_tls_too(served, good):
    assert allow_descriptors(MANY)
    context = ssl.create_default_context(cafile=served.data / "keys" / "tls" / "authority.pem")
    head = b"POST /v1/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4096\r\n\r\nabc"
    with connections(served.public, 20) as held:
        secured = [context.wrap_socket(one, server_hostname="localhost") for one in held]
        for one in secured:
            one.sendall(head)
        good.day()
        answers = [one.recv(64) for one in secured]
        for one in secured:
            one.close()

    assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in answers)
