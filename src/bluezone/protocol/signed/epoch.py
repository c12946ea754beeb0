# SPDX-License-Identifier: Apache-2.0
"""Epochs: how a city continues its histories after it lost a part of them, and when a phone accepts this.

The recovery key, which is on no server, signs the record of an epoch. Source: docs/protocol.md section 5, "Epochs";
docs/attacks.md rows 55 to 60.
"""

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from bluezone.protocol.intervals import SECONDS_PER_DAY
from bluezone.protocol.primitives import Ed25519Signer
from bluezone.protocol.signed.config import Config
from bluezone.protocol.signed.envelope import canonical_json, fingerprint, open_signed, sign_payload
from bluezone.protocol.signed.index import EXPORTS, VENUES
from bluezone.protocol.signed.members import JsonMembers
from bluezone.refusal import Refused

KIND = "epoch"
CONFIG = "config"
# The numbered histories. In a new epoch, each continues above the numbers that phones have seen.
BRANCHES = (CONFIG, EXPORTS, VENUES)
# Least time between two epochs. It limits an attacker with both keys to one false epoch in a week.
LEAST_SECONDS = 7 * SECONDS_PER_DAY

_SHA256 = r"[0-9a-f]{64}"


class InvalidEpoch(Refused):
    """Not a record of an epoch, or a record that contradicts itself."""

    code = "epoch_invalid"


class EpochRefused(Refused):
    """This phone does not accept an epoch and keeps its history; the message begins with a code for the reason."""

    code = "epoch_refused"


@dataclass(frozen=True, slots=True)
class Branch:
    """Where one numbered history continues in a new epoch.

    first:    first new number, above every number that a phone may have seen.
    ancestor: last number of the old history that is still valid.
    head:     chain value (hex) after the ancestor; for configs, the SHA-256 (hex) of the ancestor's payload.
    """

    first: int
    ancestor: int
    head: str


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch. number: 0 is the original history, 1 the first epoch after it. opened_at: Unix seconds."""

    number: int
    opened_at: int
    config: Branch
    exports: Branch
    venues: Branch

    def branch(self, kind: str) -> Branch:
        """Return the branch of a history. kind: one of BRANCHES."""
        branch: Branch = getattr(self, kind)
        return branch


def encode_epoch(epoch: Epoch) -> bytes:
    """Return the payload to sign."""
    return canonical_json(asdict(epoch))


def decode_epoch(payload: bytes) -> Epoch:
    """Read the payload of a record. Raises InvalidEpoch."""
    members = JsonMembers.parse(payload, InvalidEpoch)
    return Epoch(
        number=members.integer("number", lowest=1),
        opened_at=members.integer("opened_at"),
        config=_branch(members.nested(CONFIG)),
        exports=_branch(members.nested(EXPORTS)),
        venues=_branch(members.nested(VENUES)),
    )


def _branch(members: JsonMembers) -> Branch:
    branch = Branch(members.integer("first", lowest=1), members.integer("ancestor"), members.text("head", _SHA256))
    if branch.ancestor >= branch.first:
        raise InvalidEpoch("an epoch continues with a number that is not above its ancestor")
    return branch


def sign_epoch(epoch: Epoch, recovery_key: Ed25519Signer) -> str:
    """Return the record for the config: base64 of the signed file."""
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
class KnownHistories:
    """What a phone has stored about the numbered histories.

    number:      number of the phone's epoch, 0 at first.
    accepted_at: when the phone accepted this epoch, Unix seconds; None at first.
    seen:        by branch, the highest number that the phone has seen.
    heads:       by branch, the heads (hex) that the phone knows, by number.
    """

    number: int
    accepted_at: float | None
    seen: Mapping[str, int]
    heads: Mapping[str, Mapping[int, str]]


def check_epoch(epoch: Epoch, known: KnownHistories, now: float) -> None:
    """Check that a phone may accept an epoch. now: the phone's trusted Unix seconds. Raises EpochRefused."""
    if epoch.number != known.number + 1:
        raise EpochRefused(f"number: epoch {epoch.number} does not follow {known.number}")
    if known.accepted_at is not None and now - known.accepted_at < LEAST_SECONDS:
        raise EpochRefused("too_soon: this phone accepted another epoch less than a week ago")
    for kind in BRANCHES:
        branch = epoch.branch(kind)
        if branch.first <= known.seen[kind]:
            raise EpochRefused(
                f"rolled_back: {kind} continue with {branch.first}, but this phone has seen {known.seen[kind]}"
            )
        # If the phone has not reached the ancestor yet, it has no head to compare. Its next index is checked instead.
        if branch.ancestor <= known.seen[kind] and known.heads[kind].get(branch.ancestor) != branch.head:
            raise EpochRefused(f"ancestor: {kind} {branch.ancestor} differs from the one that this phone has seen")


def check_first_config(config: Config, epoch: Epoch, current: Config) -> None:
    """Check that the first config of an epoch has no key that the phone's current config lacks. Raises EpochRefused.

    Week keys are not checked here: only the caller knows all those that were ever announced.
    """
    if config.number != epoch.config.first or config.history or len(config.epochs) != epoch.number:
        raise EpochRefused(f"first_config: config {config.number} does not begin epoch {epoch.number}")
    if config.generated_at < current.generated_at:
        raise EpochRefused(
            f"rolled_back: the first config is of {config.generated_at}, the phone's of {current.generated_at}"
        )
    for name in ("declaration_key", "push_key", "recovery_key"):
        new = getattr(config, name)
        if new is not None and new != getattr(current, name):
            raise EpochRefused(f"new_key: the epoch comes with another {name}")
    if not set(config.export_keys) <= set(current.export_keys):
        raise EpochRefused("new_key: the epoch comes with another export key")
    if any(current.venue_keys.get(kid) != key for kid, key in config.venue_keys.items()):
        raise EpochRefused("new_key: the epoch comes with another venue key")
