# SPDX-License-Identifier: Apache-2.0
"""A port that another program holds is said in a sentence that helps (a loudspeaker listens on none)."""

import errno
import random
import socket

import pytest

from bluezone.edge.appliance.intake import SetupPage, SetupPortTaken
from bluezone.edge.gate.box import PORT
from bluezone.edge.gate.main import GatePlan, GatePortTaken, run_gate, run_practice

CITY_KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"  # RFC 8032, 7.1
HELD = "port {} is held by another program, perhaps a second gate: end that one, or "


@pytest.fixture
def held():
    """A socket that listens, of another program as far as ours can tell."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()


def plan(folder, **more):
    fields = {"trust": CITY_KEY, "code": None, "radio": None, "port": 0, "uuid": 0x4E56} | more
    return GatePlan(folder, "http://127.0.0.1:9", **fields)


def test_a_gate_whose_page_has_no_port_names_another_way(tmp_path, held):
    for run in (run_gate, run_practice):
        with pytest.raises(GatePortTaken) as taken:
            run(plan(tmp_path / run.__name__, port=held[1]), {}, print)
        assert str(taken.value) == HELD.format(held[1]) + "choose another with --port"


def test_a_box_whose_port_is_held_says_that_tablets_know_this_one_only(tmp_path):
    # A loopback address of its own, because the port is the same at every box; held by whoever has it.
    host = f"127.{random.randint(1, 250)}.{random.randint(0, 250)}.{random.randint(1, 250)}"
    with socket.create_server((host, PORT)), pytest.raises(GatePortTaken) as taken:
        run_gate(plan(tmp_path, box=host), {}, print)

    assert str(taken.value) == HELD.format(PORT) + "run the box on another machine: tablets know this port only"


def test_an_address_of_no_machine_here_is_told_from_a_port_that_is_held(tmp_path):
    with pytest.raises(GatePortTaken, match=f"port {PORT} cannot be listened on at 192.0.2.1 .*: choose an address"):
        run_gate(plan(tmp_path, box="192.0.2.1"), {}, print)


def test_the_page_that_takes_a_ticket_names_the_stick(tmp_path, held):
    with pytest.raises(SetupPortTaken, match=f"port {held[1]} is held by another program: end that one, or give the"):
        SetupPage(tmp_path, float, *held)
    with pytest.raises(OSError) as other:
        SetupPage(tmp_path, float, "192.0.2.1")
    assert other.value.errno == errno.EADDRNOTAVAIL
