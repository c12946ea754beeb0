# SPDX-License-Identifier: Apache-2.0
"""The leaves of the log: one line of text for each thing that a city publishes, always the same for the same thing.

Most leaves take a name, such as "config 7". The first leaf of a name counts; later ones are evidence against the city.
Source: docs/protocol.md section 9, "Leaves".
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from bluezone.protocol.signed.config import Config, WeekKey
from bluezone.protocol.signed.envelope import canonical_json

HEAD = "bluezone-log/v1"
# Keys of the city that phones accept from a config only with a quorum, once there are witnesses.
CITY_KEYS = ("export_keys", "venue_keys", "declaration_key", "push_key", "recovery_key")


def _leaf(*words: object) -> bytes:
    return " ".join([HEAD, *map(str, words)]).encode()


def config_leaf(number: int, sha256: str) -> bytes:
    """The leaf of a config. sha256: hex, of its payload."""
    return _leaf("config", number, sha256)


def week_key_leaf(key: WeekKey, epoch: int) -> bytes:
    """The leaf of a week key first announced in an epoch, with all its members except the time of its announcement."""
    members = [key.kid, key.purpose, key.klass, key.week, key.use_from, key.accept_until, f"{key.n:x}", key.e]
    digest = hashlib.sha256(canonical_json(members)).hexdigest()
    return _leaf("week-key", epoch, key.purpose, key.klass, key.week, key.kid, digest)


def week_key_name(key: WeekKey, epoch: int) -> str:
    """The name that the leaf of a week key takes."""
    return f"week-key {epoch} {key.purpose} {key.klass} {key.week}"


def city_keys(config: Config) -> dict[str, Any]:
    """The keys of the city that a config names."""
    return {name: getattr(config, name) for name in CITY_KEYS}


def city_keys_leaf(config: Config, count: int | None = None) -> bytes:
    """The leaf of all keys of the city that a config names.

    count: how many other sets of keys were in the log before. Earlier phones look for a leaf without it, which takes no
    name.
    """
    digest = hashlib.sha256(canonical_json(city_keys(config))).hexdigest()
    return _leaf("city-keys", digest) if count is None else _leaf("city-keys", count, digest)


def adds_city_key(config: Config, current: Config) -> bool:
    """Whether a config names a key of the city that the current config does not; omitting a key does not count."""
    if not set(config.export_keys) <= set(current.export_keys):
        return True
    if any(current.venue_keys.get(kid) != key for kid, key in config.venue_keys.items()):
        return True
    singles = ("declaration_key", "push_key", "recovery_key")
    return any(getattr(config, name) not in (None, getattr(current, name)) for name in singles)


def head_leaf(kind: str, epoch: int, number: int, chain: str) -> bytes:
    """The leaf of a head of export files or venue packages. kind: of the index; chain: value (hex) after the file."""
    return _leaf(kind, epoch, number, chain)


def read_heads(contents: Iterable[bytes], kind: str) -> list[tuple[int, int, str]]:
    """Epoch, number and chain value (hex) of the heads of a kind among leaves."""
    lines = [content.decode(errors="replace").split(" ") for content in contents]
    return [(int(words[2]), int(words[3]), words[4]) for words in lines if words[:2] == [HEAD, kind]]


def epoch_leaf(record: str, number: int | None = None) -> bytes:
    """The leaf of an epoch. record: base64, as in the config; number: from 1.

    Earlier phones look for a leaf without the number, which takes no name.
    """
    digest = hashlib.sha256(base64.b64decode(record)).hexdigest()
    return _leaf("epoch", digest) if number is None else _leaf("epoch", number, digest)


def policy_leaf(number: int, policy: bytes) -> bytes:
    """The leaf of a policy. number: of the change, from 0, so that a return to an old one counts; policy: encoded."""
    return _leaf("witnesses", number, hashlib.sha256(policy).hexdigest())


def edition_leaf(name: str, sha256: str) -> bytes:
    """The leaf of a published program. name: "web" with the SHA-256 of its `manifest`, or the name of an APK file."""
    return _leaf("program", name, sha256)


def manifest(sha256s: Mapping[str, str]) -> bytes:
    """The list of files of the web edition. sha256s: hex by path, "" for the page itself."""
    return "".join(f"{sha256s[path]}  {path}\n" for path in sorted(sha256s)).encode()


# For each kind of leaf that takes a name: how many words it has after HEAD, and how many of them are the name.
_NAMED = {
    "config": (3, 2), "week-key": (7, 5), "exports": (4, 3), "venues": (4, 3), "epoch": (3, 2), "witnesses": (3, 2),
    "city-keys": (3, 2), "audit": (3, 2),
}  # fmt: skip


def name_of(content: bytes) -> str | None:
    """The name that a leaf takes, such as "exports 0 17"; None for a leaf of which there may be any number."""
    head, *words = content.decode(errors="replace").split(" ")
    count, length = _NAMED.get(words[0] if words else "", (0, 0))
    if head != HEAD or len(words) != count:
        return None
    return " ".join(words[:length])


def audit_leaf(day: str, digest: str) -> bytes:
    """The leaf of the office's audit at the end of a day; it reveals neither its length nor whether it grew.

    day: such as 2026-11-28. digest: hash (hex) of its last entry.
    """
    return _leaf("audit", day, hashlib.sha256(f"{HEAD} audit {day} {digest}".encode()).hexdigest())


def audit_heads(contents: Iterable[bytes]) -> dict[str, bytes]:
    """The leaves of audit heads among all leaves, by day."""
    heads = {}
    for content in contents:
        words = content.decode(errors="replace").split(" ")
        if len(words) == 4 and words[:2] == [HEAD, "audit"]:
            heads[words[2]] = content
    return heads
