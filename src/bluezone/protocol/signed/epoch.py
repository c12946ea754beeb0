# SPDX-License-Identifier: Apache-2.0
"""A new epoch: how a city goes on after part of its history was lost, and what a phone asks before it goes along.

The record is signed by the recovery key, which is on no server. Source: docs/protocol.md section 5, "Epochs";
docs/attacks.md rows 55 to 60.
"""

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bluezone.protocol.intervals import SECONDS_PER_DAY
from bluezone.protocol.primitives import Ed25519Signer
from bluezone.protocol.signed.config import Config
from bluezone.protocol.signed.envelope import canonical_json, fingerprint, open_signed, sign_payload
from bluezone.protocol.signed.index import EXPORTS, VENUES
from bluezone.protocol.signed.members import JsonMembers
from bluezone.refusal import Refused

KIND = "epoch"
CONFIG = "config"
# All that is numbered, and so has to go on behind what phones have seen.
BRANCHES = (CONFIG, EXPORTS, VENUES)
# Whoever gets hold of both keys can lead phones aside once a week, not at every look.
LEAST_SECONDS = 7 * SECONDS_PER_DAY

_SHA256 = r"[0-9a-f]{64}"


class InvalidEpoch(Refused):
    """Not a record of an epoch, or one that contradicts itself."""

    code = "epoch_invalid"


class EpochRefused(Refused):
    """A record of an epoch that this phone does not go along with; the message says why, and what is held stays."""

    code = "epoch_refused"


@dataclass(frozen=True, slots=True)
class Branch:
    """Where one numbered history goes on.

    first:    number with which it goes on, above every number that a phone may have seen.
    ancestor: last number of the old history that still holds.
    head:     chain value (hex) after the ancestor; of configs, the SHA-256 (hex) of its payload.
    """

    first: int
    ancestor: int
    head: str


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch. number: 1 for the first that follows the beginning. opened_at: Unix seconds."""

    number: int
    opened_at: int
    config: Branch
    exports: Branch
    venues: Branch

    def branch(self, kind: str) -> Branch:
        """The branch of `kind`, one of BRANCHES."""
        branch: Branch = getattr(self, kind)
        return branch


def encode_epoch(epoch: Epoch) -> bytes:
    """Return the payload to sign."""
    return canonical_json(asdict(epoch))


def decode_epoch(payload: bytes) -> Epoch:
    """Read the payload of a record. Raises InvalidEpoch."""
    read = JsonMembers.parse(payload, InvalidEpoch)
    return Epoch(
        number=read.integer("number", lowest=1),
        opened_at=read.integer("opened_at"),
        config=_branch(read.inner(CONFIG)),
        exports=_branch(read.inner(EXPORTS)),
        venues=_branch(read.inner(VENUES)),
    )


def _branch(read: JsonMembers) -> Branch:
    branch = Branch(read.integer("first", lowest=1), read.integer("ancestor"), read.text("head", _SHA256))
    if branch.ancestor >= branch.first:
        raise InvalidEpoch("an epoch goes on with a number that is not above its ancestor")
    return branch


def sign_epoch(epoch: Epoch, recovery_key: Ed25519Signer) -> str:
    """Return the record as the config carries it: base64 of the signed file."""
    return base64.b64encode(sign_payload(KIND, encode_epoch(epoch), recovery_key)).decode()


def open_epoch(record: str, recovery_key: bytes) -> Epoch:
    """Read a record that a recovery key has signed.

    recovery_key: public, 32 bytes. Raises InvalidEpoch, InvalidSignedFile, UntrustedSignature.
    """
    try:
        data = base64.b64decode(record, validate=True)
    except ValueError:
        raise InvalidEpoch("the record of an epoch is not base64") from None
    return decode_epoch(open_signed(KIND, data, {fingerprint(recovery_key): recovery_key}))


@dataclass(frozen=True, slots=True)
class Held:
    """What a phone has seen of the numbered histories.

    number:   of its epoch, 0 in the beginning. accepted_at: when it went along, Unix seconds, None in the beginning.
    seen:     by branch, the highest number ever seen.
    heads:    by branch, the heads it knows (hex) by number.
    """

    number: int
    accepted_at: float | None
    seen: Mapping[str, int]
    heads: Mapping[str, Mapping[int, str]]


def check_epoch(epoch: Epoch, held: Held, now: float) -> None:
    """Check that a phone may go along with an epoch. now: its trusted Unix seconds. Raises EpochRefused."""
    if epoch.number != held.number + 1:
        raise EpochRefused(f"number: epoch {epoch.number} does not follow {held.number}")
    if held.accepted_at is not None and now - held.accepted_at < LEAST_SECONDS:
        raise EpochRefused("too_soon: this phone went along with another epoch less than a week ago")
    for kind in BRANCHES:
        branch = epoch.branch(kind)
        if branch.first <= held.seen[kind]:
            raise EpochRefused(f"rolled_back: {kind} go on with {branch.first}, {held.seen[kind]} was seen here")
        # Of what a phone has not come to yet it knows no head: then the files must lead there from where it stands.
        if branch.ancestor <= held.seen[kind] and held.heads[kind].get(branch.ancestor) != branch.head:
            raise EpochRefused(f"ancestor: {kind} {branch.ancestor} is not as this phone knows it")


def check_first_config(config: Config, epoch: Epoch, held: Config) -> None:
    """Check that the first config of an epoch brings no key that the config held did not have. Raises EpochRefused.

    Week keys are compared by the caller, who remembers every one that was ever announced.
    """
    if config.number != epoch.config.first or config.history or len(config.epochs) != epoch.number:
        raise EpochRefused(f"first_config: config {config.number} does not begin epoch {epoch.number}")
    if config.generated_at < held.generated_at:
        raise EpochRefused(f"rolled_back: its first config says {config.generated_at}, {held.generated_at} is known")
    for name, new, old in _other_keys(config, held):
        if new != old and new is not None:
            raise EpochRefused(f"new_key: the epoch comes with another {name}")
    if not set(config.export_keys) <= set(held.export_keys):
        raise EpochRefused("new_key: the epoch comes with another export key")
    if any(held.venue_keys.get(kid) != key for kid, key in config.venue_keys.items()):
        raise EpochRefused("new_key: the epoch comes with another key of venues")


def _other_keys(config: Config, held: Config) -> list[tuple[str, Any, Any]]:
    names = ("declaration_key", "push_key", "recovery_key")
    return [(name, getattr(config, name), getattr(held, name)) for name in names]
