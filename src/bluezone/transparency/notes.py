# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of the log as signed notes, cosignatures of witnesses, and proofs that can be passed on as one text.

Source: C2SP signed-note, tlog-checkpoint, tlog-cosignature (cosignature/v1) and tlog-proof.
"""

import base64
import hashlib
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from bluezone.protocol.primitives import ED25519_KEY_LENGTH, ED25519_SIGNATURE_LENGTH, verify_ed25519
from bluezone.protocol.signed.envelope import fingerprint
from bluezone.refusal import Refused
from bluezone.transparency.merkle import HASH_BYTES, leaf_hash, verify_inclusion

# The kinds of verifier keys.
LOG_KEY = 0x01
WITNESS_KEY = 0x04
MOST_BYTES = 64 * 1024
MOST_SIGNATURES = 64
MOST_HASHES = 63

_DASH = "— ".encode()
_NAME = re.compile(r"[!-*,-~]{1,200}")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}")
_KEY_ID_BYTES = 4
_PROOF_HEAD = "c2sp.org/tlog-proof@v1"

Sign = Callable[[bytes], bytes]
"""Makes an Ed25519 signature, 64 bytes."""


class NoteInvalid(Refused):
    """A text of the log has an invalid format: it is not a signed note, a checkpoint or a proof."""

    code = "log_note_invalid"


class NoteUntrusted(NoteInvalid):
    """A checkpoint of another log, or without a signature by the city's key."""

    code = "log_note_untrusted"


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name. kind: LOG_KEY or WITNESS_KEY; public: 32 bytes."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """The 4 bytes by which a signature names this key."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:_KEY_ID_BYTES]

    def __str__(self) -> str:
        encoded = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{encoded}"


def read_verifier_key(text: str, kind: int) -> VerifierKey:
    """Read a key in the format of `str`: name, hash and key with `+` between them. Raises NoteInvalid."""
    name, _, hash_and_key = text.strip().partition("+")
    key_id, _, encoded = hash_and_key.partition("+")
    raw = _from_base64(encoded)
    if not _NAME.fullmatch(name) or len(raw) != 1 + ED25519_KEY_LENGTH or raw[0] != kind:
        raise NoteInvalid("this is no verifier key of the expected kind: name+hash+key")
    key = VerifierKey(name, kind, raw[1:])
    if key.id.hex() != key_id:
        raise NoteInvalid("the hash of the verifier key does not belong to it")
    return key


def log_key(public: bytes) -> VerifierKey:
    """The key and the name (origin) of the log of the city with this key, 32 bytes."""
    return VerifierKey(f"bluezone/{fingerprint(public)}", LOG_KEY, public)


@dataclass(frozen=True, slots=True)
class Signature:
    """One line below a note. value: all bytes after the id of the key."""

    name: str
    key_id: bytes
    value: bytes

    @property
    def line(self) -> bytes:
        """The line in a note, with its line end."""
        return _DASH + self.name.encode() + b" " + base64.b64encode(self.key_id + self.value) + b"\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text, with its last line end, and the signatures below it."""

    text: bytes
    signatures: tuple[Signature, ...]

    @property
    def data(self) -> bytes:
        """The whole note."""
        return self.text + b"\n" + b"".join(signature.line for signature in self.signatures)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The size of a log and its root of 32 bytes. origin: the log's name."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> bytes:
        """The signed text."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n".encode()


def read_note(data: bytes) -> Note:
    """Read a signed note, without checking signatures. Raises NoteInvalid."""
    text, blank, below = data.rpartition(b"\n\n")
    if len(data) > MOST_BYTES or not blank or not below.endswith(b"\n"):
        raise NoteInvalid(f"{len(data)} bytes are no signed note")
    lines = below[:-1].split(b"\n")
    if len(lines) > MOST_SIGNATURES:
        raise NoteInvalid(f"a note has {len(lines)} signatures, expected at most {MOST_SIGNATURES}")
    return Note(text + b"\n", tuple(read_signature(line) for line in lines))


def read_signature(line: bytes) -> Signature:
    """Read one line below a note, without its line end. Raises NoteInvalid."""
    try:
        name, blank, encoded = line.removeprefix(_DASH).decode().partition(" ")
    except UnicodeDecodeError:
        raise NoteInvalid("a signature is no text") from None
    raw = _from_base64(encoded)
    if not line.startswith(_DASH) or not blank or not _NAME.fullmatch(name) or len(raw) <= _KEY_ID_BYTES:
        raise NoteInvalid("a line below a note is no signature")
    return Signature(name, raw[:_KEY_ID_BYTES], raw[_KEY_ID_BYTES:])


def read_checkpoint(text: bytes) -> Checkpoint:
    """Read the text of a checkpoint. Raises NoteInvalid."""
    try:
        origin, size, root, *more = text.decode().split("\n")
    except (UnicodeDecodeError, ValueError):
        raise NoteInvalid("the note is no checkpoint") from None
    raw = _from_base64(root)
    if not origin or not _NUMBER.fullmatch(size) or len(raw) != HASH_BYTES or more != [""]:
        # Extension lines are also refused: this log has none.
        raise NoteInvalid("the note is no checkpoint of origin, size and root")
    return Checkpoint(origin, int(size), raw)


def sign_checkpoint(checkpoint: Checkpoint, key: VerifierKey, sign: Sign) -> Note:
    """Sign a checkpoint with the key of its log."""
    return Note(checkpoint.text, (Signature(key.name, key.id, sign(checkpoint.text)),))


def open_checkpoint(note: Note, key: VerifierKey) -> Checkpoint:
    """Verify a log's signature; returns its checkpoint. Raises NoteUntrusted, NoteInvalid."""
    if not any(verify_ed25519(key.public, signature.value, note.text) for signature in _signatures_by(note, key)):
        raise NoteUntrusted("the checkpoint is not signed by the key of this log")
    checkpoint = read_checkpoint(note.text)
    if checkpoint.origin != key.name:
        raise NoteUntrusted(f"the checkpoint is of the log {checkpoint.origin}, expected {key.name}")
    return checkpoint


def _signatures_by(note: Note, key: VerifierKey) -> Iterator[Signature]:
    """The signatures below a note that name this key; none is verified."""
    for signature in note.signatures:
        if signature.name == key.name and signature.key_id == key.id:
            yield signature


def cosign(text: bytes, key: VerifierKey, sign: Sign, now: int) -> Signature:
    """A witness's signature below a checkpoint: at `now` it saw this log, consistent with all earlier checkpoints."""
    return Signature(key.name, key.id, struct.pack(">Q", now) + sign(_cosigned_text(text, now)))


def cosigned_at(note: Note, key: VerifierKey) -> int | None:
    """When a witness cosigned a checkpoint, Unix seconds by its own clock; None if it did not. The latest counts."""
    moments = []
    for signature in _signatures_by(note, key):
        if len(signature.value) != 8 + ED25519_SIGNATURE_LENGTH:
            continue
        moment = cosignature_time(signature)
        if verify_ed25519(key.public, signature.value[8:], _cosigned_text(note.text, moment)):
            moments.append(moment)
    return max(moments, default=None)


def cosignature_time(signature: Signature) -> int:
    """The time in a cosignature, Unix seconds; the caller has verified the signature."""
    return int.from_bytes(signature.value[:8], "big")


def _cosigned_text(text: bytes, moment: int) -> bytes:
    return f"cosignature/v1\ntime {moment}\n".encode() + text


@dataclass(frozen=True, slots=True)
class Proof:
    """The proof that a leaf is in a checkpoint's log. number: of the leaf, from 0; hashes: 32 bytes, lowest first."""

    number: int
    hashes: tuple[bytes, ...]
    note: Note

    @property
    def data(self) -> bytes:
        """The whole text of the proof."""
        return f"{_PROOF_HEAD}\nindex {self.number}\n".encode() + hash_lines(self.hashes) + b"\n" + self.note.data


def read_proof(data: bytes) -> Proof:
    """Read a proof, without checking it. Raises NoteInvalid."""
    above, blank, note = data.partition(b"\n\n")
    refused = NoteInvalid(f"{len(data)} bytes are no proof of a leaf")
    try:
        head, index, *hashes = above.decode("ascii").split("\n")
    except (UnicodeDecodeError, ValueError):
        raise refused from None
    # The specification allows a line of extra data; this log writes none and ignores that of others.
    if index.startswith("extra ") and hashes:
        index, *hashes = hashes
    number = index.removeprefix("index ")
    if head != _PROOF_HEAD or not blank or index == number or not _NUMBER.fullmatch(number):
        raise refused
    return Proof(int(number), read_hashes(hashes), read_note(note))


def verify_proof(proof: Proof, content: bytes, key: VerifierKey) -> Checkpoint:
    """Check that a log has signed a tree with this leaf; returns its checkpoint.

    Raises ProofInvalid, NoteUntrusted, NoteInvalid.
    """
    checkpoint = open_checkpoint(proof.note, key)
    verify_inclusion(leaf_hash(content), proof.number, checkpoint.size, proof.hashes, checkpoint.root)
    return checkpoint


def hash_lines(hashes: tuple[bytes, ...] | list[bytes]) -> bytes:
    """Hashes in the format of the log's texts, one per line."""
    return b"".join(base64.b64encode(value) + b"\n" for value in hashes)


def read_hashes(lines: list[str]) -> tuple[bytes, ...]:
    """Read lines of `hash_lines`, without line ends. Raises NoteInvalid."""
    hashes = tuple(_from_base64(line) for line in lines)
    if len(hashes) > MOST_HASHES or any(len(value) != HASH_BYTES for value in hashes):
        raise NoteInvalid("a proof does not consist of hashes")
    return hashes


def merge_signatures(note: Note, more: Mapping[str, Signature]) -> Note:
    """A note with more signatures, given by name; each replaces an earlier one of that name."""
    others = tuple(signature for signature in note.signatures if signature.name not in more)
    return Note(note.text, (*others, *more.values()))


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise NoteInvalid("a text of the log holds what is not base64") from None
