# SPDX-License-Identifier: Apache-2.0
"""Witnesses of a city, each in a separate folder and on a port of this machine; and a log of any leaves."""

import json
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.builders.epochs import set_recovery_key
from tests.builders.handset import Phones, Served, World, city_with_phones

from bluezone.keyserver.publication.log.witnesses import WitnessRounds
from bluezone.protocol.primitives import Ed25519Signer
from bluezone.transparency.merkle import consistency_ranges, leaf_hash, tree_root
from bluezone.transparency.notes import Checkpoint, Note, hash_lines, log_key, sign_checkpoint
from bluezone.transparency.reading import pack_leaves
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
    with running(make_server(watcher, "127.0.0.1", 0)) as address:
        yield address


@contextmanager
def running(server: ThreadingHTTPServer) -> Iterator[str]:
    """Run a server of this machine in a thread; yields its address."""
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


class AnyLog:
    """A log with any leaves, as an operator with the city's key can make it.

    size: of its checkpoint. hidden: a pattern; requests for matching addresses are answered with 404.
    """

    def __init__(self, signer: Ed25519Signer, contents: Sequence[bytes]) -> None:
        self.signer = signer
        self.key = log_key(signer.public_key().public_bytes_raw())
        self.contents = list(contents)
        self.size = len(self.contents)
        self.hidden = "nothing"
        self.requests: list[str] = []

    def note(self, size: int) -> Note:
        root = tree_root([leaf_hash(content) for content in self.contents[:size]])
        return sign_checkpoint(Checkpoint(self.key.name, size, root), self.key, self.signer.sign)

    def proof(self, old: int, size: int) -> list[bytes]:
        hashes = [leaf_hash(content) for content in self.contents]
        return [tree_root(hashes[first:end]) for first, end in consistency_ranges(old, size)]

    def request(self, old: int, size: int) -> bytes:
        """The body of `add-checkpoint`."""
        return f"old {old}\n".encode() + hash_lines(self.proof(old, size)) + b"\n" + self.note(size).data

    def answer(self, path: str) -> bytes | None:
        self.requests.append(path)
        if re.search(self.hidden, path):
            return None
        if path == "/checkpoint":
            return self.note(self.size).data
        if match := re.fullmatch("/consistency/([0-9]+)/([0-9]+)", path):
            return hash_lines(self.proof(int(match[1]), int(match[2])))
        if match := re.fullmatch("/leaves/([0-9]+)/([0-9]+)", path):
            return pack_leaves(self.contents[int(match[1]) : int(match[2])])
        if match := re.fullmatch(r"/tile/entries/([0-9]{3})(?:\.p/([0-9]+))?", path):
            first = 256 * int(match[1])
            return pack_leaves(self.contents[first : first + int(match[2] or 256)])
        return None


@contextmanager
def serving_log(log: AnyLog) -> Iterator[str]:
    """Serve a log on a port; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = log.answer(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            pass

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as address:
        yield address
