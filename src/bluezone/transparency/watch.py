# SPDX-License-Identifier: Apache-2.0
"""Who watches a city's log: the witnesses that phones know, how many of them make a quorum, and how that changes.

A config carries one record after the other: the first is taken as it is, each later one is signed for by the quorum of
the one before it. Source: docs/protocol.md section 9, "Witnesses".
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from bluezone.protocol.signed.config import Config
from bluezone.protocol.signed.envelope import canonical_json
from bluezone.protocol.signed.members import JsonMembers
from bluezone.refusal import Refused
from bluezone.transparency.leaves import policy_leaf
from bluezone.transparency.merkle import ProofInvalid
from bluezone.transparency.notes import (
    WITNESS_KEY,
    Note,
    NoteInvalid,
    Proof,
    VerifierKey,
    check_proof,
    cosigned_at,
    log_key,
    read_proof,
)

MOST_WITNESSES = 16
# A witness whose clock is ahead by more signs for a time that has not come.
AHEAD_SECONDS = 3600

_KEY = r"[0-9a-f]{64}"
# The first part of a name is the host on which the witness runs.
_NAME = r"[a-z0-9][a-z0-9.-]{0,100}(/[A-Za-z0-9._~-]{1,80})?"
_OPERATOR = r"[^\x00-\x1f\x7f]{1,100}"
_HERE = re.compile(r"localhost|.*\.localhost|127(\.[0-9]+){3}|0(\.0){3}")


class WitnessesInvalid(Refused):
    """The record of who watches is not in its format, or no quorum can ever come of it."""

    code = "witnesses_invalid"


class WitnessesRefused(Refused):
    """Who watches was changed without the quorum of those who watched before; what is held stays."""

    code = "witnesses_refused"


class QuorumMissing(Refused):
    """Too few witnesses have signed for what only a quorum brings: an epoch, a key of the city, other witnesses."""

    code = "witness_quorum_missing"


@dataclass(frozen=True, slots=True)
class Witness:
    """One who watches. name: of its key, `host` or `host/more`; operator: who runs it, for people; key: hex."""

    name: str
    operator: str
    key: str

    @property
    def host(self) -> str:
        """The host that its name says."""
        return self.name.partition("/")[0]

    @property
    def verifier(self) -> VerifierKey:
        """Its key."""
        return VerifierKey(self.name, WITNESS_KEY, bytes.fromhex(self.key))


@dataclass(frozen=True, slots=True)
class Policy:
    """Those who watch, and how many of them have to sign. quorum: 1 or more."""

    quorum: int
    witnesses: tuple[Witness, ...]

    def counted(self, config: Config, city_key: bytes) -> tuple[Witness, ...]:
        """Those that can count: not on a host of the city, not under its key, one of each operator, host and key.

        That is what a name can tell. Two hosts of one owner under two names are not found out here.
        """
        own = {_bare(config.public_host), _bare(config.office_host)}
        counted: list[Witness] = []
        taken: set[str] = {city_key.hex()}
        for witness in self.witnesses:
            marks = {witness.key, f"host {witness.host}", f"operator {_folded(witness.operator)}"}
            if witness.host in own or _HERE.fullmatch(witness.host) or marks & taken:
                continue
            taken |= marks
            counted.append(witness)
        return tuple(counted)

    def signed(self, note: Note, config: Config, city_key: bytes, now: float) -> dict[Witness, int]:
        """Which of those that count have cosigned a checkpoint, and when; without what is of the future."""
        found = {one: cosigned_at(note, one.verifier) for one in self.counted(config, city_key)}
        return {one: moment for one, moment in found.items() if moment is not None and moment <= now + AHEAD_SECONDS}

    def require(self, proof: Proof, content: bytes, config: Config, city_key: bytes, now: float) -> None:
        """Check that a quorum has signed for a leaf. config: the one held. Raises QuorumMissing."""
        try:
            check_proof(proof, content, log_key(city_key))
        except (NoteInvalid, ProofInvalid) as refused:
            raise QuorumMissing(f"the log does not hold what it should: {refused.message}") from None
        count = len(self.signed(proof.note, config, city_key, now))
        if count < self.quorum:
            raise QuorumMissing(f"{count} witnesses have signed, expected {self.quorum}")


def _bare(host: str) -> str:
    return host.rpartition(":")[0] or host


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def encode_policy(policy: Policy) -> bytes:
    """Return the one text of a policy: what is a leaf of the log."""
    return canonical_json(asdict(policy))


def decode_policy(payload: bytes) -> Policy:
    """Read a policy. Raises WitnessesInvalid."""
    read = JsonMembers.parse(payload, WitnessesInvalid)
    witnesses = tuple(
        Witness(one.text("name", _NAME), one.text("operator", _OPERATOR), one.text("key", _KEY))
        for one in read.each("witnesses")
    )
    quorum = read.integer("quorum", lowest=1)
    if not quorum <= len(witnesses) <= MOST_WITNESSES or len({one.name for one in witnesses}) < len(witnesses):
        raise WitnessesInvalid(f"a quorum of {quorum} cannot come of {len(witnesses)} witnesses")
    return Policy(quorum, witnesses)


def encode_record(policy: Policy, proof: Proof | None) -> str:
    """Return the record as the config carries it. proof: signed for by the quorum before, None for the first."""
    told = {"policy": base64.b64encode(encode_policy(policy)).decode(), "proof": proof.data.decode() if proof else ""}
    return base64.b64encode(canonical_json(told)).decode()


def decode_record(record: str) -> tuple[bytes, str]:
    """Read a record: the policy as it is encoded, and the text of its proof. Raises WitnessesInvalid."""
    try:
        read = JsonMembers.parse(base64.b64decode(record, validate=True), WitnessesInvalid)
        payload = base64.b64decode(read.text("policy"), validate=True)
    except ValueError:
        raise WitnessesInvalid("the record of who watches is not base64") from None
    return payload, read.text("proof", r"(?s).*")


def policy_of(records: Sequence[str]) -> Policy | None:
    """The policy in force after these records, None without any. Raises WitnessesInvalid."""
    return decode_policy(decode_record(records[-1])[0]) if records else None


def follow_witnesses(config: Config, held: Config, city_key: bytes, now: float) -> None:
    """Check that who watches changes, from the config held to `config`, by the quorums alone.

    The first record is taken as it is: until then nobody watched. now: trusted Unix seconds.
    Raises WitnessesRefused, WitnessesInvalid.
    """
    known = len(held.witnesses)
    if config.witnesses[:known] != held.witnesses:
        raise WitnessesRefused("this config leaves out or changes those who watch")
    policy = policy_of(held.witnesses)
    for number, record in enumerate(config.witnesses[known:], known):
        payload, text = decode_record(record)
        following = decode_policy(payload)
        if policy is not None:
            leaf = policy_leaf(number, payload)
            try:
                policy.require(read_proof(text.encode()), leaf, held, city_key, now)
            except (QuorumMissing, NoteInvalid) as refused:
                raise WitnessesRefused(f"those who watched have not agreed: {refused.message}") from None
        policy = following
