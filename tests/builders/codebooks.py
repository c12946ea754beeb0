# SPDX-License-Identifier: Apache-2.0
"""A city with a signer that knows a maker of code books, and small books."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.builders.handset import Phones, Served, World, serve_city
from tests.builders.signer import signing
from tests.builders.stores import with_week_keys

from bluezone.codebooks.making import Book, Facility, make_book
from bluezone.keyserver.keys.keyfolder import open_signing_keys
from bluezone.keyserver.signer.client import FOLDER_NAME, Operation
from bluezone.keyserver.signer.daemon import Daemon
from bluezone.keyserver.signer.rules import SETTINGS_NAME
from bluezone.protocol.upload.books import BookList, Revocation, sign_book, sign_revocation
from bluezone.protocol.upload.slips import Slip, book_number

FACILITIES = (Facility("Trạm y tế Phùng Chí Kiên", 2, 1), Facility("Bệnh viện Bắc Kạn", 1, 1))
KEYS = 8


@dataclass
class BookMaker:
    """A maker of books on a machine apart. city: the city's public key."""

    city: bytes
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def public(self) -> str:
        return self.key.public_key().public_bytes_raw().hex()

    def make(self, now: float, facilities=FACILITIES, days: int = 14, part: int = 0) -> Book:
        return make_book(facilities, self.city, book_number(now), days, KEYS, part)

    def sign(self, book: BookList) -> bytes:
        return sign_book(book, self.key)

    def revoke(self, book: BookList, *slips: Slip) -> bytes:
        keys = tuple(sorted(slip.public for slip in slips))
        return sign_revocation(Revocation(book.book, book.part, self.city, keys), self.key)


@dataclass
class BookCity:
    """A city over HTTP with a signer, and the maker of its books."""

    served: Served
    world: World
    maker: BookMaker
    phones: Phones
    folder: Path
    stop_signer: ExitStack
    version: type[Daemon]

    def start_signer(self) -> None:
        """Start a signer on the folder; `stop_signer.close()` ends it."""
        self.stop_signer.enter_context(signing(self.folder, lambda: self.world.now, version=self.version))

    @property
    def signer(self):
        return self.served.key_server.signer

    @property
    def books(self) -> Path:
        return self.folder / FOLDER_NAME / "books"

    def register(self, book: Book) -> str:
        return self.signer.request_operation(Operation.REGISTER_BOOK, self.maker.sign(book.list)).decode()

    def registered(self, **how) -> Book:
        book = self.maker.make(self.world.now, **how)
        self.register(book)
        return book


@contextmanager
def city_with_books(folder: Path, version: type[Daemon] = Daemon, **limits: int) -> Iterator[BookCity]:
    """A city over HTTP with a signer that takes books of a maker. limits: of signer.toml."""
    world = World()
    data = folder / "city"
    data.mkdir()
    with_week_keys(data, world.now)
    maker = BookMaker(open_signing_keys(data / "keys").city_key)
    (data / FOLDER_NAME).mkdir()
    lines = [f"book_makers = {json.dumps([maker.public])}", *(f"{name} = {value}" for name, value in limits.items())]
    (data / FOLDER_NAME / SETTINGS_NAME).write_text("\n".join(lines) + "\n")
    with ExitStack() as stop_signer:
        stop_signer.enter_context(signing(data, lambda: world.now, version=version))
        with serve_city(data, world) as served:
            assert served.key_server.signer is not None
            phones = Phones(folder / "phones", served, world)
            try:
                yield BookCity(served, world, maker, phones, data, stop_signer, version)
            finally:
                phones.close()
