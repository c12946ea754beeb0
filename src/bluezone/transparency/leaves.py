# SPDX-License-Identifier: Apache-2.0
"""What stands in the log: one line of text for each thing that a city publishes, the same however often it is made.

Source: docs/protocol.md section 9, "Leaves".
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from bluezone.protocol.signed.config import Config, WeekKey
from bluezone.protocol.signed.envelope import canonical_json

HEAD = "bluezone-log/v1"
# Keys of the city that no phone takes from a config without a quorum, once there are witnesses.
CITY_KEYS = ("export_keys", "venue_keys", "declaration_key", "push_key", "recovery_key")


def _leaf(*words: object) -> bytes:
    return " ".join([HEAD, *map(str, words)]).encode()


def config_leaf(number: int, sha256: str) -> bytes:
    """A config. sha256: hex, of its payload."""
    return _leaf("config", number, sha256)


def week_key_leaf(key: WeekKey) -> bytes:
    """A week key, by all that is said of it but when it was announced."""
    told = [key.kid, key.purpose, key.klass, key.week, key.use_from, key.accept_until, f"{key.n:x}", key.e]
    return _leaf("week-key", key.kid, hashlib.sha256(canonical_json(told)).hexdigest())


def city_keys(config: Config) -> dict[str, Any]:
    """The keys of the city that a config names."""
    return {name: getattr(config, name) for name in CITY_KEYS}


def city_keys_leaf(config: Config) -> bytes:
    """The keys of the city that a config names, all together."""
    return _leaf("city-keys", hashlib.sha256(canonical_json(city_keys(config))).hexdigest())


def brings_city_key(config: Config, held: Config) -> bool:
    """Whether a config names a key of the city that the config held did not; leaving one out is no new key."""
    if not set(config.export_keys) <= set(held.export_keys):
        return True
    if any(held.venue_keys.get(kid) != key for kid, key in config.venue_keys.items()):
        return True
    singles = ("declaration_key", "push_key", "recovery_key")
    return any(getattr(config, name) not in (None, getattr(held, name)) for name in singles)


def head_leaf(kind: str, epoch: int, number: int, chain: str) -> bytes:
    """The head of export files or venue packages. kind: of the index; chain: value (hex) after file `number`."""
    return _leaf(kind, epoch, number, chain)


def epoch_leaf(record: str) -> bytes:
    """An epoch. record: base64, as the config carries it."""
    return _leaf("epoch", hashlib.sha256(base64.b64decode(record)).hexdigest())


def policy_leaf(number: int, policy: bytes) -> bytes:
    """Who watches. number: of the change, from 0, so that going back is a change too; policy: as it is encoded."""
    return _leaf("witnesses", number, hashlib.sha256(policy).hexdigest())


def edition_leaf(name: str, sha256: str) -> bytes:
    """A program that is handed out. name: "web" with the SHA-256 of its `manifest`, or the name of an APK file."""
    return _leaf("program", name, sha256)


def manifest(sha256s: Mapping[str, str]) -> bytes:
    """The files of the web edition in one text. sha256s: hex by path, "" for the page itself."""
    return "".join(f"{sha256s[path]}  {path}\n" for path in sorted(sha256s)).encode()


def audit_leaf(day: str, digest: str) -> bytes:
    """The head of the office's audit at the end of a day, which tells neither how long it is nor whether it grew.

    day: such as 2026-11-28. digest: hash (hex) of its last entry.
    """
    return _leaf("audit", day, hashlib.sha256(f"{HEAD} audit {day} {digest}".encode()).hexdigest())


def audit_heads(contents: Iterable[bytes]) -> dict[str, bytes]:
    """The leaves of audit heads among others, by day."""
    found = {}
    for content in contents:
        words = content.decode(errors="replace").split(" ")
        if len(words) == 4 and words[:2] == [HEAD, "audit"]:
            found[words[2]] = content
    return found
