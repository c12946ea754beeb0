# SPDX-License-Identifier: Apache-2.0
"""Those who watch the city's log, as the server sees them: what they have agreed to, and asking them to cosign.

Each is asked in a thread of its own and within a limit of time; whatever becomes of it, files are published meanwhile.
Source: docs/protocol.md section 9; C2SP tlog-witness (`add-checkpoint`).
"""

import http.client
import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from bluezone.keyserver.publication.publiclog import PublicLog
from bluezone.logs import event
from bluezone.protocol.intervals import SECONDS_PER_HOUR
from bluezone.protocol.signed.config import Config
from bluezone.refusal import Refused
from bluezone.transparency.leaves import brings_city_key, city_keys, city_keys_leaf, policy_leaf
from bluezone.transparency.notes import Note, NoteInvalid, Signature, cosigned_at, hash_lines, read_signature
from bluezone.transparency.watch import (
    Policy,
    Witness,
    decode_policy,
    encode_policy,
    encode_record,
    policy_of,
)

CALL_SECONDS = 10.0
# After a try that failed a witness is let alone so long.
PAUSE_SECONDS = 60.0
# There is something new to cosign every hour.
ABSENT_SECONDS = 3 * SECONDS_PER_HOUR
MOST_ANSWER_BYTES = 64 * 1024
_CONFLICT = 409

logger = logging.getLogger(__name__)


class WitnessUnreachable(Refused):
    """A witness does not answer, or not with a cosignature; it is asked again later."""

    code = "witness_unreachable"


class WitnessNotApart(Refused):
    """A witness is on the city's own host, or its key lies here: it would watch nobody."""

    code = "witness_not_apart"


def agreed_config(wanted: Config, held: Config, log: PublicLog) -> Config:
    """What of the next config may be in force now: changes that need a quorum wait for it, all others do not.

    wanted: the next config as the settings have it; held: the one in force. What waits is asked to be logged.
    """
    policy, records = policy_of(held.witnesses), held.witnesses
    if policy is not None and brings_city_key(wanted, held):
        leaf = city_keys_leaf(wanted)
        log.ask(leaf)
        if log.quorum_proof(leaf, policy, held) is None:
            wanted = replace(wanted, **city_keys(held))
    following = log.policy(len(records))
    if following is not None:
        leaf = policy_leaf(len(records), following)
        log.ask(leaf)
        proof = None if policy is None else log.quorum_proof(leaf, policy, held)
        if policy is None or proof is not None:
            records = (*records, encode_record(decode_policy(following), proof))
    return replace(wanted, witnesses=records)


def set_witnesses(
    log: PublicLog, policy: Policy, addresses: dict[str, str], data_dir: Path, hosts: Iterable[str]
) -> int:
    """Say who is to watch from now on; returns the number of the change, from 0.

    addresses: where each is asked, by name. hosts: of the city. Until the quorum in force has agreed, it goes on.
    Raises WitnessNotApart, WitnessesInvalid.
    """
    policy = decode_policy(encode_policy(policy))
    held = log.configs.newest()
    counted = policy.counted(held, log.key.public) if held else policy.witnesses
    for witness in policy.witnesses:
        if witness not in counted:
            raise WitnessNotApart(f"{witness.name} is on a host of the city, or has operator, host or key of another")
        _require_apart(witness, addresses[witness.name], data_dir, hosts)
    return log.set_policy(encode_policy(policy), json.dumps(addresses, sort_keys=True))


def _require_apart(witness: Witness, address: str, data_dir: Path, hosts: Iterable[str]) -> None:
    """Refuse a witness whose address is one of this machine's or of the city's hosts, or whose key lies here."""
    asked = urlsplit(address).hostname or ""
    own = {"localhost", socket.gethostname(), *(host.rpartition(":")[0] or host for host in hosts)}
    same = _addresses_of(asked) & set().union(*(_addresses_of(host) for host in own))
    if asked in own or same or any(one.startswith(("127.", "::1")) for one in _addresses_of(asked)):
        raise WitnessNotApart(f"{witness.name} is asked at {asked}, which is this machine or a host of the city")
    for path in data_dir.rglob("witness*.sqlite3"):
        raise WitnessNotApart(f"{path.name} in the data folder is a witness's store: a witness runs elsewhere")


def _addresses_of(host: str) -> set[str]:
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(host, None)}
    except OSError:
        return set()


def request_of(old_size: int, proof: list[bytes], note: Note) -> bytes:
    """The body of `add-checkpoint`."""
    return f"old {old_size}\n".encode() + hash_lines(proof) + b"\n" + note.data


def post(address: str, body: bytes, seconds: float = CALL_SECONDS) -> tuple[int, bytes]:
    """Send a request to `address`/add-checkpoint of a witness; returns status and answer. Raises WitnessUnreachable."""
    parts = urlsplit(address.rstrip("/") + "/add-checkpoint")
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(parts.netloc, timeout=seconds, context=context)
    else:
        connection = http.client.HTTPConnection(parts.netloc, timeout=seconds)
    try:
        connection.request("POST", parts.path, body, {"Content-Type": "text/plain; charset=utf-8"})
        answer = connection.getresponse()
        return answer.status, answer.read(MOST_ANSWER_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise WitnessUnreachable(f"{parts.hostname} does not answer: {type(error).__name__}") from None
    finally:
        connection.close()


class WitnessRounds:
    """Asks every witness to cosign the newest checkpoint, each in a thread that delays nobody else.

    log: given anew for each use. seconds: of a clock that only goes forward.
    """

    def __init__(self, log: Callable[[], PublicLog], seconds: Callable[[], float] = time.monotonic) -> None:
        self._log, self._seconds = log, seconds
        self._running: dict[str, threading.Thread] = {}
        self._not_before: dict[str, float] = {}

    def go_round(self) -> list[threading.Thread]:
        """Begin to ask those who have not cosigned the newest checkpoint; returns the threads that do."""
        newest = self._log().newest()
        if newest is None:
            return []
        size, note = newest
        begun = []
        for witness, address in witnesses_of(self._log()):
            still = self._running.get(witness.name)
            if (still and still.is_alive()) or self._seconds() < self._not_before.get(witness.name, 0.0):
                continue
            if cosigned_at(note, witness.verifier) is not None:
                continue
            # A witness that never answers must not keep the worker from ending.
            thread = threading.Thread(
                target=self._ask, args=(witness, address, size, note), name=f"witness {witness.name}", daemon=True
            )
            self._running[witness.name] = thread
            thread.start()
            begun.append(thread)
        return begun

    def _ask(self, witness: Witness, address: str, size: int, note: Note) -> None:
        try:
            signature = ask(self._log(), witness, address, size, note)
            self._log().keep_cosignature(size, signature)
            self._not_before.pop(witness.name, None)
        except Refused as refused:
            self._not_before[witness.name] = self._seconds() + PAUSE_SECONDS
            said = event("witness_away", witness=witness.name, code=refused.code)
            logger.warning("witness %s: %s: %s", witness.name, refused.code, refused.message, extra=said)


def witnesses_of(log: PublicLog) -> list[tuple[Witness, str]]:
    """Who is asked, and where: those in force, and those who are to watch next."""
    held = log.configs.newest()
    records = held.witnesses if held else ()
    following = log.policy(len(records))
    policies = [policy_of(records), decode_policy(following) if following else None]
    known: dict[str, str] = {}
    for text in log.addresses():
        known.update(json.loads(text))
    asked = {witness.name: witness for policy in policies if policy for witness in policy.witnesses}
    return [(witness, known[name]) for name, witness in asked.items() if name in known]


def absent_witnesses(log: PublicLog, now: float) -> tuple[list[str], bool]:
    """Names of those who have not cosigned for ABSENT_SECONDS although there is something to cosign.

    The second value says whether those who have are fewer than the quorum, so that phones refuse what only a quorum
    brings. Of a city without witnesses: nobody, False.
    """
    held, newest = log.configs.newest(), log.newest()
    policy = policy_of(held.witnesses) if held else None
    if held is None or policy is None or newest is None:
        return [], False
    counted = policy.counted(held, log.key.public)
    absent = [
        one.name
        for one in counted
        if cosigned_at(newest[1], one.verifier) is None and log.last_cosigned(one.name) < now - ABSENT_SECONDS
    ]
    return absent, len(counted) - len(absent) < policy.quorum


def ask(log: PublicLog, witness: Witness, address: str, size: int, note: Note) -> Signature:
    """Ask one witness to cosign a checkpoint; returns its signature, which was checked. Raises WitnessUnreachable."""
    old_size = log.cosigned_size(witness.name)
    status, body = post(address, request_of(old_size, log.consistency(old_size, size), note))
    if status == _CONFLICT:
        # It says what it has seen: this store was restored, or another server of the city has asked it.
        said = body.strip()
        if not said.isdigit() or int(said) > size:
            raise WitnessUnreachable(f"it has seen a log of {said[:20].decode(errors='replace')}, here are {size}")
        status, body = post(address, request_of(int(said), log.consistency(int(said), size), note))
    if status != http.client.OK:
        raise WitnessUnreachable(f"it answers {status}")
    try:
        signatures = [read_signature(line) for line in body.splitlines()]
    except NoteInvalid as refused:
        raise WitnessUnreachable(f"its answer is no cosignature: {refused.message}") from None
    for signature in signatures:
        if cosigned_at(Note(note.text, (signature,)), witness.verifier) is not None:
            return signature
    raise WitnessUnreachable("its answer is not signed by its key")
