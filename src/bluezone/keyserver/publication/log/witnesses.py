# SPDX-License-Identifier: Apache-2.0
"""The server's side of the witnesses of the city's log: requests to cosign, and changes that need their agreement.

Each witness is called in a separate thread with a time limit; publication of files never waits for them.
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

from bluezone.keyserver.publication.log.logwriter import LogWriter
from bluezone.keyserver.publication.log.publiclog import PublicLog
from bluezone.logs import event_fields
from bluezone.protocol.intervals import SECONDS_PER_HOUR
from bluezone.protocol.signed.config import Config
from bluezone.refusal import Refused
from bluezone.transparency.leaves import adds_city_key, city_keys, policy_leaf
from bluezone.transparency.notes import Note, NoteInvalid, Signature, cosigned_at, hash_lines, read_signature
from bluezone.transparency.watch import (
    Policy,
    Witness,
    current_policy,
    decode_policy,
    encode_policy,
    encode_record,
)

CALL_SECONDS = 10.0
# How long a witness is not called again after a failed call.
PAUSE_SECONDS = 60.0
# There is a new checkpoint to cosign every hour.
ABSENT_SECONDS = 3 * SECONDS_PER_HOUR
MOST_ANSWER_BYTES = 64 * 1024
_CONFLICT = 409

logger = logging.getLogger(__name__)


class WitnessUnreachable(Refused):
    """A witness does not answer, or answers without a cosignature; it is called again later."""

    code = "witness_unreachable"


class WitnessNotApart(Refused):
    """A witness is not independent: it is on a host of the city, or its key is here."""

    code = "witness_not_apart"


def agreed_config(proposed: Config, current: Config, log: LogWriter) -> Config:
    """The next config, with only those changes that may take effect now; some need the agreement of a quorum.

    proposed: the next config according to the settings. Changes that wait for a quorum are put into the log.
    """
    # Phones refuse a second key of a name, such as one made again after the first was lost with its folder.
    first_keys = tuple(key for key in proposed.week_keys if not log.has_other_key(key, len(proposed.epochs)))
    proposed = replace(proposed, week_keys=first_keys)
    records = current.witnesses
    policy = current_policy(records)
    if policy is not None and adds_city_key(proposed, current):
        requested = log.request_city_keys(proposed)
        if any(log.quorum_proof(leaf, policy, current) is None for leaf in requested):
            proposed = replace(proposed, **city_keys(current))
    following = log.policy(len(records))
    if following is not None:
        leaf = policy_leaf(len(records), following)
        log.request_leaf(leaf)
        proof = None if policy is None else log.quorum_proof(leaf, policy, current)
        if policy is None or proof is not None:
            records = (*records, encode_record(decode_policy(following), proof))
    return replace(proposed, witnesses=records)


def set_witnesses(
    log: LogWriter, policy: Policy, addresses: dict[str, str], data_dir: Path, hosts: Iterable[str]
) -> int:
    """Set the next policy, which names the witnesses; returns its number, from 0.

    addresses: the witnesses' addresses by name. hosts: the city's hosts. The current policy is valid until its quorum
    has agreed. Raises WitnessNotApart, WitnessesInvalid.
    """
    policy = decode_policy(encode_policy(policy))
    config = log.configs.newest_config()
    counted = policy.counted_witnesses(config, log.key.public) if config else policy.witnesses
    for witness in policy.witnesses:
        if witness not in counted:
            raise WitnessNotApart(
                f"{witness.name} is on a host of the city, or shares operator, host or key with another witness"
            )
        _require_apart(witness, addresses[witness.name], data_dir, hosts)
    return log.set_policy(encode_policy(policy), json.dumps(addresses, sort_keys=True))


def _require_apart(witness: Witness, address: str, data_dir: Path, hosts: Iterable[str]) -> None:
    """Refuse a witness that runs on this machine or a host of the city, or has its key here."""
    witness_host = urlsplit(address).hostname or ""
    city_hosts = {"localhost", socket.gethostname(), *(host.rpartition(":")[0] or host for host in hosts)}
    city_addresses = set().union(*(_addresses_of(host) for host in city_hosts))
    witness_addresses = _addresses_of(witness_host)
    is_local = any(ip.startswith(("127.", "::1")) for ip in witness_addresses)
    if witness_host in city_hosts or witness_addresses & city_addresses or is_local:
        raise WitnessNotApart(f"{witness.name} is at {witness_host}, which is this machine or a host of the city")
    for path in data_dir.rglob("witness*.sqlite3"):
        raise WitnessNotApart(f"{path.name} in the data folder is a witness's store; a witness must run elsewhere")


def _addresses_of(host: str) -> set[str]:
    try:
        return {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    except OSError:
        return set()


def checkpoint_request(old_size: int, proof: list[bytes], note: Note) -> bytes:
    """The body of `add-checkpoint`."""
    return f"old {old_size}\n".encode() + hash_lines(proof) + b"\n" + note.data


def post_checkpoint(address: str, body: bytes, seconds: float = CALL_SECONDS) -> tuple[int, bytes]:
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
    """Asks every witness to cosign the newest checkpoint, each in a separate thread.

    log: opens the log for each use. seconds: returns the time of a monotonic clock.
    """

    def __init__(self, log: Callable[[], LogWriter], seconds: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._seconds = seconds
        self._running: dict[str, threading.Thread] = {}
        self._not_before: dict[str, float] = {}

    def start_round(self) -> list[threading.Thread]:
        """Call the witnesses that have not cosigned the newest checkpoint; returns the threads that do so."""
        newest = self._log().newest_checkpoint()
        if newest is None:
            return []
        size, note = newest
        threads = []
        for witness, address in witnesses_of(self._log()):
            running = self._running.get(witness.name)
            if (running and running.is_alive()) or self._seconds() < self._not_before.get(witness.name, 0.0):
                continue
            if cosigned_at(note, witness.verifier) is not None:
                continue
            # A daemon thread: a witness that never answers must not keep the worker from ending.
            thread = threading.Thread(
                target=self._ask, args=(witness, address, size, note), name=f"witness {witness.name}", daemon=True
            )
            self._running[witness.name] = thread
            thread.start()
            threads.append(thread)
        return threads

    def _ask(self, witness: Witness, address: str, size: int, note: Note) -> None:
        try:
            signature = request_cosignature(self._log(), witness, address, size, note)
            self._log().store_cosignature(size, signature)
            self._not_before.pop(witness.name, None)
        except Refused as refused:
            self._not_before[witness.name] = self._seconds() + PAUSE_SECONDS
            details = event_fields("witness_away", witness=witness.name, code=refused.code)
            logger.warning("witness %s: %s: %s", witness.name, refused.code, refused.message, extra=details)


def witnesses_of(log: PublicLog) -> list[tuple[Witness, str]]:
    """The witnesses of the current policy and of the next one, with their addresses."""
    config = log.configs.newest_config()
    records = config.witnesses if config else ()
    following = log.policy(len(records))
    policies = [current_policy(records), decode_policy(following) if following else None]
    addresses: dict[str, str] = {}
    for text in log.addresses():
        addresses.update(json.loads(text))
    witnesses: dict[str, Witness] = {}
    for policy in filter(None, policies):
        witnesses.update((witness.name, witness) for witness in policy.witnesses)
    return [(witness, addresses[name]) for name, witness in witnesses.items() if name in addresses]


def absent_witnesses(log: PublicLog, now: float) -> tuple[list[str], bool]:
    """The names of witnesses that have not cosigned for ABSENT_SECONDS, and whether the others are fewer than a quorum.

    Without a quorum, phones refuse changes that need one. For a city without witnesses: no names, False.
    """
    config = log.configs.newest_config()
    newest = log.newest_checkpoint()
    policy = current_policy(config.witnesses) if config else None
    if config is None or policy is None or newest is None:
        return [], False
    counted = policy.counted_witnesses(config, log.key.public)
    absent = [
        witness.name
        for witness in counted
        if cosigned_at(newest[1], witness.verifier) is None and log.last_cosigned(witness.name) < now - ABSENT_SECONDS
    ]
    return absent, len(counted) - len(absent) < policy.quorum


def request_cosignature(log: PublicLog, witness: Witness, address: str, size: int, note: Note) -> Signature:
    """Ask one witness to cosign a checkpoint; returns its verified signature. Raises WitnessUnreachable."""
    old_size = log.cosigned_size(witness.name)
    status, body = post_checkpoint(address, checkpoint_request(old_size, log.consistency(old_size, size), note))
    if status == _CONFLICT:
        # The answer is the size it has seen: this store was restored, or another server of the city has called.
        seen_size = body.strip()
        if not seen_size.isdigit() or int(seen_size) > size:
            raise WitnessUnreachable(
                f"it has seen a log of {seen_size[:20].decode(errors='replace')} leaves, this one has {size}"
            )
        status, body = post_checkpoint(
            address, checkpoint_request(int(seen_size), log.consistency(int(seen_size), size), note)
        )
    if status != http.client.OK:
        raise WitnessUnreachable(f"it answers {status}")
    try:
        signatures = [read_signature(line) for line in body.splitlines()]
    except NoteInvalid as refused:
        raise WitnessUnreachable(f"its answer is not a cosignature: {refused.message}") from None
    for signature in signatures:
        if cosigned_at(Note(note.text, (signature,)), witness.verifier) is not None:
            return signature
    raise WitnessUnreachable("its answer is not signed by its key")
