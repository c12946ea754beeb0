# SPDX-License-Identifier: Apache-2.0
"""A `serve` that is stopped and started again at once, right after its ports were asked."""

import urllib.request

import pytest
from tests.builders.serving import free_port, serving, start
from tests.builders.stores import HOTLINE, prepared_store

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def test_a_serve_whose_ports_were_asked_a_moment_ago_starts_again_at_once(tmp_path):
    public, office, operator = free_port(), free_port(), free_port()
    ports = ("--public-port", str(public), "--office-port", str(office), "--operator-port", str(operator))
    for _ in range(2):
        with serving(tmp_path / "data", *ports):
            for address in (f"{operator}/metrics", f"{operator}/ready", f"{public}/v1/config", f"{office}/"):
                # As a scrape does: the server ends the connection, and its end of it lingers for a minute.
                with urllib.request.urlopen(f"http://localhost:{address}", timeout=120) as answer:
                    assert answer.status == 200
                    answer.read()


def test_a_port_on_which_a_serve_listens_is_no_other_programs(tmp_path):
    public, operator = free_port(), free_port()
    ports = ("--public-port", str(public), "--operator-port", str(operator))
    prepared_store(tmp_path / "two")
    with serving(tmp_path / "one", *ports), pytest.raises(AssertionError, match=f"port {operator} cannot be used"):
        start(tmp_path / "two", "--hotline", HOTLINE, "--operator-port", str(operator))
