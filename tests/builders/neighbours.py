# SPDX-License-Identifier: Apache-2.0
"""Two cities with their phones; the first has the second as its neighbour."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.builders.handset import Phones, Served, World, city_with_phones, meet_phone, report_patient, serve_city
from tests.builders.keyserver import HOUR

from bluezone.handset import Handset

NAMES = {"name_vi": "Bình An", "name_en": "Binh An"}


def neighbour(server: Served, **more: Any) -> dict[str, Any]:
    """The entry of a served city among the neighbours of another."""
    return {**NAMES, "address": server.url, "key": server.trust(), **more}


@contextmanager
def two_cities(tmp_path: Path, **more: Any) -> Iterator[tuple[Served, Phones, Served, Phones, World]]:
    """(home city, its phones, other city, its phones, world); the home city has the other as its neighbour."""
    world = World()
    (tmp_path / "here").mkdir()
    with (
        serve_city(tmp_path / "there", world, name_vi="Bình An", name_en="Binh An") as there,
        city_with_phones(tmp_path / "here", world, neighbours=[neighbour(there, **more)]) as (here, phones, _),
    ):
        others = Phones(tmp_path / "others", there, world)
        try:
            yield here, phones, there, others, world
        finally:
            others.close()


def meet_abroad(phones: Phones, others: Phones, there: Served, world: World) -> tuple[Handset, Handset]:
    """A traveller of the home city meets a patient of the other city; another phone of the home city stays at home."""
    traveller = phones.new("traveller")
    at_home = phones.new("at home")
    patient = others.new("patient")
    for phone in (traveller, at_home, patient):
        phone.check()
    meet_phone(traveller, patient, 30, world=world)
    report_patient(patient, there)
    return traveller, at_home


def publish(world: World, *servers: Served) -> None:
    """Let a day and two hours pass, and the servers publish what is due."""
    world.pass_by(26 * HOUR)
    for server in servers:
        server.key_server.tick()
