# SPDX-License-Identifier: Apache-2.0
"""Gates with a connected tablet, as the office makes them."""

from tests.builders import devices

from bluezone.rollout.gates import registry
from bluezone.rollout.gates.models import Gate


def gate(name: str = "Cổng chính", agency: str = "UBND phường Sông Cầu", now=devices.NOW) -> tuple[Gate, str]:
    """A gate with one tablet, and the tablet's token."""
    made, token = devices.connected_device(devices.agency(agency), name=name, now=now)
    return registry.gate_of(made, now), token
