# SPDX-License-Identifier: Apache-2.0
"""Read the whole public log of a city for people who check it on behalf of others, and report what is wrong in it.

Source: docs/protocol.md section 9.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from bluezone.handset.city.edition import APP, EditionNotLogged, check_edition
from bluezone.handset.client import Client, ServerAnswerRefused
from bluezone.protocol.signed.config import Config, decode_config
from bluezone.protocol.signed.envelope import fingerprint, open_signed
from bluezone.protocol.signed.epoch import Epoch, open_epoch
from bluezone.protocol.signed.index import EXPORTS, VENUES, Index, chain_heads, decode_index
from bluezone.transparency.leaves import (
    city_keys_leaf,
    config_leaf,
    epoch_leaf,
    head_leaf,
    name_of,
    week_key_leaf,
)
from bluezone.transparency.merkle import ProofInvalid
from bluezone.transparency.notes import MOST_BYTES, Checkpoint, log_key, open_checkpoint, read_note
from bluezone.transparency.reading import Frontier, fetch_tiles
from bluezone.transparency.watch import current_policy

# How many leaves are requested in one step.
_STEP = 8192


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a log. leaves: by number, those that show it."""

    code: str
    message: str
    leaves: tuple[tuple[int, bytes], ...] = ()

    @property
    def members(self) -> dict[str, Any]:
        """As members of JSON."""
        leaves = [
            {"number": number, "leaf": content.decode(errors="backslashreplace")} for number, content in self.leaves
        ]
        return {"code": self.code, "message": self.message, "leaves": leaves}


@dataclass
class WholeLog:
    """All leaves of a log. first: number and content of the first leaf of each name; others: of each later leaf."""

    contents: list[bytes]
    first: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    others: list[tuple[str, int, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for number, content in enumerate(self.contents):
            name = name_of(content)
            if name is not None and self.first.setdefault(name, (number, content))[0] != number:
                self.others.append((name, number, content))

    def has_first(self, contents: Iterable[bytes]) -> bool:
        """Whether one of these leaves is the first of its name."""
        return any(self.first.get(name_of(content) or "", (0, b""))[1] == content for content in contents)

    def numbers(self, kind: str) -> dict[str, list[int]]:
        """The last numbers in the names of a kind, in order, by what precedes them in the name."""
        numbers = defaultdict(list)
        for name in self.first:
            series, _, number = name.rpartition(" ")
            if series.split(" ")[0] == kind and number.isdecimal():
                numbers[series].append(int(number))
        return {series: sorted(values) for series, values in numbers.items()}


def check_city(client: Client, city_key: bytes, since: Path | None = None) -> dict[str, Any]:
    """Read the whole log of a city, and compare it with the config, the indexes and the web edition that are served.

    city_key: 32 bytes. since: a file with the checkpoint of an earlier check, replaced by a new one that continues it.
    Returns the log's name and size, the witnesses that signed its checkpoint, the result for the web edition (None if
    there is none), and the problems.
    Raises NoteInvalid, ProofInvalid if the leaves are not the signed ones, and as Client and `open_signed`.
    """
    trusted = {fingerprint(city_key): city_key}
    payload = open_signed("config", client.get("/v1/config"), trusted)
    config = decode_config(payload)
    indexes = [
        decode_index(open_signed(kind, client.get(f"/v1/{kind}/index.json"), trusted)) for kind in (EXPORTS, VENUES)
    ]
    # The log comes last: a leaf precedes what it is about.
    note = read_note(client.get("/v1/log/checkpoint", MOST_BYTES))
    checkpoint = open_checkpoint(note, log_key(city_key))
    log = WholeLog(_read_leaves(client, checkpoint))
    edition, problems = _check_edition(client, city_key)
    problems += _second_leaves(log)
    problems += _missing_leaves(log, config, hashlib.sha256(payload).hexdigest(), indexes)
    problems += _gaps(log, [open_epoch(record, bytes.fromhex(config.recovery_key or "")) for record in config.epochs])
    if since is not None:
        problems += _split_view(log, since, city_key)
    if since is not None and not any(problem.code == "split_view" for problem in problems):
        since.write_bytes(note.data)
    policy = current_policy(config.witnesses)
    signed = policy.cosignatures(note, config, city_key, float("inf")) if policy else {}
    return {
        "log": checkpoint.origin, "size": checkpoint.size, "edition": edition,
        "witnesses": [f"{witness.operator} ({witness.name})" for witness in signed],
        "problems": [problem.members for problem in problems],
    }  # fmt: skip


def _read_leaves(client: Client, checkpoint: Checkpoint) -> list[bytes]:
    contents: list[bytes] = []
    for first in range(0, checkpoint.size, _STEP):
        end = min(checkpoint.size, first + _STEP)
        contents += fetch_tiles(lambda path: client.get(f"/v1/log/{path}"), first, end)
    Frontier().append(contents).require_root(checkpoint)
    return contents


def _check_edition(client: Client, city_key: bytes) -> tuple[dict[str, Any] | None, list[Problem]]:
    try:
        client.get(APP)
    except ServerAnswerRefused:
        return None, []
    try:
        return check_edition(client, city_key), []
    except (EditionNotLogged, ServerAnswerRefused, ProofInvalid) as refused:
        return None, [Problem(refused.code, refused.message)]


def _second_leaves(log: WholeLog) -> Iterator[Problem]:
    for name, number, content in log.others:
        message = f"two leaves of the name {name}; the first counts"
        yield Problem("log_second_leaf", message, (log.first[name], (number, content)))


def _missing_leaves(log: WholeLog, config: Config, sha256: str, indexes: Sequence[Index]) -> Iterator[Problem]:
    epochs = range(len(config.epochs) + 1)
    expected = {f"config {config.number}": [config_leaf(config.number, sha256)]}
    # The key of random packets certifies nothing, and has no leaf.
    for key in (key for key in config.week_keys if key.purpose != "chaff"):
        name = f"week key {key.kid} ({key.purpose}, {key.klass}, {key.week})"
        expected[name] = [week_key_leaf(key, epoch) for epoch in epochs]
    for number, record in enumerate(config.epochs, 1):
        expected[f"epoch {number}"] = [epoch_leaf(record, number)]
    counts = log.numbers("city-keys").get("city-keys", [])
    expected["the keys of the city"] = [city_keys_leaf(config, count) for count in counts]
    for index in indexes:
        heads = chain_heads(index)
        for entry in index.entries:
            leaves = [head_leaf(index.kind, epoch, entry.number, heads[entry.number]) for epoch in epochs]
            expected[f"{index.kind} {entry.number}"] = leaves
    for name, contents in expected.items():
        if log.has_first(contents):
            continue
        first = {log.first[name_of(content) or ""] for content in contents if name_of(content) in log.first}
        message = f"what is served as {name} is not the first of its name in the log"
        yield Problem("log_leaf_missing", message, tuple(sorted(first)))


def _gaps(log: WholeLog, epochs: Sequence[Epoch]) -> Iterator[Problem]:
    # In a new epoch, configs continue with a higher number, and their leaves do not name the epoch.
    skipped = [(epoch.config.ancestor, epoch.config.first) for epoch in epochs]
    for kind in ("config", EXPORTS, VENUES):
        for series, numbers in log.numbers(kind).items():
            for before, after in pairwise(numbers):
                is_epoch = kind == "config" and any(last <= before and first == after for last, first in skipped)
                if after != before + 1 and not is_epoch:
                    leaves = tuple(log.first[f"{series} {number}"] for number in (before, after))
                    yield Problem("log_gap", f"after {series} {before} comes {after}", leaves)


def _split_view(log: WholeLog, since: Path, city_key: bytes) -> Iterator[Problem]:
    if not since.exists():
        return
    earlier = open_checkpoint(read_note(since.read_bytes()), log_key(city_key))
    try:
        Frontier().append(log.contents[: earlier.size]).require_root(earlier)
    except ProofInvalid:
        message = f"the log of {len(log.contents)} leaves does not continue that of {earlier.size} in {since}"
        yield Problem("split_view", message)
