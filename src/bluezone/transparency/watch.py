# SPDX-License-Identifier: Apache-2.0
"""The witnesses of a city's log that phones know, the size of their quorum, and how both change.

A config contains a list of records: phones accept the first as it is; each later one needs the signatures of the
previous record's quorum. Source: docs/protocol.md section 9, "Witnesses".
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
    cosigned_at,
    log_key,
    read_proof,
    verify_proof,
)

MOST_WITNESSES = 16
# A cosignature from further in the future does not count.
AHEAD_SECONDS = 3600

_KEY = r"[0-9a-f]{64}"
# The first part of a name is the host of the witness.
_NAME = r"[a-z0-9][a-z0-9.-]{0,100}(/[A-Za-z0-9._~-]{1,80})?"
_OPERATOR = r"[^\x00-\x1f\x7f]{1,100}"
_HERE = re.compile(r"localhost|.*\.localhost|127(\.[0-9]+){3}|0(\.0){3}")


class WitnessesInvalid(Refused):
    """The record of witnesses has an invalid format, or its quorum is impossible."""

    code = "witnesses_invalid"


class WitnessesRefused(Refused):
    """The witnesses were changed without the quorum of the previous ones; the current config stays."""

    code = "witnesses_refused"


class QuorumMissing(Refused):
    """Too few witnesses have signed for a change that needs a quorum: an epoch, a key of the city, other witnesses."""

    code = "witness_quorum_missing"


@dataclass(frozen=True, slots=True)
class Witness:
    """One witness.

    name: of its key, `host` or `host/more`. operator: who runs it, to show to people. key: hex. reads: whether it reads
    every leaf before it cosigns.
    """

    name: str
    operator: str
    key: str
    reads: bool = False

    @property
    def host(self) -> str:
        """The host in its name."""
        return self.name.partition("/")[0]

    @property
    def verifier(self) -> VerifierKey:
        """Its key."""
        return VerifierKey(self.name, WITNESS_KEY, bytes.fromhex(self.key))


@dataclass(frozen=True, slots=True)
class Policy:
    """The witnesses, and how many of them must sign. quorum: 1 or more."""

    quorum: int
    witnesses: tuple[Witness, ...]

    def counted_witnesses(self, config: Config, city_key: bytes) -> tuple[Witness, ...]:
        """The witnesses that count: not on a host of the city, not with its key, one of each operator, host and key.

        Only names are compared: two hosts of one owner under two names are not detected.
        """
        own = {_bare(config.public_host), _bare(config.office_host)}
        counted: list[Witness] = []
        seen: set[str] = {city_key.hex()}
        for witness in self.witnesses:
            marks = {witness.key, f"host {witness.host}", f"operator {_folded(witness.operator)}"}
            if witness.host in own or _HERE.fullmatch(witness.host) or marks & seen:
                continue
            seen |= marks
            counted.append(witness)
        return tuple(counted)

    def cosignatures(self, note: Note, config: Config, city_key: bytes, now: float) -> dict[Witness, int]:
        """The counted witnesses that have cosigned a checkpoint, and when; without times in the future."""
        moments = {}
        for witness in self.counted_witnesses(config, city_key):
            moment = cosigned_at(note, witness.verifier)
            if moment is not None and moment <= now + AHEAD_SECONDS:
                moments[witness] = moment
        return moments

    def has_quorum(self, note: Note, config: Config, city_key: bytes, now: float) -> bool:
        """Whether a quorum has cosigned a checkpoint: of the witnesses that read, if they are enough for one."""
        counted = self.counted_witnesses(config, city_key)
        only_readers = sum(witness.reads for witness in counted) >= self.quorum
        cosigned = self.cosignatures(note, config, city_key, now)
        return sum(witness.reads or not only_readers for witness in cosigned) >= self.quorum

    def require_quorum(self, proof: Proof, content: bytes, config: Config, city_key: bytes, now: float) -> None:
        """Check that a quorum has signed for a leaf. config: the current one. Raises QuorumMissing."""
        try:
            verify_proof(proof, content, log_key(city_key))
        except (NoteInvalid, ProofInvalid) as refused:
            raise QuorumMissing(f"the log does not hold what it should: {refused.message}") from None
        count = len(self.cosignatures(proof.note, config, city_key, now))
        if count < self.quorum:
            raise QuorumMissing(f"{count} witnesses have signed, expected {self.quorum}")


def _bare(host: str) -> str:
    return host.rpartition(":")[0] or host


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def encode_policy(policy: Policy) -> bytes:
    """Return the canonical text of a policy, from which its leaf is made."""
    members = asdict(policy)
    for witness in members["witnesses"]:
        # Without this member, the text is the same as in earlier versions.
        if not witness["reads"]:
            del witness["reads"]
    return canonical_json(members)


def decode_policy(payload: bytes) -> Policy:
    """Read a policy. Raises WitnessesInvalid."""
    members = JsonMembers.parse(payload, WitnessesInvalid)
    witnesses = tuple(
        Witness(
            member.text("name", _NAME), member.text("operator", _OPERATOR), member.text("key", _KEY),
            member.boolean("reads") if member.has("reads") else False,
        )
        for member in members.nested_list("witnesses")
    )  # fmt: skip
    quorum = members.integer("quorum", lowest=1)
    if not quorum <= len(witnesses) <= MOST_WITNESSES or len({witness.name for witness in witnesses}) < len(witnesses):
        raise WitnessesInvalid(f"a quorum of {quorum} cannot come of {len(witnesses)} witnesses")
    return Policy(quorum, witnesses)


def encode_record(policy: Policy, proof: Proof | None) -> str:
    """Return the record for the config. proof: with signatures of the previous quorum, None for the first."""
    members = {
        "policy": base64.b64encode(encode_policy(policy)).decode(),
        "proof": proof.data.decode() if proof else "",
    }
    return base64.b64encode(canonical_json(members)).decode()


def decode_record(record: str) -> tuple[bytes, str]:
    """Read a record: the encoded policy, and the text of its proof. Raises WitnessesInvalid."""
    try:
        members = JsonMembers.parse(base64.b64decode(record, validate=True), WitnessesInvalid)
        payload = base64.b64decode(members.text("policy"), validate=True)
    except ValueError:
        raise WitnessesInvalid("the record of who watches is not base64") from None
    return payload, members.text("proof", r"(?s).*")


def current_policy(records: Sequence[str]) -> Policy | None:
    """The current policy after these records, None without any. Raises WitnessesInvalid."""
    return decode_policy(decode_record(records[-1])[0]) if records else None


def follow_witnesses(config: Config, current: Config, city_key: bytes, now: float) -> None:
    """Check that quorums have agreed to all changes of witnesses from the current config to `config`.

    The first record needs no quorum: before it there were no witnesses. now: trusted Unix seconds.
    Raises WitnessesRefused, WitnessesInvalid.
    """
    known = len(current.witnesses)
    if config.witnesses[:known] != current.witnesses:
        raise WitnessesRefused("this config leaves out or changes those who watch")
    policy = current_policy(current.witnesses)
    for number, record in enumerate(config.witnesses[known:], known):
        payload, text = decode_record(record)
        following = decode_policy(payload)
        if policy is not None:
            leaf = policy_leaf(number, payload)
            try:
                policy.require_quorum(read_proof(text.encode()), leaf, current, city_key, now)
            except (QuorumMissing, NoteInvalid) as refused:
                raise WitnessesRefused(f"those who watched have not agreed: {refused.message}") from None
        policy = following
