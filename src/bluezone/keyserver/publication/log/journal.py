# SPDX-License-Identifier: Apache-2.0
"""The journal of signed heads: a record, outside the data folder, of everything that was published.

A store that was restored from a backup or promoted from a lagging copy learns from it what it lacks. It contains only
public data: heads, configs and leaves of the public log. Each line is signed with the city's key.
"""

import json
import logging
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bluezone.logs import event_fields
from bluezone.protocol.primitives import Ed25519Signer
from bluezone.protocol.signed.envelope import (
    InvalidSignedFile,
    canonical_json,
    fingerprint,
    open_signed,
    sign_payload,
)
from bluezone.protocol.signed.epoch import CONFIG
from bluezone.protocol.signed.index import Index, chain_value

FOLDER_VARIABLE = "BLUEZONE_HEADS"
FOLDER_NAME = "bluezone-heads"
_HEAD = "head"
_LEAVES = "leaves"
# The last bytes that are read: over 31 days of files and indexes. Older backups cannot be opened.
_READ_BYTES = 4 * 1024 * 1024
# How many bytes show that the journal is still the same file: less than any line has, and all signatures differ.
_COMPARED_BYTES = 128

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry of an index. kind: the index's. chain: the chain value (hex) after file `number`."""

    kind: str
    number: int
    chain: str
    epoch: int
    generated_at: int


def journal_folder(data_dir: Path) -> Path:
    """The folder of journals: BLUEZONE_HEADS, or one next to the data folder."""
    configured = os.environ.get(FOLDER_VARIABLE)
    return Path(configured) if configured else data_dir.parent / FOLDER_NAME


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read of a journal that had `size` bytes: its complete lines up to byte `end`.

    before_end: the last bytes before `end`, to detect another file. leaves: number of the first leaf, and the leaves.
    """

    size: int = -1
    end: int = 0
    before_end: bytes = b""
    heads: list[Head] = field(default_factory=list)
    configs: dict[int, bytes] = field(default_factory=dict)
    leaves: list[tuple[int, list[bytes]]] = field(default_factory=list)


class Journal:
    """The journal of one city: a file named by the fingerprint of the city's key. Lines are only appended."""

    def __init__(self, folder: Path, signing_key: Ed25519Signer) -> None:
        public = signing_key.public_key().public_bytes_raw()
        self._trusted = {fingerprint(public): public}
        self._key = signing_key
        self.path = folder / f"{fingerprint(public)}.jsonl"
        self._known = _Known()

    def heads(self, kind: str) -> list[Head]:
        """The heads of a kind, oldest first, of at least the last 31 days."""
        return [head for head in self._read().heads if head.kind == kind]

    def configs(self) -> dict[int, bytes]:
        """The signed configs by number."""
        return self._read().configs

    def leaves(self) -> list[tuple[int, list[bytes]]]:
        """What was appended to the public log, oldest first: the number of the first leaf, and the leaves."""
        return self._read().leaves

    def note_leaves(self, first: int, contents: list[bytes]) -> None:
        """Note what was appended to the public log, before a checkpoint of it is signed. first: number, from 0."""
        batch = {"first": first, "leaves": [content.decode() for content in contents]}
        self._append(_LEAVES, sign_payload(_LEAVES, canonical_json(batch), self._key))

    def note_index(self, index: Index) -> None:
        """Note the head of an index, before phones can fetch it."""
        head = Head(
            index.kind, index.number, chain_value(index, index.number).hex(), index.epoch, index.generated_at
        )  # fmt: skip
        last = self.heads(index.kind)[-1:]
        if not last or (last[0].number, last[0].chain, last[0].epoch) != (head.number, head.chain, head.epoch):
            self._append(_HEAD, sign_payload(_HEAD, canonical_json(asdict(head)), self._key))

    def note_config(self, number: int, signed: bytes) -> None:
        """Note a config with all its bytes, because it cannot be made again."""
        if self.configs().get(number) != signed:
            self._append(CONFIG, signed)

    def _append(self, kind: str, signed: bytes) -> None:
        line = kind.encode() + b" " + signed + b"\n"
        try:
            self.path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
            try:
                os.write(descriptor, line)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            # Phones miss nothing, but the journal could not reveal a loss of this entry.
            details = event_fields("heads_unwritable")
            logger.warning("the journal of heads cannot be written: %s", error.strerror, extra=details)

    def _read(self) -> "_Known":
        """The content of the journal. If it is still the same file, only the appended lines are read."""
        known = self._known
        try:
            size = self.path.stat().st_size
            if size == known.size:
                return known
            with self.path.open("rb") as file:
                file.seek(known.end - len(known.before_end))
                if size < known.end or file.read(len(known.before_end)) != known.before_end:
                    known = _Known(end=max(0, size - _READ_BYTES))
                    file.seek(known.end)
                added = file.read()
        except OSError:
            return known
        # The last line may be incomplete: cut by a crash, or still being written.
        whole = added[: added.rfind(b"\n") + 1]
        heads = list(known.heads)
        configs = dict(known.configs)
        leaves = list(known.leaves)
        for line in whole.split(b"\n"):
            kind, _blank, signed = line.partition(b" ")
            self._read_line(kind, signed, heads, configs, leaves)
        before_end = (known.before_end + whole)[-_COMPARED_BYTES:]
        self._known = _Known(size, known.end + len(whole), before_end, heads, configs, leaves)
        return self._known

    def _read_line(
        self,
        kind: bytes,
        signed: bytes,
        heads: list[Head],
        configs: dict[int, bytes],
        leaves: list[tuple[int, list[bytes]]],
    ) -> None:
        """Add the content of a line; a line that a crash has cut, or that the city did not sign, is ignored."""
        try:
            payload = json.loads(open_signed(kind.decode(errors="replace"), signed, self._trusted))
            if kind == CONFIG.encode():
                configs[payload["number"]] = signed
            elif kind == _HEAD.encode():
                heads.append(Head(**payload))
            elif kind == _LEAVES.encode():
                leaves.append((payload["first"], [content.encode() for content in payload["leaves"]]))
        except (InvalidSignedFile, ValueError, KeyError, TypeError):
            return
