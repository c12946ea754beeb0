# SPDX-License-Identifier: Apache-2.0
"""A city with a recovery key, a phone that is up to date, and an attacker who has the city's other keys."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.builders.handset import World, city_with_phones
from tests.builders.liar import Liar

from bluezone.handset import Handset
from bluezone.keyserver.configs.recoverykey import RECOVERY_FILE

RECOVERY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def set_recovery_key(data_dir: Path) -> None:
    """Give a city the recovery key of the tests; the next tick publishes it."""
    (data_dir / RECOVERY_FILE).write_text(RECOVERY.public_key().public_bytes_raw().hex())


@contextmanager
def phone_and_liar(folder: Path, *, recovery_key: bool = True) -> Iterator[tuple[Handset, Liar, World]]:
    """A phone that has fetched two files of a city, and an operator who shows it other files from now on."""
    with city_with_phones(folder, publish_period_seconds=7200) as (server, phones, world):
        if recovery_key:
            set_recovery_key(server.key_server.data_dir)
        for _ in range(2):
            server.key_server.tick()
            world.pass_by(7200)
        phone = phones.new("phone")
        phone.check()
        yield phone, Liar(server), world


def state(phone: Handset) -> tuple[object, ...]:
    """The state that a refused epoch must not change."""
    return phone.city.current_sha256, phone.city.epochs.number, phone.downloads.position, phone.venue_packages.position
