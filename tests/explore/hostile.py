# SPDX-License-Identifier: Apache-2.0
"""An owned process that may request every signature: it draws dishonest requests by a seed, and keeps what it gets.

It has all rights at the signer but not the signer's keys, record or clock. What was signed is then compared with what
an honest history can contain, by checks that share no code with the signer's rules.
"""

import hashlib
import json
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.builders.keyserver import DAY, HOUR, Clock, open_server
from tests.builders.signer import export_of, signing

from bluezone.keyserver.configs.configfiles import KIND as CONFIG
from bluezone.keyserver.publication.embargo import newest_published_day
from bluezone.keyserver.signer.client import Operation
from bluezone.protocol.exports.files import read_export
from bluezone.protocol.exports.writer import zip_export
from bluezone.protocol.intervals import day_at, first_interval
from bluezone.protocol.signed.config import Config, decode_config, encode_config
from bluezone.protocol.signed.envelope import CHAIN_START, extend_chain, sign_payload
from bluezone.protocol.signed.index import EXPORTS, VENUES, Index, IndexEntry, decode_index, encode_index
from bluezone.refusal import Refused
from bluezone.transparency.merkle import consistency_ranges, leaf_hash, tree_root
from bluezone.transparency.notes import Checkpoint, hash_lines, log_key

APPROVERS = 2
EMBARGO = 2 * HOUR
# How far ahead of the signer's clock a file may be dated, in seconds (docs/operating.md, "The signer").
MOST_AHEAD = 120


@dataclass
class Signed:
    """Everything that the signer has released, oldest first.

    exports: signed part, and the true time. files: SHA-256 (hex) of packed exports. logs: leaves of checkpoints.
    problems: what was dishonest at the moment of its signature, in sentences.
    """

    indexes: list[Index] = field(default_factory=list)
    configs: list[bytes] = field(default_factory=list)
    exports: list[tuple[bytes, float]] = field(default_factory=list)
    files: set[str] = field(default_factory=set)
    logs: list[tuple[bytes, ...]] = field(default_factory=list)
    heads: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Intruder:
    """Owns the key server of a city in `folder`. Counts how many of its requests were granted."""

    def __init__(self, folder: Path, clock: Clock, seed: int) -> None:
        self.draws = random.Random(seed)
        self.clock = clock
        self.signed = Signed()
        self.granted = self.refused = 0
        self.server = open_server(folder, clock)
        self.keys = self.server.secrets
        configs = self.server.configs
        self.signed.configs += [configs.payload(number) for number in configs.numbers()]
        self._note_signatures()

    def _note_signatures(self) -> None:
        """Note what is signed for the honest server, too, between it and the signer."""
        connection = self.server.signer
        request = connection.request_operation

        def noting(what: Operation, body: bytes = b"") -> bytes:
            answer = request(what, body)
            if what is Operation.SIGN:
                self._note(body)
            elif what is Operation.EXPORT:
                self._note_export(body, answer)
            return answer

        connection.request_operation = noting

    def _note(self, message: bytes) -> None:
        prefix, _, rest = message.partition(b"\0")
        kind, _, payload = rest.partition(b"\0")
        if prefix != b"BZ-SIGNED-v1":
            return
        if kind == CONFIG.encode():
            self._note_future(decode_config(payload).generated_at)
            self.signed.configs.append(payload)
        elif kind.decode() in (EXPORTS, VENUES):
            index = decode_index(payload)
            self._note_future(index.generated_at)
            if index.kind != kind.decode():
                self.signed.problems.append("an index was signed as one of another kind")
            if index.config_sha256 != self._newest_config_hash():
                self.signed.problems.append("an index names another config than the newest")
            self.signed.indexes.append(index)
        elif kind == b"head":
            self.signed.heads.append(json.loads(payload))

    def _note_future(self, generated_at: int) -> None:
        if generated_at > self.clock() + MOST_AHEAD:
            self.signed.problems.append("a file is dated in the future")

    def _note_export(self, export_bin: bytes, signature: bytes) -> None:
        if export_bin not in [export for export, _ in self.signed.exports]:
            self.signed.exports.append((export_bin, self.clock()))
        packed = zip_export(export_bin, signature, self.keys.export_signature_info())
        self.signed.files.add(hashlib.sha256(packed).hexdigest())

    def act(self) -> None:
        """One act, most of them dishonest."""
        acts: list[Callable[[], object]] = [
            self._pass_time, self._ask_for_index, self._ask_for_index, self._ask_for_config, self._ask_for_export,
            self._ask_for_checkpoint, self._ask_for_head, self._show_old_file,
        ]  # fmt: skip
        chosen = self.draws.choice(acts)
        try:
            chosen()
        except (Refused, ValueError):
            self.refused += 1
        else:
            self.granted += chosen != self._pass_time

    def _pass_time(self) -> None:
        self.clock.pass_by(self.draws.choice([60, HOUR, 2 * HOUR, DAY, 7 * DAY]))
        with suppress(Refused):
            self.server.tick()

    # Indexes

    def _ask_for_index(self) -> None:
        kind = self.draws.choice([EXPORTS, EXPORTS, VENUES])
        known = [index for index in self.signed.indexes if index.kind == kind]
        if not known:
            return
        index = self.draws.choice(known[-4:])
        for _ in range(self.draws.randint(1, 3)):
            index = self._change_index(index)
        sign_payload(self.draws.choice([kind, kind, kind, VENUES]), encode_index(index), self.keys.signing_key)

    def _change_index(self, index: Index) -> Index:
        entries = list(index.entries)
        number = index.number
        which = self.draws.randrange(len(entries)) if entries else 0
        change = self.draws.randrange(10)
        if change == 0:
            return replace(index, generated_at=int(self.clock()))
        if change == 1:
            return replace(index, generated_at=int(self.clock()) + self.draws.choice([-DAY, -1, 1, 2 * HOUR, DAY]))
        if change == 2:
            return replace(index, epoch=self.draws.choice([0, 1, 2]))
        if change == 3:
            return replace(index, config_sha256=self._newest_config_hash())
        if change == 4:
            return replace(index, chain_before=self.draws.choice([CHAIN_START.hex(), "ab" * 32, index.chain_before]))
        if change == 5 and entries:
            # Roll back: the newest file was never published.
            return replace(index, entries=tuple(entries[:-1]), number=number - 1)
        if change == 6 and entries:
            # Forget the oldest files.
            dropped = entries[: which + 1]
            chain = bytes.fromhex(index.chain_before)
            for entry in dropped:
                chain = extend_chain(chain, bytes.fromhex(entry.sha256))
            return replace(index, entries=tuple(entries[which + 1 :]), chain_before=chain.hex())
        if change == 7 and entries:
            entries[which] = self._entry(entries[which].number)
            return replace(index, entries=tuple(entries))
        more = [self._entry(number + 1 + offset) for offset in range(self.draws.randint(1, 2))]
        return replace(index, entries=(*entries, *more), number=number + len(more))

    def _entry(self, number: int) -> IndexEntry:
        """A file of a list: an honest one, or made up."""
        sha256 = self.draws.choice([*sorted(self.signed.files)[-6:], self.draws.randbytes(32).hex()])
        return IndexEntry(number, f"{number}-{sha256[:16]}.zip", sha256, 700)

    def _newest_config_hash(self) -> str:
        return hashlib.sha256(self.signed.configs[-1]).hexdigest() if self.signed.configs else "00" * 32

    # Configs

    def _ask_for_config(self) -> None:
        if not self.signed.configs:
            return
        payload = self.draws.choice(self.signed.configs[-3:])
        config = decode_config(payload)
        sha256 = hashlib.sha256(payload).hexdigest()
        config = replace(
            config, number=config.number + 1, history=(*config.history, sha256), generated_at=int(self.clock())
        )
        for _ in range(self.draws.randint(0, 2)):
            config = self._change_config(config)
        sign_payload(CONFIG, encode_config(config), self.keys.signing_key)

    def _change_config(self, config: Config) -> Config:
        changes: list[Callable[[], Config]] = [
            lambda: replace(config, number=config.number + self.draws.choice([-1, 1])),
            lambda: replace(
                config, number=config.number + 1, history=(*config.history, self.draws.randbytes(32).hex())
            ),
            lambda: replace(config, history=config.history[:-1]),
            lambda: replace(config, history=(*config.history[:-1], self.draws.randbytes(32).hex())),
            lambda: replace(config, generated_at=config.generated_at + self.draws.choice([-30 * DAY, DAY])),
            lambda: replace(config, hotline="0209 3870 999"),
            lambda: replace(config, week_keys=config.week_keys[:-1]),
            lambda: replace(config, week_keys=tuple(replace(key, n=key.n + 2) for key in config.week_keys)),
            lambda: replace(config, epochs=("made up",)),
        ]
        return self.draws.choice(changes)()

    # Exports

    def _ask_for_export(self) -> None:
        now = int(self.clock())
        end = (now // 7200 + self.draws.randint(-3, 2)) * 7200 + self.draws.choice([0, 0, 0, 1])
        newest = newest_published_day(now, EMBARGO)
        days = [newest - self.draws.choice([0, 1, 5, 13]) for _ in range(self.draws.randint(0, 3))]
        if self.draws.random() < 0.3:
            days.append(day_at(now) + self.draws.choice([-30, 0, 1]))
        public = self.keys.export_key.public_key()
        self.keys.export_key.sign(export_of(public, end, days, period=self.draws.choice([7200, 7200, -7200])), None)

    # The log

    def _ask_for_checkpoint(self) -> None:
        """A checkpoint of a log of our own making: cut, changed or continued, with the proof that fits it best."""
        size = self.server.public_log.size()
        honest = tuple(self.server.public_log.leaves(0, size))
        base = self.draws.choice([honest, *self.signed.logs[-3:]])
        change = self.draws.randrange(4)
        if change == 0 and base:
            base = base[: self.draws.randrange(len(base))]
        elif change == 1 and base:
            at = self.draws.randrange(len(base))
            base = (*base[:at], b"made up", *base[at + 1 :])
        if change >= 1:
            base = (*base, *(self.draws.randbytes(4) for _ in range(self.draws.randint(0, 3))))
        hashes = [leaf_hash(leaf) for leaf in base]
        signed_size = self.keys.signing_key.log_size()
        proof: list[bytes] = []
        if signed_size <= len(base):
            spans = consistency_ranges(signed_size, len(base))
            proof = [tree_root(hashes[first:end]) for first, end in spans]
        name = log_key(self.keys.city_key).name
        text = Checkpoint(name, len(base), tree_root(hashes)).text
        self.keys.signing_key.sign(text + hash_lines(proof))
        self.signed.logs.append(base)

    # The rest

    def _ask_for_head(self) -> None:
        if not self.signed.indexes:
            return
        index = self.draws.choice(self.signed.indexes[-5:])
        head = {
            "kind": index.kind, "number": index.number, "chain": _chain(index), "epoch": index.epoch,
            "generated_at": index.generated_at,
        }  # fmt: skip
        name = self.draws.choice(["number", "chain", "epoch", "generated_at", "none", "none"])
        if name == "chain":
            head[name] = "cd" * 32
        elif name != "none":
            head[name] += self.draws.choice([-1, 1])
        sign_payload("head", json.dumps(head, sort_keys=True, separators=(",", ":")).encode(), self.keys.signing_key)

    def _show_old_file(self) -> None:
        """Show the signer something older, or signed by another city, as the newest."""
        own = Ed25519PrivateKey.from_private_bytes(self.draws.randbytes(32))
        if self.draws.random() < 0.5 and self.signed.indexes:
            index = self._change_index(self.draws.choice(self.signed.indexes))
            kind, file = index.kind, sign_payload(index.kind, encode_index(index), own)
        else:
            configs = self.server.configs
            number = self.draws.choice(configs.numbers())
            kind, file = CONFIG, configs.path(number).read_bytes()
        self.server.signer.request_operation(Operation.CATCH_UP, kind.encode() + b"\0" + file)


def _chain(index: Index) -> str:
    """The chain value after the newest file of an index (docs/protocol.md section 5)."""
    chain = bytes.fromhex(index.chain_before)
    for entry in index.entries:
        chain = extend_chain(chain, bytes.fromhex(entry.sha256))
    return chain.hex()


def dishonest(signed: Signed) -> str | None:
    """What was signed that no honest history contains, in a sentence; None if there is nothing."""
    if signed.problems:
        return signed.problems[0]
    return _dishonest_index(signed) or _dishonest_config(signed) or _dishonest_export(signed) or _dishonest_log(signed)


def _dishonest_index(signed: Signed) -> str | None:
    chains: dict[tuple[str, int], str] = {}
    newest: dict[str, Index] = {}
    for index in signed.indexes:
        if index.epoch:
            return "an index is of an epoch that no recovery key has opened"
        before = newest.get(index.kind)
        if before and (index.number < before.number or index.generated_at < before.generated_at):
            return f"the index of {index.kind} went back from {before.number} to {index.number}, or in time"
        newest[index.kind] = index
        chain = index.chain_before
        numbered = [(index.first_number - 1, chain)]
        for entry in index.entries:
            chain = extend_chain(bytes.fromhex(chain), bytes.fromhex(entry.sha256)).hex()
            numbered.append((entry.number, chain))
        for number, value in numbered:
            if chains.setdefault((index.kind, number), value) != value:
                return f"{index.kind} has two histories of number {number}"
        if before and index.first_number > before.number + 1:
            return f"the index of {index.kind} leaves out the files after {before.number}"
        listed = [entry.sha256 for entry in index.entries]
        if index.kind == EXPORTS and not signed.files >= {*listed}:
            return "an index lists a file that was not signed"
        if len(listed) > len({*listed}):
            return "an index lists a file twice"
    heads = {(index.kind, index.number, _chain(index), index.epoch, index.generated_at) for index in signed.indexes}
    for head in signed.heads:
        if tuple(head[name] for name in ("kind", "number", "chain", "epoch", "generated_at")) not in heads:
            return f"a head of {head['kind']} is that of no index"
    return None


def _dishonest_config(signed: Signed) -> str | None:
    by_number: dict[int, bytes] = {}
    last: Config | None = None
    for payload in signed.configs:
        config = decode_config(payload)
        if by_number.setdefault(config.number, payload) != payload:
            return f"there are two configs of number {config.number}"
        if last and config.number not in (last.number, last.number + 1):
            return f"config {config.number} was signed after {last.number}"
        if last and config.generated_at < last.generated_at:
            return "a config is dated earlier than the one before it"
        if last and config.hotline != last.hotline:
            return "the hotline changed without approval"
        if config.epochs:
            return "a config opens an epoch without the recovery key"
        before = by_number.get(config.number - 1)
        if before and config.history[-1:] != (hashlib.sha256(before).hexdigest(),):
            return f"config {config.number} does not name the one before it"
        moduli = {key.kid: key.n for key in last.week_keys} if last else {}
        if any(moduli.get(key.kid, key.n) != key.n for key in config.week_keys):
            return "a week key was replaced"
        last = config
    return None


def _dishonest_export(signed: Signed) -> str | None:
    last_end = 0
    for export_bin, at in signed.exports:
        export = read_export(export_bin)
        if export.end_timestamp <= last_end:
            return "an export has a window that was signed before"
        if not export.start_timestamp < export.end_timestamp <= at:
            return "an export has a window that is not over"
        last_end = export.end_timestamp
        newest = first_interval(newest_published_day(at, EMBARGO))
        oldest = newest - 15 * 144
        if any(not oldest <= start <= newest for start in export.columns.starts):
            return "an export has a key under embargo, or one that is too old"
    return None


def _dishonest_log(signed: Signed) -> str | None:
    logs = sorted(signed.logs, key=len)
    for shorter, longer in pairwise(logs):
        if longer[: len(shorter)] != shorter:
            return f"the log of {len(longer)} leaves does not begin with that of {len(shorter)}"
    return None


def intrude(folder: Path, seed: int, acts: int) -> tuple[str | None, int, int]:
    """One run: what was signed dishonestly (None if nothing was), and how many requests were granted and refused."""
    clock = Clock()
    names = [Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex() for _ in range(APPROVERS)]
    (folder / "signer").mkdir(mode=0o700, exist_ok=True)
    (folder / "signer" / "signer.toml").write_text(f"approvers = {json.dumps(names)}\n")
    with signing(folder, clock):
        intruder = Intruder(folder, clock, seed)
        for _ in range(3):
            intruder.server.tick()
            clock.pass_by(7 * DAY)
        # Otherwise a signer that refuses everything would pass.
        assert len(intruder.signed.configs) > 1
        assert {index.kind for index in intruder.signed.indexes} == {EXPORTS, VENUES}
        assert intruder.signed.exports
        for _ in range(acts):
            intruder.act()
        intruder.server.close()
    return dishonest(intruder.signed), intruder.granted, intruder.refused
