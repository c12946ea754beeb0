# SPDX-License-Identifier: Apache-2.0
"""Two cities, of which one names the other, with phones of both."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.builders.handset import Phones, Served, World, a_city, meet, reported, served
from tests.builders.keyserver import HOUR

from bluezone.handset import Handset

NAMES = {"name_vi": "Bình An", "name_en": "Binh An"}


def neighbour(server: Served, **more: Any) -> dict[str, Any]:
    """How a city names another that is served."""
    return {**NAMES, "address": server.url, "key": server.trust(), **more}


@contextmanager
def two_cities(tmp_path: Path, **more: Any) -> Iterator[tuple[Served, Phones, Served, Phones, World]]:
    """(own city, phones of it, the other city, phones of it, world); the own city names the other."""
    world = World()
    (tmp_path / "here").mkdir()
    with (
        served(tmp_path / "there", world, name_vi="Bình An", name_en="Binh An") as there,
        a_city(tmp_path / "here", world, neighbours=[neighbour(there, **more)]) as (here, phones, _),
    ):
        others = Phones(tmp_path / "others", there, world)
        try:
            yield here, phones, there, others, world
        finally:
            others.close()


def a_meeting_there(phones: Phones, others: Phones, there: Served, world: World) -> tuple[Handset, Handset]:
    """A traveller of the own city meets a patient of the other, and another phone of the own city stays at home."""
    traveller, at_home, patient = phones.new("traveller"), phones.new("at home"), others.new("patient")
    for phone in (traveller, at_home, patient):
        phone.check()
    meet(traveller, patient, 30, world=world)
    reported(patient, there)
    return traveller, at_home


def publish(world: World, *servers: Served) -> None:
    """A day and two hours pass, and the servers publish what is due."""
    world.pass_by(26 * HOUR)
    for server in servers:
        server.key_server.tick()
