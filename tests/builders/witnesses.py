# SPDX-License-Identifier: Apache-2.0
"""Witnesses of a city, each in a separate folder and on a port of this machine."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.builders.epochs import set_recovery_key
from tests.builders.handset import Phones, Served, World, city_with_phones

from bluezone.keyserver.publication.log.witnesses import WitnessRounds
from bluezone.transparency.watch import Policy, Witness, encode_policy
from bluezone.witness.service import make_server
from bluezone.witness.watcher import Watcher

NAMES = ("witness.truong-dh.example", "nhan-chung.tinh-ban.example/bluezone", "log.hoi-bao-chi.example")
OPERATORS = ("Trường Đại học", "Tỉnh bạn", "Hội báo chí")


@dataclass
class Watchmen:
    """The witnesses of one city by name, and their addresses."""

    server: Served
    world: World
    watchers: dict[str, Watcher] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)

    def policy(self, quorum: int, names: Sequence[str] = NAMES) -> Policy:
        return Policy(
            quorum,
            tuple(Witness(name, OPERATORS[NAMES.index(name)], self.watchers[name].key.public.hex()) for name in names),
        )

    def set(self, policy: Policy) -> None:
        """Set the policy directly, without the check that witnesses are on other machines, which they are not here."""
        addresses = json.dumps({witness.name: self.addresses.get(witness.name, "") for witness in policy.witnesses})
        self.server.key_server.public_log.set_policy(encode_policy(policy), addresses)

    def go_round(self) -> None:
        """Let the server tick and query all witnesses, and wait until all of them have answered."""
        self.server.key_server.tick()
        self.ask()

    def ask(self) -> None:
        """Let the server query all witnesses, and wait until all of them have answered."""
        for thread in WitnessRounds(lambda: self.server.key_server.public_log).start_round():
            thread.join()


@contextmanager
def serving(watcher: Watcher) -> Iterator[str]:
    """Run a witness on a port; yields its address."""
    server = make_server(watcher, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def watching(
    server: Served, world: World, folder: Path, quorum: int = 2, names: Sequence[str] = NAMES
) -> Iterator[Watchmen]:
    """Let witnesses in `folder` watch a served city."""
    with ExitStack() as running:
        watchmen = Watchmen(server, world)
        for name in names:
            watcher = Watcher.create(folder / name.replace("/", "-"), name, lambda: world.now)
            watcher.watch(str(server.key_server.public_log.key), f"{server.url}/v1/log")
            watchmen.watchers[name] = watcher
            watchmen.addresses[name] = running.enter_context(serving(watcher))
        watchmen.set(watchmen.policy(quorum, names))
        yield watchmen


@contextmanager
def watched_city(
    folder: Path, quorum: int = 2, names: Sequence[str] = NAMES, **settings: object
) -> Iterator[tuple[Watchmen, Phones, World]]:
    """A city with a recovery key and two files, which witnesses watch and have cosigned."""
    settings = {"publish_period_seconds": 7200, **settings}
    with (
        city_with_phones(folder, **settings) as (server, phones, world),
        watching(server, world, folder / "witnesses", quorum, names) as watchmen,
    ):
        set_recovery_key(server.key_server.data_dir)
        for _ in range(2):
            watchmen.go_round()
            world.pass_by(7200)
        watchmen.go_round()
        yield watchmen, phones, world
