# SPDX-License-Identifier: Apache-2.0
"""One real `serve` for all hostile clients, as a small city runs it."""

import pytest
from tests.builders.hostile import GoodClient
from tests.builders.serving import free_port, serving


@pytest.fixture(scope="package")
def served(tmp_path_factory):
    """A running city."""
    port = free_port()
    with serving(tmp_path_factory.mktemp("hostile") / "data", "--operator-port", str(port)) as running:
        running.operator = f"http://127.0.0.1:{port}"
        yield running


@pytest.fixture
def good(served):
    """Somebody who uses it as it is meant, before, during and after."""
    client = GoodClient(served)
    client.day(1)
    yield client
    client.day(1)
